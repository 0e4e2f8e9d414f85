//! Up to ten million people at once, by the rules of [`Person`], with the history of [`World`](crate::World).
//!
//! People are kept in columns (structure of arrays), in spatial order: the map is cut into strips,
//! and in each strip people are in order of x, so that neighbours lie close in memory, and finding
//! who is in range is a sweep along a few columns. A step is a handful of passes over the strips, each
//! a set of independent jobs that a [`Pool`] runs. All chance is keyed (I-2), so neither the order of people nor the
//! number of threads shows in the result.
//!
//! - [`pool`]: who runs the jobs
//! - [`witness`]: who is told the contacts and infections
//! - [`columns`]: who stands where, for whoever follows it; `near`: who is near a place
//! - `assembly`: how a fleet comes to be; `snapshot`: a fleet as bytes
//! - `step`: one tick; `census`: how many are healthy, ill, dead
//! - `layout`: how the map is cut into strips; `axes`: which way they lie
//! - `strip`: the columns of a strip's people; `state`: a person's state in 32 bits
//! - `stride`: the beginning of a tick; `sweep`: who is in range; `meeting`: what meeting leads to;
//!   `shard`: all this for a few strips in a row; `guests`: people whose steps are taken elsewhere
//! - `migrate`: who has left its strip

pub mod columns;
pub mod pool;
pub mod witness;

mod assembly;
mod axes;
mod census;
mod guests;
mod layout;
mod meeting;
mod migrate;
mod near;
mod shard;
mod snapshot;
mod state;
mod step;
mod stride;
mod strip;
mod sweep;

pub use assembly::ForkError;
pub use census::Census;
pub use columns::{Columns, Standing};
pub use pool::{Pool, Serial};
pub use snapshot::SnapshotError;
pub use witness::{Diary, Witness};

use crate::{
    Draws, Identity, Parameters, Person, PersonId, Position, RunDigest, Tick, identity::identity_of,
};
use axes::Axes;
use layout::Layout;
use meeting::Meetings;
use migrate::Crossing;
use step::{Outcome, Rules};
use strip::{Row, Strip};
use sweep::Range;

/// A population in one process.
#[derive(Debug, Clone)]
pub struct Fleet {
    parameters: Parameters,
    draws: Draws,
    base: Identity,
    tick: Tick,
    count: u32,
    with_extra: bool,
    census: Census,
    digest: RunDigest,
    axes: Axes,
    layout: Layout,
    range: Range,
    strips: Vec<Strip>,
    crossings: Vec<Crossing>,
    meetings: Vec<Meetings>,
    /// Ticks since the last migration.
    settled_ticks: i32,
    /// What the tick brought so far, when it has begun and not ended.
    begun: Option<Outcome>,
}

impl Fleet {
    /// The digest of the run so far: equal for equal histories, on any number of threads.
    #[must_use]
    pub const fn digest(&self) -> RunDigest {
        self.digest
    }

    /// The tick that was computed last.
    #[must_use]
    pub const fn tick(&self) -> Tick {
        self.tick
    }

    /// Whether a tick has begun that has not ended ([`Fleet::begin_tick`]).
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// How many people there are, the dead included.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The rules' numbers.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The UUID of person 0's device.
    #[must_use]
    pub const fn base(&self) -> Identity {
        self.base
    }

    /// How many people are in each state of health.
    #[must_use]
    pub const fn census(&self) -> &Census {
        &self.census
    }

    /// Everybody, in the order of their numbers.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        let mut people: Vec<Person> = self.rows().map(|row| self.person(&row)).collect();
        people.sort_unstable_by_key(|person| person.id);
        people
    }

    fn rows(&self) -> impl Iterator<Item = Row> + Clone + '_ {
        self.strips.iter().flat_map(|strip| {
            let living = (0..strip.len()).map(|at| strip.row(at));
            living.chain(strip.graves.iter().copied()).map(|row| self.axes.turn(row))
        })
    }

    fn person(&self, row: &Row) -> Person {
        Person {
            id: PersonId(row.id),
            identity: identity_of(self.base, PersonId(row.id)),
            position: Position { x: row.x, y: row.y },
            goal: Position { x: row.goal_x, y: row.goal_y },
            illness: row.state.illness(),
            died_infectious: row.state.died_infectious(),
            born: Tick::from(row.extra.born),
            onset: if row.extra.onset == u32::MAX { Tick::MAX } else { row.extra.onset.into() },
            flees: row.state.flees(),
            alarm: None,
        }
    }

    /// Bytes that the fleet takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let strips: usize = self.strips.iter().map(Strip::bytes).sum();
        let meetings: usize = self.meetings.iter().map(Meetings::bytes).sum();
        strips + meetings + self.crossings.capacity() * size_of::<Crossing>() + size_of::<Self>()
    }
}
