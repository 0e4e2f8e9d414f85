//! Contacts of a batch, in the order of their key, and the encounters they make.

use super::person_rows::People;
use crate::ENCOUNTER_GAP_US;
use crate::encounter::{Chain, Placed};
use rusqlite::{Transaction, params};

/// A contact to be stored. The order of the fields is that of the key, so that sorted rows go in ascending.
#[derive(Debug, Clone, Copy)]
pub(super) struct ContactRow {
    pub(super) person: u32,
    pub(super) time_us: i64,
    pub(super) other: u32,
    /// Which report of the batch says so: of two that say the same, the first is counted.
    pub(super) report: u32,
    pub(super) distance: Option<f64>,
}

/// A run as keys name it: its number, and how long its windows of time are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunKey {
    pub(super) id: i64,
    pub(super) window_us: i64,
}

impl RunKey {
    /// The window of a time.
    pub(super) fn window(self, time_us: i64) -> i64 {
        time_us.div_euclid(self.window_us)
    }

    fn key(self, row: &ContactRow) -> (i64, u32, i64, u32, u32) {
        (self.window(row.time_us), row.person, row.time_us, row.other, row.report)
    }
}

/// Stores the rows; returns those that were new, in the order of the key.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    run: RunKey,
    mut rows: Vec<ContactRow>,
) -> rusqlite::Result<Vec<ContactRow>> {
    rows.sort_unstable_by_key(|row| run.key(row));
    let mut statement = transaction.prepare_cached(
        "insert or ignore into contact (run, window, person, time_us, other, distance) values (?, ?, ?, ?, ?, ?)",
    )?;
    let mut failed = None;
    rows.retain(|row| {
        if failed.is_some() {
            return false;
        }
        let done = statement.execute(params![
            run.id,
            run.window(row.time_us),
            row.person,
            row.time_us,
            row.other,
            row.distance
        ]);
        match done {
            Ok(changed) => changed > 0,
            Err(error) => {
                failed = Some(error);
                false
            }
        }
    });
    failed.map_or(Ok(rows), Err)
}

/// Joins new contacts to the encounters of their persons. All contacts of the batch are stored by now, and
/// all persons are in `people`.
pub(super) fn join(
    transaction: &Transaction<'_>,
    run: RunKey,
    people: &mut People,
    new: &[ContactRow],
) -> rusqlite::Result<()> {
    let mut late = Vec::new();
    for row in new {
        let Some(person) = people.get_mut(row.person) else { continue };
        match person.meetings.hear(row.other, row.time_us, row.distance) {
            Placed::Open => {}
            Placed::Closed(chain) => insert_encounter(transaction, run, row.person, row.other, &chain)?,
            Placed::Late => late.push(row),
        }
    }
    // After the others: the chain of a late one is read from the table and has them in it.
    late.sort_unstable_by_key(|row| (row.person, row.other, row.time_us));
    let mut done: Option<(u32, u32, Chain)> = None;
    for row in late {
        if done.is_some_and(|(person, other, chain)| {
            (person, other) == (row.person, row.other) && row.time_us <= chain.to_us
        }) {
            continue;
        }
        let Some(person) = people.get_mut(row.person) else { continue };
        let chain = find_chain(transaction, run, row)?;
        remove_encounters(transaction, run, row.person, row.other, &chain)?;
        if let Some(over) = person.meetings.put(row.other, chain) {
            insert_encounter(transaction, run, row.person, row.other, &over)?;
        }
        done = Some((row.person, row.other, chain));
    }
    Ok(())
}

/// Stores encounters that are over.
pub(super) fn insert_encounter(
    transaction: &Transaction<'_>,
    run: RunKey,
    person: u32,
    other: u32,
    chain: &Chain,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "insert or replace into encounter (run, window, person, from_us, other, to_us, nearest, contacts)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run.id,
            run.window(chain.from_us),
            person,
            chain.from_us,
            other,
            chain.to_us,
            chain.nearest,
            chain.contacts.cast_signed(),
        ])?;
    Ok(())
}

/// The chain of stored contacts in which this one is.
fn find_chain(transaction: &Transaction<'_>, run: RunKey, row: &ContactRow) -> rusqlite::Result<Chain> {
    let mut chain = Chain::at(row.time_us, row.distance);
    let mut earlier = transaction.prepare_cached(
        "select time_us, distance from contact
         where run = ?1 and window = ?2 and person = ?3 and time_us < ?4 and other = ?5 order by time_us desc",
    )?;
    let mut later = transaction.prepare_cached(
        "select time_us, distance from contact
         where run = ?1 and window = ?2 and person = ?3 and time_us > ?4 and other = ?5 order by time_us",
    )?;
    for (statement, step) in [(&mut earlier, -1), (&mut later, 1)] {
        let mut at_window = run.window(row.time_us);
        loop {
            let edge_us = if step < 0 { chain.from_us } else { chain.to_us };
            let mut rows = statement.query(params![run.id, at_window, row.person, edge_us, row.other])?;
            let mut ended = false;
            while let Some(found) = rows.next()? {
                let time_us: i64 = found.get(0)?;
                if !chain.reaches(time_us) {
                    ended = true;
                    break;
                }
                chain.add(time_us, found.get(1)?);
            }
            // The next window can only go on with the chain if a gap reaches it from here.
            let edge_us = if step < 0 { chain.from_us } else { chain.to_us };
            let reach_us = edge_us.saturating_add(ENCOUNTER_GAP_US.saturating_mul(step));
            if ended || run.window(reach_us) == at_window {
                break;
            }
            at_window += step;
        }
    }
    Ok(chain)
}

/// Removes closed encounters that are parts of this chain.
fn remove_encounters(
    transaction: &Transaction<'_>,
    run: RunKey,
    person: u32,
    other: u32,
    chain: &Chain,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "delete from encounter where run = ? and window = ? and person = ? and from_us between ? and ? and other = ?",
    )?;
    for window in run.window(chain.from_us)..=run.window(chain.to_us) {
        statement.execute(params![run.id, window, person, chain.from_us, chain.to_us, other])?;
    }
    Ok(())
}
