//! The control socket of a laboratory: a Unix socket in its data folder. Whoever can open it is the operator.
//!
//! One connection, one question: a line of JSON each way. `coronaz add`, `parts` and `runs` ask it, and so does
//! the server for the operator's page; the laboratory answers.
//!
//! - [`request`]: what can be asked for; [`Request`]
//! - [`answer`]: what comes back; [`Answer`], and why something was [`Refusal`]
//! - [`overview`]: parts and runs as they are now
//! - [`jobs`]: an audit, a chaos: work that goes on after the answer
//! - [`socket`]: its address, however long its path

pub mod answer;
pub mod jobs;
pub mod overview;
pub mod request;
pub mod socket;

pub use answer::{Answer, Reason, Refusal};
pub use jobs::{Audit, AuditVerdict, Chaos, Fault, JobState};
pub use overview::{Origin, Overview, Part, PartKind, PartState, Run, RunState};
pub use request::{ForkRun, Request, StartChaos, StartRun};
pub use socket::SocketAddress;

/// The longest question, in bytes: a scenario file with every sign of it escaped.
pub const REQUEST_BYTES_MAX: usize = 2 * crate::scenario::SCENARIO_BYTES_MAX + 4_096;
/// The longest answer, in bytes: an overview of all parts and runs that a laboratory keeps, many times over.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most people of a run of devices with a radio each, on one machine: each has sockets of its own.
pub const NODES_MAX: u32 = 10_000;
/// The name of the back-end's part.
pub const SERVE: &str = "serve";
/// The slowest that a fleet goes, in times of real time.
pub const SPEED_MIN: f64 = 0.001;
/// The fastest that a fleet goes by number; it also goes as fast as it can.
pub const SPEED_MAX: f64 = 1_000_000.0;
/// How long the laboratory may take for an answer, in seconds; then the asker gives up.
pub const ANSWER_SECONDS_MAX: u64 = 10;
