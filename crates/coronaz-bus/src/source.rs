//! How partitions are read, from offsets that the caller keeps.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::mark::Mark;
use crate::record::Message;

/// Reads partitions that were assigned by hand, each from an offset that the caller keeps (in the
/// store, beside the rows). No consumer group, no committed offsets.
///
/// Within a partition offsets only rise; what the broker delivers again is dropped. An offset belongs to one log: when the
/// broker has another one (the topic was deleted and made again, its data was replaced, its end was lost), the source
/// says so ([`Incoming::Replaced`]) and reads that one from its first record. It notices by the record before the
/// position, which it compares whenever the connection was lost, when the broker says that there is no such offset, and
/// from time to time.
pub trait RecordSource: Send {
    /// Reads `partition` from `next_offset` on, beside those already assigned. Assigning it again
    /// moves it there (a seek).
    fn assign(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError>;

    /// As [`assign`](Self::assign), with the mark of a record before `next_offset` (usually the last one read): it is
    /// compared before anything is handed out.
    fn assign_after(
        &mut self,
        partition: i32,
        next_offset: i64,
        mark: Option<Mark>,
    ) -> Result<(), SourceError>;

    /// Stops reading `partition`; nothing of it comes out any more. No effect if it was not assigned.
    fn unassign(&mut self, partition: i32) -> Result<(), SourceError>;

    /// Goes on at `next_offset`, backwards or forwards.
    fn seek(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError>;

    /// Holds all assigned partitions back: polling goes on and returns nothing of them.
    fn pause(&mut self) -> Result<(), SourceError>;

    /// Goes on where [`pause`](Self::pause) held.
    fn resume(&mut self) -> Result<(), SourceError>;

    /// Appends what has arrived, at most `limits`, waiting up to `wait` for the first. A broker that
    /// is away is no error: nothing arrives, and it goes on when it is back.
    fn poll(&mut self, wait: Duration, limits: Limits, into: &mut Vec<Incoming>) -> Result<(), SourceError>;

    /// The offset that comes next out of `partition`; `None` when it is not assigned.
    fn position(&self, partition: i32) -> Option<i64>;

    /// The mark of the last record that came out of `partition`, or the one that it was assigned with.
    fn mark(&self, partition: i32) -> Option<Mark>;

    /// Asks the broker where the assigned partitions begin and end, all of them at once, and does not wait for the
    /// answer.
    fn ask_for_ends(&mut self);

    /// The answer to the last [`ask_for_ends`](Self::ask_for_ends), once it is there; each is given once.
    fn take_ends(&mut self) -> Option<BTreeMap<i32, Watermarks>>;

    /// Partitions that have records, or another end than they should, and have yielded nothing since that was noticed:
    /// they stand still for now.
    fn stalled(&self) -> Vec<i32>;

    /// Whether the broker was there when last heard of.
    fn is_reachable(&self) -> bool;

    /// What was counted since the start.
    fn figures(&self) -> SourceFigures;
}

/// How much one [`poll`](RecordSource::poll) may append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records, at least 1 is taken.
    pub records: usize,
    /// Bytes of keys and payloads; the last record may go over it by its own size.
    pub bytes: usize,
}

impl Default for Limits {
    /// 10,000 records and 16 MiB: a large transaction of the store, a small part of memory.
    fn default() -> Self {
        Self { records: 10_000, bytes: 16 << 20 }
    }
}

/// What comes out of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A record.
    Record(Message),
    /// Offsets that will not come. Whoever reads writes it down: it is the only trace of a loss.
    Gap {
        /// The partition.
        partition: i32,
        /// The first offset that does not come.
        from: i64,
        /// The offset after the last one; the partition goes on here.
        to: i64,
        /// Why.
        reason: GapReason,
    },
    /// The partition has another log than the one that was read so far. What comes next is that log, from its first
    /// record on; what was read before may come again.
    Replaced {
        /// The partition.
        partition: i32,
        /// The offset that would have come next in the former log.
        next: i64,
        /// The end of the former log, as far as it is known to have gone beyond `next`: records up to there are lost.
        end: Option<i64>,
    },
}

impl Incoming {
    /// The partition it belongs to.
    pub fn partition(&self) -> i32 {
        match self {
            Self::Record(message) => message.partition,
            Self::Gap { partition, .. } | Self::Replaced { partition, .. } => *partition,
        }
    }

    /// The partition's next offset after this.
    pub fn next_offset(&self) -> i64 {
        match self {
            Self::Record(message) => message.offset + 1,
            Self::Gap { to, .. } => *to,
            Self::Replaced { .. } => 0,
        }
    }
}

/// Why offsets do not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// The broker went on with a later offset: removed (a compacted topic, another program's transaction marker), or
    /// left out because it was damaged.
    Missing,
    /// The partition begins with a later offset: expired by retention before it was read.
    Expired,
    /// The broker says that the records are there, and what it hands out for them cannot be read: damaged, compressed in
    /// a way that nothing comes out of, or nothing at all.
    Unreadable,
}

/// A partition's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// The first offset there is.
    pub low: i64,
    /// The offset that the next record will get.
    pub high: i64,
}

impl Watermarks {
    /// Records between `next_offset` and the end.
    pub fn lag_records(&self, next_offset: i64) -> u64 {
        u64::try_from(self.high.saturating_sub(next_offset)).unwrap_or(0)
    }
}

/// What a source counted since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceFigures {
    /// Records handed out.
    pub records: u64,
    /// Bytes of keys and payloads handed out.
    pub bytes: u64,
    /// Records that the broker delivered again, dropped here.
    pub repeats: u64,
    /// Gaps told.
    pub gaps: u64,
    /// Times that a partition with records left had to be asked for anew.
    pub refetches: u64,
    /// Times that a partition turned out to have another log.
    pub replaced: u64,
}

/// Why reading does not go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The partition is not assigned.
    #[error("partition {partition} is not assigned")]
    NotAssigned {
        /// The partition asked for.
        partition: i32,
    },
    /// The broker did not answer in time.
    #[error("the broker did not answer: {reason}")]
    Unreachable {
        /// What the client said.
        reason: String,
    },
    /// The client cannot be used any more; make a new one.
    #[error("the client to the broker failed: {reason}")]
    Failed {
        /// What the client said.
        reason: String,
    },
}
