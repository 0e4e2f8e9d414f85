//! Consumer groups of the embedded broker, as librdkafka uses them. Ingest has none: this is for everybody else.

mod brokers;
#[allow(unused_macros, unused_imports, dead_code, reason = "the contract has tests of its own")]
mod contract;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use brokers::{Embedded, program};
use contract::Bus;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(100);

fn member(broker: &Embedded, group: &str, assignor: &str) -> BaseConsumer {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker.listen())
        .set("group.id", group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("session.timeout.ms", "10000")
        .set("heartbeat.interval.ms", "500")
        .set("partition.assignment.strategy", assignor)
        .create()
        .expect("a consumer");
    consumer.subscribe(&["coronaz"]).expect("subscribed");
    consumer
}

/// Reads until so many records came.
fn read(consumer: &BaseConsumer, count: usize) -> BTreeSet<(i32, i64)> {
    let until = Instant::now() + PATIENCE;
    let mut found = BTreeSet::new();
    while found.len() < count {
        assert!(Instant::now() < until, "{} of {count} records", found.len());
        // After an error the client retries by itself.
        if let Some(Ok(record)) = consumer.poll(STEP) {
            assert!(found.insert((record.partition(), record.offset())), "twice");
        }
    }
    found
}

/// Commits what was read; a broker that was killed just now is waited for.
fn commit(consumer: &BaseConsumer) {
    let until = Instant::now() + PATIENCE;
    while let Err(error) = consumer.commit_consumer_state(CommitMode::Sync) {
        let is_fenced = matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::UnknownMemberId | RDKafkaErrorCode::IllegalGeneration)
        );
        assert!(!is_fenced && Instant::now() < until, "{error}");
        // Where nothing was read yet there is nothing to commit.
        let _ = consumer.poll(STEP);
    }
}

fn assigned(consumer: &BaseConsumer) -> BTreeSet<i32> {
    // Rebalances are dealt with here.
    let _ = consumer.poll(STEP);
    let assigned = consumer.assignment().expect("an assignment");
    assigned.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "in vain waiting until {what}");
    }
}

/// Produces so many records, to the partitions in turn.
fn send(broker: &Embedded, count: usize) {
    let config = ClientConfig::new().set("bootstrap.servers", broker.listen()).clone();
    let producer: BaseProducer = config.create().expect("a producer");
    for number in 0..count {
        let payload = number.to_string();
        let partition = i32::try_from(number % 4).expect("small");
        let record = BaseRecord::<(), _>::to("coronaz").payload(&payload).partition(partition);
        producer.send(record).map_err(|(error, _)| error).expect("there is room");
    }
    producer.flush(PATIENCE).expect("all are acknowledged");
}

#[test]
fn a_group_resumes_where_it_committed_also_when_the_broker_was_killed_in_between() {
    let Some(program) = program() else { return };
    let broker = Embedded::start(program);
    send(&broker, 100);
    let first = member(&broker, "g", "range");
    let before = read(&first, 100);
    commit(&first);
    drop(first);
    broker.kill();
    broker.revive();
    send(&broker, 30);
    let second = member(&broker, "g", "range");
    let after = read(&second, 30);
    assert!(before.is_disjoint(&after));
    let other = member(&broker, "other", "range");
    assert_eq!(read(&other, 130), &before | &after, "another group reads all");
}

#[test]
fn two_members_share_the_partitions_and_the_one_that_stays_takes_over() {
    let Some(program) = program() else { return };
    let broker = Embedded::start(program);
    for assignor in ["range", "cooperative-sticky"] {
        let all: BTreeSet<i32> = (0..4).collect();
        let first = member(&broker, assignor, assignor);
        until("the first has all", || assigned(&first) == all);
        let second = member(&broker, assignor, assignor);
        until("they share", || {
            let (one, other) = (assigned(&first), assigned(&second));
            one.len() == 2 && other.len() == 2 && &one | &other == all
        });
        drop(first);
        until("the second has all", || assigned(&second) == all);
    }
}

#[test]
fn a_member_keeps_its_place_while_the_broker_is_killed_and_comes_back() {
    let Some(program) = program() else { return };
    let broker = Embedded::start(program);
    send(&broker, 100);
    let (one, other) = (member(&broker, "g", "range"), member(&broker, "g", "range"));
    until("they share", || {
        // Both are polled each time: a member that is not polled joins no rebalance.
        let counts = [assigned(&one).len(), assigned(&other).len()];
        counts == [2, 2]
    });
    let held = assigned(&one);
    broker.kill();
    broker.revive();
    // As every program does, without looking at what happened meanwhile.
    commit(&one);
    commit(&other);
    assert_eq!(assigned(&one), held);
}

#[test]
fn a_transaction_is_refused_at_once_and_for_good() {
    let Some(program) = program() else { return };
    let broker = Embedded::start(program);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", broker.listen())
        .set("transactional.id", "t")
        .create()
        .expect("a producer");
    let refused = producer.init_transactions(PATIENCE).expect_err("there are no transactions");
    let KafkaError::Transaction(error) = &refused else { panic!("{refused}") };
    assert!(error.is_fatal(), "{refused}");
    assert_eq!(error.code(), RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
}
