//! A person's state in 32 bits, so that a vector of them is read at once.

use crate::{Health, Illness, movement::avoid::Direction};

/// Health in bits 0 to 2, flags from bit 3, seconds left of the illness in bits 16 to 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State(pub(super) u32);

const HEALTH_BITS: u32 = 0b111;
/// Set in a dead person who was infectious.
pub(super) const DIED_INFECTIOUS: u32 = 1 << 3;
/// Set while a person stands still: because of its illness, or dead.
pub(super) const STANDS: u32 = 1 << 4;
/// Where the [`Direction`] begins in which a person flees; 0: it does not.
const FLEES_SHIFT: u32 = 5;
/// Set while a person flees.
pub(super) const FLEES: u32 = 0b111 << FLEES_SHIFT;
/// Where the seconds left begin.
pub(super) const LEFT_SHIFT: u32 = 16;
/// One second left.
pub(super) const LEFT_ONE: u32 = 1 << LEFT_SHIFT;
/// Bits without a meaning.
const UNUSED: u32 = 0xff00;
/// Everything but health, seconds left and whether the person stands.
const KEPT: u32 = !(HEALTH_BITS | STANDS | (0xffff << LEFT_SHIFT));

impl State {
    /// `ill_stand`: whether this person stands still while infectious.
    pub(super) fn new(illness: Illness, died_infectious: bool, ill_stand: bool) -> Self {
        let flag = if died_infectious { DIED_INFECTIOUS } else { 0 };
        State(flag).with_illness(illness, ill_stand)
    }

    #[inline]
    pub(super) fn with_illness(self, illness: Illness, ill_stand: bool) -> Self {
        // A timed state that ends at the next count down has 1 left, also when the caller wrote 0.
        let left = match illness.health {
            health if health.is_timed() => illness.left_s.clamp(1, 0xffff),
            _ => 0,
        };
        let stands = match illness.health {
            Health::Infectious if ill_stand => STANDS,
            Health::Deceased => STANDS,
            _ => 0,
        };
        State((self.0 & KEPT) | illness.health as u32 | stands | (left << LEFT_SHIFT))
    }

    #[inline]
    pub(super) const fn health(self) -> Health {
        match self.0 & HEALTH_BITS {
            0 => Health::Susceptible,
            1 => Health::Latent,
            2 => Health::Infectious,
            3 => Health::Immune,
            _ => Health::Deceased,
        }
    }

    /// Whether a state from outside is one that can be.
    pub(super) fn is_sound(self) -> bool {
        let health = self.0 & HEALTH_BITS;
        let flees = (self.0 & FLEES) >> FLEES_SHIFT;
        let known = health <= Health::Deceased as u32 && flees <= Direction::West as u32;
        let timed = self.0 >> LEFT_SHIFT > 0;
        known
            && timed == self.health().is_timed()
            && self.0 & UNUSED == 0
            && (self.is_dead() || !self.died_infectious())
    }

    #[inline]
    pub(super) const fn illness(self) -> Illness {
        Illness { health: self.health(), left_s: self.0 >> LEFT_SHIFT }
    }

    #[inline]
    pub(super) const fn died_infectious(self) -> bool {
        self.0 & DIED_INFECTIOUS != 0
    }

    /// Whether its beacon says infected.
    #[inline]
    pub(super) const fn is_infectious(self) -> bool {
        self.health().is_infectious() || self.died_infectious()
    }

    #[inline]
    pub(super) const fn is_dead(self) -> bool {
        self.0 & HEALTH_BITS == Health::Deceased as u32
    }

    #[inline]
    pub(super) const fn is_susceptible(self) -> bool {
        self.0 & HEALTH_BITS == Health::Susceptible as u32
    }

    /// Dies where it stands.
    pub(super) const fn dead(self) -> Self {
        let infectious = if self.health().is_infectious() { DIED_INFECTIOUS } else { 0 };
        State((self.0 & KEPT & !FLEES) | Health::Deceased as u32 | STANDS | infectious)
    }

    #[inline]
    pub(super) const fn flees(self) -> Option<Direction> {
        match (self.0 & FLEES) >> FLEES_SHIFT {
            0 => None,
            number => Some(Direction::ALL[(number as usize - 1) % Direction::ALL.len()]),
        }
    }

    pub(super) const fn fleeing(self, way: Option<Direction>) -> Self {
        let number = match way {
            Some(way) => way as u32,
            None => 0,
        };
        State((self.0 & !FLEES) | (number << FLEES_SHIFT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_illness_packs_and_unpacks() {
        for health in [Health::Latent, Health::Infectious, Health::Immune] {
            for left_s in [1, 15, 60_000] {
                let illness = Illness { health, left_s };
                let state = State::new(illness, false, true);
                assert_eq!(state.illness(), illness);
                assert_eq!(state.0 & STANDS != 0, health == Health::Infectious);
                assert!(!state.is_dead() && !state.is_susceptible());
            }
        }
        assert_eq!(State::new(Illness::SUSCEPTIBLE, false, true).0, 0);
    }

    #[test]
    fn who_dies_infectious_stays_known_as_such() {
        let zombie = State::new(Illness { health: Health::Infectious, left_s: 3 }, false, true).dead();
        assert!(zombie.is_dead() && zombie.died_infectious() && zombie.is_infectious());
        assert_eq!(zombie.illness(), Illness { health: Health::Deceased, left_s: 0 });
        assert!(!State(0).dead().is_infectious());
    }
}
