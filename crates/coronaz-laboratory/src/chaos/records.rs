//! Follows the topic, and sends to it what it should not be sent: copies, shuffled copies, poison.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use coronaz_bus::{
    BusConfig, ContentType, Incoming, KafkaSink, KafkaSource, Limits, Message, Record, RecordSink,
    RecordSource, TopicEnds, ensure_topic,
};
use tokio::sync::oneshot;

use super::{
    draws::Draws,
    fault::{COPIES_MAX, Kind},
    poison::{self, Poisoned},
    silence::Arrivals,
};

/// The newest records kept: as many as a schedule may ask copies of.
const KEPT_RECORDS_MAX: usize = COPIES_MAX as usize;
/// And their bytes: a fleet's frames are large.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// What is sent to the topic is waited for this long; the broker may be what is broken just now.
const DELIVER_WITHIN: Duration = Duration::from_secs(8);
/// How long the topic may take to be found at the start.
const TOPIC_WITHIN: Duration = Duration::from_secs(30);
const POLL_WAIT: Duration = Duration::from_millis(100);

/// Why there is nobody to send records.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordsError {
    #[error("the topic cannot be reached: {0}")]
    Topic(String),
    #[error("no thread to follow the topic")]
    Thread(#[from] std::io::Error),
}

enum Asked {
    Send {
        kind: Kind,
        count: usize,
        answer: oneshot::Sender<Result<String, String>>,
    },
    /// The topic is another one: it is followed from its beginning.
    BeginAgain,
}

/// Follows the topic until dropped.
pub(super) struct Records {
    asking: mpsc::Sender<Asked>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Records {
    /// Begins to follow the topic from where it ends now. Waits for the topic.
    pub(super) async fn start(
        bus: BusConfig,
        seed: u64,
        arrivals: Arrivals,
    ) -> Result<Records, RecordsError> {
        let (asking, asked) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let (ready, started) = oneshot::channel();
        let thread = std::thread::Builder::new().name("records".to_owned()).spawn(move || {
            match Follower::new(bus, seed, arrivals) {
                Ok(follower) => {
                    // Whoever asked for it may have gone; then it is told to stop, too.
                    let _ = ready.send(Ok(()));
                    follower.work(&asked, &stopping);
                }
                Err(reason) => drop(ready.send(Err(reason))),
            }
        })?;
        let records = Records { asking, stop, thread: Some(thread) };
        match started.await {
            Ok(Ok(())) => Ok(records),
            Ok(Err(reason)) => Err(RecordsError::Topic(reason)),
            Err(_) => Err(RecordsError::Topic("following it ended at once".to_owned())),
        }
    }

    /// Sends records; says what was sent.
    pub(super) async fn send(&self, kind: Kind, count: usize) -> Result<String, String> {
        let (answer, answered) = oneshot::channel();
        let gone = || "nobody follows the topic any more".to_owned();
        self.asking.send(Asked::Send { kind, count, answer }).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Follows the topic of a broker that has lost its log, from its beginning.
    pub(super) fn begin_again(&self) {
        // Whoever would follow may have ended; then nothing is left to be followed.
        let _ = self.asking.send(Asked::BeginAgain);
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has no result; a panic of its own was printed.
            let _ = thread.join();
        }
    }
}

struct Follower {
    bus: BusConfig,
    arrivals: Arrivals,
    source: KafkaSource,
    sink: KafkaSink,
    draws: Draws,
    kept: VecDeque<Message>,
    kept_bytes: usize,
    sent: u64,
}

impl Follower {
    fn new(bus: BusConfig, seed: u64, arrivals: Arrivals) -> Result<Self, String> {
        let source = follow(&bus, false)?;
        let sink = KafkaSink::new(&bus).map_err(|error| error.to_string())?;
        let (draws, kept) = (Draws::new(seed ^ 0xc0b1e5), VecDeque::new());
        Ok(Follower { bus, arrivals, source, sink, draws, kept, kept_bytes: 0, sent: 0 })
    }

