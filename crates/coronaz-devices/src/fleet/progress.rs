//! The line in the log.

use std::time::{Duration, Instant};

use coronaz_model::{Fleet, Health, Tick};

use super::publisher::Figures;

/// From one line to the next.
const EVERY: Duration = Duration::from_secs(10);
/// Later than this is worth a warning.
const BEHIND_MIN: Duration = Duration::from_secs(1);

/// When the last line was.
pub(super) struct Progress {
    told: Instant,
    tick: Tick,
    people: u32,
}

impl Progress {
    pub(super) fn new(now: Instant, tick: Tick, people: u32) -> Self {
        Progress { told: now, tick, people }
    }

    /// Tells how far the fleet is, if it is time.
    pub(super) fn tell(&mut self, fleet: &Fleet, behind: Duration, records: &Figures) {
        let since = self.told.elapsed();
        if since < EVERY {
            return;
        }
        let ticks = (fleet.tick() - self.tick) as f64;
        let rate = ticks * f64::from(self.people) / since.as_secs_f64();
        (self.told, self.tick) = (Instant::now(), fleet.tick());
        let behind_s = (behind.as_secs_f64() * 10.0).round() / 10.0;
        tracing::info!(
            tick = fleet.tick(),
            person_ticks_per_s = rate.round(),
            behind_s,
            infected = fleet.census().of(Health::Infectious),
            deceased = fleet.census().of(Health::Deceased),
            records = records.records,
            waiting_bytes = records.waiting_bytes,
            spooled_bytes = records.spooled_bytes,
            dropped = records.dropped,
            "fleet"
        );
        if behind > BEHIND_MIN {
            tracing::warn!(behind_s, "the fleet cannot keep up with its pace");
        }
    }
}
