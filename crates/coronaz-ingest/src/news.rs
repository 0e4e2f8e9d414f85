//! What reader and writer tell each other.

use coronaz_store::{Batch, Mark};

/// A batch on its way to the writer.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) batch: Batch,
    /// Which assignment of the partition it was read under. After each news of the partition there is another,
    /// and what was read before counts no more.
    pub(crate) generation: u64,
    /// What it takes in memory, about.
    pub(crate) bytes: usize,
    /// When the newest of its records was sent, by its producer's clock; 0 if unknown.
    pub(crate) newest_us: i64,
    /// More follows of what was handed over at the same time: another partition's batch, or another part of one that was
    /// split.
    pub(crate) part: bool,
}

/// What the writer tells the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Read this partition, from this offset on, and forget what was read of it before.
    /// `mark` is of the record before it, if it is known.
    Assigned { partition: i32, epoch: i64, next: i64, mark: Option<Mark>, generation: u64 },
    /// Do not read it any more.
    Revoked { partition: i32 },
    /// A batch is done with: stored, or not wanted any more.
    /// `round_ends` unless more follows of what was handed over with it.
    Done { round_ends: bool, bytes: usize, stored_to: Option<(i32, i64)> },
    /// The partitions that can be had now were told before this.
    Beat,
}
