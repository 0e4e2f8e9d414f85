//! One batch, in one transaction.

mod frames;

use super::contact_rows::{self, ContactRow};
use super::fleet_rows::Mirrors;
use super::person_rows::{self, Arrival, Latest, People, Person, Saver};
use super::run_row::{self, RunRow};
use super::snapshot_rows;
use crate::error::FoundOffset;
use crate::snapshot::LATE_BIT;
use crate::view::Moment;
use crate::{
    AnnouncementRecord, Batch, Committed, Health, REJECTED_BYTES_MAX, REJECTED_KEPT, Rejected, ReportRecord,
};
use coronaz_wire::report::Report;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use uuid::Uuid;

/// People kept in memory between batches, of all runs; beyond that they are read again when they report.
/// About 250 bytes each.
const PEOPLE_KEPT: usize = 1_000_000;

/// Slots kept in memory between batches, of all runs. About 40 bytes each.
const SLOTS_KEPT: usize = 4_000_000;

/// What a writer remembers of the file from one batch to the next. It holds for as long as nobody else writes,
/// which SQLite tells (`pragma data_version`); slots, once given, hold for as long as their run exists.
#[derive(Default)]
pub(super) struct Cache {
    data_version: Option<i64>,
    runs: HashMap<Uuid, CachedRun>,
    mirrors: Mirrors,
}

struct CachedRun {
    row: RunRow,
    slots: HashMap<Uuid, u32>,
    people: People,
    /// The row is as in the file.
    fresh: bool,
}

/// Why a batch is not in.
pub(super) enum CommitFailure {
    Fenced(FoundOffset),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for CommitFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Cache {
    /// Forgets what another writer may have changed.
    fn refresh(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let version = transaction.prepare_cached("pragma data_version")?.query_row([], |row| row.get(0))?;
        if self.data_version.replace(version) != Some(version) {
            for run in self.runs.values_mut() {
                run.fresh = false;
                run.people.clear();
            }
        }
        Ok(())
    }

    /// Keeps within bounds.
    fn trim(&mut self) {
        if self.runs.values().map(|run| run.slots.len()).sum::<usize>() > SLOTS_KEPT {
            self.runs.clear();
        }
        if self.runs.values().map(|run| run.people.len()).sum::<usize>() > PEOPLE_KEPT {
            self.runs.values_mut().for_each(|run| run.people.clear());
        }
    }

    fn run(&mut self, transaction: &Transaction<'_>, uuid: Uuid) -> rusqlite::Result<&mut CachedRun> {
        use std::collections::hash_map::Entry;
        match self.runs.entry(uuid) {
            Entry::Vacant(entry) => {
                let row = run_row::load(transaction, uuid)?;
                let (slots, people) = (HashMap::new(), People::default());
                Ok(entry.insert(CachedRun { row, slots, people, fresh: true }))
            }
            Entry::Occupied(entry) => {
                let run = entry.into_mut();
                if !run.fresh {
                    let row = run_row::load(transaction, uuid)?;
                    if row.id != run.row.id {
                        // It was deleted meanwhile, and begins anew.
                        run.slots.clear();
                    }
                    run.row = row;
                    run.fresh = true;
                }
                Ok(run)
            }
        }
    }
}

/// Writes a batch. After a failure the cache is to be thrown away.
pub(super) fn commit(
    connection: &mut Connection,
    cache: &mut Cache,
    batch: &Batch,
) -> Result<Committed, CommitFailure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The update at the end decides; this look spares the work for a batch that is fenced already.
    let found = found_offset(&transaction, batch.partition)?;
    if found.0 != Some((batch.epoch, batch.from)) {
        return Err(CommitFailure::Fenced(found));
    }
    cache.refresh(&transaction)?;
    let mut committed = Committed::default();
    for AnnouncementRecord { announcement, .. } in &batch.announcements {
        let run = cache.run(&transaction, announcement.run)?;
        run_row::announce(&transaction, &mut run.row, announcement)?;
    }
    let mut refused = Vec::new();
    for (uuid, records) in by_run(&batch.reports) {
        let run = cache.run(&transaction, uuid)?;
        if run.row.fleet.is_some() {
            refused.extend(records.into_iter().map(|record| Rejected {
                offset: record.offset,
                reason: "a report of a run that is a fleet's".to_owned(),
                bytes: record.report.encode(),
            }));
            continue;
        }
        let mut writing = RunBatch::new(&transaction, run, batch.state_every.get());
        for record in records {
            writing.take(&record.report)?;
        }
        writing.write(&mut committed)?;
    }
    frames::write(&transaction, cache, batch, &mut committed, &mut refused)?;
    committed.rejected = refused.len() as u64;
    insert_rejected(&transaction, batch, &refused)?;
    insert_gaps(&transaction, batch)?;
    let moved = transaction
        .prepare_cached(
            "update partition_offset set next = ?, records = records + ?, rejected = rejected + ?
             where partition = ? and epoch = ? and next = ?",
        )?
        .execute(params![
            batch.to,
            batch.records().cast_signed(),
            (batch.rejected.len() + refused.len()).cast_signed(),
            batch.partition,
            batch.epoch,
            batch.from
        ])?;
    if moved == 0 {
        return Err(CommitFailure::Fenced(found_offset(&transaction, batch.partition)?));
    }
    transaction.commit()?;
    cache.trim();
    Ok(committed)
}

