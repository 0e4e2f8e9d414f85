//! Record batches: what a producer hands over, what lies in a file, what a reader gets; always the
//! same bytes, apart from the first offset, which the log fills in.
//!
//! Kafka's format 2: a head of 61 bytes, then the records. The checksum (CRC-32C) covers everything
//! after itself, so neither the first offset nor the length.

use super::codec::{Codec, OPENED_BYTES_MAX, OpenError, Opener};
use crate::protocol::reader::{DecodeError, Reader};

/// Bytes of a batch's head.
pub(crate) const HEAD_BYTES: usize = 61;
/// Bytes before those that the length counts.
const UNCOUNTED_BYTES: usize = 12;
/// Where the bytes begin that the checksum covers.
const CHECKED_FROM: usize = 21;
/// Bytes that the log writes itself: first offset, length, epoch of the leader.
pub(crate) const PREFIX_BYTES: usize = 16;
/// The largest batch that is taken, 1 MiB and the head, as in Kafka's own defaults. A device's records
/// are at most 256 KiB; a batch has to fit in memory when a log is recovered.
pub(crate) const BATCH_BYTES_MAX: usize = (1 << 20) + HEAD_BYTES;

/// Of Kafka's formats the one that is written since 2017; no other is taken.
pub(crate) const FORMAT: u8 = 2;
const CODEC_MASK: i16 = 0b111;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;

/// What a batch's head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) base_offset: i64,
    /// Of the whole batch, head included.
    pub(crate) bytes: usize,
    checksum: u32,
    attributes: i16,
    pub(crate) records: i32,
    last_offset_delta: i32,
    pub(crate) timestamp_ms_max: i64,
    pub(crate) producer: Option<Producer>,
}

/// Who produced a batch, and where in its sequence the batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    pub(crate) sequence: i32,
}

/// What is wrong with a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Not the bytes that were sent, or no batch at all.
    #[error("the batch is damaged: {0}")]
    Damaged(&'static str),
    /// Larger than is taken.
    #[error("the batch has {bytes} bytes; at most {max} are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// Compressed in a way that is not known here.
    #[error("compression {codec} is not known; 0 to 4 (none, gzip, snappy, lz4, zstd) are")]
    Codec {
        /// The number that it gives.
        codec: i16,
    },
    /// Its records are not what the compression that it names writes.
    #[error("the compressed records cannot be opened")]
    Unreadable,
    /// More comes out of it than is taken.
    #[error("the records have more than {max} bytes once they are opened")]
    OpensTooLarge {
        /// What is allowed.
        max: usize,
    },
    /// A batch that is well written and means nothing here.
    #[error("the batch is not taken: {0}")]
    Refused(&'static str),
    /// Its records do not follow each other as its head says.
    #[error("record {index} of the batch: {source}")]
    Record {
        /// Which, from 0.
        index: i32,
        /// What is wrong.
        source: DecodeError,
    },
}

impl Head {
    /// Reads a head. `None` when these bytes cannot be one.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes.get(..HEAD_BYTES)?);
        Self::read_fields(&mut from).ok().flatten()
    }

    fn read_fields(from: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let base_offset = from.i64()?;
        let counted = usize::try_from(from.i32()?).unwrap_or(0);
        from.i32()?;
        let magic = from.i8()?;
        let checksum = from.u32()?;
        let attributes = from.i16()?;
        let last_offset_delta = from.i32()?;
        from.i64()?;
        let timestamp_ms_max = from.i64()?;
        let producer = Producer { id: from.i64()?, epoch: from.i16()?, sequence: from.i32()? };
        let records = from.i32()?;
        let bytes = counted.saturating_add(UNCOUNTED_BYTES);
        if magic != FORMAT.cast_signed() || bytes < HEAD_BYTES || base_offset < 0 || last_offset_delta < 0 {
            return Ok(None);
        }
        let producer = (producer.id >= 0).then_some(producer);
        Ok(Some(Self {
            base_offset,
            bytes,
            checksum,
            attributes,
            records,
            last_offset_delta,
            timestamp_ms_max,
            producer,
        }))
    }

    /// What the log itself writes before a batch of so many bytes, and the number of the format.
    pub(crate) fn prefix(offset: i64, bytes: usize) -> [u8; PREFIX_BYTES + 1] {
        let counted = i32::try_from(bytes.saturating_sub(UNCOUNTED_BYTES)).unwrap_or(i32::MAX);
        let mut prefix = [0; PREFIX_BYTES + 1];
        prefix[..8].copy_from_slice(&offset.to_be_bytes());
        prefix[8..UNCOUNTED_BYTES].copy_from_slice(&counted.to_be_bytes());
        // The leader's epoch between them stays 0: there never is another leader.
        prefix[PREFIX_BYTES] = FORMAT;
        prefix
    }

    /// The offset after its last record.
    pub(crate) fn next_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta)).saturating_add(1)
    }

    /// Whether these are the whole batch's bytes as they were written.
    pub(crate) fn matches(&self, batch: &[u8]) -> bool {
        batch.len() == self.bytes
            && batch.get(CHECKED_FROM..).is_some_and(|checked| crc32c::crc32c(checked) == self.checksum)
    }

    /// How its records are compressed; `None` when they are not.
    fn codec(&self) -> Result<Option<Codec>, BatchError> {
        match self.attributes & CODEC_MASK {
            0 => Ok(None),
            1 => Ok(Some(Codec::Gzip)),
            2 => Ok(Some(Codec::Snappy)),
            3 => Ok(Some(Codec::Lz4)),
            4 => Ok(Some(Codec::Zstd)),
            codec => Err(BatchError::Codec { codec }),
        }
    }
}

