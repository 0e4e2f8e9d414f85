//! From numbers to places on the paper, and the round numbers along an axis.

/// A linear scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) start_px: f64,
    pub(super) end_px: f64,
}

impl Scale {
    pub(super) fn px(&self, value: f64) -> f64 {
        let share = (value - self.from) / (self.to - self.from).max(f64::MIN_POSITIVE);
        self.start_px + share * (self.end_px - self.start_px)
    }
}

/// Steps of 1, 2 and 5 times a power of ten.
const DECIMAL: &[f64] = &[1.0, 2.0, 5.0, 10.0];

/// The smallest round step that takes at most `steps_max` steps for `span`; 1 at least.
pub(super) fn round_step(span: f64, steps_max: f64) -> f64 {
    let least = (span / steps_max).max(1.0);
    let power = 10f64.powf(least.log10().floor());
    let step = DECIMAL.iter().map(|factor| factor * power).find(|step| *step >= least * (1.0 - 1e-9));
    step.unwrap_or(power * 10.0)
}

/// Round numbers from 0 that reach `max` or go just beyond it.
pub(super) fn count_ticks(max: f64) -> Vec<f64> {
    let step = round_step(max, 5.0);
    let steps = (max / step).ceil().max(1.0);
    (0..=steps as u32).map(|number| f64::from(number) * step).collect()
}

/// A unit of time for an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimeUnit {
    pub(super) name: &'static str,
    pub(super) seconds: f64,
    /// Steps that are round in this unit.
    steps: &'static [f64],
}

const SIXTIETHS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0];
const UNITS: [TimeUnit; 4] = [
    TimeUnit { name: "seconds", seconds: 1.0, steps: &[1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 100.0, 120.0] },
    TimeUnit { name: "minutes", seconds: 60.0, steps: SIXTIETHS },
    TimeUnit { name: "hours", seconds: 3_600.0, steps: &[0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0] },
    TimeUnit { name: "days", seconds: 86_400.0, steps: &[0.5, 1.0, 2.0, 5.0, 7.0, 14.0, 28.0] },
];
/// Seconds up to which each unit but the last is used.
const UP_TO_S: [f64; 3] = [600.0, 4.0 * 3_600.0, 4.0 * 86_400.0];
/// Marks along the time axis.
const TIME_STEPS_MAX: f64 = 10.0;

/// The unit in which this many seconds are easy to read.
pub(super) fn time_unit(span_s: f64) -> TimeUnit {
    let number = UP_TO_S.iter().position(|limit| span_s <= *limit).unwrap_or(UNITS.len() - 1);
    UNITS[number]
}

/// Round times from `from_s` to `to_s`, both in seconds; the results are in the unit.
pub(super) fn time_ticks(from_s: f64, to_s: f64, unit: TimeUnit) -> Vec<f64> {
    let (from, to) = (from_s / unit.seconds, to_s / unit.seconds);
    let fits = |step: &f64| (to - from) / step <= TIME_STEPS_MAX;
    let step = unit.steps.iter().copied().find(fits);
    let step = step.unwrap_or_else(|| round_step(to - from, TIME_STEPS_MAX));
    let first = (from / step).ceil() as u64;
    let last = (to / step + 1e-9).floor() as u64;
    (first..=last).map(|number| number as f64 * step).collect()
}

/// The width of a bin of incidence: a round number of seconds, so that there are at most `bins_max`.
pub(super) fn bin_width(ticks: u64, bins_max: u64) -> u64 {
    const ROUND: &[u64] = &[
        1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    ];
    let fits = |width: &u64| ticks <= width * bins_max;
    ROUND.iter().copied().find(fits).unwrap_or_else(|| ticks.div_ceil(bins_max).next_multiple_of(86_400))
}

/// Seconds as people say them.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        1 => "second".to_owned(),
        60 => "minute".to_owned(),
        3_600 => "hour".to_owned(),
        86_400 => "day".to_owned(),
        s if s % 86_400 == 0 => format!("{} days", s / 86_400),
        s if s % 3_600 == 0 => format!("{} hours", s / 3_600),
        s if s % 60 == 0 => format!("{} minutes", s / 60),
        s => format!("{s} seconds"),
    }
}

/// A whole number with commas, others as short as they are.
pub(super) fn number(value: f64) -> String {
    if value.fract() != 0.0 {
        return format!("{value}");
    }
    let digits = format!("{}", value.abs() as u64);
    let mut text = String::from(if value < 0.0 { "\u{2212}" } else { "" });
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_a_few_round_numbers_and_reaches_the_top() {
        assert_eq!(count_ticks(87.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(count_ticks(0.0), [0.0, 1.0]);
        assert_eq!(count_ticks(3.0), [0.0, 1.0, 2.0, 3.0]);
        for max in [1.0, 7.0, 99.0, 100.0, 101.0, 12_345.0, 9_999_999.0] {
            let ticks = count_ticks(max);
            assert!((2..=7).contains(&ticks.len()) && ticks[ticks.len() - 1] >= max, "{max}: {ticks:?}");
        }
    }

    #[test]
    fn times_are_told_in_units_that_people_use() {
        assert_eq!(time_ticks(0.0, 120.0, time_unit(120.0)).last(), Some(&120.0));
        assert_eq!(time_unit(1_000.0).name, "minutes");
        assert_eq!(
            time_ticks(0.0, 3_600.0, time_unit(3_600.0)),
            (0..=6).map(|n| f64::from(n) * 10.0).collect::<Vec<_>>()
        );
        assert_eq!(time_unit(1e6).name, "days");
        assert!(time_ticks(0.0, 1e9, time_unit(1e9)).len() <= 11);
        assert_eq!((bin_width(120, 100), bin_width(10_000, 100)), (2, 120));
        assert_eq!(
            (duration(1), duration(20), duration(120)),
            ("second".into(), "20 seconds".into(), "2 minutes".into())
        );
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            (number(1_234_567.0), number(999.0), number(0.5)),
            ("1,234,567".into(), "999".into(), "0.5".into())
        );
    }
}
