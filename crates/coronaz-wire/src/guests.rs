//! Guests of a fleet: devices with a real radio in the world of computed ones.
//!
//! A fleet's run holds what the fleet computes, as frames. Its guests, and what the fleet's people tell of
//! them in reports, are a run of their own beside it, so that each stays one kind of record. Both sides know its
//! UUID without asking.

use uuid::Uuid;

/// What tells a run of guests from its fleet's: `guests` in ASCII, over the last six bytes.
const MARK: u128 = 0x6775_6573_7473;

/// The run of a fleet's guests.
#[must_use]
pub const fn run_of(fleet: Uuid) -> Uuid {
    Uuid::from_u128(fleet.as_u128() ^ MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleets_guests_have_a_run_of_their_own_that_is_a_uuid_of_the_same_kind() {
        let fleet = Uuid::from_u128(0x7c9f_3f9e_0d3b_4f7e_9a55_0f4b_8f6f_2a10);
        let guests = run_of(fleet);
        assert_eq!(guests.to_string(), "7c9f3f9e-0d3b-4f7e-9a55-683eea1c5e63");
        assert_eq!((guests.get_version(), guests.get_variant()), (fleet.get_version(), fleet.get_variant()));
    }
}
