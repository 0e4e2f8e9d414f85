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

/// The way to the store.
#[derive(Clone)]
pub(crate) struct Readers {
    store: Arc<dyn Queries>,
    permits: Arc<Semaphore>,
    time_max: Duration,
    logged: Arc<Mutex<Option<Instant>>>,
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
            logged: Arc::default(),
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
        if let Err(error) = &answer {
            self.log(error);
        }
        answer
    }

    fn log(&self, error: &ReadError) {
        if error.is_about_the_request() {
            return;
        }
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            *logged = Some(Instant::now());
            tracing::warn!(%error, "the store does not answer");
        }
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
