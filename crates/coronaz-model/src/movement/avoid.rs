//! Steering away from infectious people.
//!
//! At the end of a tick a susceptible person knows the nearest infectious one within
//! `sensing_radius`; with the next tick's step it goes away from it instead of towards its goal.

use crate::{Draws, Field, Identity, PersonId, Position, Stream, Tick};

/// One of the four ways to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Direction {
    /// +y.
    North = 1,
    /// +x.
    East = 2,
    /// -y.
    South = 3,
    /// -x.
    West = 4,
}

impl Direction {
    /// All four, by their numbers.
    pub const ALL: [Direction; 4] = [Direction::North, Direction::East, Direction::South, Direction::West];

    /// One unit from here.
    #[inline]
    #[must_use]
    pub const fn step_from(self, at: Position) -> Position {
        let Position { x, y } = at;
        match self {
            Direction::North => Position { x, y: y + 1 },
            Direction::East => Position { x: x + 1, y },
            Direction::South => Position { x, y: y - 1 },
            Direction::West => Position { x: x - 1, y },
        }
    }
}

/// An infectious person was noticed. The smallest is the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// Square of its distance.
    pub distance_squared: u64,
    /// Who it is: decides between two equally near.
    pub identity: Identity,
    /// Where it stands.
    pub position: Position,
}

/// The way to go from `at` when the nearest infectious person stands at `danger`, or `None` when
/// every way leads off the field.
///
/// Along the axis in which they are farther apart (y when equal), away from it; at the edge of the field, along the
/// other axis. Where away is neither way, chance decides.
#[must_use]
pub fn flight(
    at: Position,
    danger: Position,
    draws: Draws,
    person: PersonId,
    tick: Tick,
    field: Field,
) -> Option<Direction> {
    let (dx, dy) = (at.x - danger.x, at.y - danger.y);
    let chance = draws.bits(Stream::Flight, person, tick);
    let east = dx > 0 || (dx == 0 && chance & 1 == 0);
    let north = dy > 0 || (dy == 0 && chance & 2 == 0);
    let along_x = if east { Direction::East } else { Direction::West };
    let along_y = if north { Direction::North } else { Direction::South };
    let ways = if dx.abs() > dy.abs() { [along_x, along_y] } else { [along_y, along_x] };
    ways.into_iter().find(|way| field.contains(way.step_from(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: Field = Field::new(20, 20);

    fn flight_from(at: (i32, i32), danger: (i32, i32)) -> Option<Direction> {
        let place = |(x, y)| Position { x, y };
        flight(place(at), place(danger), Draws::new(1), PersonId(3), 7, FIELD)
    }

    #[test]
    fn people_step_away_along_the_axis_of_the_larger_distance() {
        assert_eq!(flight_from((10, 10), (7, 11)), Some(Direction::East));
        assert_eq!(flight_from((10, 10), (13, 11)), Some(Direction::West));
        assert_eq!(flight_from((10, 10), (12, 12)), Some(Direction::South));
        assert_eq!(flight_from((10, 10), (11, 5)), Some(Direction::North));
    }

    #[test]
    fn at_the_edge_they_slip_along_it_and_in_the_corner_they_are_caught() {
        assert_eq!(flight_from((20, 10), (17, 11)), Some(Direction::South));
        assert_eq!(flight_from((20, 20), (17, 18)), None);
    }

    #[test]
    fn somebody_at_the_same_place_is_left_in_any_direction() {
        let place = Position { x: 5, y: 5 };
        let ways: std::collections::BTreeSet<_> = (0..50)
            .filter_map(|tick| flight(place, place, Draws::new(1), PersonId(3), tick, FIELD))
            .collect();
        assert_eq!(ways.into_iter().collect::<Vec<_>>(), [Direction::North, Direction::South]);
    }
}
