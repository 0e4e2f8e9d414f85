//! Old runs go by themselves, in the background.

use coronaz_store::Administration;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// After the start: ingest comes first.
const FIRST: Duration = Duration::from_secs(10);

/// Between two looks for old runs: their age counts in days.
const EVERY: Duration = Duration::from_secs(3600);

/// How soon a stop is noticed.
const NOTICE: Duration = Duration::from_millis(100);

/// A wall clock that went so much further than time itself was set: nothing is deleted by it until it has kept step
/// from one look to the next.
const JUMP_US: i64 = 3600 * 1_000_000;

/// Which runs are kept, and how it is known what time it is.
pub struct Retention {
    keep_us: i64,
    clock: fn() -> i64,
    base: Option<(Instant, i64)>,
}

impl Retention {
    /// Keeps runs for so long after something of them was stored last. `clock` says microseconds since the Unix epoch.
    pub fn new(keep: Duration, clock: fn() -> i64) -> Self {
        Self { keep_us: i64::try_from(keep.as_micros()).unwrap_or(i64::MAX), clock, base: None }
    }

    /// Looks for old runs and deletes them, now and every hour, until `stop` is set. A store that is away is tried
    /// again.
    pub fn run(mut self, mut store: Box<dyn Administration>, stop: &AtomicBool) {
        let mut wait = FIRST;
        loop {
            let begun = Instant::now();
            while begun.elapsed() < wait {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                thread::sleep(NOTICE);
            }
            self.look(&mut *store, Instant::now(), stop);
            wait = EVERY;
        }
    }

    /// One look.
    fn look(&mut self, store: &mut dyn Administration, now: Instant, stop: &AtomicBool) {
        let now_us = (self.clock)();
        if let Some((at, at_us)) = self.base.replace((now, now_us)) {
            let passed_us = i64::try_from((now - at).as_micros()).unwrap_or(i64::MAX);
            let ahead_us = now_us.saturating_sub(at_us).saturating_sub(passed_us);
            if ahead_us.abs() > JUMP_US {
                tracing::warn!(
                    seconds = ahead_us / 1_000_000,
                    "the clock was set: old runs are kept until it is trusted again"
                );
                return;
            }
        }
        let mut told = Instant::now();
        let mut watch = |rows: u64| {
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                tracing::info!(rows, "removing what is left of deleted runs");
            }
            if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        match store.prune(now_us.saturating_sub(self.keep_us), now_us, &mut watch) {
            Ok(runs) => {
                for run in runs {
                    tracing::info!(%run, "deleted: nothing of it was stored for as long as runs are kept");
                }
            }
            Err(error) => tracing::warn!(%error, "old runs are not deleted now; tried again in an hour"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_store::administration::Watch;
    use coronaz_store::{Deleted, DeletedRun, StoreError};
    use std::sync::atomic::AtomicI64;
    use uuid::Uuid;

    /// Notes before which time it was asked to delete.
    #[derive(Default)]
    struct Asked(Vec<i64>);

    impl Administration for Asked {
        fn delete_run(&mut self, run: Uuid, _: i64, _: Watch<'_>) -> Result<Deleted, StoreError> {
            Err(StoreError::NoSuchRun(run))
        }

        fn prune(&mut self, before_us: i64, _: i64, _: Watch<'_>) -> Result<Vec<Uuid>, StoreError> {
            self.0.push(before_us);
            Ok(vec![])
        }

        fn deleted_runs(&mut self) -> Result<Vec<DeletedRun>, StoreError> {
            Ok(vec![])
        }
    }

    #[test]
    fn nothing_is_deleted_by_a_clock_that_was_just_set() {
        static CLOCK: AtomicI64 = AtomicI64::new(0);
        const DAY_US: i64 = 86_400_000_000;
        let mut store = Asked::default();
        let stop = AtomicBool::new(false);
        let mut retention = Retention::new(Duration::from_secs(86_400), || CLOCK.load(Ordering::Relaxed));
        let begun = Instant::now();
        let mut look_at = |hours: u64, wall_us: i64| {
            CLOCK.store(wall_us, Ordering::Relaxed);
            retention.look(&mut store, begun + Duration::from_secs(hours * 3600), &stop);
        };
        let hour_us = 3600 * 1_000_000;
        look_at(0, 10 * DAY_US);
        look_at(1, 10 * DAY_US + hour_us);
        look_at(2, 5000 * DAY_US);
        look_at(3, 10 * DAY_US + 3 * hour_us);
        look_at(4, 10 * DAY_US + 4 * hour_us);
        assert_eq!(store.0, [9 * DAY_US, 9 * DAY_US + hour_us, 9 * DAY_US + 4 * hour_us]);
    }
}
