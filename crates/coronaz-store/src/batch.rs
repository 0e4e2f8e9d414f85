//! What an ingest process hands over in one piece: a stretch of one partition, decoded.

use crate::Mark;
use coronaz_wire::announcement::Announcement;
use coronaz_wire::frame::{Frame, FrameError};
use coronaz_wire::report::Report;
use std::num::NonZeroU32;
use uuid::Uuid;

/// The paper's figure: a state every ten messages.
pub const STATE_EVERY_DEFAULT: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// All records of a partition from one offset to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The partition of the topic.
    pub partition: i32,
    /// The epoch under which the caller owns the partition.
    pub epoch: i64,
    /// Offset of the first record, which must be the store's next.
    pub from: i64,
    /// Offset after the last record. Offsets without a record (the topic may skip some) are in between.
    pub to: i64,
    /// With these records the log ends: the partition has another one, whose first offset is 0 and whose records are
    /// identified by what they say, since those that were read before may come again.
    pub replaced: bool,
    /// What the reader recognises the last record by; `None`: as before.
    pub mark: Option<Mark>,
    /// Runs that were announced. Of several announcements of a run the first counts.
    pub announcements: Vec<AnnouncementRecord>,
    /// Reports in the order of their offsets.
    pub reports: Vec<ReportRecord>,
    /// Frames of fleets in the order of their offsets.
    pub frames: Vec<FrameRecord>,
    /// Records that could not be read.
    pub rejected: Vec<Rejected>,
    /// Offsets that the topic did not hand out.
    pub gaps: Vec<Gap>,
    /// A state of a run is drawn when this many of its reports have come since the one before, or when a
    /// node dies. The count is the store's, so it does not begin again with a batch or a process.
    pub state_every: NonZeroU32,
    /// When the batch is written, by the caller's clock (microseconds since the Unix epoch).
    pub now_us: i64,
}

impl Batch {
    /// A batch with no records yet that begins and ends at `from`.
    pub fn new(partition: i32, epoch: i64, from: i64) -> Self {
        Self {
            partition,
            epoch,
            from,
            to: from,
            replaced: false,
            mark: None,
            announcements: Vec::new(),
            reports: Vec::new(),
            frames: Vec::new(),
            rejected: Vec::new(),
            gaps: Vec::new(),
            state_every: STATE_EVERY_DEFAULT,
            now_us: 0,
        }
    }

    /// The partition's next offset after it.
    pub fn next(&self) -> i64 {
        if self.replaced { 0 } else { self.to }
    }

    /// Records in it, of all kinds.
    pub fn records(&self) -> usize {
        self.announcements.len() + self.reports.len() + self.frames.len() + self.rejected.len()
    }
}

/// A fleet's frame and where it stood. Its bytes are good: only [`FrameRecord::new`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameRecord {
    offset: i64,
    bytes: Vec<u8>,
}

impl FrameRecord {
    /// Takes a record that is a frame.
    ///
    /// # Errors
    /// Why it is none, and the bytes.
    pub fn new(offset: i64, bytes: Vec<u8>) -> Result<Self, (FrameError, Vec<u8>)> {
        match Frame::decode(&bytes) {
            Ok(_) => Ok(Self { offset, bytes }),
            Err(error) => Err((error, bytes)),
        }
    }

    /// Its offset in the partition.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// The record's value.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The record's value.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// An announcement and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnouncementRecord {
    /// Its offset in the partition.
    pub offset: i64,
    /// What it says.
    pub announcement: Announcement,
}

/// A report and where it stood.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRecord {
    /// Its offset in the partition.
    pub offset: i64,
    /// What it says.
    pub report: Report,
}

/// Offsets that the topic did not hand out: the only trace of a loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub from: i64,
    /// The one after the last; `from` when it is not known how many there were.
    pub to: i64,
    /// Why, for people.
    pub reason: String,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its offset in the partition.
    pub offset: i64,
    /// Why, for people.
    pub reason: String,
    /// The run it names, if it could be read so far.
    pub run: Option<Uuid>,
    /// The record's value; the store keeps the first [`crate::REJECTED_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
}

/// Whether a report that names no place in its device's sequence is in already: it stands in a log that was found in
/// another's place at `replaced_us`, is from before that, and its device's newest report that is in is as late.
pub(crate) fn was_read_before(time_us: i64, latest_us: Option<i64>, replaced_us: Option<i64>) -> bool {
    replaced_us.is_some_and(|replaced_us| time_us < replaced_us)
        && latest_us.is_some_and(|latest_us| time_us <= latest_us)
}
