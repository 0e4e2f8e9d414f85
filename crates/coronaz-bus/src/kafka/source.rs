//! The source over librdkafka's consumer, with partitions assigned by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientContext, Statistics};
use tracing::{debug, warn};

use super::CONTENT_TYPE_HEADER;
use super::link::{self, Link};
use crate::config::{BusConfig, ConfigError};
use crate::positions::{Admission, Positions};
use crate::record::{ContentType, Message};
use crate::source::{GapReason, Incoming, Limits, RecordSource, SourceError, SourceFigures, Watermarks};

/// How often a partition that has records and yields none is asked anew before one is given up.
const REFETCHES_MAX: u32 = 3;
/// How long the broker may take to say where a partition ends.
const WATERMARKS_WAIT: Duration = Duration::from_secs(1);
/// How often at most it is asked because of records that were there before.
const SUSPICION_PAUSE: Duration = Duration::from_secs(1);

/// A source from a Kafka-protocol broker. Belongs to one thread at a time; poll it steadily.
pub struct KafkaSource {
    topic: String,
    stuck_after: Duration,
    consumer: BaseConsumer<Context>,
    link: Arc<Link>,
    positions: Positions,
    watches: BTreeMap<i32, Watch>,
    /// Partitions the client has. It keeps those that were unassigned, paused: taking one from it,
    /// giving it back and taking it again before the first was done aborts the process (librdkafka
    /// 2.12, `rd_kafka_assignment_partition_stopped`).
    held: BTreeSet<i32>,
    paused: bool,
}

/// What gives rise to asking the broker where a partition ends.
struct Watch {
    /// Since when nothing came out of it.
    silent_since: Instant,
    /// When it was asked last.
    asked: Instant,
    /// Records came that lie before the position.
    suspicious: bool,
    refetches: u32,
}

impl Watch {
    fn starts_now() -> Self {
        let now = Instant::now();
        Self { silent_since: now, asked: now, suspicious: false, refetches: 0 }
    }

    fn is_due(&self, stuck_after: Duration) -> bool {
        self.silent_since.elapsed() >= stuck_after
            || (self.suspicious && self.asked.elapsed() >= SUSPICION_PAUSE)
    }
}

struct Context {
    link: Arc<Link>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        link::log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.link.on_statistics(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.link.on_error(&error, reason);
    }
}

impl ConsumerContext for Context {}

impl KafkaSource {
    /// A source for the configured topic, nothing assigned. Does not wait for the broker.
    pub fn new(config: &BusConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let link = Arc::new(Link::default());
        let context = Context { link: Arc::clone(&link) };
        let consumer = BaseConsumer::from_config_and_context(&config.consumer(), context)
            .map_err(|error| ConfigError::Client { reason: error.to_string() })?;
        Ok(Self {
            topic: config.topic.clone(),
            stuck_after: config.stuck_after,
            consumer,
            link,
            positions: Positions::default(),
            watches: BTreeMap::new(),
            held: BTreeSet::new(),
            paused: false,
        })
    }

    /// Makes the client go on at the partition's position. What it had read ahead is dropped.
    fn fetch_from_position(&self, partition: i32) -> Result<(), SourceError> {
        let Some(next) = self.positions.get(partition) else { return Ok(()) };
        self.consumer.seek(&self.topic, partition, Offset::Offset(next), Duration::ZERO).map_err(failed)
    }

    fn list(&self, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, partition);
        }
        list
    }

    /// Looks after partitions that were silent for long, or yield what was there before: asks the
    /// broker where they end. One at a time, since each question may take a while.
    fn look_after(&mut self, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        if self.paused {
            return Ok(());
        }
        let due = self.watches.iter().find(|(_, watch)| watch.is_due(self.stuck_after));
        let Some((&partition, _)) = due else { return Ok(()) };
        let told = self.watermarks(partition, WATERMARKS_WAIT);
        let (Some(next), Some(watch)) = (self.positions.get(partition), self.watches.get_mut(&partition))
        else {
            return Ok(());
        };
        let suspicious = std::mem::take(&mut watch.suspicious);
        *watch = Watch { refetches: watch.refetches, ..Watch::starts_now() };
        match told {
            Err(_) => {
                watch.suspicious = suspicious;
                Ok(())
            }
            Ok(Watermarks { high, .. }) if next > high => {
                Err(SourceError::BeyondEnd { partition, next, high })
            }
            Ok(Watermarks { high, .. }) if next < high && !suspicious => self.refetch(partition, next, into),
            Ok(_) => Ok(()),
        }
    }

    /// There are records and none came: asks anew, and gives one up when that was in vain often.
    fn refetch(&mut self, partition: i32, next: i64, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        self.positions.figures.refetches += 1;
        if let Some(watch) = self.watches.get_mut(&partition) {
            watch.refetches += 1;
            if watch.refetches > REFETCHES_MAX {
                watch.refetches = 0;
                warn!(partition, offset = next, "the broker does not hand this record out: given up");
                self.positions.skip(partition, next + 1, GapReason::Undeliverable, into);
            }
        }
        self.fetch_from_position(partition)
    }
}

