//! The codes of health, as the model has them; the dead are told apart by what they died as.

use crate::page_frame;

/// How a person fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Health {
    /// Can be infected: the paper's "safe".
    #[default]
    Susceptible = 0,
    /// Infected, not yet infectious.
    Latent = 1,
    /// Infected and infectious: the paper's "infected".
    Infectious = 2,
    /// Was infected and cannot be again for a while.
    Immune = 3,
    /// Dead.
    Deceased = 4,
    /// Died infectious: the paper's dead zombie.
    DeceasedInfectious = 5,
}

/// How many codes there are.
pub const CODES: u8 = 6;

impl Health {
    /// Every health, at the place of its code.
    pub const ALL: [Health; CODES as usize] = [
        Health::Susceptible,
        Health::Latent,
        Health::Infectious,
        Health::Immune,
        Health::Deceased,
        Health::DeceasedInfectious,
    ];

    /// The health with this code.
    #[must_use]
    pub const fn of_code(code: u8) -> Option<Health> {
        if code < CODES { Some(Self::ALL[code as usize]) } else { None }
    }

    /// Its code.
    #[inline]
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What the `infected` member of a message says.
    #[inline]
    #[must_use]
    pub const fn is_infectious(self) -> bool {
        matches!(self, Health::Infectious | Health::DeceasedInfectious)
    }

    /// Whether the person lives.
    #[inline]
    #[must_use]
    pub const fn is_alive(self) -> bool {
        !matches!(self, Health::Deceased | Health::DeceasedInfectious)
    }

    /// The state byte of the page's frame.
    #[must_use]
    pub fn drawn(self) -> u8 {
        page_frame::state(self.is_infectious(), self == Health::Immune, self.is_alive())
    }
}
