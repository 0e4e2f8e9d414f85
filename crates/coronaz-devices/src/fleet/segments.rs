//! What waits for the broker, on disk: a queue of records in files, read in the order written.
//!
//! `DIR/<number>.frames` are *segments*; records are added to the last and read from the first. A segment is
//! deleted when all its records have arrived. A record is its length, its CRC-32 and its body; a torn
//! tail is of a process that was killed while it wrote, and is cut off; of a damaged segment the whole records are kept, and
//! a copy of it is set aside. Started again with the same folder, a fleet
//! first sends what its predecessor could not; readers drop what had arrived. `DIR/lock` keeps a second process out.

mod entry;
mod repair;

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::publisher::Outgoing;
use crate::spool_folder::{self, SpoolError, failed};

/// The default limit of all segments: some hours of a million people.
pub const LIMIT_BYTES: u64 = 4 << 30;
/// The smallest limit that makes sense.
pub const LIMIT_BYTES_MIN: u64 = 1 << 20;
/// A segment that has become this long is followed by the next. It is also how much may be sent twice after a kill.
const SEGMENT_BYTES: u64 = 16 << 20;

/// Why a record was not added.
#[derive(Debug, thiserror::Error)]
pub(super) enum AppendError {
    #[error("the spool holds all it may")]
    Full,
    #[error(transparent)]
    Io(#[from] SpoolError),
}

struct Segment {
    number: u64,
    bytes: u64,
    /// Records that have not arrived yet.
    left: u64,
    /// Records that were not read yet.
    unread: u64,
}

/// The segments of a folder.
pub(super) struct Segments {
    dir: PathBuf,
    _lock: File,
    limit_bytes: u64,
    /// The last is the one that is written; there is always one.
    segments: VecDeque<Segment>,
    writer: File,
    /// The segment that is read, by number, and from where.
    reading: u64,
    offset: u64,
    reader: Option<File>,
}

impl Segments {
    /// Opens the folder, made if need be; what is in it is read first.
    pub(super) fn open(dir: &Path, limit_bytes: u64) -> Result<Self, SpoolError> {
        let lock = spool_folder::claim(dir)?;
        let mut segments = VecDeque::new();
        for number in numbers(dir)? {
            let path = path_of(dir, number);
            spool_folder::clear_folder(&path)?;
            if !path.exists() {
                continue;
            }
            let (bytes, left) = repair::repair(&path)?;
            if left == 0 {
                fs::remove_file(&path).map_err(failed(&path, "deleted"))?;
            } else {
                segments.push_back(Segment { number, bytes, left, unread: left });
            }
        }
        let number = segments.back().map_or(0, |segment: &Segment| segment.number + 1);
        let writer = create(dir, number)?;
        segments.push_back(Segment { number, bytes: 0, left: 0, unread: 0 });
        let reading = segments.front().map_or(number, |segment| segment.number);
        let limit_bytes = limit_bytes.max(LIMIT_BYTES_MIN);
        let dir = dir.to_owned();
        Ok(Segments { dir, _lock: lock, limit_bytes, segments, writer, reading, offset: 0, reader: None })
    }

    /// Bytes on disk.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The most there may be.
    pub(super) fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Whether something was not read yet.
    pub(super) fn is_unread(&self) -> bool {
        let last = self.last();
        self.reading != last.number || self.offset < last.bytes
    }

    /// Adds a record.
    pub(super) fn append(&mut self, record: &Outgoing) -> Result<(), AppendError> {
        let entry = entry::write(record);
        if self.bytes() + entry.len() as u64 > self.limit_bytes {
            return Err(AppendError::Full);
        }
        if self.last().bytes >= SEGMENT_BYTES {
            self.begin_segment()?;
        }
        if let Err(source) = self.writer.write_all(&entry) {
            let (path, bytes) = (path_of(&self.dir, self.last().number), self.last().bytes);
            // What was written of it is cut off; where even that fails, the reader sees a torn tail.
            if self.writer.set_len(bytes).is_err() {
                self.begin_segment()?;
            }
            return Err(failed(&path, "written")(source).into());
        }
        let last = self.last_mut();
        last.bytes += entry.len() as u64;
        last.left += 1;
        last.unread += 1;
        Ok(())
    }

    /// The record added last is also kept in memory, and everything before it was read: it need not be.
    pub(super) fn skip(&mut self) {
        let (number, bytes) = (self.last().number, self.last().bytes);
        if self.reading != number {
            self.reader = None;
        }
        self.last_mut().unread = 0;
        (self.reading, self.offset) = (number, bytes);
    }

