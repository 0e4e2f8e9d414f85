//! `coronaz`: every part of the laboratory behind one command line.

mod add;
mod audit;
mod chance;
mod chaos;
mod command;
mod failure;
mod fleet;
mod health;
mod ingest;
mod init;
mod logging;
mod node;
mod output;
mod parameters;
mod parts;
mod population;
mod questions;
mod runs;
mod serve;
mod simulate;
mod store_args;
mod up;

use std::process::ExitCode;

use clap::Parser;
use command::Command;

/// CoronaZ: a laboratory for contact tracing on one laptop or many machines.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
#[command(
    after_help = "Example:\n  coronaz up    # everything on this machine; then open the address it prints"
)]
struct Cli {
    #[command(flatten)]
    logging: logging::Args,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::exit_of_clap(&error),
    };
    cli.logging.init(cli.command.stops_with_parent_by());
    let mut output = output::Output::stdout();
    let outcome = cli.command.run(&mut output);
    output.end(outcome).map_or_else(failure::Failure::report, |()| ExitCode::SUCCESS)
}
