//! Any bytes as a request to the embedded broker: taken apart or refused.
#![no_main]

use coronaz_broker::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Request::decode(bytes);
});
