//! Encounters out of contacts, tick by tick.

use coronaz_model::{ENCOUNTER_GAP_TICKS, Tick};

use crate::observer::Sighting;

/// An encounter that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encounter {
    /// The two, the lower number first; squared distance where they were nearest.
    pub(crate) nearest: Sighting,
    pub(crate) from: Tick,
    pub(crate) to: Tick,
    /// In how many ticks they were in range.
    pub(crate) ticks: u32,
}

impl Encounter {
    fn begin(sighting: Sighting, tick: Tick) -> Self {
        Encounter { nearest: sighting, from: tick, to: tick, ticks: 1 }
    }

    fn go_on(&mut self, sighting: Sighting, tick: Tick) {
        self.nearest = self.nearest.min(sighting);
        self.to = tick;
        self.ticks += 1;
    }
}

/// The encounters that may go on, sorted by pair.
#[derive(Debug, Default)]
pub(crate) struct Encounters {
    open: Vec<Encounter>,
    next: Vec<Encounter>,
    sightings: Vec<Sighting>,
}

impl Encounters {
    /// Takes the contacts of a tick and hands over the encounters that are over, sorted by pair.
    pub(crate) fn tick<E>(
        &mut self,
        tick: Tick,
        contacts: &[Sighting],
        mut over: impl FnMut(&Encounter) -> Result<(), E>,
    ) -> Result<(), E> {
        self.sightings.clear();
        self.sightings.extend(contacts.iter().map(|sighting| sighting.unordered()));
        self.sightings.sort_unstable();
        // While both live, each heard the other.
        self.sightings.dedup_by_key(|sighting| sighting.pair());
        let mut open = self.open.drain(..).peekable();
        for &sighting in &self.sightings {
            while let Some(mut known) = open.next_if(|known| known.nearest.pair() <= sighting.pair()) {
                if known.nearest.pair() == sighting.pair() && tick - known.to <= ENCOUNTER_GAP_TICKS {
                    known.go_on(sighting, tick);
                    self.next.push(known);
                } else {
                    keep_or_end(known, tick, &mut self.next, &mut over)?;
                }
            }
            if self.next.last().is_none_or(|last| last.nearest.pair() != sighting.pair()) {
                self.next.push(Encounter::begin(sighting, tick));
            }
        }
        for known in open {
            keep_or_end(known, tick, &mut self.next, &mut over)?;
        }
        std::mem::swap(&mut self.open, &mut self.next);
        Ok(())
    }

    /// Hands over those that are open when the run ends.
    pub(crate) fn finish<E>(self, over: impl FnMut(&Encounter) -> Result<(), E>) -> Result<(), E> {
        self.open.iter().try_for_each(over)
    }
}

fn keep_or_end<E>(
    known: Encounter,
    tick: Tick,
    next: &mut Vec<Encounter>,
    over: &mut impl FnMut(&Encounter) -> Result<(), E>,
) -> Result<(), E> {
    if tick - known.to < ENCOUNTER_GAP_TICKS {
        next.push(known);
        return Ok(());
    }
    over(&known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_model::PersonId;
    use std::convert::Infallible;

    fn both_ways(a: u32, b: u32, distance_squared: u64) -> [Sighting; 2] {
        let (a, b) = (PersonId(a), PersonId(b));
        [Sighting::new(a, b, distance_squared), Sighting::new(b, a, distance_squared)]
    }

    fn encounters(contacts: &[(Tick, u32, u32, u64)], last: Tick) -> Vec<(u64, u32, Tick, Tick, u32)> {
        let mut encounters = Encounters::default();
        let mut found = Vec::new();
        let mut over = |e: &Encounter| {
            found.push((e.nearest.pair(), e.nearest.distance_squared, e.from, e.to, e.ticks));
            Ok::<(), Infallible>(())
        };
        for tick in 1..=last {
            let mut now: Vec<_> = (contacts.iter().filter(|contact| contact.0 == tick))
                .flat_map(|&(_, a, b, distance_squared)| both_ways(a, b, distance_squared))
                .collect();
            now.sort_unstable();
            let Ok(()) = encounters.tick(tick, &now, &mut over);
        }
        let Ok(()) = encounters.finish(&mut over);
        found
    }

    const PAIR: u64 = 1 << 32 | 2;

    #[test]
    fn a_chain_of_contacts_is_one_encounter_with_its_smallest_distance() {
        let found = encounters(&[(3, 2, 1, 4), (4, 1, 2, 1), (5, 1, 2, 4)], 40);
        assert_eq!(found, [(PAIR, 1, 3, 5, 3)]);
    }

    #[test]
    fn a_gap_of_ten_ticks_is_bridged_and_one_of_eleven_is_not() {
        assert_eq!(encounters(&[(1, 1, 2, 0), (11, 1, 2, 0)], 30), [(PAIR, 0, 1, 11, 2)]);
        assert_eq!(
            encounters(&[(1, 1, 2, 0), (12, 1, 2, 0)], 30),
            [(PAIR, 0, 1, 1, 1), (PAIR, 0, 12, 12, 1)]
        );
    }

    #[test]
    fn what_is_open_at_the_end_is_told_too_and_pairs_do_not_mix() {
        let found = encounters(&[(9, 1, 2, 0), (9, 1, 3, 2), (10, 1, 3, 1), (10, 5, 0, 0)], 10);
        assert_eq!(found, [(5, 0, 10, 10, 1), (PAIR, 0, 9, 9, 1), (PAIR + 1, 1, 9, 10, 2)]);
    }

    #[test]
    fn the_dead_are_heard_one_way_and_met_all_the_same() {
        let mut encounters = Encounters::default();
        let mut found = Vec::new();
        let heard = [Sighting::new(PersonId(7), PersonId(2), 1)];
        let Ok(()) = encounters.tick(1, &heard, |_| Ok::<(), Infallible>(()));
        let Ok(()) = encounters.finish(|encounter| {
            found.push(encounter.nearest.pair());
            Ok::<(), Infallible>(())
        });
        assert_eq!(found, [2 << 32 | 7]);
    }
}
