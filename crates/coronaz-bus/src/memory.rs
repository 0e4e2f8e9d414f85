//! Both traits in memory, with faults to order, for tests and simulation. No clock, no threads: the
//! same calls give the same answers, as long as every wait is zero.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::BusConfig;
use crate::mark::Mark;
use crate::partitioner::partition_of;
use crate::positions::{Admission, Positions};
use crate::record::{ContentType, Message, Record};
use crate::sink::{Delivery, DeliveryError, Placed, RecordSink, SendError, check_size};
use crate::source::{GapReason, Incoming, Limits, RecordSource, SourceError, SourceFigures, Watermarks};

/// A broker in memory. Clones are the same broker; its sinks and sources may live in any thread.
#[derive(Clone)]
pub struct MemoryBus {
    shared: Arc<Shared>,
}

struct Shared {
    log: Mutex<Log>,
    changed: Condvar,
}

struct Log {
    partitions: Vec<Partition>,
    away: bool,
    now_ms: i64,
    acks_lost: usize,
    /// Counts the orders to deliver again, so that each source obeys each once.
    rewinds: Vec<(i32, i64)>,
}

/// A partition's records; the first has the offset `low`.
#[derive(Default)]
struct Partition {
    low: i64,
    records: VecDeque<Message>,
}

impl Partition {
    fn high(&self) -> i64 {
        self.low + self.records.len() as i64
    }

