//! `GET /data`, exactly as the paper has it: the whole history of a run as one object.
//!
//! It is written while it is read, so that it needs no more memory for a long run than for a short one.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use coronaz_store::{Queries, StoreError, queries::PaperState, view::NodeState};
use coronaz_wire::timestamp;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, sync::mpsc};
use uuid::Uuid;

use crate::{app::App, extract::Query, problem::Problem, readers::ReadError};

/// Sent in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces that wait for the visitor: one on the way, one behind it.
const PIECES_MAX: usize = 2;
/// A visitor who takes longer for a piece has stopped reading.
const PIECE_TIME_MAX: Duration = Duration::from_secs(10);
/// The store is not held open for one visitor longer than this.
const HISTORY_TIME_MAX: Duration = Duration::from_secs(300);

#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    run: Option<Uuid>,
}

/// Answers `/data`; `500 {}` when the store is away.
pub(crate) async fn data(State(app): State<App>, Query(which): Query<Which>) -> Response {
    match history(&app, which.run).await {
        Ok(response) => response,
        Err(ReadError::Store(StoreError::NoSuchRun(run))) => {
            Problem::missing(format!("there is no run {run}")).into_response()
        }
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "application/json")], "{}")
            .into_response(),
    }
}

async fn history(app: &App, run: Option<Uuid>) -> Result<Response, ReadError> {
    let run = app.readers().ask(move |store| match run {
        Some(run) => store.run(run).map(|run| Some(run.id)),
        None => store.newest_run(),
    });
    let Some(run) = run.await? else { return Ok(json(Body::from(r#"{"result": []}"#))) };
    let mut pieces = begin(app, run).await?;
    // Whatever fails before anything is sent is `500 {}`; later only the connection can be broken off.
    let first = match tokio::time::timeout(app.limits().question_time_max, pieces.recv()).await {
        Ok(Some(first)) => first?,
        Ok(None) => return Err(ReadError::Panicked),
        Err(_) => return Err(ReadError::Late(app.limits().question_time_max)),
    };
    let rest = stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((piece.map_err(std::io::Error::other), pieces))
    });
    let all = futures_util::StreamExt::chain(stream::iter([Ok(first)]), rest);
    Ok(json(Body::from_stream(all)))
}

fn json(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Begins to write a history in a thread of its own. Only a few are written at a time.
async fn begin(app: &App, run: Uuid) -> Result<mpsc::Receiver<Result<Bytes, StoreError>>, ReadError> {
    let time_max = app.limits().question_time_max;
    let place = tokio::time::timeout(time_max, app.histories().clone().acquire_owned())
        .await
        .map_err(|_| ReadError::Late(time_max))?
        .map_err(|_| ReadError::Panicked)?;
    let (pieces, receiver) = mpsc::channel(PIECES_MAX);
    let (store, handle) = (app.readers().store(), Handle::current());
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let mut writer = Writer { piece: Vec::with_capacity(PIECE_BYTES * 2), pieces, handle };
        if let Err(error) = writer.write(store.as_ref(), run) {
            tracing::warn!(%error, "the history could not be read to its end");
            // When the visitor has left there is nobody to be told.
            let _ = writer.send(Err(error));
        }
    });
    Ok(receiver)
}

/// Writes one history, piece by piece.
struct Writer {
    piece: Vec<u8>,
    pieces: mpsc::Sender<Result<Bytes, StoreError>>,
    handle: Handle,
}

impl Writer {
    fn write(&mut self, store: &dyn Queries, run: Uuid) -> Result<(), StoreError> {
        let began = Instant::now();
        let (mut separator, mut left) = ("", false);
        self.piece.extend_from_slice(br#"{"result": ["#);
        store.paper_states(run, &mut |state| {
            self.piece.extend_from_slice(separator.as_bytes());
            separator = ", ";
            write_state(&mut self.piece, state);
            left = began.elapsed() > HISTORY_TIME_MAX
                || self.piece.len() >= PIECE_BYTES && self.flush().is_break();
            if left { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if !left {
            self.piece.extend_from_slice(b"]}");
            // The last piece; nothing follows that would have to stop.
            let _ = self.flush();
        }
        Ok(())
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES * 2));
        self.send(Ok(piece.into()))
    }

    /// Breaks when the visitor has left, or has stopped reading.
    fn send(&self, piece: Result<Bytes, StoreError>) -> ControlFlow<()> {
        let sent = tokio::time::timeout(PIECE_TIME_MAX, self.pieces.send(piece));
        match self.handle.block_on(sent) {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) | Err(_) => ControlFlow::Break(()),
        }
    }
}

/// A node in a state of the paper.
#[derive(Serialize)]
struct PaperNode {
    position: [i32; 2],
    timestamp: String,
    infected: bool,
    alive: bool,
}

fn write_state(piece: &mut Vec<u8>, state: &mut PaperState<'_>) {
    piece.extend_from_slice(format!(r#"{{"_id": {}"#, state.k).as_bytes());
    for node in state.nodes() {
        piece.extend_from_slice(format!(r#", "{}": "#, node.id).as_bytes());
        write_node(piece, &node);
    }
    piece.push(b'}');
}

fn write_node(piece: &mut Vec<u8>, node: &NodeState) {
    let node = PaperNode {
        position: [node.x, node.y],
        timestamp: timestamp::format(node.time_us),
        infected: node.health.infected,
        alive: node.health.alive,
    };
    serde_json::to_writer(piece, &node).expect("plain members can be written to memory");
}
