//! What the store knows of a person who reports, in memory while batches are written.

use super::people_log;
use crate::Health;
use crate::batch::was_read_before;
use crate::encounter::{Chain, Meetings};
use crate::seen::Seen;
use crate::view::{self, Claimed};
use coronaz_wire::report::Report;
use rusqlite::{CachedStatement, OptionalExtension, Row, Transaction, params};

/// The newest report of a person, and what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Latest {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) health: Health,
    pub(super) time_us: i64,
    pub(super) tick: Option<u64>,
    pub(super) first_us: i64,
}

/// The reports of one start of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// `None`: no report has said so yet.
    pub(super) start_us: Option<i64>,
    pub(super) latest_seq: Option<u64>,
    pub(super) seen: Seen,
    pub(super) claimed: Option<Claimed>,
}

/// A person who reports.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Person {
    /// `None` before the first report is taken.
    pub(super) latest: Option<Latest>,
    pub(super) session: Session,
    pub(super) contacts: u64,
    pub(super) meetings: Meetings,
    /// The partition its reports come from; `None`: not known (the store is from before that was kept).
    pub(super) home: Option<i32>,
    /// In this batch: something of it is to be written.
    pub(super) touched: bool,
    /// In this batch: the newest time that its device has been heard of.
    pub(super) passed_us: i64,
    /// Encounters counted in [`People`].
    pub(super) counted: usize,
}

/// People by slot. Most questions come in the order of the slots, so they lie in that order too.
#[derive(Debug, Default)]
pub(super) struct People {
    by_slot: Vec<Option<Box<Person>>>,
    count: usize,
    /// Encounters that may go on, of all of them.
    open: usize,
}

/// A person without its encounters, and its places in the lists.
const PERSON_BYTES: usize = size_of::<Person>() + 40;

/// An encounter that may go on.
const OPEN_BYTES: usize = size_of::<(u32, Chain)>();

impl People {
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Person> {
        self.by_slot.get_mut(slot as usize)?.as_deref_mut()
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        self.by_slot.get(slot as usize).is_some_and(Option::is_some)
    }

    pub(super) fn insert(&mut self, slot: u32, person: Person) {
        let slot = slot as usize;
        if self.by_slot.len() <= slot {
            self.by_slot.resize_with(slot + 1, || None);
        }
        match self.by_slot[slot].replace(Box::new(person)) {
            Some(before) => self.open -= before.counted,
            None => self.count += 1,
        }
    }

    /// Counts the encounters of a person whose batch has ended.
    pub(super) fn count_open(&mut self, slot: u32) {
        if let Some(Some(person)) = self.by_slot.get_mut(slot as usize) {
            let now = person.meetings.open().len();
            self.open = self.open + now - std::mem::replace(&mut person.counted, now);
        }
    }

    /// What they take in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.count * PERSON_BYTES + self.open * OPEN_BYTES
    }
}

impl Default for Person {
    fn default() -> Self {
        Self {
            latest: None,
            session: Session::default(),
            contacts: 0,
            meetings: Meetings::default(),
            home: None,
            touched: false,
            passed_us: i64::MIN,
            counted: 0,
        }
    }
}

/// How a report relates to those that are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The newest of its node.
    Newest,
    /// New, but a newer one came before it.
    Late,
    /// It is in already.
    Repeated,
}

impl Session {
    /// As readers see it.
    pub(super) fn view(&self) -> view::Session {
        view::Session {
            start_us: self.start_us,
            next_seq: self.seen.next(),
            gaps: self.seen.gaps_json(),
            claimed: self.claimed,
        }
    }

    /// Takes note of a report of this start.
    fn arrive(&mut self, seq: u64, report: &Report) -> Arrival {
        if !self.seen.insert(seq) {
            return Arrival::Repeated;
        }
        if self.latest_seq.is_some_and(|latest| seq < latest) {
            return Arrival::Late;
        }
        self.latest_seq = Some(seq);
        if let Some(totals) = &report.totals {
            self.claimed = Some(Claimed { contacts: totals.contacts, digest: totals.digest });
        }
        Arrival::Newest
    }
}

/// A report's identity is (node, start, `seq`). Without `seq` it is its place in the topic, and the offset
/// that the store expects says that it is new: but in a log that was found in another's place at `replaced_us`, what a
/// device reported until then is in if the store has as late a report of it.
pub(super) fn arrive(
    transaction: &Transaction<'_>,
    run: i64,
    slot: u32,
    person: &mut Person,
    (report, replaced_us): (&Report, Option<i64>),
) -> rusqlite::Result<Arrival> {
    let Some(seq) = report.seq else {
        let latest_us = person.latest.map(|latest| latest.time_us);
        return Ok(if was_read_before(report.timestamp_us, latest_us, replaced_us) {
            Arrival::Repeated
        } else {
            Arrival::Newest
        });
    };
    let start_us = report.start_us.unwrap_or(0);
    match person.session.start_us {
        Some(current_us) if current_us > start_us => {
            let mut earlier = load_session(transaction, run, slot, start_us)?;
            let arrival = earlier.arrive(seq, report);
            if arrival == Arrival::Repeated {
                return Ok(arrival);
            }
            save_session(transaction, run, slot, &earlier)?;
            Ok(Arrival::Late)
        }
        Some(current_us) if current_us == start_us => Ok(person.session.arrive(seq, report)),
        before => {
            if before.is_some() {
                save_session(transaction, run, slot, &person.session)?;
            }
            person.session = Session { start_us: Some(start_us), ..Session::default() };
            Ok(person.session.arrive(seq, report))
        }
    }
}

