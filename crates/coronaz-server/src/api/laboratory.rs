//! The laboratory: its parts as a live diagram, and what can be done with them.

use std::time::Instant;

use axum::{Json, extract::State, http::StatusCode};
use coronaz_wire::control::{self, Overview, PartKind, Request, RunState};
use uuid::Uuid;

use super::now_ms;
use crate::{
    app::App,
    control::ControlError,
    describe::milliseconds,
    describe_laboratory::{foreign, part},
    extract::{Body, Path},
    flows::{Bytes, Counters},
    problem::{FieldError, Problem},
    rest::operator::{Action, Laboratory, LaboratoryPart, LaboratoryRun, NewPeople, PartState, Station},
};

/// Runs whose newest moments are asked for; more do not go on at once on one machine.
const RUNS_WATCHED_MAX: usize = 32;

/// Parts, flows and runs as they are now.
#[utoipa::path(
    get, path = "/api/v1/laboratory", operation_id = "laboratory",
    security(("operator" = [])),
    responses(
        (status = 200, body = Laboratory, description = "The laboratory now"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No laboratory belongs to this server"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn laboratory(State(app): State<App>) -> Result<Json<Laboratory>, Problem> {
    let overview = app.control()?.overview().await?;
    let counters = counters(&app, &overview).await;
    let store_answers = counters.stored.is_some();
    let flows = app.flows().observe(Instant::now(), counters);
    let (parts, runs) = (parts(&overview, store_answers), overview.runs);
    let runs = runs.into_iter().map(LaboratoryRun::from).collect();
    Ok(Json(Laboratory { now_ms: now_ms(), parts, flows, runs }))
}

/// The laboratory's parts in the order of the records' way, the store and what is elsewhere among them.
fn parts(overview: &Overview, store_answers: bool) -> Vec<LaboratoryPart> {
    let of = |kind: PartKind| overview.parts.iter().filter(move |part| part.kind == kind).map(part);
    let mut parts: Vec<_> = of(PartKind::Devices).collect();
    parts.extend(of(PartKind::Broker));
    if !overview.own_broker {
        parts.push(foreign("broker", Station::Broker, PartState::Elsewhere));
    }
    parts.extend(of(PartKind::Ingest));
    let store = match (store_answers, overview.own_store) {
        (false, _) => PartState::Waiting,
        (true, true) => PartState::Running,
        (true, false) => PartState::Elsewhere,
    };
    parts.push(foreign("store", Station::Store, store));
    parts.extend(of(PartKind::Serve));
    parts
}

/// What the store and the broker count; what is away counts nothing.
async fn counters(app: &App, overview: &Overview) -> Counters {
    let going = overview.runs.iter().filter(|run| run.state == RunState::Running);
    let going: Vec<Uuid> = going.map(|run| run.run).take(RUNS_WATCHED_MAX).collect();
    let asked = app.readers().ask(move |store| {
        // A run that has just begun is not in the store yet.
        let progress: Vec<_> = going.into_iter().filter_map(|run| store.progress(run).ok()).collect();
        Ok((store.offsets()?, store.ingest_status()?, progress))
    });
    let bytes = Bytes::of(overview);
    let Ok((offsets, ingest, progress)) = asked.await else {
        return Counters { written: overview.written_records, bytes, ..Counters::default() };
    };
    Counters {
        moments: Some(progress.iter().map(|progress| progress.moments).sum()),
        bytes,
        newest_moment_ms: progress.iter().filter_map(|progress| progress.last_us).max().map(milliseconds),
        ..Counters::of_topic(&offsets, &ingest, overview.written_records)
    }
}

/// Kills, pauses, resumes or restarts a part's process.
#[utoipa::path(
    post, path = "/api/v1/laboratory/parts/{name}/{action}", operation_id = "act",
    params(("name" = String, Path, description = "The part"), ("action" = Action, Path, description = "What to do")),
    security(("operator" = [])),
    responses(
        (status = 204, description = "Done"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "No such part"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "Not possible as the part is now"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn act(
    State(app): State<App>,
    Path((part, action)): Path<(String, Action)>,
) -> Result<StatusCode, Problem> {
    if action == Action::Pause && part == control::SERVE {
        return Err(Problem::conflict(
            "the server itself cannot be paused from its own page, which could not let it go on; use `coronaz parts`",
        ));
    }
    let request = match action {
        Action::Kill => Request::Kill { part },
        Action::Pause => Request::Pause { part },
        Action::Resume => Request::Resume { part },
        Action::Restart => Request::Restart { part },
    };
    app.control()?.order(&request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adds people to a run of devices.
#[utoipa::path(
    post, path = "/api/v1/laboratory/people", operation_id = "addPeople",
    request_body = NewPeople,
    security(("operator" = [])),
    responses(
        (status = 204, description = "They come"),
        (status = 400, body = Problem, content_type = "application/problem+json", description = "Not such an object"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "From another origin, or the operator's part is closed"),
        (status = 404, body = Problem, content_type = "application/problem+json", description = "The laboratory has no such run"),
        (status = 409, body = Problem, content_type = "application/problem+json", description = "The run has ended, or is a fleet"),
        (status = 422, body = Problem, content_type = "application/problem+json", description = "Some fields are wrong"),
        (status = 503, body = Problem, content_type = "application/problem+json", description = "The laboratory does not answer"),
    ),
)]
pub(super) async fn add_people(
    State(app): State<App>,
    Body(people): Body<NewPeople>,
) -> Result<StatusCode, Problem> {
    let mut errors = Vec::new();
    let max = control::NODES_MAX;
    if !(1..=max).contains(&people.count) {
        errors.push(FieldError::new(
            "count",
            format!("from 1 to {max} people can be added, not {}", people.count),
        ));
    }
    if people.infected > people.count {
        let detail = format!("at most all {} people can be infected, not {}", people.count, people.infected);
        errors.push(FieldError::new("infected", detail));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let (safe, infected) = (people.count - people.infected, people.infected);
    app.control()?.order(&Request::Add { safe, infected, run: Some(people.run) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The laboratory's run of this name, if there is a laboratory and it knows it.
pub(super) async fn run_of_laboratory(app: &App, run: Uuid) -> Result<Option<control::Run>, Problem> {
    let control = match app.control() {
        Ok(control) => control,
        Err(ControlError::None) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let overview = control.overview().await?;
    Ok(overview.runs.into_iter().find(|known| known.run == run))
}
