//! The source over librdkafka's consumer, with partitions assigned by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::debug;

use super::CONTENT_TYPE_HEADER;
use super::link::{self, Link};
use super::scout::{is_of_connection, is_unreadable};
use super::survey::{Pass, Survey};
use super::watch::{Verdict, Watch};
use crate::config::{BusConfig, ConfigError, RECORD_BYTES_MAX};
use crate::mark::Mark;
use crate::positions::{Admission, Positions};
use crate::record::{ContentType, Message};
use crate::source::{GapReason, Incoming, Limits, RecordSource, SourceError, SourceFigures, Watermarks};

/// A source from a Kafka-protocol broker. Belongs to one thread at a time; poll it steadily.
pub struct KafkaSource {
    topic: String,
    stuck_after: Duration,
    compare_every: Duration,
    consumer: BaseConsumer<Context>,
    link: Arc<Link>,
    survey: Survey,
    positions: Positions,
    watches: BTreeMap<i32, Watch>,
    /// Partitions the client has. It keeps those that were unassigned, paused: taking one from it,
    /// giving it back and taking it again before the first was done aborts the process (librdkafka
    /// 2.12, `rd_kafka_assignment_partition_stopped`).
    held: BTreeSet<i32>,
    paused: bool,
    /// The caller waits for the ends.
    ends_asked: bool,
    ends: Option<BTreeMap<i32, Watermarks>>,
    compared_at: Instant,
}

