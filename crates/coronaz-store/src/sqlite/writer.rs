//! The writing side of the embedded store.

use super::commit::{self, Cache, CommitFailure};
use super::connection::{FileIdentity, open_writer, read_error, refuses_content};
use super::{lease, schema};
use crate::{
    Batch, CommitError, Committed, Heartbeat, Held, Ingestion, Ownership, PartitionOffset, StoreError,
};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One writer of a file. Several may write one file, each takes its turn.
pub(crate) struct SqliteIngestion {
    path: PathBuf,
    open: Option<(Connection, FileIdentity)>,
    cache: Cache,
}

impl SqliteIngestion {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), open: None, cache: Cache::default() }
    }

    /// The connection; opens, or opens again when the file is not the one that was opened.
    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        let identity = FileIdentity::of(&self.path);
        if self.open.as_ref().is_some_and(|(_, opened)| Some(*opened) != identity) {
            tracing::warn!(store = %self.path.display(), "the store's file was removed or replaced");
            self.open = None;
        }
        if self.open.is_none() {
            self.cache = Cache::default();
            let mut connection = open_writer(&self.path)?;
            schema::migrate(&mut connection, &self.path)?;
            let identity = FileIdentity::of(&self.path).ok_or_else(|| StoreError::Unavailable {
                location: self.path.display().to_string(),
                reason: "it was removed while it was opened".to_owned(),
                source: None,
            })?;
            self.open = Some((connection, identity));
        }
        match &mut self.open {
            Some((connection, _)) => Ok(connection),
            None => unreachable!("it was opened above"),
        }
    }

    fn read<T>(&mut self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let answer = ask(self.connection()?);
        answer.map_err(|error| read_error(&self.path, error))
    }

    fn write<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.connection()?;
        let written =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let answer = change(&transaction)?;
                transaction.commit()?;
                Ok(answer)
            });
        written.map_err(|error| read_error(&self.path, error))
    }
}

impl Ingestion for SqliteIngestion {
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.connection().map(|_| ())
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<Ownership, StoreError> {
        self.write(|transaction| lease::heartbeat(transaction, heartbeat))
    }

    fn take(
        &mut self,
        partition: i32,
        owner: &str,
        now_us: i64,
        lasts: Duration,
    ) -> Result<Option<Held>, StoreError> {
        self.write(|transaction| lease::take(transaction, partition, owner, now_us, lasts))
    }

    fn release(&mut self, owner: &str, held: &[(i32, i64)]) -> Result<(), StoreError> {
        self.write(|transaction| lease::release(transaction, owner, held))
    }

    fn offsets(&mut self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.read(lease::offsets)
    }

    fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        self.connection()?;
        let Self { path, open, cache } = self;
        let Some((connection, _)) = open else { unreachable!("it was opened above") };
        let committed = commit::commit(connection, cache, batch);
        committed.map_err(|failure| {
            // Whatever was prepared in memory did not happen.
            *cache = Cache::default();
            match failure {
                CommitFailure::Fenced(found) => CommitError::Fenced {
                    partition: batch.partition,
                    expected: (batch.epoch, batch.from),
                    found,
                },
                CommitFailure::Sqlite(error) if refuses_content(&error) => {
                    CommitError::Refused { reason: error.to_string() }
                }
                CommitFailure::Sqlite(error) => read_error(path, error).into(),
            }
        })
    }
}
