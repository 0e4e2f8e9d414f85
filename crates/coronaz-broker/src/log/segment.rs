//! A segment: one file of a log, batches one after the other, and where in it an offset lies.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use super::batch::Head;
use super::producers::Producers;
use super::window::Window;

/// What a file of batches is called by: its first offset, and this.
pub(crate) const ENDING: &str = "log";
/// An entry of the index for so many bytes of batches: what has to be read to find an offset.
const INDEX_STEP_BYTES: u64 = 16 * 1024;
/// How much is read at once when looking for one batch, and when reading a whole segment.
const SEEK_STEP: usize = 4 * 1024;
const SCAN_STEP: usize = 256 * 1024;

/// What is known about a file of batches.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// The offset of its first record.
    pub(crate) base: i64,
    /// The offset after its last record.
    pub(crate) next: i64,
    /// Bytes of whole batches; what may lie behind them is none of ours.
    pub(crate) bytes: u64,
    /// The latest time that a producer gave a record in it.
    pub(crate) timestamp_ms_max: i64,
    /// When something was appended last.
    pub(crate) touched: Age,
    index: OnceLock<Index>,
}

/// How long ago something was, however the clock is set meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Age {
    was: Duration,
    at: Instant,
}

impl Age {
    pub(crate) fn now() -> Self {
        Self { was: Duration::ZERO, at: Instant::now() }
    }

    /// As old as the file. A file from the future is taken for new.
    fn of(file: &File) -> io::Result<Self> {
        let was = SystemTime::now().duration_since(file.metadata()?.modified()?).unwrap_or_default();
        Ok(Self { was, at: Instant::now() })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.was + self.at.elapsed()
    }
}

/// Where some of the batches begin: (offset, position), both rising.
#[derive(Debug, Default)]
struct Index {
    entries: Vec<(i64, u64)>,
}

impl Index {
    fn add(&mut self, offset: i64, position: u64) {
        let due = self.entries.last().is_none_or(|(_, last)| position >= last + INDEX_STEP_BYTES);
        if due {
            self.entries.push((offset, position));
        }
    }

    /// The last entry for which `is_before` holds.
    fn last(&self, is_before: impl Fn(&(i64, u64)) -> bool) -> u64 {
        let after = self.entries.partition_point(is_before);
        after.checked_sub(1).map_or(0, |at| self.entries[at].1)
    }
}

/// Whole batches in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) position: u64,
    pub(crate) bytes: u64,
}

impl Segment {
    pub(crate) fn path_of(folder: &Path, base: i64) -> PathBuf {
        folder.join(format!("{base:020}.{ENDING}"))
    }

    /// A segment with nothing in it.
    pub(crate) fn empty(folder: &Path, base: i64) -> Self {
        Self {
            path: Self::path_of(folder, base),
            base,
            next: base,
            bytes: 0,
            timestamp_ms_max: -1,
            touched: Age::now(),
            index: OnceLock::from(Index::default()),
        }
    }

    /// A segment of which everything is known but where its batches lie, which is read when needed.
    pub(crate) fn known(
        file: &File,
        path: PathBuf,
        base: i64,
        next: i64,
        bytes: u64,
        timestamp_ms_max: i64,
    ) -> io::Result<Self> {
        let touched = Age::of(file)?;
        Ok(Self { path, base, next, bytes, timestamp_ms_max, touched, index: OnceLock::new() })
    }

    /// Reads a whole segment as it was left, up to the first batch that is not what was written: a
    /// broker killed in the middle of writing leaves half a batch at its end.
    pub(crate) fn recover(
        file: &File,
        path: PathBuf,
        base: i64,
        producers: &mut Producers,
    ) -> io::Result<Self> {
        let touched = Age::of(file)?;
        let mut window = Window::new(file, file.metadata()?.len(), SCAN_STEP);
        let mut segment = Self {
            path,
            base,
            next: base,
            bytes: 0,
            timestamp_ms_max: -1,
            touched,
            index: OnceLock::from(Index::default()),
        };
        while let Some(head) = window.checked_head(segment.bytes)? {
            if head.base_offset != segment.next {
                break;
            }
            if let Some(producer) = &head.producer {
                producers.stored(producer, head.records, head.base_offset);
            }
            segment.holds(&head, head.base_offset);
        }
        segment.touched = touched;
        Ok(segment)
    }

    /// A batch was appended, its first record at `offset`.
    pub(crate) fn holds(&mut self, head: &Head, offset: i64) {
        if let Some(index) = self.index.get_mut() {
            index.add(offset, self.bytes);
        }
        self.bytes += head.bytes as u64;
        self.next = offset + i64::from(head.records);
        self.timestamp_ms_max = self.timestamp_ms_max.max(head.timestamp_ms_max);
        self.touched = Age::now();
    }

    fn index(&self, file: &File) -> io::Result<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let mut index = Index::default();
        let mut window = Window::new(file, self.bytes, SCAN_STEP);
        let mut position = 0;
        while let Some(head) = window.head(position)? {
            index.add(head.base_offset, position);
            position += head.bytes as u64;
        }
        Ok(self.index.get_or_init(|| index))
    }

    /// The batches from the one with `offset` on, as many as fit into `bytes_max`, at least one.
    pub(crate) fn batches_from(
        &self,
        file: &File,
        offset: i64,
        bytes_max: u64,
    ) -> io::Result<Option<Extent>> {
        let index = self.index(file)?;
        let mut window = Window::new(file, self.bytes, SEEK_STEP);
        let mut position = index.last(|(base, _)| *base <= offset);
        let first = loop {
            let Some(head) = window.head(position)? else { return Ok(None) };
            if head.next_offset() > offset {
                break head;
            }
            position += head.bytes as u64;
        };
        if self.bytes - position <= bytes_max {
            return Ok(Some(Extent { position, bytes: self.bytes - position }));
        }
        let limit = position + bytes_max;
        let mut end = position + first.bytes as u64;
        end = end.max(index.last(|(_, at)| *at <= limit));
        while let Some(head) = window.head(end)? {
            let after = end + head.bytes as u64;
            if after > limit {
                break;
            }
            end = after;
        }
        Ok(Some(Extent { position, bytes: end - position }))
    }

    /// The first batch with a record of `timestamp_ms` or later: its first offset and latest time.
    pub(crate) fn at_time(&self, file: &File, timestamp_ms: i64) -> io::Result<Option<(i64, i64)>> {
        let mut window = Window::new(file, self.bytes, SCAN_STEP);
        let mut position = 0;
        while let Some(head) = window.head(position)? {
            if head.timestamp_ms_max >= timestamp_ms {
                return Ok(Some((head.base_offset, head.timestamp_ms_max)));
            }
            position += head.bytes as u64;
        }
        Ok(None)
    }
}
