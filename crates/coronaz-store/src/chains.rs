//! Encounters out of all contacts of a run, as they come window by window: for stores that keep no encounters.

use crate::encounter::Chain;
use crate::view::{Contact, Encounter};
use crate::{ENCOUNTER_GAP_US, WINDOW_US};
use std::collections::HashMap;
use std::ops::ControlFlow;
use uuid::Uuid;

type Visit<'a> = &'a mut dyn FnMut(Encounter) -> ControlFlow<()>;

/// The encounters that may still go on, while contacts come by window, person, time. In memory are those of about two
/// windows.
pub(crate) struct Chains {
    chains: HashMap<(Uuid, Uuid), Chain>,
    newest_us: i64,
    swept_us: i64,
    /// The time of the run's newest report: what ended shortly before it may go on.
    last_us: i64,
}

impl Chains {
    pub(crate) fn new(last_us: i64) -> Self {
        Self { chains: HashMap::new(), newest_us: i64::MIN, swept_us: i64::MIN, last_us }
    }

    /// Takes a contact; hands over what is over by it.
    pub(crate) fn take(&mut self, contact: &Contact, visit: Visit<'_>) -> ControlFlow<()> {
        let pair = (contact.person, contact.other);
        let fresh = Chain::at(contact.time_us, contact.distance);
        match self.chains.get_mut(&pair) {
            None => drop(self.chains.insert(pair, fresh)),
            Some(chain) if chain.reaches(contact.time_us) => chain.add(contact.time_us, contact.distance),
            Some(chain) => {
                let over = std::mem::replace(chain, fresh);
                visit(self.encounter(pair, &over))?;
            }
        }
        self.newest_us = self.newest_us.max(contact.time_us);
        if self.newest_us.saturating_sub(self.swept_us) < WINDOW_US {
            return ControlFlow::Continue(());
        }
        self.swept_us = self.newest_us;
        // Whatever comes is of this window or a later one.
        self.sweep(self.newest_us.saturating_sub(WINDOW_US + ENCOUNTER_GAP_US), visit)
    }

    /// No contact comes any more.
    pub(crate) fn finish(mut self, visit: Visit<'_>) -> ControlFlow<()> {
        self.sweep(i64::MAX, visit)
    }

    /// Hands over those that ended before a time, or all, in an order that is always the same.
    fn sweep(&mut self, before_us: i64, visit: Visit<'_>) -> ControlFlow<()> {
        let over = |chain: &Chain| chain.to_us < before_us || before_us == i64::MAX;
        let mut ended: Vec<_> = self.chains.extract_if(|_, chain| over(chain)).collect();
        ended.sort_unstable_by_key(|(pair, chain)| (chain.from_us, *pair));
        ended.iter().try_for_each(|(pair, chain)| visit(self.encounter(*pair, chain)))
    }

    fn encounter(&self, (person, other): (Uuid, Uuid), chain: &Chain) -> Encounter {
        let Chain { from_us, to_us, nearest, contacts } = *chain;
        let open = to_us.saturating_add(ENCOUNTER_GAP_US) >= self.last_us;
        Encounter { person, other, from_us, to_us, nearest, contacts, open }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    #[test]
    fn encounters_across_windows_are_whole_and_those_that_are_over_do_not_stay_in_memory() {
        let contact = |other: u128, second: i64| Contact {
            person: Uuid::nil(),
            time_us: second * S,
            other: Uuid::from_u128(other),
            distance: None,
        };
        let mut chains = Chains::new(5000 * S);
        let mut found = Vec::new();
        let mut visit = |e: Encounter| {
            found.push((e.other.as_u128(), e.from_us / S, e.to_us / S, e.contacts, e.open));
            ControlFlow::Continue(())
        };
        // One is near for an hour and more, the others for a second each.
        for second in (0..5000).step_by(10) {
            assert!(chains.take(&contact(1, second), &mut visit).is_continue());
            let other = u128::from(second.unsigned_abs()) + 100;
            assert!(chains.take(&contact(other, second), &mut visit).is_continue());
            assert!(chains.chains.len() < 70, "{}", chains.chains.len());
        }
        assert!(chains.finish(&mut visit).is_continue());
        assert_eq!(found.len(), 501);
        assert!(found.contains(&(1, 0, 4990, 500, true)));
        assert!(found.contains(&(2100, 2000, 2000, 1, false)));
    }
}
