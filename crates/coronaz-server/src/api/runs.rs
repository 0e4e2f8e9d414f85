//! Runs, states and statistics.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use coronaz_store::view::RunCursor;
use coronaz_store::{At, Queries};
use coronaz_wire::wall_clock;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    app::App,
    describe,
    extract::{Path, Query, limit},
    live::Picture,
    problem::Problem,
    rest::{self, Infection, Infections, Run, Runs, Statistics},
};

/// The media type of the binary frame.
const FRAME: &str = coronaz_wire::CONTENT_TYPE_FRAME;
/// A state of more nodes is given as a frame only: as JSON it would be tens of megabytes.
const JSON_NODES_MAX: usize = 100_000;
/// Runs given when nothing else is asked for.
const RUNS_DEFAULT: usize = 200;
/// Runs given at most: some hundred kilobytes.
const RUNS_MAX: usize = 1_000;
/// Points of a series when nothing else is asked for: about one a pixel.
const POINTS_DEFAULT: usize = 1_000;
/// Points of the longest series.
const POINTS_MAX: usize = 20_000;
/// Infections given when nothing else is asked for.
const INFECTIONS_DEFAULT: usize = 1_000;
/// Infections given at most.
const INFECTIONS_MAX: usize = 100_000;

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunList {
    /// The `next` of the page before.
    #[param(nullable = false, pattern = "^-?[0-9]{1,18}$")]
    after: Option<String>,
    /// At most so many.
    #[param(nullable = false, minimum = 1, maximum = 1_000, default = 200)]
    limit: Option<usize>,
}

/// The runs, newest first, in pages.
#[utoipa::path(
    get, path = "/api/v1/runs", operation_id = "runs",
    params(RunList),
    responses(
        (status = 200, body = Runs, description = "The runs"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn runs(State(app): State<App>, Query(list): Query<RunList>) -> Result<Json<Runs>, Problem> {
    let limit = limit(list.limit, RUNS_DEFAULT, RUNS_MAX)?;
    let wrong = || Problem::wrong("after has to be the next of an earlier answer");
    let after = list.after.map(|text| parse_run_cursor(&text).ok_or_else(wrong)).transpose()?;
    let now_us = wall_clock::now_us();
    let asked =
        app.readers().ask(move |store| Ok((store.runs_page(after, limit)?, store.default_run(now_us)?)));
    let (page, default_run) = asked.await?;
    Ok(Json(Runs {
        runs: page.runs.into_iter().map(Run::from).collect(),
        default_run,
        next: page.next.map(|RunCursor(place)| place.to_string()),
    }))
}

fn parse_run_cursor(text: &str) -> Option<RunCursor> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = (1..=18).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).map(RunCursor)
}

/// One run.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}", operation_id = "run",
    params(("run" = Uuid, Path, description = "The run")),
    responses(
        (status = 200, body = Run, description = "The run"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Not a UUID"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn run(State(app): State<App>, Path(run): Path<Uuid>) -> Result<Json<Run>, Problem> {
    Ok(Json(app.readers().ask(move |store| store.run(run)).await?.into()))
}

/// Which moment; without either, the newest.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// By number.
    #[param(nullable = false)]
    moment: Option<u64>,
    /// The newest that is not after this time.
    #[param(nullable = false)]
    time_ms: Option<i64>,
}

