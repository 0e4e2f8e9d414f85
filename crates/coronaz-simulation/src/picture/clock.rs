//! Model time as people say it: seconds, minutes, hours and days, of the clock or of the model's own day.

use super::scale::{TimeUnit, number};

/// By which days and hours are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// Seconds of a day where people live by one; its 24th part is an hour. Without one, days are those of the clock.
    pub(super) day_s: Option<u32>,
}

/// A day of the clock.
const DAY_S: u32 = 86_400;
const HOURS: f64 = 24.0;
const MINUTES: f64 = 1_440.0;
/// Seconds up to which time is told in seconds.
const SECONDS_MAX: f64 = 600.0;
/// Up to so many hours time is told in minutes.
const HOURS_IN_MINUTES: f64 = 4.0;
/// Up to so many days time is told in hours.
const DAYS_IN_HOURS: f64 = 4.0;

const SECOND_STEPS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 100.0, 120.0];
const MINUTE_STEPS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0];
const HOUR_STEPS: &[f64] = &[0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0];
const DAY_STEPS: &[f64] = &[0.5, 1.0, 2.0, 5.0, 7.0, 14.0, 28.0];

/// Round numbers of seconds for bins where no day has to be met.
const ROUND: &[u64] =
    &[1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
/// A bin that meets the day may be so many times as wide as it need be.
const WIDER_MAX: u64 = 4;

impl Clock {
    fn day(self) -> u32 {
        self.day_s.unwrap_or(DAY_S)
    }

    /// Whether its days are the model's own.
    fn is_own(self) -> bool {
        self.day() != DAY_S
    }

    /// The unit in which this many seconds are easy to read.
    pub(super) fn unit(self, span_s: f64) -> TimeUnit {
        let day = f64::from(self.day());
        let (hour, minute) = (day / HOURS, day / MINUTES);
        if span_s <= SECONDS_MAX.min(HOURS_IN_MINUTES * hour) {
            TimeUnit { name: "seconds", seconds: 1.0, steps: SECOND_STEPS }
        } else if span_s <= HOURS_IN_MINUTES * hour {
            TimeUnit { name: "minutes", seconds: minute, steps: MINUTE_STEPS }
        } else if span_s <= DAYS_IN_HOURS * day {
            TimeUnit { name: "hours", seconds: hour, steps: HOUR_STEPS }
        } else {
            TimeUnit { name: "days", seconds: day, steps: DAY_STEPS }
        }
    }

    /// A unit's name; of one that is not the clock's, with its length.
    pub(super) fn name_of(self, unit: TimeUnit) -> String {
        if self.is_own() && unit.seconds != 1.0 {
            format!("{} of {} s", unit.name, number((unit.seconds * 100.0).round() / 100.0))
        } else {
            unit.name.to_owned()
        }
    }

    /// The width of a bin of incidence: a round number of seconds, so that there are at most `bins_max`. Where people
    /// live by a day of the model's own, so many bins are a day, or so many days a bin.
    pub(super) fn bin_width(self, ticks: u64, bins_max: u64) -> u64 {
        let least = ticks.div_ceil(bins_max).max(1);
        let day = u64::from(self.day());
        let round = || {
            let fits = ROUND.iter().copied().find(|width| *width >= least);
            fits.unwrap_or_else(|| least.next_multiple_of(DAY_S.into()))
        };
        if !self.is_own() {
            return round();
        }
        if least > day {
            return least.next_multiple_of(day);
        }
        let part = (least..=day).find(|width| day.is_multiple_of(*width)).unwrap_or(day);
        if part <= WIDER_MAX * least { part } else { round() }
    }

    /// Seconds as people say them.
    pub(super) fn duration(self, seconds: u64) -> String {
        let day = u64::from(self.day());
        if self.is_own() {
            return match (seconds / day, seconds % day) {
                (0, _) | (_, 1..) => spoken(seconds, &[(1, "second")]),
                (days, _) => format!("{} of {} s", spoken(days, &[(1, "day")]), number(day as f64)),
            };
        }
        spoken(seconds, &[(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")])
    }
}

/// A number of the largest unit that divides it.
fn spoken(seconds: u64, units: &[(u64, &str)]) -> String {
    let fitting = units.iter().find(|(length, _)| seconds >= *length && seconds.is_multiple_of(*length));
    let (length, name) = fitting.copied().unwrap_or((1, "second"));
    match seconds / length {
        1 => name.to_owned(),
        count => format!("{} {name}s", number(count as f64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::scale::time_ticks;

    const CLOCK: Clock = Clock { day_s: None };

    #[test]
    fn times_are_told_in_units_that_people_use() {
        assert_eq!(time_ticks(0.0, 120.0, CLOCK.unit(120.0)).last(), Some(&120.0));
        assert_eq!(CLOCK.unit(1_000.0).name, "minutes");
        assert_eq!(
            time_ticks(0.0, 3_600.0, CLOCK.unit(3_600.0)),
            (0..=6).map(|n| f64::from(n) * 10.0).collect::<Vec<_>>()
        );
        assert_eq!((CLOCK.unit(20_000.0).name, CLOCK.unit(1e6).name), ("hours", "days"));
        assert!(time_ticks(0.0, 1e9, CLOCK.unit(1e9)).len() <= 11);
        assert_eq!((CLOCK.bin_width(120, 100), CLOCK.bin_width(10_000, 100)), (2, 120));
        assert_eq!(
            [1, 20, 120, 86_400].map(|seconds| CLOCK.duration(seconds)),
            ["second", "20 seconds", "2 minutes", "day"]
        );
    }

    #[test]
    fn where_people_live_by_a_day_of_their_own_hours_days_and_bins_are_those_of_that_day() {
        let short = Clock { day_s: Some(600) };
        assert_eq!(short.unit(60.0).name, "seconds");
        let hours = short.unit(1_200.0);
        assert_eq!((short.name_of(hours).as_str(), hours.seconds), ("hours of 25 s", 25.0));
        let days = short.unit(6_000.0);
        assert_eq!((short.name_of(days).as_str(), days.seconds), ("days of 600 s", 600.0));
        assert_eq!(time_ticks(0.0, 6_000.0, days), (0..=10).map(f64::from).collect::<Vec<_>>());
        // 3,700 ticks would be bins of 60 s by the clock; 6,100 of 60; a day of 600 s is 15 bins of 40 s.
        assert_eq!((short.bin_width(4_000, 120), short.duration(40)), (40, "40 seconds".into()));
        assert_eq!((short.bin_width(100_000, 120), short.duration(1_200)), (1_200, "2 days of 600 s".into()));
        assert_eq!(short.duration(600), "day of 600 s");
        let prime = Clock { day_s: Some(601) };
        assert_eq!(prime.bin_width(3_600, 120), 30, "no part of 601 s is near 30 s");
        assert_eq!(Clock { day_s: Some(86_400) }.bin_width(10_000, 100), 120);
    }
}
