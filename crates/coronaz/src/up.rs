//! `coronaz up`: the whole laboratory on this machine.

mod menu;
mod operator;
mod written;

use std::{io::IsTerminal, net::SocketAddr, path::PathBuf, time::Duration};

use coronaz_devices::scenario;
use coronaz_laboratory::{
    Extras, Laboratory, People, Plan, StartError,
    control::{self, Answer, Asked, Request},
    data_dir::DataDir,
    laboratory::Written,
    logs::Show,
};
use coronaz_server::Origin;
use coronaz_wire::Scenario;
use operator::Operator;
use tokio::{signal::unix, sync::mpsc};

use crate::{
    chance,
    failure::{Failure, chain},
    output::Output,
    questions,
};

/// Start the whole laboratory on this machine: broker, consumer, database, back-end, page and people
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  coronaz up                                  # a town in which an epidemic lives on\n  \
    coronaz up --scenario paper --nodes 20 --infected 1 --for 120"
)]
pub(crate) struct Args {
    /// The scenario: `town`, `paper`, or a TOML file
    #[arg(long, default_value = "town", value_name = "NAME|FILE")]
    scenario: String,

    /// Safe and infected people at the start, together [default: the scenario's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(..=10_000), value_name = "N")]
    nodes: Option<u32>,

    /// How many of them are infected [default: the scenario's]
    #[arg(long, value_name = "M")]
    infected: Option<u32>,

    /// The seed of all chance [default: the scenario's, or a new one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// Ask for the paper's parameters first
    #[arg(long)]
    ask: bool,

    /// Where the page answers; port 0: a free one
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDR:PORT")]
    listen: SocketAddr,

    /// A name under which a proxy in front passes requests on to this machine; repeatable. They need the token
    #[arg(long = "allow-host", value_name = "NAME", value_parser = crate::serve::host_name)]
    allow_hosts: Vec<String>,

    /// An origin whose pages may read /data and the interface, like `http://localhost:8080`; repeatable
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allow_origins: Vec<Origin>,

    /// The folder that keeps everything
    #[arg(long, default_value = "coronaz-data", value_name = "DIR")]
    data_dir: PathBuf,

    /// An Apache Kafka to use instead of the embedded broker
    #[arg(long, value_name = "HOST:PORT")]
    broker: Option<String>,

    /// Where the embedded broker accepts Kafka clients, on this machine; port 0: a free one [default: a free port,
    /// another at each start]
    #[arg(long, value_name = "ADDR:PORT", conflicts_with = "broker", value_parser = on_this_machine)]
    broker_listen: Option<SocketAddr>,

    /// A database to use instead of the embedded one, as a URL
    #[arg(long, value_name = "URL")]
    store: Option<String>,

    /// Where beacons go [default: this machine alone, 127.255.255.255:4711]
    #[arg(long, value_name = "ADDR:PORT")]
    radio: Option<SocketAddr>,

    /// Hear only beacons sealed with the key in this file
    #[arg(long, value_name = "FILE")]
    radio_key: Option<PathBuf>,

    /// Let each device write down what it records, for `coronaz audit`
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,

    /// Delete runs of which nothing was stored for so many days [default: keep all]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_days: Option<u32>,

    /// Begin anew: what went on when the laboratory on this folder was last stopped or killed is over. Without it, it
    /// goes on; and if it is what the other flags ask for, no new run begins
    #[arg(long)]
    new: bool,

    /// No menu, even on a terminal
    #[arg(long)]
    no_menu: bool,

    /// Stop after this many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    for_s: Option<u64>,
}

/// How often it is looked whether a run has ended.
const LOOKED_EVERY: Duration = Duration::from_millis(250);
/// The devices of `node` and of the control socket's runs are as many.
const _: () = assert!(scenario::NODES_MAX == coronaz_wire::control::NODES_MAX);
/// How long the page may take to answer.
const READY_WITHIN: Duration = Duration::from_secs(30);

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut scenario = scenario::find(&args.scenario).map_err(|error| Failure::usage(chain(&error)))?;
    if args.ask {
        questions::ask(&mut scenario, &mut Output::stdout())?;
    }
    let people = people(args, &scenario)?;
    let data_dir = DataDir::open(&args.data_dir).map_err(|error| Failure::io(chain(&error)))?;
    let plan = plan(args, &scenario, people, &data_dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(chain(&error)))?;
    runtime.block_on(supervise(plan, data_dir, args, &scenario))
}

