//! What a laboratory answers.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ANSWER_BYTES_MAX, Audit, Chaos, Overview, Part};
use crate::{json, json::DecodeError};

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done; a sentence for people.
    Done(String),
    /// How the parts are.
    Parts(Vec<Part>),
    /// How parts and runs are.
    Overview(Overview),
    /// A run was started.
    Run(Uuid),
    /// How the newest audit is.
    Audit(Audit),
    /// How the newest schedule of faults is.
    Chaos(Chaos),
    /// It was not done.
    Refused(Refusal),
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of reason.
    pub reason: Reason,
    /// The reason, for people.
    pub text: String,
}

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There is no such thing.
    Unknown,
    /// Not in the state that things are in now.
    Conflict,
    /// What was asked for makes no sense.
    Wrong,
    /// The laboratory could not, for want of room, files or processes.
    Failed,
}

impl Refusal {
    /// A refusal of this kind.
    #[must_use]
    pub fn new(reason: Reason, text: impl Into<String>) -> Refusal {
        Refusal { reason, text: text.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Answer::Refused(refusal)
    }
}

impl Answer {
    /// The line that is sent, its end included.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("an enum of plain members can be written as JSON");
        line.push(b'\n');
        line
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Longer than [`ANSWER_BYTES_MAX`], or none of the answers there are.
    pub fn decode(line: &[u8]) -> Result<Answer, DecodeError> {
        json::decode(line, ANSWER_BYTES_MAX)
    }
}
