//! What is sent and what is read.

use std::borrow::Cow;
use std::fmt;

/// What a record's payload is; it travels as the header `content-type`. A record without that
/// header is JSON, so the paper's own programs are understood, and JSON is sent without it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContentType(Cow<'static, str>);

impl ContentType {
    /// A device's report, the paper's JSON.
    pub const JSON: Self = Self(Cow::Borrowed("application/json"));
    /// The announcement of a run.
    pub const RUN: Self = Self(Cow::Borrowed("application/vnd.coronaz.run+json"));
    /// A fleet's frame.
    pub const FRAME: Self = Self(Cow::Borrowed("application/vnd.coronaz.frame"));

    /// The longest content type that is read, in bytes. A longer one, or one that is no UTF-8, is
    /// replaced by `application/octet-stream`, which no reader takes for a known kind.
    pub const BYTES_MAX: usize = 128;

    /// The content type of this name; the known ones cost no allocation.
    pub fn new(name: &str) -> Self {
        for known in [Self::JSON, Self::FRAME, Self::RUN] {
            if known.as_str() == name {
                return known;
            }
        }
        Self(Cow::Owned(name.to_owned()))
    }

    /// Reads the header's value as it came from a stranger.
    pub(crate) fn from_header(value: &[u8]) -> Self {
        match std::str::from_utf8(value) {
            Ok(name) if name.len() <= Self::BYTES_MAX => Self::new(name),
            _ => Self(Cow::Borrowed("application/octet-stream")),
        }
    }

    /// The name, as in the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record to send. The bus copies it; the caller keeps its buffers.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Records of one key stay in order: a device's UUID, a fleet's shard.
    pub key: &'a [u8],
    /// At most [`RECORD_BYTES_MAX`](crate::RECORD_BYTES_MAX) bytes together with the key.
    pub payload: &'a [u8],
    /// What the payload is.
    pub content_type: ContentType,
    /// The caller's own name for this record; its [`Delivery`](crate::Delivery) carries it back.
    pub token: u64,
}

/// A record that was read. Of key and payload at most one byte more than [`RECORD_BYTES_MAX`](crate::RECORD_BYTES_MAX) is
/// kept of each: by that a reader sees that it is too large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The partition it stood in.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Empty when the record had none.
    pub key: Vec<u8>,
    /// Empty when the record had none.
    pub payload: Vec<u8>,
    /// JSON when the record did not say.
    pub content_type: ContentType,
    /// When the producer sent it, milliseconds since the Unix epoch; a stranger's clock. 0 if unknown.
    pub timestamp_ms: i64,
}

impl Message {
    /// Bytes of key and payload.
    pub fn bytes(&self) -> usize {
        self.key.len() + self.payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::ContentType;

    #[test]
    fn a_known_content_type_is_itself_and_a_hostile_one_is_no_known_kind() {
        assert_eq!(ContentType::from_header(b"application/json"), ContentType::JSON);
        assert_eq!(ContentType::from_header(b"application/vnd.coronaz.frame"), ContentType::FRAME);
        assert_eq!(ContentType::from_header(b"text/x").as_str(), "text/x");
        for hostile in [&b"\xff\xfe"[..], &[b'a'; 4096][..]] {
            assert_eq!(ContentType::from_header(hostile).as_str(), "application/octet-stream");
        }
    }
}
