//! Any text: read or refused, and what was read is written and read back the same.
#![no_main]

use coronaz_wire::Scenario;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(read) = Scenario::parse(text) {
        let again = Scenario::parse(&read.to_toml());
        assert!(again.is_ok());
    }
});
