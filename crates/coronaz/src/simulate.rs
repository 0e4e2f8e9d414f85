//! `coronaz simulate`: a run as fast as it goes, and its results as files.

mod progress;

use std::{num::NonZero, path::PathBuf, sync::Arc, thread};

use coronaz_devices::scenario;
use coronaz_model::{Parameters, Tick};
use coronaz_simulation::{
    Checkpoint, CheckpointError, Contacts, Folder, FolderError, Formats, PictureError, Plan, Progress, Save,
    SimulateError, Summary, simulate,
};
use coronaz_wire::Scenario;

use crate::{
    chance,
    failure::{Failure, chain},
    output::Output,
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
    coronaz simulate town --movement places --start settled --warm-up 600 --ticks 100000 --until-over\n  \
    coronaz simulate paper --people 1000000 --infected 1000 --density 0.002 --zombie-lifetime 0 --ticks 600\n  \
    coronaz simulate my-town.toml --seed 7 --contacts all --out results\n  \
    coronaz simulate town --ticks 600 --checkpoint minute-10\n  \
    coronaz simulate --resume minute-10 --ticks 3600 --replicates 16 --infection-radius 1 --out other-futures")]
pub(crate) struct Args {
    /// The scenario: `town`, `paper`, or a TOML file [default: town]
    #[arg(value_name = "SCENARIO")]
    scenario: Option<String>,

    #[command(flatten)]
    population: PopulationFlags,

    /// Up to which second of model time to compute
    #[arg(long, default_value_t = 600, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    ticks: u64,

    /// End a run when nobody is infected any more, if that is before --ticks
    #[arg(long)]
    until_over: bool,

    /// The seed of all chance [default: the scenario's, or a new one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// How many times to run it. The first has the seed itself, each other one a seed drawn from it and its number
    /// (summary.json lists them: --seed with one of them repeats that replicate alone), so replicates of different
    /// seeds have nothing in common
    #[arg(long, default_value_t = 1, value_name = "N")]
    replicates: u32,

    /// Threads to use [default: all cores]
    #[arg(long, value_name = "T")]
    threads: Option<usize>,

    /// The folder for the results, which must not be there yet [default: simulation-SEED]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Replace earlier results in that folder, and an earlier checkpoint; nothing else is touched
    #[arg(long)]
    force: bool,

    /// Write a checkpoint, to go on from with --resume
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// After which second of model time [default: the last; with --until-over perhaps an earlier one]
    #[arg(long, value_name = "TICK", requires = "checkpoint")]
    checkpoint_at: Option<u64>,

    /// Go on from a checkpoint. With another --seed, more --replicates or changed parameters, these are other
    /// futures of the same people
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scenario", "people", "infected", "density"])]
    resume: Option<PathBuf>,

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

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<(), Failure> {
    let plan = plan(args)?;
    plan.check().map_err(|error| Failure::usage(chain(&error)))?;
    let results = args.out.clone().unwrap_or_else(|| PathBuf::from(format!("simulation-{}", plan.seed)));
    out.line(format_args!("seed {}", plan.seed));
    let folder = Folder::prepare(&results, args.force).map_err(|error| failure_of(&error.into()))?;
    let summary = carry_out(&plan, folder)?;
    report(&summary, plan.ticks, out);
    out.line(format_args!("digest {}", summary.digest));
    out.line(format_args!("results in {}", results.display()));
    Ok(())
}

/// Simulates on threads of its own, while this one shows how far it is.
fn carry_out(plan: &Plan, folder: Folder) -> Result<Summary, Failure> {
    let progress = Arc::new(Progress::default());
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
    let begun = begin(args)?;
    let Begun { scenario, parameters, population: Population { people, infected }, seed, resume } = begun;
    let settings = scenario::settings(&parameters);
    let as_run =
        Scenario { nodes: people - infected, infected, seed: Some(seed), parameters: settings, ..scenario };
    let threads = args.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get));
    let by_size = || Contacts::by_size(people, args.ticks, args.replicates);
    let save = args.checkpoint.as_ref().map(|path| Save {
        path: path.clone(),
        tick: args.checkpoint_at.unwrap_or(args.ticks),
        replace: args.force,
    });
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
        resume,
        save,
        until_over: args.until_over,
    })
}

