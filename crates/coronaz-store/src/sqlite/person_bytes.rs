//! A person packed, for `node_log`. Numbers are LEB128, those that may be negative folded (zigzag); what may be missing has a
//! bit in the first byte.

use super::person_rows::{Latest, Person, Session};
use crate::Health;
use crate::encounter::{Chain, Meetings};
use crate::seen::Seen;
use crate::view::Claimed;

const HAS_TICK: u64 = 1 << 3;
const HAS_START: u64 = 1 << 4;
const HAS_SEQ: u64 = 1 << 5;
const HAS_CLAIMED: u64 = 1 << 6;
const HAS_HOME: u64 = 1 << 7;
const HAS_GAPS: u64 = 1 << 8;

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    put(bytes, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a person that has reported; of another there is nothing to say, and nothing is appended.
pub(super) fn pack(slot: u32, person: &Person, bytes: &mut Vec<u8>) {
    let Some(latest) = &person.latest else { return };
    let Session { start_us, latest_seq, seen, claimed } = &person.session;
    let gaps = seen.gaps_json();
    put(bytes, slot.into());
    let bit = |has: bool, bit: u64| if has { bit } else { 0 };
    put(
        bytes,
        u64::from(latest.health.bits())
            | bit(latest.tick.is_some(), HAS_TICK)
            | bit(start_us.is_some(), HAS_START)
            | bit(latest_seq.is_some(), HAS_SEQ)
            | bit(claimed.is_some(), HAS_CLAIMED)
            | bit(person.home.is_some(), HAS_HOME)
            | bit(gaps.is_some(), HAS_GAPS),
    );
    put_signed(bytes, latest.x.into());
    put_signed(bytes, latest.y.into());
    put_signed(bytes, latest.time_us);
    put_signed(bytes, latest.first_us);
    put(bytes, person.contacts);
    put_signed(bytes, person.meetings.heard_us);
    put(bytes, seen.next());
    for number in [latest.tick, start_us.map(i64::cast_unsigned), *latest_seq].into_iter().flatten() {
        put(bytes, number);
    }
    if let Some(Claimed { contacts, digest }) = claimed {
        put(bytes, *contacts);
        bytes.extend_from_slice(&digest.to_le_bytes());
    }
    if let Some(home) = person.home {
        put_signed(bytes, home.into());
    }
    if let Some(gaps) = gaps {
        put(bytes, gaps.len() as u64);
        bytes.extend_from_slice(gaps.as_bytes());
    }
    put(bytes, person.meetings.open().len() as u64);
    for (other, Chain { from_us, to_us, nearest, contacts }) in person.meetings.open() {
        put(bytes, u64::from(*other) << 1 | u64::from(nearest.is_some()));
        put_signed(bytes, *from_us);
        put_signed(bytes, to_us.wrapping_sub(*from_us));
        put(bytes, *contacts);
        if let Some(nearest) = nearest {
            bytes.extend_from_slice(&nearest.to_le_bytes());
        }
    }
}

/// Takes the first person off `bytes`; `None` at the end, or when they are damaged.
pub(super) fn unpack(bytes: &mut &[u8]) -> Option<(u32, Person)> {
    let slot = u32::try_from(take(bytes)?).ok()?;
    let flags = take(bytes)?;
    let has = |bit: u64| flags & bit != 0;
    let (x, y) = (i32::try_from(take_signed(bytes)?).ok()?, i32::try_from(take_signed(bytes)?).ok()?);
    let (time_us, first_us) = (take_signed(bytes)?, take_signed(bytes)?);
    let contacts = take(bytes)?;
    let heard_us = take_signed(bytes)?;
    let next_seq = take(bytes)?;
    let tick = if has(HAS_TICK) { Some(take(bytes)?) } else { None };
    let start_us = if has(HAS_START) { Some(take(bytes)?.cast_signed()) } else { None };
    let latest_seq = if has(HAS_SEQ) { Some(take(bytes)?) } else { None };
    let claimed = if has(HAS_CLAIMED) {
        let contacts = take(bytes)?;
        Some(Claimed { contacts, digest: u64::from_le_bytes(take_eight(bytes)?) })
    } else {
        None
    };
    let home = if has(HAS_HOME) { Some(i32::try_from(take_signed(bytes)?).ok()?) } else { None };
    let gaps = if has(HAS_GAPS) {
        let length = usize::try_from(take(bytes)?).ok()?;
        let (text, rest) = bytes.split_at_checked(length)?;
        *bytes = rest;
        Some(std::str::from_utf8(text).ok()?)
    } else {
        None
    };
    let mut open = Vec::new();
    for _ in 0..take(bytes)? {
        let other = take(bytes)?;
        let from_us = take_signed(bytes)?;
        let to_us = from_us.wrapping_add(take_signed(bytes)?);
        let contacts = take(bytes)?;
        let nearest = if other & 1 == 1 { Some(f64::from_le_bytes(take_eight(bytes)?)) } else { None };
        open.push((u32::try_from(other >> 1).ok()?, Chain { from_us, to_us, nearest, contacts }));
    }
    let [health, ..] = (flags & 7).to_le_bytes();
    let health = Health::from_bits(health);
    let latest = Some(Latest { x, y, health, time_us, tick, first_us });
    let session = Session { start_us, latest_seq, seen: Seen::from_stored(next_seq, gaps), claimed };
    let meetings = Meetings::from_stored(heard_us, open);
    Some((slot, Person { latest, session, contacts, meetings, home, ..Person::default() }))
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    let folded = take(bytes)?;
    Some((folded >> 1).cast_signed() ^ -(folded & 1).cast_signed())
}

fn take_eight(bytes: &mut &[u8]) -> Option<[u8; 8]> {
    let (eight, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*eight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::option;
    use proptest::prelude::*;

    fn session() -> impl Strategy<Value = Session> {
        let claimed =
            (any::<u64>(), any::<u64>()).prop_map(|(contacts, digest)| Claimed { contacts, digest });
        let seen = proptest::collection::vec(0u64..50, 0..20);
        (any::<Option<i64>>(), any::<Option<u64>>(), seen, option::of(claimed)).prop_map(
            |(start_us, latest_seq, numbers, claimed)| {
                let mut seen = Seen::default();
                for number in numbers {
                    seen.insert(number);
                }
                Session { start_us, latest_seq, seen, claimed }
            },
        )
    }

    fn person() -> impl Strategy<Value = Person> {
        let latest = (any::<[i32; 2]>(), 0u8..8, any::<[i64; 2]>(), any::<Option<u64>>());
        let chain = (any::<[i64; 2]>(), option::of(-1e9..1e9f64), any::<u64>());
        let open = proptest::collection::btree_map(any::<u32>(), chain, 0..5);
        (latest, session(), any::<u64>(), any::<i64>(), open, any::<Option<i32>>()).prop_map(
            |(([x, y], bits, [time_us, first_us], tick), session, contacts, heard_us, open, home)| {
                let open = open.into_iter().map(|(other, ([from_us, to_us], nearest, contacts))| {
                    (other, Chain { from_us, to_us, nearest, contacts })
                });
                Person {
                    latest: Some(Latest { x, y, health: Health::from_bits(bits), time_us, tick, first_us }),
                    session,
                    contacts,
                    meetings: Meetings::from_stored(heard_us, open.collect()),
                    home,
                    ..Person::default()
                }
            },
        )
    }

    proptest! {
        #[test]
        fn packed_people_come_back_one_after_the_other(people in proptest::collection::vec((any::<u32>(), person()), 0..5)) {
            let mut bytes = Vec::new();
            for (slot, person) in &people {
                pack(*slot, person, &mut bytes);
            }
            let mut rest = bytes.as_slice();
            for one in people {
                prop_assert_eq!(unpack(&mut rest), Some(one));
            }
            prop_assert_eq!(unpack(&mut rest), None);
        }

        #[test]
        fn damaged_bytes_are_nobody(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut rest = bytes.as_slice();
            while unpack(&mut rest).is_some() {}
        }
    }
}
