//! What the store knows of a person who reports: a document each, and in memory while batches are written.

use super::codec::{Fields, count, date, finite, uuid};
use super::trouble::Trouble;
use crate::Health;
use crate::encounter::{Chain, Meetings};
use crate::seen::Seen;
use crate::view::{Claimed, NodeState, Session};
use coronaz_wire::report::Report;
use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

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
pub(super) struct Start {
    /// `None`: no report has said so yet.
    pub(super) start_us: Option<i64>,
    latest_seq: Option<u64>,
    seen: Seen,
    claimed: Option<Claimed>,
}

/// A person who reports.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Person {
    /// `None` before the first report is taken.
    pub(super) latest: Option<Latest>,
    pub(super) start: Start,
    pub(super) contacts: u64,
    /// The newest contact that is in: a newer one is new, without a look.
    pub(super) newest_us: i64,
    pub(super) meetings: Meetings,
    /// In this batch: something of it is to be written.
    pub(super) touched: bool,
    /// In this batch: the newest time that its device has been heard of.
    pub(super) passed_us: i64,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            latest: None,
            start: Start::default(),
            contacts: 0,
            newest_us: i64::MIN,
            meetings: Meetings::default(),
            touched: false,
            passed_us: i64::MIN,
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

impl Start {
    /// One that begins.
    pub(super) fn at(start_us: i64) -> Self {
        Self { start_us: Some(start_us), ..Self::default() }
    }

    /// Takes note of a report of this start.
    pub(super) fn arrive(&mut self, seq: u64, report: &Report) -> Arrival {
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

    pub(super) fn put(&self, document: &mut Document) {
        document.insert("next_seq", count(self.seen.next()));
        if let Some(start_us) = self.start_us {
            document.insert("start_us", start_us);
        }
        if let Some(latest_seq) = self.latest_seq {
            document.insert("latest_seq", count(latest_seq));
        }
        if let Some(gaps) = self.seen.gaps_json() {
            document.insert("gaps", gaps);
        }
        if let Some(Claimed { contacts, digest }) = self.claimed {
            document.insert("claimed", doc! {"contacts": count(contacts), "digest": count(digest)});
        }
    }

    pub(super) fn read(document: &Document) -> Result<Self, Trouble> {
        Ok(Self {
            start_us: document.optional_int("start_us"),
            latest_seq: document.optional_int("latest_seq").map(i64::cast_unsigned),
            seen: Seen::from_stored(document.count("next_seq")?, document.optional_text("gaps")),
            claimed: match document.get("claimed").and_then(Bson::as_document) {
                Some(claimed) => {
                    Some(Claimed { contacts: claimed.count("contacts")?, digest: claimed.count("digest")? })
                }
                None => None,
            },
        })
    }

    /// As readers see it.
    pub(super) fn view(&self) -> Session {
        let (start_us, next_seq, gaps) = (self.start_us, self.seen.next(), self.seen.gaps_json());
        Session { start_us, next_seq, gaps, claimed: self.claimed }
    }
}

impl Person {
    /// The field `state` of the person's document, as commit `n` leaves it; `ids` are the devices by slot.
    pub(super) fn document(&self, n: i64, ids: &[Uuid]) -> Option<Document> {
        let latest = self.latest?;
        let with = |(slot, chain): &(u32, Chain)| {
            let mut open = chain_document(*slot, chain);
            open.insert("other", uuid(ids.get(*slot as usize).copied().unwrap_or_default()));
            Bson::Document(open)
        };
        let open: Vec<Bson> = self.meetings.open().iter().map(with).collect();
        // `n` is first: a state gives way to one of a later commit.
        let mut state = doc! {
            "n": n,
            "position": [latest.x, latest.y],
            "infected": latest.health.infected,
            "immune": latest.health.immune,
            "alive": latest.health.alive,
            "at": date(latest.time_us),
            "time_us": latest.time_us,
            "first_us": latest.first_us,
            "contacts": count(self.contacts),
            "newest_us": self.newest_us,
            "heard_us": self.meetings.heard_us,
            "open": open,
        };
        if let Some(tick) = latest.tick {
            state.insert("tick", count(tick));
        }
        self.start.put(&mut state);
        Some(state)
    }

