//! Writes down contacts and infections for the shards of frames.

use coronaz_model::{Identity, Infection, PersonId, fleet::Witness, identity::person_of};
use coronaz_wire::frame::{Pair, Population, recorder::Events};

/// The witness of one of the engine's shards.
#[derive(Debug, Clone)]
pub(super) struct Scribe {
    population: Population,
    base: u128,
    /// For each shard of frames.
    shards: Vec<Events>,
    /// Who heard which guest, and the square of their distance.
    guest_contacts: Vec<(PersonId, Identity, u64)>,
    /// Who was infected by whom, by UUIDs: an infector may be a guest.
    infections: Vec<Infection>,
    /// The last contact, whose other direction may come next.
    last: Option<(u32, u32, u64)>,
}

impl Scribe {
    pub(super) fn new(population: Population) -> Self {
        let shards = vec![Events::default(); population.shards() as usize];
        Scribe {
            population,
            base: population.base.as_u128(),
            shards,
            guest_contacts: Vec::new(),
            infections: Vec::new(),
            last: None,
        }
    }

    /// The tick is over: nothing waits for its other direction any more.
    pub(super) fn finish_tick(&mut self) {
        if let Some((hearer, heard, distance_squared)) = self.last.take() {
            let (events, pair) = self.pair(hearer, heard, distance_squared);
            events.one_way.push(pair);
        }
    }

    /// What happened to a shard's people.
    pub(super) fn events(&self, shard: usize) -> &Events {
        &self.shards[shard]
    }

    /// Who heard guests.
    pub(super) fn guest_contacts(&self) -> &[(PersonId, Identity, u64)] {
        &self.guest_contacts
    }

    /// Who was infected.
    pub(super) fn infections(&self) -> &[Infection] {
        &self.infections
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.guest_contacts.clear();
        self.infections.clear();
        self.shards.iter_mut().for_each(Events::clear);
    }

    #[inline]
    fn pair(&mut self, person: u32, other: u32, distance_squared: u64) -> (&mut Events, Pair) {
        let shard = person / self.population.shard_people;
        let place = person - self.population.first_of(shard);
        (&mut self.shards[shard as usize], Pair::new(place, other, distance_squared))
    }
}

impl Witness for Scribe {
    /// The engine tells both directions of a pair one after the other. Where it does not, both are written, each
    /// as one: longer, not wrong.
    #[inline]
    fn contact(&mut self, hearer: PersonId, heard: PersonId, distance_squared: u64) {
        match self.last.take() {
            Some((other_hearer, other_heard, _)) if (other_hearer, other_heard) == (heard.0, hearer.0) => {
                let (low, high) = (hearer.0.min(heard.0), hearer.0.max(heard.0));
                let (events, pair) = self.pair(low, high, distance_squared);
                events.contacts.push(pair);
                return;
            }
            Some((hearer, heard, distance_squared)) => {
                let (events, pair) = self.pair(hearer, heard, distance_squared);
                events.one_way.push(pair);
            }
            None => {}
        }
        self.last = Some((hearer.0, heard.0, distance_squared));
    }

    fn guest_contact(&mut self, hearer: PersonId, guest: Identity, distance_squared: u64) {
        self.guest_contacts.push((hearer, guest, distance_squared));
    }

    fn infection(&mut self, infection: &Infection) {
        self.infections.push(*infection);
        let person =
            |identity| person_of(self.base, identity).filter(|person| person.0 < self.population.people);
        let (infectee, infector) = (person(infection.infectee), person(infection.infector));
        let Some(infectee) = infectee else { return };
        let infector = infector.map_or(Pair::STRANGER, |infector| infector.0);
        let (events, pair) = self.pair(infectee.0, infector, 0);
        events.infections.push(pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_pair_is_written_once_and_a_last_message_for_its_hearer_alone() {
        let population =
            Population { run: Uuid::nil(), base: Uuid::nil(), people: 10_000, shard_people: 5_000 };
        let mut scribe = Scribe::new(population);
        for (hearer, heard) in [(7, 5_003), (5_003, 7), (6_000, 2), (1, 2), (2, 1), (9_999, 9_998)] {
            scribe.contact(PersonId(hearer), PersonId(heard), 4);
        }
        scribe.finish_tick();
        let [low, high] = [scribe.events(0), scribe.events(1)];
        assert_eq!(low.contacts, [Pair::new(7, 5_003, 4), Pair::new(1, 2, 4)]);
        assert!(low.one_way.is_empty() && high.contacts.is_empty());
        assert_eq!(high.one_way, [Pair::new(1_000, 2, 4), Pair::new(4_999, 9_998, 4)]);
    }
}
