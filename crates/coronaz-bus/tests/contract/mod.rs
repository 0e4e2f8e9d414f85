//! What every bus has to do, whatever carries it. One function for each promise; each takes a bus of
//! its own and is named by the sentence it proves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

mod lives;
pub(crate) mod numbers;

pub(crate) use lives::*;

use coronaz_bus::{
    ContentType, Delivery, GapReason, Incoming, Limits, Message, Placed, RECORD_BYTES_MAX, Record,
    RecordSink, RecordSource, SendError, SourceError, partition_of,
};

/// A bus under test: a broker with a topic of its own.
pub(crate) trait Bus {
    /// A new sink.
    fn sink(&self) -> Box<dyn RecordSink>;
    /// A new sink whose queue holds so many records.
    fn small_sink(&self, queue_records: usize) -> Box<dyn RecordSink>;
    /// A new source, nothing assigned.
    fn source(&self) -> Box<dyn RecordSource>;
    /// Partitions of the topic.
    fn partitions(&self) -> u32;
    /// The broker dies at once, as by kill -9. Without effect where `can_die` is false.
    fn kill(&self) {}
    /// It comes back with its data.
    fn revive(&self) {}
    /// All its data is gone: it is dead, or has no process. Says whether that can be done.
    fn forget_all(&self) -> bool {
        false
    }
    /// Whether this broker can be killed by the test.
    fn can_die(&self) -> bool {
        false
    }
}

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(50);

fn record<'a>(key: &'a str, payload: &'a [u8], token: u64) -> Record<'a> {
    Record { key: key.as_bytes(), payload, content_type: ContentType::JSON, token }
}

