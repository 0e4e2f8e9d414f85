//! `coronaz fleet`: a city of computed devices.

mod futures;

use std::{net::SocketAddrV4, num::NonZero, path::PathBuf, sync::Arc, time::Duration};

use coronaz_bus::{BusConfig, KafkaSink, RecordSink};
use coronaz_devices::{
    fleet::{
        self, FleetConfig, FleetError, Origin, PEOPLE_MAX, Summary, bridge::BridgeConfig, pace::Speed,
        segments,
    },
    scenario,
};
use coronaz_radio::{UdpConfig, UdpError};
use coronaz_wire::{Scenario, names};
use uuid::Uuid;

use crate::{
    chance,
    failure::{Failure, chain},
    node::{make_topic, parse_radio, read_key, stop_signal},
    parameters::ParameterFlags,
    population::PopulationFlags,
};
use futures::FutureFlags;

/// Compute a city of devices, up to sixteen million in this one process, and publish it
///
/// By the same rules as devices with a real radio. Each second goes to the topic as a few frames: who moved how, who met
/// whom, who infected whom. A broker that is away is not waited for: frames wait in memory, with --spool on disk, and
/// arrive in order when it is back. Ends with its last person, or when asked to.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    coronaz fleet --people 1000000 --infected 1000 --density 0.002 --spool spool\n  \
    coronaz fleet --people 20000 --infected 20 --density 0.02 --speed 20 --for 60\n  \
    coronaz fleet --people 10000 --density 0.02 --speed max --ticks 3600 --until-over --seed 7\n  \
    coronaz fleet --people 2000 --density 0.2 --radio 127.255.255.255:4711      # nodes join: coronaz node --join RUN\n  \
    coronaz fleet --people 10000 --density 0.02 --seed 7 --checkpoint-dir kept --resume kept   # resumes, or begins\n  \
    coronaz fleet --people 10000 --density 0.02 --seed 7 --fork-of RUN --fork-at 600 --change infection_radius=1")]
pub(crate) struct Args {
    /// The scenario: `town`, `paper`, or a TOML file
    #[arg(long, default_value = scenario::DEFAULT, value_name = "NAME|FILE")]
    scenario: String,

    #[command(flatten)]
    population: PopulationFlags,

    /// Seconds of model time a second: 1 is real time; or max. At max the fleet waits for room when broker and spool
    /// are full; at any other speed it does not, and drops frames
    #[arg(long, default_value = "1", value_name = "TIMES|max")]
    speed: Speed,

    /// Stop after this many seconds of model time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    ticks: Option<u64>,

    /// Stop when nobody is infected any more
    #[arg(long)]
    until_over: bool,

    /// Stop after this many seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    for_s: Option<u64>,

    /// The seed of all chance; the devices' UUIDs follow from it [default: the scenario's, or a new one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// The run's UUID [default: a new one]
    #[arg(long, value_name = "UUID")]
    run: Option<Uuid>,

    /// The run's name, for people [default: the scenario's]
    #[arg(long, value_name = "NAME", value_parser = names::typed)]
    name: Option<String>,

    /// Threads to compute on [default: one for each core]
    #[arg(long, value_name = "T")]
    threads: Option<NonZero<usize>>,

    /// Where to find the brokers: HOST:PORT, several separated by commas
    #[arg(long, env = "CORONAZ_BROKER", default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    #[arg(help_heading = "Frames")]
    broker: String,

    /// The topic; it is made if there is none
    #[arg(long, default_value = "coronaz", value_name = "NAME", help_heading = "Frames")]
    topic: String,

    /// A setting of the Kafka client by its own name (librdkafka), such as security.protocol=ssl; repeatable
    #[arg(long = "broker-setting", value_name = "NAME=VALUE", help_heading = "Frames")]
    broker_settings: Vec<String>,

    /// Keep frames that have not arrived in this folder: they survive the end of this process, and the next
    /// one with the same folder sends them first
    #[arg(long, value_name = "DIR", help_heading = "Frames")]
    spool: Option<PathBuf>,

    /// The most the spool may take, in bytes
    #[arg(long, default_value_t = segments::LIMIT_BYTES, value_name = "BYTES", help_heading = "Frames")]
    #[arg(value_parser = clap::value_parser!(u64).range(segments::LIMIT_BYTES_MIN..))]
    spool_limit_bytes: u64,

    /// Let devices with a real radio into this fleet's world (`coronaz node --join RUN`): listen to beacons on this broadcast
    /// address or multicast group, and send out those of the people near them. Only in real time
    #[arg(long, value_name = "ADDR:PORT", value_parser = parse_radio, help_heading = "Guests")]
    radio: Option<SocketAddrV4>,

    /// Send beacons sealed with the key in this file (16 bytes or more), and hear only such, each once
    #[arg(long, value_name = "FILE", requires = "radio", help_heading = "Guests")]
    radio_key: Option<PathBuf>,

    #[command(flatten)]
    futures: FutureFlags,

    #[command(flatten)]
    parameters: ParameterFlags,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let bus = bus_config(args)?;
    let config = fleet_config(args)?;
    let stop = stop_signal()?;
    tracing::info!(
        people = config.people, infected = config.infected, speed = %config.speed, seed = config.seed, run = %config.run,
        broker = args.broker, "fleet starts"
    );
    let sink: Arc<dyn RecordSink> =
        Arc::new(KafkaSink::new(&bus).map_err(|error| Failure::usage(chain(&error)))?);
    std::thread::spawn(move || make_topic(&bus));
    let summary = fleet::run(&config, sink, &stop).map_err(|error| failure(&error))?;
    conclude(&summary)
}

