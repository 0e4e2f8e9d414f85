//! All replicates, over the threads; then the files that need all of them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use coronaz_model::fleet::ForkError;

use crate::{
    CheckpointError, Contacts, Folder, FolderError, PictureError, Plan, PlanError, Progress, Summary,
    picture,
    replicate::{self, Outcome},
    rows::{ContactRow, EncounterRow, InfectionRow, StatisticsRow},
    summary,
    table::{self, Table, TableError},
    threads::{Crew, share},
};

/// Why a simulation has no result.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The folder of the results.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A table cannot be written.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The picture cannot be drawn.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// The checkpoint cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The people of the checkpoint cannot live by these parameters.
    #[error("the checkpoint cannot go on with these parameters: {0}")]
    Fork(#[from] ForkError),
    /// Another file cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system gives no threads.
    #[error("the system gives no threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// It was asked to stop ([`Progress::stop`]).
    #[error("stopped before the end; nothing is written")]
    Stopped,
}

/// Carries out the plan. The results are in the folder when this returns, and nothing is when it fails.
///
/// # Errors
/// See [`SimulateError`].
pub fn simulate(plan: &Plan, folder: Folder, progress: &Progress) -> Result<Summary, SimulateError> {
    plan.check()?;
    if let Some(save) = plan.save.as_ref().filter(|save| !save.replace && save.path.exists()) {
        return Err(CheckpointError::Taken(save.path.clone()).into());
    }
    let begun = Instant::now();
    let outcomes = replicates(plan, folder.path(), progress)?;
    let running = begun.elapsed();
    write_tables(plan, &outcomes, folder.path())?;
    picture::write(plan, &outcomes, folder.path())?;
    write_text(folder.path().join("scenario.toml"), &plan.scenario)?;
    let summary =
        Summary::of(plan, &outcomes, summary::Timings::of(plan, &outcomes, running, begun.elapsed()));
    write_text(folder.path().join("summary.json"), &summary.to_json())?;
    folder.publish()?;
    Ok(summary)
}

fn write_text(path: PathBuf, text: &str) -> Result<(), SimulateError> {
    fs::write(&path, text).map_err(|source| SimulateError::Io { path, source })
}

/// Where replicate `number` writes its tables: with one replicate, where they stay.
fn part_of(plan: &Plan, number: u32, folder: &Path) -> PathBuf {
    if plan.replicates == 1 { folder.to_owned() } else { folder.join("parts").join(number.to_string()) }
}

/// The outcomes in the order of the replicates.
fn replicates(plan: &Plan, folder: &Path, progress: &Progress) -> Result<Vec<Outcome>, SimulateError> {
    let shares = share(plan.threads, plan.replicates as usize);
    let crews = shares.into_iter().map(Crew::of).collect::<Result<Vec<_>, _>>()?;
    let next = AtomicU32::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(plan.replicates as usize));
    let failure = Mutex::new(None);
    let work = |crew: &Crew| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= plan.replicates || progress.is_stopped() {
                return;
            }
            match one(plan, number, folder, crew, progress) {
                Ok(outcome) => lock(&outcomes).push((number, outcome)),
                Err(error) => {
                    // The others stop; the first to fail says why.
                    lock(&failure).get_or_insert(error);
                    progress.stop();
                }
            }
        }
    };
    thread::scope(|scope| {
        for crew in &crews {
            scope.spawn(|| work(crew));
        }
    });
    if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if progress.is_stopped() {
        return Err(SimulateError::Stopped);
    }
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_unstable_by_key(|(number, _)| *number);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one(
    plan: &Plan,
    number: u32,
    folder: &Path,
    crew: &Crew,
    progress: &Progress,
) -> Result<Outcome, SimulateError> {
    let part = part_of(plan, number, folder);
    fs::create_dir_all(&part).map_err(|source| SimulateError::Io { path: part.clone(), source })?;
    crew.enter(|| replicate::run(plan, number, &part, crew, progress))
}

fn write_tables(plan: &Plan, outcomes: &[Outcome], folder: &Path) -> Result<(), SimulateError> {
    let mut statistics = Table::create::<StatisticsRow<'_>>(folder, plan.formats, true)?;
    for (replicate, outcome) in (0..).zip(outcomes) {
        for row in &outcome.statistics {
            statistics.push(&StatisticsRow { replicate, statistics: row })?;
        }
    }
    statistics.finish()?;
    if plan.replicates == 1 {
        return Ok(());
    }
    let parts: Vec<_> = (0..plan.replicates).map(|number| part_of(plan, number, folder)).collect();
    table::join::<InfectionRow<'_>>(&parts, folder, plan.formats)?;
    if plan.contacts == Contacts::All {
        table::join::<ContactRow>(&parts, folder, plan.formats)?;
    }
    if plan.contacts != Contacts::None {
        table::join::<EncounterRow>(&parts, folder, plan.formats)?;
    }
    let parts = folder.join("parts");
    fs::remove_dir_all(&parts).map_err(|source| SimulateError::Io { path: parts, source })
}

/// Seconds, for people and JSON.
pub(crate) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}
