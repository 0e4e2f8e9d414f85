//! Batches handed out, waiting for them if need be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::warn;

use super::{Answer, Asker, Broker};
use crate::log::batch;
use crate::log::{Found as Content, ReadError};
use crate::protocol::ErrorCode;
use crate::protocol::request::{Fetch, From};
use crate::topic::Topic;

/// The longest that a reader may have its question held: then it is told that there is nothing, so
/// that a reader that has gone is noticed.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// The same for a question so large that its memory is counted.
const WAIT_MAX_LARGE: Duration = Duration::from_secs(1);
/// The most of a partition and of all together in one answer. It is sent from the file piece by piece
/// and takes no memory; but who asks for another partition should not wait for long.
const BYTES_MAX: u64 = 16 << 20;

/// One partition that is asked for.
struct Wanted<'a> {
    name: &'a str,
    topic: Option<Arc<Topic>>,
    partitions: &'a [(i32, From)],
}

/// What there is of a partition.
struct Found {
    number: i32,
    error: ErrorCode,
    start: i64,
    end: i64,
    /// From where it is read.
    offset: i64,
    content: Option<Content>,
}

impl Found {
    fn bytes(&self) -> u64 {
        match &self.content {
            Some(Content::Batches(slice)) => slice.bytes,
            Some(Content::Lost { .. }) => batch::HEAD_BYTES as u64,
            None => 0,
        }
    }
}

impl Broker {
    pub(super) fn fetch(&self, version: i16, fetch: &Fetch<'_>, asker: &mut Asker<'_>, answer: &mut Answer) {
        answer.writer.i32(0);
        // Sessions save bytes where there are thousands of partitions: none are offered here.
        let knows_session = fetch.session == 0;
        if version >= 7 {
            answer.writer.error(if knows_session {
                ErrorCode::None
            } else {
                ErrorCode::FetchSessionNotFound
            });
            answer.writer.i32(0);
        }
        if !knows_session {
            answer.writer.count(0);
            return;
        }
        let topic_of = |topic: &str| self.data.topic(topic);
        let wanted: Vec<Wanted<'_>> = (fetch.topics.iter())
            .map(|of| Wanted { name: of.topic, topic: topic_of(of.topic), partitions: &of.partitions })
            .collect();
        let found = find_or_wait(fetch, &wanted, asker);
        write(version, &wanted, found, answer);
    }
}

/// Looks, and if there is too little, waits for more, as long as the reader wants to.
fn find_or_wait(fetch: &Fetch<'_>, wanted: &[Wanted<'_>], asker: &mut Asker<'_>) -> Vec<Vec<Found>> {
    let wait = Duration::from_millis(u64::try_from(fetch.wait_ms_max).unwrap_or(0));
    let wait = wait.min(if asker.holds_memory { WAIT_MAX_LARGE } else { WAIT_MAX });
    let until = Instant::now() + wait;
    let is_enough = |found: &[Vec<Found>]| {
        let mut all = found.iter().flatten();
        let bytes: u64 = found.iter().flatten().map(Found::bytes).sum();
        bytes >= u64::try_from(fetch.bytes_min).unwrap_or(0)
            || all.any(|found| found.error != ErrorCode::None)
    };
    let mut found = find(fetch, wanted);
    while !is_enough(&found) && Instant::now() < until {
        // A bell of its own for each time, so that one rung late is not taken for the next.
        asker.bell = Arc::default();
        for partition in partitions(wanted) {
            partition.wake(&asker.bell);
        }
        // Again, for what came before the bell was hung up.
        found = find(fetch, wanted);
        if !is_enough(&found) {
            asker.bell.wait_until(until);
            found = find(fetch, wanted);
        }
        for partition in partitions(wanted) {
            partition.forget(&asker.bell);
        }
    }
    found
}

fn partitions<'a>(wanted: &'a [Wanted<'_>]) -> impl Iterator<Item = &'a crate::partition::Partition> {
    wanted.iter().flat_map(|wanted| {
        let numbers = wanted.partitions.iter();
        numbers.filter_map(|(number, _)| wanted.topic.as_deref()?.partition(*number))
    })
}

fn find(fetch: &Fetch<'_>, wanted: &[Wanted<'_>]) -> Vec<Vec<Found>> {
    let mut left = u64::try_from(fetch.bytes_max).unwrap_or(0).min(BYTES_MAX);
    let of_partition = |wanted: &Wanted<'_>, number: i32, from: From, left: &mut u64| {
        let mut found =
            Found { number, error: ErrorCode::None, start: -1, end: -1, offset: from.offset, content: None };
        let Some(partition) = wanted.topic.as_deref().and_then(|topic| topic.partition(number)) else {
            found.error = ErrorCode::UnknownTopicOrPartition;
            return found;
        };
        let most = u64::try_from(from.bytes_max).unwrap_or(0).min(*left);
        let read = partition.read(from.offset, most);
        (found.start, found.end) = (read.start, read.end);
        // The first batch goes out however large it is, or a reader with small buffers would never
        // get on; those of further partitions only while there is room.
        match read.found {
            Ok(content) => found.content = content.filter(|_| *left > 0),
            Err(ReadError::OutOfRange) => found.error = ErrorCode::OffsetOutOfRange,
            Err(ReadError::Storage(error)) => {
                warn!(topic = wanted.name, number, %error, "cannot read");
                found.error = ErrorCode::StorageError;
            }
        }
        *left = left.saturating_sub(found.bytes());
        found
    };
    let of_topic = |wanted: &Wanted<'_>| {
        let partitions = wanted.partitions.iter();
        partitions.map(|(number, from)| of_partition(wanted, *number, *from, &mut left)).collect()
    };
    wanted.iter().map(of_topic).collect()
}

fn write(version: i16, wanted: &[Wanted<'_>], found: Vec<Vec<Found>>, answer: &mut Answer) {
    answer.writer.count(wanted.len());
    for (wanted, found) in wanted.iter().zip(found) {
        answer.writer.string(wanted.name);
        answer.writer.count(found.len());
        for found in found {
            let to = &mut answer.writer;
            to.i32(found.number);
            to.error(found.error);
            to.i64(found.end);
            // Nothing is in a transaction, so everything is stable.
            to.i64(found.end);
            if version >= 5 {
                to.i64(found.start);
            }
            to.count(0);
            if version >= 11 {
                to.i32(-1);
            }
            to.i32(i32::try_from(found.bytes()).unwrap_or(i32::MAX));
            match found.content {
                None => {}
                Some(Content::Batches(slice)) => answer.slices.push((to.bytes.len(), slice)),
                // Without anything a reader would ask for these offsets for ever.
                Some(Content::Lost { until }) => to.bytes.extend(batch::empty(found.offset, until)),
            }
        }
    }
}
