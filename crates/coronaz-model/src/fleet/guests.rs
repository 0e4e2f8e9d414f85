//! Guests: people of the same world whose steps are taken elsewhere, such as devices on a real radio.
//!
//! They are heard by the same rules as the fleet's own people, and infect them by the same draws. What they
//! hear themselves, they know themselves.

use super::{Fleet, near::Found, witness::Witness};
use crate::{Emission, identity::person_of};

impl Fleet {
    /// Everybody near hears the guests; true when somebody may have been infected or will flee.
    pub(super) fn meet_guests<W: Witness>(&mut self, guests: &[Emission], witnesses: &mut [W]) -> bool {
        let mut meetings = std::mem::take(&mut self.meetings);
        let (per, rules) = (self.strips_a_shard(), self.rules());
        let mut matter = false;
        let strangers = guests.iter().filter(|guest| !self.has(guest));
        for guest in strangers {
            for Found { strip, at, distance_squared } in self.around(guest.position, self.range) {
                let (hearer, witness) = ((&self.strips[strip], at), &mut witnesses[strip / per]);
                meetings[strip].hear_guest(hearer, guest, distance_squared, &rules, witness);
                matter |= meetings[strip].matter();
            }
        }
        self.meetings = meetings;
        matter
    }

    /// Whether this is, or says to be, somebody of the fleet.
    fn has(&self, guest: &Emission) -> bool {
        person_of(self.base, guest.identity).is_some_and(|person| person.0 < self.count)
    }
}
