//! Any bytes, with the length and checksum that the decoder wants to see: refused, or read and applied
//! to a mirror within its limits. The input is a few records, each behind its length (u16).
#![no_main]

use coronaz_wire::frame::{Applied, Frame, HEADER_BYTES, Mirror, decode::checksum};
use libfuzzer_sys::fuzz_target;

const PEOPLE_MAX: u32 = 20_000;

fuzz_target!(|input: &[u8]| {
    let mut mirror = Mirror::new(PEOPLE_MAX);
    let mut input = input;
    while let Some((length, rest)) = input.split_first_chunk() {
        let (record, rest) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes(*length))));
        input = rest;
        let mut record = record.to_vec();
        if record.len() >= HEADER_BYTES {
            let length = (record.len() as u32).to_le_bytes();
            record[12..16].copy_from_slice(&length);
            let sum = checksum(&record).to_le_bytes();
            record[8..12].copy_from_slice(&sum);
        }
        let Ok(frame) = Frame::decode(&record) else { continue };
        let people = frame.header.stamp.population.people;
        assert!(frame.contacts().all(|contact| contact.hearer < people && contact.heard < people));
        assert!(frame.infections().all(|infection| infection.infectee < people));
        assert!(frame.turns().count() + frame.changes().count() <= record.len());
        if let Ok(Applied::Whole(tick)) = mirror.apply(&frame) {
            let shard = mirror.shard(frame.header.stamp.shard).expect("it is whole");
            assert_eq!(shard.tick(), tick);
            assert!(shard.columns().len() <= PEOPLE_MAX as usize);
        }
    }
});
