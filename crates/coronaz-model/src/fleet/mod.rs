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
//! - [`columns`]: who stands where, for whoever follows it
//! - `layout`: how the map is cut into strips
//! - `strip`: the columns of a strip's people; `state`: a person's state in 32 bits
//! - `stride`: the beginning of a tick; `sweep`: who is in range; `meeting`: what meeting leads to;
//!   `shard`: all this for a few strips in a row
//! - `migrate`: who has left its strip

pub mod columns;
pub mod pool;
pub mod witness;

mod layout;
mod meeting;
mod migrate;
mod shard;
mod state;
mod stride;
mod strip;
mod sweep;

pub use columns::{Columns, Standing};
pub use pool::{Pool, Serial};
pub use witness::{Diary, Witness};

use crate::{Draws, Field, Health, Identity, Parameters, Person, PersonId, Position, Spawn, Tick};
use crate::{RunDigest, digest::Facts, identity::identity_of};
use layout::Layout;
use meeting::{Ground, Meetings};
use migrate::Crossing;
use state::State;
use strip::{Extra, Row, Strip};
use sweep::Range;

/// How many people are in each state of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Indexed by [`Health`]; in the changes of a tick also negative.
    by_health: [i64; 5],
    died_infectious: i64,
}

impl Census {
    /// How many have this health.
    #[must_use]
    pub const fn of(&self, health: Health) -> u64 {
        self.by_health[health as usize].unsigned_abs()
    }

    /// How many of the dead were infectious when they died: the paper's dead zombies.
    #[must_use]
    pub const fn died_infectious(&self) -> u64 {
        self.died_infectious.unsigned_abs()
    }

    fn count(&mut self, state: State) {
        self.by_health[state.health() as usize] += 1;
        self.died_infectious += i64::from(state.died_infectious());
    }

    fn count_change(&mut self, before: State, after: State) {
        self.by_health[before.health() as usize] -= 1;
        self.by_health[after.health() as usize] += 1;
        self.died_infectious += i64::from(after.died_infectious()) - i64::from(before.died_infectious());
    }

    fn add(&mut self, changes: &Census) {
        for (count, change) in self.by_health.iter_mut().zip(changes.by_health) {
            *count += change;
        }
        self.died_infectious += changes.died_infectious;
    }
}

/// What a tick, or a part of it, brought.
#[derive(Debug, Clone, Copy, Default)]
struct Outcome {
    changes: Census,
    facts: Facts,
}

impl Outcome {
    fn add(&mut self, part: &Outcome) {
        self.changes.add(&part.changes);
        self.facts.merge(part.facts);
    }
}

/// What all people of a tick have in common.
struct Rules<'a> {
    parameters: &'a Parameters,
    field: Field,
    draws: Draws,
    tick: Tick,
    base: Identity,
    /// Largest squared distance of a contact.
    contact_max: u64,
    /// Largest squared distance at which an infectious person is noticed, where they are avoided.
    alarm_max: Option<u64>,
}

impl Rules<'_> {
    /// Whether somebody whose illness shows from `onset` on stands still while infectious.
    #[inline]
    fn ill_stand(&self, onset: u32) -> bool {
        !self.parameters.move_when_infected && self.tick >= onset.into()
    }
}

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
    layout: Layout,
    range: Range,
    strips: Vec<Strip>,
    crossings: Vec<Crossing>,
    meetings: Vec<Meetings>,
    /// Ticks since the last migration.
    settled_ticks: i32,
}

/// A step is cut into at most this many jobs: enough for the threads of one machine to share them
/// evenly, few enough that handing them out costs nothing.
const SHARDS_MAX: usize = 64;
/// Strips of one shard meet while they are still in a core's cache; those of two do not.
const STRIPS_A_SHARD_MIN: usize = 8;

impl Fleet {
    /// People 0, 1, 2, … at tick 0, whose devices' UUIDs count up from `base`
    /// (a version-1 UUID; see [`crate::identity`]).
    ///
    /// # Panics
    /// When there are more than 2^32 - 1 spawns.
    pub fn new(
        parameters: &Parameters,
        draws: Draws,
        base: Identity,
        spawns: impl ExactSizeIterator<Item = Spawn> + Clone,
    ) -> Self {
        let people = spawns.enumerate().map(|(number, spawn)| {
            let id = PersonId(u32::try_from(number).expect("a fleet has at most 2^32 - 1 people"));
            Person::spawn(parameters, draws, id, 0, spawn, 0)
        });
        Self::of_people(parameters.clone(), draws, base, 0, people)
    }