struct Context {
    link: Arc<Link>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.link.on_log(facility, message);
        link::log(level, facility, message);
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
            compare_every: config.compare_every,
            consumer,
            survey: Survey::new(config, &link)?,
            link,
            positions: Positions::default(),
            watches: BTreeMap::new(),
            held: BTreeSet::new(),
            paused: false,
            ends_asked: false,
            ends: None,
            compared_at: Instant::now(),
        })
    }

    /// Makes the client go on where the partition should. What it had read ahead is dropped.
    fn fetch_from_position(&self, partition: i32) -> Result<(), SourceError> {
        let Some(from) = self.positions.fetch_from(partition) else { return Ok(()) };
        self.consumer.seek(&self.topic, partition, Offset::Offset(from), Duration::ZERO).map_err(failed)
    }

    /// As [`Self::fetch_from_position`], unless everything is fetched again when the pause is over.
    fn fetch_anew(&mut self, partition: i32) -> Result<(), SourceError> {
        if let Some(watch) = self.watches.get_mut(&partition) {
            watch.asked_anew();
        }
        if self.paused { Ok(()) } else { self.fetch_from_position(partition) }
    }

    fn list(&self, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, partition);
        }
        list
    }

    /// After a lost connection: what comes next is compared with what was read last, in every partition. Returns those that
    /// are fetched from there, so that what is in hand of them comes again. Partitions of which the broker says that there
    /// is no such offset wait until it is known where they begin and end.
    fn compare_after_loss(&mut self) -> Result<Vec<i32>, SourceError> {
        for partition in self.link.take_resets() {
            self.suspect(partition);
        }
        if !self.link.take_lost() {
            return Ok(Vec::new());
        }
        let mut compared: Vec<i32> = self.positions.partitions().collect();
        compared.retain(|partition| self.positions.check(*partition));
        for &partition in &compared {
            self.fetch_anew(partition)?;
        }
        Ok(compared)
    }

    /// The client reads from elsewhere: nothing of the partition counts until it is known what that means.
    fn suspect(&mut self, partition: i32) {
        if let Some(watch) = self.watches.get_mut(&partition)
            && !watch.is_halted()
        {
            watch.complained(true);
            self.survey.ask_now();
        }
    }

    /// Hands a record out, unless it was handed out before or belongs to another log.
    fn take(
        &mut self,
        message: Message,
        now: Instant,
        into: &mut Vec<Incoming>,
    ) -> Result<bool, SourceError> {
        let (partition, offset) = (message.partition, message.offset);
        let Some(watch) = self.watches.get_mut(&partition).filter(|watch| !watch.is_halted()) else {
            return Ok(false);
        };
        match self.positions.take(message, into) {
            Admission::Taken => {
                watch.yielded(now);
                return Ok(true);
            }
            Admission::NotOurs => {}
            Admission::Repeat => self.suspect(partition),
            Admission::Recognised => {
                watch.yielded(now);
                // Between it and the position may be what was given up as unreadable.
                if self.positions.get(partition).is_some_and(|next| next != offset + 1) {
                    self.fetch_anew(partition)?;
                }
            }
            Admission::Replaced => self.begin_again(partition)?,
        }
        Ok(false)
    }

    /// The partition has another log, which is read from its first record.
    fn begin_again(&mut self, partition: i32) -> Result<(), SourceError> {
        self.watches.insert(partition, Watch::starts_now());
        self.survey.ask_now();
        self.fetch_anew(partition)
    }

    /// An absent broker, a topic that moves: the client goes on by itself. Only a fatal error ends it.
    fn on_error(&mut self, error: &KafkaError) -> Result<(), SourceError> {
        if let KafkaError::MessageConsumptionFatal(_) = error {
            return Err(SourceError::Failed { reason: error.to_string() });
        }
        let code = error.rdkafka_error_code();
        let is_unknown = matches!(
            code,
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::UnknownTopic
                    | RDKafkaErrorCode::UnknownPartition
                    | RDKafkaErrorCode::LogTruncation
            )
        );
        if is_of_connection(error) || is_unknown {
            self.link.set_lost();
        }
        if is_unreadable(error) {
            // It does not say of which partition: the one that it is about yields nothing.
            self.watches.values_mut().for_each(|watch| watch.complained(false));
        }
        debug!(%error, "nothing was read");
        Ok(())
    }

    /// Looks after partitions by what the broker answered since: those that have another log, begin later than they
    /// should, or yield nothing of what they have.
    fn look_after(&mut self, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        let answers = self.survey.take();
        for pass in answers.passes {
            self.pass(pass, into)?;
        }
        for (partition, mark) in answers.strangers {
            if self.watches.get(&partition).is_some_and(|watch| watch.compared == Some(mark)) {
                self.positions.restart(partition, None, into);
                self.begin_again(partition)?;
            }
        }
        if let Some(ends) = answers.ends {
            for (&partition, &ends) in &ends {
                self.judge(partition, ends, into)?;
            }
            if std::mem::take(&mut self.ends_asked) {
                self.ends = Some(ends);
            }
        }
        if self.compared_at.elapsed() >= self.compare_every {
            self.compared_at = Instant::now();
            self.compare_landmarks();
        }
        Ok(())
    }

    fn judge(
        &mut self,
        partition: i32,
        ends: Watermarks,
        into: &mut Vec<Incoming>,
    ) -> Result<(), SourceError> {
        let (Some(next), Some(from)) = (self.positions.get(partition), self.positions.fetch_from(partition))
        else {
            return Ok(());
        };
        if self.paused {
            return Ok(());
        }
        if from < next && ends.low > from {
            // The record to compare with has expired. What comes after it is read.
            self.positions.cannot_compare(partition);
            return self.fetch_anew(partition);
        }
        let Some(watch) = self.watches.get_mut(&partition) else { return Ok(()) };
        match watch.judge(ends, (next, from), self.stuck_after) {
            Verdict::Well | Verdict::Wait => {}
            Verdict::Replaced(end) => {
                self.positions.restart(partition, Some(end), into);
                self.begin_again(partition)?;
            }
            Verdict::Expired(low) => {
                self.positions.cannot_compare(partition);
                self.positions.skip(partition, low, GapReason::Expired, into);
                self.fetch_anew(partition)?;
            }
            Verdict::Refetch => {
                self.positions.figures.refetches += 1;
                self.fetch_anew(partition)?;
            }
            Verdict::Pass(high) => {
                if self.survey.pass(partition, from, high)
                    && let Some(watch) = self.watches.get_mut(&partition)
                {
                    watch.is_looked_at();
                }
            }
        }
        Ok(())
    }

    /// Goes on where something can be read.
    fn pass(&mut self, pass: Pass, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        let Pass { partition, from, to } = pass;
        if self.positions.fetch_from(partition) != Some(from) {
            return Ok(());
        }
        if let Some(to) = to.filter(|to| *to > from) {
            debug!(partition, from, to, "these records cannot be read: passed");
            self.positions.cannot_compare(partition);
            self.positions.skip(partition, to, GapReason::Unreadable, into);
        }
        self.fetch_anew(partition)
    }

    /// Looks at a record of a while ago in each partition, and remembers one for the next time.
    fn compare_landmarks(&mut self) {
        let marks: Vec<(i32, Mark)> = self
            .watches
            .iter()
            .filter_map(|(partition, watch)| watch.landmark.map(|mark| (*partition, mark)))
            .collect();
        let is_begun = !marks.is_empty() && self.survey.compare(marks);
        for (partition, watch) in &mut self.watches {
            watch.compared = watch.landmark.filter(|_| is_begun);
            if watch.landmark.is_none() || is_begun {
                watch.landmark = self.positions.mark(*partition);
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "its place is `map_err`")]
fn failed(error: KafkaError) -> SourceError {
    SourceError::Failed { reason: error.to_string() }
}

/// The bytes, or as many of them as show that they are more than a record of ours may have: what a stranger's batch
/// becomes when it is decompressed has no limit.
fn beginning(bytes: Option<&[u8]>) -> Vec<u8> {
    let bytes = bytes.unwrap_or_default();
    bytes[..bytes.len().min(RECORD_BYTES_MAX + 1)].to_vec()
}

pub(super) fn owned(message: &BorrowedMessage<'_>) -> Message {
    let header = message.headers().and_then(|headers| {
        headers.iter().find(|header| header.key.eq_ignore_ascii_case(CONTENT_TYPE_HEADER))
    });
    let content_type =
        header.and_then(|header| header.value).map_or(ContentType::JSON, ContentType::from_header);
    Message {
        partition: message.partition(),
        offset: message.offset(),
        key: beginning(message.key()),
        payload: beginning(message.payload()),
        content_type,
        timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
    }
}

impl RecordSource for KafkaSource {
    fn assign(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        self.assign_after(partition, next_offset, None)
    }

    fn assign_after(
        &mut self,
        partition: i32,
        next_offset: i64,
        mark: Option<Mark>,
    ) -> Result<(), SourceError> {
        let was_assigned = self.positions.get(partition).is_some();
        self.positions.set(partition, next_offset, mark);
        self.watches.insert(partition, Watch::starts_now());
        self.survey.of(self.positions.partitions().collect());
        let list = self.list([partition]);
        if self.held.insert(partition) {
            let mut list = TopicPartitionList::new();
            let offset = Offset::Offset(self.positions.fetch_from(partition).unwrap_or(next_offset));
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
        let was_assigned = self.positions.remove(partition);
        self.survey.of(self.positions.partitions().collect());
        if was_assigned && !self.paused {
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
            let assigned = self.list(self.positions.partitions());
            self.consumer.pause(&assigned).map_err(failed)?;
        }
        Ok(())
    }

    fn resume(&mut self) -> Result<(), SourceError> {
        if std::mem::replace(&mut self.paused, false) {
            let partitions: Vec<i32> = self.positions.partitions().collect();
            for &partition in &partitions {
                // From our own position: the pause dropped what was read ahead.
                self.fetch_anew(partition)?;
            }
            self.consumer.resume(&self.list(partitions)).map_err(failed)?;
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
            let polled = self.consumer.poll(left).map(|polled| polled.map(|borrowed| owned(&borrowed)));
            let comes_again = self.compare_after_loss()?;
            match polled {
                Some(Ok(message)) => {
                    seen += 1;
                    // The client drops what it had read ahead when it is paused, so this does not occur.
                    if self.paused || comes_again.contains(&message.partition) {
                        continue;
                    }
                    let size = message.bytes();
                    if self.take(message, now, into)? {
                        records += 1;
                        bytes += size;
                    }
                }
                Some(Err(error)) => self.on_error(&error)?,
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

    fn mark(&self, partition: i32) -> Option<Mark> {
        self.positions.mark(partition)
    }

    fn ask_for_ends(&mut self) {
        (self.ends_asked, self.ends) = (true, None);
        self.survey.ask_now();
    }

    fn take_ends(&mut self) -> Option<BTreeMap<i32, Watermarks>> {
        self.ends.take()
    }

    fn stalled(&self) -> Vec<i32> {
        let stalled = self.watches.iter().filter(|(_, watch)| watch.is_stalled());
        stalled.map(|(partition, _)| *partition).collect()
    }

    fn is_reachable(&self) -> bool {
        self.link.is_reachable()
    }

    fn figures(&self) -> SourceFigures {
        self.positions.figures
    }
}
