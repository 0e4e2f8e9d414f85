//! Any bytes as a batch of records, with its checksum made right so that what comes after it is reached.
#![no_main]

use coronaz_broker::Batch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut batch = bytes.to_vec();
    if batch.len() >= 61 {
        let counted = (batch.len() - 12) as u32;
        batch[8..12].copy_from_slice(&counted.to_be_bytes());
        batch[16] = 2;
        let checksum = crc32c::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&checksum.to_be_bytes());
    }
    let _ = Batch::check(&batch, 1 << 20);
});
