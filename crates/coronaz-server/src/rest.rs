//! The bodies of `/api/v1`. Times are milliseconds since 1970 (UTC), positions are in units of the
//! field, and what is not known is left out.
//!
//! - [`operator`]: the laboratory and its runs; [`jobs`]: audits and schedules of faults
//! - `whole`: how whole numbers are read

pub mod jobs;
pub mod operator;
mod whole;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type},
    },
};
use uuid::Uuid;

/// A run: one execution of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Run {
    /// Its UUID. Reports that name no run belong to the one with all zeros.
    pub id: Uuid,
    /// A name for people.
    pub name: String,
    /// `nodes`: devices with a radio each; `fleet`: one process with many computed devices.
    pub kind: String,
    /// The seed of its chance; 0 when it was never announced.
    pub seed: u64,
    /// When it began.
    pub started_ms: i64,
    /// The time of its newest report.
    pub last_ms: i64,
    /// One more than the number of its newest moment; 0 while it has none.
    pub moments: u64,
    /// The number of its first moment: 0, or in a fork the tick at which it left the other run.
    pub first_moment: u64,
    /// Where it comes from, if it was forked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub forked_from: Option<operator::Origin>,
    /// Nodes so far; their slots are numbered from 0.
    pub nodes: u64,
    /// Contacts so far.
    pub contacts: u64,
    /// Infections so far.
    pub infections: u64,
    /// All parameters by name; those that were not announced have the paper's value.
    pub parameters: BTreeMap<String, Parameter>,
}

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Parameter {
    /// On or off.
    Switch(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// One of several words.
    Choice(String),
}

/// A whole number is a number: two schemas for them would both fit `0.0`.
impl PartialSchema for Parameter {
    fn schema() -> RefOr<Schema> {
        let plain = |kind: Type| ObjectBuilder::new().schema_type(SchemaType::from(kind));
        OneOfBuilder::new()
            .item(plain(Type::Boolean).description(Some("On or off.")))
            .item(plain(Type::Number).description(Some("A whole or a real number.")))
            .item(plain(Type::String).description(Some("One of several words.")))
            .description(Some("A parameter's value."))
            .into()
    }
}

impl ToSchema for Parameter {}

/// The word of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`: what is not well answers with another status.
    pub status: &'static str,
}

/// The whole history of a run, as the paper has it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PaperHistory {
    /// Every state, oldest first: its number as `_id`, and by UUID each node that was seen by then, with `position`,
    /// `timestamp`, `infected` and `alive`.
    pub result: Vec<BTreeMap<String, serde_json::Value>>,
}

/// Runs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Runs {
    /// The runs.
    pub runs: Vec<Run>,
    /// The run to show when none is named: one that is being recorded and has a moment, else the one that began last of
    /// those that have a moment. Left out while there is no run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub default_run: Option<Uuid>,
    /// Where the next page begins, for `after`; left out on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// The figures of a moment, counted over the whole population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Figures {
    /// Nodes that have reported by then.
    pub total: u32,
    /// Alive and infected.
    pub zombies: u32,
    /// Dead.
    pub deaths: u32,
    /// Died infected.
    pub dead_zombies: u32,
    /// Alive and immune.
    pub immune: u32,
}

/// Everybody at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct State {
    /// Which moment.
    pub moment: u64,
    /// Its time.
    pub time_ms: i64,
    /// Its figures.
    pub figures: Figures,
    /// Nodes that have reported by then, by slot.
    pub nodes: Vec<NodeState>,
}

/// A node at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NodeState {
    /// Its number in the run.
    pub slot: u32,
    /// Its UUID.
    pub id: Uuid,
    /// West to east.
    pub x: i32,
    /// South to north.
    pub y: i32,
    /// Infected now, or when it died.
    pub infected: bool,
    /// Immune after an illness.
    pub immune: bool,
    /// False after its last message.
    pub alive: bool,
}

/// The figures over the moments, in columns of the same length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Statistics {
    /// Which moments.
    pub moment: Vec<u64>,
    /// Their times.
    pub time_ms: Vec<i64>,
    /// Nodes that have reported by then.
    pub total: Vec<u32>,
    /// Alive and infected.
    pub zombies: Vec<u32>,
    /// Dead.
    pub deaths: Vec<u32>,
    /// Died infected.
    pub dead_zombies: Vec<u32>,
    /// Alive and immune.
    pub immune: Vec<u32>,
    /// Contacts since the beginning of the run.
    pub contacts: Vec<u64>,
    /// Infections since the beginning of the run.
    pub infections: Vec<u64>,
}

