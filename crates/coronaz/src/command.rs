//! The subcommands, a file each.

use clap::Subcommand;
use rustix::process::Signal;

use crate::{
    add, audit, chaos, failure::Failure, fleet, health, ingest, init, node, output::Output, parts, runs,
    serve, simulate, up,
};

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
    Runs(runs::Args),
    Audit(audit::Args),
    Chaos(chaos::Args),
    Init(init::Args),
    Health(health::Args),
}

impl Command {
    /// The signal that ends it when its parent has ended. Devices do not die of that: another parent carries them on.
    pub(crate) fn stops_with_parent_by(&self) -> Signal {
        if matches!(self, Command::Node(_)) { Signal::USR1 } else { Signal::TERM }
    }

    /// Does what it says. What its result is goes to `out`; a part that serves only says that it does.
    pub(crate) fn run(self, out: &mut Output) -> Result<(), Failure> {
        match self {
            Command::Up(args) => up::run(&args),
            Command::Add(args) => add::run(&args, out),
            Command::Node(args) => node::run(&args),
            Command::Fleet(args) => fleet::run(&args),
            Command::Parts(args) => parts::run(args, out),
            Command::Ingest(args) => ingest::run(args),
            Command::Serve(args) => serve::run(args),
            Command::Simulate(args) => simulate::run(&args, out),
            Command::Runs(args) => runs::run(&args, out),
            Command::Audit(args) => audit::run(&args, out),
            Command::Chaos(args) => chaos::run(&args, out),
            Command::Init(args) => init::run(&args, out),
            Command::Health(args) => health::run(&args),
        }
    }
}
