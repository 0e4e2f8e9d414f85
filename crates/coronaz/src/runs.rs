//! `coronaz runs`: what runs there are, and what becomes of them.

mod delete;
mod export;
mod list;
mod play;
mod progress;

use coronaz_store::{Queries, StoreError, view::Run};
use coronaz_wire::wall_clock;
use serde_json::json;

use crate::{
    failure::{Failure, chain},
    output::Output,
    store_args::StoreArgs,
};

/// List, show, delete and export the runs of a store; start, stop and fork them in the laboratory
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  coronaz runs list\n  coronaz runs show 0197a3\n  \
    coronaz runs export 0197a3 --out results --tables statistics,infections\n  \
    coronaz runs delete 0197a3 0198 --yes\n  \
    coronaz runs start --kind fleet --people 20000 --infected 20 --density 0.02\n\n\
    A run is named by its UUID, by the beginning of it, by its name, or by the word `newest`.")]
pub(crate) struct Args {
    #[command(flatten)]
    place: StoreArgs,

    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    List(list::ListArgs),
    Show(list::ShowArgs),
    Delete(delete::Args),
    Export(export::Args),
    Start(play::StartArgs),
    Stop(play::StopArgs),
    Fork(play::ForkArgs),
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<(), Failure> {
    let (store, data_dir) = (args.place.location()?, args.place.data_dir());
    match &args.action {
        Action::List(list) => list::list(&store, list, out),
        Action::Show(show) => list::show(&*store.queries(), show, out),
        Action::Delete(delete) => delete::delete(&store, delete, out),
        Action::Export(export) => export::export(&*store.queries(), export, out),
        Action::Start(start) => play::start(data_dir, start, out),
        Action::Stop(stop) => play::stop(&store, data_dir, stop, out),
        Action::Fork(fork) => play::fork(&*store.queries(), data_dir, fork, out),
    }
}

/// What a failed question means for the exit code.
fn failure_of(error: &StoreError) -> Failure {
    match error {
        StoreError::NoSuchRun(_) | StoreError::NoSuchNode { .. } => Failure::usage(chain(error)),
        _ => Failure::unavailable(chain(error)),
    }
}

/// The run that a word names: its UUID, the beginning of it, its name, or `newest`.
fn find(queries: &dyn Queries, word: &str) -> Result<Run, Failure> {
    let runs = queries.runs().map_err(|error| failure_of(&error))?;
    pick(runs, word, wall_clock::now_us())
}

/// Clocks of two machines are this far apart at most (microseconds); a start further ahead is that of a wrong clock.
const AHEAD_US: i64 = 60_000_000;

/// `runs` are newest first. One that begins in the future is the newest only where there is no other.
fn pick(runs: Vec<Run>, word: &str, now_us: i64) -> Result<Run, Failure> {
    if word == "newest" {
        let is_ahead = |run: &Run| run.started_us.is_some_and(|us| us > now_us.saturating_add(AHEAD_US));
        let (ahead, begun): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(is_ahead);
        let newest = begun.into_iter().chain(ahead).next();
        return newest.ok_or_else(|| Failure::usage("the store holds no run yet"));
    }
    let lower = word.to_ascii_lowercase();
    let digits = lower.replace('-', "");
    let is_id = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    let mut named: Vec<Run> = runs
        .into_iter()
        .filter(|run| {
            let by_id = is_id && run.id.simple().to_string().starts_with(&digits);
            by_id || run.name.as_deref() == Some(word)
        })
        .collect();
    match named.len() {
        0 => Err(Failure::usage(format!("no run is called {word:?}; `coronaz runs list` shows them"))),
        1 => Ok(named.remove(0)),
        many => {
            let ids: Vec<_> = named.iter().take(4).map(|run| run.id.to_string()).collect();
            Err(Failure::usage(format!("{word:?} names {many} runs: {}", ids.join(", "))))
        }
    }
}

/// A run as JSON, in the words and units of the API.
fn as_json(run: &Run) -> serde_json::Value {
    let milliseconds = |time_us: Option<i64>| time_us.map(|time_us| time_us.div_euclid(1000));
    let figures = &run.figures;
    json!({
        "id": run.id,
        "name": run.name,
        "kind": run.kind,
        "seed": run.seed,
        "started_ms": milliseconds(run.started_us),
        "last_ms": milliseconds(run.last_us),
        "moments": run.moments,
        "nodes": run.nodes,
        "reports": run.reports,
        "contacts": run.contacts,
        "infections": run.infections,
        "figures": {
            "total": figures.total,
            "zombies": figures.zombies,
            "deaths": figures.deaths,
            "dead_zombies": figures.dead_zombies,
            "immune": figures.immune,
        },
        "parameters": run.parameters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_store::Figures;
    use uuid::Uuid;

    fn run(id: u128, name: &str) -> Run {
        Run {
            id: Uuid::from_u128(id),
            name: Some(name.to_owned()),
            kind: "nodes".to_owned(),
            seed: None,
            scenario: None,
            parameters: serde_json::Map::new(),
            started_us: None,
            last_us: None,
            moments: 0,
            nodes: 0,
            reports: 0,
            figures: Figures::default(),
            contacts: 0,
            infections: 0,
            forked_from: None,
            written_us: None,
        }
    }

    #[test]
    fn a_run_is_named_by_the_beginning_of_its_uuid_its_name_or_as_the_newest() {
        let runs =
            || vec![run(0x0197a3 << 104, "town"), run(0x0198 << 112, "paper"), run(0x0197b0 << 104, "town")];
        let id = |word: &str| pick(runs(), word, 0).map(|run| run.id.as_u128()).ok();
        assert_eq!(id("newest"), Some(0x0197a3 << 104));
        assert_eq!(id("0198"), Some(0x0198 << 112));
        let mut ahead = runs();
        ahead[0].started_us = Some(2 * AHEAD_US);
        let newest = |runs, now_us| pick(runs, "newest", now_us).map(|run| run.id.as_u128()).ok();
        assert_eq!(newest(ahead.clone(), 0), Some(0x0198 << 112), "a time ahead of the clock orders nothing");
        assert_eq!(newest(ahead.clone(), AHEAD_US), Some(0x0197a3 << 104));
        assert_eq!(newest(vec![ahead.remove(0)], 0), Some(0x0197a3 << 104));
        assert_eq!(id("0197-B0"), Some(0x0197b0 << 104));
        assert_eq!(id("paper"), Some(0x0198 << 112));
        assert_eq!(id("0197"), None);
        assert_eq!(id("town"), None);
        assert_eq!(id("city"), None);
        assert_eq!(id(""), None);
    }
}
