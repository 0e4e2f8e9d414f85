//! An offset belongs to one log: what a reader does that finds another one.

use coronaz_bus::{ContentType, Incoming, Limits, Mark, Message};
use std::time::Instant;

use super::{Bus, PATIENCE, STEP, fill, messages, read, read_until};

fn offsets(incoming: &[Incoming]) -> Vec<i64> {
    messages(incoming).iter().map(|message| message.offset).collect()
}

/// What comes after the news that the log is another one; panics when records come before it.
fn after_replacement(incoming: &[Incoming], partition: i32, next: i64) -> &[Incoming] {
    let (first, rest) = incoming.split_first().expect("something came");
    assert!(
        matches!(first, Incoming::Replaced { partition: of, next: at, .. } if (*of, *at) == (partition, next)),
        "{first:?}"
    );
    rest
}

pub(crate) fn an_offset_beyond_the_end_belongs_to_another_log_which_is_read_from_its_beginning(
    bus: &dyn Bus,
) {
    let partition = fill(bus, 1, 10)[&0].partition;
    let mut source = bus.source();
    source.assign(partition, 500).expect("assigned");
    let incoming = read(&mut *source, 11);
    assert_eq!(offsets(after_replacement(&incoming, partition, 500)), (0..10).collect::<Vec<_>>());
    assert_eq!((source.position(partition), source.figures().replaced), (Some(10), 1));
}

/// The mark of the record at `offset`.
fn mark_at(bus: &dyn Bus, partition: i32, offset: i64) -> Mark {
    let mut source = bus.source();
    source.assign(partition, offset).expect("assigned");
    let incoming = read_until(&mut *source, |incoming| !incoming.is_empty());
    let mark = Mark::of(messages(&incoming[..1])[0]);
    assert_eq!(mark.offset(), offset);
    mark
}

pub(crate) fn a_record_that_is_where_it_was_lets_reading_go_on_after_it(bus: &dyn Bus) {
    let partition = fill(bus, 1, 100)[&0].partition;
    // The last one that was read; and one from before some offsets that were passed.
    for (marked, next) in [(39, 40), (30, 40), (99, 100)] {
        let mark = mark_at(bus, partition, marked);
        let mut source = bus.source();
        source.assign_after(partition, next, Some(mark)).expect("assigned");
        let expected: Vec<i64> = (next..100).collect();
        let incoming = read(&mut *source, expected.len());
        assert_eq!(offsets(&incoming), expected);
        source.poll(STEP, Limits::default(), &mut Vec::new()).expect("polled");
        assert_eq!((source.position(partition), source.figures().replaced), (Some(100), 0));
    }
}

pub(crate) fn another_record_in_its_place_means_another_log_which_is_read_from_its_beginning(bus: &dyn Bus) {
    let partition = fill(bus, 1, 100)[&0].partition;
    let other = Message {
        partition,
        offset: 39,
        key: b"k".to_vec(),
        payload: b"from another log".to_vec(),
        content_type: ContentType::JSON,
        timestamp_ms: 1,
    };
    let mut source = bus.source();
    source.assign_after(partition, 40, Some(Mark::of(&other))).expect("assigned");
    let incoming = read(&mut *source, 101);
    assert_eq!(offsets(after_replacement(&incoming, partition, 40)), (0..100).collect::<Vec<_>>());
    assert_eq!(source.mark(partition).map(|mark| mark.offset()), Some(99));
}

pub(crate) fn a_log_that_was_replaced_by_a_longer_one_is_noticed_by_a_reader_that_was_connected(
    bus: &dyn Bus,
) {
    let partition = fill(bus, 1, 50)[&0].partition;
    let mut source = bus.source();
    source.assign(partition, 0).expect("assigned");
    read(&mut *source, 50);
    bus.kill();
    if !bus.forget_all() {
        return;
    }
    bus.revive();
    assert_eq!(fill(bus, 1, 80)[&0].partition, partition);
    let incoming = read(&mut *source, 81);
    assert_eq!(offsets(after_replacement(&incoming, partition, 50)), (0..80).collect::<Vec<_>>());
    let until = Instant::now() + PATIENCE;
    while !source.stalled().is_empty() {
        assert!(Instant::now() < until, "{:?}", source.stalled());
        source.poll(STEP, Limits::default(), &mut Vec::new()).expect("polled");
    }
}
