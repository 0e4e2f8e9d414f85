//! The storing side: owns the store, the leases and the order of things. Told the time, takes a turn.

use crate::backoff::Backoff;
use crate::config::IngestConfig;
use crate::news::{News, Work};
use crate::sharing::plan;
use crate::split::split;
use crate::tally::Tally;
use coronaz_store::{
    Batch, CommitError, Committed, Heartbeat, Held, IngestState, IngestStatus, Ingestion, Mark, StoreError,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// What time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Now {
    /// Since any fixed moment; never jumps. What waits is measured by it.
    pub(crate) elapsed: Duration,
    /// Microseconds since the Unix epoch, by the machine's clock. What others read is stamped with it.
    pub(crate) wall_us: i64,
}

/// So many records are handed over together at most: by then each page of a large run holds several of them, and other
/// processes do not wait long for their turn. A batch may be larger.
const TOGETHER_RECORDS_MAX: usize = 200_000;

/// Whether a batch was read under what still holds.
fn is_wanted(held: &BTreeMap<i32, Partition>, work: &Work) -> bool {
    held.get(&work.batch.partition).is_some_and(|held| held.generation == work.generation)
}

/// The storing side.
pub(crate) struct Writer {
    store: Box<dyn Ingestion>,
    config: IngestConfig,
    tally: Arc<Tally>,
    started_us: i64,
    held: BTreeMap<i32, Partition>,
    generation: u64,
    queue: VecDeque<Work>,
    news: Vec<News>,
    backoff: Backoff,
    /// Nothing is tried before this.
    retry_at: Duration,
    beat_at: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Partition {
    epoch: i64,
    generation: u64,
}

impl Writer {
    pub(crate) fn new(
        mut store: Box<dyn Ingestion>,
        config: &IngestConfig,
        tally: Arc<Tally>,
        now: Now,
    ) -> Self {
        store.remember_at_most(config.store_bytes_max);
        // Different for processes that start at different moments, which is all a wait needs.
        let backoff = Backoff::new(now.wall_us.cast_unsigned());
        Self {
            store,
            config: config.clone(),
            tally,
            started_us: now.wall_us,
            held: BTreeMap::new(),
            generation: 0,
            queue: VecDeque::new(),
            news: Vec::new(),
            backoff,
            retry_at: Duration::ZERO,
            beat_at: Duration::ZERO,
        }
    }

    /// Hands over a batch.
    pub(crate) fn give(&mut self, work: Work) {
        self.queue.push_back(work);
    }

    /// Does what is due: the heartbeat, then the batches that wait. Returns when there is something to do next; a batch
    /// that is given may come before.
    pub(crate) fn turn(&mut self, now: Now) -> Duration {
        if now.elapsed < self.retry_at {
            return self.retry_at;
        }
        let done = if now.elapsed >= self.beat_at { self.beat(now) } else { Ok(()) };
        match done.and_then(|()| self.commit_waiting()) {
            Ok(true) => now.elapsed,
            Ok(false) => self.beat_at,
            Err(error) => {
                self.retry_at = now.elapsed + self.backoff.next_wait();
                self.complain(&error);
                self.retry_at
            }
        }
    }

    /// What the reader has to hear of, in order.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// No batch waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// The end: gives all partitions back. Batches that still wait stay on the topic.
    pub(crate) fn finish(&mut self, now: Now) {
        let held = self.held_epochs();
        let heartbeat = self.heartbeat(now, IngestState::Stopped);
        let ended =
            self.store.heartbeat(&heartbeat).and_then(|_| self.store.release(&self.config.name, &held));
        if let Err(error) = ended {
            tracing::warn!(%error, "the leases could not be given back; they run out by themselves");
        }
        self.store.settle();
    }

    fn complain(&self, error: &StoreError) {
        self.tally.store_away.store(true, Relaxed);
        // The first failure may be a lock that is held a moment longer.
        match self.backoff.failures() {
            1 => tracing::debug!(%error, "the store was busy"),
            2 => tracing::warn!(%error, "waiting for the store; nothing is lost meanwhile"),
            failures if failures % 6 == 0 => tracing::warn!(%error, failures, "still waiting for the store"),
            _ => {}
        }
    }

    fn works(&mut self) {
        if self.backoff.failures() > 1 {
            tracing::info!("the store is back");
        }
        self.backoff.reset();
        self.tally.store_away.store(false, Relaxed);
    }

    fn held_epochs(&self) -> Vec<(i32, i64)> {
        self.held.iter().map(|(&partition, held)| (partition, held.epoch)).collect()
    }

    fn heartbeat(&self, now: Now, state: IngestState) -> Heartbeat {
        let newest_us = self.tally.newest_us.load(Relaxed);
        let status = IngestStatus {
            owner: self.config.name.clone(),
            state,
            updated_us: now.wall_us,
            started_us: self.started_us,
            partitions: self.held.keys().copied().collect(),
            lag_records: self.tally.lag_records.load(Relaxed),
            newest_record_us: (newest_us != 0).then_some(newest_us),
            records: self.tally.records.load(Relaxed),
            rejected: self.tally.rejected.load(Relaxed),
        };
        Heartbeat { status, held: self.held_epochs(), lasts: self.config.lease_lasts }
    }

