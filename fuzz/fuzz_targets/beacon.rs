//! Any bytes: read or refused, and what was read is written and read back the same.
#![no_main]

use coronaz_wire::Beacon;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Beacon::decode(bytes) {
        let again = Beacon::decode(&read.encode());
        assert!(again.is_ok_and(|again| again == read));
    }
});
