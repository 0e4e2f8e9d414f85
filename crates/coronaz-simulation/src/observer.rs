//! What is noted of a tick, by each shard of the fleet on its own.

use coronaz_model::{Infection, PersonId, Tick, fleet::Witness};

/// A contact of one tick: hearer, heard, square of their distance. Sorts by hearer, then heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sighting {
    pair: u64,
    pub(crate) distance_squared: u32,
}

impl Sighting {
    #[inline]
    pub(crate) fn new(hearer: PersonId, heard: PersonId, distance_squared: u64) -> Self {
        // The reach is at most 1,000 units, so its square fits.
        Sighting {
            pair: (u64::from(hearer.0) << 32) | u64::from(heard.0),
            distance_squared: distance_squared as u32,
        }
    }

    pub(crate) fn hearer(self) -> PersonId {
        PersonId((self.pair >> 32) as u32)
    }

    pub(crate) fn heard(self) -> PersonId {
        PersonId(self.pair as u32)
    }

    /// The same for both directions: the lower number first.
    pub(crate) fn unordered(self) -> Self {
        let swapped = self.pair.rotate_left(32);
        Sighting { pair: self.pair.min(swapped), ..self }
    }

    pub(crate) fn pair(self) -> u64 {
        self.pair
    }
}

/// Counts contacts, and with `KEEP` notes each; notes infections.
#[derive(Debug, Default)]
pub(crate) struct Observer<const KEEP: bool> {
    contacts: u64,
    sightings: Vec<Sighting>,
    infections: Vec<Infection>,
}

impl<const KEEP: bool> Witness for Observer<KEEP> {
    #[inline]
    fn contact(&mut self, hearer: PersonId, heard: PersonId, distance_squared: u64) {
        self.contacts += 1;
        if KEEP {
            self.sightings.push(Sighting::new(hearer, heard, distance_squared));
        }
    }

    fn infection(&mut self, infection: &Infection) {
        self.infections.push(*infection);
    }
}

/// What happened in a tick, in an order that does not depend on shards and threads.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) tick: Tick,
    pub(crate) contacts: u64,
    /// Sorted; empty unless sightings are kept.
    pub(crate) sightings: Vec<Sighting>,
    /// Sorted by infectee.
    pub(crate) infections: Vec<Infection>,
}

impl Notes {
    /// Takes the notes of all shards of `tick`, in place of those taken before.
    pub(crate) fn take<const KEEP: bool>(&mut self, tick: Tick, observers: &mut [Observer<KEEP>]) {
        self.tick = tick;
        self.contacts = 0;
        self.sightings.clear();
        self.infections.clear();
        for observer in observers {
            self.contacts += std::mem::take(&mut observer.contacts);
            self.sightings.append(&mut observer.sightings);
            self.infections.append(&mut observer.infections);
        }
        self.sightings.sort_unstable();
        self.infections.sort_unstable_by_key(|infection| infection.infectee);
    }
}