    fn beat(&mut self, now: Now) -> Result<(), StoreError> {
        let heartbeat = self.heartbeat(now, self.tally.state(!self.held.is_empty()));
        let ownership = self.store.heartbeat(&heartbeat)?;
        self.works();
        for &partition in &ownership.lost {
            tracing::warn!(partition, "somebody else has taken over the partition");
            self.revoke(partition);
        }
        let (name, lasts) = (self.config.name.clone(), self.config.lease_lasts);
        let held: BTreeSet<i32> = self.held.keys().copied().collect();
        let todo = plan(&name, &held, self.config.partitions, (now.wall_us, lasts), &ownership);
        for partition in todo.release {
            let Some(epoch) = self.held.get(&partition).map(|held| held.epoch) else { continue };
            self.revoke(partition);
            self.store.release(&name, &[(partition, epoch)])?;
            tracing::info!(partition, "gave the partition back, for others to take");
        }
        for partition in todo.take {
            if let Some(held) = self.store.take(partition, &name, now.wall_us, lasts)? {
                let Held { epoch, next, mark, .. } = held;
                tracing::info!(partition, epoch, offset = next, "took the partition");
                self.assign(partition, epoch, next, mark);
            }
        }
        self.news.push(News::Beat);
        self.beat_at = now.elapsed + self.config.lease_renew;
        Ok(())
    }

    fn assign(&mut self, partition: i32, epoch: i64, next: i64, mark: Option<Mark>) {
        self.generation += 1;
        let generation = self.generation;
        self.held.insert(partition, Partition { epoch, generation });
        self.news.push(News::Assigned { partition, epoch, next, mark, generation });
    }

    fn revoke(&mut self, partition: i32) {
        self.held.remove(&partition);
        self.news.push(News::Revoked { partition });
    }

    /// Commits the batches that wait, or as many of them as belong together; false when there is none.
    fn commit_waiting(&mut self) -> Result<bool, StoreError> {
        while let Some(work) = self.queue.pop_front_if(|work| !is_wanted(&self.held, work)) {
            self.done(&work, None);
        }
        let mut records = 0;
        let fits = |work: &&Work| {
            let is_first = records == 0;
            records += work.batch.records().max(1);
            is_wanted(&self.held, work) && (is_first || records <= TOGETHER_RECORDS_MAX)
        };
        let together: Vec<&Batch> = self.queue.iter().take_while(fits).map(|work| &work.batch).collect();
        if together.is_empty() {
            return Ok(false);
        }
        let (done, end) = self.store.commit_some(&together);
        for committed in &done {
            if let Some(work) = self.queue.pop_front() {
                self.committed(&work, committed);
            }
        }
        match end {
            Ok(()) => Ok(true),
            Err(error) => self.not_committed(error),
        }
    }

    /// The batch at the head of the queue is not in.
    fn not_committed(&mut self, error: CommitError) -> Result<bool, StoreError> {
        let Some(work) = self.queue.pop_front() else { return Ok(false) };
        match error {
            CommitError::Store(error) => {
                self.queue.push_front(work);
                return Err(error);
            }
            CommitError::Refused { reason } => return self.refused(work, &reason),
            error @ CommitError::Fenced { found, .. } => {
                let Batch { partition, epoch, .. } = work.batch;
                match found.0 {
                    // It went in after all, when the answer was lost.
                    Some(found) if found == (epoch, work.batch.next()) => {
                        self.committed(&work, &Committed::default());
                    }
                    Some((found_epoch, next)) if found_epoch == epoch => {
                        tracing::warn!(%error, "reading again from where the store is");
                        self.assign(partition, epoch, next, None);
                        self.done(&work, None);
                    }
                    _ => {
                        tracing::warn!(%error, "the partition is not ours any more");
                        self.revoke(partition);
                        self.done(&work, None);
                    }
                }
            }
        }
        Ok(true)
    }

    fn committed(&mut self, work: &Work, committed: &Committed) {
        self.works();
        let batch = &work.batch;
        self.tally.count(batch.records(), batch.rejected.len(), work.newest_us, committed);
        self.done(work, Some((batch.partition, batch.next())));
    }

    fn done(&mut self, work: &Work, stored_to: Option<(i32, i64)>) {
        self.news.push(News::Done { round_ends: !work.part, bytes: work.bytes, stored_to });
    }

    fn refused(&mut self, work: Work, reason: &str) -> Result<bool, StoreError> {
        tracing::error!(
            partition = work.batch.partition,
            from = work.batch.from,
            to = work.batch.to,
            reason,
            "the store refuses a batch: looking for the record"
        );
        let Work { batch, generation, bytes, newest_us, part } = work;
        let Some(parts) = split(batch.clone(), reason) else {
            let error = StoreError::Unavailable {
                location: format!("partition {}", batch.partition),
                reason: format!("it refuses even a note of a rejected record: {reason}"),
                source: None,
            };
            self.queue.push_front(Work { batch, generation, bytes, newest_us, part });
            return Err(error);
        };
        let last = parts.len() - 1;
        for (place, batch) in parts.into_iter().enumerate().rev() {
            // Only the last part stands for the whole in what the reader counts.
            let (bytes, part) = if place == last { (bytes, part) } else { (0, true) };
            self.queue.push_front(Work { batch, generation, bytes, newest_us, part });
        }
        Ok(true)
    }
}
