//! What can be broken: a row for each kind of fault. What is then done to a process, a link or a file is in `inject.rs`.

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
    /// The database is unavailable: the embedded one is locked by somebody else, a served one is cut off from everybody.
    StoreAway,
    /// The part's wall clock jumps by `amount` seconds, and back at the fault's end.
    Clock,
    /// The wall clocks of all groups of devices jump by `amount` seconds, and back at the fault's end.
    ClockAll,
    /// A device joins whose wall clock is `amount` days ahead; it is set right at the fault's end.
    ClockAhead,
    /// The embedded broker loses its data folder, once everything in it is stored; it is started again, empty, at the
    /// fault's end.
    BrokerReplaced,
    /// The embedded store is set back, at the fault's end, to a copy that was taken at its beginning; the topic still has
    /// what came in between.
    StoreRestored,
    /// The newest `amount` records of the topic are sent to it once more.
    Copies,
    /// The same in another order.
    Shuffled,
    /// `amount` records that are none of ours: garbage, broken, hostile, too large, of another version.
    Poison,
    /// A group of `amount` devices joins.
    Join,
}

/// What a kind can be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Targets {
    /// A part that may be killed.
    Killable,
    /// A part that can be kept from coming back.
    Held,
    /// Any part.
    Part,
    /// All parts at once.
    Everything,
    /// A link with a proxy in it.
    Link,
    /// The relay between two groups of devices.
    Air,
    /// A part that can be kept from writing.
    Disk,
    /// The database.
    Store,
    /// A part whose clock can be set.
    Clock,
    /// The clocks of all groups of devices.
    Clocks,
    /// The embedded broker's data.
    OwnBroker,
    /// The embedded store's file.
    OwnStore,
    /// The topic.
    Topic,
    /// The people.
    People,
}

/// Whose records stop for as long as a fault lasts, and only so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silences {
    /// Nobody's.
    Nobody,
    /// Those of the part it is done to; everybody's where that is the broker.
    Part,
    /// Everybody's where it is done to the broker, otherwise nobody's.
    Broker,
    /// Those that go over the link.
    Link,
    /// Everybody's.
    Everybody,
}

/// What a schedule of chance asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    /// A number from the first to the second.
    Between(u64, u64),
    /// A minute back, or up to two hours back or ahead.
    Clock,
    /// Always this.
    Always(i64),
}

/// A row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) kind: Kind,
    name: &'static str,
    /// What `amount` counts and may be; `None` where it means nothing. Zero is no fault.
    amount: Option<(&'static str, i64, i64)>,
    pub(super) drawn: Drawn,
    lasts: bool,
    pub(super) targets: Targets,
    pub(super) silences: Silences,
}

/// A year and a day, in seconds.
const CLOCK_S_MAX: i64 = 366 * 86_400;
/// A minute: what is longer is a cut.
const DELAY_MS_MAX: i64 = 60_000;
/// As many of the newest records as are kept.
pub(super) const COPIES_MAX: i64 = 5_000;
/// Poison of a few seconds.
const POISON_MAX: i64 = 10_000;
/// As many devices as a laboratory of chaos may have at its start.
const JOIN_MAX: i64 = 1_000;
/// Ten years.
const AHEAD_DAYS_MAX: i64 = 3_650;

const fn row(kind: Kind, name: &'static str, lasts: bool, targets: Targets, silences: Silences) -> Facts {
    Facts { kind, name, amount: None, drawn: Drawn::Always(0), lasts, targets, silences }
}

impl Facts {
    const fn of(self, unit: &'static str, least: i64, most: i64, drawn: Drawn) -> Facts {
        Facts { amount: Some((unit, least, most)), drawn, ..self }
    }
}

