//! Who is in range of whom: a sweep along the strips, whose people are in order of x.
//!
//! Within a strip each person is compared with the next, the one after, and so on, as long as
//! anybody of a group of [`LANES`] has somebody that close in x. Across the border of two strips only those
//! near enough to it are looked at, by merging both sides.

use super::strip::Strip;

const LANES: usize = 16;

/// What counts as in range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// Largest squared distance.
    pub(super) distance_squared_max: u64,
    /// Largest distance along one axis.
    pub(super) span: i32,
}

impl Range {
    /// Calls `hit` when the two are in range indeed.
    #[inline]
    fn check(self, dx: i32, dy: i32, hit: impl FnOnce(u64)) {
        let (dx, dy) = (u64::from(dx.unsigned_abs()), u64::from(dy.unsigned_abs()));
        let distance_squared = dx * dx + dy * dy;
        if distance_squared <= self.distance_squared_max {
            hit(distance_squared);
        }
    }
}

/// Every unordered pair in range within the strip: places of both, and their squared distance.
pub(super) fn within(strip: &Strip, range: Range, mut hit: impl FnMut(usize, usize, u64)) {
    let (xs, ys) = (&strip.x[..], &strip.y[..]);
    let mut first = 0;
    while first < xs.len() {
        let mut ahead = 1;
        while first + ahead < xs.len() {
            let (x, y) = (&xs[first..], &ys[first..]);
            let (next_x, next_y) = (&xs[first + ahead..], &ys[first + ahead..]);
            let near = match (x.first_chunk(), y.first_chunk(), next_x.first_chunk(), next_y.first_chunk()) {
                (Some(x), Some(y), Some(next_x), Some(next_y)) => {
                    near_lanes(x, y, next_x, next_y, range.span)
                }
                _ => near_scalar(x, y, next_x, next_y, range.span),
            };
            if near.boxed {
                let lanes = LANES.min(next_x.len());
                for i in 0..lanes {
                    let (dx, dy) = (next_x[i] - x[i], next_y[i] - y[i]);
                    if (dx <= range.span) & (dy.abs() <= range.span) {
                        range.check(dx, dy, |d2| hit(first + i, first + i + ahead, d2));
                    }
                }
            }
            if !near.close {
                break;
            }
            ahead += 1;
        }
        first += LANES;
    }
}

/// Whether any of a group is close to its partner in x, and in both axes.
struct Near {
    close: bool,
    boxed: bool,
}

#[inline(always)]
fn near_lanes(
    x: &[i32; LANES],
    y: &[i32; LANES],
    next_x: &[i32; LANES],
    next_y: &[i32; LANES],
    span: i32,
) -> Near {
    let (mut close, mut boxed) = (false, false);
    for i in 0..LANES {
        let is_close = next_x[i] - x[i] <= span;
        let dy = next_y[i] - y[i];
        close |= is_close;
        boxed |= is_close & (dy <= span) & (dy >= -span);
    }
    Near { close, boxed }
}

/// The same for the last people of a strip.
#[cold]
fn near_scalar(x: &[i32], y: &[i32], next_x: &[i32], next_y: &[i32], span: i32) -> Near {
    let mut near = Near { close: false, boxed: false };
    for i in 0..LANES.min(next_x.len()) {
        if next_x[i] - x[i] <= span {
            near.close = true;
            near.boxed |= (next_y[i] - y[i]).abs() <= span;
        }
    }
    near
}

/// The people near a strip's borders, in order of x.
#[derive(Debug, Default)]
pub(super) struct Borders {
    /// Near the lower border.
    pub(super) low: Vec<u32>,
    /// Near the upper border.
    pub(super) high: Vec<u32>,
}

impl Borders {
    /// Finds those at most at `low_max`, and those at least at `high_min`.
    pub(super) fn find(&mut self, strip: &Strip, low_max: i32, high_min: i32) {
        let n = strip.len();
        self.low.resize(n, 0);
        self.high.resize(n, 0);
        let (mut lows, mut highs) = (0, 0);
        for (at, &y) in strip.y.iter().enumerate() {
            self.low[lows] = at as u32;
            self.high[highs] = at as u32;
            lows += usize::from(y <= low_max);
            highs += usize::from(y >= high_min);
        }
        self.low.truncate(lows);
        self.high.truncate(highs);
    }
}

/// Every pair in range of one from `lower` (whose people near the border are `high`) and one from
/// `upper` (`low`), the strip above it.
pub(super) fn across(
    (lower, high): (&Strip, &[u32]),
    (upper, low): (&Strip, &[u32]),
    range: Range,
    mut hit: impl FnMut(usize, usize, u64),
) {
    let mut begin = 0;
    for &a in high {
        let (x, y) = (lower.x[a as usize], lower.y[a as usize]);
        while begin < low.len() && upper.x[low[begin] as usize] < x - range.span {
            begin += 1;
        }
        for &b in &low[begin..] {
            let dx = upper.x[b as usize] - x;
            if dx > range.span {
                break;
            }
            let dy = upper.y[b as usize] - y;
            if dy.abs() <= range.span {
                range.check(dx, dy, |d2| hit(a as usize, b as usize, d2));
            }
        }
    }
}
