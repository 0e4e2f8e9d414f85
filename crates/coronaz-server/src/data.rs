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
use coronaz_store::{Queries, StoreError, queries::PaperState, view::NodeState};
use coronaz_wire::{timestamp, wall_clock};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    app::App,
    extract::Query,
    pieces::{self, PIECE_BYTES, Pieces},
    problem::Problem,
    readers::ReadError,
    rest::PaperHistory,
};

/// The store is not held open for one visitor longer than this.
const HISTORY_TIME_MAX: Duration = Duration::from_secs(300);

/// Which run.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// The run; without it, the newest.
    #[param(nullable = false)]
    run: Option<Uuid>,
}

/// The whole history of a run as one object, exactly as the paper has it.
#[utoipa::path(
    get, path = "/data", operation_id = "data",
    params(Which),
    responses(
        (status = 200, body = PaperHistory, description = "Every state with every node seen so far"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run"),
        (status = 500, body = Nothing, description = "The store does not answer: an empty object"),
    ),
)]
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
        None => store.default_run(wall_clock::now_us()),
    });
    let Some(run) = run.await? else { return Ok(json(Body::from(r#"{"result": []}"#))) };
    // Whatever fails before anything is sent is `500 {}`.
    let body = pieces::body(app, move |store, pieces| {
        Writer { piece: Vec::with_capacity(PIECE_BYTES * 2), pieces }.write(store, run)
    });
    Ok(json(body.await?))
}

fn json(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Writes one history, piece by piece.
struct Writer<'a> {
    piece: Vec<u8>,
    pieces: &'a Pieces,
}

impl Writer<'_> {
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
        self.pieces.send(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES * 2)))
    }
}

/// An empty object.
#[derive(ToSchema)]
pub(crate) struct Nothing {}

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
