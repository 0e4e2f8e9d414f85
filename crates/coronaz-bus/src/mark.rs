//! What a record looked like, kept beside the offset after it: the client library does not show which topic an offset
//! belongs to, and a record does.

use crate::record::Message;

/// The record at an offset, as far as it takes to recognise it: a topic that was deleted and made again, a log that was
/// replaced, or one that lost its end has another record there, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    offset: i64,
    timestamp_ms: i64,
    bytes: u32,
    checksum: u32,
}

impl Mark {
    /// Bytes of a mark, as they are stored.
    pub const BYTES: usize = 24;

    /// The mark of a record.
    pub fn of(message: &Message) -> Self {
        let mut checksum = crc32fast::Hasher::new();
        for part in [message.content_type.as_str().as_bytes(), &message.key, &message.payload] {
            checksum.update(part);
        }
        Self {
            offset: message.offset,
            timestamp_ms: message.timestamp_ms,
            bytes: u32::try_from(message.bytes()).unwrap_or(u32::MAX),
            checksum: checksum.finalize(),
        }
    }

    /// Where the record stands in its partition.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// Whether it is the mark of this record.
    pub fn is_of(&self, message: &Message) -> bool {
        self.offset == message.offset && *self == Self::of(message)
    }

    /// For storing: offset, time, size and checksum, little-endian.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.timestamp_ms.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[20..].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    /// The inverse of [`Mark::to_bytes`].
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let eight = |from: usize| std::array::from_fn(|place| bytes[from + place]);
        let four = |from: usize| std::array::from_fn(|place| bytes[from + place]);
        Self {
            offset: i64::from_le_bytes(eight(0)),
            timestamp_ms: i64::from_le_bytes(eight(8)),
            bytes: u32::from_le_bytes(four(16)),
            checksum: u32::from_le_bytes(four(20)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ContentType;

    #[test]
    fn a_mark_is_of_one_record_and_of_no_other_and_comes_back_from_its_bytes() {
        let message = Message {
            partition: 3,
            offset: 41,
            key: b"device".to_vec(),
            payload: b"{}".to_vec(),
            content_type: ContentType::JSON,
            timestamp_ms: -7,
        };
        let mark = Mark::of(&message);
        assert!(mark.is_of(&message));
        assert_eq!(Mark::from_bytes(mark.to_bytes()), mark);
        let others = [
            Message { offset: 42, ..message.clone() },
            Message { timestamp_ms: 0, ..message.clone() },
            Message { payload: b"{ }".to_vec(), ..message.clone() },
            Message { key: b"devicf".to_vec(), ..message.clone() },
            Message { content_type: ContentType::RUN, ..message },
        ];
        assert!(others.iter().all(|other| !mark.is_of(other)));
    }
}
