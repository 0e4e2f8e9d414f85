//! People of large runs, between their rows: `node_log`.
//!
//! A batch of a run with a million people touches a few of them on each page of `node_latest`, so each report would cost half a
//! page of the file. Instead a commit appends those whom it touched, and takes the entries of a few blocks of slots, in turn,
//! over into their rows, which then lie side by side; a round ends after [`COMMITS_A_ROUND`]. The newest entry of a person
//! counts, before its row: whoever asks for a person looks here first.

use super::person_bytes::{pack, unpack};
use super::person_rows::{People, Person, Saver};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

/// In so many commits every person's entries become its row. As many look-ups a question for a person may cost.
const COMMITS_A_ROUND: u32 = 64;

/// What goes into one row: several fit on a page.
const ROW_BYTES: usize = 900;

/// Slots taken over at once at most: their entries are in memory.
const SLOTS_AT_ONCE: u32 = 1 << 16;

/// When and how the log is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogRule {
    /// Runs of more devices than this. In smaller ones a batch touches most people of a page, and their rows are written at once.
    pub(super) above: u32,
    /// Slots in a block: no row of the log crosses from one into the next.
    pub(super) block: u32,
}

impl Default for LogRule {
    fn default() -> Self {
        Self { above: 50_000, block: 4096 }
    }
}

/// The log of one run, to be written.
pub(super) struct PeopleLog<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) run: i64,
    pub(super) rule: LogRule,
}

impl PeopleLog<'_> {
    /// Appends people, whose slots ascend.
    pub(super) fn append(&self, slots: &[u32], people: &mut People) -> rusqlite::Result<()> {
        let last = last_batch(self.transaction, self.run, i64::MAX)?.unwrap_or(0);
        let mut statement = self
            .transaction
            .prepare_cached("insert into node_log (run, batch, first_slot, bytes) values (?, ?, ?, ?)")?;
        let mut bytes = Vec::with_capacity(2 * ROW_BYTES);
        let mut rest = slots;
        while let Some(&first) = rest.first() {
            bytes.clear();
            let mut count = 0;
            for &slot in rest {
                if slot / self.rule.block != first / self.rule.block || bytes.len() >= ROW_BYTES {
                    break;
                }
                if let Some(person) = people.get_mut(slot) {
                    pack(slot, person, &mut bytes);
                }
                count += 1;
            }
            if !bytes.is_empty() {
                statement.execute(params![self.run, last + 1, first, bytes])?;
            }
            rest = &rest[count..];
        }
        Ok(())
    }

    /// Takes the next blocks over into their rows; `cursor` is the slot at which that goes on, of `nodes`.
    pub(super) fn take_over_some(&self, cursor: &mut u32, nodes: u32) -> rusqlite::Result<()> {
        let blocks = nodes.div_ceil(self.rule.block);
        let slots = blocks.div_ceil(COMMITS_A_ROUND).saturating_mul(self.rule.block);
        let from = if *cursor >= nodes { 0 } else { *cursor };
        *cursor = from.saturating_add(slots);
        self.take_over(from..*cursor)
    }

    /// Takes all over: the rows say everything then.
    pub(super) fn take_over_all(&self, nodes: u32) -> rusqlite::Result<()> {
        let at_once = SLOTS_AT_ONCE.next_multiple_of(self.rule.block);
        let mut from = 0;
        while from < nodes && last_batch(self.transaction, self.run, i64::MAX)?.is_some() {
            let to = from.saturating_add(at_once);
            self.take_over(from..to)?;
            from = to;
        }
        Ok(())
    }

    fn take_over(&self, slots: Range<u32>) -> rusqlite::Result<()> {
        let mut newest: BTreeMap<u32, Person> = BTreeMap::new();
        let mut delete = self.transaction.prepare_cached(
            "delete from node_log where run = ? and batch = ? and first_slot >= ? and first_slot < ?",
        )?;
        let mut batches = batches(self.transaction, self.run)?;
        batches.reverse();
        for batch in batches {
            each(self.transaction, (self.run, batch), &slots, |slot, person| {
                newest.insert(slot, person);
            })?;
            delete.execute(params![self.run, batch, slots.start, slots.end])?;
        }
        let mut saver = Saver::new(self.transaction, self.run)?;
        for (slot, person) in &newest {
            saver.save(*slot, person)?;
        }
        Ok(())
    }
}

/// The newest batch before this one.
fn last_batch(transaction: &Transaction<'_>, run: i64, before: i64) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached("select max(batch) from node_log where run = ? and batch < ?")?
        .query_row((run, before), |row| row.get(0))
}

/// Those that have entries, the newest first.
fn batches(transaction: &Transaction<'_>, run: i64) -> rusqlite::Result<Vec<i64>> {
    let mut batches = Vec::new();
    let mut before = i64::MAX;
    while let Some(batch) = last_batch(transaction, run, before)? {
        batches.push(batch);
        before = batch;
    }
    Ok(batches)
}

/// Hands over the people of an entry, until `visit` wants no more.
///
/// # Errors
///
/// When it is damaged: to leave it out would take back what people have told since.
fn each_of(mut bytes: &[u8], mut visit: impl FnMut(u32, Person) -> ControlFlow<()>) -> rusqlite::Result<()> {
    while !bytes.is_empty() {
        let Some((slot, person)) = unpack(&mut bytes) else {
            let damaged = "an entry of node_log is damaged".into();
            return Err(rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, damaged));
        };
        if visit(slot, person).is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands over the entries of a batch.
fn each(
    transaction: &Transaction<'_>,
    (run, batch): (i64, i64),
    slots: &Range<u32>,
    mut visit: impl FnMut(u32, Person),
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "select bytes from node_log where run = ? and batch = ? and first_slot >= ? and first_slot < ? order by first_slot",
    )?;
    let mut rows = statement.query(params![run, batch, slots.start, slots.end])?;
    while let Some(row) = rows.next()? {
        each_of(row.get_ref(0)?.as_blob()?, |slot, person| {
            visit(slot, person);
            ControlFlow::Continue(())
        })?;
    }
    Ok(())
}

/// Every entry, older ones first.
pub(super) fn each_entry(
    transaction: &Transaction<'_>,
    run: i64,
    mut visit: impl FnMut(u32, Person),
) -> rusqlite::Result<()> {
    for batch in batches(transaction, run)?.into_iter().rev() {
        each(transaction, (run, batch), &(0..u32::MAX), &mut visit)?;
    }
    Ok(())
}

/// What the log says of a person.
pub(super) fn newest(transaction: &Transaction<'_>, run: i64, slot: u32) -> rusqlite::Result<Option<Person>> {
    let mut statement = transaction.prepare_cached(
        "select bytes from node_log where run = ? and batch = ? and first_slot <= ? order by first_slot desc limit 1",
    )?;
    let mut before = i64::MAX;
    while let Some(batch) = last_batch(transaction, run, before)? {
        before = batch;
        let found = statement
            .query_row(params![run, batch, slot], |row| {
                let mut sought = None;
                each_of(row.get_ref(0)?.as_blob()?, |found, person| {
                    if found != slot {
                        return ControlFlow::Continue(());
                    }
                    sought = Some(person);
                    ControlFlow::Break(())
                })?;
                Ok(sought)
            })
            .optional()?;
        if let Some(Some(person)) = found {
            return Ok(Some(person));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