    fn work(mut self, asked: &mpsc::Receiver<Asked>, stop: &AtomicBool) {
        let mut incoming = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            while let Ok(asked) = asked.try_recv() {
                match asked {
                    // Whoever asked may have gone; what it asked for is done all the same.
                    Asked::Send { kind, count, answer } => drop(answer.send(self.carry_out(kind, count))),
                    Asked::BeginAgain => self.begin_again(),
                }
            }
            if let Err(error) = self.source.poll(POLL_WAIT, Limits::default(), &mut incoming) {
                tracing::debug!(%error, "the topic cannot be followed just now");
                std::thread::sleep(POLL_WAIT);
            }
            for message in incoming.drain(..) {
                if let Incoming::Record(message) = message {
                    self.arrivals.note(&message);
                    self.keep(message);
                }
            }
        }
    }

    /// A client that knows another log of the same topic is not asked to forget it: a new one reads the new log.
    fn begin_again(&mut self) {
        match (follow(&self.bus, true), KafkaSink::new(&self.bus)) {
            (Ok(source), Ok(sink)) => (self.source, self.sink) = (source, sink),
            (Err(reason), _) => tracing::warn!(reason, "the topic cannot be followed from its beginning"),
            (_, Err(error)) => tracing::warn!(%error, "nothing can be sent to the new topic"),
        }
    }

    fn keep(&mut self, message: Message) {
        self.kept_bytes += message.bytes();
        self.kept.push_back(message);
        while self.kept.len() > KEPT_RECORDS_MAX || self.kept_bytes > KEPT_BYTES_MAX {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.kept_bytes -= oldest.bytes();
        }
    }

    fn carry_out(&mut self, kind: Kind, count: usize) -> Result<String, String> {
        let newest = self.kept.iter().rev().take(count).rev();
        let mut copies: Vec<Poisoned> = newest.map(copy_of).collect();
        let what = match kind {
            Kind::Copies => "copies",
            Kind::Shuffled => {
                self.draws.shuffle(&mut copies);
                "copies in another order"
            }
            _ => {
                copies = (0..count).map(|_| self.poisoned()).collect();
                "poisoned records"
            }
        };
        let sent = copies.len();
        let delivered = self.deliver(&copies);
        if delivered == 0 && sent > 0 {
            return Err(format!("none of {sent} {what} reached the broker"));
        }
        Ok(format!("{delivered} of {sent} {what} sent"))
    }

    fn poisoned(&mut self) -> Poisoned {
        let good = match self.kept.len() {
            0 => None,
            length => {
                let place = self.draws.between(0, length as u64 - 1);
                usize::try_from(place).ok().and_then(|place| self.kept.get(place))
            }
        };
        poison::next(&mut self.draws, good)
    }

    /// Sends them; how many were acknowledged in time.
    fn deliver(&mut self, records: &[Poisoned]) -> usize {
        let until = Instant::now() + DELIVER_WITHIN;
        let mut deliveries = Vec::new();
        for Poisoned { key, payload, content_type } in records {
            self.sent += 1;
            let content_type = content_type.clone();
            let record = Record { key, payload, content_type, token: self.sent };
            while self.sink.send(&record).is_err() && Instant::now() < until {
                self.sink.deliveries(Duration::from_millis(20), &mut deliveries);
            }
        }
        self.sink.flush(until.saturating_duration_since(Instant::now()));
        self.sink.deliveries(Duration::ZERO, &mut deliveries);
        deliveries.iter().filter(|delivery| delivery.result.is_ok()).count()
    }
}

/// A source that follows all partitions, from their beginning or from where they end now.
fn follow(bus: &BusConfig, from_the_beginning: bool) -> Result<KafkaSource, String> {
    let partitions = ensure_topic(bus, TOPIC_WITHIN).map_err(|error| error.to_string())?;
    let mut source = KafkaSource::new(bus).map_err(|error| error.to_string())?;
    let all: Vec<i32> = (0..i32::try_from(partitions).unwrap_or(i32::MAX)).collect();
    let topic = TopicEnds::new(bus).map_err(|error| error.to_string())?;
    for (partition, ends) in topic.ask(&all, TOPIC_WITHIN).map_err(|error| error.to_string())? {
        let from = if from_the_beginning { ends.low } else { ends.high };
        source.assign(partition, from).map_err(|error| error.to_string())?;
    }
    Ok(source)
}

fn copy_of(message: &Message) -> Poisoned {
    let content_type: ContentType = message.content_type.clone();
    Poisoned { key: message.key.clone(), payload: message.payload.clone(), content_type }
}
