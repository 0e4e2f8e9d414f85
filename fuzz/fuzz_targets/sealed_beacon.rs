//! Any bytes, with and without a right seal: nobody without the key is heard.
#![no_main]

use coronaz_wire::seal::{RadioKey, SealedEar};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(key) = RadioKey::new(b"a key that the fuzzer does not try to learn") else { return };
    assert!(SealedEar::new(key).open(bytes, 1_606_925_945_123_456).is_err());
});
