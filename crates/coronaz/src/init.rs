//! `coronaz init`: the paper's questions, answered once, and the files that a deployment of containers reads.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use coronaz_devices::scenario;
use coronaz_wire::Scenario;

use crate::{
    chance,
    failure::{Failure, chain},
    output::Output,
    questions,
};

/// Ask the paper's parameters and write what the containers need: scenario.toml, .env and secrets
///
/// Nothing secret leaves the folder `secrets`, which only you can enter, and which git and the images
/// leave out.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  coronaz init                  # asks; Enter takes what is in brackets\n  \
    coronaz init --yes --nodes 20 --infected 1\n\nThen:\n  docker compose up --detach --build"
)]
pub(crate) struct Args {
    /// Where to write: the folder with compose.yaml
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,

    /// The scenario whose numbers are offered
    #[arg(long, default_value = "paper", value_name = "NAME|FILE")]
    scenario: String,

    /// Safe and infected devices at the start, together, a container each [default: the scenario's]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000), value_name = "N")]
    nodes: Option<u32>,

    /// How many of them are infected [default: the scenario's]
    #[arg(long, value_name = "M")]
    infected: Option<u32>,

    /// The page's port on this machine
    #[arg(long, default_value_t = 3000, value_name = "PORT")]
    port: u16,

    /// Ask nothing, take the scenario's numbers
    #[arg(long)]
    yes: bool,

    /// Write over a scenario and an .env that are there; secrets that are there stay
    #[arg(long)]
    force: bool,
}

const SCENARIO: &str = "scenario.toml";
const ENVIRONMENT: &str = ".env";
const SECRETS: &str = "secrets";
/// The secrets, as compose.yaml names their files.
const SECRET_FILES: [&str; 2] = ["operator-token", "mongodb-password"];

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<(), Failure> {
    let mut scenario = scenario::find(&args.scenario).map_err(|error| Failure::usage(chain(&error)))?;
    refuse_to_overwrite(args)?;
    let infected = args.infected.unwrap_or(scenario.infected);
    let all = args.nodes.unwrap_or(scenario.nodes + scenario.infected);
    let safe = all.checked_sub(infected).ok_or_else(|| {
        Failure::usage(format!(
            "--infected {infected} is more than the {all} devices there are; raise --nodes"
        ))
    })?;
    if !args.yes {
        questions::ask(&mut scenario, out)?;
    }
    let seed = match scenario.seed {
        Some(seed) => seed,
        None => chance::new_seed()?,
    };
    let scenario = Scenario { nodes: safe, infected, seed: Some(seed), ..scenario };
    write(&args.dir.join(SCENARIO), &scenario.to_toml(), args.force)?;
    write(&args.dir.join(ENVIRONMENT), &environment(&scenario, seed, args.port)?, args.force)?;
    for name in SECRET_FILES {
        secret(&args.dir.join(SECRETS), name)?;
    }
    out.line(format_args!("Written to {}: {SCENARIO}, {ENVIRONMENT}, {SECRETS}/.", args.dir.display()));
    out.line("Start it with:  docker compose up --detach --build");
    out.line(format_args!(
        "Open http://127.0.0.1:{}/ and sign in with what is in {SECRETS}/operator-token.",
        args.port
    ));
    Ok(())
}

fn refuse_to_overwrite(args: &Args) -> Result<(), Failure> {
    let there =
        [SCENARIO, ENVIRONMENT].map(|name| args.dir.join(name)).into_iter().find(|path| path.exists());
    match there {
        Some(path) if !args.force => Err(Failure::usage(format!(
            "{} is there already; --force writes over it, --dir names another folder",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn environment(scenario: &Scenario, seed: u64, port: u16) -> Result<String, Failure> {
    let run = chance::new_run()?;
    Ok(format!(
        "# Written by `coronaz init` for compose.yaml and compose.embedded.yaml. Nothing in it is secret.\n\
         COMPOSE_PROJECT_NAME=coronaz\n\
         CORONAZ_RUN={run}\n\
         CORONAZ_SEED={seed}\n\
         CORONAZ_PORT={port}\n\
         CORONAZ_SAFE={}\n\
         CORONAZ_INFECTED={}\n",
        scenario.nodes, scenario.infected
    ))
}

fn write(path: &Path, text: &str, over: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o644);
    if over {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    put(&options, path, text)
}

/// A secret that is there already stays: a database knows it.
fn secret(folder: &Path, name: &str) -> Result<(), Failure> {
    let path = folder.join(name);
    if path.exists() {
        return Ok(());
    }
    // The folder keeps others out; the file itself is read by the container's user, who is not this one.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed(folder, &error))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o444);
    put(&options, &path, &chance::new_secret()?)
}

fn put(options: &OpenOptions, path: &Path, text: &str) -> Result<(), Failure> {
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::io(format!("{} cannot be written: {error}", path.display()))
}
