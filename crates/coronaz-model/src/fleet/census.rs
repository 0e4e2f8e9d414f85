//! How many people are in each state of health.

use super::state::State;
use crate::Health;

/// How many people are in each state of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Indexed by [`Health`]; in the changes of a tick also negative.
    by_health: [i64; 5],
    died_infectious: i64,
}

impl Census {
    /// How many have this health.
    #[must_use]
    pub const fn of(&self, health: Health) -> u64 {
        self.by_health[health as usize].unsigned_abs()
    }

    /// How many of the dead were infectious when they died: the paper's dead zombies.
    #[must_use]
    pub const fn died_infectious(&self) -> u64 {
        self.died_infectious.unsigned_abs()
    }

    pub(super) fn count(&mut self, state: State) {
        self.by_health[state.health() as usize] += 1;
        self.died_infectious += i64::from(state.died_infectious());
    }

    pub(super) fn count_change(&mut self, before: State, after: State) {
        self.by_health[before.health() as usize] -= 1;
        self.by_health[after.health() as usize] += 1;
        self.died_infectious += i64::from(after.died_infectious()) - i64::from(before.died_infectious());
    }

    pub(super) fn add(&mut self, changes: &Census) {
        for (count, change) in self.by_health.iter_mut().zip(changes.by_health) {
            *count += change;
        }
        self.died_infectious += changes.died_infectious;
    }
}