/// What a run begins with.
struct Begun {
    scenario: Scenario,
    parameters: Parameters,
    population: Population,
    seed: u64,
    resume: Option<Arc<Checkpoint>>,
}

/// A scenario's people at tick 0, or those of a checkpoint.
fn begin(args: &Args) -> Result<Begun, Failure> {
    if let Some(path) = &args.resume {
        let checkpoint = Checkpoint::read(path).map_err(|error| failure_of(&error.into()))?;
        let scenario = Scenario::parse(checkpoint.scenario());
        let scenario = scenario.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        let parameters = args.parameters.over(&scenario)?;
        let population = Population { people: checkpoint.people(), infected: checkpoint.infected() };
        let seed = args.seed.unwrap_or(checkpoint.seed());
        return Ok(Begun { scenario, parameters, population, seed, resume: Some(Arc::new(checkpoint)) });
    }
    let name = args.scenario.as_deref().unwrap_or(scenario::DEFAULT);
    let scenario = scenario::load(name).map_err(|error| Failure::usage(chain(&error)))?;
    let mut parameters = args.parameters.over(&scenario)?;
    let population = args.population.over(&scenario, &mut parameters)?;
    let seed = match args.seed.or(scenario.seed) {
        Some(seed) => seed,
        None => chance::new_seed()?,
    };
    Ok(Begun { scenario, parameters, population, seed, resume: None })
}

fn report(summary: &Summary, ticks: Tick, out: &mut Output) {
    let timings = &summary.timings;
    for one in summary.replicates.iter().take(REPLICATES_SHOWN) {
        let cases = &one.cases;
        let r_case = cases.r_case.map_or(String::new(), |r_case| format!(", r_case {r_case:.2}"));
        let over = one.last_tick < ticks;
        let ended = if over { format!(", over at tick {}", one.last_tick) } else { String::new() };
        out.line(format_args!(
            "replicate {}: attack rate {:.1} %, peak {} infectious at tick {}{r_case}, {} infections, {} contacts{ended}",
            one.replicate,
            cases.attack_rate * 100.0,
            known(one.peak_infectious.map(u64::from)),
            known(one.peak_tick),
            cases.infections,
            known(one.contacts),
        ));
    }
    if summary.replicates.len() > REPLICATES_SHOWN {
        let more = summary.replicates.len() - REPLICATES_SHOWN;
        out.line(format_args!("… and {more} more in summary.json"));
    }
    out.line(format_args!(
        "{:.1} s, {:.1} million person-ticks/s on {} threads",
        timings.total_s,
        timings.person_ticks_per_s / 1e6,
        timings.threads,
    ));
}

/// A figure that a checkpoint of an earlier version may not tell.
fn known(figure: Option<u64>) -> String {
    figure.map_or_else(|| "unknown".to_owned(), |figure| figure.to_string())
}

/// As many as a person reads.
const REPLICATES_SHOWN: usize = 8;

fn failure_of(error: &SimulateError) -> Failure {
    let text = chain(error);
    match error {
        SimulateError::Plan(_) | SimulateError::Fork(_) => Failure::usage(text),
        SimulateError::Checkpoint(CheckpointError::Io { .. }) => Failure::io(text),
        SimulateError::Checkpoint(_) => Failure::usage(text),
        SimulateError::Folder(FolderError::Taken(_) | FolderError::NotOurs { .. }) => Failure::usage(text),
        SimulateError::Folder(_) | SimulateError::Table(_) | SimulateError::Io { .. } => Failure::io(text),
        SimulateError::Picture(PictureError::Io { .. }) => Failure::io(text),
        SimulateError::Picture(_) => Failure::internal(text),
        SimulateError::Threads(_) => Failure::unavailable(text),
        SimulateError::Stopped => Failure::interrupted(text),
    }
}
