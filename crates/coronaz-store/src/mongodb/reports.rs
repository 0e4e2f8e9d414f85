//! The reports of one run in a batch: what they change, worked out in memory.

use super::cache::{CachedRun, node_id};
use super::codec::{Fields, count, date, finite, uuid};
use super::contacts::{self, NewContact};
use super::head::{Head, put_figures};
use super::history::{self, StateRow};
use super::person::{Arrival, Latest, Start};
use super::redo::Redo;
use super::server::{Store, names};
use super::trouble::Trouble;
use crate::batch::was_read_before;
use crate::snapshot::LATE_BIT;
use crate::view::Moment;
use crate::{Batch, Committed, Health, ReportRecord};
use coronaz_wire::report::Report;
use mongodb::bson::{Document, doc};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Takes reports; what they change is in the redo, and in the run as it is known here.
pub(super) struct Reports<'a> {
    store: &'a Store,
    run: &'a mut CachedRun,
    id: Uuid,
    head: Head,
    redo: &'a mut Redo,
    state_every: u32,
    now_us: i64,
    /// When the partition was found to have another log, in which what was read before may stand again.
    replaced_us: Option<i64>,
    /// Reports taken, repeated ones too.
    taken: u32,
    rows: Vec<StateRow>,
    contacts: Vec<NewContact>,
    /// States drawn, each after how many of the reports taken; its contacts are counted later.
    states: Vec<(u32, u64, Moment)>,
    touched: Vec<u32>,
    infections: BTreeSet<(i64, u32)>,
    committed: Committed,
}

