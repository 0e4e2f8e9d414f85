//! The receiver's side: applies frames to columns, tells gaps and repeats.
//!
//! A shard has a record for every tick and part, so these two numbers tell a gap, also across a restart of the
//! sender, which makes `seq` begin anew: that one is for counting what was lost.

use std::collections::BTreeMap;

use super::{Census, Columns, Frame, Kind, Population, decode::state_of};
use crate::page_frame::Figures;

/// What a frame did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was the last part of a tick: the shard is now whole at this tick.
    Whole(u64),
    /// More parts of the tick are to come.
    Part,
    /// It was applied before.
    Repeat,
    /// Something before it is missing: the shard waits for a keyframe. The frame's contacts and infections are
    /// good all the same.
    Gap,
}

/// Why a frame cannot belong to what is mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// More people than the mirror may hold.
    #[error("{people} people; at most {max} may be")]
    TooMany {
        /// People in the frame's population.
        people: u32,
        /// The mirror's limit.
        max: u32,
    },
    /// Another run, or the same cut in another way.
    #[error("a frame of another population")]
    OtherPopulation,
    /// Parts of a tick contradict each other; the shard waits for a keyframe.
    #[error("parts of tick {tick} of shard {shard} contradict each other")]
    Parts {
        /// The shard.
        shard: u32,
        /// The tick.
        tick: u64,
    },
}

/// The people of one run as its frames tell.
#[derive(Debug, Clone)]
pub struct Mirror {
    people_max: u32,
    population: Option<Population>,
    shards: BTreeMap<u32, ShardMirror>,
}

/// A shard's people as its frames tell.
#[derive(Debug, Clone)]
pub struct ShardMirror {
    columns: Columns,
    at: At,
    tick: u64,
    time_us: i64,
    census: Census,
}

/// How far a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Waits for a keyframe.
    Lost,
    /// Whole at its tick.
    Whole,
    /// Within a tick: the next part, of how many, and up to which person its columns go.
    Within { kind: Kind, part: u16, parts: u16, people: u32 },
}

impl Mirror {
    /// An empty mirror of a run of at most so many people. Memory is taken shard by shard, 12 bytes a person.
    #[must_use]
    pub fn new(people_max: u32) -> Self {
        Mirror { people_max, population: None, shards: BTreeMap::new() }
    }

    /// Applies a frame. The first one says which population is mirrored.
    ///
    /// # Errors
    /// It cannot belong to it. Nothing changes, but for [`MirrorError::Parts`].
    pub fn apply(&mut self, frame: &Frame<'_>) -> Result<Applied, MirrorError> {
        let stamp = &frame.header.stamp;
        let population = stamp.population;
        if population.people > self.people_max {
            return Err(MirrorError::TooMany { people: population.people, max: self.people_max });
        }
        if self.population.is_some_and(|known| known != population) {
            return Err(MirrorError::OtherPopulation);
        }
        self.population = Some(population);
        let begins = frame.header.kind == Kind::Key && frame.header.part == 0;
        match self.shards.get_mut(&stamp.shard) {
            Some(shard) => shard.apply(frame),
            None if begins => {
                let people = population.people_of(stamp.shard) as usize;
                self.shards.entry(stamp.shard).or_insert(ShardMirror::of(people)).apply(frame)
            }
            None => Ok(Applied::Gap),
        }
    }

    /// The population, once a frame was applied.
    #[must_use]
    pub fn population(&self) -> Option<&Population> {
        self.population.as_ref()
    }

    /// A shard, if it is whole at some tick.
    #[must_use]
    pub fn shard(&self, shard: u32) -> Option<&ShardMirror> {
        self.shards.get(&shard).filter(|shard| shard.at == At::Whole)
    }

    /// The tick at which all shards are whole, if they are at the same.
    #[must_use]
    pub fn whole_at(&self) -> Option<u64> {
        let tick = self.shard(0)?.tick;
        let shards = 0..self.population?.shards();
        shards.into_iter().all(|shard| self.shard(shard).is_some_and(|s| s.tick == tick)).then_some(tick)
    }

