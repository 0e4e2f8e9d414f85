//! Contacts that come late: the chains in which they are, found among those that are stored.
//!
//! After a device's clock went back, all that it hears is late for as long as the clock was ahead. So what is stored near
//! the late contacts of a batch is asked for at once, for all persons, and not contact by contact.

use super::codec::{Fields, uuid};
use super::contacts::NewContact;
use super::redo::Redo;
use super::server::{Store, names};
use super::trouble::Trouble;
use crate::ENCOUNTER_GAP_US;
use crate::encounter::Chain;
use mongodb::bson::{Bson, Document, doc};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Stored contacts are read from so long before the first late one to so long after the last. A chain that goes on beyond
/// is followed by questions of its own.
const REACH_US: i64 = 6 * ENCOUNTER_GAP_US;
/// Persons asked for in one question.
const ASKED_AT_ONCE: usize = 1000;

/// Who heard, and whom: their slots.
pub(super) type Pair = (u32, u32);

/// The times at which a pair met, with the distances.
type Meetings = BTreeMap<i64, Option<f64>>;

/// Late contacts that are near each other in time, whoever's they are.
struct Cluster {
    /// What of these persons was read, both included.
    read_us: (i64, i64),
    contacts: Vec<NewContact>,
}

/// Contacts in the order of time, cut where nothing comes for long.
fn clusters(mut late: Vec<NewContact>) -> Vec<Cluster> {
    late.sort_unstable_by_key(|contact| contact.time_us);
    let near = |a: &NewContact, b: &NewContact| b.time_us.saturating_sub(a.time_us) <= REACH_US * 2;
    let cluster = |some: &[NewContact]| {
        let (first_us, last_us) = (some.first()?.time_us, some.last()?.time_us);
        let read_us = (first_us.saturating_sub(REACH_US), last_us.saturating_add(REACH_US));
        Some(Cluster { read_us, contacts: some.to_vec() })
    };
    late.chunk_by(near).filter_map(cluster).collect()
}

/// The chains in which late contacts are, of what is stored and of what is new; of each pair by time.
pub(super) fn chains(
    store: &Store,
    (run, ids): (Uuid, &[Uuid]),
    late: Vec<NewContact>,
    new: &[NewContact],
) -> Result<Vec<(Pair, Chain)>, Trouble> {
    let mut met: HashMap<Pair, Meetings> = HashMap::new();
    for contact in &late {
        met.entry((contact.person, contact.other)).or_default();
    }
    for contact in new {
        if let Some(meetings) = met.get_mut(&(contact.person, contact.other)) {
            meetings.insert(contact.time_us, contact.distance);
        }
    }
    let mut all: Vec<(Pair, Chain)> = Vec::new();
    for Cluster { read_us, mut contacts } in clusters(late) {
        for some in persons(contacts.iter().map(|contact| contact.person), ids).chunks(ASKED_AT_ONCE) {
            read(store, doc! {"run": uuid(run), "person": {"$in": some}}, read_us, &mut met)?;
        }
        contacts.sort_unstable_by_key(|contact| (contact.person, contact.other, contact.time_us));
        let mut done: Option<(Pair, Chain)> = None;
        for contact in contacts {
            let pair = (contact.person, contact.other);
            if done.is_some_and(|(of, chain)| of == pair && contact.time_us <= chain.to_us) {
                continue;
            }
            let whose = doc! {
                "run": uuid(run), "person": uuid(ids[pair.0 as usize]), "other": uuid(ids[pair.1 as usize]),
            };
            let chain = follow(store, &whose, read_us, &contact, &mut met)?;
            all.push((pair, chain));
            done = Some((pair, chain));
        }
    }
    all.sort_unstable_by_key(|&(pair, chain)| (pair, chain.from_us));
    // A chain that is longer than what lies between two clusters was found from both.
    all.dedup_by_key(|&mut (pair, chain)| (pair, chain.from_us));
    Ok(all)
}

/// Everybody once.
fn persons(slots: impl Iterator<Item = u32>, ids: &[Uuid]) -> Vec<Bson> {
    let mut slots: Vec<u32> = slots.collect();
    slots.sort_unstable();
    slots.dedup();
    slots.into_iter().filter_map(|slot| ids.get(slot as usize)).map(|&id| uuid(id)).collect()
}

/// Reads stored contacts of the pairs that are asked for.
fn read(
    store: &Store,
    mut filter: Document,
    (from_us, to_us): (i64, i64),
    met: &mut HashMap<Pair, Meetings>,
) -> Result<(), Trouble> {
    filter.insert("time_us", doc! {"$gte": from_us, "$lte": to_us});
    let collection = store.collection(names::CONTACTS);
    let found = collection.find(filter);
    let fields = doc! {"of": 1, "slot": 1, "time_us": 1, "distance": 1};
    for contact in found.projection(fields).run()? {
        let contact = contact?;
        if let Some(meetings) = met.get_mut(&(contact.small("of")?, contact.small("slot")?)) {
            meetings.entry(contact.int("time_us")?).or_insert_with(|| contact.optional_float("distance"));
        }
    }
    Ok(())
}

