//! The polling side: reads partitions, gathers batches, holds back when the store is slower than the topic.

use crate::config::IngestConfig;
use crate::gather::{Gathering, reason_of};
use crate::news::{News, Work};
use crate::tally::Tally;
use crate::writer::Now;
use coronaz_bus::{GapReason, Incoming, Limits, Mark, RecordSource, SourceError, Watermarks};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The longest poll while batches wait for the writer: so long the writer may wait for them when it is done.
const POLL_WHILE_DUE: Duration = Duration::from_millis(2);

/// One poll may take this much, however little room is left: it has to hold a record.
const POLL_BYTES_MIN: usize = 64 << 10;

/// How often the broker is asked where the partitions end, for the lag.
const LAG_EVERY: Duration = Duration::from_secs(2);

/// A partition that has stood still for so long is said to do so: one that moves on its own does it sooner.
const STALLED_AFTER: Duration = Duration::from_secs(3);

/// Between two complaints about the same trouble.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// The polling side.
pub(crate) struct Reader<S> {
    source: S,
    config: IngestConfig,
    tally: Arc<Tally>,
    gathering: Gathering,
    incoming: Vec<Incoming>,
    /// Read and not yet stored.
    unstored_bytes: usize,
    /// A round, which is a batch of each partition that was due, is not written yet. What comes meanwhile makes one large
    /// round rather than several small ones: of many people, a small one costs nearly as much.
    is_writing: bool,
    paused: bool,
    /// By partition: the offset after what is stored, and where the partition ended when last asked.
    places: BTreeMap<i32, Place>,
    lag_at: Duration,
    /// Since when a partition stands still.
    stalled_since: Option<Duration>,
    complain_at: Duration,
    heard_beat: bool,
    draining: bool,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    stored: i64,
    end: Option<i64>,
    /// Where it ended when the drain began.
    drain_to: Option<i64>,
}

impl<S: RecordSource> Reader<S> {
    pub(crate) fn new(source: S, config: &IngestConfig, tally: Arc<Tally>) -> Self {
        Self {
            source,
            config: config.clone(),
            tally,
            gathering: Gathering::adopting(config.adopt),
            incoming: Vec::new(),
            unstored_bytes: 0,
            is_writing: false,
            paused: false,
            places: BTreeMap::new(),
            lag_at: Duration::ZERO,
            stalled_since: None,
            complain_at: Duration::ZERO,
            heard_beat: false,
            draining: false,
        }
    }

    /// Takes note of what the writer tells.
    pub(crate) fn hear(&mut self, news: News) -> Result<(), SourceError> {
        match news {
            News::Assigned { partition, epoch, next, mark, generation } => {
                let given_up = self.gathering.begin(partition, epoch, next, generation);
                self.unstored_bytes = self.unstored_bytes.saturating_sub(given_up);
                self.places.insert(partition, Place { stored: next, end: None, drain_to: None });
                self.lag_at = Duration::ZERO;
                self.source.assign_after(partition, next, mark.map(Mark::from_bytes))
            }
            News::Revoked { partition } => {
                let given_up = self.gathering.end(partition);
                self.unstored_bytes = self.unstored_bytes.saturating_sub(given_up);
                self.places.remove(&partition);
                self.source.unassign(partition)
            }
            News::Done { round_ends, bytes, stored_to } => {
                self.is_writing &= !round_ends;
                self.unstored_bytes = self.unstored_bytes.saturating_sub(bytes);
                if let Some((partition, stored)) = stored_to
                    && let Some(place) = self.places.get_mut(&partition)
                {
                    place.stored = stored;
                }
                Ok(())
            }
            News::Beat => {
                self.heard_beat = true;
                Ok(())
            }
        }
    }

    /// Polls once, waiting up to `wait`, and hands over the batches that are due.
    pub(crate) fn turn(
        &mut self,
        now: Now,
        wait: Duration,
        hand_over: impl FnMut(Work),
    ) -> Result<(), SourceError> {
        self.hold_back_or_go_on()?;
        let wait =
            if self.is_writing && !self.gathering.is_empty() { wait.min(POLL_WHILE_DUE) } else { wait };
        let polled = self.source.poll(wait, self.limits(), &mut self.incoming);
        self.gather(now);
        if let Err(error) = polled {
            self.bear(error, now)?;
        }
        if !self.is_writing {
            let round = self.gathering.take_due(&self.config, now);
            self.is_writing = !round.is_empty();
            round.into_iter().for_each(hand_over);
        }
        if now.elapsed >= self.lag_at {
            self.lag_at = now.elapsed + LAG_EVERY;
            self.source.ask_for_ends();
        }
        if let Some(ends) = self.source.take_ends() {
            self.note_ends(&ends);
        }
        self.note_stalled(now);
        Ok(())
    }

