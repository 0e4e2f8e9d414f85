//! The operator's side of the embedded store.

use super::connection::FileIdentity;
use super::removal::{self, TABLES};
use super::store_file::StoreFile;
use crate::StoreError;
use crate::administration::{Administration, Deleted, DeletedRun, Watch};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a step may hold the file: much less than a batch takes, so that whoever ingests hardly notices.
const STEP: Duration = Duration::from_millis(20);

/// Rows of the first step; those after it are made to last a [`STEP`].
const ROWS_FIRST: u32 = 500;
const ROWS_MIN: u32 = 50;
const ROWS_MAX: u32 = 50_000;

/// After a step the others have at least this long.
const PAUSE_MIN: Duration = Duration::from_millis(5);

/// How often a step is tried while others keep the file locked; each try waits some seconds for them.
const TRIES: u32 = 10;

/// Pages kept in memory: what is removed is not needed again.
const CACHE_KIB: i64 = -(16 << 10);

/// Removes runs of a file, beside those who write it.
pub(crate) struct SqliteAdministration {
    file: StoreFile,
    /// Rows of the next step.
    rows: u32,
}

impl SqliteAdministration {
    pub(crate) fn new(path: &Path) -> Self {
        Self { file: StoreFile::new(path, CACHE_KIB), rows: ROWS_FIRST }
    }

    /// Whoever clears up makes no new file.
    fn check_there(&self) -> Result<(), StoreError> {
        match FileIdentity::of(self.file.path()) {
            Some(_) => Ok(()),
            None => Err(self.file.unavailable("there is no such file")),
        }
    }

    /// Writes, and tries again while others hold the file.
    fn patiently<T>(
        &mut self,
        mut change: impl FnMut(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut tries = 1;
        loop {
            match self.file.write(&mut change) {
                Err(error) if error.is_unavailable() && tries < TRIES => {
                    tracing::debug!(%error, tries, "the store is busy: trying again");
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Removes the rows of all runs that are out of sight; says how many, and whether that was all.
    fn remove_pending(&mut self, watch: Watch<'_>) -> Result<Deleted, StoreError> {
        let mut deleted = Deleted { rows: 0, whole: true };
        for run in self.file.read(removal::pending)? {
            for table in TABLES {
                loop {
                    let (rows, begun) = (self.rows, Instant::now());
                    let (gone, all) =
                        self.patiently(|transaction| removal::remove_some(transaction, table, run, rows))?;
                    deleted.rows += gone;
                    self.pace(begun.elapsed(), gone);
                    if watch(deleted.rows).is_break() {
                        return Ok(Deleted { whole: false, ..deleted });
                    }
                    if all {
                        break;
                    }
                }
            }
            self.patiently(|transaction| removal::end(transaction, run))?;
        }
        Ok(deleted)
    }

    /// Leaves the file to the others for as long as the step had it, and makes the next step last as long as it should.
    fn pace(&mut self, took: Duration, gone: u64) {
        if gone == 0 {
            return;
        }
        if took < STEP / 2 {
            self.rows = (self.rows * 2).min(ROWS_MAX);
        } else if took > STEP * 2 {
            self.rows = (self.rows / 2).max(ROWS_MIN);
        }
        thread::sleep(took.max(PAUSE_MIN));
    }
}

impl Administration for SqliteAdministration {
    fn delete_run(&mut self, run: Uuid, now_us: i64, watch: Watch<'_>) -> Result<Deleted, StoreError> {
        self.check_there()?;
        let begun = self.patiently(|transaction| removal::begin(transaction, run, now_us))?;
        let Some(rows) = begun else { return Err(StoreError::NoSuchRun(run)) };
        let deleted = self.remove_pending(&mut |gone| watch(rows + gone))?;
        Ok(Deleted { rows: rows + deleted.rows, ..deleted })
    }

    fn prune(&mut self, before_us: i64, now_us: i64, watch: Watch<'_>) -> Result<Vec<Uuid>, StoreError> {
        self.check_there()?;
        let gone = self.patiently(|transaction| {
            let old: Vec<Uuid> = transaction
                .prepare_cached(
                    "select uuid from run where coalesce(written_us, last_us, started_us, 0) < ? order by id",
                )?
                .query_map([before_us], |row| row.get(0).map(Uuid::from_bytes))?
                .collect::<rusqlite::Result<_>>()?;
            for &run in &old {
                removal::begin(transaction, run, now_us)?;
            }
            // What was rejected names people too.
            transaction.execute("delete from rejected where at_us < ?", [before_us])?;
            Ok(old)
        })?;
        self.remove_pending(watch)?;
        Ok(gone)
    }

    fn deleted_runs(&mut self) -> Result<Vec<DeletedRun>, StoreError> {
        self.check_there()?;
        self.file.read(|connection| {
            connection
                .prepare_cached("select uuid, at_us, skipped from deleted_run order by at_us desc, uuid")?
                .query_map([], |row| {
                    Ok(DeletedRun {
                        run: Uuid::from_bytes(row.get(0)?),
                        at_us: row.get(1)?,
                        skipped: row.get::<_, i64>(2)?.cast_unsigned(),
                    })
                })?
                .collect()
        })
    }
}
