//! Why a command failed, and the exit code that says so (the numbers of BSD's `sysexits.h`).

use std::{error::Error, fmt::Write as _, io::ErrorKind, process::ExitCode};

use crate::output;

/// A command's failure: what is printed, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    code: u8,
}

/// The command line or a file of the user's is wrong (`EX_USAGE`).
const USAGE: u8 = 64;
/// A part that is needed does not answer, or a port is taken (`EX_UNAVAILABLE`).
const UNAVAILABLE: u8 = 69;
/// Our own mistake (`EX_SOFTWARE`).
const INTERNAL: u8 = 70;
/// The operating system refused to read or write (`EX_IOERR`).
const IO: u8 = 74;
/// The command did its work, and its answer is no (an audit that found something).
const FOUND: u8 = 1;
/// Stopped by the user before the end, as a shell says it of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

impl Failure {
    /// The caller's mistake; exit code 64.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: USAGE }
    }

    /// Something needed is not there; exit code 69.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: UNAVAILABLE }
    }

    /// Our mistake; exit code 70.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: INTERNAL }
    }

    /// Reading or writing failed; exit code 74.
    pub(crate) fn io(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: IO }
    }

    /// The check was made and is not passed; exit code 1.
    pub(crate) fn found(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: FOUND }
    }

    /// The user stopped it; exit code 130.
    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Failure { message: message.into(), code: INTERRUPTED }
    }

    /// Prints the failure and gives its exit code.
    pub(crate) fn report(self) -> ExitCode {
        output::note(format_args!("coronaz: {}", self.message));
        ExitCode::from(self.code)
    }
}

/// An error and everything that led to it, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// Prints what clap has to say; help and version succeed, everything else exits with 64.
pub(crate) fn exit_of_clap(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    match printed {
        // Nothing is left to report to when standard error itself is closed.
        _ if error.use_stderr() => ExitCode::from(USAGE),
        Err(failed) if failed.kind() != ErrorKind::BrokenPipe => output::cannot_be_written(&failed).report(),
        _ => ExitCode::SUCCESS,
    }
}