    /// Puts what came into batches, and says what is lost.
    fn gather(&mut self, now: Now) {
        let mut touched = BTreeSet::new();
        for incoming in self.incoming.drain(..) {
            let partition = incoming.partition();
            touched.insert(partition);
            match incoming {
                Incoming::Replaced { next, end, .. } => {
                    if let Some(place) = self.places.get_mut(&partition) {
                        *place = Place { stored: 0, end: None, drain_to: None };
                    }
                    self.lag_at = Duration::ZERO;
                    tracing::warn!(
                        partition,
                        offset = next,
                        known_end = end,
                        "the partition has another log than the one that was read so far: it is read from its beginning; \
                         what the former one had from that offset on is lost"
                    );
                }
                // Any transaction of another program leaves one.
                Incoming::Gap { from, to, reason: GapReason::Missing, .. } => {
                    tracing::debug!(partition, from, to, "offsets without a record");
                }
                Incoming::Gap { from, to, reason, .. } => {
                    tracing::warn!(partition, from, to, reason = reason_of(reason), "records are lost");
                }
                Incoming::Record(_) => {}
            }
            self.unstored_bytes += self.gathering.push(incoming, now);
        }
        for partition in touched {
            self.gathering.set_mark(partition, self.source.mark(partition));
        }
    }

    /// No more than there is room for.
    fn limits(&self) -> Limits {
        let room = self.config.unstored_bytes_max.saturating_sub(self.unstored_bytes);
        Limits { bytes: Limits::default().bytes.min(room.max(POLL_BYTES_MIN)), ..Limits::default() }
    }

    /// From now on the process ends as soon as everything is stored that is on the topic now.
    pub(crate) fn begin_drain(&mut self) {
        self.draining = true;
        // An answer to an earlier question does not count.
        drop(self.source.take_ends());
        self.source.ask_for_ends();
    }

    /// Everything is stored that was on the topic when the drain began.
    pub(crate) fn is_drained(&self) -> bool {
        self.heard_beat
            && !self.is_writing
            && self.gathering.is_empty()
            && self.places.values().all(|place| place.drain_to.is_some_and(|end| place.stored >= end))
    }

    /// Polling goes on while paused: the client answers the broker, and nothing comes out.
    fn hold_back_or_go_on(&mut self) -> Result<(), SourceError> {
        let full = self.gathering.is_full(&self.config);
        if !self.paused && (full || self.unstored_bytes >= self.config.unstored_bytes_max) {
            self.paused = true;
            self.source.pause()?;
        } else if self.paused && !full && self.unstored_bytes <= self.config.unstored_bytes_max / 4 * 3 {
            self.paused = false;
            self.source.resume()?;
        }
        Ok(())
    }

    /// Trouble that passes is told and waited for; the rest ends the process.
    fn bear(&mut self, error: SourceError, now: Now) -> Result<(), SourceError> {
        match error {
            SourceError::Failed { .. } => Err(error),
            SourceError::Unreachable { .. } | SourceError::NotAssigned { .. } => {
                if now.elapsed >= self.complain_at {
                    self.complain_at = now.elapsed + COMPLAIN_EVERY;
                    tracing::warn!(%error, "reading goes on when this is over");
                }
                Ok(())
            }
        }
    }

    fn note_ends(&mut self, ends: &BTreeMap<i32, Watermarks>) {
        for (partition, ends) in ends {
            if let Some(place) = self.places.get_mut(partition) {
                place.end = Some(ends.high);
                if self.draining && place.drain_to.is_none() {
                    place.drain_to = Some(ends.high);
                }
            }
        }
        let lag = |place: &Place| {
            let end = place.end.unwrap_or(place.stored);
            u64::try_from(end.saturating_sub(place.stored)).unwrap_or(0)
        };
        self.tally.lag_records.store(self.places.values().map(lag).sum(), Relaxed);
    }

    fn note_stalled(&mut self, now: Now) {
        let stalled = self.source.stalled();
        if stalled.is_empty() {
            if self.tally.stalled.swap(false, Relaxed) {
                tracing::info!("every partition moves again");
            }
            self.stalled_since = None;
            return;
        }
        let since = *self.stalled_since.get_or_insert(now.elapsed);
        let is_long = now.elapsed.saturating_sub(since) >= STALLED_AFTER;
        if is_long && !self.tally.stalled.swap(true, Relaxed) {
            tracing::warn!(partitions = ?stalled, "these partitions stand still; what cannot be read is passed");
        }
    }
}
