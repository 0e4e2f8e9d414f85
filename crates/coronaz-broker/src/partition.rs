//! One partition, shared by those who append to it and those who wait for it to grow.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::{info, warn};

use crate::log::batch::Batch;
use crate::log::{AppendError, Log};

/// A partition. Its lock is held for one write to the system, or for finding one place in a file.
#[derive(Debug)]
pub(crate) struct Partition {
    /// `TOPIC-NUMBER`, for whoever reads the log.
    name: String,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    log: Log,
    /// Who waits for it to grow, at most one entry for each connection.
    waiting: Vec<Arc<Bell>>,
    /// The last append failed, so that only the first failure is logged.
    failing: bool,
}

/// What wakes one connection.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    ring: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ring.notify_one();
    }

    /// Waits until it rings, or until then.
    pub(crate) fn wait_until(&self, until: Instant) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            rung = self.ring.wait_timeout(rung, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Partition {
    pub(crate) fn new(name: String, log: Log) -> Self {
        Self { name, inner: Mutex::new(Inner { log, waiting: Vec::new(), failing: false }) }
    }

    /// A panic with the lock held would be ours; the log is in order between any two of its steps.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the log, alone.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Log) -> T) -> T {
        work(&mut self.lock().log)
    }

    /// Appends a batch and wakes who waits for it.
    pub(crate) fn append(&self, batch: &Batch<'_>, segment_bytes: u64) -> Result<i64, AppendError> {
        let mut inner = self.lock();
        let appended = inner.log.append(batch, segment_bytes);
        match &appended {
            Ok(_) => {
                if std::mem::take(&mut inner.failing) {
                    info!(partition = self.name, "writing again");
                }
                let waiting = std::mem::take(&mut inner.waiting);
                drop(inner);
                for bell in waiting {
                    bell.ring();
                }
            }
            Err(AppendError::Storage(error)) => {
                if !std::mem::replace(&mut inner.failing, true) {
                    warn!(partition = self.name, %error, "cannot write: producers are told to try again");
                }
            }
            Err(_) => {}
        }
        appended
    }

    /// Has `bell` rung at the next append.
    pub(crate) fn wake(&self, bell: &Arc<Bell>) {
        self.lock().waiting.push(Arc::clone(bell));
    }

    /// Does not ring it any more.
    pub(crate) fn forget(&self, bell: &Arc<Bell>) {
        self.lock().waiting.retain(|waiting| !Arc::ptr_eq(waiting, bell));
    }
}
