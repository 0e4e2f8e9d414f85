//! Records that are numbers, for tests that count what comes.

use std::collections::BTreeSet;
use std::ops::Range;

use coronaz_bus::{Delivery, Incoming, RecordSink, RecordSource};

use super::{Bus, assign_all, messages, number, read_until, record, send, settle};

/// Sends records of one key whose payloads are these numbers, and takes their deliveries.
#[allow(dead_code, reason = "for the faults of one broker")]
pub(crate) fn send_numbers(sink: &dyn RecordSink, numbers: Range<u64>, delivered: &mut Vec<Delivery>) {
    for number in numbers {
        send(sink, &record("k", number.to_string().as_bytes(), number), delivered);
    }
    settle(sink, delivered);
}

/// The different numbers in all partitions, once there are `count`.
#[allow(dead_code, reason = "for the faults of one broker")]
pub(crate) fn numbers_in(bus: &dyn Bus, source: &mut dyn RecordSource, count: usize) -> BTreeSet<u64> {
    assign_all(bus, source);
    let numbers = |incoming: &[Incoming]| messages(incoming).into_iter().map(number).collect::<BTreeSet<_>>();
    numbers(&read_until(source, |incoming| numbers(incoming).len() >= count))
}

/// Reads on until all these numbers have come; anything else may come too.
#[allow(dead_code, reason = "for the faults of one broker")]
pub(crate) fn wait_for_numbers(source: &mut dyn RecordSource, numbers: Range<u64>) {
    read_until(source, |incoming| {
        let came: BTreeSet<u64> = incoming
            .iter()
            .filter_map(|incoming| match incoming {
                Incoming::Record(message) => Some(number(message)),
                _ => None,
            })
            .collect();
        numbers.clone().all(|wanted| came.contains(&wanted))
    });
}
