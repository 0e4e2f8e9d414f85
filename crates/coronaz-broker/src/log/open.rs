//! A log as it was left, torn end and all.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{info, warn};

use super::producers::Producers;
use super::seal::{self, Seal};
use super::segment::{self, Segment};
use super::{Closed, Log};

impl Log {
    /// Opens the log in `folder`, which is there, and removes what a death in the middle of writing
    /// left at its end.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let mut bases = bases_in(folder)?;
        let last = bases.pop();
        let mut producers = Producers::default();
        let mut closed = VecDeque::new();
        for base in bases {
            closed.push_back(open_closed(folder, base, &mut producers)?);
        }
        let end = closed.back().map_or(0, |closed: &Closed| closed.segment.next);
        let path = Segment::path_of(folder, last.unwrap_or(end));
        let file = File::options().create(true).truncate(false).read(true).write(true).open(&path)?;
        // One that was the last and is sealed was closed when the next could not be begun.
        remove_stale_seal(&path)?;
        let active = Segment::recover(&file, path, last.unwrap_or(end), &mut producers)?;
        cut_to(&file, &active)?;
        (&file).seek(SeekFrom::Start(active.bytes))?;
        let begun = active.touched;
        let (folder, file) = (folder.to_owned(), Arc::new(file));
        Ok(Self { folder, closed, active, file, begun, producers, torn: false, is_closed: false })
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
            Some(base) if is_segment && path == Segment::path_of(folder, base) => bases.push(base),
            _ => {}
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

fn open_closed(folder: &Path, base: i64, producers: &mut Producers) -> io::Result<Closed> {
    let path = Segment::path_of(folder, base);
    let file = File::options().read(true).write(true).open(&path)?;
    let length = file.metadata()?.len();
    if let Some(seal) = Seal::read(&path, length) {
        *producers = seal.producers;
        let segment = Segment::known(&file, path, base, seal.next, seal.bytes, seal.timestamp_ms_max)?;
        return Ok(Closed { segment, unsealed: None });
    }
    let segment = Segment::recover(&file, path, base, producers)?;
    cut_to(&file, &segment)?;
    let seal = Seal {
        next: segment.next,
        bytes: segment.bytes,
        timestamp_ms_max: segment.timestamp_ms_max,
        producers: producers.clone(),
    };
    Ok(Closed { segment, unsealed: Some(Arc::new(seal)) })
}

/// Removes what is not a whole batch.
fn cut_to(file: &File, segment: &Segment) -> io::Result<()> {
    let torn_bytes = file.metadata()?.len().saturating_sub(segment.bytes);
    if torn_bytes > 0 {
        let file_name = segment.path.display();
        // An unfinished batch was never acknowledged. More than that is damage that this broker did not do.
        if torn_bytes > super::batch::BATCH_BYTES_MAX as u64 {
            warn!(segment = %file_name, torn_bytes, next_offset = segment.next, "a segment is damaged and was cut");
        } else {
            info!(segment = %file_name, torn_bytes, "an unfinished batch was removed");
        }
        file.set_len(segment.bytes)?;
    }
    Ok(())
}

fn remove_stale_seal(segment: &Path) -> io::Result<()> {
    super::remove(&seal::path_of(segment))
}
