//! `coronaz chaos`: a laboratory broken on purpose, watched, and audited.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use coronaz_laboratory::chaos::{
    ChaosError, Order, Report, conduct,
    conduct::{Faults, Told, What},
    ground::Foreign,
    schedule::ScheduleError,
    stage::{self, Runs, StageError, StageOrder},
};
use coronaz_store::StoreLocation;
use coronaz_wire::wall_clock;
use serde_json::json;
use tokio::{signal::unix, sync::watch};
use uuid::Uuid;

use crate::{
    failure::{Failure, chain},
    output::Output,
};

/// Break a laboratory on purpose, watch it as a visitor does, and audit what arrived
///
/// Starts a laboratory of its own in an empty folder: a fleet of computed devices and devices with a radio beside it,
/// with a proxy in each link between parts. Does faults to it by a schedule that follows from the seed: kill -9,
/// stop and continue, netsplits and delays, a full disk, clocks that jump, copied, shuffled and poisoned records,
/// everything at once. Then waits until all is stored, and compares the store with the truth. With --data-dir it
/// breaks a laboratory that runs already, with the faults that can be had there.
///
/// Exits with 1 when anything was lost, doubled, wrong or unknown, or when the visitor's page was not back within 5 s
/// of the last fault.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    coronaz chaos --seed 7 --minutes 3                # faults of chance, the report in ./chaos-7\n  \
    coronaz chaos --scenario paper                    # the paper's six cases\n  \
    coronaz chaos --seed 7 --minutes 3 --dry-run      # only show the schedule")]
pub(crate) struct Args {
    /// The seed of the schedule, the people and the poison [default: a new one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// How long the schedule is
    #[arg(long, default_value_t = 3.0, value_parser = minutes, value_name = "MINUTES")]
    minutes: f64,

    /// Which schedule: `random`, `paper` (its six cases, two and a half minutes), or a TOML or JSON file
    #[arg(long, default_value = "random", value_name = "NAME|FILE")]
    scenario: String,

    /// People of the fleet; 0: no fleet
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(..=1_000_000), value_name = "N")]
    devices: u32,

    /// Devices with a radio, in two groups with a relay between them; 0: none
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(..=1_000), value_name = "N")]
    nodes: u32,

    /// An Apache Kafka on this machine instead of the embedded broker; a topic is made there for this laboratory
    #[arg(long, value_name = "ADDR:PORT")]
    broker: Option<SocketAddr>,

    /// A database on this machine instead of the embedded one, made anew: mongodb://ADDR:PORT/NAME
    #[arg(long, value_name = "URL")]
    store: Option<String>,

    /// The folder for the laboratory and the report, made anew [default: chaos-SEED]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Break the laboratory that runs on this folder instead of an own one
    #[arg(long, value_name = "DIR", conflicts_with_all = ["devices", "nodes", "broker"])]
    data_dir: Option<PathBuf>,

    /// Where the page answers [default: a free port; with --data-dir 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,

    /// Wait at most so many seconds until everything is stored in the end
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=86_400), value_name = "SECONDS")]
    settle_seconds: u64,

    /// Only show the schedule
    #[arg(long)]
    dry_run: bool,

    /// Print JSON, a line for each fault and one for the verdict
    #[arg(long)]
    json: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes| (0.1..=1_440.0).contains(minutes));
    minutes.ok_or_else(|| "it must be a number from 0.1 to 1440".to_owned())
}

pub(crate) fn run(args: &Args, printed: &mut Output) -> Result<(), Failure> {
    let seed = match args.seed {
        Some(seed) => seed,
        None => random()? as u64 >> 12,
    };
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("chaos-{seed}")));
    let faults = match args.scenario.as_str() {
        "random" => Faults::Random((args.minutes * 60_000.0) as u64),
        "paper" => Faults::Paper,
        file => Faults::File(PathBuf::from(file)),
    };
    let what = what(args, seed, &out)?;
    if args.dry_run {
        return show(&what, &faults, seed, args.json, printed);
    }
    make_folder(&out, args.data_dir.is_none())?;
    let settle_within = Duration::from_secs(args.settle_seconds);
    let order = Order { what, seed, faults, settle_within };
    let json = args.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(chain(&error)))?;
    let report = runtime.block_on(async {
        let stop = stop_signal()?;
        conduct(order, stop, &mut |told| tell(&told, json, printed)).await.map_err(|error| failure(&error))
    })?;
    conclude(&report, &out, json, printed)
}

