//! How far a simulation is: a bar on a terminal, now and then a line otherwise. And how to stop it.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use coronaz_simulation::{Plan, Progress};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    failure::{Failure, chain},
    output,
};

/// How often a bar moves: as often as is smooth.
const BAR_EVERY: Duration = Duration::from_millis(100);
/// How often a line is written where there is no terminal: seldom enough for a log.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows the progress until the sender of `ended` is gone.
pub(super) fn show(plan: &Plan, progress: &Progress, ended: &Receiver<()>) {
    let all = (plan.ticks - plan.first_tick()) * u64::from(plan.replicates);
    let begun = Instant::now();
    let rate = |ticks: u64| f64::from(plan.people) * ticks as f64 / begun.elapsed().as_secs_f64() / 1e6;
    if std::io::stderr().is_terminal() {
        let bar = ProgressBar::new(all).with_style(style());
        while !has_ended(ended, BAR_EVERY) {
            bar.set_position(progress.ticks());
            bar.set_message(format!("{:.1} million person-ticks/s", rate(progress.ticks())));
        }
        bar.finish_and_clear();
        return;
    }
    while !has_ended(ended, LINE_EVERY) {
        let ticks = progress.ticks();
        let left = begun.elapsed().mul_f64((all - ticks) as f64 / ticks.max(1) as f64);
        output::note(format_args!(
            "{:.0} % ({ticks} of {all} ticks), {:.1} million person-ticks/s, {} left",
            ticks as f64 / all as f64 * 100.0,
            rate(ticks),
            HumanDuration(left),
        ));
    }
}

fn style() -> ProgressStyle {
    let template = "{percent:>3} % {bar:40} {pos} of {len} ticks, {msg}, {eta} left";
    ProgressStyle::with_template(template).expect("the template is right").progress_chars("━╸ ")
}

fn has_ended(ended: &Receiver<()>, within: Duration) -> bool {
    ended.recv_timeout(within) == Err(RecvTimeoutError::Disconnected)
}

/// Ctrl-C and the polite request to stop end the run after the tick it is in.
pub(super) fn stop_on_signals(progress: Arc<Progress>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(chain(&error)))?;
    let signals = runtime.block_on(async {
        Ok::<_, std::io::Error>((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    });
    let (mut interrupt, mut terminate) = signals.map_err(|error| Failure::internal(chain(&error)))?;
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        progress.stop();
    });
    Ok(())
}
