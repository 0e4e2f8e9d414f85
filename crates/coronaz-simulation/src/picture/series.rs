//! Numbers over time, of all replicates.

use crate::{Statistics, replicate::Outcome};

/// Points along a line: more than this nobody can see.
const POINTS_MAX: usize = 600;

/// At one time, the values of the replicates between which 90 %, 50 % and 0 % of them lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) p5: f64,
    pub(super) p25: f64,
    pub(super) median: f64,
    pub(super) p75: f64,
    pub(super) p95: f64,
}

impl Spread {
    /// Sorts the values and reads the spread off them.
    pub(super) fn of(values: &mut [f64]) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Spread {
            p5: quantile(values, 0.05),
            p25: quantile(values, 0.25),
            median: quantile(values, 0.5),
            p75: quantile(values, 0.75),
            p95: quantile(values, 0.95),
        }
    }
}

/// Between the two nearest values in proportion (type 7 of Hyndman and Fan, "Sample quantiles in
/// statistical packages", 1996); 0 of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => low + (high - low) * at.fract(),
        _ => 0.0,
    }
}

/// The rows, by position, at which lines have their points: the first, the last, and some between.
pub(super) fn points(rows: usize) -> Vec<usize> {
    let step = rows.div_ceil(POINTS_MAX).max(1);
    let mut points: Vec<_> = (0..rows).step_by(step).collect();
    if points.last().is_some_and(|last| *last + 1 != rows) {
        points.push(rows - 1);
    }
    points
}

/// The spread of a figure at these rows.
pub(super) fn spreads(
    outcomes: &[Outcome],
    points: &[usize],
    figure: impl Fn(&Statistics) -> u32,
) -> Vec<Spread> {
    let mut values = Vec::with_capacity(outcomes.len());
    let at = |row: &usize| {
        values.clear();
        values.extend(outcomes.iter().map(|outcome| f64::from(figure(&outcome.statistics[*row]))));
        Spread::of(&mut values)
    };
    points.iter().map(at).collect()
}

/// The mean of a figure at these rows.
pub(super) fn means(outcomes: &[Outcome], points: &[usize], figure: impl Fn(&Statistics) -> u32) -> Vec<f64> {
    let of = |row: &usize| {
        let sum: f64 = outcomes.iter().map(|outcome| f64::from(figure(&outcome.statistics[*row]))).sum();
        sum / outcomes.len() as f64
    };
    points.iter().map(of).collect()
}

/// The spread of the infections in each stretch of `width` ticks; what is left of the last stretch, if it
/// is not whole, is not told.
pub(super) fn infections(outcomes: &[Outcome], width: usize) -> Vec<Spread> {
    let all = outcomes.first().map_or(&[][..], |outcome| &outcome.statistics);
    // Nobody is infected in tick 0, where a run begins.
    let first = usize::from(all.first().is_some_and(|row| row.tick == 0));
    let rows = all.len() - first;
    let bin = |number: usize| {
        let rows = first + number * width..first + (number + 1) * width;
        let in_bin = |outcome: &Outcome| {
            outcome.statistics[rows.clone()].iter().map(|row| f64::from(row.infections)).sum()
        };
        Spread::of(&mut outcomes.iter().map(in_bin).collect::<Vec<f64>>())
    };
    (0..rows / width).map(bin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values_in_proportion() {
        let spread = Spread::of(&mut [5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!((spread.p25, spread.median, spread.p75), (2.0, 3.0, 4.0));
        assert!((spread.p5 - 1.2).abs() < 1e-9 && (spread.p95 - 4.8).abs() < 1e-9);
        let one = Spread::of(&mut [7.0]);
        assert_eq!((one.p5, one.median, one.p95), (7.0, 7.0, 7.0));
        assert_eq!(Spread::of(&mut []).median, 0.0);
    }

    #[test]
    fn a_long_line_keeps_its_ends_and_a_short_one_all_its_points() {
        assert_eq!(points(4), [0, 1, 2, 3]);
        let long = points(100_001);
        assert!(long.len() <= POINTS_MAX + 1);
        assert_eq!((long[0], long[long.len() - 1]), (0, 100_000));
    }
}
