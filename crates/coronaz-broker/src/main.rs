//! The embedded broker's program: see the library for what it does.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use coronaz_broker::{Options, run};
use tracing_subscriber::EnvFilter;

/// What a wrong command line ends with (sysexits' `EX_USAGE`).
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(told) => {
            // Nothing is left to do when even that cannot be printed.
            let _ = told.print();
            return if told.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let filter = EnvFilter::try_from_env("CORONAZ_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(std::io::stderr)
        // Told by a print macro otherwise, which ends the process when standard error is closed or full.
        .log_internal_errors(false)
        .init();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "coronaz-broker: {error}");
            ExitCode::FAILURE
        }
    }
}
