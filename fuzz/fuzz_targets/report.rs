//! Any bytes: read or refused, and what was read is written and read back the same.
#![no_main]

use coronaz_wire::Report;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Report::decode(bytes) {
        let again = Report::decode(&read.encode());
        assert!(again.is_ok_and(|again| again == read));
    }
});
