//! Which faults when. A random schedule is a function of its seed and of what there is to break.

mod paper;
mod random;

use std::{fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::fault::{Event, Kind};

/// What there is to break.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cast {
    /// Parts whose processes we have.
    pub parts: Vec<String>,
    /// Parts that may be killed: those that come back as they were.
    pub killable: Vec<String>,
    /// Whether those can be kept from coming back at once.
    pub held: bool,
    /// Links with a proxy in them.
    pub links: Vec<String>,
    /// Parts whose clock can be set.
    pub clocks: Vec<String>,
    /// Parts that can be kept from writing.
    pub disks: Vec<String>,
    /// Whether there is a relay between two groups of devices.
    pub air: bool,
    /// Whether the database can be taken away.
    pub store: bool,
    /// Whether records can be sent to the topic.
    pub topic: bool,
    /// Whether devices can join.
    pub join: bool,
}

/// Faults in the order of their beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// What it is called.
    pub name: String,
    /// Its faults.
    #[serde(rename = "fault", default)]
    pub events: Vec<Event>,
}

/// Why a file is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// It cannot be read.
    #[error("cannot read the schedule {path}")]
    Io {
        /// The file.
        path: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// It is not what a schedule looks like.
    #[error("{path} is no schedule: {reason}; `coronaz chaos --dry-run --json` prints one")]
    Form {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A fault cannot be had here.
    #[error("the fault {fault:?} cannot be had here: {reason}")]
    Target {
        /// The fault.
        fault: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

/// The longest schedule file read.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// A fault lasts no longer than an hour, and begins within a day: what is beyond is a slip of the pen.
const LASTS_MS_MAX: u64 = 3_600_000;
const AT_MS_MAX: u64 = 86_400_000;

impl Schedule {
    /// A schedule of chance, a pure function of its arguments.
    #[must_use]
    pub fn random(seed: u64, length_ms: u64, cast: &Cast) -> Schedule {
        random::schedule(seed, length_ms, cast)
    }

    /// The paper's six cases (section V), one after the other.
    #[must_use]
    pub fn paper(cast: &Cast) -> Schedule {
        paper::schedule(cast)
    }

    /// Reads one from a TOML or JSON file, and checks it.
    ///
    /// # Errors
    /// See [`ScheduleError`].
    pub fn load(path: &Path, cast: &Cast) -> Result<Schedule, ScheduleError> {
        let shown = path.display().to_string();
        let io_error = |source| ScheduleError::Io { path: shown.clone(), source };
        let form = |reason: String| ScheduleError::Form { path: shown.clone(), reason };
        if fs::metadata(path).map_err(io_error)?.len() > FILE_BYTES_MAX {
            return Err(form(format!("it has more than {FILE_BYTES_MAX} bytes")));
        }
        let text = fs::read_to_string(path).map_err(io_error)?;
        let json = text.trim_start().starts_with('{');
        let mut schedule: Schedule = if json {
            serde_json::from_str(&text).map_err(|error| form(error.to_string()))?
        } else {
            toml::from_str(&text).map_err(|error| form(error.to_string()))?
        };
        schedule.events.sort_by_key(|event| event.at_ms);
        schedule.check(cast)?;
        Ok(schedule)
    }

    /// Whether every fault can be had.
    ///
    /// # Errors
    /// [`ScheduleError::Target`] of the first that cannot.
    pub fn check(&self, cast: &Cast) -> Result<(), ScheduleError> {
        for event in &self.events {
            let wrong = |reason: String| ScheduleError::Target { fault: event.to_string(), reason };
            if event.lasts_ms > LASTS_MS_MAX || event.at_ms > AT_MS_MAX {
                return Err(wrong(format!(
                    "it has to begin within {AT_MS_MAX} ms and to last at most {LASTS_MS_MAX} ms"
                )));
            }
            let targets = cast.targets(event.kind);
            if targets.is_empty() {
                return Err(wrong("this laboratory has nothing that it could be done to".to_owned()));
            }
            if !targets.contains(&event.target) {
                return Err(wrong(format!("its target has to be one of: {}", targets.join(", "))));
            }
        }
        Ok(())
    }

    /// When the last fault is over.
    #[must_use]
    pub fn ends_ms(&self) -> u64 {
        self.events.iter().map(Event::until_ms).max().unwrap_or(0)
    }
}

impl Cast {
    /// What a kind of fault can be done to; one empty name where there is no choice; nothing where it cannot be had.
    #[must_use]
    pub fn targets(&self, kind: Kind) -> Vec<String> {
        let only_if = |there: bool| if there { vec![String::new()] } else { Vec::new() };
        match kind {
            Kind::Kill => self.killable.clone(),
            Kind::Down if self.held => self.killable.clone(),
            Kind::Down => Vec::new(),
            Kind::Pause => self.parts.clone(),
            Kind::RestartAll => only_if(!self.killable.is_empty()),
            Kind::Cut | Kind::Stall | Kind::Delay | Kind::Reset | Kind::HalfOpen => self.links.clone(),
            Kind::AirSplit | Kind::AirLoss | Kind::AirDelay | Kind::AirDouble => only_if(self.air),
            Kind::DiskFull => self.disks.clone(),
            Kind::StoreAway => only_if(self.store),
            Kind::Clock => self.clocks.clone(),
            Kind::Copies | Kind::Shuffled | Kind::Poison => only_if(self.topic),
            Kind::Join => only_if(self.join),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>8}  {:>8}  fault", "at", "lasts")?;
        for event in &self.events {
            let (at, lasts) = (event.at_ms as f64 / 1e3, event.lasts_ms as f64 / 1e3);
            let lasts = if event.lasts_ms == 0 { "-".to_owned() } else { format!("{lasts:.1} s") };
            writeln!(f, "{at:>6.1} s  {lasts:>8}  {event}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
