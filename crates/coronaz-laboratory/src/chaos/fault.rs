//! What can be broken.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// SIGKILL; the part is started again at once.
    Kill,
    /// SIGKILL, and not started again before the fault's end.
    Down,
    /// SIGSTOP, and SIGCONT at the fault's end.
    Pause,
    /// SIGKILL of every part at the same time.
    RestartAll,
    /// A link is cut: connections are reset, new ones refused.
    Cut,
    /// A link passes nothing, and nobody is told.
    Stall,
    /// A link delays what it passes by `amount` milliseconds, each way.
    Delay,
    /// The connections of a link are reset once.
    Reset,
    /// The far side of a link's connections is gone, the near side is not told before the fault's end.
    HalfOpen,
    /// The two groups of devices do not hear each other.
    AirSplit,
    /// Of the beacons from one group to the other, `amount` percent are lost.
    AirLoss,
    /// Beacons from one group to the other are late by `amount` milliseconds.
    AirDelay,
    /// Beacons from one group to the other arrive twice, the second later.
    AirDouble,
    /// No write of the part's to any file succeeds.
    DiskFull,
    /// The database is away: the embedded one is locked by somebody else, a served one is cut off from everybody.
    StoreAway,
    /// The part's wall clock jumps by `amount` seconds, and back at the fault's end.
    Clock,
    /// The newest `amount` records of the topic are sent to it once more.
    Copies,
    /// The same in another order.
    Shuffled,
    /// `amount` records that are none of ours: garbage, broken, hostile, too large, of another version.
    Poison,
    /// A group of `amount` devices joins.
    Join,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 20] = [
        Kind::Kill,
        Kind::Down,
        Kind::Pause,
        Kind::RestartAll,
        Kind::Cut,
        Kind::Stall,
        Kind::Delay,
        Kind::Reset,
        Kind::HalfOpen,
        Kind::AirSplit,
        Kind::AirLoss,
        Kind::AirDelay,
        Kind::AirDouble,
        Kind::DiskFull,
        Kind::StoreAway,
        Kind::Clock,
        Kind::Copies,
        Kind::Shuffled,
        Kind::Poison,
        Kind::Join,
    ];

    /// Its name in schedules and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Kill => "kill",
            Kind::Down => "down",
            Kind::Pause => "pause",
            Kind::RestartAll => "restart-all",
            Kind::Cut => "cut",
            Kind::Stall => "stall",
            Kind::Delay => "delay",
            Kind::Reset => "reset",
            Kind::HalfOpen => "half-open",
            Kind::AirSplit => "air-split",
            Kind::AirLoss => "air-loss",
            Kind::AirDelay => "air-delay",
            Kind::AirDouble => "air-double",
            Kind::DiskFull => "disk-full",
            Kind::StoreAway => "store-away",
            Kind::Clock => "clock",
            Kind::Copies => "copies",
            Kind::Shuffled => "shuffled",
            Kind::Poison => "poison",
            Kind::Join => "join",
        }
    }

    /// What `amount` counts; `None` where it means nothing.
    #[must_use]
    pub fn unit(self) -> Option<&'static str> {
        match self {
            Kind::Delay | Kind::AirDelay => Some("ms"),
            Kind::AirLoss => Some("%"),
            Kind::Clock => Some("s"),
            Kind::Copies | Kind::Shuffled | Kind::Poison => Some("records"),
            Kind::Join => Some("devices"),
            _ => None,
        }
    }

    /// Whether it is over as soon as it is done: nothing has to be taken back.
    #[must_use]
    pub fn is_instant(self) -> bool {
        use Kind::{Copies, Join, Kill, Poison, Reset, RestartAll, Shuffled};
        matches!(self, Kill | RestartAll | Reset | Copies | Shuffled | Poison | Join)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A fault with its time and target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When it begins, in milliseconds after the first picture.
    pub at_ms: u64,
    /// How long it lasts, in milliseconds; 0 of an instant kind.
    #[serde(default)]
    pub lasts_ms: u64,
    /// What is done.
    pub kind: Kind,
    /// To which part, or to which link; empty where there is no choice.
    #[serde(default)]
    pub target: String,
    /// How much, in the kind's unit.
    #[serde(default)]
    pub amount: i64,
}

impl Event {
    /// When it ends.
    #[must_use]
    pub fn until_ms(&self) -> u64 {
        self.at_ms + self.lasts_ms
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if !self.target.is_empty() {
            write!(f, " {}", self.target)?;
        }
        match self.kind.unit() {
            Some(unit) => write!(f, " {} {unit}", self.amount),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_files_are_the_names_shown() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_string(&kind).expect("JSON"), format!("\"{kind}\""));
        }
    }

    #[test]
    fn an_event_is_shown_with_what_it_needs() {
        let event = Event { at_ms: 0, lasts_ms: 5, kind: Kind::Delay, target: "a-b".to_owned(), amount: 20 };
        assert_eq!(event.to_string(), "delay a-b 20 ms");
        let event = Event { kind: Kind::AirSplit, target: String::new(), ..event };
        assert_eq!(event.to_string(), "air-split");
    }
}
