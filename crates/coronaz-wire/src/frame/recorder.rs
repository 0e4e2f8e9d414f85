//! The sender's side of a shard: finds out what a delta has to say.

use super::{
    Census, Columns, Health, Mark, Pair, Population, Stamp,
    decode::health_of,
    encode::{ShardTick, State},
    step,
};

/// A person's trace is one byte: the lowest two bits of x and of y, and the health. Since nobody goes
/// further than a unit in a tick, it tells where the person went.
const TRACE_SIDE_BITS: u32 = 2;
const TRACE_HEALTH_SHIFT: u32 = 2 * TRACE_SIDE_BITS;
const SIDE_MASK: i32 = (1 << TRACE_SIDE_BITS) - 1;
/// People whose traces are compared at once.
const LANES: usize = 64;
/// An entry of a turn has 3 bytes, everybody's steps a third of one each: with more turns than a
/// ninth, the steps are shorter.
const TURNS_SHARE_MAX: usize = 9;

/// The trace of a person at this place with this health.
#[inline]
#[must_use]
pub const fn trace(x: i32, y: i32, health: Health) -> u8 {
    let sides = (x & SIDE_MASK) | (y & SIDE_MASK) << TRACE_SIDE_BITS;
    sides as u8 | (health.code() << TRACE_HEALTH_SHIFT)
}

/// Somebody is not where a step leads: the shard must be placed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("person {person} of shard {shard} went further than a step in tick {tick}")]
pub struct Jump {
    /// The shard.
    pub shard: u32,
    /// Who, from the shard's first.
    pub person: u32,
    /// When.
    pub tick: u64,
}

/// Follows a shard's people tick by tick and writes its records.
#[derive(Debug, Clone)]
pub struct Recorder {
    population: Population,
    shard: u32,
    key_every_ticks: u64,
    columns: Columns,
    tick: u64,
    seq: u64,
    census: Census,
    /// The next record is a keyframe.
    key_wanted: bool,
    turns: Vec<Mark>,
    changes: Vec<Mark>,
}

/// What a recorder knows beside where everybody is and how they fare.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// The next record's sequence number.
    pub seq: u64,
    /// Contacts of the shard's people so far.
    pub contacts: u64,
    /// Their infections so far.
    pub infections: u64,
    /// Everybody's last two steps, by number: 5 times that of the tick before and that of the last tick.
    pub steps: Vec<u8>,
}

/// A memory that is of no recorder: other people, or steps that are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the steps kept of shard {shard} are not those of its people")]
pub struct NoMemory {
    /// The shard.
    pub shard: u32,
}

/// What happened to a shard's people in a tick. The lists are sorted here.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// Pairs who heard each other, each once: the smaller number is the person.
    pub contacts: Vec<Pair>,
    /// Who heard somebody's last message.
    pub one_way: Vec<Pair>,
    /// Who was infected by whom.
    pub infections: Vec<Pair>,
}

impl Events {
    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.contacts.clear();
        self.one_way.clear();
        self.infections.clear();
    }
}