fn bus_config(args: &Args) -> Result<BusConfig, Failure> {
    let usage = |error| Failure::usage(chain(&error));
    let mut bus = BusConfig::new(&args.broker);
    bus.topic.clone_from(&args.topic);
    for pair in &args.broker_settings {
        bus.set_pair(pair).map_err(usage)?;
    }
    bus.check().map_err(usage)?;
    Ok(bus)
}

fn fleet_config(args: &Args) -> Result<FleetConfig, Failure> {
    let scenario = scenario::load(&args.scenario).map_err(|error| Failure::usage(chain(&error)))?;
    let mut parameters = args.parameters.over(&scenario)?;
    let population = args.population.over(&scenario, &mut parameters)?;
    if !(1..=PEOPLE_MAX).contains(&population.people) {
        let people = population.people;
        return Err(Failure::usage(format!("--people must be from 1 to {PEOPLE_MAX}, not {people}")));
    }
    let seed = match args.seed.or(scenario.seed) {
        Some(seed) => seed,
        None => chance::new_seed()?,
    };
    let run = match args.run {
        Some(run) => run,
        None => chance::new_run()?,
    };
    let given = args.seed.or(scenario.seed);
    let bridge = args.radio.map(|destination| {
        let key = args.radio_key.as_deref().map(read_key).transpose()?;
        Ok::<_, Failure>(BridgeConfig { radio: UdpConfig { destination }, key })
    });
    let config = FleetConfig {
        run,
        scenario: Scenario { seed: Some(seed), ..scenario },
        parameters,
        seed,
        people: population.people,
        infected: population.infected,
        speed: args.speed,
        threads: args.threads.map_or(0, NonZero::get),
        ticks: args.ticks,
        until_over: args.until_over,
        live_for: args.for_s.map(Duration::from_secs),
        spool: args.spool.clone().map(|dir| (dir, args.spool_limit_bytes)),
        origin: Origin::Beginning,
        checkpoints: args.futures.checkpoints(),
        bridge: bridge.transpose()?,
    };
    let mut config = args.futures.over(config, args.run, given)?;
    if let (Some(name), false) = (&args.name, matches!(config.origin, Origin::Checkpoint(_))) {
        config.scenario.name.clone_from(name);
    }
    Ok(config)
}

fn failure(error: &FleetError) -> Failure {
    let text = chain(error);
    match error {
        FleetError::People { .. } | FleetError::Bridge(_) | FleetError::Fork(_) | FleetError::Memory(_) => {
            Failure::usage(text)
        }
        FleetError::Radio(UdpError::Held { .. }) => Failure::io(text),
        FleetError::Radio(_) => Failure::unavailable(text),
        FleetError::Spool(_) | FleetError::Checkpoint(_) => Failure::io(text),
        FleetError::Threads(_) | FleetError::Publisher(_) => Failure::internal(text),
    }
}

fn conclude(summary: &Summary) -> Result<(), Failure> {
    let records = &summary.records;
    tracing::info!(
        tick = summary.tick,
        digest = format!("{:016x}", summary.digest),
        contacts = summary.contacts,
        infections = summary.infections,
        behind_s = summary.behind.as_secs_f64(),
        records = records.records,
        bytes = records.bytes,
        dropped = records.dropped,
        "the fleet has ended"
    );
    if let Some(guests) = &summary.guests {
        let fleet::bridge::Figures { heard, missed, pretended, sent, held_back, contacts } = *guests;
        let what = "what was between the fleet and its guests";
        tracing::info!(heard, missed, pretended, sent, held_back, contacts, "{what}");
    }
    if !records.unsent && records.dropped == 0 {
        return Ok(());
    }
    if summary.spooled && records.dropped == 0 {
        tracing::warn!(
            "some frames did not reach the broker; they stay in the spool and are sent by the next fleet that has it"
        );
        return Ok(());
    }
    let unsent = if records.unsent { "some frames did not reach the broker, " } else { "" };
    Err(Failure::unavailable(format!(
        "{unsent}{} records were dropped; --spool DIR with room would have kept them",
        records.dropped
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn config(flags: &str) -> Result<FleetConfig, String> {
        let line = Line::try_parse_from(std::iter::once("fleet").chain(flags.split_whitespace()));
        let args = line.map_err(|error| error.to_string())?.args;
        bus_config(&args).and_then(|_| fleet_config(&args)).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn flags_go_over_the_scenario() {
        let config =
            config("--people 5000 --infected 7 --density 0.5 --speed max --infection-cooldown 9 --ticks 3");
        let config = config.expect("good");
        assert_eq!((config.people, config.infected, config.speed), (5_000, 7, Speed::Max));
        // The town's shape, 100 to 60.
        let p = config.parameters;
        assert_eq!((p.field_width, p.field_height, p.infection_cooldown), (129, 77, 9));
        assert_eq!(p.zombie_lifetime, 0, "nobody dies of age where no scenario is named");
        assert_eq!((config.ticks, config.live_for), (Some(3), None));
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        for (flags, right) in [
            ("--people 16000001", "from 1 to 16000000"),
            ("--people 0 --infected 0", "from 1 to 16000000"),
            ("--people 3 --infected 4", "raise --people"),
            ("--speed slow", "times real time, or max"),
            ("--threads 0", "non-zero"),
            ("--ticks 0", "1.."),
            ("--broker localhost", "host:port"),
            ("--spool-limit-bytes 5", "1048576.."),
            ("--scenario vilage", "town, paper"),
        ] {
            let Err(said) = config(flags) else { panic!("{flags} was taken") };
            assert!(said.contains(right), "{flags}: {said}");
        }
    }
}