/// All kinds. The order is that of a schedule of chance before it is shuffled: new rows go to the end.
pub(super) const FAULTS: [Facts; 24] = [
    row(Kind::Kill, "kill", false, Targets::Killable, Silences::Part),
    row(Kind::Down, "down", true, Targets::Held, Silences::Part),
    row(Kind::Pause, "pause", true, Targets::Part, Silences::Part),
    row(Kind::RestartAll, "restart-all", false, Targets::Everything, Silences::Everybody),
    row(Kind::Cut, "cut", true, Targets::Link, Silences::Link),
    row(Kind::Stall, "stall", true, Targets::Link, Silences::Link),
    row(Kind::Delay, "delay", true, Targets::Link, Silences::Link).of(
        "ms",
        1,
        DELAY_MS_MAX,
        Drawn::Between(20, 800),
    ),
    row(Kind::Reset, "reset", false, Targets::Link, Silences::Link),
    row(Kind::HalfOpen, "half-open", true, Targets::Link, Silences::Link),
    row(Kind::AirSplit, "air-split", true, Targets::Air, Silences::Nobody),
    row(Kind::AirLoss, "air-loss", true, Targets::Air, Silences::Nobody).of(
        "%",
        1,
        100,
        Drawn::Between(10, 90),
    ),
    row(Kind::AirDelay, "air-delay", true, Targets::Air, Silences::Nobody).of(
        "ms",
        1,
        DELAY_MS_MAX,
        Drawn::Between(50, 1_500),
    ),
    row(Kind::AirDouble, "air-double", true, Targets::Air, Silences::Nobody),
    row(Kind::DiskFull, "disk-full", true, Targets::Disk, Silences::Broker),
    row(Kind::StoreAway, "store-away", true, Targets::Store, Silences::Nobody),
    row(Kind::Clock, "clock", true, Targets::Clock, Silences::Nobody).of(
        "s",
        -CLOCK_S_MAX,
        CLOCK_S_MAX,
        Drawn::Clock,
    ),
    row(Kind::Copies, "copies", false, Targets::Topic, Silences::Nobody).of(
        "records",
        1,
        COPIES_MAX,
        Drawn::Between(100, 2_000),
    ),
    row(Kind::Shuffled, "shuffled", false, Targets::Topic, Silences::Nobody).of(
        "records",
        1,
        COPIES_MAX,
        Drawn::Between(100, 2_000),
    ),
    row(Kind::Poison, "poison", false, Targets::Topic, Silences::Nobody).of(
        "records",
        1,
        POISON_MAX,
        Drawn::Between(20, 200),
    ),
    row(Kind::Join, "join", false, Targets::People, Silences::Nobody).of(
        "devices",
        1,
        JOIN_MAX,
        Drawn::Between(1, 5),
    ),
    row(Kind::ClockAll, "clock-all", true, Targets::Clocks, Silences::Nobody).of(
        "s",
        -CLOCK_S_MAX,
        CLOCK_S_MAX,
        Drawn::Always(-60),
    ),
    row(Kind::ClockAhead, "clock-ahead", true, Targets::Clocks, Silences::Nobody).of(
        "days",
        1,
        AHEAD_DAYS_MAX,
        Drawn::Always(365),
    ),
    row(Kind::BrokerReplaced, "broker-replaced", true, Targets::OwnBroker, Silences::Everybody),
    row(Kind::StoreRestored, "store-restored", true, Targets::OwnStore, Silences::Nobody),
];

impl Kind {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Kind> {
        FAULTS.iter().map(|row| row.kind)
    }

