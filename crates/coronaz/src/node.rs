//! `coronaz node`: devices with a real radio.

use std::{
    io::BufRead,
    net::SocketAddrV4,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use coronaz_bus::{BusConfig, KafkaSink, RecordSink, TopicError, ensure_topic};
use coronaz_devices::{
    NodesConfig, NodesError, Stop, Summary, interactive,
    nodes::{self, Console},
    outbox::Encoding,
    scenario::{self, NODES_MAX},
    spool,
};
use coronaz_model::{Field, Position, Spawn};
use coronaz_radio::{UdpConfig, UdpError, udp::THIS_MACHINE};
use coronaz_wire::{guests, seal::RadioKey};
use tokio::signal::unix;
use uuid::Uuid;

use crate::{
    chance,
    failure::{Failure, chain},
    output::Output,
    parameters::ParameterFlags,
};

/// Carry one device, or many: move, broadcast, hear, report
///
/// Each device has its own UUID, sockets and carrier; once a second the carrier moves and the device broadcasts a
/// beacon, hears the others and reports to the broker whom it met. While the broker is away contacts are kept.
/// Ctrl-C is a death with a last message; after SIGUSR1 the next process with the same --spool carries the devices on.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    coronaz node --infected --scenario paper         # one infected device, the paper's parameters\n  \
    coronaz node --position 10 -1 --interactive      # walk it yourself\n  \
    coronaz node --count 20 --infected-count 1 --spool spool --for 120\n  \
    coronaz node --count 5 --join RUN                # guests of a fleet: coronaz fleet --run RUN --radio …")]
pub(crate) struct Args {
    /// How many devices
    #[arg(long, default_value_t = 1, value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(NODES_MAX)))]
    count: u32,

    /// All of them are infected at the start
    #[arg(long)]
    infected: bool,

    /// So many of them are infected at the start
    #[arg(long, default_value_t = 0, value_name = "M", conflicts_with = "infected")]
    infected_count: u32,

    /// Where they appear; -1: at random on that axis [default: at random]
    #[arg(long, num_args = 2, value_names = ["X", "Y"], allow_negative_numbers = true)]
    position: Option<Vec<i32>>,

    /// Tell the device where to go: n, e, s, w, random, contact, quit
    #[arg(long)]
    interactive: bool,

    /// The scenario: `town`, `paper`, or a TOML file. Its numbers of people do not count here, --count does
    #[arg(long, default_value = scenario::DEFAULT, value_name = "NAME|FILE")]
    scenario: String,

    #[command(flatten)]
    parameters: ParameterFlags,

    /// The seed of all chance [default: the scenario's, or a new one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// The run that beacons and reports belong to; devices of other runs are not heard [default: none, as the paper]
    #[arg(long, value_name = "UUID")]
    run: Option<Uuid>,

    /// Join the world of the fleet with this run (`coronaz fleet --radio`): hear its people nearby, and be heard by them. Give
    /// the fleet's scenario and map too. Beacons and reports belong to the run of the fleet's guests
    #[arg(long, value_name = "UUID", conflicts_with = "run")]
    join: Option<Uuid>,

    /// Stop after this many seconds
    #[arg(long = "for", value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    for_s: Option<u64>,

    /// Where beacons go: a broadcast address or multicast group. The default stays on this machine,
    /// 255.255.255.255:4711 is the local network
    #[arg(long, default_value_t = THIS_MACHINE, value_name = "ADDR:PORT", help_heading = "Radio")]
    #[arg(value_parser = parse_radio)]
    radio: SocketAddrV4,

    /// Send beacons sealed with the key in this file (16 bytes or more), and hear only such, each once
    #[arg(long, value_name = "FILE", help_heading = "Radio")]
    radio_key: Option<PathBuf>,

    /// Where to find the brokers: HOST:PORT, several separated by commas
    #[arg(long, env = "CORONAZ_BROKER", default_value = "127.0.0.1:9092", value_name = "HOST:PORT")]
    #[arg(help_heading = "Reports")]
    broker: String,

    /// The topic; it is made if there is none
    #[arg(long, default_value = "coronaz", value_name = "NAME", help_heading = "Reports")]
    topic: String,

    /// How reports are written: `json`, or `paper`, as the paper's own programs write and read them (JSON in a JSON string).
    /// The latter without an announcement of the run, which those programs cannot read
    #[arg(long, default_value = "json", value_name = "json|paper", help_heading = "Reports")]
    #[arg(value_parser = parse_encoding)]
    encoding: Encoding,

    /// Send reports alone, without the record that announces the run and its parameters
    #[arg(long, help_heading = "Reports")]
    no_announcement: bool,

    /// A setting of the Kafka client by its own name (librdkafka), such as security.protocol=ssl; repeatable
    #[arg(long = "broker-setting", value_name = "NAME=VALUE", help_heading = "Reports")]
    broker_settings: Vec<String>,

    /// Keep devices and what they have not told yet in this folder: a process started again with it is
    /// the same devices, and loses nothing
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    spool: Option<PathBuf>,

    /// The most the spool may take, in bytes; then the oldest contacts are kept in memory alone
    #[arg(long, default_value_t = spool::LIMIT_BYTES, value_name = "BYTES", help_heading = "Reports")]
    #[arg(value_parser = clap::value_parser!(u64).range(spool::LIMIT_BYTES_MIN..))]
    spool_limit_bytes: u64,

    /// Let each device write down every contact it records in this folder, for `coronaz audit`
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    journal: Option<PathBuf>,
}

/// The longest radio key read.
const RADIO_KEY_BYTES_MAX: u64 = 4_096;
/// How long one attempt to find or make the topic lasts.
const TOPIC_PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let bus = bus_config(args)?;
    let mut config = nodes_config(args)?;
    let stop = stop_signal()?;
    if args.interactive {
        config.console = Some(console());
    }
    tracing::info!(
        devices = args.count, radio = %args.radio, sealed = args.radio_key.is_some(), broker = args.broker,
        seed = config.seed, run = run_of(args).map(tracing::field::display), "devices start"
    );
    let sink: Arc<dyn RecordSink> =
        Arc::new(KafkaSink::new(&bus).map_err(|error| Failure::usage(chain(&error)))?);
    std::thread::spawn(move || make_topic(&bus));
    let summary = nodes::run(config, &sink, &stop).map_err(|error| failure(&error))?;
    conclude(&summary)
}

