//! Parts and runs as they are now. Times are milliseconds since 1970.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::announcement::RunKind;

/// A laboratory as its operator sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The parts, in the order in which records go through them.
    pub parts: Vec<Part>,
    /// The runs, newest first: those that run, and those that ended, as far back as is kept.
    pub runs: Vec<Run>,
    /// Whether the broker is one of the parts; otherwise it is a Kafka elsewhere.
    pub own_broker: bool,
    /// Whether the store is a file of the laboratory's; otherwise it is a database elsewhere.
    pub own_store: bool,
    /// Records that were ever written to the topic, as the broker said lately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_records: Option<u64>,
}

/// What a part does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// A group of devices, or a fleet.
    Devices,
    /// The broker.
    Broker,
    /// A consumer.
    Ingest,
    /// The back-end.
    Serve,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// Its process runs.
    Running,
    /// Its process is there and stands still.
    Paused,
    /// Its process ended; the next start is near.
    Restarting,
    /// Its process found its arguments or files wrong: starting it again would not help.
    Refused,
    /// Its process did its work.
    Finished,
    /// It was stopped.
    Stopped,
}

/// A part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: PartKind,
    /// How it is.
    pub state: PartState,
    /// Since when it is so.
    pub since_ms: i64,
    /// Its process, while there is one.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Where it accepts connections, if it does: an IP address and a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The run that it belongs to, if it is a group of devices or a fleet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// Memory of its process, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Time that its process has computed, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<f64>,
    /// Bytes that its process has read from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes: Option<u64>,
    /// Bytes that its process has written to files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_bytes: Option<u64>,
    /// Its last warning or error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// When it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says_at_ms: Option<i64>,
}

/// How a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It goes on.
    Running,
    /// It is over.
    Ended,
    /// It could not be played.
    Failed,
}

/// Where a forked run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The run.
    pub run: Uuid,
    /// The tick.
    pub tick: u64,
}

/// A run that the laboratory started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The run.
    pub run: Uuid,
    /// Its name.
    pub name: String,
    /// Devices with a radio each, or a fleet.
    pub kind: RunKind,
    /// Safe and infected people, those who were added included.
    pub people: u32,
    /// The infected among them, at their start.
    pub infected: u32,
    /// The seed of its chance.
    pub seed: u64,
    /// How it is.
    pub state: RunState,
    /// Its parts.
    pub parts: Vec<String>,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// Where it comes from, if it was forked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<Origin>,
    /// Why it ended or failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
