//! Any bytes: read or refused, and what was read is written back byte for byte, padding aside.
#![no_main]

use coronaz_wire::page_frame::{decode, encode, part};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((header, people)) = decode(bytes) {
        assert_eq!(decode(&encode(&header, &people)), Ok((header, people)));
    }
    if let Ok((header, people)) = part::decode(bytes) {
        assert_eq!(part::decode(&part::encode(&header, &people)), Ok((header, people)));
    }
    if let Ok(density) = part::decode_density(bytes) {
        assert_eq!(density.counts.len(), density.grid.cells() * part::PLANES);
    }
});
