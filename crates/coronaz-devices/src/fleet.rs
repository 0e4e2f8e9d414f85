//! A fleet: up to millions of computed devices in one process, published as frames.
//!
//! The engine of `coronaz-model` computes tick after tick on a pool of threads; what happened goes to the
//! publisher, a thread of its own, as records. The broker is never a barrier: what it does not take
//! waits in memory, then on disk.
//!
//! - `driver`: the engine with everything around it; `beginning`: where its people come from
//! - [`bridge`]: devices with a real radio as guests
//! - [`checkpoint`]: a run as a file, to go on from; [`keeper`]: when it is written
//! - [`pace`]: when the next tick is due, and how late it is
//! - `crew`: the threads, as the engine wants them
//! - `scribe`: writes down contacts and infections for the shards of frames
//! - `tracker`: where everybody is, as records
//! - [`publisher`]: from memory and disk to the broker
//! - `queue`: what waits, in order; `segments`: the part of it on disk
//! - `progress`: the line in the log

mod beginning;
pub mod bridge;
pub mod checkpoint;
mod crew;
mod driver;
pub mod keeper;
pub mod pace;
mod progress;
pub mod publisher;
mod queue;
mod scribe;
pub mod segments;
mod tracker;

use std::{path::PathBuf, sync::Arc, time::Duration};

use coronaz_bus::RecordSink;
use coronaz_model::{Parameters, Tick, fleet::ForkError};
use coronaz_radio::UdpError;
use coronaz_wire::{
    Scenario,
    frame::{NoMemory, Population, SHARD_PEOPLE_MAX},
};
use uuid::Uuid;

use crate::{nodes::Stop, spool_folder::SpoolError};
pub use beginning::{Fork, Origin, Past};
use bridge::BridgeConfig;
pub use checkpoint::{Checkpoint, CheckpointError};
use driver::Driver;
pub use keeper::CheckpointsConfig;
use pace::Speed;
use publisher::Publisher;

/// The most people of a fleet.
pub const PEOPLE_MAX: u32 = coronaz_wire::frame::PEOPLE_MAX;

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
    /// Whether the fleet stops when nobody is infected any more.
    pub until_over: bool,
    /// After this time the fleet stops.
    pub live_for: Option<Duration>,
    /// Folder and limit in bytes of the spool.
    pub spool: Option<(PathBuf, u64)>,
    /// Where the people come from. Those of a checkpoint or of another run count, not `people` and `infected`.
    pub origin: Origin,
    /// Checkpoints, if any are to be written.
    pub checkpoints: Option<CheckpointsConfig>,
    /// Guests with a real radio, if any are welcome. Only in real time.
    pub bridge: Option<BridgeConfig>,
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
    /// Guests live in real time, and remember.
    #[error("guests need a fleet in real time, which begins now and is not saved: {0}")]
    Bridge(&'static str),
    /// No radio.
    #[error(transparent)]
    Radio(#[from] UdpError),
    /// The other future is none.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// Checkpoints cannot be kept.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint that contradicts itself.
    #[error("the checkpoint cannot be gone on from: {0}")]
    Memory(#[from] NoMemory),
    /// No spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
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
    /// What a bridge did, where there was one.
    pub guests: Option<bridge::Figures>,
}

/// Lives until the last tick asked for, until everybody is dead, or until `stop` asks.
///
/// # Errors
/// See [`FleetError`]; nothing was sent then.
pub fn run(config: &FleetConfig, sink: Arc<dyn RecordSink>, stop: &Stop) -> Result<Summary, FleetError> {
    check(config)?;
    let threads = rayon::ThreadPoolBuilder::new()
        .num_threads(config.threads)
        .thread_name(|number| format!("fleet-{number}"))
        .build()?;
    let publisher = Publisher::start(sink, config.spool.as_ref())?;
    let summary = threads.install(|| match Driver::new(config, publisher, stop)? {
        Some(driver) => Ok::<_, FleetError>(driver.live(stop)),
        None => Ok(Summary::default()),
    })?;
    Ok(summary)
}

fn check(config: &FleetConfig) -> Result<(), FleetError> {
    let FleetConfig { people, infected, .. } = *config;
    if !(1..=PEOPLE_MAX).contains(&people) || infected > people {
        return Err(FleetError::People { people, infected });
    }
    if config.bridge.is_some() {
        if config.speed != Speed::Times(1.0) {
            return Err(FleetError::Bridge("its speed must be 1"));
        }
        if matches!(config.origin, Origin::Checkpoint(_)) {
            return Err(FleetError::Bridge(
                "a run that goes on from a checkpoint has another time; fork it instead",
            ));
        }
        if config.checkpoints.is_some() {
            return Err(FleetError::Bridge("what guests did to its people cannot be computed again"));
        }
    }
    Ok(())
}

/// As many shards as needed, all of nearly the same size.
fn population(run: Uuid, base: u128, people: u32) -> Population {
    let shards = people.div_ceil(SHARD_PEOPLE_MAX);
    Population { run, base: Uuid::from_u128(base), people, shard_people: people.div_ceil(shards) }
}

#[cfg(test)]
mod tests;
