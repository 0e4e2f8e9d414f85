//! A run's tables as CSV, written while they are sent.

use std::ops::ControlFlow;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use coronaz_store::export::{self, Table};
use uuid::Uuid;

use crate::{app::App, extract::Path, pieces, problem::Problem};

/// A table of a run as CSV: `statistics`, `infections`, `contacts`, `encounters` or `nodes`.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/export/{table}.csv", operation_id = "exportTable",
    params(
        ("run" = Uuid, Path, description = "The run"),
        ("table" = String, Path, description = "`statistics`, `infections`, `contacts`, `encounters` or `nodes`"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/csv", description = "The table, a heading first. Times are microseconds since 1970"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run or table"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn export(
    State(app): State<App>,
    Path((run, file)): Path<(Uuid, String)>,
) -> Result<Response, Problem> {
    let missing = || {
        Problem::missing(format!(
            "there is no table {file:?}; there are statistics.csv, infections.csv, contacts.csv, encounters.csv, nodes.csv"
        ))
    };
    let name = file.strip_suffix(".csv").ok_or_else(missing)?.to_owned();
    let table: Table = name.parse().map_err(|_| missing())?;
    let body = pieces::body(&app, move |store, pieces| {
        export::csv(store, run, table, &mut |block: Vec<u8>| -> ControlFlow<()> { pieces.send(block) })
            .map(|_rows| ())
    });
    let disposition = format!("attachment; filename=\"{name}-{run}.csv\"");
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, body.await?).into_response())
}
