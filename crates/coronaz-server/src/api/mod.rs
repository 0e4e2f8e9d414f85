//! `/api/v1`: reading runs. Every route has its description beside it; together they are
//! `web/openapi.json`.
//!
//! - `runs`: runs, states and statistics
//! - `nodes`: one node, its contacts and encounters
//! - `parts`: how the parts are doing, for the operator

mod nodes;
mod parts;
mod runs;

use axum::{
    Json, Router,
    routing::{any, get},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{app::App, live, problem::Problem, rest};

/// The description of `/api/v1`, made from the routes and their bodies.
#[derive(OpenApi)]
#[openapi(
    info(title = "CoronaZ", version = "1", description = "Runs of the laboratory, as the store has them."),
    paths(
        runs::runs, runs::run, runs::state, runs::statistics, runs::infections,
        nodes::nodes, nodes::node, nodes::contacts, nodes::encounters, parts::parts,
    ),
    components(schemas(Problem, rest::Run)),
    modifiers(&OperatorToken),
)]
struct Description;

struct OperatorToken;

impl Modify for OperatorToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("operator", SecurityScheme::Http(bearer));
    }
}

/// The description of `/api/v1` (OpenAPI 3.1), as it is checked in.
///
/// # Panics
/// Never: it is made of plain members.
#[must_use]
pub fn openapi() -> String {
    let mut text = Description::openapi().to_pretty_json().expect("a description is plain JSON");
    text.push('\n');
    text
}

/// The routes, to be put under `/api/v1`.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/runs", get(runs::runs))
        .route("/runs/{run}", get(runs::run))
        .route("/runs/{run}/state", get(runs::state))
        .route("/runs/{run}/statistics", get(runs::statistics))
        .route("/runs/{run}/infections", get(runs::infections))
        .route("/runs/{run}/nodes", get(nodes::nodes))
        .route("/runs/{run}/nodes/{id}", get(nodes::node))
        .route("/runs/{run}/nodes/{id}/contacts", get(nodes::contacts))
        .route("/runs/{run}/nodes/{id}/encounters", get(nodes::encounters))
        .route("/runs/{run}/live", any(live::connect))
        .route("/parts", get(parts::parts))
        .route("/openapi.json", get(description))
}

async fn description() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// No such route.
pub(crate) async fn missing() -> Problem {
    Problem::missing("there is no such part of the interface; /api/v1/openapi.json describes it")
}