/// The embedded broker has no passwords, so it serves this machine alone.
fn on_this_machine(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().ok().filter(|address: &SocketAddr| address.ip().is_loopback());
    address.ok_or_else(|| {
        "write an address of this machine alone, as 127.0.0.1:9092; the broker has no passwords".to_owned()
    })
}

fn people(args: &Args, scenario: &Scenario) -> Result<People, Failure> {
    let all = args.nodes.unwrap_or(scenario.nodes + scenario.infected);
    let infected = args.infected.unwrap_or(scenario.infected.min(all));
    let safe = all.checked_sub(infected).ok_or_else(|| {
        Failure::usage(format!(
            "--infected {infected} is more than the {all} people there are; lower it, or raise --nodes"
        ))
    })?;
    Ok(People { safe, infected })
}

fn plan(args: &Args, scenario: &Scenario, people: People, data_dir: &DataDir) -> Result<Plan, Failure> {
    scenario::parameters(scenario).map_err(|error| Failure::usage(chain(&error)))?;
    // The parts would say so again and again.
    let store = args.store.as_ref().map(|store| store.parse::<coronaz_store::StoreLocation>());
    store.transpose().map_err(|error| Failure::usage(chain(&error)))?;
    let seed = match args.seed.or(scenario.seed) {
        Some(seed) => seed,
        None => chance::new_seed()?,
    };
    let run = chance::new_run()?;
    let program = std::env::current_exe().map_err(|error| Failure::io(format!("where am I? {error}")))?;
    let broker = std::env::var_os("CORONAZ_BROKER_BIN").map(PathBuf::from);
    let absolute = |path: &PathBuf| std::path::absolute(path).map_err(|error| Failure::io(chain(&error)));
    Ok(Plan {
        listen: args.listen,
        broker: args.broker.clone(),
        broker_listen: args.broker_listen,
        store: args.store.clone(),
        run,
        seed,
        radio: args.radio,
        radio_key: args.radio_key.as_ref().map(absolute).transpose()?,
        journal: args.journal.as_ref().map(absolute).transpose()?,
        scenario_file: data_dir.run_file(run),
        people,
        coronaz_broker: broker.unwrap_or_else(|| program.with_file_name("coronaz-broker")),
        coronaz: program,
    })
}

async fn supervise(plan: Plan, data_dir: DataDir, args: &Args, scenario: &Scenario) -> Result<(), Failure> {
    let menu = !args.no_menu && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let show = if menu { Show::Problems } else { Show::All };
    let mut signals = Signals::new()?;
    let socket = control::listen(data_dir.path()).map_err(|error| Failure::io(chain(&error)))?;
    let operator = Operator::of(data_dir.token_file())?;
    let extras = Extras {
        scenario: Scenario { seed: Some(plan.seed), ..scenario.clone() },
        seeded: args.seed.or(scenario.seed).is_some(),
        goes_on: !args.new,
        token_file: Some(operator.file().to_owned()),
        serve_arguments: serve_arguments(args),
        keep_days: args.keep_days,
        written: Written::default(),
    };
    let written = extras.written.clone();
    let started = Laboratory::start(plan, data_dir, extras, show);
    let mut laboratory = started.map_err(|error| failure_of_start(&error))?;
    written::watch(laboratory.brokers(), written);
    let (ask, mut asked) = mpsc::channel(control::REQUESTS_MAX);
    tokio::spawn(control::serve(socket, ask.clone()));
    let ready = tokio::select! {
        ready = laboratory.wait_until_ready(READY_WITHIN) => ready.map_err(|error| Failure::unavailable(error.to_string())),
        () = signals.next() => { laboratory.rest().await; return Ok(()); }
    };
    if let Err(failure) = ready {
        laboratory.rest().await;
        return Err(failure);
    }
    // Notices, not results: whoever reads them may go, and the laboratory stays.
    let mut out = Output::stdout();
    announce(&laboratory, scenario, &operator, &mut out);
    report_news(&mut laboratory, &mut out);
    if menu {
        menu::spawn(ask);
    } else {
        drop(ask);
    }
    let (why, over) = stopping(&mut laboratory, &mut asked, &mut signals, args.for_s, &mut out).await;
    out.line(why);
    let goes_on = !over && laboratory.runs_going() > 0;
    if over {
        laboratory.stop().await;
    } else {
        laboratory.rest().await;
    }
    let next = if goes_on { " What went on goes on with the next `coronaz up` on it." } else { "" };
    out.line(format_args!("Stopped. Everything is kept in {}.{next}", args.data_dir.display()));
    Ok(())
}

