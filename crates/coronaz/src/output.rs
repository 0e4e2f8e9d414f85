//! What a command prints. Output that is closed or full ends nothing but the output.
//!
//! Every line goes through here: the print macros end the process with a panic when nobody reads any more
//! (`coronaz runs list | head -1`) or the disk is full, whatever the process was doing. A house rule keeps them out.

use std::{
    fmt::{self, Display},
    io::{self, ErrorKind, Write},
};

use crate::failure::Failure;

/// Standard output, and what became of it.
#[derive(Debug)]
pub(crate) struct Output {
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// The reader has seen enough and is gone.
    Closed,
    /// What was printed is not where it should be.
    Failed(io::Error),
}

impl Output {
    pub(crate) fn stdout() -> Self {
        Output { state: State::Open }
    }

    /// Prints a line; after a failure, nothing.
    pub(crate) fn line(&mut self, text: impl Display) {
        self.write(format_args!("{text}\n"));
    }

    /// Prints a text as it is, such as a prompt.
    pub(crate) fn text(&mut self, text: impl Display) {
        self.write(format_args!("{text}"));
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        if !matches!(self.state, State::Open) {
            return;
        }
        let mut stdout = io::stdout().lock();
        // Flushed at once: programs wait for single lines, and a full disk shows here or nowhere.
        if let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) {
            self.state = match error.kind() {
                ErrorKind::BrokenPipe => State::Closed,
                _ => State::Failed(error),
            };
        }
    }

    /// What a command ends with whose result is what it printed: its own failure, else that of its output.
    ///
    /// # Errors
    /// The outcome's own failure; an I/O failure where something could not be printed.
    pub(crate) fn end(self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        match (outcome, self.state) {
            (Ok(()), State::Failed(error)) => Err(cannot_be_written(&error)),
            (outcome, _) => outcome,
        }
    }
}

/// The failure of a standard output that does not take what is printed.
pub(crate) fn cannot_be_written(error: &io::Error) -> Failure {
    Failure::io(format!("standard output cannot be written: {error}"))
}

/// Writes a line to standard error, for people: progress and last words. Nothing depends on its being read.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
