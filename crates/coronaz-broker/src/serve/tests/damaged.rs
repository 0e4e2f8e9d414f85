//! Damaged files, seen by a client.

use super::*;

/// Where the payload of the first batch is.
const IN_FIRST_BATCH: u64 = 70;

fn flip(path: &std::path::Path, at: u64) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().read(true).write(true).open(path).expect("opened");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("read");
    file.write_all_at(&[byte[0] ^ 1], at).expect("damaged");
}

#[test]
fn a_reader_is_led_over_damage_and_never_told_that_its_offset_is_out_of_range() {
    let running = Running::start(&[]);
    let mut client = running.connect();
    let payload = batch(&[b"a payload of some length"], None);
    for offset in 0..3 {
        assert_eq!(client.produce(0, &payload), (0, offset));
    }
    flip(&running.partition(0).join("00000000000000000000.log"), IN_FIRST_BATCH);
    let answer = client.ask(1, 4, &fetch(0, 0, 0, 1 << 20));
    let (error, next, batches) = fetched(&answer);
    assert_eq!((error, next, batches.len()), (0, 3, 2 * payload.len()));
    assert_eq!(number64(batches), 1, "the gap is seen in the offsets");
}

#[test]
fn where_nothing_is_left_a_reader_gets_a_batch_without_records() {
    let running = Running::start(&[]);
    let mut client = running.connect();
    let payload = batch(&[b"a payload of some length", b"and another"], None);
    assert_eq!(client.produce(0, &payload), (0, 0));
    flip(&running.partition(0).join("00000000000000000000.log"), IN_FIRST_BATCH);
    let answer = client.ask(1, 4, &fetch(0, 0, 0, 1 << 20));
    let (error, next, batches) = fetched(&answer);
    assert_eq!((error, next, number64(batches)), (0, 2, 0));
    let head = crate::log::batch::Head::read(batches).expect("a batch");
    assert!(head.matches(batches), "with a right checksum");
    assert_eq!((head.records, head.next_offset()), (0, 2));
    assert_eq!(client.produce(0, &payload), (0, 2), "and what comes is stored behind it");
    let answer = client.ask(1, 4, &fetch(0, 0, 0, 1 << 20));
    assert_eq!(number64(fetched(&answer).2), 2);
}
