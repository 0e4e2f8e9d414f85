//! Where a shard's people are, how they fare, and which step they will make: what both sides keep.

use super::step;

/// A shard's people in columns; the index is the number from the shard's first person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// From the west edge, in units.
    pub x: Vec<i32>,
    /// From the south edge, in units.
    pub y: Vec<i32>,
    /// [`Health::code`](super::Health::code).
    pub health: Vec<u8>,
    /// The last step made in an even tick, and in an odd one. In the next tick everybody is expected to
    /// make the one of two ticks before again.
    pub(super) steps: [Vec<u8>; 2],
}

impl Columns {
    /// Columns of so many people, all at the south-west corner, safe and at rest.
    #[must_use]
    pub fn of(people: usize) -> Self {
        let steps = [vec![step::STAY; people], vec![step::STAY; people]];
        Columns { x: vec![0; people], y: vec![0; people], health: vec![0; people], steps }
    }

    /// How many people there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether nobody is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Codes of the steps made in `tick` and in the tick before it, when `tick` is the last.
    #[must_use]
    pub fn steps(&self, tick: u64) -> (&[u8], &[u8]) {
        let [even, odd] = &self.steps;
        if tick.is_multiple_of(2) { (even, odd) } else { (odd, even) }
    }

    /// The steps of ticks of this one's parity.
    pub(super) fn steps_mut(&mut self, tick: u64) -> &mut Vec<u8> {
        &mut self.steps[usize::from(!tick.is_multiple_of(2))]
    }

    /// Everybody makes the step noted for ticks of this one's parity.
    pub(super) fn walk(&mut self, tick: u64) {
        let steps = &self.steps[usize::from(!tick.is_multiple_of(2))];
        for (x, &step) in self.x.iter_mut().zip(steps) {
            *x = x.wrapping_add(step::dx(step));
        }
        for (y, &step) in self.y.iter_mut().zip(steps) {
            *y = y.wrapping_add(step::dy(step));
        }
    }
}
