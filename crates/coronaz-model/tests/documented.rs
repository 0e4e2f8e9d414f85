//! `docs/model.md` says of randomness what the code does: an independent computation by its formulas.

use coronaz_model::identity::base_of;
use coronaz_model::{Draws, Field, PersonId, Stream};

const TEXT: &str = include_str!("../../../docs/model.md");

fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn bits(seed: u64, stream: u64, person: u64, tick: u64) -> u64 {
    let keyed = mix(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mix(mix(keyed ^ person) ^ tick.wrapping_mul(0xd1b5_4a32_d192_ed03))
}

fn scale(bits: u64, below: u64) -> u64 {
    ((bits & 0xffff_ffff) * below) >> 32
}

/// A row of the table of draws to check by.
fn row(draw: &str, value: impl std::fmt::Display) {
    let row = format!("| {draw} | {value} |");
    assert!(TEXT.contains(&row), "docs/model.md should have the row\n{row}");
}

#[test]
fn every_stream_is_documented_with_its_number() {
    for (number, stream) in (1_u64..).zip(Stream::ALL) {
        assert_eq!(stream as u64, number);
        let row = format!("| {number} | `{stream:?}` | ");
        assert!(TEXT.contains(&row), "docs/model.md should have a row {row:?}");
    }
}

#[test]
fn the_documented_formulas_give_the_documented_draws_and_those_of_the_code() {
    const UUID: u128 = 0xff0a_1bda_34b9_11eb_b339_0242_ac16_0009;
    let draws = Draws::new(1);
    for (stream, person, tick) in [(Stream::Spawn, 0, 0), (Stream::Goal, 12_345, 678)] {
        let value = bits(1, stream as u64, person.into(), tick);
        assert_eq!(draws.bits(stream, PersonId(person), tick), value);
        row(&format!("`bits({}, {person}, {tick})`", stream as u64), value);
    }
    let rank = mix(mix(bits(1, 3, 7, 9) ^ UUID as u64) ^ (UUID >> 64) as u64);
    assert_eq!(draws.rank(Stream::Infector, PersonId(7), 9, UUID), rank);
    row("`rank(3, 7, 9, ff0a1bda34b911ebb3390242ac160009)`", rank);
    let home = bits(1, 12, 3, 0);
    let (x, y) = (scale(home >> 32, 101), scale(home, 61));
    let place = draws.place(Stream::Home, PersonId(3), 0, Field::new(100, 60));
    assert_eq!((place.x as u64, place.y as u64), (x, y));
    row("`place(bits(12, 3, 0))` on 100 x 60", format!("{x}, {y}"));
    let replicate = bits(1, 17, 1, 0) >> 11;
    assert_eq!(draws.replicate_seed(1), replicate);
    row("seed of replicate 1", replicate);
}

#[test]
fn the_documented_uuid_of_person_0_is_that_of_the_code() {
    let drawn = u128::from(mix(1 ^ 0x666c_6565_7400_0000)) & ((1 << 62) - 1);
    let timestamp: u128 = 0x01eb_34b9_0000_0000;
    let time = (timestamp & 0xffff_ffff) << 96 | (timestamp >> 32 & 0xffff) << 80 | (timestamp >> 48) << 64;
    let uuid = time | 1 << 76 | 0b10 << 62 | 1 << 40 | drawn;
    assert_eq!(base_of(1), uuid);
    let text = format!("{uuid:032x}");
    let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
    row("UUID of person 0", parts.join("-"));
}
