//! Where everybody is, as records: from the engine's order on the map to the order of numbers.

use std::sync::atomic::{AtomicU8, Ordering};

use coronaz_bus::ContentType;
use coronaz_model::{
    Fleet, Health,
    fleet::{Columns, Standing},
};
use coronaz_wire::frame::{
    self, Census, Memory, NoMemory, Population, Recorder, recorder::Events, recorder::trace,
};
use rayon::prelude::*;

use super::{publisher::Outgoing, scribe::Scribe};

/// A reader waits for a keyframe this many ticks at most; they are a third to a half of all bytes.
const KEY_EVERY_TICKS: u64 = 64;
/// Strips that a job looks through.
const STRIPS_A_JOB: usize = 16;

/// Follows a fleet.
pub(super) struct Tracker {
    /// Everybody's trace, by number. Written in the order of the map by all threads at once, each
    /// person by one.
    traces: Vec<AtomicU8>,
    shards: Vec<Shard>,
}

struct Shard {
    first: usize,
    people: usize,
    key: Vec<u8>,
    recorder: Recorder,
    events: Events,
    traces: Vec<u8>,
    records: Vec<Vec<u8>>,
}

impl Tracker {
    pub(super) fn new(population: Population) -> Self {
        let shards = (0..population.shards()).map(|shard| Shard {
            first: population.first_of(shard) as usize,
            people: population.people_of(shard) as usize,
            key: frame::key(population.run, shard).into(),
            recorder: Recorder::new(population, shard, KEY_EVERY_TICKS),
            events: Events::default(),
            traces: Vec::new(),
            records: Vec::new(),
        });
        let traces = std::iter::repeat_with(AtomicU8::default).take(population.people as usize);
        Tracker { traces: traces.collect(), shards: shards.collect() }
    }

    /// Says where everybody is now, with no word of what happened.
    pub(super) fn place(&mut self, fleet: &Fleet, time_us: i64) {
        self.trace_all(fleet);
        self.shards.par_iter_mut().for_each(|shard| {
            shard.place(fleet);
            shard.recorder.write_key(time_us, &mut shard.records);
        });
    }

    /// Goes on with the shards' memories of after the fleet's tick, as if it had never stopped.
    pub(super) fn resume(&mut self, fleet: &Fleet, memories: &[Memory]) -> Result<(), NoMemory> {
        self.trace_all(fleet);
        let shards = self.shards.par_iter_mut().zip(memories);
        shards.map(|(shard, memory)| shard.resume(fleet, memory)).collect()
    }

    /// What is to be kept, to go on after the last tick.
    pub(super) fn memories(&self) -> Vec<Memory> {
        self.shards.iter().map(|shard| shard.recorder.memory()).collect()
    }

    /// Counts what happened in a tick without a word of it; empties the scribes.
    pub(super) fn count(&mut self, scribes: &mut [Scribe]) {
        scribes.iter_mut().for_each(Scribe::finish_tick);
        for (number, shard) in self.shards.iter_mut().enumerate() {
            let Census { mut contacts, mut infections, .. } = *shard.recorder.census();
            for events in scribes.iter().map(|scribe| scribe.events(number)) {
                contacts += 2 * events.contacts.len() as u64 + events.one_way.len() as u64;
                infections += events.infections.len() as u64;
            }
            shard.recorder.count_from(contacts, infections);
        }
        scribes.iter_mut().for_each(Scribe::clear);
    }

    /// Counts on from what the memories have counted.
    pub(super) fn count_from(&mut self, memories: &[Memory]) {
        for (shard, memory) in self.shards.iter_mut().zip(memories) {
            shard.recorder.count_from(memory.contacts, memory.infections);
        }
    }

    /// Lets the next record of a shard be a keyframe.
    pub(super) fn want_key(&mut self, shard: u32) {
        if let Some(shard) = self.shards.get_mut(shard as usize) {
            shard.recorder.want_key();
        }
    }

    /// Says what the last tick has changed; empties the scribes.
    pub(super) fn follow(&mut self, fleet: &Fleet, scribes: &mut [Scribe], time_us: i64) {
        self.trace(fleet);
        scribes.iter_mut().for_each(Scribe::finish_tick);
        let (traces, read) = (&self.traces, &*scribes);
        self.shards.par_iter_mut().with_max_len(1).enumerate().for_each(|(number, shard)| {
            shard.gather(traces, read, number);
            shard.record(fleet, time_us);
        });
        scribes.iter_mut().for_each(Scribe::clear);
    }

