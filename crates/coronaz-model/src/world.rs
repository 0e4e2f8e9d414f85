//! Everybody at once, the plain way: every pair is looked at in every tick.
//!
//! Slow and easy to read. It is the reference that faster engines and real nodes are compared with.

use crate::{Draws, Identity, Infection, Parameters, Person, Phase, Tick};

/// One person heard another in one tick (one direction).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// When.
    pub tick: Tick,
    /// Who heard.
    pub hearer: Identity,
    /// Who was heard.
    pub heard: Identity,
    /// Square of their distance, in square units.
    pub distance_squared: u64,
}

/// A population and its rules.
#[derive(Debug, Clone)]
pub struct World {
    /// The rules' numbers.
    pub parameters: Parameters,
    /// Its chance.
    pub draws: Draws,
    /// The tick that was computed last.
    pub tick: Tick,
    /// Everybody, in any order: the history does not depend on it.
    pub people: Vec<Person>,
}

/// What happened in one tick.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Happenings {
    /// Every ordered pair in range, sorted.
    pub contacts: Vec<Contact>,
    /// Who was infected by whom, sorted by infectee.
    pub infections: Vec<Infection>,
}

impl World {
    /// A world at tick 0.
    #[must_use]
    pub fn new(parameters: Parameters, draws: Draws, people: Vec<Person>) -> Self {
        World { parameters, draws, tick: 0, people }
    }

    /// Computes one tick: all move, then all broadcast, then all hear.
    pub fn step(&mut self) -> Happenings {
        self.tick += 1;
        let (parameters, draws, tick) = (&self.parameters, self.draws, self.tick);
        let phases: Vec<Phase> =
            self.people.iter_mut().map(|person| person.begin_tick(parameters, draws, tick)).collect();
        let beacons: Vec<_> = (self.people.iter().zip(&phases))
            .filter(|(_, phase)| **phase != Phase::Gone)
            .map(|(person, _)| person.emission())
            .collect();
        let mut happenings = Happenings::default();
        for person in &mut self.people {
            let mut infectious_heard = Vec::new();
            for beacon in &beacons {
                person.notice(parameters, beacon);
                let Some(distance_squared) = person.hears(parameters, beacon) else { continue };
                let (hearer, heard) = (person.identity, beacon.identity);
                happenings.contacts.push(Contact { tick, hearer, heard, distance_squared });
                if beacon.infectious {
                    infectious_heard.push(heard);
                }
            }
            happenings.infections.extend(person.end_tick(parameters, draws, tick, infectious_heard));
        }
        happenings.contacts.sort_unstable();
        happenings.infections.sort_unstable_by_key(|infection| infection.infectee);
        happenings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PersonId, Spawn};

    fn world(count: u32, infected: u32) -> World {
        let parameters = Parameters { field_width: 30, field_height: 20, ..Parameters::default() };
        let draws = Draws::new(11);
        let people = (0..count)
            .map(|i| {
                let spawn = Spawn { infected: i < infected, ..Spawn::default() };
                Person::spawn(&parameters, draws, PersonId(i), u128::from(i) + 1, spawn, 0)
            })
            .collect();
        World::new(parameters, draws, people)
    }

    #[test]
    fn the_history_does_not_depend_on_the_order_of_people() {
        let mut forward = world(60, 3);
        let mut backward = forward.clone();
        backward.people.reverse();
        for _ in 0..200 {
            assert_eq!(forward.step(), backward.step());
        }
        backward.people.reverse();
        assert_eq!(forward.people, backward.people);
    }

    #[test]
    fn hearing_is_mutual_while_both_live() {
        let mut world = world(60, 3);
        for _ in 0..100 {
            let contacts = world.step().contacts;
            for c in &contacts {
                let back = Contact { hearer: c.heard, heard: c.hearer, ..*c };
                assert!(contacts.contains(&back));
            }
        }
    }

    #[test]
    fn an_epidemic_in_a_crowd_spreads_and_everybody_dies_in_the_end() {
        let mut world = world(60, 3);
        let infections: usize = (0..121).map(|_| world.step().infections.len()).sum();
        assert!(infections > 20, "{infections} infections");
        assert!(world.people.iter().all(|p| p.illness.health == crate::Health::Deceased));
        assert_eq!(world.step(), Happenings::default());
    }
}