/// Everybody at a moment: as JSON, or as the binary frame for `Accept: application/vnd.coronaz.frame`.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/state", operation_id = "state",
    params(("run" = Uuid, Path, description = "The run"), Which),
    responses(
        (status = 200, description = "Everybody", content(
            (rest::State = "application/json"),
            (Vec<u8> = "application/vnd.coronaz.frame"),
        )),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run or moment"),
        (status = 406, body = Problem, content_type = "application/problem+json", description = "Too many nodes for JSON: ask for the frame"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn state(
    State(app): State<App>,
    Path(run): Path<Uuid>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let at = match (which.moment, which.time_ms) {
        (Some(_), Some(_)) => return Err(Problem::wrong("give moment or time_ms, not both")),
        (Some(moment), None) => At::Moment(moment),
        (None, Some(time_ms)) => At::TimeUs(time_ms.saturating_mul(1000).saturating_add(999)),
        (None, None) => At::Latest,
    };
    let missing = || Problem::missing("the run has no such moment");
    let crowd = app.readers().ask(move |store| store.crowd(run, at)).await?.ok_or_else(missing)?;
    if accepts_frame(&headers) {
        let about = app.readers().ask(move |store| store.run(run)).await?;
        let frame = Picture::new(&crowd, describe::field(&about)).plain();
        return Ok(([(header::CONTENT_TYPE, FRAME), (header::VARY, "accept")], frame).into_response());
    }
    let people = crowd.health.iter().flatten().count();
    if people > JSON_NODES_MAX {
        let detail = format!("{people} nodes are too many for JSON: ask with `Accept: {FRAME}`");
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE).detail(detail));
    }
    let at = At::Moment(crowd.moment.k);
    let state = app.readers().ask(move |store| store.state(run, at)).await?.ok_or_else(missing)?;
    Ok(([(header::VARY, "accept")], Json(rest::State::from(state))).into_response())
}

fn accepts_frame(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(FRAME))
}

/// Which part of the series, and how finely.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Series {
    /// The first moment; the run's first when left out.
    #[param(nullable = false)]
    from: Option<u64>,
    /// The last moment; the newest when left out.
    #[param(nullable = false)]
    to: Option<u64>,
    /// At most so many moments, evenly picked, the first and the last among them.
    #[param(nullable = false, minimum = 2, maximum = 20_000, default = 1_000)]
    points: Option<usize>,
}

/// The figures over the moments, in columns.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/statistics", operation_id = "statistics",
    params(("run" = Uuid, Path, description = "The run"), Series),
    responses(
        (status = 200, body = Statistics, description = "The figures"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn statistics(
    State(app): State<App>,
    Path(run): Path<Uuid>,
    Query(series): Query<Series>,
) -> Result<Json<Statistics>, Problem> {
    let points = series.points.unwrap_or(POINTS_DEFAULT);
    if !(2..=POINTS_MAX).contains(&points) {
        return Err(Problem::wrong(format!("points has to be 2 to {POINTS_MAX}, not {points}")));
    }
    let (from, to) = (series.from.unwrap_or(0), series.to.unwrap_or(u64::MAX));
    if from > to {
        return Err(Problem::wrong(format!("from ({from}) comes after to ({to})")));
    }
    let ask = move |store: &dyn Queries| {
        // Points before a fork's first moment would be picked in vain.
        let first = describe::first_moment(&store.run(run)?);
        store.moments(run, from.max(first), to, points)
    };
    let moments = app.readers().ask(ask).await?;
    Ok(Json(moments.into()))
}

/// Which infections.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Since {
    /// Not before this time.
    #[param(nullable = false)]
    from_ms: Option<i64>,
    /// At most so many.
    #[param(nullable = false, minimum = 1, maximum = 100_000, default = 1_000)]
    limit: Option<usize>,
    /// Only those by this node.
    #[param(nullable = false)]
    infector: Option<Uuid>,
}

/// Who infected whom, when and where; oldest first.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/infections", operation_id = "infections",
    params(("run" = Uuid, Path, description = "The run"), Since),
    responses(
        (status = 200, body = Infections, description = "The infections"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "A parameter is wrong"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn infections(
    State(app): State<App>,
    Path(run): Path<Uuid>,
    Query(since): Query<Since>,
) -> Result<Json<Infections>, Problem> {
    let limit = limit(since.limit, INFECTIONS_DEFAULT, INFECTIONS_MAX)?;
    let from_us = since.from_ms.map_or(i64::MIN, |ms| ms.saturating_mul(1000));
    let infections = app.readers().ask(move |store| match since.infector {
        None => store.infections(run, from_us, limit),
        Some(infector) => store.infections_by(run, infector, from_us, limit),
    });
    let infections = infections.await?;
    Ok(Json(Infections { infections: infections.into_iter().map(Infection::from).collect() }))
}
