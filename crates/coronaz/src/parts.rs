//! `coronaz parts`: how the parts are; kill, pause and resume one.

use std::path::PathBuf;

use clap::ValueEnum;
use coronaz_laboratory::control::{Answer, Request};

use crate::{
    add::{ask, unexpected},
    failure::Failure,
};

/// Show the parts of the laboratory that runs on this machine, or kill, pause or resume one
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  coronaz parts\n  coronaz parts --kill broker     # kill -9; it comes back by itself"
)]
pub(crate) struct Args {
    /// Kill a part's process (SIGKILL); the laboratory starts it again
    #[arg(long, value_name = "PART", group = "act")]
    kill: Option<String>,

    /// Pause a part's process (SIGSTOP)
    #[arg(long, value_name = "PART", group = "act")]
    pause: Option<String>,

    /// Let a paused part go on (SIGCONT)
    #[arg(long, value_name = "PART", group = "act")]
    resume: Option<String>,

    /// How to print the parts
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// The folder of the laboratory
    #[arg(long, default_value = "coronaz-data", value_name = "DIR")]
    data_dir: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Lines for people
    Table,
    /// One JSON array
    Json,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let request = match (args.kill, args.pause, args.resume) {
        (Some(part), ..) => Request::Kill { part },
        (_, Some(part), _) => Request::Pause { part },
        (.., Some(part)) => Request::Resume { part },
        (None, None, None) => Request::Status,
    };
    match ask(&args.data_dir, &request)? {
        Answer::Done(text) => println!("{text}"),
        Answer::Parts(parts) => match args.format {
            Format::Json => {
                let text =
                    serde_json::to_string(&parts).map_err(|error| Failure::internal(error.to_string()))?;
                println!("{text}");
            }
            Format::Table => {
                println!("{:<12} {:<11} {:>8} {:>9}", "part", "state", "process", "restarts");
                for part in parts {
                    let state = format!("{:?}", part.state).to_lowercase();
                    let pid = part.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
                    println!("{:<12} {:<11} {:>8} {:>9}", part.name, state, pid, part.restarts);
                }
            }
        },
        other @ Answer::Refused(_) => return Err(unexpected(&other)),
    }
    Ok(())
}