/// The chain of one contact: outwards from it, for as long as none is more than a gap from the one before.
fn follow(
    store: &Store,
    whose: &Document,
    (mut from_us, mut to_us): (i64, i64),
    contact: &NewContact,
    met: &mut HashMap<Pair, Meetings>,
) -> Result<Chain, Trouble> {
    let pair = (contact.person, contact.other);
    let mut chain = Chain::at(contact.time_us, contact.distance);
    let mut reach_us = REACH_US;
    loop {
        let meetings = met.entry(pair).or_default();
        while let Some((&time_us, &distance)) = meetings.range(..chain.from_us).next_back()
            && chain.reaches(time_us)
        {
            chain.add(time_us, distance);
        }
        while let Some((&time_us, &distance)) = meetings.range(chain.to_us.saturating_add(1)..).next()
            && time_us > chain.to_us
            && chain.reaches(time_us)
        {
            chain.add(time_us, distance);
        }
        // It may only go on where a gap from its end leads out of what was read.
        let earlier = chain.from_us.saturating_sub(ENCOUNTER_GAP_US) < from_us;
        let later = chain.to_us.saturating_add(ENCOUNTER_GAP_US) > to_us;
        if !earlier && !later {
            return Ok(chain);
        }
        reach_us = reach_us.saturating_mul(2);
        if earlier {
            let before = from_us.saturating_sub(reach_us);
            read(store, whose.clone(), (before, from_us), met)?;
            from_us = before;
        }
        if later {
            let after = to_us.saturating_add(reach_us);
            read(store, whose.clone(), (to_us, after), met)?;
            to_us = after;
        }
    }
}

/// Marks closed encounters that are parts of these chains as gone. They stay: a process that comes late must not write
/// them again.
pub(super) fn remove_parts(
    store: &Store,
    (run, n): (Uuid, i64),
    ids: &[Uuid],
    chains: &[(Pair, Chain)],
    redo: &mut Redo,
) -> Result<(), Trouble> {
    let mut by_time: Vec<&(Pair, Chain)> = chains.iter().collect();
    by_time.sort_unstable_by_key(|(_, chain)| chain.from_us);
    let near = |a: &&(Pair, Chain), b: &&(Pair, Chain)| b.1.from_us.saturating_sub(a.1.to_us) <= REACH_US * 2;
    for some in by_time.chunk_by(near) {
        let Some(from_us) = some.iter().map(|(_, chain)| chain.from_us).min() else { continue };
        let Some(to_us) = some.iter().map(|(_, chain)| chain.to_us).max() else { continue };
        let mut whole: HashMap<Pair, Vec<(i64, i64)>> = HashMap::new();
        for (pair, chain) in some {
            whole.entry(*pair).or_default().push((chain.from_us, chain.to_us));
        }
        for persons in persons(some.iter().map(|(pair, _)| pair.0), ids).chunks(ASKED_AT_ONCE) {
            let filter = doc! {
                "run": uuid(run), "person": {"$in": persons}, "from_us": {"$gte": from_us, "$lte": to_us},
            };
            let collection = store.collection(names::ENCOUNTERS);
            let found = collection.find(filter);
            let fields = doc! {"of": 1, "slot": 1, "from_us": 1, "gone": 1};
            for part in found.projection(fields).run()? {
                let part = part?;
                let (pair, begun_us) = ((part.small("of")?, part.small("slot")?), part.int("from_us")?);
                let mut chains = whole.get(&pair).into_iter().flatten();
                if let (None, Some(key), true) = (
                    part.get("gone"),
                    part.get("_id"),
                    chains.any(|&(from_us, to_us)| (from_us..=to_us).contains(&begun_us)),
                ) {
                    redo.raise(names::ENCOUNTERS, key.clone(), "gone", n);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> NewContact {
        NewContact { person: 1, time_us: seconds * 1_000_000, other: 2, report: 0, distance: None }
    }

    #[test]
    fn late_contacts_that_are_far_apart_are_asked_for_apart() {
        let times = |cluster: &Cluster| {
            cluster.contacts.iter().map(|one| one.time_us / 1_000_000).collect::<Vec<_>>()
        };
        let found = clusters(vec![at(500), at(0), at(120), at(621)]);
        assert_eq!(found.iter().map(times).collect::<Vec<_>>(), [vec![0, 120], vec![500], vec![621]]);
        assert_eq!(found[0].read_us, (-60_000_000, 180_000_000));
        let edge = NewContact { time_us: i64::MIN, ..at(0) };
        assert_eq!(clusters(vec![edge])[0].read_us.0, i64::MIN);
        assert!(clusters(Vec::new()).is_empty());
    }
}
