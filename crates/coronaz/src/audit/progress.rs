//! How far an audit is: a bar on a terminal, now and then a line otherwise.

use std::{
    io::IsTerminal,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use coronaz_laboratory::audit::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::output;

/// Nothing is shown of an audit that is over sooner.
const SILENT_FOR: Duration = Duration::from_secs(2);
/// How often a bar moves: as often as is smooth.
const BAR_EVERY: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal: seldom enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What is shown of an audit while it lasts.
pub(super) struct Shown {
    run: Uuid,
    bar: Option<ProgressBar>,
    next: Instant,
}

impl Shown {
    pub(super) fn new(run: Uuid) -> Self {
        Shown { run, bar: None, next: Instant::now() + SILENT_FOR }
    }

    /// Shows how far it is. Ctrl-C ends the process, which changes nothing in the store.
    pub(super) fn show(&mut self, progress: Progress) -> ControlFlow<()> {
        let now = Instant::now();
        if now < self.next {
            return ControlFlow::Continue(());
        }
        let Progress { what, done, of } = progress;
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| ProgressBar::new(of).with_style(style()));
            bar.set_length(of);
            bar.set_message(what);
            bar.set_position(done);
            self.next = now + BAR_EVERY;
        } else {
            output::note(format_args!("auditing {}: {done} of {of} {what}", self.run));
            self.next = now + LINE_EVERY;
        }
        ControlFlow::Continue(())
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style() -> ProgressStyle {
    let template = "{percent:>3} % {bar:40} {pos} of {len} {msg}, {eta} left";
    ProgressStyle::with_template(template).expect("the template is right").progress_chars("━╸ ")
}
