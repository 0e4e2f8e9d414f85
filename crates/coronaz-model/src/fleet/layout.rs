//! How the map is cut into strips.
//!
//! A strip is a band of the map, all its width and `height` units high (a map wider than high is turned, see
//! `axes`). People are in the strip where they stood at the last migration; until the next, they may be up to
//! `lasting_ticks` outside it, since nobody moves more than one unit a tick. A strip is so high that in that
//! time only people of the same or of neighbouring strips can come within reach of each other.

use crate::Field;

/// The cut of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Height of a strip, in units.
    pub(super) height: i32,
    /// How many strips cover the field.
    pub(super) strips: usize,
    /// For how many ticks people may stay in their strip before they have to migrate.
    pub(super) lasting_ticks: i32,
}

/// Nobody gains by fewer migrations than this.
const LASTING_TICKS_MAX: i32 = 16;
/// A strip holds at least this many people on average: below it, its own cost outweighs theirs.
const PEOPLE_A_STRIP_MIN: usize = 64;
/// Candidates looked at for each person, on average, above which lower strips are faster.
const CANDIDATES_MAX: f64 = 1.2;
/// Higher strips than this save nothing.
const HEIGHT_MAX: i32 = 128;

impl Layout {
    /// The cut for this many people and a reach of `span` units.
    pub(super) fn of(field: Field, people: usize, span: i32) -> Self {
        let area = (f64::from(field.width) + 1.0) * (f64::from(field.height) + 1.0);
        let density = people as f64 / area;
        let wished = CANDIDATES_MAX / (density * (f64::from(span) + 0.5)).max(1e-12);
        let lowest = span + 2 * 2 + 1;
        let fewest = (f64::from(field.height) + 1.0) * PEOPLE_A_STRIP_MIN as f64 / (people as f64).max(1.0);
        let height = (wished.min(f64::from(HEIGHT_MAX)) as i32).max(lowest).max(fewest.min(1e7) as i32);
        let strips = field.height as usize / height as usize + 1;
        let lasting_ticks = ((height - span - 1) / 4).clamp(1, LASTING_TICKS_MAX);
        Layout { height, strips, lasting_ticks }
    }

    /// The strip of a place.
    #[inline]
    pub(super) const fn strip_of(&self, y: i32) -> usize {
        (y / self.height) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_two_strips_apart_never_come_within_reach_before_the_next_migration() {
        for people in [1, 100, 10_000, 10_000_000] {
            for side in [1, 7, 100, 22_360, 1_000_000] {
                for span in [0, 1, 2, 5, 50, 1_000] {
                    let layout = Layout::of(Field::new(side, side), people, span);
                    assert!(layout.height > span + 2 * layout.lasting_ticks, "{layout:?}");
                    assert!(layout.lasting_ticks < layout.height, "nobody crosses a whole strip: {layout:?}");
                    assert!(layout.strip_of(side as i32) < layout.strips);
                    assert!(layout.strips <= people.max(1) * 2 / PEOPLE_A_STRIP_MIN + 1, "{layout:?}");
                }
            }
        }
    }
}
