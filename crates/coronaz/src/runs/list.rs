//! `coronaz runs list` and `coronaz runs show`.

use std::borrow::Cow;

use coronaz_store::{Queries, StoreLocation, view::Run};
use coronaz_wire::{names, timestamp};
use serde_json::json;

use super::{as_json, failure_of, find};
use crate::{failure::Failure, output::Output};

/// The runs, newest first
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  coronaz runs list\n  coronaz runs list --deleted --json")]
pub(super) struct ListArgs {
    /// The deleted ones instead: when they were, and how many of their records arrived afterwards
    #[arg(long)]
    deleted: bool,

    /// Print JSON, with times in milliseconds since 1970
    #[arg(long)]
    json: bool,
}

/// All about one run
#[derive(clap::Args)]
#[command(after_help = "Example:\n  coronaz runs show newest")]
pub(super) struct ShowArgs {
    /// Its UUID, the beginning of it, its name, or `newest`
    #[arg(value_name = "RUN")]
    run: String,

    /// Print JSON, with times in milliseconds since 1970
    #[arg(long)]
    json: bool,
}

pub(super) fn list(store: &StoreLocation, args: &ListArgs, out: &mut Output) -> Result<(), Failure> {
    if args.deleted {
        return deleted(store, args.json, out);
    }
    let runs = store.queries().runs().map_err(|error| failure_of(&error))?;
    if args.json {
        let runs: Vec<_> = runs.iter().map(as_json).collect();
        out.line(format_args!("{}", json!({ "runs": runs })));
        return Ok(());
    }
    let mut text = format!(
        "{:<36}  {:<5}  {:<16}  {:<19}  {:>9}  {:>9}  {:>12}  {:>10}\n",
        "RUN", "KIND", "NAME", "STARTED (UTC)", "PEOPLE", "MOMENTS", "CONTACTS", "INFECTIONS"
    );
    for run in runs {
        text += &format!(
            "{}  {:<5}  {:<16}  {:<19}  {:>9}  {:>9}  {:>12}  {:>10}\n",
            run.id,
            run.kind,
            short(&name_of(&run)),
            when(run.started_us),
            run.nodes,
            run.moments,
            run.contacts,
            run.infections,
        );
    }
    out.text(text);
    Ok(())
}

fn deleted(store: &StoreLocation, as_json: bool, out: &mut Output) -> Result<(), Failure> {
    let tombs = store.administration().deleted_runs().map_err(|error| failure_of(&error))?;
    if as_json {
        let one = |tomb: &coronaz_store::DeletedRun| json!({ "id": tomb.run, "deleted_ms": tomb.at_us.div_euclid(1000), "skipped": tomb.skipped });
        out.line(format_args!("{}", json!({ "deleted": tombs.iter().map(one).collect::<Vec<_>>() })));
        return Ok(());
    }
    let mut text = format!("{:<36}  {:<19}  {:>15}\n", "DELETED RUN", "WHEN (UTC)", "RECORDS SKIPPED");
    for tomb in tombs {
        text += &format!("{}  {:<19}  {:>15}\n", tomb.run, when(Some(tomb.at_us)), tomb.skipped);
    }
    out.text(text);
    Ok(())
}

pub(super) fn show(queries: &dyn Queries, args: &ShowArgs, out: &mut Output) -> Result<(), Failure> {
    let run = find(queries, &args.run)?;
    if args.json {
        let mut all = as_json(&run);
        all["scenario"] = json!(run.scenario);
        out.line(format_args!("{all}"));
        return Ok(());
    }
    let mut text = String::new();
    let Run { id, kind, seed, figures, .. } = &run;
    text += &format!("run         {id}\n");
    text += &format!("name        {}\n", name_of(&run));
    text += &format!("kind        {kind}\n");
    text += &format!("seed        {}\n", seed.map_or("-".to_owned(), |seed| seed.to_string()));
    text += &format!("started     {}\n", when(run.started_us));
    text += &format!("newest      {}\n", when(run.last_us));
    text += &format!("people      {}\n", run.nodes);
    text += &format!("moments     {}\n", run.moments);
    text += &format!("reports     {}\n", run.reports);
    text += &format!("contacts    {}\n", run.contacts);
    text += &format!("infections  {}\n", run.infections);
    text += &format!(
        "now         {} infected, {} immune, {} dead ({} of them infected), of {} who reported\n",
        figures.zombies, figures.immune, figures.deaths, figures.dead_zombies, figures.total
    );
    for (name, value) in &run.parameters {
        text += &format!("parameter   {} = {}\n", names::escaped(name), names::escaped(&value.to_string()));
    }
    out.text(text);
    Ok(())
}

/// A time as people read it, to the second.
pub(super) fn when(time_us: Option<i64>) -> String {
    time_us.map_or("-".to_owned(), |time_us| timestamp::format(time_us).chars().take(19).collect())
}

/// A run's name; a stranger's does nothing to the terminal.
fn name_of(run: &Run) -> Cow<'_, str> {
    run.name.as_deref().map_or(Cow::Borrowed("-"), |name| names::shown(Some(name)))
}

/// As much of a name as a column has room for.
fn short(name: &str) -> String {
    const WIDTH: usize = 16;
    if name.chars().count() <= WIDTH {
        return name.to_owned();
    }
    name.chars().take(WIDTH - 1).chain(['…']).collect()
}
