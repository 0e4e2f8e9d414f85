//! Work that goes on in the laboratory: an audit, a schedule of faults.

use axum::{Json, extract::State, http::StatusCode};
use coronaz_wire::control::{Request, StartChaos};

use super::now_ms;
use crate::{
    app::App,
    describe_laboratory,
    extract::Body,
    new_run,
    problem::{FieldError, Problem},
    rest::jobs::{Audit, Chaos, NewAudit, NewChaos},
};

/// A day; who wants more starts another.
const MINUTES_MAX: u32 = 1_440;
/// The longest name of a schedule.
const SCENARIO_CHARS_MAX: usize = 80;

/// Compares what is stored of a run with what was recorded.
#[utoipa::path(
    post, path = "/api/v1/laboratory/audit", operation_id = "startAudit",
    request_body = NewAudit,
    security(("operator" = [])),
    responses(
        (status = 202, description = "It has begun"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Not such an object"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run, or no laboratory"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Another audit goes on"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn start_audit(
    State(app): State<App>,
    Body(audit): Body<NewAudit>,
) -> Result<StatusCode, Problem> {
    let control = app.control()?;
    let run = audit.run;
    app.readers().ask(move |store| store.run(run)).await?;
    control.order(&Request::StartAudit { run }).await?;
    Ok(StatusCode::ACCEPTED)
}

/// How the newest audit is.
#[utoipa::path(
    get, path = "/api/v1/laboratory/audit", operation_id = "audit",
    security(("operator" = [])),
    responses(
        (status = 200, body = Audit, description = "The newest audit"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No laboratory belongs to this server"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn audit(State(app): State<App>) -> Result<Json<Audit>, Problem> {
    Ok(Json(app.control()?.audit().await?.into()))
}

/// Starts a schedule of faults.
#[utoipa::path(
    post, path = "/api/v1/laboratory/chaos", operation_id = "startChaos",
    request_body = NewChaos,
    security(("operator" = [])),
    responses(
        (status = 202, description = "It has begun"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Not such an object"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No laboratory belongs to this server"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Another schedule goes on"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Some fields are wrong"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn start_chaos(
    State(app): State<App>,
    Body(form): Body<NewChaos>,
) -> Result<StatusCode, Problem> {
    let control = app.control()?;
    let mut errors = Vec::new();
    if !(1..=MINUTES_MAX).contains(&form.minutes) {
        errors.push(FieldError::new(
            "minutes",
            format!("from 1 to {MINUTES_MAX} minutes, not {}", form.minutes),
        ));
    }
    let is_word = |word: &String| {
        (1..=SCENARIO_CHARS_MAX).contains(&word.len())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            && !word.starts_with('-')
    };
    if !form.scenario.as_ref().is_none_or(is_word) {
        errors.push(FieldError::new("scenario", "a schedule's name has letters, digits, - and _"));
    }
    new_run::check_seed(form.seed, &mut errors);
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    // Any number will do; 48 bits are the same in every program that reads JSON.
    let seed = match form.seed {
        Some(seed) => seed,
        None => getrandom::u64().map_err(|_| Problem::unavailable())? >> 16,
    };
    control
        .order(&Request::StartChaos(StartChaos { scenario: form.scenario, seed, minutes: form.minutes }))
        .await?;
    Ok(StatusCode::ACCEPTED)
}

/// How the newest schedule of faults is.
#[utoipa::path(
    get, path = "/api/v1/laboratory/chaos", operation_id = "chaos",
    security(("operator" = [])),
    responses(
        (status = 200, body = Chaos, description = "The newest schedule"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No laboratory belongs to this server"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn chaos(State(app): State<App>) -> Result<Json<Chaos>, Problem> {
    let chaos = app.control()?.chaos().await?;
    Ok(Json(describe_laboratory::chaos(chaos, now_ms())))
}

/// Ends a schedule of faults before its time, with what it began undone.
#[utoipa::path(
    delete, path = "/api/v1/laboratory/chaos", operation_id = "stopChaos",
    security(("operator" = [])),
    responses(
        (status = 204, description = "It ends"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No laboratory belongs to this server"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "None goes on"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn stop_chaos(State(app): State<App>) -> Result<StatusCode, Problem> {
    app.control()?.order(&Request::StopChaos).await?;
    Ok(StatusCode::NO_CONTENT)
}
