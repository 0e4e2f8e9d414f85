//! What can go wrong, by operation.

use std::error::Error;
use uuid::Uuid;

/// A failed read, or a failed write that is not a commit.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Locked, full, not there yet, not reachable: the same call may succeed later.
    #[error("the store {location} is not available: {reason}")]
    Unavailable {
        /// Which store.
        location: String,
        /// What it said.
        reason: String,
        /// The driver's error, if it was one.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// Written by a newer program.
    #[error("the store {location} has schema {found}, this program knows {supported}; use a newer one")]
    TooNew {
        /// Which store.
        location: String,
        /// Its schema version.
        found: i64,
        /// The newest version this program knows.
        supported: i64,
    },
    /// The file is something else.
    #[error("{location} is not a CoronaZ store: {reason}")]
    NotAStore {
        /// Which file.
        location: String,
        /// What it is, as far as one can tell.
        reason: String,
    },
    /// The file is ours and is not whole. It was not changed.
    #[error(
        "the store {location} is damaged: {reason}. It was not changed. Stop what uses it, keep a copy of it and of the \
         files beside it, and put a backup in its place, or what `sqlite3 {location} .recover` can save; moved out of \
         the way, it gives room for a new store, which takes what the topic still has"
    )]
    Damaged {
        /// Which file.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No such run.
    #[error("no run {0}")]
    NoSuchRun(Uuid),
    /// The run has no such node.
    #[error("no node {node} in run {run}")]
    NoSuchNode {
        /// The run.
        run: Uuid,
        /// The node.
        node: Uuid,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody doing anything to the store's content.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// A failed commit. Nothing of the batch is in the store.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The partition belongs to another by now, or these records are in already.
    #[error("partition {partition}: expected epoch {} and offset {}, found {found}", expected.0, expected.1)]
    Fenced {
        /// Which partition.
        partition: i32,
        /// (epoch, offset) of the batch.
        expected: (i64, i64),
        /// (epoch, offset) of the store; `None` when it does not know the partition.
        found: FoundOffset,
    },
    /// The store does not take something in this batch, and would not next time either.
    #[error("the store refuses the batch: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// The store could not be written; the same batch may go in later.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The (epoch, offset) that a store holds for a partition, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundOffset(pub Option<(i64, i64)>);

impl std::fmt::Display for FoundOffset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some((epoch, next)) => write!(f, "epoch {epoch} and offset {next}"),
            None => f.write_str("no such partition"),
        }
    }
}
