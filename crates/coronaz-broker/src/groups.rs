//! Consumer groups: who reads which partitions, and how far they are.
//!
//! | module | what it holds |
//! |---|---|
//! | `group`, `member` | one group: the rebalance protocol as a state machine |
//! | `table` | all groups, and how many there may be |
//! | `committed` | committed offsets, and when they expire |
//! | `journal` | those, and the members of stable groups, on disk |
//! | `coordinator` | the connections' way in: one lock, and requests that wait |

mod committed;
mod coordinator;
mod group;
mod journal;
mod member;
mod table;

#[cfg(test)]
mod tests;

pub(crate) use committed::{Commit, METADATA_BYTES_MAX, OfGroup};
pub(crate) use coordinator::{Described, Groups, Waiting};
pub(crate) use group::Phase;
pub(crate) use member::Member;
pub(crate) use table::Table;

use crate::protocol::ErrorCode;

/// Milliseconds of a clock that never goes back, since any moment.
pub(crate) type Ms = u64;

/// Names one request that waits for its answer.
pub(crate) type Ticket = u64;

/// Answers to requests, those that waited among them.
pub(crate) type Replies = Vec<(Ticket, Reply)>;

/// The answer to a `JoinGroup` or a `SyncGroup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Joined(Joined),
    /// What the member is to read, in its client's form.
    Synced(Vec<u8>),
    Refused {
        error: ErrorCode,
        /// The member's id, where one was given out.
        member: String,
    },
}

/// A member is part of a new generation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) generation: i32,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    pub(crate) member: String,
    /// Everybody, for the leader; for others nobody.
    pub(crate) members: Vec<JoinedMember>,
}

/// A member as its leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedMember {
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) metadata: Vec<u8>,
}

/// What a `JoinGroup` says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Join<'a> {
    pub(crate) group: &'a str,
    /// Empty for one that has no id yet.
    pub(crate) member: &'a str,
    pub(crate) instance: Option<&'a str>,
    pub(crate) client: &'a str,
    pub(crate) host: &'a str,
    pub(crate) session_ms: Ms,
    pub(crate) rebalance_ms: Ms,
    pub(crate) protocol_type: &'a str,
    /// The assignors, the preferred first, with the member's metadata for each.
    pub(crate) protocols: &'a [(&'a str, &'a [u8])],
    /// The client knows that it is sent an id first and joins with it then.
    pub(crate) needs_id: bool,
}

/// A member that asks, as it names itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who<'a> {
    pub(crate) generation: i32,
    pub(crate) member: &'a str,
    pub(crate) instance: Option<&'a str>,
}

/// What a `SyncGroup` says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sync<'a> {
    pub(crate) group: &'a str,
    pub(crate) who: Who<'a>,
    /// From the leader: for each member what it is to read.
    pub(crate) assignments: &'a [(&'a str, &'a [u8])],
}
