//! A fleet's UUIDs: an arithmetic sequence of version-1 UUIDs, so a person's number and its
//! device's UUID convert both ways without a table.
//!
//! A version-1 UUID (RFC 9562, section 5.1) holds a 60-bit timestamp in three fields, the lowest
//! bits first: `time_low` (32 bits), `time_mid` (16), version (4) and `time_high` (12). Person n
//! has the fleet's first timestamp plus n; clock sequence and node stay the same.

use crate::{Identity, PersonId, draw::mix};

const TIMESTAMP_BITS: u32 = 60;
const TIMESTAMP_MASK: u64 = (1 << TIMESTAMP_BITS) - 1;
/// Everything but the timestamp: version, variant, clock sequence and node.
const REST_MASK: Identity = !((0xffff_ffff << 96) | (0xffff << 80) | (0x0fff << 64));

/// The UUID of person `person` in a fleet whose person 0 has the UUID `base`.
#[inline]
#[must_use]
pub const fn identity_of(base: Identity, person: PersonId) -> Identity {
    with_timestamp(base, timestamp_of(base) + person.0 as u64)
}

/// The number of the person with this UUID in the fleet that begins at `base`, or `None` when it
/// is none of the fleet's first 2^32.
#[inline]
#[must_use]
pub const fn person_of(base: Identity, identity: Identity) -> Option<PersonId> {
    if base & REST_MASK != identity & REST_MASK {
        return None;
    }
    let number = timestamp_of(identity).wrapping_sub(timestamp_of(base)) & TIMESTAMP_MASK;
    if number <= u32::MAX as u64 { Some(PersonId(number as u32)) } else { None }
}

/// The UUID of person 0 in a fleet of this seed, so that the same seed gives the same devices: a fixed
/// timestamp; clock sequence and node are drawn, with the multicast bit, which no network card has.
#[must_use]
pub const fn base_of(seed: u64) -> Identity {
    /// The day of the paper's example: 2 December 2020.
    const FIRST_TIMESTAMP: u64 = 0x01eb_34b9_0000_0000;
    const VERSION_1: Identity = 1 << 76;
    const VARIANT: Identity = 0b10 << 62;
    const MULTICAST: Identity = 1 << 40;
    const DRAWN_BITS: Identity = (1 << 62) - 1;
    let drawn = mix(seed ^ 0x666c_6565_7400_0000) as Identity & DRAWN_BITS;
    with_timestamp(VERSION_1 | VARIANT | MULTICAST | drawn, FIRST_TIMESTAMP)
}

/// The 60-bit timestamp of a version-1 UUID: 100-nanosecond intervals since 15 October 1582.
#[inline]
#[must_use]
pub const fn timestamp_of(identity: Identity) -> u64 {
    let low = (identity >> 96) as u64;
    let mid = (identity >> 80) as u64 & 0xffff;
    let high = (identity >> 64) as u64 & 0x0fff;
    (high << 48) | (mid << 32) | low
}

/// The same UUID with another timestamp (its lowest 60 bits).
#[inline]
#[must_use]
pub const fn with_timestamp(identity: Identity, timestamp: u64) -> Identity {
    let low = (timestamp & 0xffff_ffff) as Identity;
    let mid = (timestamp >> 32 & 0xffff) as Identity;
    let high = (timestamp >> 48 & 0x0fff) as Identity;
    (identity & REST_MASK) | (low << 96) | (mid << 80) | (high << 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The UUID of the paper's example message.
    const PAPER: Identity = 0xff0a_1bda_34b9_11eb_b339_0242_ac16_0009;

    #[test]
    fn the_timestamp_of_the_papers_example_is_read_field_by_field() {
        assert_eq!(timestamp_of(PAPER), 0x1eb_34b9_ff0a_1bda);
        assert_eq!(with_timestamp(PAPER, timestamp_of(PAPER)), PAPER);
    }

    #[test]
    fn the_sequence_carries_from_the_low_field_into_the_middle_one() {
        assert_eq!(identity_of(PAPER, PersonId(0)), PAPER);
        assert_eq!(identity_of(PAPER, PersonId(1)), 0xff0a_1bdb_34b9_11eb_b339_0242_ac16_0009);
        assert_eq!(
            identity_of(PAPER, PersonId(0x00f5_e426)),
            0x0000_0000_34ba_11eb_b339_0242_ac16_0009,
            "the version nibble is not touched"
        );
    }

    #[test]
    fn number_and_uuid_convert_both_ways_even_over_the_end_of_time() {
        for base in [PAPER, with_timestamp(PAPER, TIMESTAMP_MASK - 3), 0x0000_0000_0000_1000_8000_u128 << 48]
        {
            for number in [0, 1, 2, 3, 4, 5, 65_535, 9_999_999, u32::MAX] {
                let identity = identity_of(base, PersonId(number));
                assert_eq!(person_of(base, identity), Some(PersonId(number)));
                assert_eq!(identity >> 76 & 0xf, 1, "still version 1");
            }
        }
    }

    #[test]
    fn the_base_of_a_seed_is_a_version_1_uuid_of_no_network_card() {
        for seed in [0, 1, 2, u64::MAX] {
            let base = base_of(seed);
            assert_eq!((base >> 76 & 0xf, base >> 62 & 0b11, base >> 40 & 1), (1, 0b10, 1), "{base:x}");
            assert_eq!(person_of(base, identity_of(base, PersonId(9_999_999))), Some(PersonId(9_999_999)));
        }
        assert_ne!(base_of(1), base_of(2));
        assert_eq!(base_of(1), BASE_OF_1, "who counts as the infector depends on it");
    }

    const BASE_OF_1: Identity = 16316956415105935720162027668;

    #[test]
    fn a_uuid_of_another_host_or_before_the_first_is_nobody_of_the_fleet() {
        assert_eq!(person_of(PAPER, PAPER ^ 1), None);
        assert_eq!(person_of(PAPER, with_timestamp(PAPER, timestamp_of(PAPER) - 1)), None);
        assert_eq!(person_of(PAPER, PAPER ^ (1 << 78)), None, "another version");
    }
}