fn what(args: &Args, seed: u64, out: &Path) -> Result<What, Failure> {
    if let Some(data_dir) = &args.data_dir {
        let listen = args.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 3000)));
        let store = match &args.store {
            Some(url) => url.parse::<StoreLocation>().map_err(|error| Failure::usage(chain(&error)))?,
            None => StoreLocation::from(data_dir.join("store.db").as_path()),
        };
        let newest = store
            .queries()
            .default_run(wall_clock::now_us())
            .map_err(|error| Failure::unavailable(chain(&error)))?;
        let newest =
            newest.ok_or_else(|| Failure::unavailable("no run has arrived at that laboratory yet"))?;
        let foreign = Foreign { data_dir: data_dir.clone(), listen, store };
        if foreign.parts().is_empty() {
            let data_dir = data_dir.display();
            return Err(Failure::unavailable(format!("no laboratory answers on {data_dir}")));
        }
        return Ok(What::Foreign(foreign, vec![("newest run".to_owned(), newest)]));
    }
    if args.devices == 0 && args.nodes == 0 {
        return Err(Failure::usage("nobody is there to be watched; raise --devices or --nodes"));
    }
    let program = std::env::current_exe().map_err(|error| Failure::io(format!("where am I? {error}")))?;
    let broker = std::env::var_os("CORONAZ_BROKER_BIN").map(PathBuf::from);
    let absolute = std::path::absolute(out).map_err(|error| Failure::io(chain(&error)))?;
    Ok(What::Own(StageOrder {
        data_dir: absolute.join("data"),
        listen: args.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0))),
        broker: args.broker,
        store: args.store.clone(),
        seed,
        devices: args.devices,
        nodes: args.nodes,
        runs: Runs { nodes: new_run()?, fleet: new_run()? },
        coronaz_broker: broker.unwrap_or_else(|| program.with_file_name("coronaz-broker")),
        coronaz: program,
    }))
}

fn random() -> Result<u128, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::internal(format!("the system gives no random numbers: {error}")))?;
    Ok(u128::from_le_bytes(bytes))
}

fn new_run() -> Result<Uuid, Failure> {
    Ok(uuid::Builder::from_random_bytes(random()?.to_le_bytes()).into_uuid())
}

fn show(what: &What, faults: &Faults, seed: u64, json: bool, printed: &mut Output) -> Result<(), Failure> {
    let cast = match what {
        What::Own(order) => stage::cast_of(order),
        What::Foreign(foreign, _) => foreign.cast(),
    };
    let schedule = faults.schedule(seed, &cast).map_err(|error| of_schedule(&error))?;
    if json {
        let text = serde_json::to_string(&schedule).map_err(|error| Failure::internal(error.to_string()))?;
        printed.line(text);
    } else {
        printed.line(format_args!("Schedule {}, seed {seed}", schedule.name));
        printed.text(&schedule);
    }
    Ok(())
}

/// Makes the folder; one with an older laboratory in it would mix two truths.
fn make_folder(out: &Path, own: bool) -> Result<(), Failure> {
    let named = |error: std::io::Error| Failure::io(format!("cannot use {}: {error}", out.display()));
    if own && out.join("data").exists() {
        return Err(Failure::usage(format!(
            "{} holds an earlier laboratory; remove it, or choose another folder with --out",
            out.display()
        )));
    }
    std::fs::create_dir_all(out).map_err(named)
}

/// True after Ctrl-C or SIGTERM.
fn stop_signal() -> Result<watch::Receiver<bool>, Failure> {
    let listen = |kind| unix::signal(kind).map_err(|error| Failure::internal(chain(&error)));
    let (mut interrupt, mut terminate) =
        (listen(unix::SignalKind::interrupt())?, listen(unix::SignalKind::terminate())?);
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // Kept open until the end of everything: a closed channel would be a stop, too.
        stop.send_replace(true);
        stop.closed().await;
    });
    Ok(stopping)
}

