//! The scenario file: TOML that names a run's parameters, its people and its seed.
//!
//! ```toml
//! name = "paper"
//! about = "The paper's figures."
//! nodes = 20          # safe people at the start
//! infected = 1        # infected people at the start
//! seed = 7            # left out: a new one each time
//!
//! [parameters]
//! field_width = 100
//! ```
//!
//! This module knows the syntax; which parameters there are, and their ranges, the model knows.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::names::{self, NameError};

/// A parameter's value in a file or message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// On or off.
    Switch(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// One of several words.
    Choice(String),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Switch(value) => value.fmt(f),
            Setting::Integer(value) => value.fmt(f),
            Setting::Real(value) => value.fmt(f),
            Setting::Choice(value) => value.fmt(f),
        }
    }
}

/// A scenario as its file has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A short name.
    pub name: String,
    /// What it shows, in a sentence or two.
    #[serde(default)]
    pub about: String,
    /// Safe people at the start.
    #[serde(default = "default_nodes")]
    pub nodes: u32,
    /// Infected people at the start.
    #[serde(default = "default_infected")]
    pub infected: u32,
    /// The seed; without it each run draws a new one and says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Parameters by name; those left out have the paper's value.
    #[serde(default)]
    pub parameters: BTreeMap<String, Setting>,
}

fn default_nodes() -> u32 {
    19
}

fn default_infected() -> u32 {
    1
}

/// The longest scenario file read, in bytes.
pub const SCENARIO_BYTES_MAX: usize = 65_536;

/// Why a scenario file was refused; says line and column.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not TOML, an unknown member, or a member of the wrong type.
    #[error("{0}")]
    Toml(#[from] toml::de::Error),
    /// Its name is none.
    #[error("name: {0}")]
    Name(#[from] NameError),
    /// Longer than [`SCENARIO_BYTES_MAX`].
    #[error("{actual} bytes, the limit is {SCENARIO_BYTES_MAX}")]
    TooLong {
        /// Bytes given.
        actual: usize,
    },
}

impl Scenario {
    /// Reads a scenario file's text.
    ///
    /// # Errors
    /// Says line, column and what would be right.
    pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        if text.len() > SCENARIO_BYTES_MAX {
            return Err(ScenarioError::TooLong { actual: text.len() });
        }
        let scenario: Scenario = toml::from_str(text)?;
        names::check(&scenario.name)?;
        Ok(scenario)
    }

    /// The file's text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a struct of plain members can be written as TOML")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_is_read_as_it_was_written() {
        let text = "name = \"a\"\nnodes = 3\nseed = 9\n[parameters]\ninfection_radius = 2.5\nfield_width = 40\nmove_when_infected = true\n";
        let scenario = Scenario::parse(text).expect("a good file");
        assert_eq!((scenario.nodes, scenario.infected, scenario.seed), (3, 1, Some(9)));
        assert_eq!(scenario.parameters["field_width"], Setting::Integer(40));
        assert_eq!(scenario.parameters["infection_radius"], Setting::Real(2.5));
        assert_eq!(Scenario::parse(&scenario.to_toml()).expect("its own text"), scenario);
    }

    #[test]
    fn a_misspelt_member_is_named_with_its_place() {
        let error = Scenario::parse("name = \"a\"\nnode = 3\n").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("node"), "{error}");
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        for name in ["", "\\u001b[2J", &"x".repeat(81)] {
            let error = Scenario::parse(&format!("name = \"{name}\"\n")).unwrap_err().to_string();
            assert!(error.starts_with("name: "), "{error}");
        }
    }
}
