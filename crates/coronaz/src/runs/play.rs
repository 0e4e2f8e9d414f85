//! `coronaz runs start|stop|fork`: what the operator's page does, asked of the same laboratory.

use std::{collections::BTreeMap, path::Path};

use clap::ValueEnum;
use coronaz_devices::{fleet::pace::Speed, scenario};
use coronaz_laboratory::control::{Answer, Request};
use coronaz_model::Parameters;
use coronaz_store::{Queries, StoreLocation};
use coronaz_wire::{
    Scenario, Setting,
    announcement::RunKind,
    control::{ForkRun, StartRun},
    names,
};

use super::{failure_of, find};
use crate::{
    add::{ask, unexpected},
    failure::{Failure, chain},
    output::Output,
    parameters::ParameterFlags,
    population::PopulationFlags,
};

/// Start a run in the laboratory that runs on this machine, beside those that go on
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  coronaz runs start --kind nodes\n  \
    coronaz runs start --kind fleet --people 20000 --infected 20 --density 0.02 --speed 20")]
pub(super) struct StartArgs {
    /// Devices with a radio each, or a fleet of computed ones
    #[arg(long, value_enum)]
    kind: Kind,

    /// The scenario: `town`, `paper`, or a TOML file
    #[arg(long, default_value = scenario::DEFAULT, value_name = "NAME|FILE")]
    scenario: String,

    /// A name for people [default: the scenario's]
    #[arg(long, value_name = "NAME", value_parser = names::typed)]
    name: Option<String>,

    #[command(flatten)]
    population: PopulationFlags,

    /// The seed of all chance [default: the scenario's, or a new one]
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// Seconds of model time a second of a fleet, or max [default: 1]
    #[arg(long, value_name = "TIMES|max")]
    speed: Option<Speed>,

    #[command(flatten)]
    parameters: ParameterFlags,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Nodes,
    Fleet,
}

/// Stop a run: its devices die with their last message, its fleet ends
#[derive(clap::Args)]
#[command(after_help = "Example:\n  coronaz runs stop newest")]
pub(super) struct StopArgs {
    /// The run
    #[arg(value_name = "RUN")]
    run: String,
}

/// Compute a fleet's run again up to a tick, and go on from there with changes as a new run
#[derive(clap::Args)]
#[command(after_help = "Example:\n  coronaz runs fork newest --at 600 --change infection_radius=1")]
pub(super) struct ForkArgs {
    /// The run to begin with
    #[arg(value_name = "RUN")]
    run: String,

    /// The tick after which it is another run
    #[arg(long, value_name = "TICK")]
    at: u64,

    /// From then on this parameter has another value; repeatable
    #[arg(long = "change", value_name = "NAME=VALUE", value_parser = change)]
    changes: Vec<(String, Setting)>,

    /// From then on chance has another seed
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// A name for people [default: the old run's]
    #[arg(long, value_name = "NAME", value_parser = names::typed)]
    name: Option<String>,

    /// Seconds of model time a second, or max [default: 1]
    #[arg(long, value_name = "TIMES|max")]
    speed: Option<Speed>,
}

fn change(text: &str) -> Result<(String, Setting), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let name = name.trim().replace('-', "_");
    let mut parameters = Parameters::default();
    parameters.set_text(&name, value).map_err(|error| error.to_string())?;
    let setting = scenario::settings(&parameters).remove(&name);
    setting.map(|setting| (name, setting)).ok_or_else(|| format!("{text} sets nothing"))
}

pub(super) fn start(data_dir: &Path, args: &StartArgs, out: &mut Output) -> Result<(), Failure> {
    let scenario = scenario::load(&args.scenario).map_err(|error| Failure::usage(chain(&error)))?;
    let mut parameters = args.parameters.over(&scenario)?;
    let population = args.population.over(&scenario, &mut parameters)?;
    let scenario = Scenario {
        name: args.name.clone().unwrap_or(scenario.name),
        nodes: population.people - population.infected,
        infected: population.infected,
        seed: args.seed.or(scenario.seed),
        parameters: scenario::settings(&parameters),
        about: scenario.about,
    };
    let kind = match args.kind {
        Kind::Nodes if args.speed.is_some() => {
            return Err(Failure::usage("--speed is for fleets: devices with a radio live in real time"));
        }
        Kind::Nodes => RunKind::Nodes,
        Kind::Fleet => RunKind::Fleet,
    };
    let speed = args.speed.map(|speed| speed.to_string());
    begin(data_dir, &Request::StartRun(StartRun { kind, scenario: scenario.to_toml(), speed }), out)
}

pub(super) fn stop(
    store: &StoreLocation,
    data_dir: &Path,
    args: &StopArgs,
    out: &mut Output,
) -> Result<(), Failure> {
    // A run may be stopped before anything of it is stored.
    let run = match args.run.parse() {
        Ok(run) => run,
        Err(_) => find(&*store.queries(), &args.run)?.id,
    };
    match ask(data_dir, &Request::StopRun { run })? {
        Answer::Done(text) => out.line(text),
        other => return Err(unexpected(&other)),
    }
    Ok(())
}

pub(super) fn fork(
    queries: &dyn Queries,
    data_dir: &Path,
    args: &ForkArgs,
    out: &mut Output,
) -> Result<(), Failure> {
    let id = find(queries, &args.run)?.id;
    let run = queries.run(id).map_err(|error| failure_of(&error))?;
    if run.kind != "fleet" {
        return Err(Failure::usage(format!(
            "{id} is a run of devices with a radio: what they did cannot be computed again"
        )));
    }
    if let Some(parent) = &run.forked_from {
        return Err(Failure::usage(format!(
            "{id} is a fork itself: its beginning is that of {}; fork that one",
            parent.run
        )));
    }
    let scenario = run.scenario.filter(|scenario| !scenario.is_empty());
    let scenario = scenario.ok_or_else(|| {
        Failure::usage(format!("the scenario of {id} was never announced: it cannot be computed again"))
    })?;
    let order = ForkRun {
        from: id,
        scenario,
        tick: args.at,
        changes: args.changes.iter().cloned().collect::<BTreeMap<_, _>>(),
        name: args.name.clone(),
        seed: args.seed,
        speed: args.speed.map(|speed| speed.to_string()),
    };
    begin(data_dir, &Request::ForkRun(order), out)
}

/// Asks for a run to begin, and prints which it is.
fn begin(data_dir: &Path, request: &Request, out: &mut Output) -> Result<(), Failure> {
    match ask(data_dir, request)? {
        Answer::Run(run) => out.line(run),
        other => return Err(unexpected(&other)),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_read_by_the_models_table() {
        assert_eq!(change("infection-radius=1"), Ok(("infection_radius".to_owned(), Setting::Real(1.0))));
        for (text, right) in
            [("infection_radius", "NAME=VALUE"), ("nonsense=1", "there are:"), ("fatality=2", "from 0 to 1")]
        {
            let Err(said) = change(text) else { panic!("{text} was taken") };
            assert!(said.contains(right), "{text}: {said}");
        }
    }

    #[test]
    fn the_fastest_and_the_slowest_speed_of_the_control_socket_are_speeds_of_a_fleet() {
        use coronaz_wire::control::{SPEED_MAX, SPEED_MIN};
        for times in [SPEED_MIN, SPEED_MAX] {
            assert!(times.to_string().parse::<Speed>().is_ok(), "{times}");
        }
        for times in [SPEED_MIN / 2.0, SPEED_MAX * 2.0] {
            assert!(times.to_string().parse::<Speed>().is_err(), "{times}");
        }
    }
}
