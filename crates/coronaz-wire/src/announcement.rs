//! The announcement of a run: a record on the topic that says what the reports beside it belong to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    json::{self, DecodeError, TICK_MAX},
    names,
    scenario::Setting,
};

/// The longest announcement read, in bytes.
pub const ANNOUNCEMENT_BYTES_MAX: usize = 65_536;

/// The most parameters of an announcement: several times as many as there are.
pub const PARAMETERS_MAX: usize = 256;

/// Who makes a run's reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// Devices with a radio each.
    Nodes,
    /// One process with many computed devices.
    Fleet,
}

/// What a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Announcement {
    /// The run.
    pub run: Uuid,
    /// A name for people.
    pub name: String,
    /// Who makes its reports.
    pub kind: RunKind,
    /// The seed of its chance.
    pub seed: u64,
    /// When it began, in microseconds since 1970.
    pub started_us: i64,
    /// Its parameters, by name.
    pub parameters: BTreeMap<String, Setting>,
    /// The scenario file it came from, as text.
    #[serde(default)]
    pub scenario: String,
    /// The run whose people it goes on with, under other circumstances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkedFrom>,
    /// The fleet in whose world these devices are guests ([`crate::guests`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guests_of: Option<Uuid>,
}

/// Where a run left another one. With the announcement's people and infected, all that is needed to compute it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForkedFrom {
    /// The other run.
    pub run: Uuid,
    /// The last tick that both have.
    pub tick: u64,
    /// The seed of the other run's chance.
    pub seed: u64,
    /// The other run's parameters, by name.
    pub parameters: BTreeMap<String, Setting>,
    /// Where the other run left a third.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<Box<ForkedFrom>>,
}

impl Announcement {
    /// The bytes of the record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of plain members can be written as JSON")
    }

    /// Reads a record.
    ///
    /// # Errors
    /// More than [`ANNOUNCEMENT_BYTES_MAX`] bytes, not the JSON object expected, a name that is none ([`names`]), or a
    /// time, tick or parameter that no run can have. Which parameters there are, and their ranges, the model knows.
    pub fn decode(bytes: &[u8]) -> Result<Announcement, DecodeError> {
        let announcement: Announcement = json::decode(bytes, ANNOUNCEMENT_BYTES_MAX)?;
        json::check_time("started_us", announcement.started_us)?;
        names::check(&announcement.name)
            .map_err(|error| DecodeError::Value { member: "name", problem: error.to_string() })?;
        check_parameters(&announcement.parameters)?;
        let mut parent = announcement.forked_from.as_ref();
        while let Some(from) = parent {
            json::check_at_most("forked_from.tick", from.tick, TICK_MAX)?;
            check_parameters(&from.parameters)?;
            parent = from.forked_from.as_deref();
        }
        Ok(announcement)
    }
}

/// Names of parameters and their words are names: they stand in lists, too.
fn check_parameters(parameters: &BTreeMap<String, Setting>) -> Result<(), DecodeError> {
    let wrong = |problem: String| DecodeError::Value { member: "parameters", problem };
    if parameters.len() > PARAMETERS_MAX {
        return Err(wrong(format!("at most {PARAMETERS_MAX} of them, not {}", parameters.len())));
    }
    for (name, setting) in parameters {
        names::check(name).map_err(|error| wrong(error.to_string()))?;
        if let Setting::Choice(word) = setting {
            names::check(word).map_err(|error| wrong(format!("{name}: {error}")))?;
        }
    }
    Ok(())
}
