//! A segment as a process before left it: whole, with a torn tail, or damaged.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    ops::Range,
    path::Path,
};

use super::entry;
use crate::spool_folder::{self, SpoolError, failed};

/// Which bytes of a segment are records.
#[derive(Debug, Default)]
struct Found {
    records: Vec<Range<usize>>,
    /// A record at the end that a process was killed while it wrote.
    torn_bytes: usize,
    /// Bytes before it that are no records.
    damaged_bytes: usize,
}

/// Makes a segment one that holds whole records alone; gives its length, and how many they are.
///
/// # Errors
/// The system refuses.
pub(super) fn repair(path: &Path) -> Result<(u64, u64), SpoolError> {
    let bytes = fs::read(path).map_err(failed(path, "read"))?;
    let Found { records, torn_bytes, damaged_bytes } = find(&bytes);
    let length = records.iter().map(|record| record.len() as u64).sum();
    if damaged_bytes > 0 {
        let aside = spool_folder::set_aside(path)?;
        tracing::warn!(
            bytes = damaged_bytes, records = records.len(), aside = %aside.display(),
            "a spool's file is damaged: its whole records are used, a copy is set aside"
        );
        let new_path = path.with_extension("new");
        let write = || {
            let mut file = fs::File::create(&new_path)?;
            for record in &records {
                file.write_all(&bytes[record.clone()])?;
            }
            fs::rename(&new_path, path)
        };
        write().map_err(failed(path, "written anew"))?;
    } else if torn_bytes > 0 {
        tracing::warn!(path = %path.display(), bytes = torn_bytes, "cut off a torn tail");
        let cut = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(length));
        cut.map_err(failed(path, "cut"))?;
    }
    Ok((length, records.len() as u64))
}

fn find(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(length) = whole(&bytes[at..]) {
            found.records.push(at..at + length);
            at += length;
            continue;
        }
        let next = (at + 1..bytes.len()).find(|&next| whole(&bytes[next..]).is_some());
        match next {
            Some(next) => found.damaged_bytes += next - at,
            // What was being written is at most one record.
            None if entry::may_be_torn(&bytes[at..]) => found.torn_bytes = bytes.len() - at,
            None => found.damaged_bytes += bytes.len() - at,
        }
        at = next.unwrap_or(bytes.len());
    }
    found
}

/// The length of the whole record at the beginning of these bytes, if there is one.
fn whole(bytes: &[u8]) -> Option<usize> {
    let head = *bytes.first_chunk::<{ entry::HEAD_BYTES }>()?;
    let length = usize::try_from(entry::length(head)?).ok().filter(|length| *length <= bytes.len())?;
    let record = entry::read(&mut &bytes[..length]).ok()?;
    record.map(|_| length)
}
