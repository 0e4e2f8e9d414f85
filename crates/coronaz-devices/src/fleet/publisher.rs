//! From memory and disk to the broker, on a thread of its own: the engine never waits for the broker.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use coronaz_bus::{ContentType, Delivery, DeliveryError, Record, RecordSink, SendError};

use super::{
    FleetError,
    queue::{Queue, Sent},
    segments::Segments,
};
use crate::nodes::Stop;

/// Records between the engine and the publisher: a tick of ten million people. The engine waits when they are
/// full, for the disk alone.
const CHANNEL_RECORDS: usize = 64;
/// How long one wait for deliveries lasts, and for new records when nothing is in flight.
const DELIVERIES_WAIT: Duration = Duration::from_millis(5);
const IDLE_WAIT: Duration = Duration::from_millis(50);
/// How long the publisher goes on sending after the last tick; then it leaves the rest.
const DRAIN: Duration = Duration::from_secs(10);
/// With all of it on disk, so long a broker is waited for that is away.
const DRAIN_AWAY: Duration = Duration::from_secs(1);
/// At full speed the engine waits above this share of the room.
const CROWDED: f64 = 0.75;
/// After records were dropped, keyframes are asked for below this share.
const ROOMY: f64 = 0.5;

/// A record on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Records of one key stay in order.
    pub key: Vec<u8>,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// What they are.
    pub content_type: ContentType,
    /// The shard whose frame it is: when it is lost, a keyframe has to follow.
    pub shard: Option<u32>,
}

impl Outgoing {
    /// Bytes of key and payload.
    pub(super) fn bytes(&self) -> usize {
        self.key.len() + self.payload.len()
    }
}

/// Records, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Arrived at the broker.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that wait in memory.
    pub waiting_bytes: u64,
    /// Bytes in the spool.
    pub spooled_bytes: u64,
    /// Records dropped because there was no room left, or refused.
    pub dropped: u64,
    /// Of the records handed over, in their order, so many are safe: arrived, on disk, or dropped.
    pub safe: u64,
    /// Whether something had not arrived when the publisher ended.
    pub unsent: bool,
}

