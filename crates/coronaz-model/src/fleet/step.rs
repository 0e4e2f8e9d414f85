//! One tick: a handful of passes over the strips, each a set of independent jobs.

use super::{
    Census, Fleet,
    axes::Axes,
    meeting::{self, Ground, Meetings},
    migrate::{self, Crossing},
    pool::Pool,
    shard,
    witness::Witness,
};
use crate::{
    Draws, Emission, Field, Identity, Movement, Parameters, RunDigest, Tick, digest::Facts,
    movement::places::Moment,
};

/// How far a tick is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Nothing,
    /// Everybody is where the tick leads them.
    Moving,
}

/// What a tick, or a part of it, brought.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outcome {
    pub(super) changes: Census,
    pub(super) facts: Facts,
}

impl Outcome {
    fn add(&mut self, part: &Outcome) {
        self.changes.add(&part.changes);
        self.facts.merge(part.facts);
    }
}

/// What all people of a tick have in common.
pub(super) struct Rules<'a> {
    pub(super) parameters: &'a Parameters,
    pub(super) field: Field,
    pub(super) axes: Axes,
    pub(super) draws: Draws,
    pub(super) tick: Tick,
    pub(super) base: Identity,
    /// The time of day, where people live by it.
    pub(super) moment: Option<Moment>,
    /// Largest squared distance of a contact.
    pub(super) contact_max: u64,
    /// Largest squared distance at which an infectious person is noticed, where they are avoided.
    pub(super) alarm_max: Option<u64>,
}

impl Rules<'_> {
    /// Whether somebody whose illness shows from `onset` on stands still while infectious.
    #[inline]
    pub(super) fn ill_stand(&self, onset: u32) -> bool {
        !self.parameters.move_when_infected && self.tick >= onset.into()
    }
}

/// A step is cut into at most this many jobs: enough for the threads of one machine to share them
/// evenly, few enough that handing them out costs nothing.
const SHARDS_MAX: usize = 64;
/// Strips of one shard meet while they are still in a core's cache; those of two do not.
const STRIPS_A_SHARD_MIN: usize = 8;

impl Fleet {
    /// How many witnesses a step takes: one for each shard.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.strips.len().div_ceil(self.strips_a_shard())
    }

    pub(super) fn strips_a_shard(&self) -> usize {
        self.strips.len().div_ceil(SHARDS_MAX).max(STRIPS_A_SHARD_MIN)
    }

    /// Computes one tick: all move, then all broadcast, then all hear.
    ///
    /// # Panics
    /// When there are not [`Fleet::shards`] witnesses, or a tick has begun that has not ended.
    pub fn step<W: Witness>(&mut self, pool: &impl Pool, witnesses: &mut [W]) {
        self.next_tick(pool);
        let mut outcome = Outcome::default();
        let matter = self.begin_and_meet(pool, witnesses, &mut outcome, Done::Nothing);
        self.finish(pool, witnesses, matter, outcome);
    }

    /// The first half of a tick: all move, so that who broadcasts where is known. [`Fleet::end_tick`] is the second.
    ///
    /// # Panics
    /// When a tick has begun that has not ended.
    pub fn begin_tick(&mut self, pool: &impl Pool) {
        self.next_tick(pool);
        let per = self.strips_a_shard();
        let mut strips = std::mem::take(&mut self.strips);
        let rules = self.rules();
        let mut jobs: Vec<_> = strips.chunks_mut(per).map(|strips| (strips, Census::default())).collect();
        pool.run(&mut jobs, |(strips, changes)| shard::begin(strips, &rules, changes));
        let mut outcome = Outcome::default();
        jobs.into_iter().for_each(|(_, changes)| outcome.changes.add(&changes));
        self.strips = strips;
        self.begun = Some(outcome);
    }

    /// The second half: all hear, `guests` too are heard. Without guests, both halves are a [`Fleet::step`].
    ///
    /// Guests are people of the same world whose steps are taken elsewhere: each once, where it stands in this
    /// tick, in any order. One that bears a UUID of the fleet's is not heard.
    ///
    /// # Panics
    /// When there are not [`Fleet::shards`] witnesses, or no tick has begun.
    pub fn end_tick<W: Witness>(&mut self, pool: &impl Pool, witnesses: &mut [W], guests: &[Emission]) {
        let Some(mut outcome) = self.begun.take() else { panic!("a tick ends that has not begun") };
        let mut matter = self.begin_and_meet(pool, witnesses, &mut outcome, Done::Moving);
        matter |= self.meet_guests(guests, witnesses);
        self.finish(pool, witnesses, matter, outcome);
    }

    fn next_tick(&mut self, pool: &impl Pool) {
        assert!(self.begun.is_none(), "the tick before has ended");
        self.tick += 1;
        if self.settled_ticks == self.layout.lasting_ticks {
            self.migrate(pool);
            self.settled_ticks = 0;
        }
        self.settled_ticks += 1;
    }

    /// Infects who was exposed, and adds up what the tick brought.
    fn finish<W: Witness>(
        &mut self,
        pool: &impl Pool,
        witnesses: &mut [W],
        matter: bool,
        mut outcome: Outcome,
    ) {
        if matter {
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

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules {
            parameters: &self.parameters,
            field: self.parameters.field(),
            axes: self.axes,
            draws: self.draws,
            tick: self.tick,
            base: self.base,
            moment: (self.parameters.movement == Movement::Places)
                .then(|| Moment::of(&self.parameters, self.draws, self.tick)),
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
        done: Done,
    ) -> bool {
        assert_eq!(witnesses.len(), self.shards(), "one witness for each shard");
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
            let numbered = (*first, &mut **strips);
            shard::begin_and_meet(numbered, meetings, &rules, ground, *witness, changes, done);
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
        let axes = self.axes;
        pool.run(&mut jobs, |(strips, facts)| strips.iter().for_each(|strip| strip.state_facts(axes, facts)));
        let mut sum = Facts::default();
        jobs.iter().for_each(|(_, facts)| sum.merge(*facts));
        sum
    }
}