impl Recorder {
    /// A recorder of a shard whose people are yet to be [placed](Recorder::place). A keyframe is written
    /// every `key_every_ticks` (at least 1), not by all shards in the same tick.
    ///
    /// # Panics
    /// When the population is not [valid](Population::is_valid) or has no such shard.
    #[must_use]
    pub fn new(population: Population, shard: u32, key_every_ticks: u64) -> Self {
        assert!(population.is_valid() && shard < population.shards(), "a shard of a valid population");
        Recorder {
            population,
            shard,
            key_every_ticks: key_every_ticks.max(1),
            columns: Columns::of(population.people_of(shard) as usize),
            tick: 0,
            seq: 0,
            census: Census::default(),
            key_wanted: true,
            turns: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Puts everybody where they are after `tick` (x, y, health, by number), with no word of how they came
    /// there. The next record is a keyframe.
    pub fn place(&mut self, tick: u64, people: impl IntoIterator<Item = (i32, i32, Health)>) {
        self.tick = tick;
        self.key_wanted = true;
        self.census.figures = crate::page_frame::Figures::default();
        for steps in &mut self.columns.steps {
            steps.fill(step::STAY);
        }
        for (at, (x, y, health)) in people.into_iter().enumerate().take(self.columns.len()) {
            (self.columns.x[at], self.columns.y[at]) = (x, y);
            self.columns.health[at] = health.code();
            self.census.count(health, 1);
        }
    }

    /// What is to be kept of it, to [resume](Recorder::resume) it after its last tick.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let (last, before) = self.columns.steps(self.tick);
        let steps = last.iter().zip(before).map(|(last, before)| step::STEPS * before + last);
        let Census { contacts, infections, .. } = self.census;
        Memory { seq: self.seq, contacts, infections, steps: steps.collect() }
    }

    /// Goes on after `tick`, with the people of then (x, y, health, by number), as the recorder that had this memory: the
    /// next tick's records are the same bytes.
    ///
    /// # Errors
    /// The memory is of other people.
    pub fn resume(
        &mut self,
        tick: u64,
        people: impl IntoIterator<Item = (i32, i32, Health)>,
        memory: &Memory,
    ) -> Result<(), NoMemory> {
        let steps_max = step::STEPS * step::STEPS;
        if memory.steps.len() != self.columns.len() || memory.steps.iter().any(|&steps| steps >= steps_max) {
            return Err(NoMemory { shard: self.shard });
        }
        self.place(tick, people);
        for (at, steps) in memory.steps.iter().enumerate() {
            self.columns.steps_mut(tick)[at] = steps % step::STEPS;
            self.columns.steps_mut(tick + 1)[at] = steps / step::STEPS;
        }
        self.count_from(memory.contacts, memory.infections);
        self.seq = memory.seq;
        self.key_wanted = false;
        Ok(())
    }

    /// Counts on from so many contacts and infections.
    pub fn count_from(&mut self, contacts: u64, infections: u64) {
        (self.census.contacts, self.census.infections) = (contacts, infections);
    }

    /// Lets the next record be a keyframe: a record before it was lost.
    pub fn want_key(&mut self) {
        self.key_wanted = true;
    }

    /// The shard's figures.
    #[must_use]
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// Where the shard's people are.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Appends a keyframe of where everybody stands now.
    pub fn write_key(&mut self, time_us: i64, records: &mut Vec<Vec<u8>>) {
        self.key_wanted = true;
        self.write(time_us, &Events::default(), records);
    }

    /// Goes on to the next tick: takes everybody's [`trace`] after it, by number, and what happened in it, and
    /// appends the records.
    ///
    /// # Errors
    /// Somebody jumped. Nothing is written, and the columns are of no tick: [place](Recorder::place) everybody
    /// at this tick, then [`Recorder::record_placed`] the same events.
    pub fn record(
        &mut self,
        time_us: i64,
        traces: &[u8],
        events: &mut Events,
        records: &mut Vec<Vec<u8>>,
    ) -> Result<(), Jump> {
        self.tick += 1;
        self.columns.walk(self.tick);
        self.turns.clear();
        self.changes.clear();
        self.compare(traces)?;
        self.record_placed(time_us, events, records);
        Ok(())
    }

    /// The same when everybody stands where they are after the tick.
    pub fn record_placed(&mut self, time_us: i64, events: &mut Events, records: &mut Vec<Vec<u8>>) {
        let Events { contacts, one_way, infections } = events;
        contacts.sort_unstable();
        one_way.sort_unstable();
        infections.sort_unstable();
        self.census.contacts += 2 * contacts.len() as u64 + one_way.len() as u64;
        self.census.infections += infections.len() as u64;
        self.write(time_us, events, records);
    }

    fn write(&mut self, time_us: i64, events: &Events, records: &mut Vec<Vec<u8>>) {
        // Shards take turns, so that no tick has all keyframes; the first tick has.
        let shards = u64::from(self.population.shards());
        let turn = u64::from(self.shard) * self.key_every_ticks / shards;
        let key = self.key_wanted || self.tick % self.key_every_ticks == turn;
        let state = if key {
            State::Key(&self.columns)
        } else if self.turns.len() > self.columns.len() / TURNS_SHARE_MAX {
            State::Steps { steps: self.columns.steps(self.tick).0, changes: &self.changes }
        } else {
            State::Turns { turns: &self.turns, changes: &self.changes }
        };
        let stamp = Stamp {
            population: self.population,
            shard: self.shard,
            tick: self.tick,
            time_us,
            census: self.census,
        };
        let Events { contacts, one_way, infections } = events;
        let before = records.len();
        ShardTick { stamp, state, contacts, one_way, infections }.encode(self.seq, records);
        self.seq += (records.len() - before) as u64;
        self.key_wanted = false;
    }

    /// Everybody has made the step expected; looks where that is not what they did.
    fn compare(&mut self, traces: &[u8]) -> Result<(), Jump> {
        let mut expected = [0; LANES];
        let mut first = 0;
        while first < self.columns.len() {
            let end = self.columns.len().min(first + LANES);
            let columns = &self.columns;
            let sides = columns.x[first..end].iter().zip(&columns.y[first..end]);
            let people = sides.zip(&columns.health[first..end]);
            for (expected, ((&x, &y), &health)) in expected.iter_mut().zip(people) {
                let sides = (x & SIDE_MASK) | (y & SIDE_MASK) << TRACE_SIDE_BITS;
                *expected = sides as u8 | health << TRACE_HEALTH_SHIFT;
            }
            if expected[..end - first] != traces[first..end] {
                for at in first..end {
                    self.correct(at, expected[at - first], traces[at])?;
                }
            }
            first = end;
        }
        Ok(())
    }

    fn correct(&mut self, at: usize, expected: u8, actual: u8) -> Result<(), Jump> {
        let sides = (1 << TRACE_HEALTH_SHIFT) - 1;
        let person = at as u32;
        if expected & sides != actual & sides {
            let steps = self.columns.steps_mut(self.tick);
            let supposed = steps[at];
            let dx = turned(expected, actual, 0) + step::dx(supposed);
            let dy = turned(expected, actual, TRACE_SIDE_BITS) + step::dy(supposed);
            let Some(code) = step::of(centred(dx), centred(dy)) else {
                return Err(Jump { shard: self.shard, person, tick: self.tick });
            };
            steps[at] = code;
            self.columns.x[at] += step::dx(code) - step::dx(supposed);
            self.columns.y[at] += step::dy(code) - step::dy(supposed);
            self.turns.push(Mark { person, code });
        }
        let code = actual >> TRACE_HEALTH_SHIFT;
        let before = self.columns.health[at];
        if code != before {
            self.census.count(health_of(before), -1);
            self.census.count(health_of(code), 1);
            self.columns.health[at] = code;
            self.changes.push(Mark { person, code });
        }
        Ok(())
    }
}

/// How far a coordinate is from where it was expected, modulo 4.
fn turned(expected: u8, actual: u8, shift: u32) -> i32 {
    i32::from(actual >> shift) - i32::from(expected >> shift)
}

/// A difference modulo 4 as one of -1, 0, 1 and 2.
const fn centred(difference: i32) -> i32 {
    ((difference + 1) & SIDE_MASK) - 1
}
