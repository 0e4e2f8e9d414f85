//! What can be asked of a laboratory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::REQUEST_BYTES_MAX;
use crate::{Setting, announcement::RunKind, json, json::DecodeError};

/// A question, or an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// More people in a run of devices.
    Add {
        /// Safe ones.
        safe: u32,
        /// Infected ones.
        infected: u32,
        /// The run; without it the newest run of devices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<Uuid>,
    },
    /// How the parts are.
    Status,
    /// How parts and runs are, and where the laboratory's broker is.
    Overview,
    /// Kills a part's process with SIGKILL; it comes back.
    Kill {
        /// The part.
        part: String,
    },
    /// Stops a part's process with SIGSTOP.
    Pause {
        /// The part.
        part: String,
    },
    /// Lets a paused part go on.
    Resume {
        /// The part.
        part: String,
    },
    /// Ends a part's process in an orderly way, and starts it again.
    Restart {
        /// The part.
        part: String,
    },
    /// Starts a run.
    StartRun(StartRun),
    /// Stops a run: its devices die with their last message, its fleet ends.
    StopRun {
        /// The run.
        run: Uuid,
    },
    /// Computes a fleet's run again up to a tick, and goes on from there with changes as a new run.
    ForkRun(ForkRun),
    /// Forgets a run that has ended: its entry, its scenario file, its spool.
    ForgetRun {
        /// The run.
        run: Uuid,
    },
    /// Compares what is stored of a run with what was recorded.
    StartAudit {
        /// The run.
        run: Uuid,
    },
    /// How the newest audit is.
    Audit,
    /// Starts a schedule of faults.
    StartChaos(StartChaos),
    /// How the newest schedule of faults is.
    Chaos,
    /// Ends a schedule of faults before its time, with what it began undone.
    StopChaos,
    /// Stops the laboratory.
    Stop,
}

/// A run to be started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartRun {
    /// Devices with a radio each, or a fleet.
    pub kind: RunKind,
    /// The scenario file's text: it says how many people there are, and all parameters. Without a seed in it
    /// the laboratory draws one.
    pub scenario: String,
    /// How fast a fleet goes, as `--speed` has it; without it in real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<String>,
}

/// A run to be forked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ForkRun {
    /// The run to begin with.
    pub from: Uuid,
    /// Its scenario, as announced, with its seed.
    pub scenario: String,
    /// The tick after which the new run is another.
    pub tick: u64,
    /// What is different from then on, by parameter.
    #[serde(default)]
    pub changes: BTreeMap<String, Setting>,
    /// The new run's name; without it the old one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The seed of chance from then on; without it the old one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How fast it goes on, as `--speed` has it; without it in real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<String>,
}

/// A schedule of faults to be started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartChaos {
    /// Which schedule; without it one drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The seed of the schedule.
    pub seed: u64,
    /// How long it lasts, in minutes.
    pub minutes: u32,
}

impl Request {
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
    /// Longer than [`REQUEST_BYTES_MAX`], or none of the questions there are.
    pub fn decode(line: &[u8]) -> Result<Request, DecodeError> {
        json::decode(line, REQUEST_BYTES_MAX)
    }
}
