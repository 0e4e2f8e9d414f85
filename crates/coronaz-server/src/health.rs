//! Whether the server is there, and whether it can answer: for whoever watches over it.

use axum::{Json, extract::State};
use coronaz_wire::wall_clock;

use crate::{app::App, problem::Problem, rest::Health};

/// Whether the process runs.
#[utoipa::path(
    get, path = "/healthz", operation_id = "alive",
    responses((status = 200, body = Health, description = "It does")),
)]
pub(crate) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the store answers.
#[utoipa::path(
    get, path = "/readyz", operation_id = "ready",
    responses((status = 200, body = Health, description = "It does")),
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    app.readers().ask(|store| store.default_run(wall_clock::now_us())).await?;
    Ok(Json(Health { status: "ok" }))
}
