//! When checkpoints are written: every so many ticks, and once what was published before is safe.
//!
//! A checkpoint is of a tick whose records, and all before, have arrived or are on disk: who goes on from it
//! leaves no gap. Until then it waits in memory; writing it is a thread of its own.

use std::{
    fs,
    path::PathBuf,
    thread::{self, JoinHandle},
};

use coronaz_model::Tick;
use uuid::Uuid;

use super::checkpoint::{self, CheckpointError};

/// When to write checkpoints, and where.
#[derive(Debug, Clone)]
pub struct CheckpointsConfig {
    /// The folder; it is made if there is none.
    pub dir: PathBuf,
    /// After so many ticks the next one. Default: [`CheckpointsConfig::EVERY_TICKS`].
    pub every_ticks: Tick,
    /// So many of the run are kept, at least 1. Default: [`CheckpointsConfig::KEEP`].
    pub keep: usize,
}

impl CheckpointsConfig {
    /// Ten minutes of model time.
    pub const EVERY_TICKS: Tick = 600;
    /// As many as a look back takes.
    pub const KEEP: usize = 3;
}

/// Writes checkpoints.
pub(super) struct Keeper {
    config: CheckpointsConfig,
    run: Uuid,
    /// One at most: while it waits, others are left out.
    pending: Option<Pending>,
    writing: Option<JoinHandle<()>>,
}

struct Pending {
    tick: Tick,
    /// Safe once so many records are.
    offered: u64,
    bytes: Vec<u8>,
}

impl Keeper {
    pub(super) fn new(config: &CheckpointsConfig, run: Uuid) -> Result<Self, CheckpointError> {
        fs::create_dir_all(&config.dir).map_err(|source| CheckpointError::Io {
            path: config.dir.clone(),
            what: "written",
            source,
        })?;
        Ok(Keeper { config: config.clone(), run, pending: None, writing: None })
    }

    /// Whether a checkpoint is to be made of this tick.
    pub(super) fn wants(&self, tick: Tick) -> bool {
        let due = tick.is_multiple_of(self.config.every_ticks.max(1));
        if due && self.pending.is_some() {
            tracing::warn!(tick, "no checkpoint: the one before still waits for its frames to arrive");
        }
        due && self.pending.is_none()
    }

    /// Keeps a checkpoint until it can be written; so many records were `offered` up to its tick.
    pub(super) fn keep(&mut self, tick: Tick, offered: u64, bytes: Vec<u8>) {
        self.pending = Some(Pending { tick, offered, bytes });
    }

    /// Writes a checkpoint of before anything was sent, and waits until it is there: whatever comes, the run can be gone
    /// on with from its beginning, at the same times.
    pub(super) fn begin(&mut self, tick: Tick, bytes: Vec<u8>) {
        self.write(Pending { tick, offered: 0, bytes });
        self.wait();
    }

    /// Writes what waits, if as many records are `safe` as it needs.
    pub(super) fn turn(&mut self, safe: u64) {
        let written = self.writing.as_ref().is_none_or(JoinHandle::is_finished);
        if written && let Some(pending) = self.pending.take_if(|pending| pending.offered <= safe) {
            self.write(pending);
        }
    }

    /// The last word: what waits is written if it is safe, and, if all is, what `make` makes.
    pub(super) fn finish(mut self, tick: Tick, (offered, safe): (u64, u64), make: impl FnOnce() -> Vec<u8>) {
        if offered <= safe {
            self.pending = Some(Pending { tick, offered, bytes: make() });
        }
        if let Some(pending) = self.pending.take_if(|pending| pending.offered <= safe) {
            self.write(pending);
        }
        self.wait();
    }

    fn wait(&mut self) {
        if let Some(Err(panic)) = self.writing.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }

    fn write(&mut self, Pending { tick, bytes, .. }: Pending) {
        self.wait();
        let (CheckpointsConfig { dir, keep, .. }, run) = (self.config.clone(), self.run);
        let work = move || match checkpoint::write(&dir, run, tick, &bytes) {
            Ok(path) => {
                tracing::info!(tick, checkpoint = %path.display(), "a checkpoint is written");
                if let Err(error) = checkpoint::prune(&dir, run, keep) {
                    tracing::warn!(%error, "old checkpoints stay");
                }
            }
            Err(error) => tracing::error!(%error, "no checkpoint"),
        };
        match thread::Builder::new().name("checkpoint".to_owned()).spawn(work) {
            Ok(writing) => self.writing = Some(writing),
            Err(error) => tracing::error!(%error, "no checkpoint: no thread to write it"),
        }
    }
}
