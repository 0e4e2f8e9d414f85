//! `coronaz runs delete`.

use std::{
    io::{BufRead, IsTerminal},
    ops::ControlFlow,
};

use coronaz_store::{StoreLocation, view::Run};
use coronaz_wire::wall_clock;

use super::{failure_of, find, list::when, progress::Rows};
use crate::{
    failure::{Failure, chain},
    output::Output,
};

/// Delete runs: no row of them is left, and records of them that still arrive are not stored
///
/// Whoever ingests goes on meanwhile. The file does not become smaller, its room is used again.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  coronaz runs delete 0197a3\n  coronaz runs delete 0197a3 0198 --yes")]
pub(super) struct Args {
    /// Their UUIDs, the beginnings of them, or their names
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) fn delete(store: &StoreLocation, args: &Args, out: &mut Output) -> Result<(), Failure> {
    let queries = store.queries();
    // All are found before the first one goes.
    let runs: Vec<Run> = args.runs.iter().map(|word| find(&*queries, word)).collect::<Result<_, _>>()?;
    let mut administration = store.administration();
    for run in runs {
        if !args.yes && !confirmed(&run, out)? {
            out.line(format_args!("{} is kept", run.id));
            continue;
        }
        let mut progress = Rows::new(format!("deleting {}", run.id), None);
        let mut watch = |rows: u64| {
            progress.at(rows);
            ControlFlow::Continue(())
        };
        let deleted = administration
            .delete_run(run.id, wall_clock::now_us(), &mut watch)
            .map_err(|error| failure_of(&error))?;
        drop(progress);
        out.line(format_args!("{} is deleted: {} rows", run.id, deleted.rows));
    }
    Ok(())
}

fn confirmed(run: &Run, out: &mut Output) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("nobody is there to ask; with --yes nothing is asked"));
    }
    let name = run.name.as_deref().unwrap_or("without a name");
    out.line(format_args!(
        "Run {} ({name}, {} people, {} contacts, newest report {}).",
        run.id,
        run.nodes,
        run.contacts,
        when(run.last_us)
    ));
    out.text(
        "Delete it for good? If its devices still run, what they report from now on is dropped too. [y/N] ",
    );
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::io(chain(&error)))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
