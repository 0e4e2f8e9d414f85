//! The sink over librdkafka's idempotent producer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig, ThreadedProducer,
};
use rdkafka::{ClientContext, Statistics};

use super::CONTENT_TYPE_HEADER;
use super::link::{self, Link};
use crate::config::{BusConfig, ConfigError};
use crate::record::{ContentType, Record};
use crate::sink::{Delivery, DeliveryError, Placed, RecordSink, SendError, check_size};

/// How long a client that failed may take to give its records back.
const PURGE_WAIT: Duration = Duration::from_secs(5);

/// A sink to a Kafka-protocol broker: idempotent, acknowledged by all in-sync replicas, bounded.
///
/// Dropping it forgets what is pending; [`flush`](RecordSink::flush) before. A client that fails for
/// good, or whose records a broker that is there leaves undecided for
/// [`stuck_after`](BusConfig::stuck_after), is made anew inside; what was pending then comes back as
/// [`DeliveryError::Unknown`].
pub struct KafkaSink {
    config: BusConfig,
    shared: Arc<Shared>,
    client: RwLock<Client>,
}

struct Client {
    producer: ThreadedProducer<Context>,
    link: Arc<Link>,
}

impl Client {
    /// The client itself knows best: an event about it may still be on its way.
    fn has_failed(&self) -> bool {
        self.link.is_fatal() || self.producer.client().fatal_error().is_some()
    }
}

/// What the client's thread and the callers share, across a client's renewal.
struct Shared {
    /// Bounded by `pending`, which [`BusConfig::queue_records`] bounds.
    deliveries: Mutex<VecDeque<Delivery>>,
    arrived: Condvar,
    pending: AtomicUsize,
    /// Since when records have been pending without a word about any of them.
    silent_since: Mutex<Instant>,
}

