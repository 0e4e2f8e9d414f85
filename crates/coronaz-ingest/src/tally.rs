//! What is counted, shared by reader and writer, and the line in the log that tells of it.

use coronaz_store::{Committed, IngestState};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Between two lines in the log.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Counters since the start. Each is one thread's to write; the other only reads them.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Records that are in.
    pub(crate) records: AtomicU64,
    /// Of these, how many could not be read.
    pub(crate) rejected: AtomicU64,
    /// Reports that were new.
    pub(crate) reports: AtomicU64,
    /// Reports that were in before.
    pub(crate) repeated: AtomicU64,
    /// Records of runs that were deleted.
    pub(crate) skipped: AtomicU64,
    /// Contacts that were new.
    pub(crate) contacts: AtomicU64,
    /// States drawn.
    pub(crate) states: AtomicU64,
    /// Commits.
    pub(crate) commits: AtomicU64,
    /// Records on the topic that are not in.
    pub(crate) lag_records: AtomicU64,
    /// When the newest record that is in was sent; 0: none yet.
    pub(crate) newest_us: AtomicI64,
    /// The store does not take anything now.
    pub(crate) store_away: AtomicBool,
    /// A partition has records, or another end than it should, and has yielded nothing for a while.
    pub(crate) stalled: AtomicBool,
}

impl Tally {
    /// Counts a commit.
    pub(crate) fn count(&self, records: usize, rejected: usize, newest_us: i64, committed: &Committed) {
        self.records.fetch_add(records as u64, Relaxed);
        self.rejected.fetch_add(rejected as u64 + committed.rejected, Relaxed);
        self.reports.fetch_add(committed.reports, Relaxed);
        self.repeated.fetch_add(committed.repeated, Relaxed);
        self.skipped.fetch_add(committed.skipped, Relaxed);
        self.contacts.fetch_add(committed.contacts, Relaxed);
        self.states.fetch_add(committed.states, Relaxed);
        self.commits.fetch_add(1, Relaxed);
        self.newest_us.fetch_max(newest_us, Relaxed);
    }

    /// The word for the status.
    pub(crate) fn state(&self, holds_any: bool) -> IngestState {
        match (self.store_away.load(Relaxed) || self.stalled.load(Relaxed), holds_any) {
            (true, _) => IngestState::Waiting,
            (false, true) => IngestState::Running,
            (false, false) => IngestState::Starting,
        }
    }
}

/// Logs rates, seldom, and only while there is something to tell.
#[derive(Debug, Default)]
pub(crate) struct TallyLog {
    at: Duration,
    records: u64,
    contacts: u64,
    commits: u64,
}

impl TallyLog {
    /// Logs if it is time; `now` counts from any fixed moment.
    pub(crate) fn tell(&mut self, tally: &Tally, now: Duration) {
        let elapsed = now.saturating_sub(self.at);
        if elapsed < LOG_EVERY {
            return;
        }
        let per_second = |new: u64, old: u64| (new - old) as f64 / elapsed.as_secs_f64();
        let (records, contacts) = (tally.records.load(Relaxed), tally.contacts.load(Relaxed));
        let commits = tally.commits.load(Relaxed);
        if records != self.records {
            tracing::info!(
                records,
                rejected = tally.rejected.load(Relaxed),
                repeated = tally.repeated.load(Relaxed),
                skipped = tally.skipped.load(Relaxed),
                contacts,
                records_per_s = per_second(records, self.records).round(),
                contacts_per_s = per_second(contacts, self.contacts).round(),
                commits_per_s = per_second(commits, self.commits).round(),
                lag_records = tally.lag_records.load(Relaxed),
                "stored"
            );
        }
        *self = Self { at: now, records, contacts, commits };
    }
}