/// The run that beacons and reports belong to.
fn run_of(args: &Args) -> Option<Uuid> {
    args.join.map(guests::run_of).or(args.run)
}

pub(crate) fn parse_radio(text: &str) -> Result<SocketAddrV4, String> {
    text.parse().map_err(|_| format!("write an IPv4 address and a port, such as {THIS_MACHINE}"))
}

fn parse_encoding(text: &str) -> Result<Encoding, String> {
    match text {
        "json" => Ok(Encoding::Json),
        "paper" => Ok(Encoding::Paper),
        _ => Err("write json or paper".to_owned()),
    }
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

fn nodes_config(args: &Args) -> Result<NodesConfig, Failure> {
    let scenario = scenario::load(&args.scenario).map_err(|error| Failure::usage(chain(&error)))?;
    let parameters = args.parameters.over(&scenario)?;
    let spawns = spawns(args, parameters.field())?;
    let seed = match args.seed.or(scenario.seed) {
        Some(seed) => seed,
        None => chance::new_seed()?,
    };
    Ok(NodesConfig {
        run: run_of(args),
        scenario,
        parameters,
        seed,
        spawns,
        radio: UdpConfig { destination: args.radio },
        radio_key: args.radio_key.as_deref().map(read_key).transpose()?,
        spool: args.spool.clone().map(|dir| (dir, args.spool_limit_bytes)),
        journal: args.journal.clone(),
        live_for: args.for_s.map(Duration::from_secs),
        encoding: args.encoding,
        announces: !args.no_announcement && args.encoding == Encoding::Json,
        console: None,
    })
}

/// Who appears where.
fn spawns(args: &Args, field: Field) -> Result<Vec<Spawn>, Failure> {
    if args.interactive && args.count != 1 {
        return Err(Failure::usage(format!(
            "--interactive is for one device; leave --count out, it is {}",
            args.count
        )));
    }
    if args.infected_count > args.count {
        return Err(Failure::usage(format!(
            "--infected-count must be from 0 to --count, which is {}, not {}",
            args.count, args.infected_count
        )));
    }
    let position = args.position.as_deref().unwrap_or(&[-1, -1]);
    let place = Position { x: position[0].max(0), y: position[1].max(0) };
    if position.iter().any(|coordinate| *coordinate < -1) || !field.contains(place) {
        return Err(Failure::usage(format!(
            "--position must lie on the field, from 0 0 to {} {}, or be -1 where chance is to choose, not {} {}",
            field.width, field.height, position[0], position[1]
        )));
    }
    let given = |coordinate: i32| (coordinate >= 0).then_some(coordinate);
    let (x, y) = (given(position[0]), given(position[1]));
    let infected = if args.infected { args.count } else { args.infected_count };
    Ok((0..args.count).map(|number| Spawn { x, y, infected: number < infected }).collect())
}

pub(crate) fn read_key(path: &Path) -> Result<RadioKey, Failure> {
    let named = |problem: String| Failure::usage(format!("--radio-key {}: {problem}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| named(error.to_string()))?.len();
    if length > RADIO_KEY_BYTES_MAX {
        return Err(named(format!("a radio key has 16 to {RADIO_KEY_BYTES_MAX} bytes, not {length}")));
    }
    let bytes = std::fs::read(path).map_err(|error| named(error.to_string()))?;
    RadioKey::new(&bytes).map_err(|error| named(error.to_string()))
}

fn failure(error: &NodesError) -> Failure {
    let text = chain(error);
    match error {
        // Trying again changes nothing: `coronaz up` does not.
        NodesError::Files { .. } | NodesError::Radio(UdpError::Destination { .. }) => Failure::usage(text),
        NodesError::Radio(UdpError::Socket { .. }) => Failure::unavailable(text),
        NodesError::Radio(UdpError::Held { .. }) | NodesError::Spool(_) | NodesError::Journal(_) => {
            Failure::io(text)
        }
        NodesError::Randomness(_) | NodesError::Thread(_) => Failure::internal(text),
    }
}

/// Finds or makes the topic, however long the broker is away; the devices live on meanwhile.
pub(crate) fn make_topic(bus: &BusConfig) {
    loop {
        match ensure_topic(bus, TOPIC_PATIENCE) {
            Ok(_) => return,
            Err(TopicError::Unreachable { .. }) => {}
            Err(error) => {
                tracing::error!(error = chain(&error), "the topic cannot be made");
                return;
            }
        }
    }
}

/// The first SIGINT or SIGTERM asks for a death with a last message; the second ends the process. SIGUSR1 asks to leave
/// off without a death ([`Stop::ask_to_leave`]).
pub(crate) fn stop_signal() -> Result<Stop, Failure> {
    let stop = Stop::default();
    let asked = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| Failure::internal(format!("no runtime for signals: {error}")))?;
    let listen = |kind| {
        let _guard = runtime.enter();
        unix::signal(kind)
            .map_err(|error| Failure::internal(format!("signals cannot be listened for: {error}")))
    };
    let mut terminate = listen(unix::SignalKind::terminate())?;
    let mut interrupt = listen(unix::SignalKind::interrupt())?;
    let mut leave = listen(unix::SignalKind::user_defined1())?;
    std::thread::spawn(move || {
        runtime.block_on(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    _ = leave.recv() => {
                        asked.ask_to_leave();
                        continue;
                    }
                }
                if asked.is_asked() {
                    tracing::warn!("stopped at once, without waiting for the last messages to arrive");
                    std::process::exit(130);
                }
                asked.ask();
            }
        });
    });
    Ok(stop)
}

