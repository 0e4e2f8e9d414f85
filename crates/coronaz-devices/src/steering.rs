//! A carrier that goes where it is told to, a unit a second.

use std::collections::VecDeque;

use coronaz_model::{Field, Position};

/// Steps waiting at most: an hour of walking.
pub const STEPS_MAX: usize = 3_600;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Towards +y.
    North,
    /// Towards +x.
    East,
    /// Towards -y.
    South,
    /// Towards -x.
    West,
    /// In a direction drawn when it is taken, one that stays on the field.
    Stroll,
}

/// The four directions.
const DIRECTIONS: [Step; 4] = [Step::North, Step::East, Step::South, Step::West];

impl Step {
    /// Where a step from `at` leads; a stroll's place is not known before.
    #[must_use]
    pub fn from(self, at: Position) -> Option<Position> {
        let (dx, dy) = match self {
            Step::North => (0, 1),
            Step::East => (1, 0),
            Step::South => (0, -1),
            Step::West => (-1, 0),
            Step::Stroll => return None,
        };
        Some(Position { x: at.x + dx, y: at.y + dy })
    }
}

/// The steps still to be taken, one at the beginning of each second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Steering {
    steps: VecDeque<Step>,
}

/// There are [`STEPS_MAX`] steps waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{STEPS_MAX} steps are waiting already")]
pub struct TooManySteps;

impl Steering {
    /// Adds a step behind those waiting.
    ///
    /// # Errors
    /// Too many are waiting.
    pub fn push(&mut self, step: Step) -> Result<(), TooManySteps> {
        if self.steps.len() >= STEPS_MAX {
            return Err(TooManySteps);
        }
        self.steps.push_back(step);
        Ok(())
    }

    /// The steps waiting.
    pub fn waiting(&self) -> impl Iterator<Item = Step> + '_ {
        self.steps.iter().copied()
    }

    /// Takes the next step, if there is one; `chance` decides a stroll's direction. Nothing leads off the field.
    pub(crate) fn step(&mut self, at: Position, field: Field, chance: u64) -> Position {
        let Some(step) = self.steps.pop_front() else { return at };
        let on_field = |step: Step| step.from(at).filter(|place| field.contains(*place));
        if step != Step::Stroll {
            return on_field(step).unwrap_or(at);
        }
        let ways: Vec<Position> = DIRECTIONS.into_iter().filter_map(on_field).collect();
        let chosen = chance % u64::try_from(ways.len()).unwrap_or(1).max(1);
        ways.get(usize::try_from(chosen).unwrap_or_default()).copied().unwrap_or(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn north_is_up_east_is_right_and_the_edge_holds() {
        let field = Field::new(3, 3);
        let mut steering = Steering::default();
        for step in [Step::North, Step::East, Step::South, Step::South, Step::West, Step::West] {
            steering.push(step).expect("room");
        }
        let mut at = Position { x: 0, y: 0 };
        let mut walked = Vec::new();
        for _ in 0..7 {
            at = steering.step(at, field, 0);
            walked.push((at.x, at.y));
        }
        assert_eq!(walked, [(0, 1), (1, 1), (1, 0), (1, 0), (0, 0), (0, 0), (0, 0)]);
    }

    #[test]
    fn a_stroll_goes_one_unit_whatever_the_corner() {
        let field = Field::new(1, 1);
        for chance in 0..64 {
            let mut steering = Steering::default();
            steering.push(Step::Stroll).expect("room");
            let at = steering.step(Position { x: 0, y: 0 }, field, chance);
            assert_eq!(at.x + at.y, 1);
        }
    }

    #[test]
    fn the_queue_of_steps_is_bounded() {
        let mut steering = Steering::default();
        for _ in 0..STEPS_MAX {
            steering.push(Step::North).expect("room");
        }
        assert_eq!(steering.push(Step::North), Err(TooManySteps));
    }
}
