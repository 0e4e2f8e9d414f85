//! What was refused, by kind: counted, logged once a second at most, no other effect (I-6).

use std::{fmt, net::SocketAddrV4, time::Duration, time::Instant};

use coronaz_wire::{DecodeError, seal::OpenError};

use crate::udp::{PORT, THIS_MACHINE};

/// Why a datagram was not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Refusal {
    /// Longer than a beacon may be.
    TooLong,
    /// Not the JSON object expected.
    NotJson,
    /// A beacon with a value that makes no sense.
    BadValue,
    /// A beacon of another run.
    OtherRun,
    /// A position outside this run's field.
    OffField,
    /// Carries no MAC, but a radio key is in use.
    Unsealed,
    /// Its MAC does not fit.
    Forged,
    /// Heard before, or recorded too long ago.
    Replayed,
}

impl Refusal {
    /// All kinds, in the order of their counters.
    pub const ALL: [Refusal; 8] = [
        Refusal::TooLong,
        Refusal::NotJson,
        Refusal::BadValue,
        Refusal::OtherRun,
        Refusal::OffField,
        Refusal::Unsealed,
        Refusal::Forged,
        Refusal::Replayed,
    ];

    /// A word for logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::TooLong => "too long",
            Refusal::NotJson => "not JSON",
            Refusal::BadValue => "bad value",
            Refusal::OtherRun => "other run",
            Refusal::OffField => "off field",
            Refusal::Unsealed => "unsealed",
            Refusal::Forged => "forged",
            Refusal::Replayed => "replayed",
        }
    }
}

impl From<&DecodeError> for Refusal {
    fn from(error: &DecodeError) -> Self {
        match error {
            DecodeError::TooLong { .. } => Refusal::TooLong,
            DecodeError::Json(_) => Refusal::NotJson,
            DecodeError::Value { .. } => Refusal::BadValue,
        }
    }
}

impl From<&OpenError> for Refusal {
    fn from(error: &OpenError) -> Self {
        match error {
            OpenError::Unsealed => Refusal::Unsealed,
            OpenError::Forged => Refusal::Forged,
            OpenError::Replayed { .. } => Refusal::Replayed,
            OpenError::Decode(error) => error.into(),
        }
    }
}

/// How often each kind was refused. A datagram counts once for all devices that hear by the same radio; a replayed one
/// counts for each device that had heard it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusals {
    counts: [u64; Refusal::ALL.len()],
}

impl Refusals {
    /// Counts one.
    pub fn count(&mut self, refusal: Refusal) {
        self.counts[refusal as usize] += 1;
    }

    /// How many of this kind.
    #[must_use]
    pub fn of(&self, refusal: Refusal) -> u64 {
        self.counts[refusal as usize]
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Refusals) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }

    /// What came since `before`.
    #[must_use]
    pub fn since(&self, before: &Refusals) -> Refusals {
        let mut counts = self.counts;
        for (count, earlier) in counts.iter_mut().zip(before.counts) {
            *count = count.saturating_sub(earlier);
        }
        Refusals { counts }
    }
}

/// Such as `3 not JSON, 1 other run`.
impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for refusal in Refusal::ALL.into_iter().filter(|&refusal| self.of(refusal) > 0) {
            write!(f, "{separator}{} {}", self.of(refusal), refusal.name())?;
            separator = ", ";
        }
        Ok(())
    }
}

/// At most one line a second about what was refused. Beacons of other runs are no attack but neighbours, who send all the
/// time: they are a warning once, with what helps, and then a line a minute that is no warning.
#[derive(Debug, Default)]
pub struct RefusalLog {
    told: Refusals,
    last: Option<Instant>,
    last_other_runs: Option<Instant>,
    lines: u64,
}

/// The shortest time between two lines.
pub const LOG_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest time between two lines about beacons of other runs.
pub const OTHER_RUNS_LOG_INTERVAL: Duration = Duration::from_secs(60);

impl RefusalLog {
    /// Logs what is new in `refusals` since the last line, if there is any and a second has passed.
    /// `from` is who sent the newest of it.
    pub fn tell(&mut self, refusals: &Refusals, from: Option<SocketAddrV4>, now: Instant) {
        self.tell_of_other_runs(refusals.of(Refusal::OtherRun), from, now);
        let mut new = refusals.since(&self.told);
        new.counts[Refusal::OtherRun as usize] = 0;
        if new.total() == 0 || self.last.is_some_and(|last| now.duration_since(last) < LOG_INTERVAL) {
            return;
        }
        self.last = Some(now);
        let other_runs = self.told.of(Refusal::OtherRun);
        self.told = *refusals;
        self.told.counts[Refusal::OtherRun as usize] = other_runs;
        self.lines += 1;
        let from = from.map(|from| from.to_string()).unwrap_or_default();
        tracing::warn!(refused = new.total(), kinds = %new, %from, "datagrams refused");
    }

    fn tell_of_other_runs(&mut self, refused: u64, from: Option<SocketAddrV4>, now: Instant) {
        let told = &mut self.told.counts[Refusal::OtherRun as usize];
        let new = refused.saturating_sub(*told);
        let last = self.last_other_runs;
        if new == 0 || last.is_some_and(|last| now.duration_since(last) < OTHER_RUNS_LOG_INTERVAL) {
            return;
        }
        *told = refused;
        self.last_other_runs = Some(now);
        self.lines += 1;
        if last.is_some() {
            tracing::info!(refused = new, "beacons of other runs are refused");
            return;
        }
        let from = from.map(|from| from.to_string()).unwrap_or_default();
        let other = SocketAddrV4::new(*THIS_MACHINE.ip(), PORT + 1);
        tracing::warn!(
            %from,
            "devices of another run send to the same radio address, perhaps those of another laboratory on this machine; \
             their beacons are refused, and only counted from now on. With an address of their own, such as \
             --radio {other}, the two do not disturb each other"
        );
    }

    /// Lines written so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_second() {
        let (mut log, mut refusals, start) = (RefusalLog::default(), Refusals::default(), Instant::now());
        for millisecond in 0..3_500 {
            refusals.count(Refusal::NotJson);
            log.tell(&refusals, None, start + Duration::from_millis(millisecond));
        }
        assert_eq!((log.lines(), refusals.total()), (4, 3_500));
        refusals.count(Refusal::Forged);
        assert_eq!(refusals.to_string(), "3500 not JSON, 1 forged");
    }

    #[test]
    fn a_neighbours_beacons_are_a_warning_once_and_then_a_line_a_minute() {
        let (mut log, mut refusals, start) = (RefusalLog::default(), Refusals::default(), Instant::now());
        for second in 0..600 {
            refusals.count(Refusal::OtherRun);
            log.tell(&refusals, None, start + Duration::from_secs(second));
        }
        assert_eq!(log.lines(), 10);
        refusals.count(Refusal::NotJson);
        log.tell(&refusals, None, start + Duration::from_secs(600));
        assert_eq!(
            log.lines(),
            11 + 1,
            "an attack among them is told at once, and the neighbour's minute is over"
        );
    }

    #[test]
    fn each_kind_has_its_own_counter() {
        for (place, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, place);
        }
    }
}
