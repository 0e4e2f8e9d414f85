//! The bodies of the operator's part: the laboratory, its runs, and work that goes on in it.

use std::collections::BTreeMap;

use coronaz_wire::control::{SPEED_MAX, SPEED_MIN};
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type},
    },
};
use uuid::Uuid;

use super::{
    Parameter,
    whole::{perhaps_whole, whole},
};

/// Who asks, and what there is to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Session {
    /// Whether the request is the operator's.
    pub operator: bool,
    /// Whether there is a token to sign in with.
    pub can_sign_in: bool,
    /// Whether a laboratory belongs to this server.
    pub laboratory: bool,
}

/// The laboratory as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Laboratory {
    /// The server's own clock, to compare the other times with.
    pub now_ms: i64,
    /// The parts, in the order in which records go through them.
    pub parts: Vec<LaboratoryPart>,
    /// What goes from part to part.
    pub flows: Vec<Flow>,
    /// Runs that the laboratory started, newest first.
    pub runs: Vec<LaboratoryRun>,
}

/// A part of the laboratory.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LaboratoryPart {
    /// Its name.
    pub name: String,
    /// What it does.
    pub kind: Station,
    /// How it is.
    pub state: PartState,
    /// What can be done with it now.
    pub actions: Vec<Action>,
    /// Its process, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
    /// Where it accepts connections: an IP address and a port. Of the broker, where Kafka clients connect to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub address: Option<String>,
    /// Since when it is in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since_ms: Option<i64>,
    /// The run that it belongs to, if it is a group of devices or a fleet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub run: Option<Uuid>,
    /// Memory of its process, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub memory_bytes: Option<u64>,
    /// Time that its process has computed, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cpu_seconds: Option<f64>,
    /// Its last warning or error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub says: Option<String>,
    /// When it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub says_at_ms: Option<i64>,
}

/// Where records are made, pass, lie, or are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Station {
    /// Groups of devices, and fleets.
    Devices,
    /// The broker.
    Broker,
    /// Consumers.
    Ingest,
    /// The database.
    Store,
    /// The back-end.
    Serve,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PartState {
    /// It works.
    Running,
    /// Its process stands still.
    Paused,
    /// Its process ended, and comes back by itself; or the store does not answer.
    Waiting,
    /// Its process found its arguments or files wrong, and does not come back.
    Refused,
    /// Its process did its work.
    Finished,
    /// It was stopped.
    Stopped,
    /// It is not the laboratory's: a Kafka or a database elsewhere.
    Elsewhere,
}

/// What an operator does with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Ends its process at once (SIGKILL); it comes back.
    Kill,
    /// Makes its process stand still (SIGSTOP).
    Pause,
    /// Lets it go on.
    Resume,
    /// Ends its process in an orderly way, and starts it again.
    Restart,
}

/// What goes from one station to the next.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Flow {
    /// Where it comes from.
    pub from: Station,
    /// Where it goes.
    pub to: Station,
    /// Records a second over the last seconds; to the server, moments a second. Left out until it is asked twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub records_per_s: Option<f64>,
    /// Bytes a second that go into or come out of files: into the broker's log, into the store, out of the store. Left
    /// out between broker and ingest, where broker or store is elsewhere, and until it is asked twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub bytes_per_s: Option<f64>,
    /// Records that wait at its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub lag_records: Option<u64>,
    /// The time of the newest record that has arrived at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub newest_record_ms: Option<i64>,
}

/// A run that the laboratory started.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LaboratoryRun {
    /// The run.
    pub run: Uuid,
    /// Its name.
    pub name: String,
    /// Devices with a radio each, or a fleet.
    pub kind: Kind,
    /// Safe and infected people, those who were added included.
    pub people: u32,
    /// The infected among them, at their start.
    pub infected: u32,
    /// The seed of its chance.
    pub seed: u64,
    /// How it is.
    pub state: RunState,
    /// The names of its parts.
    pub parts: Vec<String>,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ended_ms: Option<i64>,
    /// Where it comes from, if it was forked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub forked_from: Option<Origin>,
    /// Why it ended or failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub why: Option<String>,
}

/// Who makes a run's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Devices with a radio each.
    Nodes,
    /// One process with many computed devices.
    Fleet,
}

