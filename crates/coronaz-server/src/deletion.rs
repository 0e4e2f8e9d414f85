//! Runs are deleted one after the other, off the async threads; whoever asked waits a while.

use std::{ops::ControlFlow, time::Duration};

use coronaz_store::StoreError;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{api::now_ms, app::App, problem::Problem};

/// Why a run was not deleted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeletionError {
    /// This server may only read.
    #[error("this server only reads its store")]
    ReadOnly,
    /// The store said so.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The deletion itself broke.
    #[error("a deletion panicked")]
    Panicked,
}

/// Deletes a run. What takes longer than `waited` goes on, and counts as done: readers do not see it any more.
pub(crate) async fn delete(app: &App, run: Uuid, waited: Duration) -> Result<(), DeletionError> {
    let location = app.administered().ok_or(DeletionError::ReadOnly)?.clone();
    let turn = app.deletions().clone().lock_owned();
    let deleting: JoinHandle<Result<(), StoreError>> = tokio::spawn(async move {
        let _turn = turn.await;
        let deleted = tokio::task::spawn_blocking(move || {
            let now_us = now_ms().saturating_mul(1000);
            location.administration().delete_run(run, now_us, &mut |_| ControlFlow::Continue(()))
        });
        let deleted = deleted.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        match &deleted {
            Ok(deleted) => tracing::info!(%run, rows = deleted.rows, "a run was deleted"),
            Err(StoreError::NoSuchRun(_)) => tracing::debug!(%run, "there is no run to be deleted"),
            Err(error) => tracing::warn!(%run, %error, "a run could not be deleted"),
        }
        deleted.map(|_| ())
    });
    match tokio::time::timeout(waited, deleting).await {
        Ok(Ok(deleted)) => Ok(deleted?),
        Ok(Err(_)) => Err(DeletionError::Panicked),
        Err(_) => Ok(()),
    }
}

impl From<DeletionError> for Problem {
    fn from(error: DeletionError) -> Self {
        match error {
            DeletionError::ReadOnly => Problem::conflict("this server only reads its store"),
            DeletionError::Store(StoreError::NoSuchRun(run)) => {
                Problem::missing(format!("there is no run {run}"))
            }
            DeletionError::Store(_) | DeletionError::Panicked => Problem::unavailable(),
        }
    }
}
