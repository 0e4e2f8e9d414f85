//! What is logged, and how: to standard error, so that standard output holds results alone.

use std::io::{IsTerminal, Read};

use rustix::process::Signal;
use tracing_subscriber::EnvFilter;

/// Options that every subcommand has.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to log: error, warn, info, debug, or a filter such as `info,coronaz_radio=debug`
    #[arg(long, global = true, env = "CORONAZ_LOG", default_value = "info", value_name = "FILTER")]
    #[arg(value_parser = parse_filter, help_heading = "Logging")]
    log: String,

    /// Stop when standard input ends: for parts that `coronaz up` started
    #[arg(long, global = true, hide = true)]
    with_parent: bool,
}

fn parse_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl Args {
    /// Starts logging, and the watch over the parent where asked for: with its end this process is sent `signal`.
    pub(crate) fn init(&self, signal: Signal) {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(&self.log))
            .with_writer(std::io::stderr)
            // Told by a print macro otherwise, which ends the process when standard error is closed or full.
            .log_internal_errors(false)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .init();
        if self.with_parent {
            std::thread::spawn(move || stop_with_parent(signal));
        }
    }
}

/// Waits for the end of standard input, a pipe from the parent, and then asks this process to stop.
fn stop_with_parent(signal: Signal) {
    let mut byte = [0];
    while std::io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
    let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
}
