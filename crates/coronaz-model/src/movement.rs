//! How a person walks: one unit a tick towards a goal. Which goal, and what makes it turn aside, is
//! the scenario's `movement`.
//!
//! - waypoint: to a random place, then to the next (the paper)
//! - [`avoid`]: the same, but away from infectious people nearby
//! - [`places`]: between home, work and leisure, by the time of day
//! - [`start`]: where people are when they appear

pub mod avoid;
pub mod places;
pub mod start;

pub use start::Start;

use crate::{Draws, Field, PersonId, Position, Stream, Tick};

/// How people choose their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Movement {
    /// To a random goal, then to the next: the paper's movement.
    #[default]
    Waypoint,
    /// The same, but susceptible people step away from infectious ones they notice.
    Avoid,
    /// Between home, work and leisure, in the rhythm of the day.
    Places,
}

impl Movement {
    /// Their names in scenarios.
    pub const NAMES: &'static [&'static str] = &["waypoint", "avoid", "places"];

    /// Its name in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The movement of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Waypoint, Self::Avoid, Self::Places].into_iter().find(|movement| movement.name() == name)
    }
}

/// One step of the waypoint walk (the paper's movement). At the goal, first picks the next.
///
/// Steps one unit along the axis with the larger distance left, y when equal. A new goal that
/// happens to be where the person stands costs the tick.
#[inline]
#[must_use]
pub const fn waypoint_step(
    at: Position,
    goal: Position,
    draws: Draws,
    person: PersonId,
    tick: Tick,
    field: Field,
) -> (Position, Position) {
    let goal =
        if at.x == goal.x && at.y == goal.y { draws.place(Stream::Goal, person, tick, field) } else { goal };
    (step_towards(at, goal), goal)
}

/// One unit towards the goal, along the axis with the larger distance left, y when equal.
#[inline]
#[must_use]
pub const fn step_towards(at: Position, goal: Position) -> Position {
    let (dx, dy) = (goal.x - at.x, goal.y - at.y);
    if dx.abs() > dy.abs() {
        Position { x: at.x + dx.signum(), y: at.y }
    } else {
        Position { x: at.x, y: at.y + dy.signum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_goes_along_the_longer_way_and_along_y_when_equal() {
        let at = Position { x: 5, y: 5 };
        assert_eq!(step_towards(at, Position { x: 9, y: 6 }), Position { x: 6, y: 5 });
        assert_eq!(step_towards(at, Position { x: 1, y: 5 }), Position { x: 4, y: 5 });
        assert_eq!(step_towards(at, Position { x: 8, y: 8 }), Position { x: 5, y: 6 });
        assert_eq!(step_towards(at, Position { x: 4, y: 0 }), Position { x: 5, y: 4 });
        assert_eq!(step_towards(at, at), at);
    }

    #[test]
    fn a_walk_reaches_its_goal_in_as_many_ticks_as_it_is_far() {
        let (draws, field) = (Draws::new(1), Field::new(100, 100));
        let goal = Position { x: 60, y: 13 };
        let mut at = Position { x: 20, y: 40 };
        for tick in 0..(40 + 27) {
            assert_ne!(at, goal);
            (at, _) = waypoint_step(at, goal, draws, PersonId(0), tick, field);
        }
        assert_eq!(at, goal);
    }

    #[test]
    fn nobody_walks_off_the_field() {
        let (draws, field) = (Draws::new(5), Field::new(7, 3));
        let (mut at, mut goal) = (Position { x: 0, y: 0 }, Position { x: 0, y: 0 });
        for tick in 1..5_000 {
            (at, goal) = waypoint_step(at, goal, draws, PersonId(9), tick, field);
            assert!(field.contains(at) && field.contains(goal));
        }
    }
}
