//! A fleet: up to millions of computed devices in one process, published as frames.
//!
//! The engine of `coronaz-model` computes tick after tick on a pool of threads; what happened goes to the
//! publisher, a thread of its own, as records. The broker is never a barrier: what it does not take
//! waits in memory, then on disk.
//!
//! - [`pace`]: when the next tick is due, and how late it is
//! - `crew`: the threads, as the engine wants them
//! - `scribe`: writes down contacts and infections for the shards of frames
//! - `tracker`: where everybody is, as records
//! - [`publisher`]: from memory and disk to the broker
//! - `queue`: what waits, in order; `segments`: the part of it on disk
//! - `progress`: the line in the log

mod crew;
pub mod pace;
mod progress;
pub mod publisher;
mod queue;
mod scribe;
pub mod segments;
mod tracker;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use coronaz_bus::{ContentType, RecordSink};
use coronaz_model::{Draws, Fleet, Health, Parameters, Spawn, Tick, identity::base_of};
use coronaz_wire::{
    Scenario,
    announcement::RunKind,
    frame::{Population, SHARD_PEOPLE_MAX},
    timestamp::SECOND_US,
};
use uuid::Uuid;

use crate::{
    nodes::{Stop, clock},
    scenario,
};
use crew::Crew;
use pace::{Pace, Speed};
use progress::Progress;
use publisher::{Outgoing, Publisher};
use scribe::Scribe;
use segments::SegmentsError;
use tracker::Tracker;

/// The most people of a fleet.
pub const PEOPLE_MAX: u32 = coronaz_wire::frame::PEOPLE_MAX;
/// While nothing is due, so often the fleet looks whether it was asked to stop.
const STOP_LOOK: Duration = Duration::from_millis(50);

/// What a fleet does.
#[derive(Debug, Clone)]
pub struct FleetConfig {
    /// The run its frames belong to.
    pub run: Uuid,
    /// The scenario it came from, for the announcement.
    pub scenario: Scenario,
    /// The parameters in force.
    pub parameters: Parameters,
    /// The seed of its chance; UUIDs follow from it too.
    pub seed: u64,
    /// How many people: 1 to [`PEOPLE_MAX`].
    pub people: u32,
    /// The first so many of them are infected at the start.
    pub infected: u32,
    /// How many ticks a second. Default: 1, real time.
    pub speed: Speed,
    /// How many threads compute. 0: one for each core.
    pub threads: usize,
    /// After this tick the fleet stops.
    pub ticks: Option<Tick>,
    /// After this time the fleet stops.
    pub live_for: Option<Duration>,
    /// Folder and limit in bytes of the spool.
    pub spool: Option<(PathBuf, u64)>,
}

/// Why a fleet could not start.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// Nobody, or too many.
    #[error(
        "a fleet has 1 to {PEOPLE_MAX} people, of whom some may be infected, not {people} and {infected}"
    )]
    People {
        /// How many were asked for.
        people: u32,
        /// How many of them infected.
        infected: u32,
    },
    /// No spool.
    #[error(transparent)]
    Spool(#[from] SegmentsError),
    /// No threads.
    #[error("no threads for the fleet: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// No thread for the publisher.
    #[error("no thread for the publisher: {0}")]
    Publisher(std::io::Error),
}

/// What a fleet did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// The last tick computed.
    pub tick: Tick,
    /// The digest of the run.
    pub digest: u64,
    /// How late the last tick was.
    pub behind: Duration,
    /// Records, and what became of them.
    pub records: publisher::Figures,
    /// Contacts recorded, each direction.
    pub contacts: u64,
    /// Infections.
    pub infections: u64,
    /// Whether records that did not arrive stay in a spool.
    pub spooled: bool,
}

/// Lives until the last tick asked for, until everybody is dead, or until `stop` asks.
///
/// # Errors
/// See [`FleetError`]; nothing was sent then.
pub fn run(config: &FleetConfig, sink: Arc<dyn RecordSink>, stop: &Stop) -> Result<Summary, FleetError> {
    let FleetConfig { people, infected, .. } = *config;
    if !(1..=PEOPLE_MAX).contains(&people) || infected > people {
        return Err(FleetError::People { people, infected });
    }
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(config.threads)
        .thread_name(|number| format!("fleet-{number}"))
        .build()?;
    let publisher = Publisher::start(sink, config.spool.as_ref())?;
    Ok(threads.install(|| Driver::new(config, publisher).live(stop)))
}

