//! The source over librdkafka's consumer, with partitions assigned by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::{ClientContext, Statistics};
use tracing::{debug, warn};

use super::CONTENT_TYPE_HEADER;
use super::link::{self, Link};
use crate::config::{BusConfig, ConfigError};
use crate::positions::Positions;
use crate::record::{ContentType, Message};
use crate::source::{GapReason, Incoming, Limits, RecordSource, SourceError, SourceFigures, Watermarks};

/// How often a partition that has records and yields none is asked anew before one is given up.
const REFETCHES_MAX: u32 = 3;
/// How long the broker may take to say where a silent partition ends.
const WATERMARKS_WAIT: Duration = Duration::from_secs(1);

/// A source from a Kafka-protocol broker. Belongs to one thread at a time; poll it steadily.
pub struct KafkaSource {
    topic: String,
    stuck_after: Duration,
    consumer: BaseConsumer<Context>,
    link: Arc<Link>,
    positions: Positions,
    silences: BTreeMap<i32, Silence>,
    paused: bool,
}

/// How long nothing came out of a partition.
struct Silence {
    since: Instant,
    refetches: u32,
    /// The client said that some partition's offset is not in the broker's range.
    out_of_range: bool,
}

impl Silence {
    fn starts_now() -> Self {
        Self { since: Instant::now(), refetches: 0, out_of_range: false }
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
            silences: BTreeMap::new(),
            paused: false,
        })
    }

    /// Gives the client all partitions with the offsets that come next. What it had read ahead is
    /// dropped and read again; partitions change hands rarely.
    fn reassign(&self) -> Result<(), SourceError> {
        let mut list = TopicPartitionList::new();
        for (partition, next) in self.positions.iter() {
            list.add_partition_offset(&self.topic, partition, Offset::Offset(next)).map_err(failed)?;
        }
        self.consumer.assign(&list).map_err(failed)?;
        if self.paused { self.consumer.pause(&list).map_err(failed) } else { Ok(()) }
    }

    fn all_assigned(&self) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, _) in self.positions.iter() {
            list.add_partition(&self.topic, partition);
        }
        list
    }

    /// Looks after partitions that were silent for long: asks the broker where they end.
    fn tend_silent(&mut self, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        if self.paused {
            return Ok(());
        }
        let silent = self
            .silences
            .iter()
            .find(|(_, silence)| silence.out_of_range || silence.since.elapsed() >= self.stuck_after);
        let Some((&partition, _)) = silent else { return Ok(()) };
        let told = self.watermarks(partition, WATERMARKS_WAIT);
        let (Some(next), Some(silence)) = (self.positions.get(partition), self.silences.get_mut(&partition))
        else {
            return Ok(());
        };
        silence.since = Instant::now();
        let out_of_range = std::mem::take(&mut silence.out_of_range);
        let Ok(Watermarks { low, high }) = told else {
            silence.out_of_range = out_of_range;
            return Ok(());
        };
        if next < low {
            self.positions.skip(partition, low, GapReason::Missing, into);
            return self.reassign();
        }
        // The embedded broker says 0 and 0 when everything has expired, which is no replaced topic;
        // Kafka says that the offset is out of range.
        if next > high && (high > 0 || out_of_range) {
            self.reassign()?;
            return Err(SourceError::BeyondEnd { partition, next, high });
        }
        if next < high {
            self.refetch(partition, next, into)?;
        } else if out_of_range {
            self.reassign()?;
        }
        Ok(())
    }

    /// There are records and none came: asks anew, and gives one up when that was in vain often.
    fn refetch(&mut self, partition: i32, next: i64, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        self.positions.figures.refetches += 1;
        if let Some(silence) = self.silences.get_mut(&partition) {
            silence.refetches += 1;
            if silence.refetches > REFETCHES_MAX {
                silence.refetches = 0;
                warn!(partition, offset = next, "the broker does not hand this record out: given up");
                self.positions.skip(partition, next + 1, GapReason::Undeliverable, into);
            }
        }
        self.reassign()
    }

    fn on_error(&mut self, error: &KafkaError) -> Result<(), SourceError> {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                for silence in self.silences.values_mut() {
                    silence.out_of_range = true;
                }
                Ok(())
            }
            Some(RDKafkaErrorCode::Fatal) => Err(SourceError::Failed { reason: error.to_string() }),
            _ => {
                debug!(%error, "nothing was read");
                Ok(())
            }
        }
    }
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
        self.positions.set(partition, next_offset);
        self.silences.insert(partition, Silence::starts_now());
        self.reassign()
    }

    fn unassign(&mut self, partition: i32) -> Result<(), SourceError> {
        self.silences.remove(&partition);
        if self.positions.remove(partition) { self.reassign() } else { Ok(()) }
    }

    fn seek(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        self.positions.get(partition).ok_or(SourceError::NotAssigned { partition })?;
        self.assign(partition, next_offset)
    }

    fn pause(&mut self) -> Result<(), SourceError> {
        if !std::mem::replace(&mut self.paused, true) {
            self.consumer.pause(&self.all_assigned()).map_err(failed)?;
        }
        Ok(())
    }

    fn resume(&mut self) -> Result<(), SourceError> {
        if std::mem::replace(&mut self.paused, false) {
            // From our own positions, not from the client's: a pause drops what was read ahead.
            for silence in self.silences.values_mut() {
                *silence = Silence::starts_now();
            }
            self.reassign()?;
            self.consumer.resume(&self.all_assigned()).map_err(failed)?;
        }
        Ok(())
    }

    fn poll(&mut self, wait: Duration, limits: Limits, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        let until = Instant::now() + wait;
        let (mut records, mut bytes) = (0, 0);
        while records < limits.records.max(1) && bytes < limits.bytes.max(1) {
            let left =
                if records == 0 { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
            match self.consumer.poll(left) {
                Some(Ok(borrowed)) => {
                    let (partition, offset) = (borrowed.partition(), borrowed.offset());
                    if self.paused || self.positions.admit(partition, offset, into).is_none() {
                        continue;
                    }
                    let message = owned(&borrowed);
                    records += 1;
                    bytes += message.bytes();
                    self.positions.push(message, into);
                    self.silences.insert(partition, Silence::starts_now());
                }
                Some(Err(error)) => self.on_error(&error)?,
                None if records > 0 || Instant::now() >= until => break,
                None => {}
            }
        }
        if records > 0 {
            self.link.set_reachable(true);
        }
        self.tend_silent(into)
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
