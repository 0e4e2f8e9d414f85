//! Contacts of a batch that are new, and the encounters they make.

use super::cache::CachedRun;
use super::codec::{Fields, Key, date, uuid};
use super::late;
use super::redo::Redo;
use super::server::{Store, names};
use super::trouble::Trouble;
use crate::WINDOW_US;
use crate::encounter::{Chain, Placed};
use mongodb::bson::{Bson, doc};
use std::collections::HashSet;
use uuid::Uuid;

/// Contacts asked for in one question.
const ASKED_AT_ONCE: usize = 5000;

/// A contact to be stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewContact {
    pub(super) person: u32,
    pub(super) time_us: i64,
    pub(super) other: u32,
    /// Which report of the batch says so: of two that say the same, the first is counted.
    pub(super) report: u32,
    pub(super) distance: Option<f64>,
}

impl NewContact {
    /// Window of time, person, time, whom: what is being written is the end of the index.
    fn key(&self, run: Uuid) -> Bson {
        let window = self.time_us.div_euclid(WINDOW_US);
        Key::of(run).time(window).slot(self.person).time(self.time_us).slot(self.other).bson()
    }
}

/// Leaves those that are not in yet, by person and time. All persons are in memory.
pub(super) fn keep_new(
    store: &Store,
    (id, run): (Uuid, &CachedRun),
    contacts: &mut Vec<NewContact>,
) -> Result<(), Trouble> {
    contacts.sort_unstable_by_key(|c| (c.person, c.time_us, c.other, c.report));
    contacts.dedup_by_key(|c| (c.person, c.time_us, c.other));
    let newest_us = |slot| run.people.get(&slot).map_or(i64::MIN, |person| person.newest_us);
    let asked: Vec<Bson> = contacts
        .iter()
        .filter(|contact| contact.time_us <= newest_us(contact.person))
        .map(|contact| contact.key(id))
        .collect();
    let mut known: HashSet<(u32, i64, u32)> = HashSet::new();
    for some in asked.chunks(ASKED_AT_ONCE) {
        let collection = store.collection(names::CONTACTS);
        let found = collection.find(doc! {"_id": {"$in": some}});
        for contact in found.projection(doc! {"of": 1, "time_us": 1, "slot": 1}).run()? {
            let contact = contact?;
            known.insert((contact.small("of")?, contact.int("time_us")?, contact.small("slot")?));
        }
    }
    if !known.is_empty() {
        contacts.retain(|c| !known.contains(&(c.person, c.time_us, c.other)));
    }
    Ok(())
}

/// Puts the contacts' documents into the redo.
pub(super) fn insert((id, n): (Uuid, i64), run: &CachedRun, new: &[NewContact], redo: &mut Redo) {
    for contact in new {
        let (person, other) = (run.ids[contact.person as usize], run.ids[contact.other as usize]);
        let mut document = doc! {
            "_id": contact.key(id), "run": uuid(id), "person": uuid(person), "other": uuid(other),
            "at": date(contact.time_us), "time_us": contact.time_us, "of": i64::from(contact.person),
            "slot": i64::from(contact.other), "n": n,
        };
        if let Some(distance) = contact.distance {
            document.insert("distance", distance);
        }
        redo.insert(names::CONTACTS, document);
    }
}

/// Joins new contacts to the encounters of their persons, who are all in memory.
pub(super) fn join(
    store: &Store,
    (id, n): (Uuid, i64),
    run: &mut CachedRun,
    new: &[NewContact],
    redo: &mut Redo,
) -> Result<(), Trouble> {
    let mut late = Vec::new();
    let mut written = Vec::new();
    for contact in new {
        let Some(person) = run.people.get_mut(&contact.person) else { continue };
        match person.meetings.hear(contact.other, contact.time_us, contact.distance) {
            Placed::Open => {}
            Placed::Closed(chain) => written.push(((contact.person, contact.other), chain)),
            Placed::Late => late.push(*contact),
        }
    }
    // After the others: the chain of a late one is looked up and has them in it.
    let chains = late::chains(store, (id, &run.ids), late, new)?;
    late::remove_parts(store, (id, n), &run.ids, &chains, redo)?;
    for (pair, chain) in chains {
        written.retain(|(of, part): &((u32, u32), Chain)| {
            *of != pair || part.from_us < chain.from_us || part.from_us > chain.to_us
        });
        let Some(person) = run.people.get_mut(&pair.0) else { continue };
        if let Some(over) = person.meetings.put(pair.1, chain) {
            written.push((pair, over));
        }
    }
    for (pair, chain) in written {
        insert_encounter((id, n), &run.ids, pair, &chain, redo)?;
    }
    Ok(())
}

/// Puts an encounter that is over into the redo.
pub(super) fn insert_encounter(
    (id, n): (Uuid, i64),
    ids: &[Uuid],
    (person, other): (u32, u32),
    chain: &Chain,
    redo: &mut Redo,
) -> Result<(), Trouble> {
    let number = n.cast_unsigned();
    let key = Key::of(id).time(chain.from_us).slot(person).slot(other).number(number).bson();
    let mut document = super::person::chain_document(other, chain);
    let head = doc! {
        "_id": key, "run": uuid(id), "person": uuid(ids[person as usize]), "other": uuid(ids[other as usize]),
        "from": date(chain.from_us), "to": date(chain.to_us), "of": i64::from(person), "n": n,
    };
    document.extend(head);
    redo.insert(names::ENCOUNTERS, document);
    Ok(())
}