    pub(super) fn read(state: &Document) -> Result<Self, Trouble> {
        let (node, first_us) = (read_state(state)?, state.int("first_us")?);
        let open: Vec<_> = read_open(state)?.into_iter().map(|(slot, _, chain)| (slot, chain)).collect();
        Ok(Self {
            latest: Some(Latest {
                x: node.x,
                y: node.y,
                health: node.health,
                time_us: node.time_us,
                tick: state.optional_int("tick").map(i64::cast_unsigned),
                first_us,
            }),
            start: Start::read(state)?,
            contacts: state.count("contacts")?,
            newest_us: state.int("newest_us")?,
            meetings: Meetings::from_stored(state.int("heard_us")?, open),
            ..Self::default()
        })
    }
}

/// The newest state of a node; who it is, the caller knows.
pub(super) fn read_state(state: &Document) -> Result<NodeState, Trouble> {
    let position = state.get("position").and_then(Bson::as_array).map(Vec::as_slice);
    let Some([Bson::Int32(x), Bson::Int32(y)]) = position else { return Err(Trouble::Damaged("position")) };
    Ok(NodeState {
        slot: 0,
        id: Uuid::nil(),
        x: *x,
        y: *y,
        time_us: state.int("time_us")?,
        health: Health {
            infected: state.flag("infected"),
            immune: state.flag("immune"),
            alive: state.flag("alive"),
        },
    })
}

/// The encounters that may go on, ascending by the slot of whom.
pub(super) fn read_open(state: &Document) -> Result<Vec<(u32, Uuid, Chain)>, Trouble> {
    let all = state.get("open").and_then(Bson::as_array).ok_or(Trouble::Damaged("open"))?;
    let read = |open: &Bson| {
        let open = open.as_document().ok_or(Trouble::Damaged("open"))?;
        Ok((open.small("slot")?, open.uuid("other")?, read_chain(open)?))
    };
    let mut open = all.iter().map(read).collect::<Result<Vec<_>, Trouble>>()?;
    open.sort_unstable_by_key(|&(slot, ..)| slot);
    Ok(open)
}

/// An encounter with the node of a slot.
pub(super) fn chain_document(other: u32, chain: &Chain) -> Document {
    let mut document = doc! {
        "slot": i64::from(other),
        "from_us": chain.from_us,
        "to_us": chain.to_us,
        "contacts": count(chain.contacts),
    };
    if let Some(nearest) = finite(chain.nearest) {
        document.insert("nearest", nearest);
    }
    document
}

pub(super) fn read_chain(document: &Document) -> Result<Chain, Trouble> {
    Ok(Chain {
        from_us: document.int("from_us")?,
        to_us: document.int("to_us")?,
        nearest: document.optional_float("nearest"),
        contacts: document.count("contacts")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_comes_back_from_its_document() {
        let health = Health { infected: true, immune: false, alive: true };
        let mut person = Person {
            latest: Some(Latest {
                x: -3,
                y: i32::MAX,
                health,
                time_us: -7,
                tick: Some(u64::MAX),
                first_us: -9,
            }),
            contacts: 3,
            newest_us: 5,
            ..Person::default()
        };
        person.start.start_us = Some(4);
        person.start.seen.insert(2);
        person.meetings.hear(9, 1, Some(2.5));
        person.meetings.hear(4, 2, None);
        let stored = person.document(12, &[]).expect("it has reported");
        let back = Person::read(&stored).expect("a person");
        assert_eq!(back, person);
        assert_eq!(back.document(12, &[]), Some(stored));
    }
}
