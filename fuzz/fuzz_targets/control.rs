//! Any line: read or refused, and what was read is written and read back the same.
#![no_main]

use coronaz_wire::control::{Answer, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Request::decode(bytes) {
        let again = Request::decode(&read.encode());
        assert!(again.is_ok_and(|again| again == read));
    }
    if let Ok(read) = Answer::decode(bytes) {
        assert!(Answer::decode(&read.encode()).is_ok());
    }
});
