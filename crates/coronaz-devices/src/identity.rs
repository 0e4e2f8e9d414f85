//! UUIDs of devices: RFC 4122 version 1, with a random node id.
//!
//! A version-1 UUID usually holds the machine's network address, which would tell everybody in radio
//! range whose device it is. RFC 4122 4.5 allows a random number instead, with the multicast bit set
//! so that it can never be a real address. Each device draws its own.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::{Builder, Uuid};

/// 100-nanosecond intervals from 1582-10-15, where the Gregorian calendar and these UUIDs begin, to 1970-01-01.
const GREGORIAN_TO_UNIX: u64 = 0x01b2_1dd2_1381_4000;

/// Why no identity could be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

/// Draws a device's UUID.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_identity() -> Result<Uuid, NoRandomness> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let ticks = u64::try_from(since_1970.as_nanos() / 100).unwrap_or_default() + GREGORIAN_TO_UNIX;
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    let [a, b, node @ ..] = random;
    Ok(identity_of(ticks, u16::from_be_bytes([a, b]), node))
}

/// A seed for a run that was given none.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_seed() -> Result<u64, NoRandomness> {
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    // 53 bits: a page or a spreadsheet can show it without rounding.
    Ok(u64::from_le_bytes(random) >> 11)
}

fn identity_of(ticks: u64, clock_sequence: u16, mut node: [u8; 6]) -> Uuid {
    node[0] |= 1; // The multicast bit.
    Builder::from_gregorian_timestamp(ticks, clock_sequence, &node).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use uuid::{Variant, Version};

    #[test]
    fn an_identity_is_a_version_1_uuid_without_a_network_address() {
        let uuid = new_identity().expect("random numbers");
        assert_eq!((uuid.get_version(), uuid.get_variant()), (Some(Version::Mac), Variant::RFC4122));
        assert_eq!(uuid.as_bytes()[10] & 1, 1, "the multicast bit: no real address has it");
        let (seconds, _) = uuid.get_timestamp().expect("version 1 holds a time").to_unix();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        assert!(now - seconds < 5);
    }

    #[test]
    fn many_identities_drawn_at_once_differ_and_share_no_node_id() {
        let drawn: Vec<Uuid> = (0..5_000).map(|_| new_identity().expect("random numbers")).collect();
        let nodes: HashSet<[u8; 6]> = drawn.iter().filter_map(Uuid::get_node_id).collect();
        assert_eq!(nodes.len(), drawn.len());
    }

    #[test]
    fn the_fields_are_where_rfc_4122_puts_them() {
        let uuid = identity_of(0x01eb_34b9_ff0a_1bda, 0x3339, [0x02, 0x42, 0xac, 0x16, 0x00, 0x09]);
        assert_eq!(uuid.to_string(), "ff0a1bda-34b9-11eb-b339-0342ac160009");
    }
}
