//! `coronaz parts`: how the parts are; kill, pause, resume and restart one.

use std::path::PathBuf;

use clap::ValueEnum;
use coronaz_laboratory::control::{Answer, Request};

use crate::{
    add::{ask, unexpected},
    failure::Failure,
    output::Output,
};

/// Show the parts of the laboratory that runs on this machine, or kill, pause, resume or restart one
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

    /// End a part's process in an orderly way, and start it again; devices come back with what they had recorded
    #[arg(long, value_name = "PART", group = "act")]
    restart: Option<String>,

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

pub(crate) fn run(args: Args, out: &mut Output) -> Result<(), Failure> {
    let request = match (args.kill, args.pause, args.resume, args.restart) {
        (Some(part), ..) => Request::Kill { part },
        (_, Some(part), ..) => Request::Pause { part },
        (_, _, Some(part), _) => Request::Resume { part },
        (.., Some(part)) => Request::Restart { part },
        (None, None, None, None) => Request::Status,
    };
    match ask(&args.data_dir, &request)? {
        Answer::Done(text) => out.line(text),
        Answer::Parts(parts) => match args.format {
            Format::Json => {
                let text =
                    serde_json::to_string(&parts).map_err(|error| Failure::internal(error.to_string()))?;
                out.line(text);
            }
            Format::Table => {
                out.line(format_args!(
                    "{:<12} {:<11} {:>8} {:>9} {:>8} {:>8}  address",
                    "part", "state", "process", "restarts", "MiB", "CPU s"
                ));
                for part in parts {
                    let state = format!("{:?}", part.state).to_lowercase();
                    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
                    let pid = or_none(part.pid.map(|pid| pid.to_string()));
                    let memory = or_none(part.memory_bytes.map(|bytes| (bytes >> 20).to_string()));
                    let cpu = or_none(part.cpu_seconds.map(|seconds| format!("{seconds:.1}")));
                    let (name, restarts) = (part.name, part.restarts);
                    let address = or_none(part.address);
                    out.line(format_args!(
                        "{name:<12} {state:<11} {pid:>8} {restarts:>9} {memory:>8} {cpu:>8}  {address}"
                    ));
                }
            }
        },
        other => return Err(unexpected(&other)),
    }
    Ok(())
}
