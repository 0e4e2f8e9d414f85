//! A run that somebody wants to start: the form's fields are checked by the model's own table, all at once.

use std::collections::BTreeMap;

use coronaz_model::{ParameterError, Parameters, Value};
use coronaz_wire::{
    Scenario, Setting,
    announcement::RunKind,
    control::{NODES_MAX, SPEED_MAX, SPEED_MIN, StartRun},
    frame::PEOPLE_MAX,
    names,
};

use crate::{
    problem::FieldError,
    rest::{
        Parameter,
        operator::{Kind, NewRun, Speed},
    },
};

/// Numbers up to here are the same in every program that reads JSON.
const SEED_MAX: u64 = (1 << 53) - 1;

/// Checks a form; gives the run to start, or everything that is wrong with it.
pub(crate) fn check(form: &NewRun, known: &[Scenario]) -> Result<StartRun, Vec<FieldError>> {
    let mut errors = Vec::new();
    let base = match &form.scenario {
        // What every command plays, too.
        None => known.first(),
        Some(name) => {
            let found = known.iter().find(|scenario| scenario.name == *name);
            if found.is_none() {
                let names =
                    known.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>().join(", ");
                errors.push(FieldError::new(
                    "scenario",
                    format!("there is no scenario {name:?}; there are: {names}"),
                ));
            }
            found
        }
    };
    let parameters = merged(base, &form.parameters, &mut errors);
    check_people(form, &mut errors);
    check_seed(form.seed, &mut errors);
    check_name(form.name.as_deref(), &mut errors);
    if form.kind == Kind::Nodes && form.speed.is_some() {
        errors.push(FieldError::new("speed", "devices with a radio live in real time; leave the speed out"));
    }
    let speed = check_speed(form.speed.as_ref(), &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let name = form.name.as_deref().or(base.map(|base| base.name.as_str())).unwrap_or("paper");
    let scenario = Scenario {
        name: name.trim().to_owned(),
        about: base.map_or_else(String::new, |base| base.about.clone()),
        nodes: form.people - form.infected,
        infected: form.infected,
        seed: form.seed,
        parameters: settings(&parameters),
    };
    Ok(StartRun { kind: form.kind.into(), scenario: scenario.to_toml(), speed })
}

/// All parameters of a scenario with others over them; what does not fit is added to the errors.
fn merged(
    base: Option<&Scenario>,
    over: &BTreeMap<String, Parameter>,
    errors: &mut Vec<FieldError>,
) -> Parameters {
    let mut parameters = base.map_or_else(Parameters::default, of_scenario);
    for (name, value) in over {
        if let Err(error) = set(&mut parameters, name, value) {
            errors.push(FieldError::new(format!("parameters.{name}"), error.to_string()));
        }
    }
    parameters
}

/// The parameters of a scenario that the server was given, which its giver has checked: the paper's for those
/// that it leaves out.
pub(crate) fn of_scenario(scenario: &Scenario) -> Parameters {
    let mut parameters = Parameters::default();
    for (name, setting) in &scenario.parameters {
        if let Err(error) = set(&mut parameters, name, &parameter(setting)) {
            tracing::warn!(scenario = scenario.name, %error, "a scenario has a parameter that does not fit");
        }
    }
    parameters
}

/// Checks the changes of a fork, each by itself.
pub(crate) fn check_changes(
    changes: &BTreeMap<String, Parameter>,
    errors: &mut Vec<FieldError>,
) -> BTreeMap<String, Setting> {
    let checked = settings(&merged(None, changes, errors));
    changes.keys().filter_map(|name| Some((name.clone(), checked.get(name)?.clone()))).collect()
}

pub(crate) fn check_seed(seed: Option<u64>, errors: &mut Vec<FieldError>) {
    if seed.is_some_and(|seed| seed > SEED_MAX) {
        errors.push(FieldError::new("seed", format!("the seed must be from 0 to {SEED_MAX}")));
    }
}

pub(crate) fn check_name(name: Option<&str>, errors: &mut Vec<FieldError>) {
    if let Some(Err(error)) = name.map(names::typed) {
        errors.push(FieldError::new("name", error.to_string()));
    }
}

/// The speed as `--speed` has it.
pub(crate) fn check_speed(speed: Option<&Speed>, errors: &mut Vec<FieldError>) -> Option<String> {
    match speed? {
        Speed::Word(word) if word == "max" => return Some(word.clone()),
        Speed::Times(times) if (SPEED_MIN..=SPEED_MAX).contains(times) => return Some(times.to_string()),
        Speed::Word(_) | Speed::Times(_) => {}
    }
    let right = format!("the speed must be from {SPEED_MIN} to {SPEED_MAX} times real time, or max");
    errors.push(FieldError::new("speed", right));
    None
}

fn check_people(form: &NewRun, errors: &mut Vec<FieldError>) {
    let (max, whom) = match form.kind {
        Kind::Nodes => (NODES_MAX, "a run of devices"),
        Kind::Fleet => (PEOPLE_MAX, "a fleet"),
    };
    if !(1..=max).contains(&form.people) {
        errors.push(FieldError::new(
            "people",
            format!("{whom} has from 1 to {max} people, not {}", form.people),
        ));
    }
    if form.infected > form.people {
        let detail = format!("at most all {} people can be infected, not {}", form.people, form.infected);
        errors.push(FieldError::new("infected", detail));
    }
}

fn set(parameters: &mut Parameters, name: &str, value: &Parameter) -> Result<(), ParameterError> {
    match value {
        Parameter::Switch(on) => parameters.set(name, Value::Switch(*on)),
        Parameter::Integer(number) => parameters.set(name, Value::Integer(*number)),
        Parameter::Real(number) => parameters.set(name, Value::Real(*number)),
        Parameter::Choice(word) => match Parameters::info(name)?.default {
            Value::Choice(_) => parameters.set_text(name, word),
            // Text is not a number, even where it could be read as one.
            _ => parameters.set(name, Value::Choice("text")),
        },
    }
}

fn parameter(setting: &Setting) -> Parameter {
    match setting {
        Setting::Switch(on) => Parameter::Switch(*on),
        Setting::Integer(number) => Parameter::Integer(*number),
        Setting::Real(number) => Parameter::Real(*number),
        Setting::Choice(word) => Parameter::Choice(word.clone()),
    }
}

fn settings(parameters: &Parameters) -> BTreeMap<String, Setting> {
    let setting = |value| match value {
        Value::Integer(number) => Setting::Integer(number),
        Value::Real(number) => Setting::Real(number),
        Value::Switch(on) => Setting::Switch(on),
        Value::Choice(word) => Setting::Choice(word.to_owned()),
    };
    parameters.values().map(|(name, value)| (name.to_owned(), setting(value))).collect()
}

impl From<Kind> for RunKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Nodes => RunKind::Nodes,
            Kind::Fleet => RunKind::Fleet,
        }
    }
}

impl From<RunKind> for Kind {
    fn from(kind: RunKind) -> Self {
        match kind {
            RunKind::Nodes => Kind::Nodes,
            RunKind::Fleet => Kind::Fleet,
        }
    }
}

#[cfg(test)]
mod tests;
