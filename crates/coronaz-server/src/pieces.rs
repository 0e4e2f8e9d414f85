//! Long answers, written in a thread of their own while they are sent: they need no more memory for a long run
//! than for a short one.

use std::{ops::ControlFlow, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use coronaz_store::{Queries, StoreError};
use futures_util::{StreamExt, stream};
use tokio::{runtime::Handle, sync::mpsc};

use crate::{app::App, readers::ReadError};

/// Sent in pieces of about this size.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that wait for the visitor: one on the way, one behind it.
const PIECES_MAX: usize = 2;
/// A visitor who takes longer for a piece has stopped reading.
const PIECE_TIME_MAX: Duration = Duration::from_secs(10);

/// Where the pieces of an answer go.
pub(crate) struct Pieces {
    sender: mpsc::Sender<Result<Bytes, StoreError>>,
    handle: Handle,
}

impl Pieces {
    /// Sends a piece. Breaks when the visitor has left, or has stopped reading.
    pub(crate) fn send(&self, piece: impl Into<Bytes>) -> ControlFlow<()> {
        self.pass(Ok(piece.into()))
    }

    fn pass(&self, piece: Result<Bytes, StoreError>) -> ControlFlow<()> {
        let sent = tokio::time::timeout(PIECE_TIME_MAX, self.sender.send(piece));
        match self.handle.block_on(sent) {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) | Err(_) => ControlFlow::Break(()),
        }
    }
}

/// A body that is written while it is sent; only a few are written at a time.
///
/// # Errors
/// What fails before the first piece; later the connection can only be broken off.
pub(crate) async fn body(
    app: &App,
    write: impl FnOnce(&dyn Queries, &Pieces) -> Result<(), StoreError> + Send + 'static,
) -> Result<Body, ReadError> {
    let time_max = app.limits().question_time_max;
    let mut pieces = begin(app, write).await?;
    let first = match tokio::time::timeout(time_max, pieces.recv()).await {
        Ok(Some(first)) => first?,
        Ok(None) => return Err(ReadError::Panicked),
        Err(_) => return Err(ReadError::Late(time_max)),
    };
    let rest = stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((piece.map_err(std::io::Error::other), pieces))
    });
    // Compression asks once more after the end.
    Ok(Body::from_stream(stream::iter([Ok(first)]).chain(rest).fuse()))
}

/// Begins to write in a thread of its own.
async fn begin(
    app: &App,
    write: impl FnOnce(&dyn Queries, &Pieces) -> Result<(), StoreError> + Send + 'static,
) -> Result<mpsc::Receiver<Result<Bytes, StoreError>>, ReadError> {
    let time_max = app.limits().question_time_max;
    let place = tokio::time::timeout(time_max, app.histories().clone().acquire_owned())
        .await
        .map_err(|_| ReadError::Late(time_max))?
        .map_err(|_| ReadError::Panicked)?;
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let (store, pieces) = (app.readers().store(), Pieces { sender, handle: Handle::current() });
    tokio::task::spawn_blocking(move || {
        let _place = place;
        if let Err(error) = write(store.as_ref(), &pieces) {
            if !matches!(error, StoreError::NoSuchRun(_)) {
                tracing::warn!(%error, "a long answer could not be written to its end");
            }
            // When the visitor has left there is nobody to be told.
            let _ = pieces.pass(Err(error));
        }
    });
    Ok(receiver)
}
