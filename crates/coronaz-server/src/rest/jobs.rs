//! The bodies of audits and schedules of faults.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::whole::{perhaps_whole, whole};

/// How a piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// There was none.
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

/// A run to be audited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAudit {
    /// The run.
    pub run: Uuid,
}

/// The newest audit.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Audit {
    /// How it is.
    pub state: JobState,
    /// Of which run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub run: Option<Uuid>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub started_ms: Option<i64>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ended_ms: Option<i64>,
    /// What it found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub verdict: Option<Verdict>,
    /// Why it failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub why: Option<String>,
}

/// What an audit found, in contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
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
    /// Reports, or ticks of a fleet, that came in late; left out where the store does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub late: Option<u64>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// The first differences, in words.
    pub examples: Vec<String>,
    /// Whether nothing is lost, doubled, wrong or unknown.
    pub ok: bool,
}

/// A schedule of faults to be started.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChaos {
    /// Which schedule; drawn from the seed when left out.
    #[schema(pattern = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$")]
    pub scenario: Option<String>,
    /// Its seed; a new one when left out.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    #[serde(default, deserialize_with = "perhaps_whole")]
    pub seed: Option<u64>,
    /// How long it lasts, in minutes.
    #[schema(minimum = 1, maximum = 1_440)]
    #[serde(deserialize_with = "whole")]
    pub minutes: u32,
}

/// The newest schedule of faults.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Chaos {
    /// How it is.
    pub state: JobState,
    /// Which schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub scenario: Option<String>,
    /// Its seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seed: Option<u64>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub started_ms: Option<i64>,
    /// How long it has gone on, or went on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub elapsed_ms: Option<i64>,
    /// The faults so far, oldest first.
    pub faults: Vec<Fault>,
    /// What the audit at its end found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub verdict: Option<Verdict>,
    /// Why it failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub why: Option<String>,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// When it began, in milliseconds since the schedule began.
    pub at_ms: i64,
    /// What it is.
    pub kind: String,
    /// To whom.
    pub part: String,
    /// When it ended, in milliseconds since the schedule began; a moment's fault has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until_ms: Option<i64>,
}
