//! Who is in range of whom: a sweep along the strips, whose people are in order of x.
//!
//! Within a strip each person is compared with the next, the one after, and so on, as long as
//! anybody of a group of [`LANES`] has somebody that close in x. Across the border of two strips only those
//! near enough to it are looked at, by merging both sides.

use super::strip::Strip;
use crate::Reach;

const LANES: usize = 16;

/// What counts as in range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// Largest squared distance, at most [`Range::DISTANCE_SQUARED_MAX`].
    distance_squared_max: u64,
    /// The same.
    float_max: f32,
    /// Largest distance along one axis.
    pub(super) span: i32,
}

impl Range {
    /// Up to here a 32-bit float holds every whole number. A larger squared distance may be rounded
    /// in it, but never to below this, so comparing floats is exact.
    const DISTANCE_SQUARED_MAX: u64 = 1 << 24;

    /// # Panics
    /// When the reach is larger than any scenario may set it.
    pub(super) fn of(reach: Reach) -> Self {
        let distance_squared_max = reach.distance_squared_max;
        assert!(distance_squared_max < Self::DISTANCE_SQUARED_MAX, "the reach is at most 4095 units");
        Range {
            distance_squared_max,
            float_max: distance_squared_max as f32,
            span: distance_squared_max.isqrt() as i32,
        }
    }

    /// Whether this distance is in range.
    #[inline]
    pub(super) const fn covers(self, distance_squared: u64) -> bool {
        distance_squared <= self.distance_squared_max
    }
}

#[inline]
fn distance_squared(dx: i32, dy: i32) -> u64 {
    let (dx, dy) = (u64::from(dx.unsigned_abs()), u64::from(dy.unsigned_abs()));
    dx * dx + dy * dy
}

/// Every unordered pair in range within the strip: places of both, and their squared distance.
pub(super) fn within(strip: &Strip, range: Range, mut hit: impl FnMut(usize, usize, u64)) {
    let (xs, ys) = (&strip.x[..], &strip.y[..strip.x.len()]);
    let mut near = [0; LANES];
    let mut first = 0;
    while first < xs.len() {
        let (x, y) = (&xs[first..], &ys[first..]);
        for ahead in 1..x.len() {
            let (next_x, next_y) = (&x[ahead..], &y[ahead..]);
            let close = match (x.first_chunk(), y.first_chunk(), next_x.first_chunk(), next_y.first_chunk()) {
                (Some(x), Some(y), Some(next_x), Some(next_y)) => {
                    compare_lanes(x, y, next_x, next_y, range, &mut near)
                }
                _ => compare_rest(x, y, next_x, next_y, range, &mut near),
            };
            let mut near = u128::from_le_bytes(near);
            while near != 0 {
                let i = (near.trailing_zeros() / u8::BITS) as usize;
                near &= near - 1;
                hit(first + i, first + i + ahead, distance_squared(next_x[i] - x[i], next_y[i] - y[i]));
            }
            if !close {
                break;
            }
        }
        first += LANES;
    }
}

/// Whether any of a group is close to its partner in x; in `near` a byte for each, 1 when in range.
///
/// Not inlined, so that `near` is written as one vector: inlined, it is put together byte by byte.
#[inline(never)]
fn compare_lanes(
    x: &[i32; LANES],
    y: &[i32; LANES],
    next_x: &[i32; LANES],
    next_y: &[i32; LANES],
    range: Range,
    near: &mut [u8; LANES],
) -> bool {
    let mut close = false;
    let max = range.float_max;
    for i in 0..LANES {
        let (dx, dy) = (next_x[i] - x[i], next_y[i] - y[i]);
        close |= dx <= range.span;
        let (dx, dy) = (dx as f32, dy as f32);
        near[i] = u8::from(dx * dx + dy * dy <= max);
    }
    close
}

/// The same for the last people of a strip.
#[cold]
fn compare_rest(
    x: &[i32],
    y: &[i32],
    next_x: &[i32],
    next_y: &[i32],
    range: Range,
    near: &mut [u8; LANES],
) -> bool {
    let mut close = false;
    near.fill(0);
    for i in 0..LANES.min(next_x.len()) {
        let (dx, dy) = (next_x[i] - x[i], next_y[i] - y[i]);
        close |= dx <= range.span;
        near[i] = u8::from(distance_squared(dx, dy) <= range.distance_squared_max);
    }
    close
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
            let distance_squared = distance_squared(dx, upper.y[b as usize] - y);
            if distance_squared <= range.distance_squared_max {
                hit(a as usize, b as usize, distance_squared);
            }
        }
    }
}
