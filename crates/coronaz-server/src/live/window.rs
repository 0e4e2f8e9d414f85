//! What of a picture a visitor looks at: the people in a window of the field, or how many are in each of its cells.

use std::sync::Arc;

use coronaz_wire::page_frame::{
    ABSENT, DEAD, DRAWN_MASK, IMMUNE_BIT, INFECTED,
    part::{self, Grid, PLANES, Seen},
};
use serde::Deserialize;

use super::Picture;

/// Most people whom a visitor can keep an eye on wherever they are.
const KEEP_MAX: usize = 256;

/// What a visitor says of his map. Positions are scaled to the field, 0 to 65535.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// West, south, east, north.
    pub(crate) area: [u16; 4],
    /// The density's cells, where there are too many people: the field has 2^level of them on each axis.
    pub(crate) levels: [u8; 2],
    /// So many people he can tell apart; more are a density.
    pub(crate) people: u32,
    /// Slots of those whom he wants to see wherever they are, ascending.
    #[serde(default)]
    pub(crate) keep: Vec<u32>,
}

impl Window {
    /// Whether it asks for what can be given.
    pub(crate) fn is_sound(&self) -> bool {
        let [west, south, east, north] = self.area;
        let ascends = self.keep.is_sorted_by(|a, b| a < b);
        let cells = Grid::around(self.area, self.levels).cells();
        west <= east && south <= north && ascends && self.keep.len() <= KEEP_MAX && cells <= part::CELLS_MAX
    }

    fn holds(&self, [x, y]: [u16; 2]) -> bool {
        let [west, south, east, north] = self.area;
        (west..=east).contains(&x) && (south..=north).contains(&y)
    }
}

/// How many people are in each cell, packed: the same for all who look at the same cells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) grid: Grid,
    pub(super) in_view: u32,
    pub(super) packed: Vec<u8>,
}

/// What a window shows of a picture.
#[derive(Debug)]
pub(super) struct Cut {
    /// Everybody in the window, or, beside a density, those who are kept an eye on.
    pub(super) people: Vec<Seen>,
    pub(super) density: Option<Arc<Counted>>,
}

impl Cut {
    /// Looks at `picture` through `window`; `before` is what the visitor saw last.
    pub(super) fn new(picture: &Picture, window: &Window, before: Option<&Picture>) -> Cut {
        let mut people = Vec::new();
        let mut in_view = 0;
        let mut kept = window.keep.iter().peekable();
        for (slot, (xy, state)) in (0..).zip(picture.people()) {
            let keep = kept.next_if_eq(&&slot).is_some();
            let inside = state & DRAWN_MASK != ABSENT && window.holds(xy);
            in_view += u32::from(inside);
            if in_view > window.people {
                return Cut {
                    people: keepers(picture, window, before),
                    density: Some(picture.counted(window)),
                };
            }
            if inside || keep {
                people.push(seen(slot, xy, state, before));
            }
        }
        Cut { people, density: None }
    }
}

fn keepers(picture: &Picture, window: &Window, before: Option<&Picture>) -> Vec<Seen> {
    let of_slot = |&slot: &u32| picture.person(slot).map(|(xy, state)| seen(slot, xy, state, before));
    window.keep.iter().filter_map(of_slot).collect()
}

/// A person with the place that he comes from: where he is, if he was not there before.
fn seen(slot: u32, xy: [u16; 2], state: u8, before: Option<&Picture>) -> Seen {
    let was =
        before.and_then(|picture| picture.person(slot)).filter(|(_, state)| state & DRAWN_MASK != ABSENT);
    Seen { slot, xy, from: was.map_or(xy, |(place, _)| place), state }
}

/// Counts everybody into the cells that a window touches.
pub(super) fn count(picture: &Picture, grid: Grid) -> Counted {
    let cells = grid.cells();
    let mut counts = vec![0_u16; PLANES * cells];
    let mut in_view = 0;
    for (xy, state) in picture.people() {
        let Some(plane) = plane(state) else { continue };
        let Some(cell) = grid.cell(xy) else { continue };
        let count = &mut counts[plane * cells + cell];
        *count = count.saturating_add(1);
        in_view += 1;
    }
    Counted { grid, in_view, packed: part::pack(&counts) }
}

