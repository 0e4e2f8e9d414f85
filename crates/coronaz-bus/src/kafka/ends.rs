//! Where partitions begin and end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::debug;

use super::link::{self, Link};
use crate::config::{BusConfig, ConfigError};
use crate::source::{SourceError, Watermarks};

/// The client puts what it has to say into a queue. It is emptied after each question, within this time once it is empty.
const EMPTYING: Duration = Duration::from_millis(1);

/// Asks the broker where a topic's partitions begin and end, all of them at once, on a connection of its own: on one on
/// which records are fetched each question would wait for the fetch before it.
pub struct TopicEnds {
    topic: String,
    consumer: BaseConsumer<Quiet>,
}

/// A client whose troubles are the caller's answers.
#[derive(Default)]
pub(super) struct Quiet {
    /// What its log says of offsets, if somebody asks.
    pub(super) link: Link,
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.link.on_log(facility, message);
        link::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        debug!(%error, reason, "Kafka client");
    }
}

impl ConsumerContext for Quiet {}

impl TopicEnds {
    /// Of the configured topic. Does not wait for the broker.
    pub fn new(config: &BusConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let consumer = BaseConsumer::from_config_and_context(&config.ends(), Quiet::default())
            .map_err(|error| ConfigError::Client { reason: error.to_string() })?;
        Ok(Self { topic: config.topic.clone(), consumer })
    }

    /// The ends of these partitions.
    ///
    /// # Errors
    /// [`SourceError::Unreachable`] when not all of them are known within `wait`.
    pub fn ask(&self, partitions: &[i32], wait: Duration) -> Result<BTreeMap<i32, Watermarks>, SourceError> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let until = Instant::now() + wait;
        let both = self.offsets(partitions, Offset::Beginning, until).and_then(|low| {
            let high = self.offsets(partitions, Offset::End, until)?;
            Ok((low, high))
        });
        // Nobody else takes what the client has to say, so that it would pile up.
        while self.consumer.poll(EMPTYING).is_some() {}
        let (low, high) = both?;
        let ends = low.into_iter().filter_map(|(partition, low)| {
            let high = *high.get(&partition)?;
            Some((partition, Watermarks { low, high }))
        });
        Ok(ends.collect())
    }

    fn offsets(
        &self,
        partitions: &[i32],
        which: Offset,
        until: Instant,
    ) -> Result<BTreeMap<i32, i64>, SourceError> {
        let unreachable = |error: KafkaError| SourceError::Unreachable { reason: error.to_string() };
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for &partition in partitions {
            list.add_partition_offset(&self.topic, partition, which).map_err(unreachable)?;
        }
        let wait = until.saturating_duration_since(Instant::now()).max(EMPTYING);
        let answered = self.consumer.offsets_for_times(list, wait).map_err(unreachable)?;
        let mut offsets = BTreeMap::new();
        for element in answered.elements() {
            element.error().map_err(unreachable)?;
            match element.offset() {
                Offset::Offset(offset) => offsets.insert(element.partition(), offset),
                other => {
                    let reason = format!("partition {} has no {other:?}", element.partition());
                    return Err(SourceError::Unreachable { reason });
                }
            };
        }
        Ok(offsets)
    }
}
