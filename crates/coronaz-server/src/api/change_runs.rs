//! Runs are started, stopped, forked and deleted: by the laboratory, for the operator.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use coronaz_store::StoreError;
use coronaz_wire::control::{Answer, ForkRun, Reason, Request, RunState};
use uuid::Uuid;

use super::laboratory::run_of_laboratory;
use crate::{
    app::App,
    control::ControlError,
    deletion,
    extract::{Body, Path},
    new_run,
    problem::{FieldError, Problem},
    rest::operator::{NewFork, NewRun, StartedRun},
};

/// A large run takes longer to be removed; it is gone for readers at once, and the rest goes by itself.
const DELETION_WAITED: Duration = Duration::from_secs(5);

/// Starts a run.
#[utoipa::path(
    post, path = "/api/v1/runs", operation_id = "startRun",
    request_body = NewRun,
    security(("operator" = [])),
    responses(
        (status = 201, body = StartedRun, description = "The run has been started"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Not such an object"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No laboratory belongs to this server"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Too many runs go on"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Some fields are wrong"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn start(State(app): State<App>, Body(form): Body<NewRun>) -> Result<Response, Problem> {
    let control = app.control()?;
    let start = new_run::check(&form, app.scenarios()).map_err(Problem::fields)?;
    started(&control.ask(&Request::StartRun(start)).await?)
}

fn started(answer: &Answer) -> Result<Response, Problem> {
    let Answer::Run(run) = *answer else { return Err(ControlError::strange(answer).into()) };
    let place = format!("/api/v1/runs/{run}");
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(StartedRun { run })).into_response())
}

/// Stops a run: its devices die with their last message, its fleet ends.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/stop", operation_id = "stopRun",
    params(("run" = Uuid, Path, description = "The run")),
    security(("operator" = [])),
    responses(
        (status = 204, description = "It stops"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The laboratory has no such run"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It has ended already"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn stop(State(app): State<App>, Path(run): Path<Uuid>) -> Result<StatusCode, Problem> {
    app.control()?.order(&Request::StopRun { run }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Computes a fleet's run again up to a tick, and goes on from there with changes as a new run.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/fork", operation_id = "forkRun",
    params(("run" = Uuid, Path, description = "The run to begin with")),
    request_body = NewFork,
    security(("operator" = [])),
    responses(
        (status = 201, body = StartedRun, description = "The run has been started"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Not such an object"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run, or no laboratory"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "A run of devices, or one that was never announced: it cannot be computed again"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Some fields are wrong"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn fork(
    State(app): State<App>,
    Path(from): Path<Uuid>,
    Body(form): Body<NewFork>,
) -> Result<Response, Problem> {
    let control = app.control()?;
    let run = app.readers().ask(move |store| store.run(from)).await?;
    if run.kind != "fleet" {
        return Err(Problem::conflict(
            "only a fleet can be forked: what devices with a radio did cannot be computed again",
        ));
    }
    if run.forked_from.is_some() {
        return Err(Problem::conflict(
            "a fork cannot be forked: its beginning is another run's; fork that one",
        ));
    }
    let Some(scenario) = run.scenario.filter(|scenario| !scenario.is_empty()) else {
        return Err(Problem::conflict(
            "this fleet's scenario was never announced: it cannot be computed again",
        ));
    };
    let mut errors = Vec::new();
    if form.tick >= run.moments {
        let newest = run.moments.saturating_sub(1);
        errors.push(FieldError::new(
            "tick",
            format!("the run has ticks from 0 to {newest}, not {}", form.tick),
        ));
    }
    let changes = new_run::check_changes(&form.parameters, &mut errors);
    new_run::check_name(form.name.as_deref(), &mut errors);
    new_run::check_seed(form.seed, &mut errors);
    let speed = new_run::check_speed(form.speed.as_ref(), &mut errors);
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let name = form.name.map(|name| name.trim().to_owned());
    let fork = ForkRun { from, scenario, tick: form.tick, changes, name, seed: form.seed, speed };
    started(&control.ask(&Request::ForkRun(fork)).await?)
}

/// Deletes a run that has ended: nothing of it is left, and what still arrives of it is not stored.
#[utoipa::path(
    delete, path = "/api/v1/runs/{run}", operation_id = "deleteRun",
    params(("run" = Uuid, Path, description = "The run")),
    security(("operator" = [])),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such run"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "It goes on: stop it first"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "Temporarily unavailable"),
    ),
)]
pub(super) async fn delete(State(app): State<App>, Path(run): Path<Uuid>) -> Result<StatusCode, Problem> {
    let known = run_of_laboratory(&app, run).await?;
    if known.as_ref().is_some_and(|known| known.state == RunState::Running) {
        return Err(Problem::conflict("the run goes on; stop it first"));
    }
    let deleted = deletion::delete(&app, run, DELETION_WAITED).await;
    let was_stored = match deleted {
        Ok(()) => true,
        // It may have failed before anything of it was stored.
        Err(deletion::DeletionError::Store(StoreError::NoSuchRun(_))) if known.is_some() => false,
        Err(error) => return Err(error.into()),
    };
    if known.is_some() {
        match app.control()?.order(&Request::ForgetRun { run }).await {
            Ok(()) => {}
            Err(ControlError::Refused(refusal)) if refusal.reason == Reason::Unknown => {}
            // What the store had is gone; the laboratory's own entry can be deleted later.
            Err(error) if was_stored => tracing::warn!(%run, %error, "the laboratory does not forget a run"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
