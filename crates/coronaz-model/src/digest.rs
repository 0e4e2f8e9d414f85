//! A number that says whether two runs had the same history.
//!
//! What happened in a tick are *facts*: who heard whom at which distance, who infected whom where,
//! and, every [`PEOPLE_EVERY_TICKS`], where everybody stands and how they fare. Each fact is hashed to 64 bits and the hashes are
//! added up, so the order in which facts are found, or on which thread, does not matter; the sums
//! of the ticks are chained, so the order of ticks does. It guards against mistakes, not against forgery.

use std::collections::BTreeMap;

use crate::{Illness, PersonId, Position, Tick, World, draw::mix, world::Happenings};

/// How often the people themselves are facts. Contacts and infections are in every tick.
pub const PEOPLE_EVERY_TICKS: Tick = 10;

/// The facts of one tick, or of a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts(u64);

impl Facts {
    /// `hearer` heard `heard`.
    #[inline]
    pub fn contact(&mut self, hearer: PersonId, heard: PersonId, distance_squared: u64) {
        let pair = u64::from(hearer.0) << 32 | u64::from(heard.0);
        self.add(mix(pair ^ CONTACT) ^ distance_squared.wrapping_mul(CONTACT));
    }

    /// `infector` infected `infectee` at `place`.
    #[inline]
    pub fn infection(&mut self, infector: PersonId, infectee: PersonId, place: Position) {
        let pair = u64::from(infector.0) << 32 | u64::from(infectee.0);
        self.add(mix(pair ^ INFECTION) ^ packed(place));
    }

    /// A person stands here and fares so.
    #[inline]
    pub fn person(&mut self, person: PersonId, position: Position, illness: Illness, died_infectious: bool) {
        let fares =
            u64::from(illness.left_s) << 8 | (illness.health as u64) << 1 | u64::from(died_infectious);
        self.add(mix(u64::from(person.0) << 32 ^ fares ^ PERSON) ^ packed(position));
    }

    /// Adds the facts of another part of the same tick.
    #[inline]
    pub fn merge(&mut self, other: Facts) {
        self.0 = self.0.wrapping_add(other.0);
    }

    #[inline]
    fn add(&mut self, hash: u64) {
        self.0 = self.0.wrapping_add(mix(hash));
    }
}

const CONTACT: u64 = 0x2545_f491_4f6c_dd1d;
const INFECTION: u64 = 0x6a09_e667_f3bc_c909;
const PERSON: u64 = 0xbb67_ae85_84ca_a73b;

#[inline]
fn packed(place: Position) -> u64 {
    u64::from(place.x as u32) << 32 | u64::from(place.y as u32)
}

/// The digest of a run up to some tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunDigest(u64);

impl RunDigest {
    /// Ends a tick whose facts are these.
    pub fn end_tick(&mut self, tick: Tick, facts: Facts) {
        self.0 = mix(self.0 ^ mix(facts.0 ^ mix(tick)));
    }

    /// Whether the people themselves are facts of this tick.
    #[must_use]
    pub const fn counts_people(tick: Tick) -> bool {
        tick.is_multiple_of(PEOPLE_EVERY_TICKS)
    }

    /// Ends the tick that `world` has just computed.
    pub fn end_tick_of(&mut self, world: &World, happenings: &Happenings) {
        let ids: BTreeMap<_, _> = world.people.iter().map(|person| (person.identity, person.id)).collect();
        let mut facts = Facts::default();
        for contact in &happenings.contacts {
            facts.contact(ids[&contact.hearer], ids[&contact.heard], contact.distance_squared);
        }
        for infection in &happenings.infections {
            facts.infection(ids[&infection.infector], ids[&infection.infectee], infection.place);
        }
        if Self::counts_people(world.tick) {
            for person in &world.people {
                facts.person(person.id, person.position, person.illness, person.died_infectious);
            }
        }
        self.end_tick(world.tick, facts);
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The digest that had this number: to go on from a checkpoint.
    #[must_use]
    pub const fn of_value(value: u64) -> Self {
        RunDigest(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_facts_does_not_show_and_their_content_does() {
        let (a, b, c) = (PersonId(1), PersonId(2), PersonId(3));
        let of = |contacts: &[(PersonId, PersonId, u64)]| {
            let mut facts = Facts::default();
            contacts.iter().for_each(|&(hearer, heard, d2)| facts.contact(hearer, heard, d2));
            facts
        };
        assert_eq!(of(&[(a, b, 1), (b, a, 1), (a, c, 4)]), of(&[(a, c, 4), (a, b, 1), (b, a, 1)]));
        assert_ne!(of(&[(a, b, 1)]), of(&[(b, a, 1)]));
        assert_ne!(of(&[(a, b, 1)]), of(&[(a, b, 2)]));
        assert_ne!(of(&[(a, b, 1)]), of(&[(a, b, 1), (a, b, 1)]), "twice is not once");
    }

    #[test]
    fn the_order_of_ticks_shows() {
        let mut facts = Facts::default();
        facts.contact(PersonId(1), PersonId(2), 0);
        let (mut early, mut late) = (RunDigest::default(), RunDigest::default());
        early.end_tick(1, facts);
        early.end_tick(2, Facts::default());
        late.end_tick(1, Facts::default());
        late.end_tick(2, facts);
        assert_ne!(early, late);
    }
}