/// Sends, waiting while the queue is full.
fn send(sink: &dyn RecordSink, outgoing: &Record<'_>, delivered: &mut Vec<Delivery>) {
    let until = Instant::now() + PATIENCE;
    loop {
        match sink.send(outgoing) {
            Ok(()) => return,
            Err(SendError::QueueFull) => {
                assert!(Instant::now() < until, "the queue stays full");
                sink.deliveries(STEP, delivered);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Takes deliveries until nothing is pending.
fn settle(sink: &dyn RecordSink, delivered: &mut Vec<Delivery>) {
    let until = Instant::now() + PATIENCE;
    while sink.pending() > 0 {
        assert!(Instant::now() < until, "{} records stay undecided", sink.pending());
        sink.deliveries(STEP, delivered);
    }
}

/// Sends `count` small records over `keys` keys and returns where each was stored, by token.
fn fill(bus: &dyn Bus, keys: u64, count: u64) -> BTreeMap<u64, Placed> {
    let sink = bus.sink();
    let mut delivered = Vec::new();
    for token in 0..count {
        let key = format!("device-{}", token % keys);
        send(&*sink, &record(&key, token.to_string().as_bytes(), token), &mut delivered);
    }
    settle(&*sink, &mut delivered);
    placed(&delivered)
}

fn placed(delivered: &[Delivery]) -> BTreeMap<u64, Placed> {
    delivered.iter().map(|delivery| (delivery.token, delivery.result.clone().expect("stored"))).collect()
}

fn assign_all(bus: &dyn Bus, source: &mut dyn RecordSource) {
    for partition in 0..bus.partitions() {
        source.assign(partition.try_into().expect("small"), 0).expect("assigned");
    }
}

/// Reads until `enough` is satisfied.
fn read_until(source: &mut dyn RecordSource, enough: impl Fn(&[Incoming]) -> bool) -> Vec<Incoming> {
    let until = Instant::now() + PATIENCE;
    let mut incoming = Vec::new();
    while !enough(&incoming) {
        assert!(Instant::now() < until, "only {} came: {:?}", incoming.len(), source.figures());
        source.poll(STEP, Limits::default(), &mut incoming).expect("polled");
    }
    incoming
}

fn read(source: &mut dyn RecordSource, count: usize) -> Vec<Incoming> {
    read_until(source, |incoming| incoming.len() >= count)
}

fn messages(incoming: &[Incoming]) -> Vec<&Message> {
    incoming
        .iter()
        .map(|incoming| match incoming {
            Incoming::Record(message) => message,
            _ => panic!("no record: {incoming:?}"),
        })
        .collect()
}

fn number(message: &Message) -> u64 {
    std::str::from_utf8(&message.payload).expect("text").parse().expect("a number")
}

/// Every offset of every partition comes once, from 0, in order.
fn assert_gapless(messages: &[&Message]) {
    let mut next: BTreeMap<i32, i64> = BTreeMap::new();
    for message in messages {
        let next = next.entry(message.partition).or_default();
        assert_eq!(message.offset, *next, "partition {}", message.partition);
        *next += 1;
    }
}

pub(crate) fn what_was_acknowledged_is_read_where_it_was_placed(bus: &dyn Bus) {
    let placed = fill(bus, 7, 500);
    assert_eq!(placed.len(), 500);
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    let incoming = read(&mut *source, 500);
    let messages = messages(&incoming);
    assert_eq!(messages.len(), 500);
    assert_gapless(&messages);
    for message in messages {
        let at = Placed { partition: message.partition, offset: message.offset };
        assert_eq!(placed[&number(message)], at);
    }
    assert_eq!(source.figures().repeats, 0);
    let read: u64 = source.figures().records;
    assert_eq!(read, 500);
}

pub(crate) fn records_of_a_key_stay_in_order_in_the_partition_of_the_key(bus: &dyn Bus) {
    fill(bus, 11, 1100);
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    let incoming = read(&mut *source, 1100);
    let mut last: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for message in messages(&incoming) {
        assert_eq!(message.partition, partition_of(&message.key, bus.partitions()));
        let number = number(message);
        if let Some(before) = last.insert(message.key.clone(), number) {
            assert_eq!(number, before + 11, "the records of a key are out of order");
        }
    }
    assert_eq!(last.len(), 11);
}

pub(crate) fn content_type_key_payload_and_time_come_through(bus: &dyn Bus) {
    let sink = bus.sink();
    let bytes: Vec<u8> = (0..=255).collect();
    let kinds = [ContentType::JSON, ContentType::FRAME, ContentType::RUN, ContentType::new("text/x-odd")];
    for (token, kind) in kinds.iter().enumerate() {
        let outgoing =
            Record { key: b"\x00\xffkey", payload: &bytes, content_type: kind.clone(), token: token as u64 };
        sink.send(&outgoing).expect("sent");
    }
    sink.send(&record("", b"", 9)).expect("an empty record is a record");
    assert!(sink.flush(PATIENCE));
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    let incoming = read(&mut *source, 5);
    let (empty, full): (Vec<&Message>, Vec<&Message>) =
        messages(&incoming).into_iter().partition(|message| message.payload.is_empty());
    assert_eq!(empty.len(), 1);
    for (message, kind) in full.iter().zip(&kinds) {
        assert_eq!(&message.content_type, kind);
        assert_eq!((&message.key[..], &message.payload), (&b"\x00\xffkey"[..], &bytes));
        assert!(message.timestamp_ms >= 0);
    }
}

pub(crate) fn a_record_of_the_largest_size_passes_and_a_larger_one_is_refused(bus: &dyn Bus) {
    let sink = bus.sink();
    let largest = vec![b'x'; RECORD_BYTES_MAX - 1];
    sink.send(&record("k", &largest, 1)).expect("the largest is taken");
    let larger = vec![b'x'; RECORD_BYTES_MAX];
    let refused = sink.send(&record("k", &larger, 2)).expect_err("a larger one was taken");
    assert_eq!(refused, SendError::TooLarge { bytes: RECORD_BYTES_MAX + 1 });
    assert!(refused.to_string().contains("262145 bytes"), "{refused}");
    let mut delivered = Vec::new();
    settle(&*sink, &mut delivered);
    assert_eq!(delivered.len(), 1);
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    assert_eq!(messages(&read(&mut *source, 1))[0].payload.len(), largest.len());
}

pub(crate) fn reading_goes_on_from_any_offset_and_seeks_both_ways(bus: &dyn Bus) {
    let placed = fill(bus, 1, 100);
    let partition = placed[&0].partition;
    let mut source = bus.source();
    source.assign(partition, 40).expect("assigned");
    let incoming = read(&mut *source, 60);
    assert_eq!(messages(&incoming)[0].offset, 40);
    assert_eq!(source.position(partition), Some(100));
    source.seek(partition, 10).expect("back");
    let incoming = read(&mut *source, 90);
    assert_eq!(
        messages(&incoming).iter().map(|message| message.offset).collect::<Vec<_>>(),
        (10..100).collect::<Vec<_>>()
    );
    source.seek(partition, 0).expect("back again");
    source.seek(partition, 95).expect("and forth");
    let incoming = read(&mut *source, 5);
    assert_eq!(messages(&incoming)[0].offset, 95);
    let strange = source.seek(partition + 1, 0);
    assert_eq!(strange, Err(SourceError::NotAssigned { partition: partition + 1 }));
}

pub(crate) fn watermarks_tell_the_ends_and_the_lag(bus: &dyn Bus) {
    let placed = fill(bus, 1, 30);
    let partition = placed[&0].partition;
    let mut source = bus.source();
    source.assign(partition, 30).expect("assigned");
    source.ask_for_ends();
    let until = Instant::now() + PATIENCE;
    let ends = loop {
        assert!(Instant::now() < until, "the ends are not told");
        source.poll(STEP, Limits::default(), &mut Vec::new()).expect("polled");
        if let Some(ends) = source.take_ends() {
            break ends;
        }
    };
    assert_eq!(source.take_ends(), None, "an answer is given once");
    let marks = ends[&partition];
    assert_eq!((marks.low, marks.high), (0, 30));
    assert_eq!((marks.lag_records(12), marks.lag_records(31)), (18, 0));
}

pub(crate) fn a_paused_source_yields_nothing_and_goes_on_without_loss_or_repeat(bus: &dyn Bus) {
    fill(bus, 5, 2000);
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    let few = Limits { records: 100, bytes: usize::MAX };
    let mut incoming = Vec::new();
    let until = Instant::now() + PATIENCE;
    while incoming.len() < 2000 {
        assert!(Instant::now() < until, "only {} came", incoming.len());
        let before = incoming.len();
        source.poll(STEP, few, &mut incoming).expect("polled");
        assert!(incoming.len() <= before + 100, "the limit was not kept");
        if incoming.len() > before && before < 500 {
            source.pause().expect("paused");
            let held = incoming.len();
            source.poll(STEP, few, &mut incoming).expect("polling goes on");
            assert_eq!(incoming.len(), held, "a paused source yields nothing");
            source.resume().expect("resumed");
        }
    }
    let messages = messages(&incoming);
    assert_gapless(&messages);
    assert_eq!(messages.iter().map(|message| number(message)).collect::<BTreeSet<_>>().len(), 2000);
}

pub(crate) fn partitions_given_up_stay_silent_and_those_taken_over_start_where_told(bus: &dyn Bus) {
    let placed = fill(bus, 40, 400);
    let mut first = bus.source();
    assign_all(bus, &mut *first);
    read(&mut *first, 400);
    let partition = placed[&0].partition;
    let kept = first.position(partition).expect("assigned");
    first.unassign(partition).expect("given up");
    assert_eq!(first.position(partition), None);
    let mut second = bus.source();
    second.assign(partition, kept).expect("taken over");

    let sink = bus.sink();
    let mut delivered = Vec::new();
    for token in 0..400 {
        send(&*sink, &record(&format!("device-{}", token % 40), b"1", token), &mut delivered);
    }
    settle(&*sink, &mut delivered);
    let placed = placed_in(&delivered, partition);
    let taken = read(&mut *second, placed);
    assert!(messages(&taken).iter().all(|message| message.partition == partition && message.offset >= kept));
    let left = read(&mut *first, 400 - placed);
    assert!(messages(&left).iter().all(|message| message.partition != partition));
}

pub(crate) fn partitions_may_change_hands_as_fast_as_anyone_likes(bus: &dyn Bus) {
    let placed = fill(bus, 20, 200);
    let mut source = bus.source();
    let mut incoming = Vec::new();
    for round in 0..40 {
        assign_all(bus, &mut *source);
        source.poll(Duration::from_millis(round % 4), Limits::default(), &mut incoming).expect("polled");
        for partition in 0..bus.partitions() {
            let partition = partition.try_into().expect("small");
            source.seek(partition, 1).expect("sought");
            source.unassign(partition).expect("given up");
        }
    }
    incoming.clear();
    assign_all(bus, &mut *source);
    let incoming = read(&mut *source, placed.len());
    assert_gapless(&messages(&incoming));
}

fn placed_in(delivered: &[Delivery], partition: i32) -> usize {
    placed(delivered).values().filter(|placed| placed.partition == partition).count()
}

pub(crate) fn a_batch_ends_at_its_limit_of_bytes(bus: &dyn Bus) {
    let sink = bus.sink();
    let payload = vec![7; 10_000];
    let mut delivered = Vec::new();
    for token in 0..20 {
        send(&*sink, &record("k", &payload, token), &mut delivered);
    }
    settle(&*sink, &mut delivered);
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    let mut total = 0;
    let until = Instant::now() + PATIENCE;
    while total < 20 {
        assert!(Instant::now() < until);
        let mut incoming = Vec::new();
        source.poll(STEP, Limits { records: 1000, bytes: 25_000 }, &mut incoming).expect("polled");
        assert!(incoming.len() <= 3, "{} records of 10 kB in 25 kB", incoming.len());
        total += incoming.len();
    }
}

pub(crate) fn a_sink_knows_that_the_broker_is_there(bus: &dyn Bus) {
    let sink = bus.sink();
    sink.send(&record("k", b"1", 1)).expect("sent");
    let mut delivered = Vec::new();
    settle(&*sink, &mut delivered);
    assert!(sink.is_reachable());
}

pub(crate) fn while_the_broker_is_away_records_wait_and_the_queue_is_bounded(bus: &dyn Bus) {
    if !bus.can_die() {
        return;
    }
    let sink = bus.small_sink(50);
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    sink.send(&record("k", b"0", 0)).expect("sent");
    let mut delivered = Vec::new();
    settle(&*sink, &mut delivered);
    read(&mut *source, 1);
    bus.kill();
    let until = Instant::now() + PATIENCE;
    while sink.is_reachable() {
        assert!(Instant::now() < until, "the outage stays unnoticed");
        sink.deliveries(STEP, &mut delivered);
    }
    let mut taken = 0;
    let refused = loop {
        match sink.send(&record("k", format!("{}", taken + 1).as_bytes(), taken + 1)) {
            Ok(()) => taken += 1,
            Err(refused) => break refused,
        }
        assert!(taken <= 50, "the queue has no bound");
    };
    assert_eq!((refused, taken), (SendError::QueueFull, 50));
    assert!(!sink.flush(Duration::from_millis(200)), "there is nobody to take it");
    let mut incoming = Vec::new();
    source.poll(STEP, Limits::default(), &mut incoming).expect("an absent broker is no error");
    assert!(incoming.is_empty());

    bus.revive();
    settle(&*sink, &mut delivered);
    assert!(sink.is_reachable());
    assert_eq!(placed(&delivered).len(), 51);
    let incoming = read(&mut *source, 50);
    assert_eq!(
        messages(&incoming).iter().map(|message| number(message)).collect::<Vec<_>>(),
        (1..=50).collect::<Vec<_>>()
    );
}

pub(crate) fn killing_the_broker_loses_no_acknowledged_record_and_doubles_none(bus: &dyn Bus) {
    if !bus.can_die() {
        return;
    }
    const KEYS: u64 = 13;
    const COUNT: u64 = 6000;
    let sink = bus.sink();
    let mut source = bus.source();
    assign_all(bus, &mut *source);
    let (mut delivered, mut incoming) = (Vec::new(), Vec::new());
    for token in 0..COUNT {
        let key = format!("device-{}", token % KEYS);
        send(&*sink, &record(&key, token.to_string().as_bytes(), token), &mut delivered);
        if token % 100 == 0 {
            sink.deliveries(Duration::ZERO, &mut delivered);
            source.poll(Duration::from_millis(2), Limits::default(), &mut incoming).expect("polled");
        }
        if token % 2000 == 1000 {
            bus.kill();
        } else if token % 2000 == 1500 {
            bus.revive();
        }
    }
    settle(&*sink, &mut delivered);
    let placed = placed(&delivered);
    assert_eq!(placed.len() as u64, COUNT, "every record has one fate");

    incoming.extend(read_until(&mut *source, |more| more.len() + incoming.len() >= placed.len()));
    let seen = messages(&incoming);
    assert_gapless(&seen);
    let mut last = BTreeMap::new();
    for message in &seen {
        let number = number(message);
        let at = Placed { partition: message.partition, offset: message.offset };
        assert_eq!(placed[&number], at, "record {number} was acknowledged elsewhere");
        if let Some(before) = last.insert(&message.key, number) {
            assert_eq!(number, before + KEYS, "order of a key");
        }
    }
    assert_eq!(seen.len() as u64, COUNT, "stored twice");

    // And whoever comes later reads the same from the file.
    let mut later = bus.source();
    assign_all(bus, &mut *later);
    let again = read(&mut *later, seen.len());
    assert_gapless(&messages(&again));
}

/// Not a promise of every bus: where records can expire, a reader that was away too long is told.
#[allow(dead_code, reason = "only the in-memory bus expires records at will")]
pub(crate) fn assert_gap_told(source: &mut dyn RecordSource, partition: i32, from: i64, to: i64) {
    let incoming = read(source, 1);
    assert_eq!(incoming[0], Incoming::Gap { partition, from, to, reason: GapReason::Expired });
}

/// A test for each promise, over buses that `$bus` makes.
#[macro_export]
macro_rules! contract {
    ($bus:expr) => {
        $crate::contract!(@each $bus,
            what_was_acknowledged_is_read_where_it_was_placed,
            records_of_a_key_stay_in_order_in_the_partition_of_the_key,
            content_type_key_payload_and_time_come_through,
            a_record_of_the_largest_size_passes_and_a_larger_one_is_refused,
            reading_goes_on_from_any_offset_and_seeks_both_ways,
            watermarks_tell_the_ends_and_the_lag,
            a_paused_source_yields_nothing_and_goes_on_without_loss_or_repeat,
            partitions_given_up_stay_silent_and_those_taken_over_start_where_told,
            partitions_may_change_hands_as_fast_as_anyone_likes,
            an_offset_beyond_the_end_belongs_to_another_log_which_is_read_from_its_beginning,
            a_record_that_is_where_it_was_lets_reading_go_on_after_it,
            another_record_in_its_place_means_another_log_which_is_read_from_its_beginning,
            a_log_that_was_replaced_by_a_longer_one_is_noticed_by_a_reader_that_was_connected,
            a_batch_ends_at_its_limit_of_bytes,
            a_sink_knows_that_the_broker_is_there,
            while_the_broker_is_away_records_wait_and_the_queue_is_bounded,
            killing_the_broker_loses_no_acknowledged_record_and_doubles_none,
        );
    };
    (@each $bus:expr, $($promise:ident),* $(,)?) => {
        $(#[test]
        fn $promise() {
            if let Some(bus) = $bus {
                contract::$promise(&bus);
            }
        })*
    };
}