/// A node's number and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeName {
    /// Its number in the run.
    pub slot: u32,
    /// Its UUID.
    pub id: Uuid,
}

/// Nodes by slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NodeNames {
    /// The nodes.
    pub nodes: Vec<NodeName>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Node {
    /// Its number in the run.
    pub slot: u32,
    /// Its UUID.
    pub id: Uuid,
    /// Whether it has reported; otherwise others have heard it and nothing more is known.
    pub reported: bool,
    /// West to east, in its newest report.
    pub x: i32,
    /// South to north, in its newest report.
    pub y: i32,
    /// Infected now, or when it died.
    pub infected: bool,
    /// Immune after an illness.
    pub immune: bool,
    /// False after its last message.
    pub alive: bool,
    /// The time of its first report.
    pub first_ms: i64,
    /// The time of its newest report.
    pub last_ms: i64,
    /// When it was infected, oldest first.
    pub infections: Vec<NodeInfection>,
    /// Contacts it recorded.
    pub contacts_count: u64,
}

/// An infection of a node that is known.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NodeInfection {
    /// When it was reported.
    pub time_ms: i64,
    /// By whom; left out for who was infected from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub infector: Option<Uuid>,
    /// Where.
    pub x: i32,
    /// Where.
    pub y: i32,
}

/// A contact that a node recorded.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Contact {
    /// When.
    pub time_ms: i64,
    /// With whom.
    pub with: Uuid,
    /// How far apart, where the report says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub distance: Option<f64>,
}

/// Contacts, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Contacts {
    /// The contacts.
    pub contacts: Vec<Contact>,
    /// Give it as `after` to go on; left out at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// A meeting: contacts of the same two that follow each other closely, as one of them recorded them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Encounter {
    /// With whom.
    pub with: Uuid,
    /// The first contact.
    pub from_ms: i64,
    /// The last contact.
    pub to_ms: i64,
    /// The smallest distance, where the reports say any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub nearest: Option<f64>,
    /// How many contacts.
    pub contacts: u64,
    /// Whether it may still go on.
    pub open: bool,
}

/// Encounters, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Encounters {
    /// The encounters.
    pub encounters: Vec<Encounter>,
    /// Give it as `after` to go on; left out at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// Somebody was infected.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Infection {
    /// When it was reported.
    pub time_ms: i64,
    /// Who.
    pub infectee: Uuid,
    /// By whom; left out for who was infected from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub infector: Option<Uuid>,
    /// Where.
    pub x: i32,
    /// Where.
    pub y: i32,
}

/// Infections, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Infections {
    /// The infections.
    pub infections: Vec<Infection>,
}

/// How the parts are doing. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Parts {
    /// The server's own clock, to compare the other times with.
    pub now_ms: i64,
    /// Whether the store answers.
    pub store: bool,
    /// Ingest processes, as they last said.
    pub ingest: Vec<IngestPart>,
    /// Which records of the topic are in the store.
    pub partitions: Vec<PartitionPart>,
    /// Records that the topic did not hand out any more: lost, the first hundred stretches.
    pub missing: Vec<MissingRecords>,
    /// This server.
    pub server: ServerPart,
}

/// Records of a partition that are lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MissingRecords {
    /// The partition.
    pub partition: i32,
    /// The first offset.
    pub from: i64,
    /// The offset after the last; `from` when it is not known how many there were.
    pub to: i64,
    /// Why, for people.
    pub reason: String,
}

/// An ingest process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IngestPart {
    /// Its name.
    pub owner: String,
    /// `starting`, `running`, `waiting` or `stopped`.
    pub state: String,
    /// When it said so. One that has not for seconds is gone.
    pub updated_ms: i64,
    /// When it started.
    pub started_ms: i64,
    /// Partitions it owns.
    pub partitions: Vec<i32>,
    /// Records of its partitions that are not in the store yet.
    pub lag_records: u64,
    /// When the newest record that is in was written to the topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub newest_record_ms: Option<i64>,
    /// Records it has read.
    pub records: u64,
    /// Of these, how many could not be read.
    pub rejected: u64,
}

/// A partition of the topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PartitionPart {
    /// Its number.
    pub partition: i32,
    /// All records below this offset are in.
    pub next: i64,
    /// When the partition was last found to have another log than before (the topic was made again, its data was
    /// replaced, or it lost its end), which has been read from its beginning since; left out when it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub replaced_ms: Option<i64>,
    /// Records read, of all kinds.
    pub records: u64,
    /// Of these, how many could not be read.
    pub rejected: u64,
}

/// The server itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ServerPart {
    /// Live connections now.
    pub live_connections: usize,
    /// Runs that are watched through them.
    pub watched_runs: usize,
}
