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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReportRecord;
    use coronaz_wire::Report;
    use uuid::Uuid;

    fn large_batch(held: Held) -> Batch {
        let json = br#"{"uuid":"5603b252-36de-11eb-b339-0242ac160009","position":[72,33],"infected":false,
            "timestamp":"2020-12-05 09:43:10.000001","alive":true,"contacts":[]}"#;
        let report = Report::decode(json).expect("the paper's report");
        let mut batch = Batch::new(0, held.epoch, held.next);
        let of = |n: i64| Report { uuid: Uuid::from_u128(n.unsigned_abs().into()), ..report.clone() };
        batch.reports = (0..20_000).map(|offset| ReportRecord { offset, report: of(offset) }).collect();
        batch.to = 20_000;
        batch
    }

    #[test]
    fn a_full_disk_is_a_passing_trouble_and_nothing_of_the_batch_is_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ingestion = SqliteIngestion::new(&folder.path().join("store.db"));
        let held = ingestion.take(0, "a", 0, Duration::from_secs(5)).expect("there").expect("free");
        let limit = |ingestion: &mut SqliteIngestion, pages: i64| {
            let connection = ingestion.connection().expect("open");
            connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).expect("set");
        };
        // SQLite's own limit answers as the disk's does.
        limit(&mut ingestion, 60);
        match ingestion.commit(&large_batch(held)) {
            Err(CommitError::Store(error)) => assert!(error.to_string().contains("full"), "{error}"),
            other => panic!("there is no room, and not {other:?}"),
        }
        let next = ingestion.offsets().expect("there")[0].next;
        assert_eq!(next, 0);
        limit(&mut ingestion, 1 << 30);
        assert_eq!(ingestion.commit(&large_batch(held)).expect("committed").reports, 20_000);
    }
}
