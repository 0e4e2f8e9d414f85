//! Who is told what happens in a step.

use crate::{Identity, Infection, PersonId};

/// Is told the contacts and infections of one shard of the fleet, as they are found.
///
/// Within a tick they come in no particular order; all shards together tell each exactly once.
pub trait Witness: Send {
    /// `hearer` heard `heard` in this tick. Where both live, the other direction is told too.
    fn contact(&mut self, hearer: PersonId, heard: PersonId, distance_squared: u64);

    /// `hearer` heard a guest in this tick. Whether the guest heard `hearer` is known elsewhere.
    fn guest_contact(&mut self, hearer: PersonId, guest: Identity, distance_squared: u64) {
        let _ = (hearer, guest, distance_squared);
    }

    /// Somebody was infected in this tick.
    fn infection(&mut self, infection: &Infection) {
        let _ = infection;
    }
}

/// Looks away.
impl Witness for () {
    #[inline]
    fn contact(&mut self, _: PersonId, _: PersonId, _: u64) {}
}

/// Remembers everything.
#[derive(Debug, Clone, Default)]
pub struct Diary {
    /// Hearer, heard, square of their distance.
    pub contacts: Vec<(PersonId, PersonId, u64)>,
    /// Hearer, guest heard, square of their distance.
    pub guest_contacts: Vec<(PersonId, Identity, u64)>,
    /// Who was infected by whom.
    pub infections: Vec<Infection>,
}

impl Diary {
    /// Forgets everything, keeps the memory for the next tick.
    pub fn clear(&mut self) {
        self.contacts.clear();
        self.guest_contacts.clear();
        self.infections.clear();
    }
}

impl Witness for Diary {
    #[inline]
    fn contact(&mut self, hearer: PersonId, heard: PersonId, distance_squared: u64) {
        self.contacts.push((hearer, heard, distance_squared));
    }

    fn guest_contact(&mut self, hearer: PersonId, guest: Identity, distance_squared: u64) {
        self.guest_contacts.push((hearer, guest, distance_squared));
    }

    fn infection(&mut self, infection: &Infection) {
        self.infections.push(*infection);
    }
}
