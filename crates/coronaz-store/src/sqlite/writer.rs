//! The writing side of the embedded store.

use super::commit::{self, Cache, CommitFailure};
use super::connection::{WRITER_CACHE_KIB, read_error, refuses_content};
use super::store_file::StoreFile;
use super::{lease, log_file};
use crate::{
    Batch, CommitError, Committed, Heartbeat, Held, Ingestion, Ownership, PartitionOffset, StoreError,
};
use std::path::Path;
use std::time::{Duration, Instant};

/// One writer of a file. Several may write one file, each takes its turn.
pub(crate) struct SqliteIngestion {
    file: StoreFile,
    cache: Cache,
    /// The opening of the file of which the cache is true.
    cached_of: u64,
    log: log_file::Watch,
}

/// Of what the writer may remember, the part that is pages of the file.
const PAGES_SHARE: usize = 4;

impl SqliteIngestion {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            file: StoreFile::new(path, WRITER_CACHE_KIB),
            cache: Cache::default(),
            cached_of: 0,
            log: log_file::Watch::new(log_file::WARN_BYTES),
        }
    }

    /// Writes batches in one transaction, all or none of them.
    fn transact(&mut self, batches: &[&Batch]) -> Result<Vec<Committed>, CommitError> {
        let Self { file, cache, cached_of, log } = self;
        let (connection, opening) = file.connection()?;
        // A heartbeat may have been the first to find another file.
        if *cached_of != opening {
            cache.forget();
            *cached_of = opening;
        }
        let committed = commit::commit(connection, cache, batches);
        log.look(file.path(), Instant::now());
        committed.map_err(|failure| {
            // Whatever was prepared in memory did not happen.
            cache.forget();
            match failure {
                CommitFailure::Fenced { partition, expected, found } => {
                    CommitError::Fenced { partition, expected, found }
                }
                CommitFailure::Sqlite(error) if refuses_content(&error) => {
                    CommitError::Refused { reason: error.to_string() }
                }
                CommitFailure::Sqlite(error) => read_error(file.path(), error).into(),
            }
        })
    }
}

#[cfg(test)]
impl SqliteIngestion {
    pub(super) fn with_log_rule(path: &Path, rule: super::people_log::LogRule) -> Self {
        let mut ingestion = Self::new(path);
        ingestion.cache = Cache::default().with_log_rule(rule);
        ingestion
    }
}

impl Ingestion for SqliteIngestion {
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.file.connection().map(|_| ())
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<Ownership, StoreError> {
        self.file.write(|transaction| lease::heartbeat(transaction, heartbeat))
    }

    fn take(
        &mut self,
        partition: i32,
        owner: &str,
        now_us: i64,
        lasts: Duration,
    ) -> Result<Option<Held>, StoreError> {
        self.file.write(|transaction| lease::take(transaction, partition, owner, now_us, lasts))
    }

    fn release(&mut self, owner: &str, held: &[(i32, i64)]) -> Result<(), StoreError> {
        self.file.write(|transaction| lease::release(transaction, owner, held))
    }

    fn offsets(&mut self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.file.read(lease::offsets)
    }

    fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        Ok(self.transact(&[batch])?.pop().unwrap_or_default())
    }

    /// All in one transaction: of reports of many people each page of the file is written once, not once for each batch.
    fn commit_some(&mut self, batches: &[&Batch]) -> (Vec<Committed>, Result<(), CommitError>) {
        match self.transact(batches) {
            Ok(done) => return (done, Ok(())),
            // It is the first one's, or the file's trouble and the same for each.
            Err(error) if batches.len() == 1 || matches!(error, CommitError::Store(_)) => {
                return (Vec::new(), Err(error));
            }
            // One of them stands in the way of all: which shows when each is written by itself.
            Err(_) => {}
        }
        let mut done = Vec::with_capacity(batches.len());
        for batch in batches {
            match self.commit(batch) {
                Ok(committed) => done.push(committed),
                Err(error) => return (done, Err(error)),
            }
        }
        (done, Ok(()))
    }

    fn settle(&mut self) {
        self.file.settle();
    }

    fn remember_at_most(&mut self, bytes: usize) {
        let pages = bytes / PAGES_SHARE;
        self.cache = Cache::of_bytes(bytes - pages);
        self.file.set_cache_kib(-i64::try_from(pages >> 10).unwrap_or(i64::MAX).max(1));
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
    fn of_a_file_that_was_removed_nothing_is_remembered_whoever_notices_it_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut ingestion = SqliteIngestion::new(&path);
        let commit = |ingestion: &mut SqliteIngestion| {
            let held = ingestion.take(0, "a", 0, Duration::from_secs(5)).expect("there").expect("free");
            ingestion.commit(&large_batch(held)).expect("committed")
        };
        let first = commit(&mut ingestion);
        assert_eq!((first.reports, first.states), (20_000, 2_000));
        for name in ["store.db", "store.db-wal", "store.db-shm"] {
            std::fs::remove_file(folder.path().join(name)).expect("removed");
        }
        assert_eq!(commit(&mut ingestion), first, "the same as into the first file");
        let (connection, _) = ingestion.file.connection().expect("open");
        let last = connection.query_row("select max(report) from node_state", [], |row| row.get::<_, i64>(0));
        assert!(last.expect("rows") < 20_000, "counted from the beginning");
    }

    #[test]
    fn a_full_disk_is_a_passing_trouble_and_nothing_of_the_batch_is_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut ingestion = SqliteIngestion::new(&folder.path().join("store.db"));
        let held = ingestion.take(0, "a", 0, Duration::from_secs(5)).expect("there").expect("free");
        let limit = |ingestion: &mut SqliteIngestion, pages: i64| {
            let (connection, _) = ingestion.file.connection().expect("open");
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
