//! One partition on disk: batches in the order of their offsets, exactly as they were produced.
//!
//! | module | what it holds |
//! |---|---|
//! | `batch` | a record batch, checked |
//! | `codec` | compressed records, opened |
//! | `producers` | which batches were stored already |
//! | `segment` | one file of batches |
//! | `index` | where in such a file batches begin |
//! | `window` | reading such a file |
//! | `scan` | such a file as it was left: what is whole, what is damaged |
//! | `files` | those that are open |
//! | `seal` | what the next start need not read again |
//! | `open` | a log as it was left, torn end and all |
//!
//! A batch is written to the system before its append returns, so it survives the death of this
//! process; the power of the machine it survives once the system has written it to the disk.

pub(crate) mod batch;
pub(crate) mod codec;
pub(crate) mod files;
mod index;
mod open;
pub(crate) mod producers;
mod scan;
pub(crate) mod seal;
pub(crate) mod segment;
mod window;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, IoSlice, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use self::batch::Batch;
use self::files::Files;
use self::producers::{Producers, Verdict};
use self::scan::SCAN_STEP;
use self::seal::Seal;
use self::segment::{Age, Extent, Segment, Sought};
use self::window::Window;
use crate::disk;

/// A partition's batches.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    /// What its files are called among those that are open.
    number: u64,
    files: Arc<Files>,
    /// Segments that nothing is appended to any more, the oldest first.
    closed: VecDeque<Closed>,
    active: Segment,
    /// When the active segment got its first batch.
    begun: Age,
    producers: Producers,
    /// A failed write left bytes behind the last batch, which have to go before the next.
    torn: bool,
    /// The broker is stopping, or the topic was deleted.
    is_closed: bool,
}

/// A segment that nothing is appended to any more.
#[derive(Debug)]
struct Closed {
    segment: Segment,
    /// What its seal will say; none once it is sealed.
    unsealed: Option<Arc<Seal>>,
}

/// Batches to send, in a file that stays readable even when it is deleted meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    pub(crate) file: Arc<File>,
    pub(crate) position: u64,
    pub(crate) bytes: u64,
}