fn claimed(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Claimed>> {
    let contacts: Option<i64> = row.get(at)?;
    let digest: Option<i64> = row.get(at + 1)?;
    Ok(contacts.zip(digest).map(|(contacts, digest)| Claimed {
        contacts: contacts.cast_unsigned(),
        digest: digest.cast_unsigned(),
    }))
}

fn load_session(
    transaction: &Transaction<'_>,
    run: i64,
    slot: u32,
    start_us: i64,
) -> rusqlite::Result<Session> {
    let session = transaction
        .prepare_cached(
            "select latest_seq, next_seq, gaps, claimed_contacts, claimed_digest
             from node_session where run = ? and slot = ? and start_us = ?",
        )?
        .query_row(params![run, slot, start_us], |row| {
            Ok(Session {
                start_us: Some(start_us),
                latest_seq: row.get::<_, Option<i64>>(0)?.map(i64::cast_unsigned),
                seen: Seen::from_stored(
                    row.get::<_, i64>(1)?.cast_unsigned(),
                    row.get::<_, Option<String>>(2)?.as_deref(),
                ),
                claimed: claimed(row, 3)?,
            })
        })
        .optional()?;
    Ok(session.unwrap_or(Session { start_us: Some(start_us), ..Session::default() }))
}

fn save_session(
    transaction: &Transaction<'_>,
    run: i64,
    slot: u32,
    session: &Session,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "insert or replace into node_session
                 (run, slot, start_us, latest_seq, next_seq, gaps, claimed_contacts, claimed_digest)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run,
            slot,
            session.start_us,
            session.latest_seq.map(u64::cast_signed),
            session.seen.next().cast_signed(),
            session.seen.gaps_json(),
            session.claimed.map(|claimed| claimed.contacts.cast_signed()),
            session.claimed.map(|claimed| claimed.digest.cast_signed()),
        ])?;
    Ok(())
}

/// What is stored of a person; `None`: it has never reported.
pub(super) fn read(transaction: &Transaction<'_>, run: i64, slot: u32) -> rusqlite::Result<Option<Person>> {
    match people_log::newest(transaction, run, slot)? {
        Some(person) => Ok(Some(person)),
        None => read_row(transaction, run, slot),
    }
}

/// What its row says of a person; the log may know better.
pub(super) fn read_row(
    transaction: &Transaction<'_>,
    run: i64,
    slot: u32,
) -> rusqlite::Result<Option<Person>> {
    transaction
        .prepare_cached(
            "select x, y, infected, immune, alive, time_us, tick, first_us, contacts, heard_us, start_us,
                    latest_seq, next_seq, gaps, claimed_contacts, claimed_digest, home, open
             from node_latest where run = ? and slot = ?",
        )?
        .query_row(params![run, slot], |row| {
            let latest = Latest {
                x: row.get(0)?,
                y: row.get(1)?,
                health: Health { infected: row.get(2)?, immune: row.get(3)?, alive: row.get(4)? },
                time_us: row.get(5)?,
                tick: row.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
                first_us: row.get(7)?,
            };
            let session = Session {
                start_us: row.get(10)?,
                latest_seq: row.get::<_, Option<i64>>(11)?.map(i64::cast_unsigned),
                seen: Seen::from_stored(
                    row.get::<_, i64>(12)?.cast_unsigned(),
                    row.get::<_, Option<String>>(13)?.as_deref(),
                ),
                claimed: claimed(row, 14)?,
            };
            let contacts = row.get::<_, i64>(8)?.cast_unsigned();
            let open = Meetings::open_of(row.get_ref(17)?.as_str_or_null()?.unwrap_or_default());
            let meetings = Meetings::from_stored(row.get(9)?, open);
            Ok(Person {
                latest: Some(latest),
                session,
                contacts,
                meetings,
                home: row.get(16)?,
                ..Person::default()
            })
        })
        .optional()
}

/// Writes people; its statement is prepared once for a batch.
pub(super) struct Saver<'a> {
    run: i64,
    latest: CachedStatement<'a>,
    /// Open encounters as text.
    open: String,
}

impl<'a> Saver<'a> {
    pub(super) fn new(transaction: &'a Transaction<'_>, run: i64) -> rusqlite::Result<Self> {
        let latest = transaction.prepare_cached(
            "insert or replace into node_latest
                 (run, slot, x, y, infected, immune, alive, time_us, tick, first_us, contacts, heard_us, start_us,
                  latest_seq, next_seq, gaps, claimed_contacts, claimed_digest, home, open)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        Ok(Self { run, latest, open: String::new() })
    }

    /// Writes a person, with its encounters that may go on.
    pub(super) fn save(&mut self, slot: u32, person: &Person) -> rusqlite::Result<()> {
        let Some(latest) = &person.latest else { return Ok(()) };
        let session = &person.session;
        person.meetings.write_open(&mut self.open);
        self.latest.execute(params![
            self.run,
            slot,
            latest.x,
            latest.y,
            latest.health.infected,
            latest.health.immune,
            latest.health.alive,
            latest.time_us,
            latest.tick.map(u64::cast_signed),
            latest.first_us,
            person.contacts.cast_signed(),
            person.meetings.heard_us,
            session.start_us,
            session.latest_seq.map(u64::cast_signed),
            session.seen.next().cast_signed(),
            session.seen.gaps_json(),
            session.claimed.map(|claimed| claimed.contacts.cast_signed()),
            session.claimed.map(|claimed| claimed.digest.cast_signed()),
            person.home,
            (!self.open.is_empty()).then_some(self.open.as_str()),
        ])?;
        Ok(())
    }
}
