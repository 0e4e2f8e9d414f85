//! A segment: one file of a log, batches one after the other, and where in it an offset lies.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::batch::Head;
use super::index::Index;
use super::scan::{self, Loss, SCAN_STEP, Scan};
use super::window::Window;

/// What a file of batches is called by: its first offset, and this.
pub(crate) const ENDING: &str = "log";
/// How much is read at once when looking for one batch.
const SEEK_STEP: usize = 4 * 1024;

/// What is known about a file of batches.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    /// The offset of its first record.
    pub(crate) base: i64,
    /// The offset after its last record.
    pub(crate) next: i64,
    /// Bytes of batches, and of what damage left of some; what may lie behind them is none of ours.
    pub(crate) bytes: u64,
    /// The latest time that a producer gave a record in it.
    pub(crate) timestamp_ms_max: i64,
    /// When something was appended last.
    pub(crate) touched: Age,
    /// Where its batches are; `None` until they were read, or when that is in doubt.
    index: Option<Index>,
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

/// What became of looking for something in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sought<T> {
    Found(T),
    /// It is behind this segment.
    Nothing,
    /// The file is not what it was when it was read.
    Changed,
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
            index: Some(Index::default()),
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
        Ok(Self { path, base, next, bytes, timestamp_ms_max, touched, index: None })
    }

    /// A segment that was read as a whole. Of one that is closed all `bytes` count, damaged ones too.
    pub(crate) fn scanned(
        file: &File,
        path: PathBuf,
        base: i64,
        bytes: u64,
        scan: &Scan,
    ) -> io::Result<Self> {
        Ok(Self {
            path,
            base,
            next: scan.next,
            bytes,
            timestamp_ms_max: scan.timestamp_ms_max,
            touched: Age::of(file)?,
            index: Some(scan.index.clone()),
        })
    }

    /// A batch was appended, its first record at `offset`.
    pub(crate) fn holds(&mut self, head: &Head, offset: i64) {
        if let Some(index) = &mut self.index {
            index.add(offset, self.bytes);
        }
        self.bytes += head.bytes as u64;
        self.next = offset + i64::from(head.records);
        self.timestamp_ms_max = self.timestamp_ms_max.max(head.timestamp_ms_max);
        self.touched = Age::now();
    }

    /// Its batches are not what they were: they are read again before the next answer.
    pub(crate) fn doubt(&mut self) {
        self.index = None;
    }

    /// Its file is not there any more.
    pub(crate) fn lose(&mut self) {
        let loss = Loss { position: 0, bytes: self.bytes, from: self.base, until: self.next };
        scan::report(&[loss], &self.path);
        self.bytes = 0;
        self.index = Some(Index::default());
    }

    /// Reads and checks all of it, unless it is known where its batches are. So damage shows itself in a
    /// segment whose seal let the start pass over it.
    fn know(&mut self, file: &File) -> io::Result<()> {
        if self.index.is_none() {
            let bytes = self.bytes.min(file.metadata()?.len());
            let scan = scan::scan(file, &self.path, self.base, bytes, Some(self.next), None)?;
            scan::report(&scan.losses, &self.path);
            self.bytes = bytes;
            self.index = Some(scan.index);
        }
        Ok(())
    }

    /// The batches from the one with `offset` on, or from the next one there is, as many as fit into
    /// `bytes_max`, at least one; up to the next damage.
    pub(crate) fn batches_from(
        &mut self,
        file: &File,
        offset: i64,
        bytes_max: u64,
    ) -> io::Result<Sought<Extent>> {
        self.know(file)?;
        let Some(index) = &self.index else { return Ok(Sought::Changed) };
        let mut window = Window::new(file, self.bytes, SEEK_STEP);
        let mut position = index.before_offset(offset);
        let first = loop {
            position = index.skip(position);
            if position >= self.bytes {
                return Ok(Sought::Nothing);
            }
            let Some(head) = window.head(position)? else { return Ok(Sought::Changed) };
            if head.next_offset() > offset {
                break head;
            }
            position += head.bytes as u64;
        };
        let run_end = index.run_end(position, self.bytes);
        if run_end - position <= bytes_max {
            return Ok(Sought::Found(Extent { position, bytes: run_end - position }));
        }
        let limit = position + bytes_max;
        let mut end = position + first.bytes as u64;
        end = end.max(index.before_position(limit));
        while end < run_end {
            let Some(head) = window.head(end)? else { return Ok(Sought::Changed) };
            let after = end + head.bytes as u64;
            if after > limit {
                break;
            }
            end = after;
        }
        Ok(Sought::Found(Extent { position, bytes: end - position }))
    }

    /// The first batch with a record of `timestamp_ms` or later: its first offset and latest time.
    pub(crate) fn at_time(&mut self, file: &File, timestamp_ms: i64) -> io::Result<Sought<(i64, i64)>> {
        self.know(file)?;
        let Some(index) = &self.index else { return Ok(Sought::Changed) };
        let mut window = Window::new(file, self.bytes, SCAN_STEP);
        let mut position = index.skip(0);
        while position < self.bytes {
            let Some(head) = window.head(position)? else { return Ok(Sought::Changed) };
            if head.timestamp_ms_max >= timestamp_ms {
                return Ok(Sought::Found((head.base_offset, head.timestamp_ms_max)));
            }
            position = index.skip(position + head.bytes as u64);
        }
        Ok(Sought::Nothing)
    }
}
