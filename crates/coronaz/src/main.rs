//! `coronaz`: every part of the laboratory behind one command line.

mod add;
mod audit;
mod failure;
mod ingest;
mod logging;
mod node;
mod parameters;
mod parts;
mod serve;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// CoronaZ: a laboratory for contact tracing on one laptop or many machines.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 110)]
#[command(
    after_help = "Example:\n  coronaz up            # everything on this machine; then open the address it prints"
)]
struct Cli {
    #[command(flatten)]
    logging: logging::Args,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::Args),
    Add(add::Args),
    Node(node::Args),
    Parts(parts::Args),
    Ingest(ingest::Args),
    Serve(serve::Args),
    Audit(audit::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::exit_of_clap(&error),
    };
    cli.logging.init();
    let outcome = match cli.command {
        Command::Up(args) => up::run(args),
        Command::Add(args) => add::run(&args),
        Command::Node(args) => node::run(args),
        Command::Parts(args) => parts::run(args),
        Command::Ingest(args) => ingest::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Audit(args) => audit::run(&args),
    };
    outcome.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}