    /// These people at `tick`; their identities follow from their numbers and `base`.
    ///
    /// The iterator is gone through twice, so that nothing is allocated but what stays.
    pub fn of_people(
        parameters: Parameters,
        draws: Draws,
        base: Identity,
        tick: Tick,
        people: impl ExactSizeIterator<Item = Person> + Clone,
    ) -> Self {
        let (contact, sensing) = (parameters.reach(), parameters.sensing());
        let range = Range::of(sensing.map_or(contact, |sensing| sensing.max(contact)));
        let layout = Layout::of(parameters.field(), people.len(), range.span);
        let mut counts = vec![0; layout.strips];
        let mut with_extra = parameters.hides_illness();
        for person in people.clone() {
            counts[layout.strip_of(person.position.y)] += 1;
            with_extra |= person.born != 0 || person.onset != 0;
        }
        let mut strips = vec![Strip::default(); layout.strips];
        for (strip, count) in strips.iter_mut().zip(&mut counts) {
            strip.resize(std::mem::take(count), with_extra);
        }
        let mut census = Census::default();
        let count = people.len() as u32;
        for person in people {
            let row = row_of(&person, &parameters, tick);
            census.count(row.state);
            let number = layout.strip_of(row.y);
            strips[number].put(counts[number], &row);
            counts[number] += 1;
        }
        for strip in &mut strips {
            strip.dying = strip.state.iter().filter(|&&state| State(state).is_dead()).count();
            strip.bury();
            strip.sort();
        }
        let crossings = vec![Crossing::default(); layout.strips];
        let meetings = vec![Meetings::default(); layout.strips];
        Fleet {
            parameters,
            draws,
            base,
            tick,
            count,
            with_extra,
            census,
            digest: RunDigest::default(),
            layout,
            range,
            strips,
            crossings,
            meetings,
            settled_ticks: 0,
        }
    }