    pub(super) fn facts(self) -> &'static Facts {
        // A test holds that each kind has a row.
        FAULTS.iter().find(|row| row.kind == self).unwrap_or(&FAULTS[0])
    }

    /// Its name in schedules and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What `amount` counts; `None` where it means nothing.
    #[must_use]
    pub fn unit(self) -> Option<&'static str> {
        self.facts().amount.map(|(unit, ..)| unit)
    }

    /// Whether it is over as soon as it is done: nothing has to be taken back.
    #[must_use]
    pub fn is_instant(self) -> bool {
        !self.facts().lasts
    }

    /// Whether it needs the laboratory to itself: it waits until all is stored, or stops more than it breaks.
    pub(super) fn is_alone(self) -> bool {
        matches!(self.facts().targets, Targets::OwnBroker | Targets::OwnStore)
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

/// A fault lasts no longer than an hour, and begins within a day: what is beyond is a slip of the pen.
const LASTS_MS_MAX: u64 = 3_600_000;
const AT_MS_MAX: u64 = 86_400_000;

impl Event {
    /// When it ends.
    #[must_use]
    pub fn until_ms(&self) -> u64 {
        self.at_ms + self.lasts_ms
    }

    /// Whether its numbers are within the ranges of its kind.
    ///
    /// # Errors
    /// What would be right.
    pub fn check(&self) -> Result<(), String> {
        if self.at_ms > AT_MS_MAX {
            return Err(format!("at_ms has to be from 0 to {AT_MS_MAX}, not {}", self.at_ms));
        }
        let lasts_ms = self.lasts_ms;
        match self.kind.is_instant() {
            true if lasts_ms > 0 => {
                return Err(format!("it is over at once: leave lasts_ms out, which is {lasts_ms}"));
            }
            false if !(1..=LASTS_MS_MAX).contains(&lasts_ms) => {
                return Err(format!("lasts_ms has to be from 1 to {LASTS_MS_MAX}, not {lasts_ms}"));
            }
            _ => {}
        }
        match self.kind.facts().amount {
            None if self.amount != 0 => {
                Err(format!("it has no amount: leave it out, which is {}", self.amount))
            }
            Some((unit, least, most)) if self.amount == 0 || !(least..=most).contains(&self.amount) => {
                let not_zero = if least < 0 { " and not 0" } else { "" };
                Err(format!(
                    "its amount has to be from {least} to {most} {unit}{not_zero}, not {}",
                    self.amount
                ))
            }
            _ => Ok(()),
        }
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
        for kind in Kind::all() {
            assert_eq!(kind.facts().kind, kind);
            assert_eq!(serde_json::to_string(&kind).expect("JSON"), format!("\"{kind}\""));
        }
    }

    #[test]
    fn an_amount_beyond_its_kinds_range_is_refused_with_the_range() {
        let event =
            |kind: Kind, amount, lasts_ms| Event { at_ms: 0, lasts_ms, kind, target: String::new(), amount };
        for (kind, amount, lasts_ms, right) in [
            (Kind::Delay, -500, 5, "from 1 to 60000 ms"),
            (Kind::Delay, 0, 5, "from 1 to 60000 ms"),
            (Kind::AirLoss, 500, 5, "from 1 to 100 %"),
            (Kind::Copies, -3, 0, "from 1 to 5000 records"),
            (Kind::Join, 1_000_000, 0, "from 1 to 1000 devices"),
            (Kind::Clock, 0, 5, "not 0"),
            (Kind::ClockAhead, -1, 5, "days"),
            (Kind::Cut, 3, 5, "no amount"),
            (Kind::Cut, 0, 0, "lasts_ms has to be from 1"),
            (Kind::Kill, 0, 9, "over at once"),
            (Kind::Pause, 0, u64::MAX, "lasts_ms has to be"),
        ] {
            let Err(said) = event(kind, amount, lasts_ms).check() else {
                panic!("{kind} {amount} {lasts_ms} was taken")
            };
            assert!(said.contains(right), "{kind} {amount} {lasts_ms}: {said}");
        }
        // What a schedule of chance asks for is within the ranges.
        for row in FAULTS {
            let amount = match row.drawn {
                Drawn::Between(least, most) => vec![least.cast_signed(), most.cast_signed()],
                Drawn::Clock => vec![-7_200, -60, 7_200],
                Drawn::Always(amount) => vec![amount],
            };
            for amount in amount {
                assert_eq!(
                    event(row.kind, amount, u64::from(!row.kind.is_instant())).check(),
                    Ok(()),
                    "{}",
                    row.kind
                );
            }
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