fn found_offset(transaction: &Transaction<'_>, partition: i32) -> rusqlite::Result<FoundOffset> {
    transaction
        .prepare_cached("select epoch, next from partition_offset where partition = ?")?
        .query_row([partition], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map(FoundOffset)
}

/// The reports of each run, in their order. A report without a run belongs to the run with the nil UUID.
fn by_run(records: &[ReportRecord]) -> Vec<(Uuid, Vec<&ReportRecord>)> {
    let mut runs: Vec<(Uuid, Vec<&ReportRecord>)> = Vec::new();
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    for record in records {
        let uuid = record.report.run.unwrap_or(Uuid::nil());
        let place = *places.entry(uuid).or_insert_with(|| {
            runs.push((uuid, Vec::new()));
            runs.len() - 1
        });
        runs[place].1.push(record);
    }
    runs
}

fn insert_rejected(
    transaction: &Transaction<'_>,
    batch: &Batch,
    refused: &[Rejected],
) -> rusqlite::Result<()> {
    if batch.rejected.is_empty() && refused.is_empty() {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(
        "insert or ignore into rejected (partition, record_offset, at_us, reason, bytes) values (?, ?, ?, ?, ?)",
    )?;
    for Rejected { offset, reason, bytes } in batch.rejected.iter().chain(refused) {
        let kept = &bytes[..bytes.len().min(REJECTED_BYTES_MAX)];
        statement.execute(params![batch.partition, offset, batch.now_us, reason, kept])?;
    }
    transaction
        .prepare_cached("delete from rejected where rowid <= (select max(rowid) from rejected) - ?")?
        .execute([REJECTED_KEPT])?;
    Ok(())
}

fn insert_gaps(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    for gap in &batch.gaps {
        transaction
            .prepare_cached(
                "insert or ignore into gap (partition, from_offset, to_offset, at_us, reason) values (?, ?, ?, ?, ?)",
            )?
            .execute(params![batch.partition, gap.from, gap.to, batch.now_us, gap.reason])?;
    }
    Ok(())
}

/// What a report says, to be written.
struct StateRow {
    report: u64,
    slot: u32,
    position: [i32; 2],
    health: u8,
    time_us: i64,
    tick: Option<u64>,
}

/// The reports of one run in a batch.
struct RunBatch<'a> {
    transaction: &'a Transaction<'a>,
    run: &'a mut CachedRun,
    state_every: u32,
    /// Reports taken, repeated ones too.
    taken: u32,
    rows: Vec<StateRow>,
    contacts: Vec<ContactRow>,
    /// States drawn, each after how many of the reports taken; its contacts are counted later.
    states: Vec<(u32, u64, Moment)>,
    touched: Vec<u32>,
    committed: Committed,
}

impl<'a> RunBatch<'a> {
    fn new(transaction: &'a Transaction<'a>, run: &'a mut CachedRun, state_every: u32) -> Self {
        Self {
            transaction,
            run,
            state_every,
            taken: 0,
            rows: Vec::new(),
            contacts: Vec::new(),
            states: Vec::new(),
            touched: Vec::new(),
            committed: Committed::default(),
        }
    }

    /// The slot of a device, given if it has none; and whether it was given just now.
    fn slot(&mut self, uuid: Uuid) -> rusqlite::Result<(u32, bool)> {
        if let Some(&slot) = self.run.slots.get(&uuid) {
            return Ok((slot, false));
        }
        let run = self.run.row.id;
        let known = self
            .transaction
            .prepare_cached("select slot from node where run = ? and uuid = ?")?
            .query_row(params![run, uuid.as_bytes()], |row| row.get::<_, u32>(0))
            .optional()?;
        let slot = match known {
            Some(slot) => slot,
            None => {
                let slot = self.run.row.nodes;
                self.transaction
                    .prepare_cached("insert into node (run, slot, uuid) values (?, ?, ?)")?
                    .execute(params![run, slot, uuid.as_bytes()])?;
                self.run.row.nodes += 1;
                slot
            }
        };
        self.run.slots.insert(uuid, slot);
        Ok((slot, known.is_none()))
    }

    /// Takes one report.
    fn take(&mut self, report: &Report) -> rusqlite::Result<()> {
        let (slot, is_new) = self.slot(report.uuid)?;
        let run = self.run.row.id;
        if !self.run.people.contains(slot) {
            let person =
                if is_new { Person::default() } else { person_rows::load(self.transaction, run, slot)? };
            self.run.people.insert(slot, person);
        }
        let Some(person) = self.run.people.get_mut(slot) else { unreachable!("it was put in above") };
        if !std::mem::replace(&mut person.touched, true) {
            self.touched.push(slot);
        }
        let newest_us = report.contacts.iter().map(|contact| contact.timestamp_us).max();
        person.passed_us = person.passed_us.max(newest_us.unwrap_or(i64::MIN));
        match person_rows::arrive(self.transaction, run, slot, person, report)? {
            Arrival::Repeated => self.committed.repeated += 1,
            arrival => self.accept(slot, report, arrival == Arrival::Late)?,
        }
        for contact in &report.contacts {
            let (other, _) = self.slot(contact.uuid)?;
            let (time_us, distance) = (contact.timestamp_us, contact.distance);
            self.contacts.push(ContactRow { person: slot, time_us, other, report: self.taken, distance });
        }
        self.taken += 1;
        Ok(())
    }

    /// Writes the row of a report that is new, and draws a state when it is time.
    fn accept(&mut self, slot: u32, report: &Report, late: bool) -> rusqlite::Result<()> {
        let [x, y] = report.position;
        let health =
            Health { infected: report.infected, immune: report.immune.unwrap_or(false), alive: report.alive };
        let Some(person) = self.run.people.get_mut(slot) else { return Ok(()) };
        let row = &mut self.run.row;
        self.rows.push(StateRow {
            report: row.reports,
            slot,
            position: report.position,
            health: health.bits() | if late { LATE_BIT } else { 0 },
            time_us: report.timestamp_us,
            tick: report.tick,
        });
        row.reports += 1;
        row.since_state += 1;
        row.started_us.get_or_insert(report.timestamp_us);
        self.committed.reports += 1;
        let before = person.latest.map(|latest| latest.health);
        let mut dies = false;
        let mut infected = report.infected_by.is_some();
        if !late {
            row.last_us = Some(report.timestamp_us);
            if let Some(before) = before {
                row.figures.remove(before);
            }
            row.figures.add(health);
            dies = !health.alive && before.is_none_or(|before| before.alive);
            infected |= health.infected && before.is_none_or(|before| !before.infected);
        }
        if !late || person.latest.is_none() {
            person.latest = Some(Latest {
                x,
                y,
                health,
                time_us: report.timestamp_us,
                tick: report.tick,
                first_us: person.latest.map_or(report.timestamp_us, |latest| latest.first_us),
            });
        }
        if infected {
            self.insert_infection(slot, report)?;
        }
        if dies || self.run.row.since_state >= self.state_every {
            self.draw_state(report.timestamp_us);
        }
        Ok(())
    }

    fn insert_infection(&mut self, slot: u32, report: &Report) -> rusqlite::Result<()> {
        let infector = match report.infected_by {
            Some(uuid) => Some(self.slot(uuid)?.0),
            None => None,
        };
        let [x, y] = report.position;
        let new = self
            .transaction
            .prepare_cached(
                "insert or ignore into infection (run, time_us, infectee, infector, x, y) values (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![self.run.row.id, report.timestamp_us, slot, infector, x, y])?;
        self.run.row.infections += u64::from(new > 0);
        Ok(())
    }

    fn draw_state(&mut self, time_us: i64) {
        let row = &mut self.run.row;
        let moment = Moment {
            k: row.states,
            time_us,
            figures: row.figures,
            contacts: row.contacts,
            infections: row.infections,
        };
        self.states.push((self.taken + 1, row.reports, moment));
        row.states += 1;
        row.since_state = 0;
    }

    /// Writes what was taken.
    fn write(mut self, committed: &mut Committed) -> rusqlite::Result<()> {
        let run = self.run.row.key();
        self.insert_rows()?;
        let contacts = std::mem::take(&mut self.contacts);
        let new = contact_rows::insert(self.transaction, run, contacts)?;
        contact_rows::join(self.transaction, run, &mut self.run.people, &new)?;
        self.insert_states(&new)?;
        self.run.row.contacts += new.len() as u64;
        for row in &new {
            if let Some(person) = self.run.people.get_mut(row.person) {
                person.contacts += 1;
            }
        }
        self.save_people()?;
        snapshot_rows::take_if_due(self.transaction, &mut self.run.row)?;
        run_row::save(self.transaction, &self.run.row)?;
        committed.reports += self.committed.reports;
        committed.repeated += self.committed.repeated;
        committed.contacts += new.len() as u64;
        committed.states += self.states.len() as u64;
        Ok(())
    }

    fn insert_rows(&self) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "insert into node_state (run, report, slot, x, y, health, time_us, tick) values (?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for row in &self.rows {
            let [x, y] = row.position;
            let (report, tick) = (row.report.cast_signed(), row.tick.map(u64::cast_signed));
            statement.execute(params![
                self.run.row.id,
                report,
                row.slot,
                x,
                y,
                row.health,
                row.time_us,
                tick
            ])?;
        }
        Ok(())
    }

    /// Writes those who were touched, in the order of their keys, and their encounters that are over.
    fn save_people(&mut self) -> rusqlite::Result<()> {
        let run = self.run.row.key();
        self.touched.sort_unstable();
        let mut saver = Saver::new(self.transaction, run.id)?;
        for &slot in &self.touched {
            let Some(person) = self.run.people.get_mut(slot) else { continue };
            let latest_us = person.latest.map_or(i64::MIN, |latest| latest.time_us);
            for (other, chain) in person.meetings.pass(person.passed_us.max(latest_us)) {
                contact_rows::insert_encounter(self.transaction, run, slot, other, &chain)?;
            }
            saver.save(slot, person)?;
        }
        Ok(())
    }

    fn insert_states(&self, new: &[ContactRow]) -> rusqlite::Result<()> {
        if self.states.is_empty() {
            return Ok(());
        }
        let mut new_of_report = vec![0u64; self.taken as usize];
        for row in new {
            new_of_report[row.report as usize] += 1;
        }
        let mut statement = self.transaction.prepare_cached(
            "insert into state (run, k, reports, time_us, total, zombies, deaths, dead_zombies, immune, contacts, infections)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let (mut counted, mut sum) = (0, 0);
        for &(after, reports, moment) in &self.states {
            sum += new_of_report[counted..after as usize].iter().sum::<u64>();
            counted = after as usize;
            statement.execute(params![
                self.run.row.id,
                moment.k.cast_signed(),
                reports.cast_signed(),
                moment.time_us,
                moment.figures.total,
                moment.figures.zombies,
                moment.figures.deaths,
                moment.figures.dead_zombies,
                moment.figures.immune,
                (moment.contacts + sum).cast_signed(),
                moment.infections.cast_signed(),
            ])?;
        }
        Ok(())
    }
}
