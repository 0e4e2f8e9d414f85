//! How the parts are doing. The visitor never learns it; the operator does.

use axum::{Json, extract::State};

use super::now_ms;
use crate::{
    app::App,
    problem::Problem,
    rest::{IngestPart, MissingRecords, PartitionPart, Parts, ServerPart},
};

/// Stretches of lost records that are told; one is one too many already.
const MISSING_MAX: usize = 100;

/// How the parts are doing, for the operator.
#[utoipa::path(
    get, path = "/api/v1/parts", operation_id = "parts",
    security(("operator" = [])),
    responses(
        (status = 200, body = Parts, description = "How they are"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The operator's part is closed"),
    ),
)]
pub(super) async fn parts(State(app): State<App>) -> Json<Parts> {
    let asked = app
        .readers()
        .ask(|store| Ok((store.ingest_status()?, store.offsets()?, store.gaps(MISSING_MAX)?)))
        .await;
    let store = asked.is_ok();
    let (ingest, partitions, missing) = asked.unwrap_or_default();
    Json(Parts {
        now_ms: now_ms(),
        store,
        ingest: ingest.into_iter().map(IngestPart::from).collect(),
        partitions: partitions.into_iter().map(PartitionPart::from).collect(),
        missing: missing.into_iter().map(MissingRecords::from).collect(),
        server: ServerPart {
            live_connections: app.hub().connections(),
            watched_runs: app.hub().watched_runs(),
        },
    })
}