/// Commands from standard input, answers to standard output.
fn console() -> Console {
    let mut out = Output::stdout();
    out.line(interactive::HELP);
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    Console { lines, say: Box::new(move |text| out.line(text)) }
}

fn conclude(summary: &Summary) -> Result<(), Failure> {
    let figures = &summary.figures;
    let what = if summary.left { "the devices live on in the spool" } else { "all devices are dead" };
    tracing::info!(
        device_seconds = figures.device_seconds,
        beacons_sent = figures.beacons_sent,
        beacons_heard = figures.beacons_heard,
        contacts = figures.contacts,
        seconds_skipped = figures.seconds_skipped,
        datagrams_refused = figures.refusals.total(),
        identity_clashes = figures.identity_clashes,
        "{what}"
    );
    if summary.left || (figures.devices_untold == 0 && figures.contacts_dropped == 0) {
        return Ok(());
    }
    let untold = format!(
        "devices whose last message did not reach the broker: {}, contacts: {}",
        figures.devices_untold, figures.contacts_untold
    );
    if summary.spooled {
        tracing::warn!("{untold}; they stay in the spool and are told by the next process that has it");
        return Ok(());
    }
    Err(Failure::unavailable(format!(
        "{untold}, dropped before for lack of room: {}; --spool DIR keeps them",
        figures.contacts_dropped
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

    fn config(flags: &str) -> Result<NodesConfig, String> {
        let line = Line::try_parse_from(std::iter::once("node").chain(flags.split_whitespace()));
        let args = line.map_err(|error| error.to_string())?.args;
        bus_config(&args).and_then(|_| nodes_config(&args)).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn minus_one_leaves_an_axis_to_chance() {
        let spawn = |flags| config(flags).expect(flags).spawns[0];
        assert_eq!(spawn("--position 3 -1 --infected"), Spawn { x: Some(3), y: None, infected: true });
        assert_eq!(spawn("--position -1 60"), Spawn { x: None, y: Some(60), infected: false });
        assert_eq!(spawn(""), Spawn::default());
    }

    #[test]
    fn of_many_devices_the_first_are_infected() {
        let spawns = config("--count 5 --infected-count 2").expect("good").spawns;
        assert_eq!(spawns.iter().filter(|spawn| spawn.infected).count(), 2);
        assert_eq!(spawns.len(), 5);
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        for (flags, right) in [
            ("--position 101 5", "from 0 0 to 100 60"),
            ("--scenario paper --position 5 101", "from 0 0 to 100 100"),
            ("--position -2 5", "-1 where chance"),
            ("--count 0", "1..=10000"),
            ("--infected-count 2", "from 0 to --count"),
            ("--count 2 --interactive", "for one device"),
            ("--radio 127.255.255.255", "such as 127.255.255.255:4711"),
            ("--run five", "UUID"),
            ("--scenario vilage", "town, paper"),
            ("--radio-key /no/such/key", "/no/such/key"),
            ("--broker localhost", "host:port"),
            ("--for 0", "1.."),
            ("--spool-limit-bytes 3", "65536.."),
        ] {
            let Err(said) = config(flags) else { panic!("{flags} was taken") };
            assert!(said.contains(right), "{flags}: {said}");
        }
    }
}