    fn get(&self, offset: i64) -> Option<&Message> {
        self.records.get(usize::try_from(offset - self.low).ok()?)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryBus {
    /// A broker that is there, with one topic of so many partitions (at least 1).
    pub fn new(partitions: u32) -> Self {
        let partitions = (0..partitions.max(1)).map(|_| Partition::default()).collect();
        let log = Log { partitions, away: false, now_ms: 0, acks_lost: 0, rewinds: Vec::new() };
        Self { shared: Arc::new(Shared { log: Mutex::new(log), changed: Condvar::new() }) }
    }

    /// A sink with the default queue.
    pub fn sink(&self) -> MemorySink {
        self.sink_of(BusConfig::new("").queue_records)
    }

    /// A sink whose queue holds so many records.
    pub fn sink_of(&self, queue_records: usize) -> MemorySink {
        let queues = Mutex::new(Queues::default());
        MemorySink { shared: Arc::clone(&self.shared), queue_records, queues }
    }

    /// A source with nothing assigned.
    pub fn source(&self) -> MemorySource {
        let rewinds_seen = self.shared.lock().rewinds.len();
        MemorySource {
            shared: Arc::clone(&self.shared),
            positions: Positions::default(),
            cursors: Vec::new(),
            turn: 0,
            rewinds_seen,
            paused: false,
            ends: None,
        }
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> u32 {
        u32::try_from(self.shared.lock().partitions.len()).unwrap_or(u32::MAX)
    }

    /// Every record of a partition that is still there.
    pub fn records(&self, partition: i32) -> Vec<Message> {
        let log = self.shared.lock();
        let found = usize::try_from(partition).ok().and_then(|place| log.partitions.get(place));
        found.map(|partition| partition.records.iter().cloned().collect()).unwrap_or_default()
    }

    /// The time that records get from now on, milliseconds since the Unix epoch. 0 at first.
    pub fn set_time_ms(&self, now_ms: i64) {
        self.shared.lock().now_ms = now_ms;
    }

    /// The broker goes away (sinks keep what they have, sources get nothing) or comes back.
    pub fn set_away(&self, away: bool) {
        self.shared.lock().away = away;
        self.shared.changed.notify_all();
    }

    /// The next `records` are stored, and their senders told that nobody knows.
    pub fn lose_acks(&self, records: usize) {
        self.shared.lock().acks_lost += records;
    }

    /// Every source that has `partition` gets its records from `offset` on once more.
    pub fn redeliver(&self, partition: i32, offset: i64) {
        self.shared.lock().rewinds.push((partition, offset));
        self.shared.changed.notify_all();
    }

    /// Removes a partition's records before `offset`, as retention does.
    pub fn expire(&self, partition: i32, offset: i64) {
        self.change(partition, |partition| {
            while partition.low < offset && partition.records.pop_front().is_some() {
                partition.low += 1;
            }
        });
    }

    /// The broker loses a partition's records from `offset` on, as after a loss of power. What is sent then gets their
    /// offsets.
    pub fn truncate(&self, partition: i32, offset: i64) {
        self.change(partition, |partition| {
            let kept = usize::try_from(offset - partition.low).unwrap_or(0);
            partition.records.truncate(kept);
        });
    }

    /// All records are gone, as when the broker's data was removed or the topic was deleted and made again: offsets begin
    /// with 0.
    pub fn forget(&self) {
        for partition in &mut self.shared.lock().partitions {
            *partition = Partition::default();
        }
    }

    fn change(&self, partition: i32, change: impl FnOnce(&mut Partition)) {
        let mut log = self.shared.lock();
        if let Some(found) = usize::try_from(partition).ok().and_then(|place| log.partitions.get_mut(place)) {
            change(found);
        }
    }
}

/// A sink to a [`MemoryBus`]. Dropping it forgets what the broker has not taken.
pub struct MemorySink {
    shared: Arc<Shared>,
    queue_records: usize,
    queues: Mutex<Queues>,
}

#[derive(Default)]
struct Queues {
    waiting: VecDeque<(Message, u64)>,
    deliveries: VecDeque<Delivery>,
}

impl MemorySink {
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what waits, if the broker is there.
    fn store(&self, queues: &mut Queues) {
        let mut log = self.shared.lock();
        if log.away || queues.waiting.is_empty() {
            return;
        }
        while let Some((mut message, token)) = queues.waiting.pop_front() {
            let count = u32::try_from(log.partitions.len()).unwrap_or(u32::MAX);
            message.partition = partition_of(&message.key, count);
            message.timestamp_ms = log.now_ms;
            let place = usize::try_from(message.partition).unwrap_or_default();
            let partition = &mut log.partitions[place];
            message.offset = partition.high();
            let placed = Placed { partition: message.partition, offset: message.offset };
            partition.records.push_back(message);
            let result = if log.acks_lost > 0 {
                log.acks_lost -= 1;
                Err(DeliveryError::Unknown { reason: "the acknowledgement was lost".to_owned() })
            } else {
                Ok(placed)
            };
            queues.deliveries.push_back(Delivery { token, result });
        }
        self.shared.changed.notify_all();
    }

    /// Stores what waits; waits for the broker to come back, until then.
    fn store_until(&self, until: Instant) {
        loop {
            let mut queues = self.lock();
            self.store(&mut queues);
            let settled = queues.waiting.is_empty();
            drop(queues);
            let log = self.shared.lock();
            let left = until.saturating_duration_since(Instant::now());
            if settled || left.is_zero() {
                return;
            }
            if log.away {
                drop(self.shared.changed.wait_timeout(log, left));
            }
        }
    }
}

impl RecordSink for MemorySink {
    fn send(&self, record: &Record<'_>) -> Result<(), SendError> {
        check_size(record)?;
        let mut queues = self.lock();
        if queues.waiting.len() + queues.deliveries.len() >= self.queue_records {
            return Err(SendError::QueueFull);
        }
        let message = Message {
            partition: 0,
            offset: 0,
            key: record.key.to_vec(),
            payload: record.payload.to_vec(),
            content_type: ContentType::new(record.content_type.as_str()),
            timestamp_ms: 0,
        };
        queues.waiting.push_back((message, record.token));
        self.store(&mut queues);
        Ok(())
    }

    fn deliveries(&self, wait: Duration, into: &mut Vec<Delivery>) {
        if self.lock().deliveries.is_empty() {
            self.store_until(Instant::now() + wait);
        }
        into.extend(self.lock().deliveries.drain(..));
    }

    fn flush(&self, wait: Duration) -> bool {
        self.store_until(Instant::now() + wait);
        self.lock().waiting.is_empty()
    }

    fn is_reachable(&self) -> bool {
        !self.shared.lock().away
    }

    fn pending(&self) -> usize {
        let queues = self.lock();
        queues.waiting.len() + queues.deliveries.len()
    }
}

/// A source from a [`MemoryBus`].
pub struct MemorySource {
    shared: Arc<Shared>,
    positions: Positions,
    /// Where each assigned partition is read next; differs from its position after a redelivery.
    cursors: Vec<(i32, i64)>,
    turn: usize,
    rewinds_seen: usize,
    paused: bool,
    ends: Option<BTreeMap<i32, Watermarks>>,
}

impl MemorySource {
    /// Where the partition is read next, once the last record was compared with what is there now.
    fn cursor_in(&mut self, place: usize, found: &Partition, into: &mut Vec<Incoming>) -> i64 {
        let (partition, cursor) = self.cursors[place];
        let is_other = match self.positions.mark(partition) {
            Some(mark) if mark.offset() < found.low => false,
            Some(mark) => found.get(mark.offset()).is_none_or(|record| !mark.is_of(record)),
            None => cursor > found.high(),
        };
        if is_other {
            self.positions.restart(partition, None, into);
            self.cursors[place].1 = 0;
        } else {
            self.positions.recognise(partition);
        }
        let cursor = self.cursors[place].1.max(found.low);
        self.positions.skip(partition, found.low, GapReason::Expired, into);
        cursor
    }

    fn take(&mut self, limits: Limits, into: &mut Vec<Incoming>) -> Result<usize, SourceError> {
        let shared = Arc::clone(&self.shared);
        let log = shared.lock();
        for &(partition, offset) in &log.rewinds[self.rewinds_seen..] {
            for cursor in self.cursors.iter_mut().filter(|cursor| cursor.0 == partition) {
                cursor.1 = cursor.1.min(offset);
            }
        }
        self.rewinds_seen = log.rewinds.len();
        if log.away || self.paused || self.cursors.is_empty() {
            return Ok(0);
        }
        let (mut records, mut bytes, mut idle) = (0, 0, 0);
        while records < limits.records.max(1) && bytes < limits.bytes.max(1) && idle < self.cursors.len() {
            let place = self.turn % self.cursors.len();
            self.turn = self.turn.wrapping_add(1);
            let partition = self.cursors[place].0;
            let Some(found) = usize::try_from(partition).ok().and_then(|place| log.partitions.get(place))
            else {
                idle += 1;
                continue;
            };
            let offset = self.cursor_in(place, found, into);
            let Some(message) = found.get(offset) else {
                idle += 1;
                continue;
            };
            idle = 0;
            self.cursors[place].1 = offset + 1;
            let size = message.bytes();
            if self.positions.take(message.clone(), into) == Admission::Taken {
                records += 1;
                bytes += size;
            }
        }
        Ok(records)
    }
}

impl RecordSource for MemorySource {
    fn assign(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        self.assign_after(partition, next_offset, None)
    }

    fn assign_after(
        &mut self,
        partition: i32,
        next_offset: i64,
        mark: Option<Mark>,
    ) -> Result<(), SourceError> {
        self.positions.set(partition, next_offset, mark);
        self.cursors.retain(|cursor| cursor.0 != partition);
        self.cursors.push((partition, next_offset));
        self.cursors.sort_unstable();
        Ok(())
    }

    fn unassign(&mut self, partition: i32) -> Result<(), SourceError> {
        self.positions.remove(partition);
        self.cursors.retain(|cursor| cursor.0 != partition);
        Ok(())
    }

    fn seek(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        self.positions.get(partition).ok_or(SourceError::NotAssigned { partition })?;
        self.assign(partition, next_offset)
    }

    fn pause(&mut self) -> Result<(), SourceError> {
        self.paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<(), SourceError> {
        self.paused = false;
        Ok(())
    }

    fn poll(&mut self, wait: Duration, limits: Limits, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        let before = into.len();
        let until = Instant::now() + wait;
        loop {
            self.take(limits, into)?;
            let left = until.saturating_duration_since(Instant::now());
            if into.len() > before || left.is_zero() {
                return Ok(());
            }
            let log = self.shared.lock();
            let nothing_new = log.rewinds.len() == self.rewinds_seen
                && (log.away
                    || self.paused
                    || self.cursors.iter().all(|(partition, cursor)| {
                        let found =
                            usize::try_from(*partition).ok().and_then(|place| log.partitions.get(place));
                        found.is_none_or(|found| *cursor >= found.high())
                    }));
            if nothing_new {
                drop(self.shared.changed.wait_timeout(log, left));
            }
        }
    }

    fn position(&self, partition: i32) -> Option<i64> {
        self.positions.get(partition)
    }

    fn mark(&self, partition: i32) -> Option<Mark> {
        self.positions.mark(partition)
    }

    /// A broker that is away does not answer.
    fn ask_for_ends(&mut self) {
        let log = self.shared.lock();
        let ends = self.positions.partitions().filter_map(|partition| {
            let found = usize::try_from(partition).ok().and_then(|place| log.partitions.get(place))?;
            Some((partition, Watermarks { low: found.low, high: found.high() }))
        });
        self.ends = (!log.away).then(|| ends.collect());
    }

    fn take_ends(&mut self) -> Option<BTreeMap<i32, Watermarks>> {
        self.ends.take()
    }

    /// It goes on at once, with whatever is there.
    fn stalled(&self) -> Vec<i32> {
        Vec::new()
    }

    fn is_reachable(&self) -> bool {
        !self.shared.lock().away
    }

    fn figures(&self) -> SourceFigures {
        self.positions.figures
    }
}