/// The engine with everything around it.
struct Driver<'a> {
    config: &'a FleetConfig,
    crew: Crew,
    fleet: Fleet,
    scribes: Vec<Scribe>,
    tracker: Tracker,
    publisher: Publisher,
    started_us: i64,
}

impl<'a> Driver<'a> {
    fn new(config: &'a FleetConfig, publisher: Publisher) -> Self {
        let spawns = (0..config.people as usize)
            .map(|person| Spawn { infected: person < config.infected as usize, ..Spawn::default() });
        let base = base_of(config.seed);
        let fleet = Fleet::new(&config.parameters, Draws::new(config.seed), base, spawns);
        let population = population(config.run, base, config.people);
        let scribes = vec![Scribe::new(population); fleet.shards()];
        let tracker = Tracker::new(population);
        Driver { config, crew: Crew, fleet, scribes, tracker, publisher, started_us: clock::now_us() }
    }

    fn live(mut self, stop: &Stop) -> Summary {
        self.announce();
        let begun = Instant::now();
        let pace = Pace::new(begun, self.config.speed);
        let mut progress = Progress::new(begun, self.config.people);
        self.tracker.place(&self.fleet, self.started_us);
        self.publish();
        while !self.is_over(begun) && wait(&pace, self.fleet.tick() + 1, stop) {
            if self.config.speed == Speed::Max && !self.publisher.wait_for_room(stop) {
                break;
            }
            self.tick();
            let behind = pace.behind(self.fleet.tick(), Instant::now());
            progress.tell(&self.fleet, behind, &self.publisher.figures());
        }
        let behind = pace.behind(self.fleet.tick(), Instant::now());
        let census = self.tracker.census();
        Summary {
            tick: self.fleet.tick(),
            digest: self.fleet.digest().value(),
            behind,
            records: self.publisher.finish(),
            contacts: census.contacts,
            infections: census.infections,
            spooled: self.config.spool.is_some(),
        }
    }

    /// Computes the next tick and hands its records over.
    fn tick(&mut self) {
        self.fleet.step(&self.crew, &mut self.scribes);
        for shard in self.publisher.take_gaps() {
            self.tracker.want_key(shard);
        }
        let tick = i64::try_from(self.fleet.tick()).unwrap_or(i64::MAX);
        let time_us = self.started_us.saturating_add(tick.saturating_mul(SECOND_US));
        self.tracker.follow(&self.fleet, &mut self.scribes, time_us);
        self.publish();
    }

    fn publish(&mut self) {
        for record in self.tracker.take_records() {
            self.publisher.offer(record);
        }
    }

    fn announce(&mut self) {
        let FleetConfig { run, scenario, parameters, seed, people, infected, .. } = self.config;
        let scenario = Scenario { nodes: people - infected, infected: *infected, ..scenario.clone() };
        let announcement =
            scenario::announcement(*run, RunKind::Fleet, *seed, self.started_us, &scenario, parameters);
        self.publisher.offer(Outgoing {
            key: run.to_string().into(),
            payload: announcement.encode(),
            content_type: ContentType::RUN,
            shard: None,
        });
    }

    fn is_over(&self, begun: Instant) -> bool {
        let dead = self.fleet.census().of(Health::Deceased);
        let FleetConfig { ticks, live_for, people, .. } = self.config;
        ticks.is_some_and(|last| self.fleet.tick() >= last)
            || live_for.is_some_and(|time| begun.elapsed() >= time)
            || dead == u64::from(*people)
    }
}

/// As many shards as needed, all of nearly the same size.
fn population(run: Uuid, base: u128, people: u32) -> Population {
    let shards = people.div_ceil(SHARD_PEOPLE_MAX);
    Population { run, base: Uuid::from_u128(base), people, shard_people: people.div_ceil(shards) }
}

/// Waits until a tick is due; `false` when asked to stop instead.
fn wait(pace: &Pace, tick: Tick, stop: &Stop) -> bool {
    loop {
        if stop.is_asked() {
            return false;
        }
        let left = pace.until(tick, Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(STOP_LOOK));
    }
}

#[cfg(test)]
mod tests;
