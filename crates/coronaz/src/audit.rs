//! `coronaz audit`: what the devices recorded against what is stored.

use std::{ops::ControlFlow, path::PathBuf};

use coronaz_laboratory::{
    audit::{Verdict, compare},
    journal::{self, Recorded},
};
use coronaz_store::{Queries, StoreLocation};
use uuid::Uuid;

use crate::failure::{Failure, chain};

/// Compare what the devices wrote down with what is stored; exit with 1 when anything is lost or doubled
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  coronaz up --journal journal --for 120 && coronaz audit --journal journal"
)]
pub(crate) struct Args {
    /// The folder that was given to the devices with --journal
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,

    /// The store, as a URL
    #[arg(long, default_value = "sqlite:coronaz-data/store.db", value_name = "URL")]
    store: StoreLocation,

    /// The run [default: the one that began last]
    #[arg(long, value_name = "RUN")]
    run: Option<Uuid>,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let store = args.store.queries();
    let run = match args.run {
        Some(run) => run,
        None => newest(store.as_ref())?,
    };
    let recorded = journal::read(&args.journal, run).map_err(|error| Failure::io(chain(&error)))?;
    let verdict = compare(recorded, stored(store.as_ref(), run)?);
    print(&verdict, run, args.json)?;
    if verdict.is_clean() {
        return Ok(());
    }
    let Verdict { lost, doubled, unknown, .. } = verdict;
    Err(Failure::found(format!(
        "the store is not what was recorded: {lost} lost, {doubled} doubled, {unknown} unknown"
    )))
}

fn newest(store: &dyn Queries) -> Result<Uuid, Failure> {
    let newest = store.newest_run().map_err(|error| Failure::unavailable(chain(&error)))?;
    newest.ok_or_else(|| Failure::usage("the store holds no run yet"))
}

fn stored(store: &dyn Queries, run: Uuid) -> Result<Vec<Recorded>, Failure> {
    let mut rows = Vec::new();
    store
        .each_contact(run, &mut |contact| {
            rows.push(Recorded { hearer: contact.person, time_us: contact.time_us, heard: contact.other });
            ControlFlow::Continue(())
        })
        .map_err(|error| Failure::unavailable(chain(&error)))?;
    Ok(rows)
}

fn print(verdict: &Verdict, run: Uuid, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(verdict).map_err(|error| Failure::internal(error.to_string()))?;
        println!("{text}");
        return Ok(());
    }
    println!("run      {run}");
    println!("recorded {}", verdict.recorded);
    println!("stored   {}", verdict.stored);
    println!("lost     {}", verdict.lost);
    println!("doubled  {}", verdict.doubled);
    println!("unknown  {}", verdict.unknown);
    Ok(())
}
