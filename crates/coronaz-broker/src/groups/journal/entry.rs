//! One change of the committed offsets, as bytes.

use crate::groups::committed::Commit;
use crate::protocol::reader::{DecodeError, Reader};
use crate::protocol::writer::Writer;

/// Kinds of entries. A number that was used once is never used for another kind.
const COMMIT: i8 = 1;
const SEEN: i8 = 2;
const FORGET_GROUP: i8 = 3;
const FORGET_TOPIC: i8 = 4;
const FORGET_OFFSET: i8 = 5;
const MEMBERS: i8 = 6;

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::groups) enum Entry<'a> {
    /// Offsets of a group, at a time of day.
    Commit {
        group: &'a str,
        unix_ms: i64,
        commits: Vec<Commit<'a>>,
    },
    /// A group had members then.
    Seen {
        group: &'a str,
        unix_ms: i64,
    },
    ForgetGroup {
        group: &'a str,
    },
    ForgetTopic {
        topic: &'a str,
    },
    ForgetOffset {
        group: &'a str,
        topic: &'a str,
        partition: i32,
    },
    /// The members of a group, as it saves them; no bytes when it has none any more.
    Members {
        group: &'a str,
        saved: &'a [u8],
    },
}

impl<'a> Entry<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        match self {
            Self::Commit { group, unix_ms, commits } => {
                to.i8(COMMIT);
                to.string(group);
                to.i64(*unix_ms);
                to.array(commits, |to, commit| {
                    to.string(commit.topic);
                    to.i32(commit.partition);
                    to.i64(commit.offset);
                    to.i32(commit.epoch);
                    to.string(commit.metadata);
                });
            }
            Self::Seen { group, unix_ms } => {
                to.i8(SEEN);
                to.string(group);
                to.i64(*unix_ms);
            }
            Self::ForgetGroup { group } => {
                to.i8(FORGET_GROUP);
                to.string(group);
            }
            Self::ForgetTopic { topic } => {
                to.i8(FORGET_TOPIC);
                to.string(topic);
            }
            Self::ForgetOffset { group, topic, partition } => {
                to.i8(FORGET_OFFSET);
                to.string(group);
                to.string(topic);
                to.i32(*partition);
            }
            Self::Members { group, saved } => {
                to.i8(MEMBERS);
                to.string(group);
                to.sized_bytes(saved);
            }
        }
        to.bytes
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let entry = match from.i8()? {
            COMMIT => Self::Commit {
                group: from.string()?,
                unix_ms: from.i64()?,
                commits: from.array(|from| {
                    Ok(Commit {
                        topic: from.string()?,
                        partition: from.i32()?,
                        offset: from.i64()?,
                        epoch: from.i32()?,
                        metadata: from.string()?,
                    })
                })?,
            },
            SEEN => Self::Seen { group: from.string()?, unix_ms: from.i64()? },
            FORGET_GROUP => Self::ForgetGroup { group: from.string()? },
            FORGET_TOPIC => Self::ForgetTopic { topic: from.string()? },
            FORGET_OFFSET => {
                Self::ForgetOffset { group: from.string()?, topic: from.string()?, partition: from.i32()? }
            }
            MEMBERS => {
                let (group, saved) = (from.string()?, from.nullable_bytes()?);
                Self::Members { group, saved: saved.unwrap_or_default() }
            }
            kind => return Err(DecodeError::Length(kind.into())),
        };
        if from.is_at_end() {
            Ok(entry)
        } else {
            Err(DecodeError::Length(bytes.len().try_into().unwrap_or(i64::MAX)))
        }
    }
}
