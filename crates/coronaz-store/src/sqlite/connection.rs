//! Opening the file, its settings, and what SQLite's errors mean to us.

use super::{schema, soundness};
use crate::StoreError;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a call waits for another process that writes: longer than any batch takes, shorter than a lease.
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Pages (of 4 KiB) in the log before they are copied into the file: 80 MiB. A big batch touches many pages;
/// with SQLite's 1,000 each of them would be copied for every batch.
const AUTOCHECKPOINT_PAGES: i64 = 20_000;

/// The log is cut back to this once it has been copied (256 MiB).
const LOG_BYTES_MAX: i64 = 256 << 20;

/// Pages kept in memory by the writer (KiB, negative as SQLite wants it): the hot ends of all trees.
pub(super) const WRITER_CACHE_KIB: i64 = -(128 << 10);

/// Pages kept in memory by each reader.
const READER_CACHE_KIB: i64 = -(16 << 10);

/// The writing connection; creates the file and its folder.
pub(super) fn open_writer(path: &Path, cache_kib: i64) -> Result<Connection, StoreError> {
    soundness::look(path)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Unavailable {
            location: path.display().to_string(),
            reason: format!("its folder cannot be made: {error}"),
            source: Some(Box::new(error)),
        })?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_WAIT)?;
        Ok(connection)
    };
    let connection = open().map_err(|error| read_error(path, error))?;
    // Before anything is set: what is another program's, or newer, stays as it is.
    schema::check(&connection, path)?;
    let set = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "journal_mode", "wal")?;
        // Survives the death of a process; of the last moments before a power cut the offset is lost with its
        // rows, so they are read from the topic again.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "wal_autocheckpoint", AUTOCHECKPOINT_PAGES)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
        connection.pragma_update(None, "cache_size", cache_kib)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        // What is deleted is wiped where that costs no more writing; pages that become free as a whole are not.
        connection.pragma_update_and_check(None, "secure_delete", "fast", |_| Ok(()))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    };
    set().map_err(|error| read_error(path, error))?;
    Ok(connection)
}

/// A reading connection; the file has to be there.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    soundness::look(path)?;
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.pragma_update(None, "cache_size", READER_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|error| read_error(path, error))
}

/// What an error means when nothing of ours can have caused it by what was written.
pub(super) fn read_error(path: &Path, error: rusqlite::Error) -> StoreError {
    let location = path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            let reason =
                "its content is no database; move it out of the way, or name another file".to_owned();
            return StoreError::NotAStore { location, reason };
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            return StoreError::Damaged { location, reason: error.to_string() };
        }
        _ => {}
    }
    StoreError::Unavailable { location, reason: error.to_string(), source: Some(Box::new(error)) }
}

/// Whether an error is about what was to be written rather than about the file: then it would come again.
pub(super) fn refuses_content(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(failure, _) => matches!(
            failure.code,
            ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
                | ErrorCode::TypeMismatch
                | ErrorCode::ParameterOutOfRange
        ),
        E::ToSqlConversionFailure(_) | E::InvalidParameterName(_) | E::NulError(_) => true,
        _ => false,
    }
}

/// Which file a path names now. A connection to a file that was removed or replaced writes into the void.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// `None` when there is no file.
    pub(super) fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}
