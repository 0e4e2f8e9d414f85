//! `coronaz add`: more people for a laboratory that runs.

use std::path::PathBuf;

use coronaz_laboratory::control::{self, Answer, Request};
use coronaz_wire::control::Reason;
use uuid::Uuid;

use crate::{
    failure::{Failure, chain},
    output::Output,
};

/// Add people to the laboratory that runs on this machine
#[derive(clap::Args)]
#[command(after_help = "Example:\n  coronaz add --safe 3 --infected 1")]
pub(crate) struct Args {
    /// How many safe people
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000), value_name = "X")]
    safe: u32,

    /// How many infected people
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=10_000), value_name = "Y")]
    infected: u32,

    /// The run that they join [default: the newest run of devices]
    #[arg(long, value_name = "UUID")]
    run: Option<Uuid>,

    /// The folder of the laboratory
    #[arg(long, default_value = "coronaz-data", value_name = "DIR")]
    data_dir: PathBuf,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<(), Failure> {
    if args.safe + args.infected == 0 {
        return Err(Failure::usage("nobody to add; say how many with --safe X and --infected Y"));
    }
    let request = Request::Add { safe: args.safe, infected: args.infected, run: args.run };
    match ask(&args.data_dir, &request)? {
        Answer::Done(text) => out.line(text),
        other => return Err(unexpected(&other)),
    }
    Ok(())
}

/// Asks a running laboratory; a refusal is a failure.
pub(crate) fn ask(data_dir: &std::path::Path, request: &Request) -> Result<Answer, Failure> {
    match control::ask(data_dir, request) {
        Ok(Answer::Refused(refusal)) => Err(match refusal.reason {
            Reason::Wrong | Reason::Unknown => Failure::usage(refusal.text),
            Reason::Conflict | Reason::Failed => Failure::unavailable(refusal.text),
        }),
        Ok(answer) => Ok(answer),
        Err(error) => Err(Failure::unavailable(chain(&error))),
    }
}

pub(crate) fn unexpected(answer: &Answer) -> Failure {
    Failure::internal(format!("the laboratory gave an answer to another question: {answer:?}"))
}
