//! How a fleet begins: at tick 0, from a checkpoint, or as another future of a run.

use std::time::{Duration, Instant};

use coronaz_model::{Draws, Fleet, Parameters, Spawn, Tick, identity::base_of};
use coronaz_wire::{announcement::ForkedFrom, timestamp::SECOND_US};
use uuid::Uuid;

use super::{
    FleetConfig, FleetError, checkpoint::Checkpoint, crew::Crew, population, scribe::Scribe, tracker::Tracker,
};
use crate::{
    nodes::{Stop, clock},
    scenario,
};

/// From one line in the log to the next while the past is computed.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Where a fleet's people come from.
#[derive(Debug, Clone, Default)]
pub enum Origin {
    /// They appear at tick 0.
    #[default]
    Beginning,
    /// From a checkpoint of the same run, which goes on.
    Checkpoint(Box<Checkpoint>),
    /// From another run, whose people have another future.
    Fork(Fork),
}

/// Another run, up to some tick.
#[derive(Debug, Clone)]
pub struct Fork {
    /// Which one.
    pub of: Uuid,
    /// How to have its people of that tick.
    pub past: Past,
}

/// How to have a run's people of some tick.
#[derive(Debug, Clone)]
pub enum Past {
    /// They are computed again.
    Computed {
        /// The other run's parameters.
        parameters: Parameters,
        /// The other run's seed.
        seed: u64,
        /// Up to this tick.
        tick: Tick,
    },
    /// They stand in a checkpoint.
    Saved(Box<Checkpoint>),
}

/// A fleet that is ready to go on.
pub(super) struct Begun {
    pub(super) fleet: Fleet,
    pub(super) scribes: Vec<Scribe>,
    pub(super) tracker: Tracker,
    pub(super) started_us: i64,
    /// The run's first tick, and when it was by the clock.
    pub(super) first: (Tick, i64),
    pub(super) forked_from: Option<ForkedFrom>,
    /// Everybody's places are known to the readers: only what comes next is told.
    pub(super) resumed: bool,
}

/// Makes the fleet; `None` when asked to stop before it was ready.
pub(super) fn begin(config: &FleetConfig, stop: &Stop) -> Result<Option<Begun>, FleetError> {
    match &config.origin {
        Origin::Beginning => Ok(Some(at_tick_0(config, &config.parameters, config.seed))),
        Origin::Checkpoint(checkpoint) => resume(config, checkpoint).map(Some),
        Origin::Fork(Fork { of, past: Past::Saved(checkpoint) }) => {
            fork_saved(config, *of, checkpoint).map(Some)
        }
        Origin::Fork(Fork { of, past: Past::Computed { parameters, seed, tick } }) => {
            let mut past = at_tick_0(config, parameters, *seed);
            if !compute(&mut past, *tick, stop) {
                return Ok(None);
            }
            let left = ForkedFrom {
                run: *of,
                tick: *tick,
                seed: *seed,
                parameters: scenario::settings(parameters),
                forked_from: None,
            };
            let fleet = past.fleet.fork(&config.parameters, Draws::new(config.seed))?;
            let scribes =
                vec![Scribe::new(population(config.run, fleet.base(), fleet.count())); fleet.shards()];
            let started_us = tick_0_of(*tick);
            let first = (*tick, clock::now_us());
            Ok(Some(Begun { fleet, scribes, started_us, first, forked_from: Some(left), ..past }))
        }
    }
}

fn at_tick_0(config: &FleetConfig, parameters: &Parameters, seed: u64) -> Begun {
    let spawns = (0..config.people as usize)
        .map(|person| Spawn { infected: person < config.infected as usize, ..Spawn::default() });
    let fleet = Fleet::new(parameters, Draws::new(seed), base_of(seed), spawns);
    around(config, fleet, tick_0_of(0))
}

fn around(config: &FleetConfig, fleet: Fleet, started_us: i64) -> Begun {
    let population = population(config.run, fleet.base(), fleet.count());
    let scribes = vec![Scribe::new(population); fleet.shards()];
    let tracker = Tracker::new(population);
    let first = (fleet.tick(), clock::now_us());
    Begun { fleet, scribes, tracker, started_us, first, forked_from: None, resumed: false }
}

/// When tick 0 was if `tick` is now.
fn tick_0_of(tick: Tick) -> i64 {
    clock::now_us().saturating_sub(i64::try_from(tick).unwrap_or(i64::MAX).saturating_mul(SECOND_US))
}

fn resume(config: &FleetConfig, checkpoint: &Checkpoint) -> Result<Begun, FleetError> {
    let heading = checkpoint.heading();
    let mut begun = around(config, checkpoint.fleet.clone(), heading.started_us);
    begun.first = heading.first;
    // Where everybody stood at the run's first tick has perhaps never been told.
    begun.resumed = checkpoint.tick() > heading.first.0;
    if begun.resumed {
        begun.tracker.resume(&begun.fleet, &checkpoint.memories)?;
    } else {
        begun.tracker.count_from(&checkpoint.memories);
    }
    begun.forked_from = heading.forked_from.clone();
    Ok(begun)
}

fn fork_saved(config: &FleetConfig, of: Uuid, checkpoint: &Checkpoint) -> Result<Begun, FleetError> {
    let heading = checkpoint.heading();
    let fleet = checkpoint.fleet.fork(&config.parameters, Draws::new(config.seed))?;
    let mut begun = around(config, fleet, tick_0_of(checkpoint.tick()));
    begun.tracker.count_from(&checkpoint.memories);
    begun.forked_from = Some(ForkedFrom {
        run: of,
        tick: checkpoint.tick(),
        seed: heading.seed,
        parameters: scenario::settings(checkpoint.parameters()),
        forked_from: heading.forked_from.clone().map(Box::new),
    });
    Ok(begun)
}

/// Computes a run up to a tick as fast as it goes, without a word of it; `false` when asked to stop.
fn compute(begun: &mut Begun, tick: Tick, stop: &Stop) -> bool {
    let Begun { fleet, scribes, tracker, .. } = begun;
    tracing::info!(tick, people = fleet.count(), "the past is computed");
    let mut told = Instant::now();
    while fleet.tick() < tick && !stop.is_asked() {
        fleet.step(&Crew, scribes);
        tracker.count(scribes);
        if told.elapsed() >= TOLD_EVERY {
            tracing::info!(tick = fleet.tick(), of = tick, "the past is computed");
            told = Instant::now();
        }
    }
    fleet.tick() == tick
}
