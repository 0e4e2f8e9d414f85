//! `coronaz simulate`: a run as fast as it goes, and its results as files.

mod progress;

use std::{num::NonZero, path::PathBuf, thread};

use coronaz_devices::{identity, scenario};
use coronaz_simulation::{
    Contacts, Folder, FolderError, Formats, PictureError, Plan, Progress, SimulateError, Summary, simulate,
};
use coronaz_wire::Scenario;

use crate::{
    failure::{Failure, chain},
    parameters::ParameterFlags,
    population::{Population, PopulationFlags},
};

/// Compute a run as fast as it goes, many times over if wanted, and write tables and a picture
///
/// No broker, no database, no clock: people of the same rules as devices', up to ten million of them. Into the folder
/// go the statistics of each tick, who infected whom, who met whom (as Parquet and CSV), the epidemic curve with the
/// spread of the replicates (SVG and PNG), the scenario as run, and a summary. Same seed, same results, on any
/// number of threads: the digest that is printed at the end says whether two runs had the same history.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    coronaz simulate town --ticks 3600 --replicates 16\n  \
    coronaz simulate paper --people 1000000 --infected 1000 --density 0.002 --zombie-lifetime 0 --ticks 600\n  \
    coronaz simulate my-town.toml --seed 7 --contacts all --out results")]
pub(crate) struct Args {
    /// The scenario: `town`, `paper`, or a TOML file
    #[arg(value_name = "SCENARIO")]
    scenario: String,

    #[command(flatten)]
    population: PopulationFlags,

    /// How many seconds of model time to compute
    #[arg(long, default_value_t = 600, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    ticks: u64,

    /// The seed of all chance [default: the scenario's, or a new one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// How many times to run it; each next one with a seed larger by one
    #[arg(long, default_value_t = 1, value_name = "N")]
    replicates: u32,

    /// Threads to use [default: all cores]
    #[arg(long, value_name = "T")]
    threads: Option<usize>,

    /// The folder for the results, which must not be there yet [default: simulation-SEED]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Replace earlier results in that folder; nothing else in it is touched
    #[arg(long)]
    force: bool,

    /// Which contacts to write: none, encounters (from when to when two people were in range), or all, each of
    /// each second [default: encounters, or none of a large run]
    #[arg(long, value_name = "none|encounters|all")]
    contacts: Option<Contacts>,

    /// What to write tables as
    #[arg(long, default_value = "both", value_name = "both|parquet|csv")]
    format: Formats,

    #[command(flatten)]
    parameters: ParameterFlags,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let plan = plan(args)?;
    plan.check().map_err(|error| Failure::usage(chain(&error)))?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("simulation-{}", plan.seed)));
    println!("seed {}", plan.seed);
    let folder = Folder::prepare(&out, args.force).map_err(|error| failure_of(&error.into()))?;
    let summary = carry_out(&plan, folder)?;
    report(&summary);
    println!("digest {}", summary.digest);
    println!("results in {}", out.display());
    Ok(())
}

/// Simulates on threads of its own, while this one shows how far it is.
fn carry_out(plan: &Plan, folder: Folder) -> Result<Summary, Failure> {
    let progress = std::sync::Arc::new(Progress::default());
    progress::stop_on_signals(progress.clone())?;
    let outcome = thread::scope(|scope| {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let progress = &progress;
        let run = scope.spawn(move || {
            let _told_when_dropped = end;
            simulate(plan, folder, progress)
        });
        progress::show(plan, progress, &ended);
        run.join()
    });
    match outcome {
        Ok(outcome) => outcome.map_err(|error| failure_of(&error)),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn plan(args: &Args) -> Result<Plan, Failure> {
    let usage = |error: &dyn std::error::Error| Failure::usage(chain(error));
    let scenario = scenario::load(&args.scenario).map_err(|error| usage(&error))?;
    let mut parameters = args.parameters.over(&scenario)?;
    let Population { people, infected } = args.population.over(&scenario, &mut parameters)?;
    let seed = match args.seed.or(scenario.seed) {
        Some(seed) => seed,
        None => identity::new_seed().map_err(|error| Failure::internal(chain(&error)))?,
    };
    let settings = scenario::settings(&parameters);
    let as_run =
        Scenario { nodes: people - infected, infected, seed: Some(seed), parameters: settings, ..scenario };
    let threads = args.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
    let by_size = || Contacts::by_size(people, args.ticks, args.replicates);
    Ok(Plan {
        name: as_run.name.clone(),
        scenario: as_run.to_toml(),
        parameters,
        people,
        infected,
        ticks: args.ticks,
        seed,
        replicates: args.replicates,
        threads,
        contacts: args.contacts.unwrap_or_else(by_size),
        formats: args.format,
    })
}

fn report(summary: &Summary) {
    let timings = &summary.timings;
    for one in summary.replicates.iter().take(REPLICATES_SHOWN) {
        let cases = &one.cases;
        let r_case = cases.r_case.map_or(String::new(), |r_case| format!(", r_case {r_case:.2}"));
        println!(
            "replicate {}: attack rate {:.1} %, peak {} infectious at tick {}{r_case}, {} infections, {} contacts",
            one.replicate,
            cases.attack_rate * 100.0,
            one.peak_infectious,
            one.peak_tick,
            cases.infections,
            one.contacts,
        );
    }
    if summary.replicates.len() > REPLICATES_SHOWN {
        println!("… and {} more in summary.json", summary.replicates.len() - REPLICATES_SHOWN);
    }
    println!(
        "{:.1} s, {:.1} million person-ticks/s on {} threads",
        timings.total_s,
        timings.person_ticks_per_s / 1e6,
        timings.threads,
    );
}

/// As many as a person reads.
const REPLICATES_SHOWN: usize = 8;

fn failure_of(error: &SimulateError) -> Failure {
    let text = chain(error);
    match error {
        SimulateError::Plan(_) => Failure::usage(text),
        SimulateError::Folder(FolderError::Taken(_) | FolderError::NotOurs { .. }) => Failure::usage(text),
        SimulateError::Folder(_) | SimulateError::Table(_) | SimulateError::Io { .. } => Failure::io(text),
        SimulateError::Picture(PictureError::Io { .. }) => Failure::io(text),
        SimulateError::Picture(_) => Failure::internal(text),
        SimulateError::Threads(_) => Failure::unavailable(text),
        SimulateError::Stopped => Failure::interrupted(text),
    }
}