/// An absent broker, a topic that moves: the client goes on by itself. Only a fatal error ends it.
fn on_error(error: &KafkaError) -> Result<(), SourceError> {
    if let KafkaError::MessageConsumptionFatal(_) = error {
        return Err(SourceError::Failed { reason: error.to_string() });
    }
    debug!(%error, "nothing was read");
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "its place is `map_err`")]
fn failed(error: KafkaError) -> SourceError {
    SourceError::Failed { reason: error.to_string() }
}

fn owned(message: &BorrowedMessage<'_>) -> Message {
    let header = message.headers().and_then(|headers| {
        headers.iter().find(|header| header.key.eq_ignore_ascii_case(CONTENT_TYPE_HEADER))
    });
    let content_type =
        header.and_then(|header| header.value).map_or(ContentType::JSON, ContentType::from_header);
    Message {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().unwrap_or_default().to_vec(),
        payload: message.payload().unwrap_or_default().to_vec(),
        content_type,
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
    }
}

impl RecordSource for KafkaSource {
    fn assign(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        let was_assigned = self.positions.get(partition).is_some();
        self.positions.set(partition, next_offset);
        self.watches.insert(partition, Watch::starts_now());
        let list = self.list([partition]);
        if self.held.insert(partition) {
            let mut list = TopicPartitionList::new();
            let offset = Offset::Offset(next_offset);
            list.add_partition_offset(&self.topic, partition, offset).map_err(failed)?;
            self.consumer.incremental_assign(&list).map_err(failed)?;
            if self.paused { self.consumer.pause(&list).map_err(failed) } else { Ok(()) }
        } else {
            self.fetch_from_position(partition)?;
            let is_parked = !was_assigned && !self.paused;
            if is_parked { self.consumer.resume(&list).map_err(failed) } else { Ok(()) }
        }
    }

    fn unassign(&mut self, partition: i32) -> Result<(), SourceError> {
        self.watches.remove(&partition);
        if self.positions.remove(partition) && !self.paused {
            self.consumer.pause(&self.list([partition])).map_err(failed)?;
        }
        Ok(())
    }

    fn seek(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        self.positions.get(partition).ok_or(SourceError::NotAssigned { partition })?;
        self.assign(partition, next_offset)
    }

    fn pause(&mut self) -> Result<(), SourceError> {
        if !std::mem::replace(&mut self.paused, true) {
            let assigned = self.list(self.positions.iter().map(|(partition, _)| partition));
            self.consumer.pause(&assigned).map_err(failed)?;
        }
        Ok(())
    }

    fn resume(&mut self) -> Result<(), SourceError> {
        if std::mem::replace(&mut self.paused, false) {
            for (partition, _) in self.positions.iter() {
                self.watches.insert(partition, Watch::starts_now());
                // From our own position: the pause dropped what was read ahead.
                self.fetch_from_position(partition)?;
            }
            let assigned = self.list(self.positions.iter().map(|(partition, _)| partition));
            self.consumer.resume(&assigned).map_err(failed)?;
        }
        Ok(())
    }

    fn poll(&mut self, wait: Duration, limits: Limits, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        let now = Instant::now();
        let until = now + wait;
        // What is dropped counts too, so that a flood of repeats does not hold the caller.
        let (mut seen, mut records, mut bytes) = (0, 0, 0);
        while seen < limits.records.max(1) && bytes < limits.bytes.max(1) {
            let left =
                if records == 0 { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.consumer.poll(left) {
                Some(Ok(borrowed)) => {
                    seen += 1;
                    let (partition, offset) = (borrowed.partition(), borrowed.offset());
                    // The client drops what it had read ahead when it is paused, so this does not occur.
                    if self.paused {
                        continue;
                    }
                    match self.positions.admit(partition, offset, into) {
                        Admission::Taken => {}
                        Admission::NotOurs => continue,
                        Admission::Repeat => {
                            if let Some(watch) = self.watches.get_mut(&partition) {
                                watch.suspicious = true;
                            }
                            continue;
                        }
                    }
                    let message = owned(&borrowed);
                    records += 1;
                    bytes += message.bytes();
                    self.positions.push(message, into);
                    if let Some(watch) = self.watches.get_mut(&partition) {
                        watch.silent_since = now;
                        watch.refetches = 0;
                    }
                }
                Some(Err(error)) => on_error(&error)?,
                None if records > 0 || Instant::now() >= until => break,
                None => {}
            }
        }
        if records > 0 {
            self.link.set_reachable(true);
        }
        self.look_after(into)
    }

    fn position(&self, partition: i32) -> Option<i64> {
        self.positions.get(partition)
    }

    fn watermarks(&mut self, partition: i32, wait: Duration) -> Result<Watermarks, SourceError> {
        self.consumer
            .fetch_watermarks(&self.topic, partition, wait)
            .map(|(low, high)| Watermarks { low, high })
            .map_err(|error| SourceError::Unreachable { reason: error.to_string() })
    }

    fn is_reachable(&self) -> bool {
        self.link.is_reachable()
    }

    fn figures(&self) -> SourceFigures {
        self.positions.figures
    }
}
