//! Who is near a place: a look into the strips around it, whose people are in order of x.

use super::{Fleet, columns::Standing, state::State, sweep::Range};
use crate::{PersonId, Position, Reach};

/// A person found near a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Number of its strip.
    pub(super) strip: usize,
    /// Its place in the strip.
    pub(super) at: usize,
    pub(super) distance_squared: u64,
}

impl Fleet {
    /// Everybody within reach of a place in this tick, in no particular order: those who live, and those who
    /// died in it and so send a last message. It costs what the strips around the place hold near it, not the whole fleet.
    ///
    /// # Panics
    /// When the reach is larger than any scenario may set it (4,095 units).
    pub fn near(&self, place: Position, reach: Reach) -> impl Iterator<Item = Standing> + '_ {
        self.around(place, Range::of(reach)).map(|Found { strip, at, .. }| {
            let strip = &self.strips[strip];
            let state = State(strip.state[at]);
            Standing {
                id: PersonId(strip.id[at]),
                position: self.axes.place(strip.x[at], strip.y[at]),
                health: state.health(),
                died_infectious: state.died_infectious(),
            }
        })
    }

    pub(super) fn around(&self, place: Position, range: Range) -> impl Iterator<Item = Found> + '_ {
        let (x, y) = self.axes.columns(place);
        // People may be outside their strip by as many units as ticks have passed since the last migration.
        let around = i64::from(range.span) + i64::from(self.settled_ticks);
        let last = self.strips.len() as i64 - 1;
        let strip_of = |y: i64| y.div_euclid(i64::from(self.layout.height)).clamp(0, last) as usize;
        let (lowest, highest) = (strip_of(i64::from(y) - around), strip_of(i64::from(y) + around));
        (lowest..=highest).flat_map(move |number| {
            let strip = &self.strips[number];
            let west = x.saturating_sub(range.span);
            let first = strip.x.partition_point(|&other| other < west);
            let close =
                strip.x[first..].iter().take_while(move |&&other| other <= x.saturating_add(range.span));
            close.zip(first..).filter_map(move |(&other_x, at)| {
                let other = Position { x: other_x, y: strip.y[at] };
                let distance_squared = other.distance_squared(Position { x, y });
                range.covers(distance_squared).then_some(Found { strip: number, at, distance_squared })
            })
        })
    }
}
