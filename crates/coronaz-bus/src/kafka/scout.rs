//! Looks at single records with a client of its own, so that what it is told about one partition is about that one, and
//! the source's own reading is not disturbed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tracing::debug;

use super::ends::Quiet;
use super::source::owned;
use crate::config::BusConfig;
use crate::mark::Mark;

/// How long the broker may take to hand out a record, the connection to it included.
const LOOK_WAIT: Duration = Duration::from_secs(5);
/// What can be read follows what cannot by no more than this: it is in the same answer.
const AFTER_TROUBLE: Duration = Duration::from_millis(200);
/// One step of waiting: how soon a stop is noticed.
const STEP: Duration = Duration::from_millis(50);

struct Scout<'a> {
    topic: &'a str,
    consumer: BaseConsumer<Quiet>,
    stop: &'a AtomicBool,
}

/// What came of asking for an offset.
enum Found {
    /// The first record at or after it.
    Record(i64),
    /// The broker answers, and nothing can be read.
    Nothing,
    /// The broker does not answer, or the source was stopped.
    Unknown,
}

impl<'a> Scout<'a> {
    fn new(config: &'a BusConfig, places: &[(i32, i64)], stop: &'a AtomicBool) -> Result<Self, KafkaError> {
        let consumer = BaseConsumer::from_config_and_context(&config.scout(), Quiet::default())?;
        let mut list = TopicPartitionList::with_capacity(places.len());
        for &(partition, offset) in places {
            list.add_partition_offset(&config.topic, partition, Offset::Offset(offset))?;
        }
        consumer.assign(&list)?;
        Ok(Self { topic: &config.topic, consumer, stop })
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What there is at `offset` or right after it.
    fn look(&self, partition: i32, offset: i64) -> Found {
        if let Err(error) = self.consumer.seek(self.topic, partition, Offset::Offset(offset), Duration::ZERO)
        {
            // It is not there yet: it was assigned a moment ago, at its first offset.
            debug!(%error, "the scout cannot seek");
        }
        let link = &self.consumer.context().link;
        // What was said of the place before does not count.
        drop(link.take_resets());
        let mut until = Instant::now() + LOOK_WAIT;
        let mut is_told = false;
        while Instant::now() < until && !self.is_stopped() {
            let polled = self.consumer.poll(STEP);
            // The broker says that it does not have the offset, and the client begins with the first one there is.
            if !link.take_resets().is_empty() && !std::mem::replace(&mut is_told, true) {
                until = Instant::now() + AFTER_TROUBLE;
            }
            match polled {
                Some(Ok(record)) if record.offset() >= offset => return Found::Record(record.offset()),
                Some(Err(error)) if is_unreadable(&error) && !is_told => {
                    is_told = true;
                    until = Instant::now() + AFTER_TROUBLE;
                }
                Some(Err(error)) if is_of_connection(&error) => return Found::Unknown,
                _ => {}
            }
        }
        let answers = || self.consumer.fetch_metadata(Some(self.topic), LOOK_WAIT).is_ok();
        if !self.is_stopped() && (is_told || answers()) { Found::Nothing } else { Found::Unknown }
    }
}

/// The partitions that have another record where this one was. Those of which it is not known are left out.
pub(super) fn strangers(config: &BusConfig, marks: &[(i32, Mark)], stop: &AtomicBool) -> Vec<i32> {
    let places: Vec<(i32, i64)> = marks.iter().map(|(partition, mark)| (*partition, mark.offset())).collect();
    let scout = match Scout::new(config, &places, stop) {
        Ok(scout) => scout,
        Err(error) => {
            debug!(%error, "no scout");
            return Vec::new();
        }
    };
    let mut left: BTreeMap<i32, Mark> = marks.iter().copied().collect();
    let mut strangers = Vec::new();
    let until = Instant::now() + LOOK_WAIT;
    while !left.is_empty() && Instant::now() < until && !scout.is_stopped() {
        if let Some(Ok(record)) = scout.consumer.poll(STEP)
            && let Some(mark) = left.remove(&record.partition())
            && record.offset() == mark.offset()
            && !mark.is_of(&owned(&record))
        {
            strangers.push(record.partition());
        }
    }
    strangers
}

/// Where reading can go on at or after `from`: at the first record that can be read, or at the end, `high`. `None` when it
/// cannot be found out now.
///
/// What cannot be read is taken for one stretch. Its end is found in steps that double, and then by halving, so that a
/// batch of any size is passed as a whole with a few dozen questions.
pub(super) fn first_readable(
    config: &BusConfig,
    (partition, from, high): (i32, i64, i64),
    stop: &AtomicBool,
) -> Option<i64> {
    let scout = match Scout::new(config, &[(partition, from)], stop) {
        Ok(scout) => scout,
        Err(error) => {
            debug!(%error, "no scout");
            return None;
        }
    };
    search((from, high), |offset| scout.look(partition, offset))
}

fn search((from, high): (i64, i64), mut look: impl FnMut(i64) -> Found) -> Option<i64> {
    // Nothing can be read from `bad` on; asked for `good`, the broker hands out `readable`.
    let (mut bad, mut step) = match look(from) {
        Found::Record(offset) => return Some(offset),
        Found::Nothing => (from, 1_i64),
        Found::Unknown => return None,
    };
    let (mut good, mut readable) = loop {
        let place = bad.saturating_add(step);
        if place >= high {
            break (high, high);
        }
        match look(place) {
            Found::Record(offset) => break (place, offset),
            Found::Nothing => (bad, step) = (place, step.saturating_mul(2)),
            Found::Unknown => return None,
        }
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        match look(middle) {
            Found::Record(offset) => (good, readable) = (middle, offset),
            Found::Nothing => bad = middle,
            Found::Unknown => return None,
        }
    }
    Some(readable)
}

/// The client says that what it was given cannot be read, or that the broker cannot read it either.
pub(super) fn is_unreadable(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BadMessage
                | RDKafkaErrorCode::BadCompression
                | RDKafkaErrorCode::NotImplemented
                | RDKafkaErrorCode::InvalidMessage
                | RDKafkaErrorCode::InvalidMessageSize
                | RDKafkaErrorCode::MessageSizeTooLarge
                | RDKafkaErrorCode::KafkaStorageError
                | RDKafkaErrorCode::Unknown
        )
    )
}

/// The client says that the broker is not there.
pub(super) fn is_of_connection(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::Resolve
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log whose offsets in `bad` cannot be read and whose last one is before `high`; answers how often it was asked.
    fn asked(bad: std::ops::Range<i64>, high: i64, from: i64) -> (Option<i64>, u32) {
        let mut questions = 0;
        let found = search((from, high), |offset| {
            questions += 1;
            if bad.contains(&offset) || offset >= high { Found::Nothing } else { Found::Record(offset) }
        });
        (found, questions)
    }

    #[test]
    fn a_stretch_of_any_size_that_cannot_be_read_is_passed_as_a_whole_and_nothing_after_it() {
        for bad in 1..200 {
            for more in 0..30 {
                let (found, _) = asked(1_000..1_000 + bad, 1_000 + bad + more, 1_000);
                assert_eq!(found, Some(1_000 + bad), "{bad} unreadable, {more} after them");
            }
        }
        let (found, questions) = asked(5..5 + (1 << 31), 1 << 40, 5);
        assert_eq!(found, Some(5 + (1 << 31)));
        assert!(questions < 70, "{questions}");
        assert_eq!(asked(0..0, 10, 7), (Some(7), 1), "nothing is wrong with it");
    }
}
