//! When the next tick is due, and how late it is.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

use coronaz_model::Tick;

/// How fast model time goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// So many ticks a second; 1 is real time.
    Times(f64),
    /// As fast as it can.
    Max,
}

/// The fastest speed by number.
const TIMES_MAX: f64 = 1_000_000.0;
/// The slowest.
const TIMES_MIN: f64 = 0.001;

/// No speed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a speed is {TIMES_MIN} to {TIMES_MAX} times real time, or max; not {0:?}")]
pub struct NoSpeed(String);

impl FromStr for Speed {
    type Err = NoSpeed;

    fn from_str(text: &str) -> Result<Self, NoSpeed> {
        if text == "max" {
            return Ok(Speed::Max);
        }
        match text.parse() {
            Ok(times) if (TIMES_MIN..=TIMES_MAX).contains(&times) => Ok(Speed::Times(times)),
            _ => Err(NoSpeed(text.to_owned())),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Speed::Times(times) => times.fmt(f),
            Speed::Max => f.write_str("max"),
        }
    }
}

/// Ticks against the clock.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    started: Instant,
    first: Tick,
    speed: Speed,
}

impl Pace {
    /// Tick `first` was at `started`.
    #[must_use]
    pub fn new(started: Instant, first: Tick, speed: Speed) -> Self {
        Pace { started, first, speed }
    }

    /// How long until the tick is due; zero when it is late.
    #[must_use]
    pub fn until(&self, tick: Tick, now: Instant) -> Duration {
        self.due(tick).map_or(Duration::ZERO, |due| due.saturating_duration_since(now))
    }

    /// How late it is for the tick.
    #[must_use]
    pub fn behind(&self, tick: Tick, now: Instant) -> Duration {
        self.due(tick).map_or(Duration::ZERO, |due| now.saturating_duration_since(due))
    }

    fn due(&self, tick: Tick) -> Option<Instant> {
        match self.speed {
            // A tick centuries away is never due.
            Speed::Times(times) => {
                let ticks = tick.saturating_sub(self.first) as f64;
                let after = Duration::try_from_secs_f64(ticks / times).unwrap_or(Duration::MAX);
                self.started.checked_add(after)
            }
            Speed::Max => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_due_at_its_share_of_a_second_and_late_after_it() {
        let start = Instant::now();
        let pace = Pace::new(start, 0, "20".parse().expect("a speed"));
        let after = |ms| start + Duration::from_millis(ms);
        assert_eq!(pace.until(40, after(1_500)), Duration::from_millis(500));
        assert_eq!(pace.behind(40, after(1_500)), Duration::ZERO);
        assert_eq!(pace.behind(40, after(2_250)), Duration::from_millis(250));
        let resumed = Pace::new(start, 1_000, Speed::Times(1.0));
        assert_eq!(resumed.until(1_002, after(500)), Duration::from_millis(1_500));
        let pace = Pace::new(start, 0, Speed::Max);
        assert_eq!((pace.until(9, start), pace.behind(9, after(5))), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn what_is_no_speed_is_told_what_would_be_one() {
        assert_eq!(("max".parse(), "0.5".parse()), (Ok(Speed::Max), Ok(Speed::Times(0.5))));
        for text in ["0", "-1", "fast", "NaN", "1e9", ""] {
            let error = text.parse::<Speed>().expect_err(text);
            assert!(error.to_string().contains("0.001 to 1000000 times real time, or max"), "{error}");
        }
    }
}