    /// The sum of the shards' figures, those that are not whole included as far as they are known.
    #[must_use]
    pub fn census(&self) -> Census {
        let mut sum = Census::default();
        for ShardMirror { census: Census { figures, contacts, infections }, .. } in self.shards.values() {
            let of = &mut sum.figures;
            *of = Figures {
                total: of.total.saturating_add(figures.total),
                zombies: of.zombies.saturating_add(figures.zombies),
                deaths: of.deaths.saturating_add(figures.deaths),
                dead_zombies: of.dead_zombies.saturating_add(figures.dead_zombies),
                immune: of.immune.saturating_add(figures.immune),
            };
            sum.contacts = sum.contacts.saturating_add(*contacts);
            sum.infections = sum.infections.saturating_add(*infections);
        }
        sum
    }
}

impl ShardMirror {
    fn of(people: usize) -> Self {
        let columns = Columns::of(people);
        ShardMirror { columns, at: At::Lost, tick: 0, time_us: 0, census: Census::default() }
    }

    /// Where its people are.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// After which tick.
    #[must_use]
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// That tick's time, microseconds since 1970.
    #[must_use]
    pub fn time_us(&self) -> i64 {
        self.time_us
    }

    /// Its figures.
    #[must_use]
    pub fn census(&self) -> &Census {
        &self.census
    }

    fn apply(&mut self, frame: &Frame<'_>) -> Result<Applied, MirrorError> {
        let header = &frame.header;
        let (tick, part) = (header.stamp.tick, header.part);
        let repeated = match self.at {
            At::Lost => false,
            At::Whole => tick <= self.tick,
            At::Within { part: next, .. } => tick < self.tick || (tick == self.tick && part < next),
        };
        if repeated {
            return Ok(Applied::Repeat);
        }
        if part > 0 {
            return self.go_on(frame);
        }
        let follows = self.at == At::Whole && tick == self.tick.wrapping_add(1);
        if header.kind != Kind::Key && !follows {
            self.at = At::Lost;
            return Ok(Applied::Gap);
        }
        self.at = At::Within { kind: header.kind, part: 0, parts: header.parts, people: 0 };
        self.tick = tick;
        self.go_on(frame)
    }

    /// Applies the next part of the tick begun.
    fn go_on(&mut self, frame: &Frame<'_>) -> Result<Applied, MirrorError> {
        let header = &frame.header;
        let tick = header.stamp.tick;
        let At::Within { kind, part, parts, people } = self.at else {
            self.at = At::Lost;
            return Ok(Applied::Gap);
        };
        if (tick, header.part) != (self.tick, part) {
            self.at = At::Lost;
            return Ok(Applied::Gap);
        }
        let last = part + 1 == parts;
        let people_then = header.first + header.count;
        let in_columns = if kind == Kind::Turns { 0 } else { self.columns.len() as u32 };
        let fits = (header.kind, header.parts) == (kind, parts)
            && (kind == Kind::Turns || header.first == people)
            && (!last || people_then == in_columns);
        if !fits {
            self.at = At::Lost;
            return Err(MirrorError::Parts { shard: header.stamp.shard, tick });
        }
        self.take(frame);
        self.at = At::Within { kind, part: part + 1, parts, people: people_then };
        if !last {
            return Ok(Applied::Part);
        }
        if kind != Kind::Key {
            self.columns.walk(tick);
        }
        (self.at, self.time_us, self.census) = (At::Whole, header.stamp.time_us, header.stamp.census);
        Ok(Applied::Whole(tick))
    }

    fn take(&mut self, frame: &Frame<'_>) {
        let header = &frame.header;
        let tick = header.stamp.tick;
        let range = header.first as usize..(header.first + header.count) as usize;
        match header.kind {
            Kind::Key => self.take_key(frame, range),
            Kind::Turns => {
                let steps = self.columns.steps_mut(tick);
                for turn in frame.turns() {
                    steps[turn.person as usize] = turn.code;
                }
            }
            Kind::Steps => frame.unpack_steps(&mut self.columns.steps_mut(tick)[range]),
        }
        for change in frame.changes() {
            self.columns.health[change.person as usize] = change.code;
        }
    }

    fn take_key(&mut self, frame: &Frame<'_>, range: std::ops::Range<usize>) {
        let columns = &mut self.columns;
        let tick = frame.header.stamp.tick;
        for (at, (x, y, state)) in range.zip(frame.placed()) {
            let (health, last, before) = state_of(state);
            (columns.x[at], columns.y[at]) = (x.cast_signed(), y.cast_signed());
            columns.health[at] = health;
            columns.steps[usize::from(!tick.is_multiple_of(2))][at] = last;
            columns.steps[usize::from(tick.is_multiple_of(2))][at] = before;
        }
    }
}
