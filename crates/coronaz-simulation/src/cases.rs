//! Cases: how far each is from the first ones in the transmission tree, and how many it infected.

use coronaz_model::{Identity, Infection, PersonId, identity::person_of};
use serde::Serialize;

/// The generation of who was never infected.
const NEVER: u16 = u16::MAX;
/// Later generations are counted with this one.
const GENERATION_MAX: u16 = NEVER - 1;

/// Counts cases by generation: those infected at the start are generation 0, whom they infect is 1, …
#[derive(Debug, Clone)]
pub(crate) struct Cases {
    pub(crate) base: Identity,
    /// The generation of each person's latest infection.
    pub(crate) generation: Vec<u16>,
    pub(crate) by_generation: Vec<u64>,
    pub(crate) seeds: u64,
    pub(crate) ever_infected: u64,
}

/// What the transmission tree says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseFigures {
    /// Infected at the start.
    pub seed_infections: u64,
    /// Infections since.
    pub infections: u64,
    /// People infected at least once, those at the start included.
    pub ever_infected: u64,
    /// Of those not infected at the start, the share that was infected: the attack rate.
    pub attack_rate: f64,
    /// Mean number of people whom a person infected at the start infected: the tree's reproduction number
    /// while nearly everybody is susceptible; none when nobody was infected at the start.
    pub r_case: Option<f64>,
    /// The same for each generation of the tree, from 0; the last ones may not be over yet.
    pub r_case_by_generation: Vec<f64>,
}

/// Generations whose reproduction number is told: later ones are a mixture anyway.
const GENERATIONS_TOLD: usize = 20;

impl Cases {
    pub(crate) fn new(base: Identity, people: u32) -> Self {
        Cases {
            base,
            generation: vec![NEVER; people as usize],
            by_generation: vec![0],
            seeds: 0,
            ever_infected: 0,
        }
    }

    /// Somebody is infected at the start.
    pub(crate) fn seed(&mut self, person: PersonId) {
        if let Some(generation) = self.generation.get_mut(person.0 as usize) {
            *generation = 0;
            self.seeds += 1;
            self.by_generation[0] += 1;
            self.ever_infected += 1;
        }
    }

    /// Somebody was infected.
    pub(crate) fn add(&mut self, infection: &Infection) {
        let generation_of = |identity| {
            let person = person_of(self.base, identity)?;
            self.generation.get(person.0 as usize).copied()
        };
        let infector = generation_of(infection.infector).filter(|generation| *generation != NEVER);
        let generation = infector.map_or(0, |generation| (generation + 1).min(GENERATION_MAX));
        if self.by_generation.len() <= usize::from(generation) {
            self.by_generation.resize(usize::from(generation) + 1, 0);
        }
        self.by_generation[usize::from(generation)] += 1;
        let infectee = person_of(self.base, infection.infectee);
        if let Some(known) = infectee.and_then(|person| self.generation.get_mut(person.0 as usize)) {
            self.ever_infected += u64::from(*known == NEVER);
            *known = generation;
        }
    }

    pub(crate) fn figures(&self) -> CaseFigures {
        let at_risk = self.generation.len() as u64 - self.seeds;
        let later = self.ever_infected - self.seeds;
        let ratio = |pair: &[u64]| pair[1] as f64 / pair[0] as f64;
        let of_first = self.by_generation.get(1).copied().unwrap_or(0);
        CaseFigures {
            seed_infections: self.seeds,
            infections: self.by_generation.iter().sum::<u64>() - self.seeds,
            ever_infected: self.ever_infected,
            attack_rate: if at_risk > 0 { later as f64 / at_risk as f64 } else { 0.0 },
            r_case: (self.seeds > 0).then(|| of_first as f64 / self.seeds as f64),
            r_case_by_generation: self.by_generation.windows(2).take(GENERATIONS_TOLD).map(ratio).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_model::{Position, identity::identity_of};

    const BASE: Identity = 0xff0a_1bda_34b9_11eb_b339_0242_ac16_0009;

    fn infection(infector: u32, infectee: u32) -> Infection {
        let identity = |number| identity_of(BASE, PersonId(number));
        let (infector, infectee) = (identity(infector), identity(infectee));
        Infection { infector, infectee, tick: 1, place: Position { x: 0, y: 0 } }
    }

    #[test]
    fn a_tree_is_counted_by_generation() {
        let mut cases = Cases::new(BASE, 10);
        cases.seed(PersonId(0));
        for (infector, infectee) in [(0, 1), (0, 2), (1, 3), (3, 0), (0, 4)] {
            cases.add(&infection(infector, infectee));
        }
        // Person 0 caught it again from generation 2: what it spreads now is generation 4.
        assert_eq!(cases.by_generation, [1, 2, 1, 1, 1]);
        let figures = cases.figures();
        assert_eq!((figures.infections, figures.ever_infected), (5, 5));
        assert_eq!((figures.attack_rate, figures.r_case), (4.0 / 9.0, Some(2.0)));
        assert_eq!(figures.r_case_by_generation, [2.0, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn without_seeds_there_is_no_reproduction_number() {
        let figures = Cases::new(BASE, 3).figures();
        assert_eq!((figures.r_case, figures.attack_rate, figures.ever_infected), (None, 0.0, 0));
    }
}
