//! Any bytes as a batch of records, with its head made right so that what comes after it is reached: the
//! records, plain or compressed in any of the four ways.
#![no_main]

use coronaz_broker::{Batch, Opener};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut batch = bytes.to_vec();
    if batch.len() >= 61 {
        let counted = (batch.len() - 12) as u32;
        batch[8..12].copy_from_slice(&counted.to_be_bytes());
        batch[16] = 2;
        // No transaction; the codec stays what it is.
        batch[21] = 0;
        batch[22] &= 0b111;
        // As many records as offsets, and no producer.
        batch[57] &= 0x7f;
        let count = i32::from_be_bytes([batch[57], batch[58], batch[59], batch[60]]).max(1);
        batch[57..61].copy_from_slice(&count.to_be_bytes());
        batch[23..27].copy_from_slice(&(count - 1).to_be_bytes());
        batch[43..57].fill(0xff);
        let checksum = crc32c::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&checksum.to_be_bytes());
    }
    let _ = Batch::check(&batch, 1 << 20, &Opener::default());
});
