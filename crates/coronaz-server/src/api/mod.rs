//! `/api/v1`: runs for everybody, the laboratory for its operator. Every route has its description beside it; together they are
//! `web/openapi.json` (`description`).
//!
//! - `runs`: runs, states and statistics
//! - `nodes`: one node, its contacts and encounters
//! - `export`: a run's tables as CSV
//! - `session`: who asks
//!
//! and for the operator
//!
//! - `parts`: how the parts that read and write the store are doing
//! - `laboratory`: all parts, and what can be done with them
//! - `scenarios`: what a run can be; `change_runs`: start, stop, fork, delete
//! - `jobs`: audits and schedules of faults

mod change_runs;
mod description;
mod export;
mod jobs;
mod laboratory;
mod nodes;
mod parts;
mod runs;
mod scenarios;
mod session;

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Json, Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, any, delete, get, post},
};

use crate::{app::App, guard, live, problem::Problem};

pub(crate) use description::described;

/// The description of the interface (OpenAPI 3.1), as it is checked in.
///
/// # Panics
/// Never: it is made of plain members.
#[must_use]
pub fn openapi() -> String {
    let mut text = serde_json::to_string_pretty(described()).expect("a description is plain JSON");
    text.push('\n');
    text
}

/// The routes, to be put under `/api/v1`. What stands in `operators(…)` is the operator's.
pub(crate) fn routes(app: &App) -> Router<App> {
    let operators =
        |methods: MethodRouter<App>| methods.route_layer(from_fn_with_state(app.clone(), guard::operator));
    let run = get(runs::run).merge(operators(delete(change_runs::delete)));
    let chaos = get(jobs::chaos).post(jobs::start_chaos).delete(jobs::stop_chaos);
    Router::new()
        .route("/runs", get(runs::runs).merge(operators(post(change_runs::start))))
        .route("/runs/{run}", run)
        .route("/runs/{run}/stop", operators(post(change_runs::stop)))
        .route("/runs/{run}/fork", operators(post(change_runs::fork)))
        .route("/runs/{run}/export/{file}", get(export::export))
        .route("/runs/{run}/state", get(runs::state))
        .route("/runs/{run}/statistics", get(runs::statistics))
        .route("/runs/{run}/infections", get(runs::infections))
        .route("/runs/{run}/nodes", get(nodes::nodes))
        .route("/runs/{run}/nodes/{id}", get(nodes::node))
        .route("/runs/{run}/nodes/{id}/contacts", get(nodes::contacts))
        .route("/runs/{run}/nodes/{id}/encounters", get(nodes::encounters))
        .route("/runs/{run}/live", any(live::connect))
        .route("/session", get(session::session).merge(operators(delete(session::sign_out))))
        .route("/scenarios", operators(get(scenarios::scenarios)))
        .route("/parts", operators(get(parts::parts)))
        .route("/laboratory", operators(get(laboratory::laboratory)))
        .route("/laboratory/parts/{name}/{action}", operators(post(laboratory::act)))
        .route("/laboratory/people", operators(post(laboratory::add_people)))
        .route("/laboratory/audit", operators(get(jobs::audit).post(jobs::start_audit)))
        .route("/laboratory/chaos", operators(chaos))
        .route("/openapi.json", get(description))
}

/// The time, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

async fn description() -> Json<&'static serde_json::Value> {
    Json(described())
}

/// No such route.
pub(crate) fn missing() -> Problem {
    Problem::missing("there is no such part of the interface; /api/v1/openapi.json describes it")
}
