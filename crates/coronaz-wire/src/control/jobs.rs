//! Work that goes on after the answer: an audit, a schedule of faults. Times are milliseconds since 1970.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How a piece of work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// There was none.
    #[default]
    None,
    /// It goes on.
    Running,
    /// It came to its end, whatever it found.
    Done,
    /// It was ended before its time.
    Stopped,
    /// It could not be done.
    Failed,
}

/// An audit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// How it is.
    pub state: JobState,
    /// Of which run.
    pub run: Option<Uuid>,
    /// When it began.
    pub started_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// What it found.
    pub verdict: Option<AuditVerdict>,
    /// Why it failed, for people.
    pub why: Option<String>,
}

/// What an audit found, in contacts. What the auditor does not say is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditVerdict {
    /// Different contacts that were recorded.
    pub recorded: u64,
    /// Rows in the store.
    pub stored: u64,
    /// Recorded, and not stored.
    pub lost: u64,
    /// Rows stored beside an equal one.
    pub doubled: u64,
    /// Stored otherwise than recorded.
    pub wrong: u64,
    /// Stored, and recorded by nobody.
    pub unknown: u64,
    /// Still on the way, as far as the store shows; not lost.
    pub waiting: u64,
    /// Reports, or ticks of a fleet, that came in late; `None`: the store does not say.
    pub late: Option<u64>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// The first differences, in words.
    pub examples: Vec<String>,
}

impl AuditVerdict {
    /// Whether the store holds what was recorded, each once, and nothing else.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong == 0 && self.unknown == 0
    }
}

/// A schedule of faults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Chaos {
    /// How it is.
    pub state: JobState,
    /// Which schedule.
    pub scenario: Option<String>,
    /// Its seed.
    pub seed: Option<u64>,
    /// When it began.
    pub started_ms: Option<i64>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// The faults so far, the oldest first.
    pub faults: Vec<Fault>,
    /// What the audit at its end found.
    pub verdict: Option<AuditVerdict>,
    /// Why it failed, for people.
    pub why: Option<String>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// When it began, in milliseconds since the schedule began.
    pub at_ms: i64,
    /// What it is.
    pub kind: String,
    /// To whom.
    pub part: String,
    /// When it ended, in milliseconds since the schedule began; a moment's fault has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}
