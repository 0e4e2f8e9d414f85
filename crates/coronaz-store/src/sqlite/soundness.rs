//! A look at the file before it is used: whether it is whole, as far as that can be seen cheaply. What is damaged is never
//! written to.

use super::connection::read_error;
use super::log_file;
use crate::StoreError;
use rusqlite::Connection;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// A file up to this size is checked as a whole when a writer opens it (32 MiB, some tenths of a second).
const CHECKED_WHOLE_BYTES: u64 = 32 << 20;

/// The first bytes of a database file, with what is looked at here (<https://www.sqlite.org/fileformat2.html>).
const HEADER_BYTES: usize = 100;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Looks at the file from outside. A file that is not there is no damage.
///
/// # Errors
/// [`StoreError::NotAStore`] for a folder, [`StoreError::Damaged`] for a file that is shorter than it was.
pub(super) fn look(path: &Path) -> Result<(), StoreError> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    let location = || path.display().to_string();
    if metadata.is_dir() {
        let reason = "it is a folder; name a file in it, like store.db".to_owned();
        return Err(StoreError::NotAStore { location: location(), reason });
    }
    let log_bytes = log_file::bytes(path);
    if metadata.len() == 0 {
        if log_bytes == 0 {
            return Ok(());
        }
        let reason = format!("it is empty, while {log_bytes} bytes stand in the log beside it");
        return Err(StoreError::Damaged { location: location(), reason });
    }
    // While the log has something the file may be anything between two of its states.
    if log_bytes > 0 {
        return Ok(());
    }
    let Some(expected) = expected_bytes(path) else { return Ok(()) };
    let actual = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if actual < expected && log_file::bytes(path) == 0 {
        let reason = format!("it has {actual} of {expected} bytes: its end is missing");
        return Err(StoreError::Damaged { location: location(), reason });
    }
    Ok(())
}

/// How long the file is by its own header; `None` where that does not say.
fn expected_bytes(path: &Path) -> Option<u64> {
    let mut header = [0; HEADER_BYTES];
    File::open(path).ok()?.read_exact(&mut header).ok()?;
    let number = |at: usize| header[at..at + 4].try_into().ok().map(u32::from_be_bytes);
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    // The number of pages holds when it was written with the last change.
    let holds = &header[..16] == MAGIC && number(24)? == number(92)?;
    holds.then_some(page_bytes * u64::from(number(28)?))
}

/// Checks the file from inside, if it is small.
///
/// # Errors
/// [`StoreError::Damaged`] with what SQLite found first.
pub(super) fn check_whole(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if bytes.max(log_file::bytes(path)) > CHECKED_WHOLE_BYTES {
        return Ok(());
    }
    let found: String = connection
        .query_row("pragma quick_check(1)", [], |row| row.get(0))
        .map_err(|error| read_error(path, error))?;
    if found == "ok" {
        return Ok(());
    }
    Err(StoreError::Damaged { location: path.display().to_string(), reason: found })
}