/// What the server is passed on.
fn serve_arguments(args: &Args) -> Vec<String> {
    let hosts = args.allow_hosts.iter().map(|host| format!("--allow-host={host}"));
    hosts.chain(args.allow_origins.iter().map(|origin| format!("--allow-origin={origin}"))).collect()
}

/// Says where the page is, once it answers.
fn announce(laboratory: &Laboratory, scenario: &Scenario, operator: &Operator, out: &mut Output) {
    let (run, seed) = laboratory.first_run();
    out.line(format_args!("CoronaZ is at http://{}/", laboratory.listen()));
    out.line(format_args!("Kafka clients connect to {}.", laboratory.brokers()));
    out.line(format_args!("Scenario {}, run {run}, seed {seed}.", scenario.name));
    match laboratory.runs_before() {
        0 => {}
        1 => out.line("A run of the last time goes on; --new begins anew."),
        runs => out.line(format_args!("{runs} runs of the last time go on; --new begins anew.")),
    }
    out.line(format_args!("Operator: {}", operator.way_in(laboratory.listen())));
}

/// Says which parts cannot run, and which of them run after all.
fn report_news(laboratory: &mut Laboratory, out: &mut Output) {
    for news in laboratory.news() {
        out.line(format_args!("! {news}"));
    }
}

fn failure_of_start(error: &StartError) -> Failure {
    let text = chain(error);
    match error {
        StartError::Io(_) => Failure::io(text),
        StartError::People(_) | StartError::Address(_) | StartError::NoBroker(_) => {
            Failure::unavailable(text)
        }
    }
}

/// Carries out what is asked for until it is time to stop; says why it is, and whether all runs are over then.
async fn stopping(
    laboratory: &mut Laboratory,
    asked: &mut mpsc::Receiver<Asked>,
    signals: &mut Signals,
    for_s: Option<u64>,
    out: &mut Output,
) -> (String, bool) {
    let end = async {
        match for_s {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(end);
    let mut asking = true;
    let mut looking = tokio::time::interval(LOOKED_EVERY);
    loop {
        tokio::select! {
            () = &mut end => {
                return (format!("{} s are over; stopping …", for_s.unwrap_or_default()), true);
            }
            () = signals.next() => return ("Stopping …".to_owned(), false),
            request = asked.recv(), if asking => match request {
                None => asking = false,
                Some((Request::Stop, answer)) => {
                    // The asker may have gone; we stop all the same.
                    let _ = answer.send(Answer::Done("stopping".to_owned()));
                    return ("Asked to stop; stopping …".to_owned(), false);
                }
                Some((request, answer)) => laboratory.carry_out(request, answer),
            },
            _ = looking.tick() => {
                report_news(laboratory, out);
                laboratory.look();
            }
        }
    }
}

/// Ctrl-C and the polite request to stop.
struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| unix::signal(kind).map_err(|error| Failure::internal(chain(&error)));
        let (interrupt, terminate) =
            (listen(unix::SignalKind::interrupt())?, listen(unix::SignalKind::terminate())?);
        Ok(Signals { interrupt, terminate })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
