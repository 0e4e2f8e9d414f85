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
        let span = self.to - self.from;
        // Where there is no span, all of it is at the start.
        let share = if span > 0.0 { (value - self.from) / span } else { 0.0 };
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
    pub(super) steps: &'static [f64],
}

/// Marks along the time axis.
const TIME_STEPS_MAX: f64 = 10.0;

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
    fn where_there_is_no_span_everything_is_at_the_start() {
        let scale = Scale { from: 3.0, to: 3.0, start_px: 7.0, end_px: 9.0 };
        assert_eq!((scale.px(3.0), scale.px(4.0)), (7.0, 7.0));
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!(
            (number(1_234_567.0), number(999.0), number(0.5)),
            ("1,234,567".into(), "999".into(), "0.5".into())
        );
    }
}