impl Slice {
    /// Whether the batches are still as they were written. Between here and their way to the reader
    /// nothing looks at them any more.
    pub(crate) fn is_whole(&self) -> io::Result<bool> {
        let end = self.position + self.bytes;
        let mut window = Window::new(&self.file, end, SCAN_STEP);
        let (mut at, mut next) = (self.position, None);
        while at < end {
            let head = match window.checked_head(at) {
                // It is shorter than it was.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
                head => head?,
            };
            match head {
                Some(head) if next.is_none_or(|next| next == head.base_offset) => {
                    next = Some(head.next_offset());
                    at += head.bytes as u64;
                }
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// What there is at an offset.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    Batches(Slice),
    /// Nothing from there up to this offset, where the log ends: damage.
    Lost {
        until: i64,
    },
}

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    #[error("one before it is missing")]
    OutOfOrder,
    #[error("the producer has begun anew")]
    Outdated,
    #[error("cannot write to the log: {0}")]
    Storage(#[from] io::Error),
}

/// Why nothing can be read at an offset.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("not between the first and the next offset")]
    OutOfRange,
    #[error("cannot read the log: {0}")]
    Storage(#[from] io::Error),
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Since a segment was appended to last; `None` for ever.
    pub(crate) time: Option<Duration>,
    /// Of the newest batches, rounded up to whole segments; `None` without limit.
    pub(crate) bytes: Option<u64>,
}

/// An active segment is closed at this share of the retention time, so that it can expire.
const ROLL_SHARE: u32 = 10;

impl Log {
    /// The first offset there is.
    pub(crate) fn start(&self) -> i64 {
        self.closed.front().map_or(self.active.base, |closed| closed.segment.base)
    }

    /// The offset that comes next.
    pub(crate) fn end(&self) -> i64 {
        self.active.next
    }

    fn bytes(&self) -> u64 {
        self.closed.iter().map(|closed| closed.segment.bytes).sum::<u64>() + self.active.bytes
    }

    /// Appends a batch and returns the offset of its first record. One that was stored already is not
    /// stored again. After an error the log is as it was before.
    pub(crate) fn append(&mut self, batch: &Batch<'_>, segment_bytes: u64) -> Result<i64, AppendError> {
        if let Some(producer) = &batch.head.producer {
            match self.producers.judge(producer, batch.head.records) {
                Verdict::Fresh => {}
                Verdict::Stored(offset) => return Ok(offset),
                Verdict::OutOfOrder => return Err(AppendError::OutOfOrder),
                Verdict::Outdated => return Err(AppendError::Outdated),
            }
        }
        let offset = self.active.next;
        let written =
            self.make_room(batch.head.bytes as u64, segment_bytes).and_then(|()| self.write(batch, offset));
        if let Err(error) = written {
            if let Some(producer) = &batch.head.producer {
                self.producers.failed(producer);
            }
            return Err(error.into());
        }
        if self.active.bytes == 0 {
            self.begun = Age::now();
        }
        self.active.holds(&batch.head, offset);
        if let Some(producer) = &batch.head.producer {
            self.producers.stored(producer, batch.head.records, offset);
        }
        Ok(offset)
    }

    fn make_room(&mut self, bytes: u64, segment_bytes: u64) -> io::Result<()> {
        if self.is_closed {
            return Err(io::Error::other("the broker is stopping, or the topic was deleted"));
        }
        if self.torn {
            self.cut()?;
        }
        if self.active.bytes > 0 && self.active.bytes + bytes > segment_bytes { self.roll() } else { Ok(()) }
    }

    fn write(&mut self, batch: &Batch<'_>, offset: i64) -> io::Result<()> {
        let (prefix, rest) = batch.placed_at(offset);
        let mut slices = [IoSlice::new(&prefix), IoSlice::new(rest)];
        let written = self.active_file().and_then(|file| write_all(&file, &mut slices));
        if written.is_err() {
            self.torn = true;
            // Tried again before the next batch, if it does not succeed now.
            let _ = self.cut();
        }
        written
    }

    /// Removes what a failed write left behind the last batch.
    fn cut(&mut self) -> io::Result<()> {
        self.active_file()?.set_len(self.active.bytes)?;
        self.torn = false;
        Ok(())
    }

    /// Creates the active segment's file.
    fn begin_file(&self) -> io::Result<()> {
        begin_file(&self.active).map(|file| {
            self.files.put((self.number, self.active.base), file, true);
        })
    }

    /// Closes the active segment and begins the next.
    fn roll(&mut self) -> io::Result<()> {
        let next = Segment::empty(&self.folder, self.active.next);
        let file = begin_file(&next)?;
        self.files.put((self.number, next.base), file, true);
        let segment = std::mem::replace(&mut self.active, next);
        let seal = Seal {
            next: segment.next,
            bytes: segment.bytes,
            timestamp_ms_max: segment.timestamp_ms_max,
            producers: self.producers.clone(),
        };
        self.closed.push_back(Closed { segment, unsealed: Some(Arc::new(seal)) });
        Ok(())
    }

    /// Looks for something in the closed segment of this number, or in the active one.
    fn seek<T>(
        &mut self,
        number: usize,
        seek: impl Fn(&mut Segment, &File) -> io::Result<Sought<T>>,
    ) -> io::Result<Option<T>> {
        let segment = match self.closed.get_mut(number) {
            Some(closed) => &mut closed.segment,
            None => &mut self.active,
        };
        let key = (self.number, segment.base);
        for _ in 0..2 {
            let file = match self.files.for_reading(key, &segment.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    segment.lose();
                    return Ok(None);
                }
                file => file?,
            };
            match seek(segment, &file) {
                Ok(Sought::Found(found)) => return Ok(Some(found)),
                Ok(Sought::Nothing) => return Ok(None),
                Ok(Sought::Changed) => segment.doubt(),
                // It is shorter than it was.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => segment.doubt(),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("a segment changes while it is read"))
    }

    /// The batches from the one with `offset` on, or from the next one that damage left, as many whole ones
    /// of one segment as fit into `bytes_max`, at least one. `None` at the end.
    pub(crate) fn read(&mut self, offset: i64, bytes_max: u64) -> Result<Option<Found>, ReadError> {
        if self.is_closed {
            return Err(io::Error::other("the broker is stopping, or the topic was deleted").into());
        }
        if offset < self.start() || offset > self.end() {
            return Err(ReadError::OutOfRange);
        }
        if offset == self.end() {
            return Ok(None);
        }
        for number in self.holding(offset)..=self.closed.len() {
            let extent: Option<Extent> =
                self.seek(number, |segment, file| segment.batches_from(file, offset, bytes_max))?;
            if let Some(Extent { position, bytes }) = extent {
                let file = self.file_of(number)?;
                return Ok(Some(Found::Batches(Slice { file, position, bytes })));
            }
        }
        Ok(Some(Found::Lost { until: self.end() }))
    }

    /// The number of the segment that holds `offset`, or of the next one there is.
    fn holding(&self, offset: i64) -> usize {
        self.closed.partition_point(|closed| closed.segment.next <= offset)
    }

    fn file_of(&self, number: usize) -> io::Result<Arc<File>> {
        let segment = self.closed.get(number).map_or(&self.active, |closed| &closed.segment);
        self.files.for_reading((self.number, segment.base), &segment.path)
    }

    /// The batches at `offset` are not what was appended: the next reading looks at all of its segment.
    ///
    /// # Errors
    /// When there is no room for another segment.
    pub(crate) fn doubt(&mut self, offset: i64) -> io::Result<()> {
        // What is damaged is not appended to.
        if self.holding(offset) == self.closed.len() {
            self.roll()?;
        }
        let number = self.holding(offset);
        if let Some(closed) = self.closed.get_mut(number) {
            closed.segment.doubt();
        }
        Ok(())
    }

    /// The first batch with a record of this time or later: its first offset and latest time.
    pub(crate) fn at_time(&mut self, timestamp_ms: i64) -> Result<Option<(i64, i64)>, ReadError> {
        for number in 0..=self.closed.len() {
            let segment = self.closed.get(number).map_or(&self.active, |closed| &closed.segment);
            if segment.timestamp_ms_max < timestamp_ms {
                continue;
            }
            let found = self.seek(number, |segment, file| segment.at_time(file, timestamp_ms))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Deletes the oldest segments that are beyond the retention; says how many. A disk without room for
    /// another file does not hinder it.
    pub(crate) fn expire(&mut self, retention: Retention) -> io::Result<usize> {
        if self.active.bytes > 0 && !self.active.path.exists() {
            // What is appended to a deleted file does not exist after the next start.
            let file = self.active.path.display().to_string();
            warn!(
                file,
                first_offset = self.active.base,
                "the file that is appended to was deleted: its records are lost"
            );
            self.files.close((self.number, self.active.base));
            self.roll()?;
        }
        let roll_after = retention.time.map(|time| time / ROLL_SHARE);
        let is_due = self.active.bytes > 0 && roll_after.is_some_and(|after| self.begun.elapsed() > after);
        let rolled = if is_due { self.roll() } else { Ok(()) };
        let mut bytes = self.bytes();
        let mut expired = 0;
        while let Some(oldest) = self.closed.front() {
            let segment = &oldest.segment;
            let is_old = retention.time.is_some_and(|time| segment.touched.elapsed() > time);
            let is_much = retention.bytes.is_some_and(|most| bytes - segment.bytes >= most);
            if !is_old && !is_much {
                break;
            }
            // The seal first: one without its segment would be left for ever.
            remove(&seal::path_of(&segment.path))?;
            remove(&segment.path)?;
            self.files.close((self.number, segment.base));
            bytes -= segment.bytes;
            expired += 1;
            self.closed.pop_front();
        }
        rolled.map(|()| expired)
    }

    /// Closed segments that have no seal yet.
    pub(crate) fn unsealed(&self) -> Vec<(PathBuf, Arc<Seal>)> {
        let unsealed =
            |closed: &Closed| Some((closed.segment.path.clone(), Arc::clone(closed.unsealed.as_ref()?)));
        self.closed.iter().filter_map(unsealed).collect()
    }

    /// Its seal is written.
    pub(crate) fn is_sealed(&mut self, segment: &std::path::Path) {
        if let Some(closed) = self.closed.iter_mut().find(|closed| closed.segment.path == segment) {
            closed.unsealed = None;
        } else {
            // It expired meanwhile, and its seal was written after that.
            let _ = fs::remove_file(seal::path_of(segment));
        }
    }

    /// Nothing is appended any more.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.files.close_all(self.number);
    }

    /// The file that is appended to.
    pub(crate) fn active_file(&self) -> io::Result<Arc<File>> {
        self.files.for_appending((self.number, self.active.base), &self.active.path)
    }
}

/// Creates a segment's file. One of this name can only be the beginning of one, of a roll that failed.
fn begin_file(segment: &Segment) -> io::Result<File> {
    // Its position is its end, also after it was cut.
    disk::private().create(true).read(true).append(true).open(&segment.path).and_then(|file| {
        file.set_len(0)?;
        Ok(file)
    })
}

fn remove(path: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write_all(mut file: &File, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