    /// The records since the last time, shard by shard.
    pub(super) fn take_records(&mut self) -> impl Iterator<Item = Outgoing> {
        self.shards.iter_mut().zip(0..).flat_map(|(shard, number)| {
            let Shard { key, records, .. } = shard;
            records.drain(..).map(move |payload| Outgoing {
                key: key.clone(),
                payload,
                content_type: ContentType::FRAME,
                shard: Some(number),
            })
        })
    }

    /// The sums over all shards.
    pub(super) fn census(&self) -> Census {
        let mut sum = Census::default();
        for census in self.shards.iter().map(|shard| shard.recorder.census()) {
            sum.contacts += census.contacts;
            sum.infections += census.infections;
        }
        sum
    }

    fn trace_all(&self, fleet: &Fleet) {
        self.trace(fleet);
        for standing in fleet.columns().flat_map(Columns::buried) {
            self.traces[standing.id.0 as usize].store(trace_of(&standing), Ordering::Relaxed);
        }
    }

    fn trace(&self, fleet: &Fleet) {
        let strips: Vec<_> = fleet.columns().collect();
        strips.par_chunks(STRIPS_A_JOB).for_each(|strips| {
            for standing in strips.iter().flat_map(|columns| columns.present()) {
                self.traces[standing.id.0 as usize].store(trace_of(&standing), Ordering::Relaxed);
            }
        });
    }
}

impl Shard {
    fn gather(&mut self, traces: &[AtomicU8], scribes: &[Scribe], number: usize) {
        self.events.clear();
        for events in scribes.iter().map(|scribe| scribe.events(number)) {
            self.events.contacts.extend_from_slice(&events.contacts);
            self.events.one_way.extend_from_slice(&events.one_way);
            self.events.infections.extend_from_slice(&events.infections);
        }
        let traces = &traces[self.first..self.first + self.people];
        self.traces.clear();
        self.traces.extend(traces.iter().map(|trace| trace.load(Ordering::Relaxed)));
    }

    fn record(&mut self, fleet: &Fleet, time_us: i64) {
        let Shard { recorder, events, traces, records, .. } = self;
        if let Err(jump) = recorder.record(time_us, traces, events, records) {
            tracing::debug!(%jump, "a keyframe instead of a delta");
            self.place(fleet);
            self.recorder.record_placed(time_us, &mut self.events, &mut self.records);
        }
    }

    fn place(&mut self, fleet: &Fleet) {
        let people = self.people_of(fleet);
        self.recorder.place(fleet.tick(), people);
    }

    fn resume(&mut self, fleet: &Fleet, memory: &Memory) -> Result<(), NoMemory> {
        let people = self.people_of(fleet);
        self.recorder.resume(fleet.tick(), people, memory)
    }

    /// Where its people are and how they fare, read from the engine one by one.
    fn people_of(&self, fleet: &Fleet) -> Vec<(i32, i32, frame::Health)> {
        let mut people = vec![(0, 0, frame::Health::default()); self.people];
        let standing = fleet.columns().flat_map(|columns| columns.present().chain(columns.buried()));
        for standing in standing {
            let place = (standing.id.0 as usize).wrapping_sub(self.first);
            if let Some(person) = people.get_mut(place) {
                *person = (standing.position.x, standing.position.y, health_of(&standing));
            }
        }
        people
    }
}

#[inline]
fn trace_of(standing: &Standing) -> u8 {
    trace(standing.position.x, standing.position.y, health_of(standing))
}

#[inline]
fn health_of(standing: &Standing) -> frame::Health {
    match standing.health {
        Health::Susceptible => frame::Health::Susceptible,
        Health::Latent => frame::Health::Latent,
        Health::Infectious => frame::Health::Infectious,
        Health::Immune => frame::Health::Immune,
        Health::Deceased if standing.died_infectious => frame::Health::DeceasedInfectious,
        Health::Deceased => frame::Health::Deceased,
    }
}