/// How a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It goes on.
    Running,
    /// It is over.
    Ended,
    /// It could not be played.
    Failed,
}

/// Where a forked run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Origin {
    /// The run.
    pub run: Uuid,
    /// The tick.
    pub tick: u64,
}

/// People to be added to a run of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPeople {
    /// The run.
    pub run: Uuid,
    /// How many, safe and infected.
    #[schema(minimum = 1, maximum = 10_000)]
    #[serde(deserialize_with = "whole")]
    pub count: u32,
    /// How many of them are infected.
    #[serde(default, deserialize_with = "whole")]
    #[schema(maximum = 10_000)]
    pub infected: u32,
}

/// All that a form to start a run needs.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Scenarios {
    /// Scenarios to begin with.
    pub scenarios: Vec<Scenario>,
    /// What can be set, in the order of a form.
    pub parameters: Vec<ParameterInfo>,
    /// How many people a run may have, by its kind.
    pub people: PeopleRanges,
    /// How fast a fleet may go, in times of real time; it also goes at `max`.
    pub speed: Range,
}

/// A scenario.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// Safe and infected people.
    pub people: u32,
    /// The infected among them.
    pub infected: u32,
    /// All parameters by name; those that it leaves out have the paper's value.
    pub parameters: BTreeMap<String, Parameter>,
    /// Its file.
    pub toml: String,
}

/// What there is to know of a parameter.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ParameterInfo {
    /// Its name.
    pub name: String,
    /// One sentence for a person who has not read the paper.
    pub help: String,
    /// Its unit; empty for a switch or a pure number.
    pub unit: String,
    /// What it takes.
    pub kind: ParameterKind,
    /// What holds when nobody sets it: the paper's figure.
    pub default: Parameter,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub min: Option<f64>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub max: Option<f64>,
    /// The words of a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub choices: Option<Vec<String>>,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// True or false.
    Switch,
    /// One of several words.
    Choice,
}

/// How many people a run may have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct PeopleRanges {
    /// A run of devices.
    pub nodes: Range,
    /// A fleet.
    pub fleet: Range,
}

/// From a number to a number, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Range {
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// A run to be started.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// Who makes its records.
    pub kind: Kind,
    /// A name for people; the scenario's when left out.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// The scenario that it begins with; the first of `GET /scenarios` when left out.
    pub scenario: Option<String>,
    /// Safe and infected people: at most 10,000 devices, or 16,000,000 in a fleet.
    #[schema(minimum = 1, maximum = 16_000_000)]
    #[serde(deserialize_with = "whole")]
    pub people: u32,
    /// The infected among them.
    #[schema(maximum = 16_000_000)]
    #[serde(deserialize_with = "whole")]
    pub infected: u32,
    /// The seed of its chance; a new one when left out.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    #[serde(default, deserialize_with = "perhaps_whole")]
    pub seed: Option<u64>,
    /// Parameters over the scenario's, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// How fast a fleet goes; in real time when left out.
    pub speed: Option<Speed>,
}

/// A run to be forked: computed again up to a tick, and different from then on.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFork {
    /// The tick, which is also the moment, after which it is another run.
    #[serde(deserialize_with = "whole")]
    pub tick: u64,
    /// A name for people; the old run's when left out.
    #[schema(min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// What is different from then on, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// The seed of chance from then on; the old run's when left out.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    #[serde(default, deserialize_with = "perhaps_whole")]
    pub seed: Option<u64>,
    /// How fast it goes on; in real time when left out.
    pub speed: Option<Speed>,
}

/// A speed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Speed {
    /// Seconds of model time a second.
    Times(f64),
    /// `max`.
    Word(String),
}

impl PartialSchema for Speed {
    fn schema() -> RefOr<Schema> {
        let times = ObjectBuilder::new()
            .schema_type(SchemaType::from(Type::Number))
            .minimum(Some(SPEED_MIN))
            .maximum(Some(SPEED_MAX))
            .description(Some("Seconds of model time a second."));
        let word = ObjectBuilder::new()
            .schema_type(SchemaType::from(Type::String))
            .enum_values(Some(["max"]))
            .description(Some("As fast as it can."));
        OneOfBuilder::new().item(times).item(word).description(Some("A speed.")).into()
    }
}

impl ToSchema for Speed {}

/// A run that was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct StartedRun {
    /// The run.
    pub run: Uuid,
}