/// The engine's side.
pub(super) struct Publisher {
    sender: Option<SyncSender<Outgoing>>,
    offered: u64,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    figures: Mutex<Figures>,
    gaps: Mutex<BTreeSet<u32>>,
    crowded: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Publisher {
    /// Starts the thread. What a spool holds is sent first.
    pub(super) fn start(
        sink: Arc<dyn RecordSink>,
        spool: Option<&(PathBuf, u64)>,
    ) -> Result<Self, FleetError> {
        let segments = spool.map(|(dir, limit)| Segments::open(dir, *limit)).transpose()?;
        let shared = Arc::new(Shared::default());
        let (sender, records) = sync_channel(CHANNEL_RECORDS);
        let mut worker = Worker {
            sink,
            queue: Queue::new(segments),
            shared: Arc::clone(&shared),
            gaps: BTreeSet::new(),
            again: Vec::new(),
            figures: Figures::default(),
            taken: 0,
            told_of_drops: false,
            reachable: None,
        };
        let thread = thread::Builder::new()
            .name("publisher".to_owned())
            .spawn(move || worker.work(&records))
            .map_err(FleetError::Publisher)?;
        Ok(Publisher { sender: Some(sender), offered: 0, shared, thread: Some(thread) })
    }

    /// Hands a record over.
    pub(super) fn offer(&mut self, record: Outgoing) {
        self.offered += 1;
        let sent = self.sender.as_ref().map(|sender| sender.send(record));
        debug_assert!(matches!(sent, Some(Ok(()))), "the publisher lives as long as its sender");
    }

    /// How many records were handed over.
    pub(super) fn offered(&self) -> u64 {
        self.offered
    }

    /// Waits until there is room; `false` when asked to stop instead.
    pub(super) fn wait_for_room(&self, stop: &Stop) -> bool {
        while self.shared.crowded.load(Ordering::Relaxed) && !stop.is_asked() {
            thread::sleep(DELIVERIES_WAIT);
        }
        !stop.is_asked()
    }

    /// Shards of which records were lost, since the last time.
    pub(super) fn take_gaps(&self) -> BTreeSet<u32> {
        std::mem::take(&mut *lock(&self.shared.gaps))
    }

    /// What became of the records so far.
    pub(super) fn figures(&self) -> Figures {
        *lock(&self.shared.figures)
    }

    /// Sends what is left, within a deadline.
    pub(super) fn finish(mut self) -> Figures {
        self.join();
        self.figures()
    }

    fn join(&mut self) {
        self.sender = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

/// The thread's side.
struct Worker {
    sink: Arc<dyn RecordSink>,
    queue: Queue,
    shared: Arc<Shared>,
    /// Shards of which records were lost and that have not been told yet.
    gaps: BTreeSet<u32>,
    /// Tokens to be sent again.
    again: Vec<u64>,
    figures: Figures,
    /// Records taken from the engine.
    taken: u64,
    told_of_drops: bool,
    reachable: Option<bool>,
}

impl Worker {
    fn work(&mut self, records: &Receiver<Outgoing>) {
        let mut deliveries = Vec::new();
        while self.take(records) {
            self.turn(&mut deliveries);
        }
        let begun = Instant::now();
        while !self.queue.is_empty() && begun.elapsed() < self.patience() {
            self.turn(&mut deliveries);
        }
        self.figures.unsent = !self.queue.is_empty();
        self.tell();
    }

    fn patience(&self) -> Duration {
        if self.queue.is_safe() && !self.sink.is_reachable() { DRAIN_AWAY } else { DRAIN }
    }

    /// Takes what the engine has handed over; `false` when there will be no more.
    fn take(&mut self, records: &Receiver<Outgoing>) -> bool {
        if self.queue.is_empty() {
            match records.recv_timeout(IDLE_WAIT) {
                Ok(record) => self.push(record),
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        for _ in 0..CHANNEL_RECORDS {
            match records.try_recv() {
                Ok(record) => self.push(record),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        true
    }

    fn push(&mut self, record: Outgoing) {
        let shard = record.shard;
        self.taken += 1;
        if self.queue.push(record).is_err() {
            self.figures.dropped += 1;
            self.gaps.extend(shard);
            if !std::mem::replace(&mut self.told_of_drops, true) {
                tracing::error!("no room is left for what the broker does not take: frames are dropped");
            }
        }
    }

    /// Sends what can be sent and settles what has arrived.
    fn turn(&mut self, deliveries: &mut Vec<Delivery>) {
        for token in std::mem::take(&mut self.again) {
            let sent = self.queue.sent(token).map(|record| hand_over(&*self.sink, token, record));
            match sent {
                Some(Sent::NotNow) => self.again.push(token),
                Some(Sent::Never) => self.give_up(token),
                Some(Sent::Taken) | None => {}
            }
        }
        let (sink, gaps, dropped) = (&*self.sink, &mut self.gaps, &mut self.figures.dropped);
        self.queue.send(|token, record| {
            let sent = hand_over(sink, token, record);
            if sent == Sent::Never {
                gaps.extend(record.shard);
                *dropped += 1;
            }
            sent
        });
        if self.sink.pending() > 0 {
            self.sink.deliveries(DELIVERIES_WAIT, deliveries);
        } else if !self.queue.is_empty() {
            thread::sleep(DELIVERIES_WAIT);
        }
        for delivery in deliveries.drain(..) {
            self.settle(&delivery);
        }
        self.tell();
    }

    fn settle(&mut self, delivery: &Delivery) {
        match &delivery.result {
            Ok(_) => {
                if let Some(record) = self.queue.settle(delivery.token) {
                    self.figures.records += 1;
                    self.figures.bytes += record.bytes() as u64;
                }
            }
            Err(DeliveryError::Unknown { reason }) => {
                tracing::debug!(reason, "a frame is sent again");
                // What comes after it may have arrived before it.
                self.gaps.extend(self.queue.sent(delivery.token).and_then(|record| record.shard));
                self.again.push(delivery.token);
            }
            Err(error @ DeliveryError::Refused { .. }) => {
                tracing::error!(%error, "a frame is given up");
                self.give_up(delivery.token);
            }
        }
    }

    fn give_up(&mut self, token: u64) {
        if let Some(record) = self.queue.settle(token) {
            self.figures.dropped += 1;
            self.gaps.extend(record.shard);
        }
    }

    /// Lets the engine know how things stand.
    fn tell(&mut self) {
        let fullness = self.queue.fullness();
        self.shared.crowded.store(fullness > CROWDED, Ordering::Relaxed);
        if fullness < ROOMY && !self.gaps.is_empty() {
            lock(&self.shared.gaps).append(&mut self.gaps);
            tracing::info!(dropped = self.figures.dropped, "there is room again; keyframes follow");
            self.told_of_drops = false;
        }
        self.figures.waiting_bytes = self.queue.waiting_bytes();
        self.figures.spooled_bytes = self.queue.spooled_bytes();
        self.figures.safe = self.taken - (self.queue.at_risk() as u64).min(self.taken);
        *lock(&self.shared.figures) = self.figures;
        let reachable = self.sink.is_reachable();
        if self.reachable != Some(reachable) && (reachable || self.reachable.is_some()) {
            if reachable {
                tracing::info!("the broker is there");
            } else {
                tracing::warn!("the broker is away; frames wait for it");
            }
            self.reachable = Some(reachable);
        }
    }
}

fn hand_over(sink: &dyn RecordSink, token: u64, record: &Outgoing) -> Sent {
    let Outgoing { key, payload, content_type, .. } = record;
    match sink.send(&Record { key, payload, content_type: content_type.clone(), token }) {
        Ok(()) => Sent::Taken,
        Err(SendError::QueueFull) => Sent::NotNow,
        Err(error @ (SendError::TooLarge { .. } | SendError::Refused { .. })) => {
            tracing::error!(%error, "a frame cannot be sent");
            Sent::Never
        }
    }
}
