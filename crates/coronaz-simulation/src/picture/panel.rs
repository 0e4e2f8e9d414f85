//! One panel: a title, axes with a grid, and what is drawn over them.

use super::{
    scale::{Scale, count_ticks, number},
    series::Spread,
    svg::{Style, Svg},
};

pub(super) const INK: &str = "#17202b";
pub(super) const FAINT_INK: &str = "#505d6b";
const GRID: &str = "#e3e8ee";
const AXIS: &str = "#9aa6b3";

/// Where a panel is, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// A panel with its scales.
pub(super) struct Panel {
    frame: Frame,
    pub(super) time: Scale,
    pub(super) count: Scale,
}

/// A text of 13 pixels, like all along the axes.
pub(super) fn small(color: &'static str, anchor: &'static str) -> Style {
    Style { size_px: 13.0, color, bold: false, anchor }
}

impl Panel {
    /// Draws an empty panel whose counts go from 0 to `max` or a round number beyond it. `time_marks`
    /// are seconds; `time` is the scale of seconds.
    pub(super) fn draw(
        svg: &mut Svg,
        frame: Frame,
        title: &str,
        time: Scale,
        time_marks: &[f64],
        max: f64,
    ) -> Self {
        let counts = count_ticks(max);
        let top = counts.last().copied().unwrap_or(1.0);
        let count = Scale { from: 0.0, to: top, start_px: frame.bottom, end_px: frame.top };
        let title_style = Style { size_px: 15.0, color: INK, bold: true, anchor: "start" };
        svg.words(frame.left, frame.top - 14.0, title_style, title);
        for mark in time_marks {
            let x = time.px(*mark);
            svg.line((x, frame.top), (x, frame.bottom), GRID, 1.0);
        }
        for mark in &counts {
            let y = count.px(*mark);
            svg.line((frame.left, y), (frame.right, y), if *mark == 0.0 { AXIS } else { GRID }, 1.0);
            svg.words(frame.left - 10.0, y + 4.5, small(FAINT_INK, "end"), &number(*mark));
        }
        Panel { frame, time, count }
    }

    /// The words under the time axis.
    pub(super) fn time_axis(&self, svg: &mut Svg, marks: &[(f64, String)], unit: &str) {
        let y = self.frame.bottom;
        for (seconds, words) in marks {
            let x = self.time.px(*seconds);
            svg.line((x, y), (x, y + 5.0), AXIS, 1.0);
            svg.words(x, y + 22.0, small(FAINT_INK, "middle"), words);
        }
        let middle = f64::midpoint(self.frame.left, self.frame.right);
        svg.words(middle, y + 46.0, small(INK, "middle"), &format!("Model time ({unit})"));
    }

    fn places(&self, times: &[f64], values: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
        times.iter().zip(values).map(|(time, value)| (self.time.px(*time), self.count.px(value))).collect()
    }

    /// The median and, of several replicates, the bands around it. The ids begin with `id`.
    pub(super) fn spread(
        &self,
        svg: &mut Svg,
        id: &str,
        times: &[f64],
        spreads: &[Spread],
        bands: bool,
        color: &str,
    ) {
        let of = |figure: fn(&Spread) -> f64| self.places(times, spreads.iter().map(figure));
        if bands {
            svg.area(&format!("{id}-band-90"), &of(|s| s.p95), &of(|s| s.p5), color, OUTER_OPACITY);
            svg.area(&format!("{id}-band-50"), &of(|s| s.p75), &of(|s| s.p25), color, INNER_OPACITY);
        }
        svg.curve(&format!("{id}-median"), &of(|s| s.median), color, 2.0);
    }

    /// Areas on top of each other, the first at the bottom: id, color, values.
    pub(super) fn stack(&self, svg: &mut Svg, times: &[f64], layers: &[(&str, &str, Vec<f64>)]) {
        let mut below = vec![0.0; times.len()];
        for (id, color, values) in layers {
            let above: Vec<_> = below.iter().zip(values).map(|(below, value)| below + value).collect();
            let upper = self.places(times, above.iter().copied());
            let lower = self.places(times, below.iter().copied());
            svg.area(&format!("health-{id}"), &upper, &lower, color, 0.85);
            below = above;
        }
    }
}

pub(super) const OUTER_OPACITY: f64 = 0.14;
pub(super) const INNER_OPACITY: f64 = 0.26;
