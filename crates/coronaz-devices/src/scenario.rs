//! Scenarios: a file's settings, and flags over them, become the model's parameters. One place for all.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use coronaz_model::{ParameterError, Parameters, Value};
use coronaz_wire::{
    Announcement, Scenario, Setting,
    announcement::RunKind,
    scenario::{SCENARIO_BYTES_MAX, ScenarioError as SyntaxError},
};
use uuid::Uuid;

/// Scenarios that need no file: name and text.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("town", include_str!("../../../scenarios/town.toml")),
    ("paper", include_str!("../../../scenarios/paper.toml")),
];
/// The scenario of every command that plays one, when none is named.
pub const DEFAULT: &str = "town";
/// The most people of one run of nodes: each has a process's sockets.
pub const NODES_MAX: u32 = 10_000;

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither built in nor a file.
    #[error(
        "there is no scenario {name:?}: write {}, or the path of a scenario file",
        BUILT_IN.map(|(name, _)| name).join(", ")
    )]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("the scenario file {} cannot be read: {source}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a scenario.
    #[error("the scenario {name} is not understood: {source}")]
    Syntax {
        /// Its name or path.
        name: String,
        /// Line, column and what would be right.
        source: SyntaxError,
    },
    /// A parameter that does not exist or does not fit.
    #[error("the scenario {name}: {source}")]
    Parameter {
        /// Its name.
        name: String,
        /// What would be right.
        source: ParameterError,
    },
    /// Too many people.
    #[error("the scenario {name}: nodes and infected together must be from 1 to {NODES_MAX}, not {people}")]
    People {
        /// Its name.
        name: String,
        /// How many it has.
        people: u64,
    },
}

/// The scenario of this name, or in the file at this path, for nodes: parameters and number of
/// people are checked.
///
/// # Errors
/// See [`ScenarioError`].
pub fn find(name_or_path: &str) -> Result<Scenario, ScenarioError> {
    let scenario = load(name_or_path)?;
    let people = u64::from(scenario.nodes) + u64::from(scenario.infected);
    if !(1..=u64::from(NODES_MAX)).contains(&people) {
        return Err(ScenarioError::People { name: scenario.name, people });
    }
    Ok(scenario)
}

/// The scenario of this name, or in the file at this path, of any number of people. Its parameters are checked.
///
/// # Errors
/// See [`ScenarioError`].
pub fn load(name_or_path: &str) -> Result<Scenario, ScenarioError> {
    let scenario = match BUILT_IN.into_iter().find(|(name, _)| *name == name_or_path) {
        Some((name, text)) => parse(name, text)?,
        None => parse(name_or_path, &read(name_or_path)?)?,
    };
    parameters(&scenario)?;
    Ok(scenario)
}

fn parse(name: &str, text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse(text).map_err(|source| ScenarioError::Syntax { name: name.to_owned(), source })
}

fn read(name_or_path: &str) -> Result<String, ScenarioError> {
    let path = PathBuf::from(name_or_path);
    let meant_as_path = name_or_path.contains(['/', '.']);
    let length = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !meant_as_path => {
            return Err(ScenarioError::Unknown { name: name_or_path.to_owned() });
        }
        Err(source) => return Err(ScenarioError::File { path, source }),
    };
    if length > SCENARIO_BYTES_MAX as u64 {
        let actual = usize::try_from(length).unwrap_or(usize::MAX);
        let source = SyntaxError::TooLong { actual };
        return Err(ScenarioError::Syntax { name: name_or_path.to_owned(), source });
    }
    fs::read_to_string(&path).map_err(|source| ScenarioError::File { path, source })
}

/// The parameters of a scenario; those it leaves out have the paper's value, or what held when it was recorded
/// ([`Parameters::unnamed`]).
///
/// # Errors
/// A parameter that does not exist or does not fit.
pub fn parameters(scenario: &Scenario) -> Result<Parameters, ScenarioError> {
    let mut parameters = Parameters::unnamed(scenario.parameters.keys().map(String::as_str));
    for (name, setting) in &scenario.parameters {
        let outcome = match setting {
            Setting::Switch(on) => parameters.set(name, Value::Switch(*on)),
            Setting::Integer(number) => parameters.set(name, Value::Integer(*number)),
            Setting::Real(number) => parameters.set(name, Value::Real(*number)),
            Setting::Choice(word) => parameters.set_text(name, word),
        };
        outcome.map_err(|source| ScenarioError::Parameter { name: scenario.name.clone(), source })?;
    }
    Ok(parameters)
}

/// All parameters by name, as they stand in files and messages.
#[must_use]
pub fn settings(parameters: &Parameters) -> BTreeMap<String, Setting> {
    parameters.values().map(|(name, value)| (name.to_owned(), setting(value))).collect()
}

fn setting(value: Value) -> Setting {
    match value {
        Value::Integer(number) => Setting::Integer(number),
        Value::Real(number) => Setting::Real(number),
        Value::Switch(on) => Setting::Switch(on),
        Value::Choice(word) => Setting::Choice(word.to_owned()),
    }
}

/// The announcement of a run of this scenario with these parameters.
#[must_use]
pub fn announcement(
    run: Uuid,
    kind: RunKind,
    seed: u64,
    started_us: i64,
    scenario: &Scenario,
    parameters: &Parameters,
) -> Announcement {
    let settings = settings(parameters);
    let effective = Scenario { seed: Some(seed), parameters: settings.clone(), ..scenario.clone() };
    Announcement {
        run,
        name: scenario.name.clone(),
        kind,
        seed,
        started_us,
        parameters: settings,
        scenario: effective.to_toml(),
        forked_from: None,
        guests_of: None,
    }
}

#[cfg(test)]
mod tests;
