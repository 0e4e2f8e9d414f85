//! The embedded broker: a topic over the Kafka protocol, on one file, for one machine.
//!
//! | module | what it holds |
//! |---|---|
//! | `options` | the command line |
//! | `data` | the data file: one broker at a time, the topic made |
//! | `serve` | accepting, until a signal says stop |

mod data;
mod options;
mod serve;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::options::Options;

/// What a wrong command line ends with (sysexits' `EX_USAGE`).
const EXIT_USAGE: u8 = 64;
/// Two cores serve a laboratory; the storage answers one request at a time anyway.
const WORKER_THREADS: usize = 2;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(told) => {
            // Nothing is left to do when even that cannot be printed.
            let _ = told.print();
            return if told.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let filter =
        EnvFilter::try_from_env("CORONAZ_LOG").unwrap_or_else(|_| EnvFilter::new("coronaz_broker=info,off"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();

    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(WORKER_THREADS).enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(serve::run(&options));
            // The storage's task never ends by itself; a write in progress is rolled back by the next start.
            runtime.shutdown_timeout(std::time::Duration::from_millis(500));
            ended
        }
        Err(source) => Err(serve::ServeError::Runtime { source }),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("coronaz-broker: {error}");
            ExitCode::FAILURE
        }
    }
}
