//! The subcommands, a file each.

use clap::Subcommand;

use crate::{add, audit, failure::Failure, fleet, ingest, node, parts, serve, simulate, up};

#[derive(Subcommand)]
pub(crate) enum Command {
    Up(up::Args),
    Add(add::Args),
    Node(node::Args),
    Fleet(fleet::Args),
    Parts(parts::Args),
    Ingest(ingest::Args),
    Serve(serve::Args),
    Simulate(simulate::Args),
    Audit(audit::Args),
}

impl Command {
    /// Does what it says.
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self {
            Command::Up(args) => up::run(&args),
            Command::Add(args) => add::run(&args),
            Command::Node(args) => node::run(&args),
            Command::Fleet(args) => fleet::run(&args),
            Command::Parts(args) => parts::run(args),
            Command::Ingest(args) => ingest::run(args),
            Command::Serve(args) => serve::run(args),
            Command::Simulate(args) => simulate::run(&args),
            Command::Audit(args) => audit::run(&args),
        }
    }
}
