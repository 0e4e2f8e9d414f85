//! Infected for a while, then immune for as long again, then safe.

use crate::Parameters;

/// How a person fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Health {
    /// Can be infected: the paper's "safe".
    Susceptible = 0,
    /// Infected, not yet infectious (only in scenarios with a latent period).
    Latent = 1,
    /// Infected and infectious: the paper's "infected", a zombie.
    Infectious = 2,
    /// Was infected and cannot be again for a while.
    Immune = 3,
    /// Dead; the last message is out.
    Deceased = 4,
}

impl Health {
    /// What the `infected` member of a message says.
    #[inline]
    #[must_use]
    pub const fn is_infectious(self) -> bool {
        matches!(self, Health::Infectious)
    }

    /// Whether it changes by itself when its seconds are over.
    #[inline]
    #[must_use]
    pub const fn is_timed(self) -> bool {
        matches!(self, Health::Latent | Health::Infectious | Health::Immune)
    }
}

/// Health and how many seconds of it are left (0 where it has no end).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Illness {
    /// The present state.
    pub health: Health,
    /// Seconds until it changes by itself.
    pub left_s: u32,
}

impl Illness {
    /// Never infected, or safe again.
    pub const SUSCEPTIBLE: Illness = Illness { health: Health::Susceptible, left_s: 0 };

    /// Infected just now.
    #[inline]
    #[must_use]
    pub const fn infected(parameters: &Parameters) -> Self {
        Illness { health: Health::Infectious, left_s: parameters.infection_cooldown }
    }

    /// One second later: infected, then immune for as long again, then safe.
    #[inline]
    #[must_use]
    pub const fn count_down(self, parameters: &Parameters) -> Self {
        match self.health {
            Health::Infectious if self.left_s <= 1 => {
                Illness { health: Health::Immune, left_s: parameters.infection_cooldown }
            }
            Health::Immune if self.left_s <= 1 => Illness::SUSCEPTIBLE,
            Health::Infectious | Health::Immune => Illness { health: self.health, left_s: self.left_s - 1 },
            Health::Susceptible | Health::Latent | Health::Deceased => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_infection_lasts_its_cooldown_immunity_as_long_again_and_then_it_is_over() {
        let parameters = Parameters::default();
        let mut illness = Illness::infected(&parameters);
        let mut seconds = std::collections::BTreeMap::new();
        while illness != Illness::SUSCEPTIBLE {
            *seconds.entry(illness.health).or_insert(0) += 1;
            illness = illness.count_down(&parameters);
        }
        assert_eq!(seconds.into_iter().collect::<Vec<_>>(), [(Health::Infectious, 15), (Health::Immune, 15)]);
    }
}
