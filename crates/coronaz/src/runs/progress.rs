//! How far a deletion or an export is: on a terminal a moving line, otherwise one now and then.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// How often a line is written where there is no terminal: seldom enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// What is over sooner is not worth a line.
const QUIET: Duration = Duration::from_millis(500);

/// Counts rows.
pub(super) struct Rows {
    what: String,
    /// How many there will be, if that is known.
    of: Option<u64>,
    begun: Instant,
    bar: Option<ProgressBar>,
    line_at: Instant,
}

impl Rows {
    pub(super) fn new(what: impl Into<String>, of: Option<u64>) -> Self {
        let begun = Instant::now();
        Self { what: what.into(), of, begun, bar: None, line_at: begun + LINE_EVERY }
    }

    /// So many are done.
    pub(super) fn at(&mut self, rows: u64) {
        let now = Instant::now();
        if now - self.begun < QUIET {
            return;
        }
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| bar(self.of).with_message(self.what.clone()));
            bar.set_position(rows);
        } else if now >= self.line_at {
            self.line_at = now + LINE_EVERY;
            let of = self.of.map_or(String::new(), |of| format!(" of about {of}"));
            let rate = rows as f64 / self.begun.elapsed().as_secs_f64();
            output::note(format_args!("{}: {rows}{of} rows, {rate:.0} a second", self.what));
        }
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(of: Option<u64>) -> ProgressBar {
    let (bar, template) = match of {
        Some(of) => {
            (ProgressBar::new(of), "{msg} {bar:40} {human_pos} of {human_len} rows, {per_sec}, {eta} left")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {msg}: {human_pos} rows, {per_sec}"),
    };
    // A template that is wrong would show in the first run of any test of it: then the library's own look will do.
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("━╸ ")),
        Err(_) => bar,
    }
}