    /// Reads the next record. One that is damaged ends its segment.
    pub(super) fn read(&mut self) -> Result<Option<Outgoing>, SpoolError> {
        while self.is_unread() {
            let end = self.segment_read().map_or(0, |segment| segment.bytes);
            if self.offset < end {
                let path = path_of(&self.dir, self.reading);
                if let Some((record, length)) = self.read_at().map_err(failed(&path, "read"))? {
                    self.offset += length;
                    if let Some(segment) = self.segment_read() {
                        segment.unread = segment.unread.saturating_sub(1);
                    }
                    return Ok(Some(record));
                }
                self.give_up_rest(&path);
            }
            self.reader = None;
            if self.reading == self.last().number {
                self.offset = self.last().bytes;
            } else {
                (self.reading, self.offset) = (self.next_number(), 0);
            }
        }
        Ok(None)
    }

    /// So many records, the oldest that were read, have arrived or are given up.
    pub(super) fn settle(&mut self, records: u64) {
        let mut records = records;
        while let Some(first) = self.segments.front_mut() {
            let settled = records.min(first.left);
            first.left -= settled;
            records -= settled;
            if first.left > 0 {
                return;
            }
            if self.segments.len() == 1 {
                self.empty_last();
                return;
            }
            if self.reading == self.segments[0].number {
                if self.offset < self.segments[0].bytes {
                    return;
                }
                (self.reading, self.offset, self.reader) = (self.next_number(), 0, None);
            }
            self.delete_first();
        }
    }

    /// Everything has arrived: the last segment is begun anew, so that little is sent twice after a kill.
    fn empty_last(&mut self) {
        if self.is_unread() || self.last().bytes == 0 {
            return;
        }
        if self.writer.set_len(0).is_ok() {
            self.last_mut().bytes = 0;
            (self.offset, self.reader) = (0, None);
        }
    }

    fn delete_first(&mut self) {
        if let Some(first) = self.segments.pop_front() {
            let path = path_of(&self.dir, first.number);
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a spool's file cannot be deleted");
            }
        }
    }

    fn begin_segment(&mut self) -> Result<(), SpoolError> {
        let number = self.last().number + 1;
        self.writer = create(&self.dir, number)?;
        self.segments.push_back(Segment { number, bytes: 0, left: 0, unread: 0 });
        Ok(())
    }

    /// The number of the segment after the one that is read.
    fn next_number(&self) -> u64 {
        let next = self.segments.iter().map(|segment| segment.number).find(|&number| number > self.reading);
        next.unwrap_or(self.last().number)
    }

    fn read_at(&mut self) -> io::Result<Option<(Outgoing, u64)>> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(File::open(path_of(&self.dir, self.reading))?),
        };
        reader.seek(SeekFrom::Start(self.offset))?;
        entry::read(reader)
    }

    /// The segment that is read is damaged from here on: what was not read of it is lost.
    fn give_up_rest(&mut self, path: &Path) {
        let offset = self.offset;
        if let Some(segment) = self.segment_read() {
            tracing::warn!(path = %path.display(), offset, records = segment.unread, "the spool is damaged");
            segment.left -= segment.unread;
            (segment.unread, segment.bytes) = (0, offset);
        }
    }

    fn segment_read(&mut self) -> Option<&mut Segment> {
        let reading = self.reading;
        self.segments.iter_mut().find(|segment| segment.number == reading)
    }

    fn last(&self) -> &Segment {
        self.segments.back().expect("there is always a segment that is written")
    }

    fn last_mut(&mut self) -> &mut Segment {
        self.segments.back_mut().expect("there is always a segment that is written")
    }
}

/// A process that ends with nothing left leaves no file.
impl Drop for Segments {
    fn drop(&mut self) {
        if self.segments.iter().all(|segment| segment.left == 0) {
            while !self.segments.is_empty() {
                self.delete_first();
            }
        }
    }
}

fn path_of(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}.frames"))
}

fn create(dir: &Path, number: u64) -> Result<File, SpoolError> {
    let path = path_of(dir, number);
    OpenOptions::new().create(true).append(true).open(&path).map_err(failed(&path, "made"))
}

/// The numbers of the segments in a folder, in order.
fn numbers(dir: &Path) -> Result<Vec<u64>, SpoolError> {
    let mut numbers = Vec::new();
    for file in fs::read_dir(dir).map_err(failed(dir, "read"))? {
        let name = file.map_err(failed(dir, "read"))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".frames")?.parse::<u64>().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests;
