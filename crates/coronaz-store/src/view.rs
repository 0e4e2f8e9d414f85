//! What the reading side answers. Times are microseconds since the Unix epoch.

use crate::{Figures, Health};
use coronaz_wire::announcement::ForkedFrom;
use uuid::Uuid;

/// One execution of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// As announced.
    pub name: Option<String>,
    /// `nodes` or `fleet`.
    pub kind: String,
    /// As announced.
    pub seed: Option<u64>,
    /// The scenario, TOML, as announced.
    pub scenario: Option<String>,
    /// The parameters as announced: a JSON object.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// Where it left another run, as announced.
    pub forked_from: Option<ForkedFrom>,
    /// As announced; else the first report's time.
    pub started_us: Option<i64>,
    /// What time it is in the run: that of its newest reports, whatever one device's clock says.
    pub last_us: Option<i64>,
    /// When something of it was last stored, by the clock of those who did.
    pub written_us: Option<i64>,
    /// Moments: they are numbered 0 to one less than this.
    pub moments: u64,
    /// Devices: slots are numbered 0 to one less than this. Some may only have been heard of.
    pub nodes: u64,
    /// Reports that are in, each counted once.
    pub reports: u64,
    /// After the newest report.
    pub figures: Figures,
    /// Contacts that are in.
    pub contacts: u64,
    /// Infections that are in.
    pub infections: u64,
}

/// How far a run is: cheap enough to ask many times a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The run.
    pub run: Uuid,
    /// Moments so far.
    pub moments: u64,
    /// Reports so far.
    pub reports: u64,
    /// What time it is in the run, as in [`Run::last_us`].
    pub last_us: Option<i64>,
}

/// Runs, newest first, and where the next page begins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunsPage {
    /// The runs.
    pub runs: Vec<Run>,
    /// Ask again from here; `None` at the end.
    pub next: Option<RunCursor>,
}

/// A place in the list of runs. Runs that are deleted or begin meanwhile do not move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunCursor(pub i64);

/// A moment of a run: its figures without its nodes. A series of them is the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Its number.
    pub k: u64,
    /// What time it was in the run.
    pub time_us: i64,
    /// The figures at it.
    pub figures: Figures,
    /// Contacts since the beginning of the run.
    pub contacts: u64,
    /// Infections since the beginning of the run.
    pub infections: u64,
}

/// All nodes at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Which, and its figures.
    pub moment: Moment,
    /// The number of the newest moment of the run at the same instant.
    pub latest: u64,
    /// Those that have reported by then, ascending by slot.
    pub nodes: Vec<NodeState>,
}

/// All nodes at a moment in columns, without their names; index = slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Crowd {
    /// Which, and its figures.
    pub moment: Moment,
    /// The number of the newest moment of the run at the same instant.
    pub latest: u64,
    /// Positions on the field.
    pub x: Vec<i32>,
    /// Positions on the field.
    pub y: Vec<i32>,
    /// `None`: has not reported by then.
    pub health: Vec<Option<Health>>,
}

/// A node at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeState {
    /// Its number in the run, in order of first sight.
    pub slot: u32,
    /// Its UUID.
    pub id: Uuid,
    /// Position on the field.
    pub x: i32,
    /// Position on the field.
    pub y: i32,
    /// The time of the report that says so.
    pub time_us: i64,
    /// Infected, immune, alive.
    pub health: Health,
}

/// A device of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Its number in the run.
    pub slot: u32,
    /// Its UUID.
    pub id: Uuid,
}

/// All about one node that is not a list of contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeDetail {
    /// Which.
    pub node: Node,
    /// Its newest state; `None` when it was heard by others but never reported.
    pub latest: Option<NodeState>,
    /// The time of its first report.
    pub first_us: Option<i64>,
    /// When it was infected.
    pub infections: Vec<Infection>,
    /// Contacts it recorded.
    pub contacts: u64,
    /// What its reports say of themselves, newest start first.
    pub sessions: Vec<Session>,
}

/// The reports of one start of a node: what is in, and what the node says it recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// When the node started; `None`: its reports do not say.
    pub start_us: Option<i64>,
    /// One above the highest `seq` that is in.
    pub next_seq: u64,
    /// Missing below that: inclusive ranges, as JSON.
    pub gaps: Option<String>,
    /// The node's own totals in its newest report.
    pub claimed: Option<Claimed>,
}

/// A node's own totals: contacts recorded since its start, and a digest of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// How many.
    pub contacts: u64,
    /// Does not depend on their order.
    pub digest: u64,
}

/// Somebody was infected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Infection {
    /// When it was reported.
    pub time_us: i64,
    /// Who.
    pub infectee: Uuid,
    /// By whom, if the report says so. An infection that the node started with has none.
    pub infector: Option<Uuid>,
    /// Where.
    pub x: i32,
    /// Where.
    pub y: i32,
}

/// A contact that `person`'s device recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// Who heard.
    pub person: Uuid,
    /// When.
    pub time_us: i64,
    /// Whom.
    pub other: Uuid,
    /// How far apart, if the report says so.
    pub distance: Option<f64>,
}

/// A page of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Ascending by time, then by slot.
    pub items: Vec<T>,
    /// Ask again from here; `None` at the end.
    pub next: Option<Cursor>,
}

/// A place in a list ordered by time and slot: the first item of the next page is at or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Time.
    pub time_us: i64,
    /// Slot of the other person.
    pub slot: u32,
}

/// A meeting of `person` with `other`, as `person`'s device recorded it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encounter {
    /// Who heard.
    pub person: Uuid,
    /// Whom.
    pub other: Uuid,
    /// The first contact.
    pub from_us: i64,
    /// The last contact.
    pub to_us: i64,
    /// The smallest distance, if the reports say any.
    pub nearest: Option<f64>,
    /// How many contacts.
    pub contacts: u64,
    /// It may still go on.
    pub open: bool,
}

/// Offsets of a partition that the topic did not hand out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRecords {
    /// The partition.
    pub partition: i32,
    /// The first offset.
    pub from: i64,
    /// The offset after the last; `from` when it is not known how many there were.
    pub to: i64,
    /// When that was noticed.
    pub at_us: i64,
    /// Why.
    pub reason: String,
}

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecord {
    /// Where it stood.
    pub partition: i32,
    /// Where it stood.
    pub offset: i64,
    /// When it was read.
    pub at_us: i64,
    /// Why it was rejected.
    pub reason: String,
    /// Its bytes, at most [`crate::REJECTED_BYTES_MAX`].
    pub bytes: Vec<u8>,
}
