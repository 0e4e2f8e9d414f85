//! `coronaz ingest`: from the topic to the store.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use coronaz_bus::{BusConfig, KafkaSource, TopicError, ensure_topic};
use coronaz_ingest::{IngestConfig, Retention};
use coronaz_wire::wall_clock;
use uuid::Uuid;

use crate::{
    failure::{Failure, chain},
    store_args::StoreArgs,
};

/// Read the topic and write what is in it to the store, every record once
///
/// Several of them share the partitions; one that stops or dies is replaced by the others. A broker or a
/// store that is away is waited for.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  coronaz ingest --broker 127.0.0.1:9092 --store sqlite:coronaz-data/store.db\n  \
    coronaz ingest --store sqlite:/var/lib/coronaz/store.db --memory 512 --keep-days 14"
)]
pub(crate) struct Args {
    /// Where to find the brokers: HOST:PORT, several separated by commas
    #[arg(long, env = "CORONAZ_BROKER", default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    broker: String,

    /// The topic; it is made if there is none
    #[arg(long, default_value = "coronaz", value_name = "NAME")]
    topic: String,

    /// Partitions of a topic that has to be made
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024), value_name = "N")]
    partitions: u32,

    /// Copies of each partition of a topic that has to be made, on as many brokers
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32), value_name = "N")]
    replication: u16,

    /// A setting of the Kafka client by its own name (librdkafka), such as security.protocol=ssl; repeatable
    #[arg(long = "broker-setting", value_name = "NAME=VALUE")]
    broker_settings: Vec<String>,

    #[command(flatten)]
    place: StoreArgs,

    /// This process's name among several; started again under it, it goes on at once [default: a random one]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Reports without a run, such as those of the paper's own programs, count to this run, beside those of its devices
    /// [default: to a run of their own, 00000000-0000-0000-0000-000000000000]
    #[arg(long, value_name = "RUN")]
    adopt: Option<Uuid>,

    /// Reports from one state to the next
    #[arg(long, default_value_t = coronaz_store::batch::STATE_EVERY_DEFAULT, value_name = "REPORTS")]
    state_every: NonZeroU32,

    /// Write as soon as this many records wait
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=50_000), value_name = "RECORDS")]
    batch: u32,

    /// Write what has waited this long, in milliseconds
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=60_000), value_name = "MS")]
    batch_ms: u64,

    /// Use at most this much memory, in MiB: half of it remembers people, an eighth is read ahead of the store
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(128..=1_048_576), value_name = "MIB")]
    memory: u32,

    /// Delete runs of which nothing was stored for so many days [default: keep all]
    #[arg(long, env = "CORONAZ_KEEP_DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500), value_name = "DAYS")]
    keep_days: Option<u32>,

    /// After a stop signal: store what is on the topic by then, for at most this many seconds
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=3600), value_name = "SECONDS")]
    drain_seconds: u64,
}

/// Between two lines in the log while the broker is away at the start.
const BROKER_WAIT: Duration = Duration::from_secs(10);

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let bus = bus_config(&args)?;
    let location = args.place.location()?;
    let stop = stop_signal()?;
    let source = || KafkaSource::new(&bus).map_err(|error| Failure::usage(chain(&error)));
    // Wrong settings show at once. The one that reads is made when it is polled from then on: what a client has to say
    // piles up while nobody polls it.
    drop(source()?);
    let Some(partitions) = wait_for_topic(&bus, &stop)? else { return Ok(()) };
    let source = source()?;
    let mut config = IngestConfig::new(args.name.unwrap_or_else(random_name), partitions);
    config.adopt = args.adopt;
    config.state_every = args.state_every;
    config.batch_records = args.batch as usize;
    config.batch_wait = Duration::from_millis(args.batch_ms);
    config.share_out((args.memory as usize) << 20);
    config.drain = Duration::from_secs(args.drain_seconds);
    tracing::info!(
        name = config.name,
        broker = bus.bootstrap_servers,
        topic = bus.topic,
        partitions,
        store = %location,
        "ingest runs"
    );
    let store = location.ingestion();
    std::thread::scope(|scope| {
        // Stopped with the rest: it looks at the same signal, which is also given when reading or writing ends by itself.
        if let Some(days) = args.keep_days {
            let retention = Retention::new(Duration::from_secs(u64::from(days) * 86_400), wall_clock::now_us);
            let (administration, stop) = (location.administration(), &stop);
            scope.spawn(move || retention.run(administration, stop));
        }
        let ended = coronaz_ingest::run(source, store, &config, &stop);
        stop.store(true, Ordering::Relaxed);
        ended.map_err(|error| Failure::unavailable(chain(&error)))
    })
}

fn bus_config(args: &Args) -> Result<BusConfig, Failure> {
    let mut bus = BusConfig::new(&args.broker);
    bus.topic.clone_from(&args.topic);
    bus.partitions = args.partitions;
    bus.replication = args.replication;
    for pair in &args.broker_settings {
        bus.set_pair(pair).map_err(|error| Failure::usage(chain(&error)))?;
    }
    bus.check().map_err(|error| Failure::usage(chain(&error)))?;
    Ok(bus)
}

/// The topic's partitions; `None` when the stop came first.
fn wait_for_topic(bus: &BusConfig, stop: &AtomicBool) -> Result<Option<u32>, Failure> {
    let mut waited = Duration::ZERO;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let patience = Duration::from_secs(1);
        match ensure_topic(bus, patience) {
            Ok(partitions) => return Ok(Some(partitions)),
            Err(error @ TopicError::Unreachable { .. }) => {
                if waited.as_secs().is_multiple_of(BROKER_WAIT.as_secs()) {
                    tracing::warn!(error = chain(&error), "waiting for the broker");
                }
                waited += patience;
            }
            Err(error) => return Err(Failure::unavailable(chain(&error))),
        }
    }
}

/// Set by the first SIGTERM or SIGINT; the second ends the process.
fn stop_signal() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| Failure::internal(format!("no runtime for signals: {error}")))?;
    let _guard = runtime.enter();
    let listen = |kind| tokio::signal::unix::signal(kind);
    let kinds = (tokio::signal::unix::SignalKind::terminate(), tokio::signal::unix::SignalKind::interrupt());
    let (mut terminate, mut interrupt) = listen(kinds.0)
        .and_then(|terminate| Ok((terminate, listen(kinds.1)?)))
        .map_err(|error| Failure::internal(format!("signals cannot be listened for: {error}")))?;
    drop(_guard);
    std::thread::spawn(move || {
        runtime.block_on(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if stopped.swap(true, Ordering::Relaxed) {
                    tracing::warn!("stopped at once; what was not stored is on the topic");
                    std::process::exit(130);
                }
            }
        });
    });
    Ok(stop)
}

fn random_name() -> String {
    let mut bytes = [0; 4];
    // Without randomness the process number alone tells them apart on one machine.
    let _ = getrandom::fill(&mut bytes);
    format!("ingest-{}-{:08x}", std::process::id(), u32::from_le_bytes(bytes))
}
