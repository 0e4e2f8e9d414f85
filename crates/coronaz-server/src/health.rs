//! Whether the server is there, and whether it can answer: for whoever watches over it.

use axum::{Json, extract::State};
use coronaz_wire::wall_clock;
use serde_json::{Value, json};

use crate::{app::App, problem::Problem};

/// The process lives.
pub(crate) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// The store answers.
pub(crate) async fn ready(State(app): State<App>) -> Result<Json<Value>, Problem> {
    app.readers().ask(|store| store.default_run(wall_clock::now_us())).await?;
    Ok(Json(json!({ "status": "ok" })))
}
