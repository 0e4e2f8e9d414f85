//! How far a run is, to be looked at from another thread; and how to stop it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by who runs and who watches.
#[derive(Debug, Default)]
pub struct Progress {
    ticks: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    /// Ticks computed, or found not to be needed, of all replicates together.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Asks the run to stop after the tick it is in; nothing is written then.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn count_tick(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }

    /// These ticks of a replicate that ended early need not be computed.
    pub(crate) fn skip(&self, ticks: u64) {
        self.ticks.fetch_add(ticks, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
