//! The contract over the bus in memory, and the faults that only it can be ordered to have.

mod contract;

use std::time::Duration;

use contract::Bus;
use coronaz_bus::{
    ContentType, DeliveryError, Incoming, Limits, MemoryBus, Record, RecordSink, RecordSource,
};

struct Memory(MemoryBus);

impl Bus for Memory {
    fn sink(&self) -> Box<dyn RecordSink> {
        Box::new(self.0.sink())
    }
    fn small_sink(&self, queue_records: usize) -> Box<dyn RecordSink> {
        Box::new(self.0.sink_of(queue_records))
    }
    fn source(&self) -> Box<dyn RecordSource> {
        Box::new(self.0.source())
    }
    fn partitions(&self) -> u32 {
        self.0.partitions()
    }
    fn kill(&self) {
        self.0.set_away(true);
    }
    fn revive(&self) {
        self.0.set_away(false);
    }
    fn forget_all(&self) -> bool {
        self.0.forget();
        self.0.set_time_ms(7);
        true
    }
    fn can_die(&self) -> bool {
        true
    }
}

contract!(Some(Memory(MemoryBus::new(4))));

fn send(bus: &MemoryBus, records: u64) {
    let sink = bus.sink();
    for token in 0..records {
        let payload = token.to_string();
        let record =
            Record { key: b"k", payload: payload.as_bytes(), content_type: ContentType::JSON, token };
        sink.send(&record).expect("sent");
    }
    assert!(sink.flush(Duration::ZERO));
}

#[test]
fn what_expired_before_it_was_read_is_told_as_a_gap() {
    let bus = MemoryBus::new(1);
    send(&bus, 10);
    bus.expire(0, 6);
    let mut source = bus.source();
    source.assign(0, 2).expect("assigned");
    contract::assert_gap_told(&mut source, 0, 2, 6);
    assert_eq!(source.position(0), Some(10));
    assert_eq!(source.figures().gaps, 1);
}

#[test]
fn what_is_delivered_again_is_dropped_and_counted() {
    let bus = MemoryBus::new(1);
    send(&bus, 10);
    let mut source = bus.source();
    source.assign(0, 0).expect("assigned");
    let mut incoming = Vec::new();
    source.poll(Duration::ZERO, Limits::default(), &mut incoming).expect("polled");
    bus.redeliver(0, 3);
    source.poll(Duration::ZERO, Limits::default(), &mut incoming).expect("polled");
    assert_eq!((incoming.len(), source.figures().repeats), (10, 7));
}

#[test]
fn a_lost_acknowledgement_is_told_as_unknown_and_the_record_is_there() {
    let bus = MemoryBus::new(1);
    bus.lose_acks(1);
    let sink = bus.sink();
    let record = Record { key: b"k", payload: b"1", content_type: ContentType::JSON, token: 5 };
    sink.send(&record).expect("sent");
    let mut delivered = Vec::new();
    sink.deliveries(Duration::ZERO, &mut delivered);
    assert!(matches!(delivered[0].result, Err(DeliveryError::Unknown { .. })));
    assert_eq!(bus.records(0).len(), 1);
}

#[test]
fn an_absent_broker_does_not_tell_its_ends() {
    let bus = MemoryBus::new(1);
    let mut source = bus.source();
    source.assign(0, 0).expect("assigned");
    bus.set_away(true);
    source.ask_for_ends();
    assert_eq!(source.take_ends(), None);
}

#[test]
fn a_log_that_lost_its_end_is_read_from_its_beginning_though_it_has_grown_since() {
    let bus = MemoryBus::new(1);
    send(&bus, 10);
    let mut source = bus.source();
    source.assign(0, 0).expect("assigned");
    let mut incoming = Vec::new();
    source.poll(Duration::ZERO, Limits::default(), &mut incoming).expect("polled");
    bus.truncate(0, 6);
    bus.set_time_ms(1);
    send(&bus, 20);
    incoming.clear();
    source.poll(Duration::ZERO, Limits::default(), &mut incoming).expect("polled");
    assert_eq!(incoming[0], Incoming::Replaced { partition: 0, next: 10, end: None });
    assert_eq!(incoming.len(), 1 + 26);
}