/// A batch without records, which stands for the offsets from `from` up to `until`: readers continue behind
/// it. Kafka's own logs have such batches where compaction removed the last records of one.
pub(crate) fn empty(from: i64, until: i64) -> Vec<u8> {
    let last_delta = i32::try_from(until.saturating_sub(from).saturating_sub(1)).unwrap_or(i32::MAX);
    let mut bytes = Head::prefix(from, HEAD_BYTES).to_vec();
    bytes.resize(HEAD_BYTES, 0);
    bytes[23..27].copy_from_slice(&last_delta.to_be_bytes());
    // No times, and no producer.
    bytes[27..57].fill(0xff);
    let checksum = crc32c::crc32c(&bytes[CHECKED_FROM..]);
    bytes[17..CHECKED_FROM].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// A batch from a producer, found to be in order.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub(crate) head: Head,
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Checks what a producer sent for a partition: one whole batch of at most `bytes_max` bytes, each
    /// record of which can be read. Compressed records are opened with `opener` and seen too.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn check(bytes: &'a [u8], bytes_max: usize, opener: &Opener) -> Result<Self, BatchError> {
        let max = bytes_max.min(BATCH_BYTES_MAX);
        if bytes.len() > max {
            return Err(BatchError::TooLarge { bytes: bytes.len(), max });
        }
        let head = Head::read(bytes).ok_or(BatchError::Damaged("no head of format 2"))?;
        if head.bytes != bytes.len() {
            return Err(BatchError::Damaged("not exactly one batch"));
        }
        if !head.matches(bytes) {
            return Err(BatchError::Damaged("the checksum is another"));
        }
        if head.attributes & (TRANSACTIONAL | CONTROL) != 0 {
            return Err(BatchError::Refused("this broker has no transactions"));
        }
        let codec = head.codec()?;
        if head.records < 1 || head.last_offset_delta != head.records - 1 {
            return Err(BatchError::Refused("its count is not that of its offsets"));
        }
        if head.producer.is_some_and(|producer| producer.epoch < 0 || producer.sequence < 0) {
            return Err(BatchError::Refused("a producer without an epoch or a sequence"));
        }
        let records = &bytes[HEAD_BYTES..];
        match codec {
            None => check_records(records, head.records)?,
            Some(codec) => {
                let seen = opener.open(codec, records, |records| check_records(records, head.records));
                seen.map_err(|error| match error {
                    OpenError::Unreadable => BatchError::Unreadable,
                    OpenError::TooLarge => BatchError::OpensTooLarge { max: OPENED_BYTES_MAX },
                })??;
            }
        }
        Ok(Self { head, bytes })
    }

    /// The bytes to write when the first record gets this offset: a new prefix, and the rest as it came.
    pub(crate) fn placed_at(&self, offset: i64) -> ([u8; PREFIX_BYTES], &'a [u8]) {
        let [prefix @ .., _] = Head::prefix(offset, self.head.bytes);
        (prefix, &self.bytes[PREFIX_BYTES..])
    }
}

/// Reads over every record, so that no reader ever meets one that it cannot read.
fn check_records(bytes: &[u8], records: i32) -> Result<(), BatchError> {
    let mut from = Reader::new(bytes);
    for index in 0..records {
        check_record(&mut from, index).map_err(|source| BatchError::Record { index, source })?;
    }
    if from.is_at_end() { Ok(()) } else { Err(BatchError::Refused("more bytes than its records have")) }
}

