//! A log as it was left, torn end, damage and all.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{info, warn};

use super::files::Files;
use super::producers::Producers;
use super::scan::{self, Loss, Tail};
use super::seal::{self, Seal};
use super::segment::{self, Segment};
use super::{Closed, Log};
use crate::disk;

/// What is found while a log is opened, segment by segment.
struct Opening<'a> {
    folder: &'a Path,
    closed: VecDeque<Closed>,
    producers: Producers,
    /// The offset that the next segment should begin with; `None` before the first.
    next: Option<i64>,
}

impl Log {
    /// Opens the log in `folder`, which is there. The unfinished batch that a death in the middle of writing
    /// leaves is removed; damage is reported and passed over.
    pub(crate) fn open(folder: &Path, files: &Arc<Files>) -> io::Result<Self> {
        let mut bases = bases_in(folder)?;
        let last = bases.pop();
        let producers = Producers::default();
        let mut opening = Opening { folder, closed: VecDeque::new(), producers, next: None };
        for (at, base) in bases.iter().enumerate() {
            let until = bases.get(at + 1).or(last.as_ref()).copied();
            opening.closed(*base, until)?;
        }
        let active = match last {
            Some(base) => opening.last(base)?,
            None => None,
        };
        let is_new = active.is_none();
        let active = active.unwrap_or_else(|| Segment::empty(folder, opening.next.unwrap_or(0)));
        let begun = active.touched;
        let (number, files) = (files.number(), Arc::clone(files));
        let Opening { closed, producers, .. } = opening;
        let log = Self {
            folder: folder.to_owned(),
            number,
            files,
            closed,
            active,
            begun,
            producers,
            torn: false,
            is_closed: false,
        };
        if is_new {
            log.begin_file()?;
        }
        Ok(log)
    }
}

impl Opening<'_> {
    /// What is missing between the last segment and this one.
    fn come_to(&mut self, base: i64, path: &Path) {
        if let Some(next) = self.next.filter(|next| *next < base) {
            scan::report(&[Loss { position: 0, bytes: 0, from: next, until: base }], path);
            self.producers.lose_track();
        }
    }

    /// A segment with others behind it, the next of which begins at `until`.
    fn closed(&mut self, base: i64, until: Option<i64>) -> io::Result<()> {
        let path = Segment::path_of(self.folder, base);
        let file = File::options().read(true).open(&path)?;
        let bytes = file.metadata()?.len();
        if bytes == 0 || self.next.is_some_and(|next| base < next) {
            disk::set_aside(&path, "a segment without records, or of other offsets than its place has")?;
            return Ok(());
        }
        self.come_to(base, &path);
        let closed = match Seal::read(&path, bytes)? {
            Some(seal) if until.is_none_or(|until| seal.next <= until) => {
                self.producers = seal.producers;
                let segment =
                    Segment::known(&file, path, base, seal.next, seal.bytes, seal.timestamp_ms_max)?;
                Closed { segment, unsealed: None }
            }
            _ => {
                let scan = scan::scan(&file, &path, base, bytes, until, Some(&mut self.producers))?;
                scan::report(&scan.losses, &path);
                self.unsealed(Segment::scanned(&file, path, base, bytes, &scan)?)
            }
        };
        self.next = Some(closed.segment.next);
        self.closed.push_back(closed);
        Ok(())
    }

    fn unsealed(&self, segment: Segment) -> Closed {
        let seal = Seal {
            next: segment.next,
            bytes: segment.bytes,
            timestamp_ms_max: segment.timestamp_ms_max,
            producers: self.producers.clone(),
        };
        Closed { segment, unsealed: Some(Arc::new(seal)) }
    }

    /// The last segment, if it can be appended to. One with a damaged end is closed as it is.
    fn last(&mut self, base: i64) -> io::Result<Option<Segment>> {
        let path = Segment::path_of(self.folder, base);
        let file = File::options().read(true).write(true).open(&path)?;
        let bytes = file.metadata()?.len();
        if self.next.is_some_and(|next| base < next) {
            disk::set_aside(&path, "a segment of other offsets than its place has")?;
            return Ok(None);
        }
        self.come_to(base, &path);
        if let Some(seal) = Seal::read(&path, bytes)? {
            // It was closed, which is done when the next is there.
            warn!(after = %path.display(), first_offset = seal.next, "the file that follows is missing, and its records are lost");
            self.producers = seal.producers;
            self.producers.lose_track();
            let segment = Segment::known(&file, path, base, seal.next, seal.bytes, seal.timestamp_ms_max)?;
            self.next = Some(segment.next);
            self.closed.push_back(Closed { segment, unsealed: None });
            return Ok(None);
        }
        // One that does not fit any more: the file was shortened since.
        remove_stale_seal(&path)?;
        let scan = scan::scan(&file, &path, base, bytes, None, Some(&mut self.producers))?;
        scan::report(&scan.losses, &path);
        self.next = Some(scan.next);
        match scan.tail {
            Tail::Damaged if scan.next == base => {
                disk::set_aside(&path, "there is no whole batch in it")?;
                Ok(None)
            }
            Tail::Damaged => {
                let closed = self.unsealed(Segment::scanned(&file, path, base, bytes, &scan)?);
                self.closed.push_back(closed);
                Ok(None)
            }
            tail => {
                let whole = scan.whole_bytes.max(bytes * u64::from(tail == Tail::Nothing));
                cut(&file, &path, whole, bytes, &scan)?;
                Segment::scanned(&file, path, base, whole, &scan).map(Some)
            }
        }
    }
}

/// The first offsets of the segments there are, rising.
fn bases_in(folder: &Path) -> io::Result<Vec<i64>> {
    let mut bases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        let is_segment = path.extension().is_some_and(|ending| ending == segment::ENDING);
        let base = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        match base {
            Some(base) if is_segment && path == Segment::path_of(folder, base) => {
                if path.is_file() {
                    bases.push(base);
                } else {
                    disk::set_aside(&path, "this is no file of batches: its records are lost")?;
                }
            }
            _ => {}
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

/// Removes the batch that was not finished, and what the system had not written.
fn cut(file: &File, path: &Path, whole: u64, bytes: u64, scan: &scan::Scan) -> io::Result<()> {
    let (segment, next_offset) = (path.display(), scan.next);
    let torn_bytes = bytes.saturating_sub(whole);
    match scan.tail {
        Tail::Unfinished => {
            info!(%segment, torn_bytes, next_offset, "an unfinished batch was removed: it was not acknowledged");
        }
        Tail::Unwritten => {
            warn!(%segment, torn_bytes, next_offset, "the end had not been written to the disk, and its records are lost");
        }
        Tail::Nothing | Tail::Damaged => return Ok(()),
    }
    file.set_len(whole)
}

fn remove_stale_seal(segment: &Path) -> io::Result<()> {
    super::remove(&seal::path_of(segment))
}
