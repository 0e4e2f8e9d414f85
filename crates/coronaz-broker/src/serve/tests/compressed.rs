//! Compressed batches over the socket.

use super::*;
use crate::log::codec::Codec;
use crate::log::codec::tests::{compressed, gzip, with_records};

const UNSUPPORTED_COMPRESSION_TYPE: i16 = 76;
const INVALID_RECORD: i16 = 87;
const MESSAGE_TOO_LARGE: i16 = 10;

#[test]
fn a_batch_that_cannot_be_opened_is_refused_and_nothing_of_it_is_stored() {
    let running = Running::start(&[]);
    let mut client = running.connect();
    let plain = batch(&[b"one", b"two"], None);
    let mut poison = with_records(&plain, 1, b"this is no compressed stream");
    poison[23..27].copy_from_slice(&(i32::MAX - 1).to_be_bytes());
    poison[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
    let poison = crate::log::batch::tests::sealed(poison);
    // 600 MB of nothing in 600 kB.
    let bomb = with_records(&plain, 1, &gzip(&vec![0; 600 << 20]));
    assert!((500_000..1 << 20).contains(&bomb.len()), "{}", bomb.len());
    for (sent, refusal) in [
        (&poison, INVALID_RECORD),
        (&bomb, MESSAGE_TOO_LARGE),
        (&with_records(&plain, 6, b"records"), UNSUPPORTED_COMPRESSION_TYPE),
    ] {
        assert_eq!(client.produce(0, sent), (refusal, -1));
        let end = running.started.broker.data.topic("t").expect("made").partitions[0].with(|log| log.end());
        assert_eq!(end, 0, "nothing of it was stored");
    }
    let good = compressed(&plain, 1, Codec::Gzip);
    assert_eq!(client.produce(0, &good), (0, 0));
    let answer = client.ask(1, 4, &fetch(0, 0, 0, 1 << 20));
    let (error, next, batches) = fetched(&answer);
    assert_eq!((error, next), (0, 2));
    assert_eq!(batches[8..], good[8..], "as it was sent");
}
