//! The contract over the embedded broker, a process of its own for each test, killed by its id.
//!
//! The program is found at `CORONAZ_BROKER_BIN`, or where `cargo build --release -p coronaz-broker`
//! puts it. Without it these tests say so and pass, unless `CORONAZ_REQUIRE_BROKER` is set.

mod brokers;
mod contract;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use brokers::{Embedded, program};
use contract::Bus;
use coronaz_bus::{ContentType, Incoming, Limits, Record};

fn embedded() -> Option<Embedded> {
    Some(Embedded::start(program()?))
}

contract!(embedded());

/// The producer's session is unknown to the new data: the sink starts a new one, and whoever sends
/// learns which records to send again.
#[test]
fn a_broker_whose_data_was_replaced_takes_records_from_a_sink_that_knew_the_old() {
    let Some(broker) = embedded() else { return };
    let sink = broker.impatient_sink();
    let mut source = broker.source();
    let mut delivered = Vec::new();
    contract::numbers::send_numbers(&*sink, 0..100, &mut delivered);
    broker.kill();
    broker.forget();
    broker.revive();
    contract::numbers::send_numbers(&*sink, 100..200, &mut delivered);
    let unknown: Vec<u64> =
        delivered.iter().filter(|delivery| delivery.result.is_err()).map(|delivery| delivery.token).collect();
    assert!(unknown.iter().all(|token| *token >= 100), "what was acknowledged is not taken back");
    for token in unknown {
        contract::numbers::send_numbers(&*sink, token..token + 1, &mut delivered);
    }
    assert_eq!(contract::numbers::numbers_in(&broker, &mut *source, 100), (100..200).collect());
}

/// What is sent after the loss gets offsets that the reader has passed, and is read all the same.
#[test]
fn what_is_sent_after_the_broker_lost_its_last_part_is_read() {
    let Some(broker) = embedded() else { return };
    let mut delivered = Vec::new();
    let sink = broker.sink();
    for number in 0..100 {
        // One batch each, so that the file can lose some of them.
        contract::numbers::send_numbers(&*sink, number..number + 1, &mut delivered);
    }
    drop(sink);
    let mut source = broker.source();
    assert_eq!(contract::numbers::numbers_in(&broker, &mut *source, 100).len(), 100);
    for longer in [false, true] {
        broker.kill();
        broker.lose_tail();
        broker.revive();
        let from = if longer { 2_000 } else { 1_000 };
        let more = if longer { 300 } else { 5 };
        contract::numbers::send_numbers(&*broker.sink(), from..from + more, &mut delivered);
        contract::numbers::wait_for_numbers(&mut *source, from..from + more);
    }
    assert!(source.figures().replaced >= 2, "{:?}", source.figures());
}

/// Closed files are not read again when the broker starts; a reader meets what has happened to them.
#[test]
fn a_flipped_bit_in_a_closed_file_costs_a_batch_and_stops_nothing() {
    let Some(broker) = embedded() else { return };
    let sink = broker.sink();
    let mut deliveries = Vec::new();
    // More than the 64 MiB of a file.
    for number in 0..400_u64 {
        let payload = format!("{}{number}", "0".repeat(200_000));
        let record =
            Record { key: b"k", payload: payload.as_bytes(), content_type: ContentType::JSON, token: number };
        while sink.send(&record).is_err() {
            sink.deliveries(Duration::from_millis(50), &mut deliveries);
        }
    }
    assert!(sink.flush(Duration::from_secs(60)));
    sink.deliveries(Duration::ZERO, &mut deliveries);
    let partition = deliveries[0].result.clone().expect("stored").partition;
    broker.kill();
    broker.flip_a_bit(partition);
    broker.revive();
    let mut source = broker.source();
    source.assign(partition, 0).expect("assigned");
    let (mut came, mut lost, until) = (BTreeSet::new(), 0, Instant::now() + Duration::from_secs(120));
    while came.len() as i64 + lost < 400 {
        assert!(Instant::now() < until, "{} came, {lost} are lost, {:?}", came.len(), source.figures());
        let mut incoming = Vec::new();
        source.poll(Duration::from_millis(50), Limits::default(), &mut incoming).expect("polled");
        for incoming in incoming {
            match incoming {
                Incoming::Record(message) => assert!(came.insert(message.offset), "came twice"),
                Incoming::Gap { from, to, .. } => lost += to - from,
                Incoming::Replaced { .. } => panic!("it is the same log"),
            }
        }
    }
    assert!((1..=20).contains(&lost), "{lost} of 400 are lost by one bit");
}
