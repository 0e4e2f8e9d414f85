//! What a form to start a run is made of: the model's own table.

use axum::{Json, extract::State};
use coronaz_model::{Parameters, Value, parameters::ParameterInfo};
use coronaz_wire::{
    control::{NODES_MAX, SPEED_MAX, SPEED_MIN},
    frame::PEOPLE_MAX,
};

use crate::{
    app::App,
    describe::value,
    new_run,
    problem::Problem,
    rest::operator::{self, ParameterKind, PeopleRanges, Range, Scenario, Scenarios},
};

/// Scenarios to begin with, and all that can be set, with unit, default and range.
#[utoipa::path(
    get, path = "/api/v1/scenarios", operation_id = "scenarios",
    security(("operator" = [])),
    responses(
        (status = 200, body = Scenarios, description = "What a form is made of"),
        (status = 401, body = Problem, content_type = "application/problem+json", description = "The token is missing or wrong"),
        (status = 403, body = Problem, content_type = "application/problem+json", description = "The operator's part is closed"),
    ),
)]
pub(super) async fn scenarios(State(app): State<App>) -> Json<Scenarios> {
    let up_to = |max: u32| Range { min: 1.0, max: f64::from(max) };
    Json(Scenarios {
        scenarios: app.scenarios().iter().map(scenario).collect(),
        parameters: Parameters::TABLE.iter().map(info).collect(),
        people: PeopleRanges { nodes: up_to(NODES_MAX), fleet: up_to(PEOPLE_MAX) },
        speed: Range { min: SPEED_MIN, max: SPEED_MAX },
    })
}

fn scenario(scenario: &coronaz_wire::Scenario) -> Scenario {
    let parameters = new_run::of_scenario(scenario);
    Scenario {
        name: scenario.name.clone(),
        about: scenario.about.clone(),
        people: scenario.nodes.saturating_add(scenario.infected),
        infected: scenario.infected,
        parameters: parameters.values().map(|(name, of)| (name.to_owned(), value(of))).collect(),
        toml: scenario.to_toml(),
    }
}

fn info(info: &ParameterInfo) -> operator::ParameterInfo {
    let (kind, is_number) = match info.default {
        Value::Integer(_) => (ParameterKind::Integer, true),
        Value::Real(_) => (ParameterKind::Real, true),
        Value::Switch(_) => (ParameterKind::Switch, false),
        Value::Choice(_) => (ParameterKind::Choice, false),
    };
    let words = || info.choices.iter().map(|&word| word.to_owned()).collect();
    operator::ParameterInfo {
        name: info.name.to_owned(),
        help: info.help.to_owned(),
        unit: info.unit.to_owned(),
        kind,
        default: value(info.default),
        min: is_number.then_some(info.min),
        max: is_number.then_some(info.max),
        choices: (kind == ParameterKind::Choice).then(words),
    }
}