fn check_record(from: &mut Reader<'_>, index: i32) -> Result<(), DecodeError> {
    let record = from.varint_bytes()?.ok_or(DecodeError::Length(-1))?;
    let mut from = Reader::new(record);
    from.i8()?;
    from.varlong()?;
    let delta = from.varint()?;
    if delta != index {
        return Err(DecodeError::Length(delta.into()));
    }
    from.varint_bytes()?;
    from.varint_bytes()?;
    let headers = from.varint()?;
    for _ in 0..u32::try_from(headers).map_err(|_| DecodeError::Length(headers.into()))? {
        from.varint_bytes()?.ok_or(DecodeError::Length(-1))?;
        from.varint_bytes()?;
    }
    if from.is_at_end() { Ok(()) } else { Err(DecodeError::Length(record.len().cast_signed() as i64)) }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(bytes: &[u8], bytes_max: usize) -> Result<Head, BatchError> {
        Batch::check(bytes, bytes_max, &Opener::default()).map(|batch| batch.head)
    }

    fn put_varint(into: &mut Vec<u8>, value: i32) {
        let mut left = ((value << 1) ^ (value >> 31)).cast_unsigned();
        while left >= 0x80 {
            into.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        into.push(left as u8);
    }

    /// A batch of records without keys.
    pub(crate) fn batch(payloads: &[&[u8]], producer: Option<(i64, i16, i32)>) -> Vec<u8> {
        let mut records = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            let mut record = vec![0, 0];
            put_varint(&mut record, index as i32);
            put_varint(&mut record, -1);
            put_varint(&mut record, payload.len() as i32);
            record.extend(*payload);
            put_varint(&mut record, 0);
            put_varint(&mut records, record.len() as i32);
            records.extend(record);
        }
        let (id, epoch, sequence) = producer.unwrap_or((-1, -1, -1));
        let mut bytes = vec![0; 8];
        bytes.extend(((HEAD_BYTES - UNCOUNTED_BYTES + records.len()) as i32).to_be_bytes());
        bytes.extend([0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]);
        bytes.extend((payloads.len() as i32 - 1).to_be_bytes());
        bytes.extend(1000_i64.to_be_bytes());
        bytes.extend(2000_i64.to_be_bytes());
        bytes.extend(id.to_be_bytes());
        bytes.extend(epoch.to_be_bytes());
        bytes.extend(sequence.to_be_bytes());
        bytes.extend((payloads.len() as i32).to_be_bytes());
        bytes.extend(records);
        sealed(bytes)
    }

    /// The same with its checksum made right.
    pub(crate) fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let checksum = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[17..CHECKED_FROM].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    #[test]
    fn a_batch_in_order_is_taken_and_keeps_its_checksum_at_any_offset() {
        let bytes = batch(&[b"one", b"two", b""], Some((7, 0, 5)));
        let checked = Batch::check(&bytes, BATCH_BYTES_MAX, &Opener::default()).expect("in order");
        assert_eq!(checked.head.producer, Some(Producer { id: 7, epoch: 0, sequence: 5 }));
        let (prefix, rest) = checked.placed_at(1 << 40);
        let placed = [&prefix[..], rest].concat();
        let head = Head::read(&placed).expect("a head");
        assert!(head.matches(&placed));
        assert_eq!((head.base_offset, head.next_offset()), (1 << 40, (1 << 40) + 3));
    }

    #[test]
    fn what_no_reader_could_read_is_refused() {
        let good = batch(&[b"one", b"two"], None);
        let mut wrong_count = good.clone();
        wrong_count[60] = 3;
        let mut transactional = good.clone();
        transactional[22] = 1 << 4;
        let mut no_codec = good.clone();
        no_codec[22] = 5;
        let mut wrong_delta = good.clone();
        *wrong_delta.get_mut(HEAD_BYTES + 3).expect("the first record's delta") = 2;
        let twice = [good.clone(), good.clone()].concat();
        for bad in [wrong_count, transactional, no_codec, wrong_delta, twice, good[..50].to_vec(), Vec::new()]
        {
            let bad = if bad.len() > CHECKED_FROM { sealed(bad) } else { bad };
            assert!(check(&bad, BATCH_BYTES_MAX).is_err(), "{bad:?}");
        }
        assert!(matches!(check(&good, 70), Err(BatchError::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_is_noticed_wherever_it_counts(at in 8_usize..90, bit in 0_u8..8) {
            let good = batch(&[b"a payload of some bytes", b"two"], Some((1, 0, 0)));
            let mut bad = good.clone();
            prop_assume!(at < bad.len() && !(12..16).contains(&at));
            bad[at] ^= 1 << bit;
            prop_assert!(check(&bad, BATCH_BYTES_MAX).is_err());
        }

        #[test]
        fn no_records_make_the_check_panic(records in proptest::collection::vec(any::<u8>(), 0..200), count in 0_i32..5) {
            let mut bytes = batch(&[], None);
            bytes.extend(&records);
            let counted = (bytes.len() - UNCOUNTED_BYTES) as i32;
            bytes[8..12].copy_from_slice(&counted.to_be_bytes());
            bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
            bytes[57..61].copy_from_slice(&count.to_be_bytes());
            let _ = check(&sealed(bytes), BATCH_BYTES_MAX);
        }
    }
}