    /// How many witnesses a step takes: one for each shard.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.strips.len().div_ceil(self.strips_a_shard())
    }

    fn strips_a_shard(&self) -> usize {
        self.strips.len().div_ceil(SHARDS_MAX).max(STRIPS_A_SHARD_MIN)
    }

    /// Computes one tick: all move, then all broadcast, then all hear.
    ///
    /// # Panics
    /// When there are not [`Fleet::shards`] witnesses.
    pub fn step<W: Witness>(&mut self, pool: &impl Pool, witnesses: &mut [W]) {
        assert_eq!(witnesses.len(), self.shards(), "one witness for each shard");
        self.tick += 1;
        if self.settled_ticks == self.layout.lasting_ticks {
            self.migrate(pool);
            self.settled_ticks = 0;
        }
        self.settled_ticks += 1;
        let mut outcome = Outcome::default();
        if self.begin_and_meet(pool, witnesses, &mut outcome) {
            self.conclude(pool, witnesses, &mut outcome);
        }
        self.census.add(&outcome.changes);
        if RunDigest::counts_people(self.tick) {
            outcome.facts.merge(self.facts_of_people(pool));
        }
        self.digest.end_tick(self.tick, outcome.facts);
    }

    fn migrate(&mut self, pool: &impl Pool) {
        let (per, layout, with_extra) = (self.strips_a_shard(), self.layout, self.with_extra);
        let mut jobs: Vec<_> =
            self.strips.chunks_mut(per).zip(self.crossings.chunks_mut(per)).enumerate().collect();
        pool.run(&mut jobs, |(shard, (strips, crossings))| {
            for (at, (strip, crossing)) in strips.iter_mut().zip(crossings.iter_mut()).enumerate() {
                migrate::leave(*shard * per + at, strip, crossing, &layout);
            }
        });
        let crossings = &self.crossings;
        let mut jobs: Vec<_> = self.strips.chunks_mut(per).enumerate().collect();
        pool.run(&mut jobs, |(shard, strips)| {
            for (at, strip) in strips.iter_mut().enumerate() {
                migrate::enter(*shard * per + at, strip, crossings, with_extra);
            }
        });
        self.crossings.fill_with(Crossing::default);
    }

    fn rules(&self) -> Rules<'_> {
        Rules {
            parameters: &self.parameters,
            field: self.parameters.field(),
            draws: self.draws,
            tick: self.tick,
            base: self.base,
            contact_max: self.parameters.reach().distance_squared_max,
            alarm_max: self.parameters.sensing().map(|reach| reach.distance_squared_max),
        }
    }

    /// Everybody moves, then meets; true when somebody may have been infected or will flee.
    fn begin_and_meet<W: Witness>(
        &mut self,
        pool: &impl Pool,
        witnesses: &mut [W],
        outcome: &mut Outcome,
    ) -> bool {
        let per = self.strips_a_shard();
        let mut strips = std::mem::take(&mut self.strips);
        let mut meetings = std::mem::take(&mut self.meetings);
        let (rules, ground) = (self.rules(), self.ground());
        let mut jobs: Vec<_> = (strips.chunks_mut(per).zip(meetings.chunks_mut(per)))
            .zip(witnesses.iter_mut())
            .enumerate()
            .map(|(shard, job)| (shard * per, job, Census::default()))
            .collect();
        pool.run(&mut jobs, |(first, ((strips, meetings), witness), changes)| {
            shard::begin_and_meet(*first, strips, meetings, &rules, ground, *witness, changes);
        });
        jobs.into_iter().for_each(|(.., changes)| outcome.changes.add(&changes));
        let strips_read = &strips;
        let mut jobs: Vec<_> = meetings.chunks_mut(per).zip(witnesses).enumerate().collect();
        pool.run(&mut jobs, |(shard, (meetings, witness))| {
            let last = *shard * per + meetings.len() - 1;
            if let (Some(upper), Some(meetings)) = (strips_read.get(last + 1), meetings.last_mut()) {
                shard::meet_next(last, &strips_read[last], upper, meetings, &rules, ground, *witness);
            }
        });
        let matter = meetings.iter().any(Meetings::matter);
        meetings.iter().for_each(|meetings| outcome.facts.merge(meetings.facts()));
        (self.strips, self.meetings) = (strips, meetings);
        matter
    }

    fn ground(&self) -> Ground {
        Ground { range: self.range, height: self.layout.height, drift: self.settled_ticks }
    }

    fn conclude<W: Witness>(&mut self, pool: &impl Pool, witnesses: &mut [W], outcome: &mut Outcome) {
        let per = self.strips_a_shard();
        let mut strips = std::mem::take(&mut self.strips);
        let (rules, meetings) = (self.rules(), &self.meetings);
        let mut jobs: Vec<_> = (strips.chunks_mut(per).zip(witnesses).enumerate())
            .map(|(shard, job)| (shard * per, job, Outcome::default()))
            .collect();
        pool.run(&mut jobs, |(first, (strips, witness), outcome)| {
            for (number, strip) in (*first..).zip(strips.iter_mut()) {
                meeting::conclude(strip, number, meetings, &rules, *witness, outcome);
            }
        });
        jobs.into_iter().for_each(|(.., part)| outcome.add(&part));
        self.strips = strips;
    }

    /// Where everybody stands and how they fare.
    fn facts_of_people(&self, pool: &impl Pool) -> Facts {
        let shards = self.strips.chunks(self.strips_a_shard());
        let mut jobs: Vec<_> = shards.map(|strips| (strips, Facts::default())).collect();
        pool.run(&mut jobs, |(strips, facts)| strips.iter().for_each(|strip| strip.state_facts(facts)));
        let mut sum = Facts::default();
        jobs.iter().for_each(|(_, facts)| sum.merge(*facts));
        sum
    }

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

    fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.strips.iter().flat_map(|strip| {
            let living = (0..strip.len()).map(|at| strip.row(at));
            living.chain(strip.graves.iter().copied())
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

fn row_of(person: &Person, parameters: &Parameters, tick: Tick) -> Row {
    let ill_stand = !parameters.move_when_infected && tick >= person.onset;
    let state = State::new(person.illness, person.died_infectious, ill_stand);
    Row {
        x: person.position.x,
        y: person.position.y,
        goal_x: person.goal.x,
        goal_y: person.goal.y,
        id: person.id.0,
        state: state.fleeing(person.flees),
        extra: Extra {
            born: u32::try_from(person.born).unwrap_or(u32::MAX),
            onset: u32::try_from(person.onset).unwrap_or(u32::MAX),
        },
    }
}
