//! What can be set.

use std::num::NonZeroU32;
use std::time::Duration;

use uuid::Uuid;

/// How an ingest process works. [`IngestConfig::new`] gives the defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestConfig {
    /// The process's name in leases and status. Two that run at the same time need two names; one that is
    /// restarted under its name goes on at once instead of waiting for its leases to run out.
    pub name: String,
    /// Partitions of the topic.
    pub partitions: u32,
    /// Reports without a run, such as those of the paper's programs, count to this one (default: to the run of zeros).
    pub adopt: Option<Uuid>,
    /// Reports from one state of a run to the next (default 10, as in the paper).
    pub state_every: NonZeroU32,
    /// A batch is written when it has this many records (default 10, as in the paper) and the store is not
    /// busy; while it is, the batch goes on growing.
    pub batch_records: usize,
    /// A batch is written when its oldest record has waited this long (default 50 ms: a visitor sees it within half a second).
    pub batch_wait: Duration,
    /// No batch is larger than this many records (default 50,000): as many as make sorted writes cheap.
    pub batch_records_max: usize,
    /// Records read and not yet stored, in bytes of memory (default 128 MiB). Beyond it, reading pauses; it goes
    /// on at three quarters.
    pub unstored_bytes_max: usize,
    /// What the store's writing side may keep in memory from one batch to the next, in bytes (default 512 MiB).
    pub store_bytes_max: usize,
    /// How long a lease lasts (default 5 s): what another process waits before it takes over from one that
    /// is gone.
    pub lease_lasts: Duration,
    /// How often leases are renewed (default 1 s).
    pub lease_renew: Duration,
    /// After the stop signal: how long to go on until everything is stored that was on the topic by then
    /// (default 5 s).
    pub drain: Duration,
}

impl IngestConfig {
    /// Shares out what the process may use in all, in bytes: half is the store's, an eighth is read ahead. Lists that grow
    /// and what is sorted take up to twice that once more, and the rest is for the client and the program.
    pub fn share_out(&mut self, memory_bytes: usize) {
        self.unstored_bytes_max = memory_bytes / 8;
        self.store_bytes_max = memory_bytes / 2;
    }

    /// The defaults.
    pub fn new(name: impl Into<String>, partitions: u32) -> Self {
        Self {
            name: name.into(),
            partitions,
            adopt: None,
            state_every: coronaz_store::batch::STATE_EVERY_DEFAULT,
            batch_records: 10,
            batch_wait: Duration::from_millis(50),
            batch_records_max: 50_000,
            unstored_bytes_max: 128 << 20,
            store_bytes_max: 512 << 20,
            lease_lasts: Duration::from_secs(5),
            lease_renew: Duration::from_secs(1),
            drain: Duration::from_secs(5),
        }
    }
}
