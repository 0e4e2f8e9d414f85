//! Which faults when. A random schedule is a function of its seed and of what there is to break.

mod paper;
mod random;

use std::{fmt, fs, io, path::Path};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault::{Event, Kind, Targets};

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
    /// Whether it is chaos's own: people who join are gone with it.
    pub own: bool,
    /// Whether the broker is embedded, and its folder can be removed.
    pub own_broker: bool,
    /// Whether the store is embedded, and its file can be replaced.
    pub own_store: bool,
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
    /// What belongs to it and cannot be had in this laboratory, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// The same as a TOML file has it, with the places of its faults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(rename = "fault", default)]
    events: Vec<Spanned<Event>>,
    #[serde(default)]
    left_out: Vec<String>,
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
    /// A fault cannot be had here, or as it is written.
    #[error("the fault {fault:?}{place} cannot be had here: {reason}")]
    Target {
        /// The fault.
        fault: String,
        /// Where it stands: ` (line 7 of faults.toml)`, or empty.
        place: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// There is nothing to be done.
    #[error("the schedule {name:?} has no fault: {right}")]
    Empty {
        /// What it is called.
        name: String,
        /// What would be right.
        right: String,
    },
}

/// The longest schedule file read.
const FILE_BYTES_MAX: u64 = 1 << 20;

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
        if text.trim_start().starts_with('{') {
            let schedule: Schedule = serde_json::from_str(&text).map_err(|error| form(error.to_string()))?;
            let places = (1..=schedule.events.len()).map(|number| format!(" (number {number} in {shown})"));
            return schedule.placed(places.collect(), cast);
        }
        let written: Written = toml::from_str(&text).map_err(|error| form(error.to_string()))?;
        let line = |event: &Spanned<Event>| {
            let before = text.get(..event.span().start).unwrap_or_default();
            format!(" (line {} of {shown})", before.matches('\n').count() + 1)
        };
        let places = written.events.iter().map(line).collect();
        let events = written.events.into_iter().map(Spanned::into_inner).collect();
        Schedule { name: written.name, events, left_out: written.left_out }.placed(places, cast)
    }

    /// Checks each fault, which stands at its place, and puts them into the order of their beginning.
    fn placed(mut self, places: Vec<String>, cast: &Cast) -> Result<Schedule, ScheduleError> {
        for (event, place) in self.events.iter().zip(places) {
            check(event, cast).map_err(|reason| ScheduleError::Target {
                fault: event.to_string(),
                place,
                reason,
            })?;
        }
        self.events.sort_by_key(|event| event.at_ms);
        self.check(cast)?;
        Ok(self)
    }

    /// Whether there is a fault, and every one can be had.
    ///
    /// # Errors
    /// [`ScheduleError::Target`] of the first that cannot; [`ScheduleError::Empty`].
    pub fn check(&self, cast: &Cast) -> Result<(), ScheduleError> {
        if self.events.is_empty() {
            let right = match self.name.as_str() {
                "random" => "raise --minutes, or break a laboratory that has parts",
                "paper" => "none of the paper's cases can be had in this laboratory",
                _ => "write [[fault]] with at_ms, kind, and what the kind needs",
            };
            return Err(ScheduleError::Empty { name: self.name.clone(), right: right.to_owned() });
        }
        for event in &self.events {
            let place = String::new();
            let named = |reason| ScheduleError::Target { fault: event.to_string(), place, reason };
            check(event, cast).map_err(named)?;
        }
        Ok(())
    }

    /// When the last fault is over.
    #[must_use]
    pub fn ends_ms(&self) -> u64 {
        self.events.iter().map(Event::until_ms).max().unwrap_or(0)
    }
}

/// Whether a fault can be had; else what would be right.
fn check(event: &Event, cast: &Cast) -> Result<(), String> {
    event.check()?;
    let targets = cast.targets(event.kind);
    if targets.is_empty() {
        return Err("this laboratory has nothing that it could be done to".to_owned());
    }
    if targets.contains(&event.target) {
        return Ok(());
    }
    if targets == [""] {
        return Err(format!("it has no target: leave it out, which is {:?}", event.target));
    }
    Err(format!("its target has to be one of: {}", targets.join(", ")))
}

impl Cast {
    /// What a kind of fault can be done to; one empty name where there is no choice; nothing where it cannot be had.
    #[must_use]
    pub fn targets(&self, kind: Kind) -> Vec<String> {
        let only_if = |there: bool| if there { vec![String::new()] } else { Vec::new() };
        match kind.facts().targets {
            Targets::Killable => self.killable.clone(),
            Targets::Held if self.held => self.killable.clone(),
            Targets::Held => Vec::new(),
            Targets::Part => self.parts.clone(),
            Targets::Everything => only_if(!self.killable.is_empty()),
            Targets::Link => self.links.clone(),
            Targets::Air => only_if(self.air),
            Targets::Disk => self.disks.clone(),
            Targets::Store => only_if(self.store),
            Targets::Clock => self.clocks.clone(),
            Targets::Clocks => only_if(self.clocks.iter().any(|part| is_devices(part))),
            Targets::OwnBroker => only_if(self.own_broker),
            Targets::OwnStore => only_if(self.own_store),
            Targets::Topic => only_if(self.topic),
            Targets::People => only_if(self.join),
        }
    }
}

/// Whether a part is a group of devices with a radio.
pub(super) fn is_devices(part: &str) -> bool {
    part.starts_with("devices-")
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>8}  {:>8}  fault", "at", "lasts")?;
        for event in &self.events {
            let (at, lasts) = (event.at_ms as f64 / 1e3, event.lasts_ms as f64 / 1e3);
            let lasts = if event.lasts_ms == 0 { "-".to_owned() } else { format!("{lasts:.1} s") };
            writeln!(f, "{at:>6.1} s  {lasts:>8}  {event}")?;
        }
        for left_out in &self.left_out {
            writeln!(f, "     not here: {left_out}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
