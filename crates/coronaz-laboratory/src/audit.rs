//! What was recorded against what is stored.
//!
//! - [`verdict`]: the answer: lost, doubled, wrong, unknown, late, by kind of thing
//! - `fleet`: a fleet's run, computed again tick by tick and compared with its frames and rows
//! - `history`: computing it again, forks included; `crew`: on all cores
//! - `frames`: what the store's frames say of a tick; `infections`: its rows of infections, in order
//! - `nodes`: devices with a radio: their own totals, and with [`journal`](crate::journal)s contact by contact
//! - `records`: records of the topic that were counted more often than there are any
//! - `merge`: two sorted lists, and how they differ
//!
//! Nothing here writes. The store is read in small steps, so that an audit holds nobody up and its memory does not grow with
//! the length of the run. `docs/audit.md` says what it cannot see.

mod crew;
mod fleet;
mod frames;
mod history;
mod infections;
mod merge;
mod nodes;
mod records;
pub mod verdict;

use std::{ops::ControlFlow, path::PathBuf, time::Duration};

use coronaz_store::{Queries, StoreError};
use coronaz_wire::wall_clock;
use uuid::Uuid;

use crate::journal::JournalError;
pub use verdict::{Compared, Verdict, Watermark};

/// What came later than this after its time counts as late, unless asked otherwise. Embedded parts need less than a
/// second; after an outage all that waited is late.
pub const LATE_AFTER: Duration = Duration::from_secs(10);

/// What to compare, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditOptions {
    /// The folder that was given to the devices with `--journal`. Without it the devices' own totals are compared.
    pub journal: Option<PathBuf>,
    /// What came later than this after its time is late. Default: [`LATE_AFTER`].
    pub late_after: Duration,
    /// How far. Default: [`Until::Now`].
    pub until: Until,
    /// The fleet is known to have computed this many ticks: what is missing up to there is lost. Default: what
    /// the store itself shows.
    pub ticks: Option<u64>,
    /// Threads that compute a fleet again. 0, the default: one for each core.
    pub threads: usize,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self { journal: None, late_after: LATE_AFTER, until: Until::Now, ticks: None, threads: 0 }
    }
}

/// How far an audit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Until {
    /// Up to what is whole in the store: the run may go on meanwhile, and what is on its way is not lost.
    #[default]
    Now,
    /// The run is over and ingest has caught up: all that its devices are known to have recorded is due.
    End,
}

/// How far an audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is counted: `ticks` or `devices`.
    pub what: &'static str,
    /// How many are done.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// Is told how far the audit is, and may break it.
pub type Watch<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store does not answer, or has no such run.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has no run yet.
    #[error("the store holds no run yet")]
    NoRun,
    /// No run is called so.
    #[error("no run begins with {name:?}; write its UUID, or as much of its beginning as no other run has")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// Several runs are called so.
    #[error("{count} runs begin with {name:?}, {first} and {second} among them; write more of it")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// How many there are.
        count: usize,
        /// One of them.
        first: Uuid,
        /// Another.
        second: Uuid,
    },
    /// The journals cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What is needed to compute the run again is not there.
    #[error("the run {run} cannot be computed again: {reason}")]
    NotComputable {
        /// Which run.
        run: Uuid,
        /// What is missing.
        reason: String,
    },
    /// No threads to compute with.
    #[error("no threads to compute with: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The watcher broke it off.
    #[error("the audit was stopped before its end")]
    Stopped,
}

/// Compares a run with the truth.
///
/// Blocks, for as long as it takes to compute a fleet again: call it in a thread of its own.
///
/// # Errors
/// See [`AuditError`]; a run that differs from the truth is no error but a [`Verdict`].
pub fn audit(
    store: &dyn Queries,
    run: Uuid,
    options: &AuditOptions,
    watch: Watch<'_>,
) -> Result<Verdict, AuditError> {
    let row = store.run(run)?;
    let mut verdict = if row.kind == "fleet" {
        fleet::audit(store, &row, options, watch)?
    } else {
        nodes::audit(store, &row, options, watch)?
    };
    records::audit(store, &mut verdict)?;
    let after_us = i64::try_from(options.late_after.as_micros()).unwrap_or(i64::MAX);
    match store.lateness(run, after_us)? {
        Some(lateness) if lateness.judged > 0 => {
            verdict.late = Some(lateness.late);
            verdict.latest_ms = Some(lateness.largest_us / 1_000);
        }
        _ => verdict.unchecked.push("lateness: the store does not say when what it holds came".to_owned()),
    }
    verdict.settle();
    Ok(verdict)
}

/// The run that is called so: by its UUID, or by the beginning of it that no other run has; without a name the
/// one that the page would show.
///
/// # Errors
/// None, several, or a store that does not answer.
pub fn find_run(store: &dyn Queries, name: Option<&str>) -> Result<Uuid, AuditError> {
    let Some(name) = name else {
        return store.default_run(wall_clock::now_us())?.ok_or(AuditError::NoRun);
    };
    let wanted = name.to_ascii_lowercase();
    let runs: Vec<Uuid> = store.runs()?.into_iter().map(|run| run.id).collect();
    if let Some(whole) = Uuid::try_parse(&wanted).ok().filter(|whole| runs.contains(whole)) {
        return Ok(whole);
    }
    let alike: Vec<Uuid> = runs.into_iter().filter(|run| run.to_string().starts_with(&wanted)).collect();
    match alike[..] {
        [] => Err(AuditError::Unknown { name: name.to_owned() }),
        [run] => Ok(run),
        [first, second, ..] => {
            Err(AuditError::Ambiguous { name: name.to_owned(), count: alike.len(), first, second })
        }
    }
}

/// Tells how far it is; an error when it is not to go on.
fn tell(watch: Watch<'_>, what: &'static str, done: u64, of: u64) -> Result<(), AuditError> {
    match watch(Progress { what, done, of }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(AuditError::Stopped),
    }
}
