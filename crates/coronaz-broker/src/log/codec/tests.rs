//! Compressed batches, honest and otherwise.

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::log::batch::tests::{batch, sealed};
use crate::log::batch::{BATCH_BYTES_MAX, Batch, BatchError, HEAD_BYTES};

const CODECS: [(i16, Codec); 4] = [(1, Codec::Gzip), (2, Codec::Snappy), (3, Codec::Lz4), (4, Codec::Zstd)];

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    to.write_all(bytes).expect("in memory");
    to.finish().expect("in memory")
}

/// As the Java client writes it.
fn xerial(bytes: &[u8]) -> Vec<u8> {
    let mut to = [&XERIAL_MAGIC[..], &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
    for piece in bytes.chunks(32 * 1024) {
        let block = snap::raw::Encoder::new().compress_vec(piece).expect("in memory");
        to.extend((block.len() as i32).to_be_bytes());
        to.extend(block);
    }
    to
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut to = lz4_flex::frame::FrameEncoder::new(Vec::new());
    to.write_all(bytes).expect("in memory");
    to.finish().expect("in memory")
}

fn compress(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Gzip => gzip(bytes),
        Codec::Snappy => snap::raw::Encoder::new().compress_vec(bytes).expect("in memory"),
        Codec::Lz4 => lz4(bytes),
        Codec::Zstd => ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest),
    }
}

/// The same batch with other records, said to be compressed.
pub(crate) fn with_records(batch: &[u8], codec: i16, records: &[u8]) -> Vec<u8> {
    let mut bytes = [&batch[..HEAD_BYTES], records].concat();
    let counted = (bytes.len() - 12) as i32;
    bytes[8..12].copy_from_slice(&counted.to_be_bytes());
    bytes[21..23].copy_from_slice(&codec.to_be_bytes());
    sealed(bytes)
}

/// The same batch with its records compressed.
pub(crate) fn compressed(batch: &[u8], number: i16, codec: Codec) -> Vec<u8> {
    with_records(batch, number, &compress(codec, &batch[HEAD_BYTES..]))
}

fn error(bytes: &[u8]) -> Option<BatchError> {
    Batch::check(bytes, BATCH_BYTES_MAX, &Opener::default()).err()
}

fn plain() -> Vec<u8> {
    let payloads: Vec<Vec<u8>> = (0..300_usize)
        .map(|turn| format!("a payload of its own {turn} ").repeat(turn % 9 + 1).into())
        .collect();
    let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    batch(&payloads, Some((7, 0, 5)))
}

#[test]
fn a_compressed_batch_is_taken_as_it_came_in_every_codec_of_kafka() {
    let plain = plain();
    for (number, codec) in CODECS {
        let sent = compressed(&plain, number, codec);
        assert!(sent.len() < plain.len(), "{codec:?}");
        assert_eq!(error(&sent), None, "{codec:?}");
    }
    assert_eq!(error(&with_records(&plain, 2, &xerial(&plain[HEAD_BYTES..]))), None, "snappy as Java has it");
    let large = batch(&[&vec![b'x'; 5 << 20]], None);
    for (number, codec) in CODECS {
        assert_eq!(error(&compressed(&large, number, codec)), None, "{codec:?}");
    }
}

#[test]
fn compressed_records_that_no_reader_could_read_are_refused() {
    let plain = plain();
    let records = &plain[HEAD_BYTES..];
    for (number, codec) in CODECS {
        let good = compress(codec, records);
        assert_eq!(
            error(&with_records(&plain, number, b"this is no compressed stream")),
            Some(BatchError::Unreadable)
        );
        assert_eq!(error(&with_records(&plain, number, b"")), Some(BatchError::Unreadable), "{codec:?}");
        for cut in [1, good.len() / 2, good.len() - 9] {
            assert!(error(&with_records(&plain, number, &good[..cut])).is_some(), "{codec:?} cut at {cut}");
        }
        let followed = with_records(&plain, number, &[&good[..], b"more"].concat());
        assert!(error(&followed).is_some(), "{codec:?} with more behind it");
        // The right stream of too few, too many, or other records.
        let last = compress(codec, &records[..records.len() - 30]);
        assert!(matches!(error(&with_records(&plain, number, &last)), Some(BatchError::Record { .. })));
        let more = compress(codec, &[records, records].concat());
        assert!(matches!(error(&with_records(&plain, number, &more)), Some(BatchError::Refused(_))));
        let mut other = records.to_vec();
        other[3] = 2;
        assert!(matches!(
            error(&with_records(&plain, number, &compress(codec, &other))),
            Some(BatchError::Record { index: 0, .. })
        ));
    }
    assert_eq!(error(&with_records(&plain, 5, records)), Some(BatchError::Codec { codec: 5 }));
}

#[test]
fn a_count_of_two_thousand_million_is_not_believed() {
    let mut poison = with_records(&batch(&[b"x"], None), 1, b"this is no compressed stream");
    poison[23..27].copy_from_slice(&(i32::MAX - 1).to_be_bytes());
    poison[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
    assert_eq!(error(&sealed(poison.clone())), Some(BatchError::Unreadable));
    let mut honest_stream = with_records(&poison, 1, &gzip(&batch(&[b"x"], None)[HEAD_BYTES..]));
    honest_stream = sealed(honest_stream);
    assert!(matches!(error(&honest_stream), Some(BatchError::Record { index: 1, .. })));
}

#[test]
fn what_grows_beyond_the_limit_is_too_large_in_every_codec_and_is_not_held() {
    let bomb = vec![0; OPENED_BYTES_MAX + 1];
    let head = batch(&[b"x"], None);
    let opener = Opener::default();
    for (number, codec) in CODECS {
        let packed = compress(codec, &bomb);
        let sent = with_records(&head, number, &packed);
        let refused = Batch::check(&sent, BATCH_BYTES_MAX, &opener).err();
        assert_eq!(refused, Some(BatchError::OpensTooLarge { max: OPENED_BYTES_MAX }), "{codec:?}");
    }
    let two_blocks = xerial(&bomb);
    assert_eq!(
        error(&with_records(&head, 2, &two_blocks)),
        Some(BatchError::OpensTooLarge { max: OPENED_BYTES_MAX })
    );
    let state = opener.state.lock().expect("unharmed");
    assert_eq!(state.free, OPENERS_MAX, "every turn was given back");
    assert!(state.kept.iter().all(|kept| kept.capacity() <= KEPT_BYTES_MAX));
}

#[test]
fn a_size_that_is_only_announced_takes_no_memory() {
    // Snappy's first bytes are the length: 16 MiB, out of nothing.
    let announced = [0x80, 0x80, 0x80, 0x08];
    assert_eq!(error(&with_records(&batch(&[b"x"], None), 2, &announced)), Some(BatchError::Unreadable));
    // A frame of zstd with a window of 2 TiB.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0x00, 0x00];
    assert_eq!(
        error(&with_records(&batch(&[b"x"], None), 4, &window)),
        Some(BatchError::OpensTooLarge { max: OPENED_BYTES_MAX })
    );
}

proptest! {
    #[test]
    fn no_bytes_make_the_opening_panic(number in 1_i16..5, whole in any::<bool>(), at in 0_usize..4000, bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let plain = plain();
        let (_, codec) = CODECS[usize::try_from(number - 1).expect("small")];
        let mut records = if whole { compress(codec, &plain[HEAD_BYTES..]) } else { Vec::new() };
        let at = at.min(records.len());
        let end = (at + bytes.len() / 2).min(records.len());
        records.splice(at..end, bytes);
        let _ = error(&with_records(&plain, number, &records));
    }
}
