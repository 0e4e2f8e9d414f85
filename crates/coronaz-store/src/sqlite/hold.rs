//! Somebody else's lock on the embedded store: what a backup, an administrator or a test does to its writer.

use super::connection::read_error;
use crate::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// The writer lets others in between two batches; one of them takes less than this.
const TAKE_WITHIN: Duration = Duration::from_secs(10);

/// The lock on the writing side of an embedded store, given up when dropped. Readers go on.
#[derive(Debug)]
pub struct WriteLock {
    connection: Connection,
}

impl WriteLock {
    /// Takes the lock; the store's file has to be there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no store, or its writer does not let go within 10 s.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let lock = || -> rusqlite::Result<Connection> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(TAKE_WITHIN)?;
            connection.execute_batch("begin immediate")?;
            Ok(connection)
        };
        lock().map(|connection| WriteLock { connection }).map_err(|error| read_error(path, error))
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        // Nothing was written; closing the connection would end the transaction, too.
        let _ = self.connection.execute_batch("rollback");
    }
}
