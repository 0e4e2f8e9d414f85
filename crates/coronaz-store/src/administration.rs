//! The side of whoever keeps the store in order: runs are deleted, whole, and old ones go by themselves.

use crate::StoreError;
use std::ops::ControlFlow;
use uuid::Uuid;

/// Is told how many rows are gone so far, and may break: the rest goes with the next call of either method.
pub type Watch<'a> = &'a mut dyn FnMut(u64) -> ControlFlow<()>;

/// The store as an operator sees it. Calls block, and give way to whoever writes: a big run is removed in many small
/// steps.
///
/// A run that is deleted is gone for readers at once and leaves a *tombstone*: records of it that still arrive are
/// read, counted ([`crate::Committed::skipped`]) and not stored. The run without a name (the nil UUID, to which reports
/// without a run belong) leaves none, for it would swallow all of them for ever; what arrives after its deletion begins it
/// anew.
pub trait Administration: Send {
    /// Deletes a run: no row of it is left. `now_us` is the caller's clock (microseconds since the Unix epoch).
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`] when it is not there; [`StoreError::Unavailable`] when the store cannot be written
    /// now. What was removed by then stays removed, and the rest goes with the next call.
    fn delete_run(&mut self, run: Uuid, now_us: i64, watch: Watch<'_>) -> Result<Deleted, StoreError>;

    /// Deletes the runs of which nothing was stored at or after `before_us`, by the clock of those who stored it, and
    /// says which. Also removes what was left of earlier deletions.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the store cannot be written now.
    fn prune(&mut self, before_us: i64, now_us: i64, watch: Watch<'_>) -> Result<Vec<Uuid>, StoreError>;

    /// The tombstones, newest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the store cannot be read now.
    fn deleted_runs(&mut self) -> Result<Vec<DeletedRun>, StoreError>;
}

/// What a deletion did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Rows removed by this call.
    pub rows: u64,
    /// False when the watcher broke it off: the run is gone for readers, some of its rows are still to be removed.
    pub whole: bool,
}

/// The tombstone of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeletedRun {
    /// Which run it was.
    pub run: Uuid,
    /// When it was deleted (microseconds since the Unix epoch).
    pub at_us: i64,
    /// Records of it that arrived afterwards.
    pub skipped: u64,
}
