//! The reports of one run in a batch.

use super::cache::{CachedRun, HomeOf};
use crate::snapshot::LATE_BIT;
use crate::sqlite::contact_rows::{self, ContactRow};
use crate::sqlite::people_log::{LogRule, PeopleLog};
use crate::sqlite::person_rows::{self, Arrival, Latest, People, Person, Saver};
use crate::sqlite::run_row::{self, RunRow};
use crate::sqlite::snapshot_rows;
use crate::view::Moment;
use crate::{Batch, Committed, Health};
use coronaz_wire::report::Report;
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;
use uuid::Uuid;

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
pub(super) struct RunBatch<'a> {
    transaction: &'a Transaction<'a>,
    row: &'a mut RunRow,
    slots: &'a mut HashMap<Uuid, u32>,
    people: &'a mut People,
    elsewhere: Vec<&'a People>,
    log: PeopleLog<'a>,
    log_is_known: &'a mut bool,
    log_cursor: &'a mut u32,
    /// When the partition was found to have another log, in which what was read before may stand again.
    replaced_us: Option<i64>,
    /// People looked up in the log.
    looked_up: u32,
    partition: i32,
    /// Somebody's reports came from another partition before.
    strayed: bool,
    state_every: u32,
    now_us: i64,
    /// Reports taken, repeated ones too.
    taken: u32,
    /// Devices that are given a slot.
    nodes: Vec<(Uuid, u32)>,
    rows: Vec<StateRow>,
    contacts: Vec<ContactRow>,
    /// States drawn, each after how many of the reports taken; its contacts are counted later.
    states: Vec<(u32, u64, Moment)>,
    touched: Vec<u32>,
    committed: Committed,
}