fn plane(state: u8) -> Option<usize> {
    match state & DRAWN_MASK {
        ABSENT => None,
        INFECTED => Some(1),
        DEAD => Some(2),
        _ if state & IMMUNE_BIT != 0 => Some(3),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_store::view::{Crowd, Moment};
    use coronaz_store::{Figures, Health};

    /// People on a field of 65535 by 65535, one in five of them infected, the seventh not there yet.
    fn picture(places: &[[i32; 2]]) -> Picture {
        let health = |i: usize| {
            (i != 6).then_some(Health { infected: i.is_multiple_of(5), immune: false, alive: true })
        };
        let moment = Moment { k: 1, time_us: 0, figures: Figures::default(), contacts: 0, infections: 0 };
        let crowd = Crowd {
            moment,
            latest: 1,
            x: places.iter().map(|place| place[0]).collect(),
            y: places.iter().map(|place| place[1]).collect(),
            health: (0..places.len()).map(health).collect(),
        };
        Picture::new(&crowd, [65_535, 65_535])
    }

    fn window(area: [u16; 4], people: u32, keep: &[u32]) -> Window {
        Window { area, levels: [4, 4], people, keep: keep.to_vec() }
    }

    const DIAGONAL: [[i32; 2]; 8] = [
        [0, 0],
        [100, 100],
        [200, 200],
        [300, 300],
        [400, 400],
        [9_000, 9_000],
        [210, 210],
        [60_000, 60_000],
    ];

    #[test]
    fn a_window_shows_those_inside_and_those_kept_an_eye_on_with_where_they_come_from() {
        let before = picture(&DIAGONAL.map(|[x, y]| [x + 1, y]));
        let now = picture(&DIAGONAL);
        let cut = Cut::new(&now, &window([100, 100, 400, 300], 10, &[5, 9]), Some(&before));
        let slots: Vec<u32> = cut.people.iter().map(|person| person.slot).collect();
        assert_eq!(slots, [1, 2, 3, 5], "slot 6 is not there yet, and there is no slot 9");
        assert_eq!((cut.people[0].xy, cut.people[0].from), ([100, 100], [101, 100]));
        assert!(cut.density.is_none());
    }

    #[test]
    fn too_many_are_a_density_in_which_everybody_counts_once() {
        let now = picture(&DIAGONAL);
        let cut = Cut::new(&now, &window([0, 0, 65_535, 65_535], 3, &[7]), None);
        assert_eq!(cut.people.iter().map(|person| person.slot).collect::<Vec<_>>(), [7]);
        let density = cut.density.expect("more than three");
        assert_eq!((density.in_view, density.grid.size), (7, [16, 16]));
        let frame = part::encode_density(&Default::default(), &[], 7, &density.grid, &density.packed);
        let counts = part::decode_density(&frame).expect("its own bytes").counts;
        assert_eq!(counts.iter().map(|&n| u32::from(n)).sum::<u32>(), 7);
        assert_eq!((counts[0], counts[256], counts[2 * 16 + 2 + 256]), (4, 1, 1), "safe, infected, infected");
        assert!(Arc::ptr_eq(&density, &now.counted(&window([0, 0, 65_535, 65_535], 1, &[]))), "counted once");
    }

    #[test]
    fn windows_that_cannot_be_given_are_refused() {
        assert!(window([0, 0, 9, 9], 5, &[1, 2]).is_sound());
        assert!(!window([9, 0, 0, 9], 5, &[]).is_sound());
        assert!(!window([0, 0, 9, 9], 5, &[2, 2]).is_sound());
        let fine = Window { levels: [12, 12], ..window([0, 0, 65_535, 65_535], 5, &[]) };
        assert!(!fine.is_sound());
    }
}
