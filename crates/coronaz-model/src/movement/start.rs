//! Where people are when they appear, and where they walk to.
//!
//! Until people have walked for long, they are not where their movement takes them: on a large map those with places
//! to go to would be far from home for days, and walks between random places gather people in the middle only by
//! and by. What is counted while an epidemic begins would be that of another movement. So people may appear settled,
//! or walk for a while before the start ([`Parameters::warm_up`]). All of it is a function of (seed, person): nobody is
//! ill before the start, so nobody's way depends on others.

use super::{Movement, places, step_towards};
use crate::{Draws, Parameters, PersonId, Position, Stream, Tick};

/// Where people are when they appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// Settled where people have places to go to, uniform otherwise (as in the paper).
    #[default]
    Auto,
    /// Anywhere, with equal chance.
    Uniform,
    /// Where, and on the way to where, people are who have long lived by their movement.
    Settled,
}

impl Start {
    /// Their names in scenarios.
    pub const NAMES: &'static [&'static str] = &["auto", "uniform", "settled"];

    /// Its name in scenarios.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The start of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Auto, Self::Uniform, Self::Settled].into_iter().find(|start| start.name() == name)
    }

    /// Whether people of this movement appear settled.
    const fn is_settled(self, movement: Movement) -> bool {
        match self {
            Start::Auto => matches!(movement, Movement::Places),
            Start::Uniform => false,
            Start::Settled => true,
        }
    }
}

/// Position and goal of a person that appears at tick `born`, after its warm-up.
///
/// The ticks of the warm-up are those before `born`; below 0 they are counted in two's complement.
#[must_use]
pub fn standing(parameters: &Parameters, draws: Draws, person: PersonId, born: Tick) -> (Position, Position) {
    let first = born.wrapping_sub(parameters.warm_up.into());
    let begin = match (parameters.start.is_settled(parameters.movement), parameters.movement) {
        (false, _) => {
            let anywhere = draws.place(Stream::Spawn, person, 0, parameters.field());
            (anywhere, anywhere)
        }
        (true, Movement::Waypoint | Movement::Avoid) => on_a_way(parameters, draws, person),
        (true, Movement::Places) => {
            let there = places::whereabouts(parameters, draws, person, first);
            (there, there)
        }
    };
    walk(begin, parameters, draws, person, (first, parameters.warm_up))
}

/// Ways tried until one is taken: one in three is, so that this many would not do is beyond belief.
const WAYS_MAX: u64 = 1_000;

/// A person on some way, as random walks between uniform places have it in the long run.
///
/// A way that takes longer is met in proportion: a uniform step of the longest way there is decides whether this one
/// has it, and, if so, is the step taken last (perfect simulation by rejection: Navidi and Camp, "Stationary
/// distributions for the random waypoint mobility model", IEEE Trans. Mobile Computing 3, 2004).
fn on_a_way(parameters: &Parameters, draws: Draws, person: PersonId) -> (Position, Position) {
    let field = parameters.field();
    let longest = field.width + field.height;
    let mut tried = (0..WAYS_MAX).map(|way| {
        let from = draws.place(Stream::Start, person, 3 * way, field);
        let goal = draws.place(Stream::Start, person, 3 * way + 1, field);
        let step = 1 + draws.below(Stream::Start, person, 3 * way + 2, longest);
        (step <= way_ticks(from, goal), along(from, goal, step), goal)
    });
    let taken = tried.find(|(taken, ..)| *taken);
    let (_, at, goal) = taken.unwrap_or_else(|| {
        let anywhere = draws.place(Stream::Spawn, person, 0, field);
        (false, anywhere, anywhere)
    });
    (at, goal)
}

/// Walks for so many ticks after tick `first`. Nobody is ill, so those who avoid the infectious have no reason to.
fn walk(
    (mut at, mut goal): (Position, Position),
    parameters: &Parameters,
    draws: Draws,
    person: PersonId,
    (first, ticks): (Tick, u32),
) -> (Position, Position) {
    let mut walked = 0;
    while walked < ticks {
        let next = first.wrapping_add(u64::from(walked) + 1);
        match parameters.movement {
            Movement::Waypoint | Movement::Avoid => {
                if at == goal {
                    goal = draws.place(Stream::Goal, person, next, parameters.field());
                }
                let steps = way_ticks(at, goal).min(ticks - walked);
                at = along(at, goal, steps);
                walked += steps;
            }
            Movement::Places => {
                goal = places::goal(at, goal, parameters, draws, person, next);
                at = step_towards(at, goal);
                walked += 1;
            }
        }
    }
    (at, goal)
}

/// How many ticks a way takes: a step each, and one where there is no way to go.
fn way_ticks(from: Position, goal: Position) -> u32 {
    (from.x.abs_diff(goal.x) + from.y.abs_diff(goal.y)).max(1)
}

/// Where so many steps of [`step_towards`] lead.
///
/// First along the longer axis until both distances are equal, then along y and x in turn.
fn along(from: Position, goal: Position, steps: u32) -> Position {
    let (far_x, far_y) = (from.x.abs_diff(goal.x), from.y.abs_diff(goal.y));
    let steps = steps.min(far_x + far_y);
    let straight = steps.min(far_x.abs_diff(far_y));
    let in_turn = steps - straight;
    let (straight_x, straight_y) = if far_x > far_y { (straight, 0) } else { (0, straight) };
    let by_x = (straight_x + in_turn / 2) as i32;
    let by_y = (straight_y + in_turn.div_ceil(2)) as i32;
    Position { x: from.x + by_x * (goal.x - from.x).signum(), y: from.y + by_y * (goal.y - from.y).signum() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::movement::waypoint_step;

    #[test]
    fn many_steps_at_once_lead_where_they_lead_one_by_one() {
        let from = Position { x: 7, y: 9 };
        for goal in (0..20).flat_map(|x| (0..20).map(move |y| Position { x, y })) {
            let mut at = from;
            for steps in 0..=way_ticks(from, goal) {
                assert_eq!(along(from, goal, steps), at, "{steps} steps to {goal:?}");
                at = step_towards(at, goal);
            }
        }
    }

    #[test]
    fn a_warm_up_is_so_many_ticks_of_the_walk_itself() {
        for warm_up in [0, 1, 7, 500] {
            let parameters =
                Parameters { field_width: 9, field_height: 30, warm_up, ..Parameters::default() };
            let (draws, person) = (Draws::new(4), PersonId(11));
            for born in [0, 3, 1_000] {
                let first = draws.place(Stream::Spawn, person, 0, parameters.field());
                let (mut at, mut goal) = (first, first);
                for back in (0..u64::from(warm_up)).rev() {
                    let tick = u64::wrapping_sub(born, back);
                    (at, goal) = waypoint_step(at, goal, draws, person, tick, parameters.field());
                }
                assert_eq!(standing(&parameters, draws, person, born), (at, goal), "{warm_up} before {born}");
            }
        }
    }

    #[test]
    fn a_field_of_four_places_settles_too() {
        let parameters =
            Parameters { field_width: 1, field_height: 1, start: Start::Settled, ..Parameters::default() };
        for number in 0..1_000 {
            let (at, goal) = standing(&parameters, Draws::new(1), PersonId(number), 0);
            assert!(parameters.field().contains(at) && parameters.field().contains(goal));
        }
    }
}