impl Shared {
    fn heard(&self) {
        *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn silence(&self) -> Duration {
        self.silent_since.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Delivery>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Context {
    shared: Arc<Shared>,
    link: Arc<Link>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        link::log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        if !self.link.is_reachable() {
            self.shared.heard();
        }
        self.link.on_statistics(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.link.on_error(&error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, result: &DeliveryResult<'_>, token: Box<u64>) {
        let result = match result {
            Ok(message) => {
                self.link.set_reachable(true);
                Ok(Placed { partition: message.partition(), offset: message.offset() })
            }
            Err((error, _)) => Err(delivery_error(error)),
        };
        self.shared.heard();
        self.shared.lock().push_back(Delivery { token: *token, result });
        self.shared.arrived.notify_all();
    }
}

fn delivery_error(error: &KafkaError) -> DeliveryError {
    let reason = error.to_string();
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::TopicAuthorizationFailed,
        ) => DeliveryError::Refused { reason },
        _ => DeliveryError::Unknown { reason },
    }
}

impl KafkaSink {
    /// A sink for the configured topic, which has to be there
    /// ([`ensure_topic`](crate::ensure_topic)). Does not wait for the broker.
    pub fn new(config: &BusConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let shared = Arc::new(Shared {
            deliveries: Mutex::new(VecDeque::new()),
            arrived: Condvar::new(),
            pending: AtomicUsize::new(0),
            silent_since: Mutex::new(Instant::now()),
        });
        let client = connect(config, &shared)?;
        Ok(Self { config: config.clone(), shared, client: RwLock::new(client) })
    }

    /// Replaces a client that cannot go on. Its pending records come back as failed.
    fn renew(&self) -> Result<(), SendError> {
        let mut client = self.client.write().unwrap_or_else(PoisonError::into_inner);
        if !client.has_failed() {
            return Ok(());
        }
        let refused = |error: ConfigError| SendError::Refused { reason: error.to_string() };
        let fresh = connect(&self.config, &self.shared).map_err(refused)?;
        let old = std::mem::replace(&mut *client, fresh);
        self.shared.heard();
        // Senders need not wait for the end of the old one.
        drop(client);
        tracing::warn!(pending = self.pending(), "a new Kafka client takes the place of one that failed");
        old.producer.purge(PurgeConfig::default().queue().inflight());
        if let Err(error) = old.producer.flush(PURGE_WAIT) {
            tracing::warn!(%error, "the old Kafka client does not say what became of its records");
        }
        Ok(())
    }

    /// Gives a client up whose records stay undecided although the broker is there.
    fn give_up_if_stuck(&self) {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
        if !client.link.is_reachable() || self.pending() == 0 || !self.shared.lock().is_empty() {
            self.shared.heard();
        } else if self.shared.silence() >= self.config.stuck_after {
            tracing::warn!(pending = self.pending(), "the broker decides nothing: a new Kafka client");
            client.link.set_fatal();
        }
    }

    fn renew_if_failed(&self) -> Result<(), SendError> {
        let failed = self.client.read().unwrap_or_else(PoisonError::into_inner).has_failed();
        if failed { self.renew() } else { Ok(()) }
    }
}

fn connect(config: &BusConfig, shared: &Arc<Shared>) -> Result<Client, ConfigError> {
    let link = Arc::new(Link::default());
    let context = Context { shared: Arc::clone(shared), link: Arc::clone(&link) };
    let producer = ThreadedProducer::from_config_and_context(&config.producer(), context)
        .map_err(|error| ConfigError::Client { reason: error.to_string() })?;
    Ok(Client { producer, link })
}

impl RecordSink for KafkaSink {
    fn send(&self, record: &Record<'_>) -> Result<(), SendError> {
        check_size(record)?;
        self.renew_if_failed()?;
        let claimed = self.shared.pending.fetch_add(1, Ordering::Relaxed);
        if claimed == 0 {
            self.shared.heard();
        }
        let give_back = |error| {
            self.shared.pending.fetch_sub(1, Ordering::Relaxed);
            Err(error)
        };
        if claimed >= self.config.queue_records {
            return give_back(SendError::QueueFull);
        }
        let mut outgoing = BaseRecord::with_opaque_to(&self.config.topic, Box::new(record.token))
            .key(record.key)
            .payload(record.payload);
        if record.content_type != ContentType::JSON {
            let header = Header { key: CONTENT_TYPE_HEADER, value: Some(record.content_type.as_str()) };
            outgoing = outgoing.headers(OwnedHeaders::new_with_capacity(1).insert(header));
        }
        // A client may fail between the look and the sending: then its successor takes the record.
        for _ in 0..2 {
            let sent = self.client.read().unwrap_or_else(PoisonError::into_inner).producer.send(outgoing);
            let Err((error, returned)) = sent else { return Ok(()) };
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => return give_back(SendError::QueueFull),
                Some(RDKafkaErrorCode::Fatal) => {
                    if let Err(error) = self.renew() {
                        return give_back(error);
                    }
                    outgoing = returned;
                }
                _ => return give_back(SendError::Refused { reason: error.to_string() }),
            }
        }
        // It is to be sent again later, as with a queue that has no room.
        give_back(SendError::QueueFull)
    }

    fn deliveries(&self, wait: Duration, into: &mut Vec<Delivery>) {
        self.give_up_if_stuck();
        if let Err(error) = self.renew_if_failed() {
            tracing::warn!(%error, "no new Kafka client");
        }
        let until = Instant::now() + wait;
        let mut arrived = self.shared.lock();
        while arrived.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let woken = self.shared.arrived.wait_timeout(arrived, left);
            arrived = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.shared.pending.fetch_sub(arrived.len(), Ordering::Relaxed);
        into.extend(arrived.drain(..));
    }

    fn flush(&self, wait: Duration) -> bool {
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner);
        client.producer.flush(wait).is_ok()
    }

    fn is_reachable(&self) -> bool {
        self.client.read().unwrap_or_else(PoisonError::into_inner).link.is_reachable()
    }

    fn pending(&self) -> usize {
        self.shared.pending.load(Ordering::Relaxed)
    }
}
