//! One partition, shared by those who append to it and those who wait for it to grow.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::{info, warn};

use crate::log::batch::Batch;
use crate::log::{AppendError, Found, Log, ReadError};

/// A partition. Its lock is held for one write to the system, or for finding one place in a file.
#[derive(Debug)]
pub(crate) struct Partition {
    /// `TOPIC-NUMBER`, for whoever reads the log.
    name: String,
    inner: Mutex<Inner>,
}

/// How often a reading is tried when what it finds is damaged: once to see it, once to see around it, and
/// once more for what happened meanwhile.
const READS_MAX: usize = 3;

/// What a partition answers to a reader.
#[derive(Debug)]
pub(crate) struct Read {
    /// The first offset, and the one that comes next.
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) found: Result<Option<Found>, ReadError>,
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

    /// What there is at `offset`, checked, and where the log starts and ends.
    pub(crate) fn read(&self, offset: i64, bytes_max: u64) -> Read {
        let mut tries = 0;
        loop {
            let (start, end, found) = self.with(|log| (log.start(), log.end(), log.read(offset, bytes_max)));
            tries += 1;
            let checked = match found {
                // Outside of the lock: it is read from the disk, or from memory.
                Ok(Some(Found::Batches(slice))) => match slice.is_whole() {
                    Ok(true) => Ok(Some(Found::Batches(slice))),
                    Ok(false) if tries < READS_MAX => match self.with(|log| log.doubt(offset)) {
                        Ok(()) => continue,
                        Err(error) => Err(error.into()),
                    },
                    Ok(false) => Err(io::Error::other("the batches change while they are read").into()),
                    Err(error) => Err(error.into()),
                },
                found => found,
            };
            return Read { start, end, found: checked };
        }
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
