//! Connections of readers: opened when needed, kept, and given up when the file is another.

use super::connection::{FileIdentity, open_reader, read_error};
use super::contact_rows::RunKey;
use super::schema;
use crate::StoreError;
use coronaz_wire::frame::Mirror;
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Idle connections kept: as many as the server lets requests read at once.
const IDLE_MAX: usize = 8;

/// Runs whose UUIDs are kept by slot: those that are being looked at.
const RUNS_KEPT: usize = 8;

/// Fleets kept as they were asked for last: what is shown live, and what somebody seeks beside it. 12 bytes a person
/// each.
const MIRRORS_KEPT: usize = 2;

/// Readers of a file.
pub(super) struct Pool {
    path: PathBuf,
    shared: Mutex<Shared>,
}

#[derive(Default)]
struct Shared {
    identity: Option<FileIdentity>,
    idle: Vec<Connection>,
    /// By `run.id`; index = slot. Slots never change, so a longer list only goes on.
    ids: HashMap<i64, Arc<Vec<Uuid>>>,
    /// Fleets as they were asked for last, oldest first, by `run.id`.
    mirrors: Vec<(i64, Mirror)>,
}

/// What a question can fail with.
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Pool {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), shared: Mutex::default() }
    }

    /// Asks in one transaction, so that all of the answer is of one moment.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let (connection, identity) = self.take()?;
        let answer = connection.unchecked_transaction().map_err(Failure::from).and_then(|transaction| {
            let answer = question(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        });
        match answer {
            Ok(answer) => {
                let mut shared = self.shared();
                if shared.identity == Some(identity) && shared.idle.len() < IDLE_MAX {
                    shared.idle.push(connection);
                }
                Ok(answer)
            }
            // After an error the connection is closed rather than kept.
            Err(Failure::Sqlite(error)) => Err(read_error(&self.path, error)),
            Err(Failure::Store(error)) => Err(error),
        }
    }

    /// UUIDs of a run by slot, at least the first `nodes` as this transaction sees them.
    pub(super) fn ids(&self, transaction: &Transaction<'_>, run: i64) -> Result<Arc<Vec<Uuid>>, Failure> {
        let known = self.shared().ids.get(&run).cloned().unwrap_or_default();
        let more = transaction
            .prepare_cached("select uuid from node where run = ? and slot >= ? order by slot")?
            .query_map((run, known.len().cast_signed()), |row| {
                row.get::<_, [u8; 16]>(0).map(Uuid::from_bytes)
            })?
            .collect::<rusqlite::Result<Vec<Uuid>>>()?;
        if more.is_empty() {
            return Ok(known);
        }
        let ids: Arc<Vec<Uuid>> = Arc::new(known.iter().copied().chain(more).collect());
        let mut shared = self.shared();
        if shared.ids.len() >= RUNS_KEPT && !shared.ids.contains_key(&run) {
            shared.ids.clear();
        }
        shared.ids.insert(run, Arc::clone(&ids));
        Ok(ids)
    }

    /// Takes out the kept fleet that is nearest before a tick. What it knows is in the file for ever.
    pub(super) fn take_mirror(&self, run: i64, tick: u64) -> Option<Mirror> {
        let mirrors = &mut self.shared().mirrors;
        let (at, _) = (mirrors.iter().enumerate())
            .filter(|(_, (of, _))| *of == run)
            .filter_map(|(at, (_, mirror))| {
                mirror.whole_at().filter(|&known| known <= tick).map(|known| (at, known))
            })
            .max_by_key(|&(_, known)| known)?;
        Some(mirrors.remove(at).1)
    }

    /// Keeps a fleet for the next question.
    pub(super) fn keep_mirror(&self, run: i64, mirror: Mirror) {
        let mirrors = &mut self.shared().mirrors;
        if mirrors.len() >= MIRRORS_KEPT {
            mirrors.remove(0);
        }
        mirrors.push((run, mirror));
    }

    fn take(&self) -> Result<(Connection, FileIdentity), StoreError> {
        let identity =
            FileIdentity::of(&self.path).ok_or_else(|| self.unavailable("there is no such file"))?;
        {
            let mut shared = self.shared();
            if shared.identity != Some(identity) {
                *shared = Shared { identity: Some(identity), ..Shared::default() };
            }
            if let Some(connection) = shared.idle.pop() {
                return Ok((connection, identity));
            }
        }
        let connection = open_reader(&self.path)?;
        let version = schema::check(&connection, &self.path)?;
        if version < schema::VERSION {
            return Err(self.unavailable("an ingest process has to bring its schema up to date first"));
        }
        Ok((connection, identity))
    }

    fn unavailable(&self, reason: &str) -> StoreError {
        StoreError::Unavailable {
            location: self.path.display().to_string(),
            reason: reason.to_owned(),
            source: None,
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // A panic while it was locked cannot have left half a change: each is one call.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of a run inside the file.
pub(super) fn run_id(transaction: &Transaction<'_>, run: Uuid) -> Result<i64, Failure> {
    transaction
        .prepare_cached("select id from run where uuid = ?")?
        .query_row([run.as_bytes()], |row| row.get(0))
        .optional()?
        .ok_or(Failure::Store(StoreError::NoSuchRun(run)))
}

/// The key of a run and the number of a node inside the file.
pub(super) fn slot(transaction: &Transaction<'_>, run: Uuid, node: Uuid) -> Result<(RunKey, u32), Failure> {
    let key = transaction
        .prepare_cached("select id, window_us from run where uuid = ?")?
        .query_row([run.as_bytes()], |row| {
            Ok(RunKey { id: row.get(0)?, window_us: row.get::<_, i64>(1)?.max(1) })
        })
        .optional()?
        .ok_or(Failure::Store(StoreError::NoSuchRun(run)))?;
    let slot = transaction
        .prepare_cached("select slot from node where run = ? and uuid = ?")?
        .query_row((key.id, node.as_bytes()), |row| row.get(0))
        .optional()?
        .ok_or(Failure::Store(StoreError::NoSuchNode { run, node }))?;
    Ok((key, slot))
}
