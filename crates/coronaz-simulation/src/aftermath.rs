//! How everybody fares after the last infection is over: without chance, so the picture can show it
//! beside replicates that went on for longer.

use std::collections::BTreeMap;

use coronaz_model::{Fleet, Health, Tick};

use crate::Statistics;

/// What is still to come when nobody is infected any more: immunity ends, and devices reach the end of their lifetime.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aftermath {
    /// At these ticks so many people are susceptible again.
    susceptible_again: BTreeMap<Tick, u32>,
    /// At these ticks so many people's devices reach the end of their lifetime.
    deaths: BTreeMap<Tick, u32>,
}

impl Aftermath {
    /// That of a population in which nobody is infected.
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let mut aftermath = Aftermath::default();
        let lifetime = u64::from(fleet.parameters().zombie_lifetime);
        for person in fleet.people().iter().filter(|person| person.illness.health != Health::Deceased) {
            let dies = if lifetime > 0 { person.born + lifetime } else { Tick::MAX };
            if lifetime > 0 {
                *aftermath.deaths.entry(dies).or_default() += 1;
            }
            let over = fleet.tick() + Tick::from(person.illness.left_s);
            if person.illness.health == Health::Immune && over < dies {
                *aftermath.susceptible_again.entry(over).or_default() += 1;
            }
        }
        aftermath
    }

    /// The rows of the ticks after `last` up to `until`; contacts are not known.
    pub(crate) fn rows(&self, last: Statistics, until: Tick) -> impl Iterator<Item = Statistics> + '_ {
        let mut row = Statistics { infections: 0, contacts: 0, ..last };
        (last.tick + 1..=until).map(move |tick| {
            row.tick = tick;
            let again = self.susceptible_again.get(&tick).copied().unwrap_or_default();
            row.immune = row.immune.saturating_sub(again);
            row.susceptible += again;
            let dead = self.deaths.get(&tick).copied().unwrap_or_default();
            // Who dies while immune was not counted among those who become susceptible.
            let susceptible = dead.min(row.susceptible);
            row.susceptible -= susceptible;
            row.immune = row.immune.saturating_sub(dead - susceptible);
            row.deceased += dead;
            row
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_model::{Draws, Parameters, Spawn, fleet::Serial, identity::base_of};

    fn row_of(fleet: &Fleet) -> Statistics {
        let of = |health| fleet.census().of(health) as u32;
        Statistics {
            tick: fleet.tick(),
            total: fleet.count(),
            susceptible: of(Health::Susceptible),
            immune: of(Health::Immune),
            deceased: of(Health::Deceased),
            ..Statistics::default()
        }
    }

    #[test]
    fn the_aftermath_is_what_the_engine_would_have_computed() {
        for zombie_lifetime in [0, 45, 70] {
            let parameters = Parameters { zombie_lifetime, immunity_period: 30, ..Parameters::default() };
            let spawns = (0..200).map(|person| Spawn { infected: person < 20, ..Spawn::default() });
            let mut fleet = Fleet::new(&parameters, Draws::new(2), base_of(2), spawns);
            let mut witnesses = vec![(); fleet.shards()];
            while fleet.census().of(Health::Infectious) > 0 {
                fleet.step(&Serial, &mut witnesses);
            }
            let last = row_of(&fleet);
            assert!(last.immune > 0 || zombie_lifetime == 45, "{last:?}");
            let foreseen: Vec<_> = Aftermath::of(&fleet).rows(last, last.tick + 60).collect();
            for row in foreseen {
                fleet.step(&Serial, &mut witnesses);
                assert_eq!(row, row_of(&fleet), "lifetime {zombie_lifetime}");
            }
        }
    }
}
