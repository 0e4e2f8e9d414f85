//! The log beside the file (`store.db-wal`): what was written and is not yet in the file itself.
//!
//! SQLite copies the log into the file when the last connection closes that can write. The last one of a laboratory is
//! the server's, which can not, so each process does it itself when it stops ([`settle`]); after a crash the next one that
//! opens the file does. Then the file is whole, and a copy of it is a copy of the store.

use super::connection::read_error;
use crate::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Beyond this the log does not shrink by itself (512 MiB): it is cut back to half of it after each pass, unless some
/// reader keeps it.
pub(super) const WARN_BYTES: u64 = 512 << 20;

/// How often a writer looks at the log's size.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long whoever stops waits for readers that are in the middle of an answer.
const SETTLE_WAIT: Duration = Duration::from_secs(2);

/// Where the log of a file is.
pub(super) fn path_of(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// The log's size in bytes; 0 without one.
pub(super) fn bytes(store: &Path) -> u64 {
    std::fs::metadata(path_of(store)).map_or(0, |metadata| metadata.len())
}

/// Copies the log into the file and empties it; false when somebody who reads or writes keeps part of it.
pub(super) fn settle(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("pragma wal_checkpoint(truncate)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// The same for a file that is not open: makes none, and changes no other program's.
pub(crate) fn settle_file(path: &Path) -> Result<(), StoreError> {
    if bytes(path) == 0 {
        return Ok(());
    }
    // SQLite removes the log of a file that was emptied.
    super::soundness::look(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(SETTLE_WAIT)?;
        Ok(connection)
    };
    let connection = open().map_err(|error| read_error(path, error))?;
    super::schema::check(&connection, path)?;
    let whole = settle(&connection).map_err(|error| read_error(path, error))?;
    if !whole {
        tracing::info!(store = %path.display(), "others still use the store: its newest part stays in the log beside it");
    }
    Ok(())
}

/// Says once when the log grows because somebody keeps it.
pub(super) struct Watch {
    look_at: Option<Instant>,
    warned: bool,
    warn_bytes: u64,
}

impl Watch {
    pub(super) fn new(warn_bytes: u64) -> Self {
        Self { look_at: None, warned: false, warn_bytes }
    }

    /// Looks, if it is time; returns the size when it has just become too large.
    pub(super) fn look(&mut self, store: &Path, now: Instant) -> Option<u64> {
        if self.look_at.is_some_and(|at| now < at) {
            return None;
        }
        self.look_at = Some(now + LOOK_EVERY);
        let bytes = bytes(store);
        let too_large = bytes > self.warn_bytes;
        let has_just = too_large && !self.warned;
        if has_just {
            tracing::warn!(
                log = %path_of(store).display(),
                mib = bytes >> 20,
                "the store's log grows without end while some program reads the store in one long transaction; end \
                 it (a database tool with an open transaction, a query that does not finish), and the log shrinks"
            );
        } else if self.warned && bytes <= self.warn_bytes / 2 {
            tracing::info!(log = %path_of(store).display(), "the store's log has shrunk again");
        }
        // Said again only after it had shrunk.
        self.warned = too_large || (self.warned && bytes > self.warn_bytes / 2);
        has_just.then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ingestion;
    use crate::sqlite::SqliteIngestion;

    #[test]
    fn a_reader_that_sits_in_a_transaction_is_named_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        SqliteIngestion::new(&path).prepare().expect("made");
        let writer = Connection::open(&path).expect("opened");
        writer
            .execute_batch(
                "pragma wal_autocheckpoint = 50; pragma journal_size_limit = 0; create table filler (bytes blob)",
            )
            .expect("set");
        let reader = Connection::open(&path).expect("opened");
        reader.execute_batch("begin; select count(*) from run").expect("reads");
        let mut watch = Watch::new(1 << 20);
        let mut now = Instant::now();
        let mut write = |rows: u32| {
            let mut said = Vec::new();
            for _ in 0..rows {
                writer.execute("insert into filler values (zeroblob(60000))", []).expect("written");
                now += LOOK_EVERY;
                said.extend(watch.look(&path, now));
            }
            said
        };
        assert_eq!(write(40).len(), 1, "once, though it goes on growing");
        reader.execute_batch("commit").expect("ends");
        assert!(write(5).is_empty());
        assert!(bytes(&path) < 1 << 20, "it has shrunk");
        reader.execute_batch("begin; select count(*) from run").expect("reads again");
        assert_eq!(write(40).len(), 1, "again, as it is another time");
    }
}
