//! `coronaz audit`: whether the store holds what happened, all of it, once, and nothing else.

mod progress;
mod table;

use std::{num::NonZero, path::PathBuf, time::Duration};

use coronaz_laboratory::audit::{self, AuditError, AuditOptions, LATE_AFTER, Until, Verdict};
use coronaz_store::Queries;
use coronaz_wire::wall_clock;
use uuid::Uuid;

use crate::{
    failure::{Failure, chain},
    output::{self, Output},
    store_args::StoreArgs,
};
use progress::Shown;

/// Compare the store with the truth; exit with 1 when anything is lost, doubled, wrong or unknown
///
/// A fleet is computed again from its scenario and seed, tick by tick: contacts, infections, and where everybody is.
/// Devices with a radio are taken at their word: their reports are numbered and carry totals with a digest; with --journal
/// their contacts are compared one by one. A run that still goes on is compared up to what is whole in the store.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    coronaz audit                       # the newest run\n  \
    coronaz audit 7c9f --json           # the run that begins so, for programs\n  \
    coronaz audit --all                 # every run in the store\n  \
    coronaz audit --data-dir DIR        # of the laboratory in that folder\n  \
    coronaz up --journal journal --for 120 && coronaz audit --journal journal --ended")]
pub(crate) struct Args {
    /// The run: its UUID, or as much of its beginning as no other run has [default: the one that began last]
    #[arg(value_name = "RUN")]
    run: Option<String>,

    /// Every run in the store
    #[arg(long, conflicts_with_all = ["run", "journal", "ticks"])]
    all: bool,

    /// The folder that was given to the devices with --journal
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,

    #[command(flatten)]
    place: StoreArgs,

    /// The run goes on: what may be on its way is not lost [default: if something of it was stored in the last 15 s]
    #[arg(long, conflicts_with = "ended")]
    live: bool,

    /// The run is over and ingest has caught up: everything is due
    #[arg(long)]
    ended: bool,

    /// A fleet is known to have computed this many ticks: what is missing up to there is lost
    #[arg(long, value_name = "N")]
    ticks: Option<u64>,

    /// What comes this many seconds after its time is late
    #[arg(long, default_value_t = LATE_AFTER.as_secs(), value_name = "SECONDS")]
    late_after: u64,

    /// Threads that compute a fleet again [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Print the figures as JSON: an object, with --all a list
    #[arg(long)]
    json: bool,
}

/// A run of which something was stored in this time still goes on: an outage of a part is shorter, as a rule.
const GOING_ON_US: i64 = 15_000_000;

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<(), Failure> {
    let store = args.place.location()?.queries();
    let runs = if args.all {
        let runs = store.runs().map_err(|error| Failure::unavailable(chain(&error)))?;
        runs.into_iter().map(|run| run.id).collect()
    } else {
        vec![audit::find_run(store.as_ref(), args.run.as_deref()).map_err(|error| failure(&error))?]
    };
    let mut verdicts = Vec::new();
    let mut not_computable = None;
    for run in runs {
        match one(args, store.as_ref(), run) {
            Ok(verdict) => {
                if !args.json {
                    table::print(&verdict, out);
                }
                verdicts.push(verdict);
            }
            // The others are audited all the same.
            Err(error @ AuditError::NotComputable { .. }) if args.all => {
                output::note(format_args!("coronaz: {}", chain(&error)));
                not_computable = Some(error);
            }
            Err(error) => return Err(failure(&error)),
        }
    }
    if args.json {
        print_json(args, &verdicts, out)?;
    }
    if let Some(worst) = verdicts.iter().find(|verdict| !verdict.is_clean()) {
        let Verdict { run, lost, doubled, wrong, unknown, .. } = worst;
        return Err(Failure::found(format!(
            "the store is not what happened in run {run}: {lost} lost, {doubled} doubled, {wrong} wrong, {unknown} unknown"
        )));
    }
    not_computable.map_or(Ok(()), |error| Err(failure(&error)))
}

fn one(args: &Args, store: &dyn Queries, run: Uuid) -> Result<Verdict, AuditError> {
    let until = match (args.live, args.ended) {
        (_, true) => Until::End,
        (true, false) => Until::Now,
        (false, false) => {
            let written_us = store.run(run)?.written_us.unwrap_or(i64::MIN);
            let recently = wall_clock::now_us().saturating_sub(written_us) < GOING_ON_US;
            if recently { Until::Now } else { Until::End }
        }
    };
    let options = AuditOptions {
        journal: args.journal.clone(),
        late_after: Duration::from_secs(args.late_after),
        until,
        ticks: args.ticks,
        threads: args.threads.map_or(0, NonZero::get),
    };
    let mut shown = Shown::new(run);
    audit::audit(store, run, &options, &mut |progress| shown.show(progress))
}

fn print_json(args: &Args, verdicts: &[Verdict], out: &mut Output) -> Result<(), Failure> {
    let text = match verdicts {
        [verdict] if !args.all => serde_json::to_string(verdict),
        verdicts => serde_json::to_string(verdicts),
    };
    out.line(text.map_err(|error| Failure::internal(error.to_string()))?);
    Ok(())
}

fn failure(error: &AuditError) -> Failure {
    let text = chain(error);
    match error {
        AuditError::NoRun | AuditError::Unknown { .. } | AuditError::Ambiguous { .. } => Failure::usage(text),
        AuditError::Store(_) | AuditError::NotComputable { .. } => Failure::unavailable(text),
        AuditError::Journal(_) => Failure::io(text),
        AuditError::Threads(_) => Failure::internal(text),
        AuditError::Stopped => Failure::interrupted(text),
    }
}