fn tell(told: &Told<'_>, json: bool, printed: &mut Output) {
    let line = match (told, json) {
        (Told::Schedule(schedule), true) => json!({ "schedule": schedule }).to_string(),
        (Told::Schedule(schedule), false) => format!("Schedule {}:\n{schedule}", schedule.name),
        (Told::Step(step), true) => json!({ "step": step }).to_string(),
        (Told::Step(step), false) => format!("-- {step}"),
        (Told::Fault(done), true) => {
            let event = &done.event;
            let mut fault = json!({ "at_ms": done.began_ms, "kind": event.kind, "part": event.target, "text": event.to_string() });
            if let Some(until_ms) = done.ended_ms {
                fault["until_ms"] = json!(until_ms);
            }
            if let Some(reason) = &done.failed {
                fault["failed"] = json!(reason);
            }
            json!({ "fault": fault }).to_string()
        }
        (Told::Fault(done), false) => {
            let seconds = done.ended_ms.unwrap_or(done.began_ms) as f64 / 1e3;
            let word = if done.ended_ms.is_some() { "over:  " } else { "" };
            let remark = done
                .failed
                .as_ref()
                .map_or_else(|| done.note.clone(), |reason| format!("NOT DONE: {reason}"));
            let fault = &done.event;
            format!("{seconds:>7.1} s  {word}{fault}  {remark}").trim_end().to_owned()
        }
    };
    printed.line(line);
}

fn conclude(report: &Report, out: &Path, json: bool, printed: &mut Output) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(report).map_err(|error| Failure::internal(error.to_string()))?;
    for (name, content) in [("report.json", text), ("report.html", report.html())] {
        let path = out.join(name);
        std::fs::write(&path, content)
            .map_err(|error| Failure::io(format!("cannot write {}: {error}", path.display())))?;
    }
    if json {
        printed.line(json!({ "verdict": summary(report) }));
    } else {
        printed.line(format_args!("\n{}", report.text()));
        printed.line(format_args!("The report is in {0}/report.html and {0}/report.json.", out.display()));
    }
    if report.ok { Ok(()) } else { Err(Failure::found(report.findings.join("; "))) }
}

/// The runs' verdicts together, as an audit's.
fn summary(report: &Report) -> serde_json::Value {
    let verdicts = || report.audits.iter().filter_map(|audited| audited.verdict.as_ref());
    json!({
        "recorded": verdicts().map(|verdict| verdict.recorded).sum::<u64>(),
        "stored": verdicts().map(|verdict| verdict.stored).sum::<u64>(),
        "lost": verdicts().map(|verdict| verdict.lost).sum::<u64>(),
        "doubled": verdicts().map(|verdict| verdict.doubled).sum::<u64>(),
        "wrong": verdicts().map(|verdict| verdict.wrong).sum::<u64>(),
        "unknown": verdicts().map(|verdict| verdict.unknown).sum::<u64>(),
        "waiting": verdicts().map(|verdict| verdict.waiting).sum::<u64>(),
        "late": verdicts().filter_map(|verdict| verdict.late).sum::<u64>(),
        "unchecked": verdicts().flat_map(|verdict| verdict.unchecked.clone()).collect::<Vec<_>>(),
        "examples": verdicts().flat_map(|verdict| verdict.examples.clone()).collect::<Vec<_>>(),
        "ok": report.ok,
        "page_back_ms": report.page_back_ms,
        "findings": report.findings,
    })
}

fn failure(error: &ChaosError) -> Failure {
    let text = chain(error);
    match error {
        ChaosError::Schedule(error) => of_schedule(error),
        ChaosError::Stage(StageError::Store(_) | StageError::StoreInUse(_)) => Failure::usage(text),
        ChaosError::Stage(StageError::NoBroker(_) | StageError::StoreAway(_)) | ChaosError::NotWell(..) => {
            Failure::unavailable(text)
        }
        ChaosError::Stage(_) => Failure::io(text),
    }
}

fn of_schedule(error: &ScheduleError) -> Failure {
    match error {
        ScheduleError::Io { .. } => Failure::io(chain(error)),
        ScheduleError::Form { .. } | ScheduleError::Target { .. } | ScheduleError::Empty { .. } => {
            Failure::usage(chain(error))
        }
    }
}