impl<'a> Reports<'a> {
    /// `head` is the commit's, as far as it is known: its number is the new one.
    pub(super) fn new(
        store: &'a Store,
        (id, run): (Uuid, &'a mut CachedRun),
        head: Head,
        redo: &'a mut Redo,
        (batch, replaced_us): (&Batch, Option<i64>),
    ) -> Self {
        Self {
            store,
            run,
            id,
            head,
            redo,
            state_every: batch.state_every.get(),
            now_us: batch.now_us,
            replaced_us,
            taken: 0,
            rows: Vec::new(),
            contacts: Vec::new(),
            states: Vec::new(),
            touched: Vec::new(),
            infections: BTreeSet::new(),
            committed: Committed::default(),
        }
    }

    /// Takes all; returns the head after them.
    pub(super) fn take_all(
        mut self,
        records: &[&ReportRecord],
        committed: &mut Committed,
    ) -> Result<Head, Trouble> {
        let mut reporting = Vec::with_capacity(records.len());
        for record in records {
            reporting.push(self.slot(record.report.uuid));
        }
        reporting.sort_unstable();
        reporting.dedup();
        self.run.load(self.store, self.id, &reporting)?;
        for record in records {
            self.take(&record.report)?;
        }
        self.finish(committed)
    }

    /// The slot of a device, given if it has none.
    fn slot(&mut self, device: Uuid) -> u32 {
        if let Some(&slot) = self.run.slots.get(&device) {
            return slot;
        }
        let slot = self.head.nodes;
        self.head.nodes += 1;
        self.run.ids.push(device);
        self.run.slots.insert(device, slot);
        slot
    }

    fn take(&mut self, report: &Report) -> Result<(), Trouble> {
        let slot = self.slot(report.uuid);
        let person = self.run.people.entry(slot).or_default();
        if !std::mem::replace(&mut person.touched, true) {
            self.touched.push(slot);
        }
        let newest_us = report.contacts.iter().map(|contact| contact.timestamp_us).max();
        person.passed_us = person.passed_us.max(newest_us.unwrap_or(i64::MIN));
        match self.arrive(slot, report)? {
            Arrival::Repeated => self.committed.repeated += 1,
            arrival => self.accept(slot, report, arrival == Arrival::Late)?,
        }
        for contact in &report.contacts {
            let other = self.slot(contact.uuid);
            let (time_us, distance) = (contact.timestamp_us, finite(contact.distance));
            self.contacts.push(NewContact { person: slot, time_us, other, report: self.taken, distance });
        }
        self.taken += 1;
        Ok(())
    }

    /// A report's identity is (node, start, `seq`). Without `seq` it is its place in the topic, and the offset that
    /// the head expects says that it is new: but in a log that was found in another's place, what a device reported
    /// until then is in if the store has as late a report of it.
    fn arrive(&mut self, slot: u32, report: &Report) -> Result<Arrival, Trouble> {
        let person = self.run.people.entry(slot).or_default();
        let Some(seq) = report.seq else {
            let latest_us = person.latest.map(|latest| latest.time_us);
            return Ok(if was_read_before(report.timestamp_us, latest_us, self.replaced_us) {
                Arrival::Repeated
            } else {
                Arrival::Newest
            });
        };
        let start_us = report.start_us.unwrap_or(0);
        match person.start.start_us {
            Some(current_us) if current_us > start_us => {
                let key = session_id(self.id, slot, start_us);
                // An earlier start that this commit has met already is in its redo, and not in the store.
                let mut earlier = match self.run.earlier.get(&(slot, start_us)) {
                    Some(earlier) => earlier.clone(),
                    None => match self.store.one(names::SESSIONS, doc! {"_id": &key})? {
                        Some(stored) => Start::read(stored.part("start")?)?,
                        None => Start::at(start_us),
                    },
                };
                let arrival = earlier.arrive(seq, report);
                if arrival != Arrival::Repeated {
                    self.keep_start(slot, earlier);
                    return Ok(Arrival::Late);
                }
                Ok(arrival)
            }
            Some(current_us) if current_us == start_us => Ok(person.start.arrive(seq, report)),
            before => {
                let start = std::mem::replace(&mut person.start, Start::at(start_us));
                if before.is_some() {
                    self.keep_start(slot, start);
                }
                let person = self.run.people.entry(slot).or_default();
                Ok(person.start.arrive(seq, report))
            }
        }
    }

    /// Notes an earlier start of a node, to be written.
    fn keep_start(&mut self, slot: u32, start: Start) {
        self.run.earlier.insert((slot, start.start_us.unwrap_or(0)), start);
    }

    /// Takes the state of a report that is new, and draws a state when it is time.
    fn accept(&mut self, slot: u32, report: &Report, late: bool) -> Result<(), Trouble> {
        let [x, y] = report.position;
        let (infected, immune) = (report.infected, report.immune.unwrap_or(false));
        let health = Health { infected, immune, alive: report.alive };
        let person = self.run.people.entry(slot).or_default();
        let head = &mut self.head;
        self.rows.push(StateRow {
            slot,
            x,
            y,
            health: health.bits() | if late { LATE_BIT } else { 0 },
            time_us: report.timestamp_us,
            tick: report.tick,
        });
        head.reports += 1;
        head.since_state += 1;
        head.started_us.get_or_insert(report.timestamp_us);
        self.committed.reports += 1;
        let before = person.latest.map(|latest| latest.health);
        let mut dies = false;
        let mut infected = report.infected_by.is_some();
        if !late {
            head.last_us = Some(head.clock.hear(slot, report.timestamp_us, report.alive, head.last_us));
            if let Some(before) = before {
                head.figures.remove(before);
            }
            head.figures.add(health);
            dies = !health.alive && before.is_none_or(|before| before.alive);
            infected |= health.infected && before.is_none_or(|before| !before.infected);
        }
        if !late || person.latest.is_none() {
            let first_us = person.latest.map_or(report.timestamp_us, |latest| latest.first_us);
            let (time_us, tick) = (report.timestamp_us, report.tick);
            person.latest = Some(Latest { x, y, health, time_us, tick, first_us });
        }
        if infected {
            self.infect(slot, report)?;
        }
        if dies || self.head.since_state >= self.state_every {
            self.draw_state();
        }
        Ok(())
    }

    fn infect(&mut self, slot: u32, report: &Report) -> Result<(), Trouble> {
        if let Some(infector) = report.infected_by {
            self.slot(infector);
        }
        let key = infection_id(self.id, report.timestamp_us, slot);
        let known = !self.infections.insert((report.timestamp_us, slot));
        if known || self.store.one(names::INFECTIONS, doc! {"_id": key})?.is_some() {
            return Ok(());
        }
        let (place, infectee) = ((report.position[0], report.position[1]), (slot, report.uuid));
        let document =
            infection((self.id, self.head.n), report.timestamp_us, infectee, report.infected_by, place);
        self.redo.insert(names::INFECTIONS, document);
        self.head.infections += 1;
        Ok(())
    }

    fn draw_state(&mut self) {
        let head = &mut self.head;
        // The first report of a run is a newest one, so there is a time.
        let time_us = head.last_us.unwrap_or_default();
        let (figures, contacts, infections) = (head.figures, head.contacts, head.infections);
        let moment = Moment { k: head.states, time_us, figures, contacts, infections };
        self.states.push((self.taken + 1, head.reports, moment));
        head.states += 1;
        head.since_state = 0;
    }

    /// Puts what was taken into the redo.
    fn finish(mut self, committed: &mut Committed) -> Result<Head, Trouble> {
        let n = self.head.n;
        let mut new = std::mem::take(&mut self.contacts);
        contacts::keep_new(self.store, (self.id, self.run), &mut new)?;
        contacts::join(self.store, (self.id, n), self.run, &new, self.redo)?;
        contacts::insert((self.id, n), self.run, &new, self.redo);
        self.insert_states(&new);
        history::insert((self.id, n), self.head.reports - self.rows.len() as u64, &self.rows, self.redo);
        for contact in &new {
            let person = self.run.people.entry(contact.person).or_default();
            person.contacts += 1;
            person.newest_us = person.newest_us.max(contact.time_us);
        }
        self.head.contacts += new.len() as u64;
        self.save_people()?;
        committed.reports += self.committed.reports;
        committed.repeated += self.committed.repeated;
        committed.contacts += new.len() as u64;
        committed.states += self.states.len() as u64;
        Ok(self.head)
    }

    fn insert_states(&mut self, new: &[NewContact]) {
        let mut new_of_report = vec![0u64; self.taken as usize];
        for contact in new {
            new_of_report[contact.report as usize] += 1;
        }
        let (mut counted, mut sum) = (0, 0);
        for &(after, reports, moment) in &self.states {
            sum += new_of_report[counted..after as usize].iter().sum::<u64>();
            counted = after as usize;
            let moment = Moment { contacts: moment.contacts + sum, ..moment };
            self.redo.insert(names::STATES, state((self.id, self.head.n), &moment, reports, self.now_us));
        }
    }

    /// Writes those who were touched, and devices that are new.
    fn save_people(&mut self) -> Result<(), Trouble> {
        let (id, n, before) = (self.id, self.head.n, self.run.head.nodes);
        self.touched.sort_unstable();
        let mut states = Vec::new();
        for &slot in &self.touched {
            let Some(person) = self.run.people.get_mut(&slot) else { continue };
            let latest_us = person.latest.map_or(i64::MIN, |latest| latest.time_us);
            for (other, chain) in person.meetings.pass(person.passed_us.max(latest_us)) {
                contacts::insert_encounter((id, n), &self.run.ids, (slot, other), &chain, self.redo)?;
            }
            (person.touched, person.passed_us) = (false, i64::MIN);
            states.extend(person.document(n, &self.run.ids).map(|state| (slot, state)));
        }
        let mut states = states.into_iter().peekable();
        while let Some((slot, state)) = states.next_if(|&(slot, _)| slot < before) {
            self.redo.raise(names::NODES, node_id(id, self.run.ids[slot as usize]), "state", state);
        }
        for slot in before..self.head.nodes {
            let node = self.run.ids[slot as usize];
            let mut document = doc! {"_id": node_id(id, node), "run": uuid(id), "node": uuid(node), "slot": i64::from(slot), "n": n};
            if let Some((_, state)) = states.next_if(|&(of, _)| of == slot) {
                document.insert("state", state);
            }
            self.redo.insert(names::NODES, document);
        }
        for ((slot, start_us), start) in std::mem::take(&mut self.run.earlier) {
            let mut stored = doc! {"n": n};
            start.put(&mut stored);
            let key = session_id(id, slot, start_us);
            // It may be there or not: the empty one is inserted first, and gives way.
            let mut empty = doc! {"n": 0_i64};
            Start::at(start_us).put(&mut empty);
            self.redo.insert(
                names::SESSIONS,
                doc! {"_id": &key, "run": uuid(id), "slot": i64::from(slot), "start_us": start_us, "start": empty},
            );
            self.redo.raise(names::SESSIONS, key, "start", stored);
        }
        Ok(())
    }
}

fn session_id(run: Uuid, slot: u32, start_us: i64) -> String {
    format!("{run}/{slot}/{start_us}")
}

/// The document of an infection.
pub(super) fn infection(
    (run, n): (Uuid, i64),
    time_us: i64,
    (slot, infectee): (u32, Uuid),
    infector: Option<Uuid>,
    (x, y): (i32, i32),
) -> Document {
    let mut document = doc! {
        "_id": infection_id(run, time_us, slot), "run": uuid(run), "at": date(time_us),
        "time_us": time_us, "slot": i64::from(slot), "infectee": uuid(infectee), "position": [x, y], "n": n,
    };
    if let Some(infector) = infector {
        document.insert("infector", uuid(infector));
    }
    document
}

fn infection_id(run: Uuid, time_us: i64, slot: u32) -> String {
    format!("{run}/{time_us}/{slot}")
}

/// The document of a moment.
pub(super) fn state((run, n): (Uuid, i64), moment: &Moment, reports: u64, arrived_us: i64) -> Document {
    let mut document = doc! {
        "_id": state_id(run, moment.k), "run": uuid(run), "k": count(moment.k), "at": date(moment.time_us),
        "time_us": moment.time_us, "reports": count(reports), "contacts": count(moment.contacts),
        "infections": count(moment.infections), "arrived_us": arrived_us, "n": n,
    };
    put_figures(&mut document, &moment.figures);
    document
}

/// The key of a moment's document.
pub(super) fn state_id(run: Uuid, k: u64) -> String {
    format!("{run}/{k}")
}
