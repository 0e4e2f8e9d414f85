//! Questions to the store: a bounded number at a time, each with a limit of time, off the async threads.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use coronaz_store::{Queries, StoreError};
use tokio::sync::Semaphore;

use crate::{config::Limits, problem::Problem};

/// A store that is away fails many questions; the operator is told of it this often.
const LOG_EVERY: Duration = Duration::from_secs(1);
/// Beside its server a store may just be made, or brought up to date; only one that takes longer is a problem.
const STARTING: Duration = Duration::from_secs(10);

/// The way to the store.
#[derive(Clone)]
pub(crate) struct Readers {
    store: Arc<dyn Queries>,
    permits: Arc<Semaphore>,
    time_max: Duration,
    words: Arc<Mutex<Words>>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The store said so.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many questions, or a slow one.
    #[error("no answer from the store within {0:?}")]
    Late(Duration),
    /// The question itself broke.
    #[error("a question to the store panicked")]
    Panicked,
}

impl Readers {
    pub(crate) fn new(store: Arc<dyn Queries>, limits: &Limits) -> Self {
        Self {
            store,
            permits: Arc::new(Semaphore::new(limits.questions_max)),
            time_max: limits.question_time_max,
            words: Arc::new(Mutex::new(Words::new(Instant::now()))),
        }
    }

    /// The store itself, for whoever bounds the number and the time of questions otherwise.
    pub(crate) fn store(&self) -> Arc<dyn Queries> {
        self.store.clone()
    }

    /// Asks the store. A question that takes too long goes on in its thread and keeps its place among
    /// the bounded number, but nobody waits for it any more.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Queries) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let answer = async {
            let permit = self.permits.clone().acquire_owned().await.map_err(|_| ReadError::Panicked)?;
            let store = self.store.clone();
            let asked = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                question(store.as_ref())
            });
            Ok(asked.await.map_err(|_| ReadError::Panicked)??)
        };
        let answer =
            tokio::time::timeout(self.time_max, answer).await.unwrap_or(Err(ReadError::Late(self.time_max)));
        match &answer {
            Err(error) if !error.is_about_the_request() => self.log(error),
            _ => self.words().answered(),
        }
        answer
    }

    fn log(&self, error: &ReadError) {
        match self.words().failed(Instant::now()) {
            Word::None => {}
            Word::Waiting => tracing::info!(reason = %error, "waiting for the store"),
            Word::Unavailable => tracing::warn!(%error, "the store does not answer"),
        }
    }

    fn words(&self) -> std::sync::MutexGuard<'_, Words> {
        // Plain values: they are whole even when a holder of the lock panicked.
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the log says of a store that does not answer.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    None,
    /// It has not answered yet, which is usual for a while.
    Waiting,
    /// It is a problem.
    Unavailable,
}

#[derive(Debug)]
struct Words {
    started: Instant,
    /// Whether it has ever answered.
    answered: bool,
    waiting: bool,
    warned_at: Option<Instant>,
}

impl Words {
    fn new(started: Instant) -> Self {
        Self { started, answered: false, waiting: false, warned_at: None }
    }

    fn answered(&mut self) {
        self.answered = true;
    }

    fn failed(&mut self, now: Instant) -> Word {
        if !self.answered && now.duration_since(self.started) < STARTING {
            return if std::mem::replace(&mut self.waiting, true) { Word::None } else { Word::Waiting };
        }
        if self.warned_at.is_some_and(|at| now.duration_since(at) < LOG_EVERY) {
            return Word::None;
        }
        self.warned_at = Some(now);
        Word::Unavailable
    }
}

impl ReadError {
    /// The store is well; it was asked for something that is not there.
    pub(crate) fn is_about_the_request(&self) -> bool {
        matches!(self, ReadError::Store(StoreError::NoSuchRun(_) | StoreError::NoSuchNode { .. }))
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(StoreError::NoSuchRun(run)) => {
                Problem::missing(format!("there is no run {run}"))
            }
            ReadError::Store(StoreError::NoSuchNode { run, node }) => {
                Problem::missing(format!("there is no node {node} in run {run}"))
            }
            ReadError::Store(_) | ReadError::Late(_) | ReadError::Panicked => Problem::unavailable(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_is_not_there_yet_is_waited_for_quietly_and_only_a_long_wait_is_a_warning() {
        let start = Instant::now();
        let mut words = Words::new(start);
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(words.failed(at(10)), Word::Waiting);
        assert!((1..990).all(|tenth| words.failed(at(tenth * 10)) == Word::None));
        assert_eq!(words.failed(at(10_000)), Word::Unavailable);
        assert_eq!((words.failed(at(10_500)), words.failed(at(11_000))), (Word::None, Word::Unavailable));
    }

    #[test]
    fn a_store_that_has_answered_and_goes_away_is_a_warning_at_once() {
        let start = Instant::now();
        let mut words = Words::new(start);
        words.answered();
        assert_eq!(words.failed(start), Word::Unavailable);
        assert_eq!(words.failed(start), Word::None);
    }
}