impl<'a> RunBatch<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        run: &'a mut CachedRun,
        batch: &Batch,
        (rule, replaced_us): (LogRule, Option<i64>),
    ) -> Self {
        let CachedRun { row, slots, homes, log_cursor, .. } = run;
        let HomeOf { people, elsewhere, log_is_known } = homes.of(batch.partition, batch.epoch);
        Self {
            transaction,
            log: PeopleLog { transaction, run: row.id, rule },
            row,
            slots,
            people,
            elsewhere,
            log_is_known,
            log_cursor,
            replaced_us,
            looked_up: 0,
            partition: batch.partition,
            strayed: false,
            state_every: batch.state_every.get(),
            now_us: batch.now_us,
            taken: 0,
            nodes: Vec::new(),
            rows: Vec::new(),
            contacts: Vec::new(),
            states: Vec::new(),
            touched: Vec::new(),
            committed: Committed::default(),
        }
    }

    /// The slot of a device, given if it has none; and whether it was given just now.
    fn slot(&mut self, uuid: Uuid) -> rusqlite::Result<(u32, bool)> {
        if let Some(&slot) = self.slots.get(&uuid) {
            return Ok((slot, false));
        }
        let run = self.row.id;
        // When all that were given are in memory, this one was not.
        let known = if self.slots.len() == self.row.nodes as usize {
            None
        } else {
            self.transaction
                .prepare_cached("select slot from node where run = ? and uuid = ?")?
                .query_row(params![run, uuid.as_bytes()], |row| row.get::<_, u32>(0))
                .optional()?
        };
        let slot = match known {
            Some(slot) => slot,
            None => {
                let slot = self.row.nodes;
                self.nodes.push((uuid, slot));
                self.row.nodes += 1;
                slot
            }
        };
        self.slots.insert(uuid, slot);
        Ok((slot, known.is_none()))
    }

    /// Takes one report.
    pub(super) fn take(&mut self, report: &Report) -> rusqlite::Result<()> {
        let (slot, is_new) = self.slot(report.uuid)?;
        let run = self.row.id;
        if !self.people.contains(slot) {
            let mut person = if is_new { Person::default() } else { self.load(slot)? };
            self.strayed |= person.latest.is_some() && person.home != Some(self.partition);
            person.home = Some(self.partition);
            self.people.insert(slot, person);
        }
        let Some(person) = self.people.get_mut(slot) else { unreachable!("it was put in above") };
        if !std::mem::replace(&mut person.touched, true) {
            self.touched.push(slot);
        }
        let newest_us = report.contacts.iter().map(|contact| contact.timestamp_us).max();
        person.passed_us = person.passed_us.max(newest_us.unwrap_or(i64::MIN));
        match person_rows::arrive(self.transaction, run, slot, person, (report, self.replaced_us))? {
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

    /// A person as stored; one that has never reported has nothing yet.
    fn load(&mut self, slot: u32) -> rusqlite::Result<Person> {
        /// So many are sought in the log; for more of them it is taken over as a whole, and rows say all.
        const LOOK_UPS_MAX: u32 = 32;
        let run = self.row.id;
        let is_row = *self.log_is_known && !self.elsewhere.iter().any(|people| people.contains(slot));
        if !is_row && self.looked_up < LOOK_UPS_MAX {
            self.looked_up += 1;
            return Ok(person_rows::read(self.transaction, run, slot)?.unwrap_or_default());
        }
        if !is_row {
            self.log.take_over_all(self.row.nodes)?;
            *self.log_is_known = true;
        }
        Ok(person_rows::read_row(self.transaction, run, slot)?.unwrap_or_default())
    }

    /// Writes the row of a report that is new, and draws a state when it is time.
    fn accept(&mut self, slot: u32, report: &Report, late: bool) -> rusqlite::Result<()> {
        let [x, y] = report.position;
        let health =
            Health { infected: report.infected, immune: report.immune.unwrap_or(false), alive: report.alive };
        let Some(person) = self.people.get_mut(slot) else { return Ok(()) };
        let row = &mut *self.row;
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
            row.last_us = Some(row.clock.hear(slot, report.timestamp_us, report.alive, row.last_us));
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
        if dies || self.row.since_state >= self.state_every {
            self.draw_state();
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
            .execute(params![self.row.id, report.timestamp_us, slot, infector, x, y])?;
        self.row.infections += u64::from(new > 0);
        Ok(())
    }

    fn draw_state(&mut self) {
        let row = &mut *self.row;
        let moment = Moment {
            k: row.states,
            // The first report of a run is a newest one, so there is a time.
            time_us: row.last_us.unwrap_or_default(),
            figures: row.figures,
            contacts: row.contacts,
            infections: row.infections,
        };
        self.states.push((self.taken + 1, row.reports, moment));
        row.states += 1;
        row.since_state = 0;
    }

    /// Enters devices in the order of their UUIDs, in which their index lies: theirs are many pages, those of the slots few.
    fn insert_nodes(&mut self) -> rusqlite::Result<()> {
        self.nodes.sort_unstable();
        let mut statement =
            self.transaction.prepare_cached("insert into node (run, slot, uuid) values (?, ?, ?)")?;
        for (uuid, slot) in &self.nodes {
            statement.execute(params![self.row.id, slot, uuid.as_bytes()])?;
        }
        Ok(())
    }

    /// Writes what was taken; says whether somebody's reports came from another partition before.
    pub(super) fn write(mut self, committed: &mut Committed) -> rusqlite::Result<bool> {
        let run = self.row.key();
        self.insert_nodes()?;
        self.insert_rows()?;
        let contacts = std::mem::take(&mut self.contacts);
        let new = contact_rows::insert(self.transaction, run, contacts)?;
        contact_rows::join(self.transaction, run, self.people, &new)?;
        self.insert_states(&new)?;
        self.row.contacts += new.len() as u64;
        for row in &new {
            if let Some(person) = self.people.get_mut(row.person) {
                person.contacts += 1;
            }
        }
        self.save_people()?;
        snapshot_rows::take_if_due(self.transaction, &mut *self.row)?;
        self.row.strays += u64::from(self.strayed);
        self.row.written_us = Some(self.now_us);
        run_row::save(self.transaction, self.row)?;
        committed.reports += self.committed.reports;
        committed.repeated += self.committed.repeated;
        committed.contacts += new.len() as u64;
        committed.states += self.states.len() as u64;
        Ok(self.strayed)
    }

    fn insert_rows(&self) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(
            "insert into node_state (run, report, slot, x, y, health, time_us, tick) values (?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        for row in &self.rows {
            let [x, y] = row.position;
            let (report, tick) = (row.report.cast_signed(), row.tick.map(u64::cast_signed));
            statement.execute(params![self.row.id, report, row.slot, x, y, row.health, row.time_us, tick])?;
        }
        Ok(())
    }

    /// Writes those who were touched, in the order of their keys, and their encounters that are over.
    fn save_people(&mut self) -> rusqlite::Result<()> {
        let run = self.row.key();
        let logged = self.row.nodes > self.log.rule.above;
        self.touched.sort_unstable();
        let mut saver = if logged { None } else { Some(Saver::new(self.transaction, run.id)?) };
        for &slot in &self.touched {
            let Some(person) = self.people.get_mut(slot) else { continue };
            let latest_us = person.latest.map_or(i64::MIN, |latest| latest.time_us);
            for (other, chain) in person.meetings.pass(person.passed_us.max(latest_us)) {
                contact_rows::insert_encounter(self.transaction, run, slot, other, &chain)?;
            }
            person.touched = false;
            person.passed_us = i64::MIN;
            if let Some(saver) = &mut saver {
                saver.save(slot, person)?;
            }
            self.people.count_open(slot);
        }
        if logged {
            self.log.append(&self.touched, self.people)?;
            self.log.take_over_some(self.log_cursor, self.row.nodes)?;
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
            "insert into state (run, k, reports, time_us, total, zombies, deaths, dead_zombies, immune, contacts, infections,
                                arrived_us)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let (mut counted, mut sum) = (0, 0);
        for &(after, reports, moment) in &self.states {
            sum += new_of_report[counted..after as usize].iter().sum::<u64>();
            counted = after as usize;
            statement.execute(params![
                self.row.id,
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
                self.now_us,
            ])?;
        }
        Ok(())
    }
}
