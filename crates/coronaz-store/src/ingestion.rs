//! The writing side: who may write a partition, from where, and the commit.

use crate::{Batch, CommitError, StoreError};
use std::time::Duration;

/// The store as an ingest process sees it. Calls block. One value is used by one thread.
///
/// A partition is written by one owner at a time. Ownership is a *lease* with an epoch that grows with each
/// owner; it keeps processes out of each other's way. What makes it right is [`Ingestion::commit`]: it fails
/// for whoever is not the owner any more.
pub trait Ingestion: Send {
    /// Creates the store if there is none and brings an older one to this version's form. The other
    /// methods do so too when they are called first.
    fn prepare(&mut self) -> Result<(), StoreError>;

    /// Says that this process lives: writes its status, makes its leases last on, and tells who else is there.
    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<Ownership, StoreError>;

    /// Takes a partition whose lease is not in force (see [`Lease::is_in_force`]) or in this owner's name: a process
    /// that was restarted under its name goes on at once. `None`: somebody else has it.
    fn take(
        &mut self,
        partition: i32,
        owner: &str,
        now_us: i64,
        lasts: Duration,
    ) -> Result<Option<Held>, StoreError>;

    /// Gives partitions back, so that others can take them at once.
    fn release(&mut self, owner: &str, held: &[(i32, i64)]) -> Result<(), StoreError>;

    /// Which records are in, by partition.
    fn offsets(&mut self) -> Result<Vec<PartitionOffset>, StoreError>;

    /// Writes a batch, all or nothing, and the offset after it.
    ///
    /// What the records say cannot make it fail: a report that was repeated adds nothing but the contacts
    /// that are new, odd values are stored as they are.
    ///
    /// # Errors
    /// [`CommitError::Fenced`] when the store expects another epoch or offset; [`CommitError::Store`] when
    /// it cannot be written now; [`CommitError::Refused`] should not happen, and the caller can find the
    /// record by halving the batch.
    fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError>;

    /// Writes batches one after the other, each as [`Ingestion::commit`] does: the first, and as many more as the store
    /// writes more cheaply together.
    ///
    /// Returns what each of those did that are in. An error is of the one after them; without one, the rest is to be
    /// handed over again.
    fn commit_some(&mut self, batches: &[&Batch]) -> (Vec<Committed>, Result<(), CommitError>) {
        match batches.first().map(|first| self.commit(first)).transpose() {
            Ok(committed) => (committed.into_iter().collect(), Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        }
    }

    /// At the end: leaves the store so that a copy of its file is whole. Who uses it meanwhile is not disturbed.
    fn settle(&mut self) {}

    /// How many bytes the store may keep in memory between batches, about. Beyond it what it knows of people is
    /// read again when they report.
    fn remember_at_most(&mut self, bytes: usize) {
        let _ = bytes;
    }
}

/// Who owns a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The partition.
    pub partition: i32,
    /// Its owner's name.
    pub owner: String,
    /// Grows by one with each owner.
    pub epoch: i64,
    /// Until when (microseconds since the Unix epoch).
    pub until_us: i64,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// How the process is doing; its `owner` and `updated_us` are those of the leases too.
    pub status: IngestStatus,
    /// The (partition, epoch) that it owns.
    pub held: Vec<(i32, i64)>,
    /// How long the leases last from now.
    pub lasts: Duration,
}

/// Who owns what, just after a heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Partitions of the heartbeat that belong to somebody else by now.
    pub lost: Vec<i32>,
    /// All leases that were ever taken; those with `until_us` in the past can be taken by anyone.
    pub leases: Vec<Lease>,
    /// Processes whose last heartbeat is not older than a lease lasts and that have not stopped, this one
    /// among them; ascending.
    pub members: Vec<String>,
}

/// A partition that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The partition.
    pub partition: i32,
    /// The epoch to commit with.
    pub epoch: i64,
    /// The offset to read from.
    pub next: i64,
    /// How often the partition has turned out to have another log (see [`PartitionOffset::life`]).
    pub life: u32,
    /// What the reader has to recognise the last record by; `None`: nothing was read, or by an earlier version.
    pub mark: Option<Mark>,
}

impl Lease {
    /// Whether others have to keep off: it has not run out, nor does it end later than any lease can that was
    /// renewed by now (then somebody's clock was wrong, or was set back).
    pub fn is_in_force(&self, now_us: i64, lasts: Duration) -> bool {
        let lasts_us = i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX);
        self.until_us > now_us && self.until_us <= now_us.saturating_add(lasts_us.saturating_mul(2))
    }
}

/// What a reader recognises a record by, kept with the offset and understood by the reader alone.
pub type Mark = [u8; 24];

/// Which records of a partition are in: all below `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionOffset {
    /// The partition.
    pub partition: i32,
    /// The epoch of the owner who wrote last.
    pub epoch: i64,
    /// The offset to read next.
    pub next: i64,
    /// Offsets belong to one log. Each time the partition has turned out to have another one (the topic was deleted and
    /// made again, the broker's data was replaced or lost its end) this grows by one, and `next` begins again with 0.
    pub life: u32,
    /// When that was noticed last (microseconds since the Unix epoch).
    pub replaced_us: Option<i64>,
    /// What the reader has to recognise the record before `next` by.
    pub mark: Option<Mark>,
    /// Records read, of all kinds, from all of its logs.
    pub records: u64,
    /// Of these, how many were read from earlier logs than the one that `next` is of.
    pub earlier_records: u64,
    /// Of `records`, how many could not be read.
    pub rejected: u64,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// Reports that were new.
    pub reports: u64,
    /// Reports that were in already.
    pub repeated: u64,
    /// Contacts that were new.
    pub contacts: u64,
    /// States drawn.
    pub states: u64,
    /// Frames that were new.
    pub frames: u64,
    /// Records that the store put aside: they contradict what the run is.
    pub rejected: u64,
    /// Records of runs that were deleted: read, and not stored.
    pub skipped: u64,
}

/// How an ingest process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IngestState {
    /// Has no partition yet.
    Starting,
    /// Reads and writes.
    Running,
    /// Waits for the store; it can only say so once the store is back, or to a store that still takes it. Or a partition
    /// stands still: it has records, or another end than it should, and yields nothing.
    Waiting,
    /// Ended by itself.
    Stopped,
}

impl IngestState {
    /// The word in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
        }
    }

    /// The inverse of [`IngestState::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Starting, Self::Running, Self::Waiting, Self::Stopped]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// What an ingest process says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestStatus {
    /// Its name, as in the leases.
    pub owner: String,
    /// How it is doing.
    pub state: IngestState,
    /// When it said so (microseconds since the Unix epoch).
    pub updated_us: i64,
    /// When it started.
    pub started_us: i64,
    /// What it owns.
    pub partitions: Vec<i32>,
    /// Records on the topic that are not in the store, of its partitions.
    pub lag_records: u64,
    /// When the newest record that is in was written to the topic.
    pub newest_record_us: Option<i64>,
    /// Records it has read.
    pub records: u64,
    /// Of these, how many could not be read.
    pub rejected: u64,
}
