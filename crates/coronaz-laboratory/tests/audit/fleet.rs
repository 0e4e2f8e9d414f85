//! Fleets.

use coronaz_bus::{ContentType, MemoryBus, Record, RecordSink};
use coronaz_devices::fleet::{self, Fork, Origin, Past};
use coronaz_laboratory::audit::{AuditError, AuditOptions, Progress, Until, audit, find_run};
use coronaz_wire::frame::{Frame, Kind, decode::checksum};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::stage::{RUN, Stage, assert_clean, audit_of, fleet_config, play, row};
use crate::tampered::Tampered;

const TICKS: u64 = 72;

/// A fleet of 5,000 in a store, all of it.
fn stored() -> (Stage, fleet::Summary) {
    let (stage, bus) = (Stage::new(), MemoryBus::new(3));
    let summary = play(&fleet_config(5_000, TICKS), &bus);
    stage.ingest(&bus);
    (stage, summary)
}

fn ended() -> AuditOptions {
    AuditOptions { until: Until::End, ..AuditOptions::default() }
}

#[test]
fn a_fleet_that_went_through_broker_and_ingest_is_found_whole() {
    let (stage, summary) = stored();
    for until in [Until::Now, Until::End] {
        let verdict = stage.audit(until);
        assert_clean(&verdict);
        assert_eq!(
            (verdict.kind.as_str(), verdict.recorded, verdict.stored),
            ("fleet", summary.contacts, summary.contacts)
        );
        assert_eq!(verdict.watermark.tick, Some(summary.tick));
        let [contacts, infections, infection_rows, people, moments, records] = &verdict.rows[..] else {
            panic!("{verdict:#?}")
        };
        assert!(contacts.expected > 10_000 && summary.infections > 100);
        assert_eq!((infections.stored, infection_rows.stored), (summary.infections, summary.infections));
        assert_eq!(
            (people.expected, people.stored),
            (5_000 * (summary.tick + 1), 5_000 * (summary.tick + 1))
        );
        assert_eq!((moments.stored, records.stored), (summary.tick + 1, summary.records.records));
        assert!(verdict.late.is_some(), "the store says when it came");
    }
}

#[test]
fn a_fleet_of_two_shards_is_found_whole() {
    let (stage, bus) = (Stage::new(), MemoryBus::new(4));
    let summary = play(&fleet_config(270_000, 3), &bus);
    stage.ingest(&bus);
    let verdict = stage.audit(Until::End);
    assert_clean(&verdict);
    assert_eq!((verdict.stored, verdict.watermark.shards.len()), (summary.contacts, 2));
}

#[test]
fn a_fork_is_computed_from_its_parents_beginning() {
    let (stage, bus) = (Stage::new(), MemoryBus::new(2));
    let parent = fleet_config(3_000, 20);
    let mut changed = parent.parameters.clone();
    changed.infection_radius = 2.0;
    let fork = fleet::FleetConfig {
        run: RUN,
        seed: 8,
        parameters: changed,
        ticks: Some(40),
        origin: Origin::Fork(Fork {
            of: uuid::Uuid::from_u128(5),
            past: Past::Computed { parameters: parent.parameters.clone(), seed: parent.seed, tick: 20 },
        }),
        ..parent
    };
    let summary = play(&fork, &bus);
    stage.ingest(&bus);
    let verdict = stage.audit(Until::End);
    assert_clean(&verdict);
    assert_eq!(verdict.watermark.tick, Some(summary.tick));
    // What the parent's people had met before is counted on, and told by the parent's run alone.
    assert!(
        verdict.stored > 1_000 && verdict.stored < summary.contacts,
        "{} of {}",
        verdict.stored,
        summary.contacts
    );
}

#[test]
fn while_a_run_goes_on_what_is_behind_the_watermark_is_not_lost() {
    let (stage, bus) = (Stage::new(), MemoryBus::new(4));
    let config = fleet_config(270_000, 6);
    play(&config, &bus);
    // Half of one shard's records have not arrived yet.
    let part = MemoryBus::new(4);
    let mut held_back = 0;
    for partition in 0..4 {
        for message in bus.records(partition) {
            let late = message.content_type == ContentType::FRAME && {
                let stamp = Frame::decode(&message.payload).expect("a frame").header.stamp;
                stamp.shard == 1 && stamp.tick > 3
            };
            held_back += u64::from(late);
            if !late {
                send(&part, &message.key, &message.payload, message.content_type);
            }
        }
    }
    assert!(held_back >= 3);
    stage.ingest(&part);
    let verdict = stage.audit(Until::Now);
    assert_clean(&verdict);
    assert_eq!(
        (verdict.watermark.tick, verdict.watermark.newest_tick, verdict.waiting),
        (Some(3), Some(6), 3)
    );
    let verdict = stage.audit(Until::End);
    assert!(verdict.lost > 0 && verdict.doubled + verdict.wrong + verdict.unknown == 0, "{verdict:#?}");
}

fn send(bus: &MemoryBus, key: &[u8], payload: &[u8], content_type: ContentType) {
    let sink = bus.sink();
    sink.send(&Record { key, payload, content_type, token: 0 }).expect("room");
    assert!(sink.flush(Duration::ZERO));
}

#[test]
fn without_a_spool_what_a_fleet_could_not_send_before_it_died_is_lost() {
    let (stage, bus) = (Stage::new(), MemoryBus::new(3));
    let config = fleet_config(5_000, 60);
    std::thread::scope(|scope| {
        let paced = fleet::FleetConfig { speed: fleet::pace::Speed::Times(100.0), ..config.clone() };
        let bus = &bus;
        let running = scope.spawn(move || play(&paced, bus));
        while (0..3).map(|partition| bus.records(partition).len()).sum::<usize>() < 10 {
            std::thread::yield_now();
        }
        bus.set_away(true);
        let summary = running.join().expect("no panic");
        assert!(summary.records.unsent && !summary.spooled);
    });
    bus.set_away(false);
    stage.ingest(&bus);
    assert_clean(&stage.audit(Until::End));
    let known = AuditOptions { ticks: Some(60), ..ended() };
    let verdict = audit_of(stage.queries().as_ref(), &known).expect("a verdict");
    assert!(row(&verdict, "contacts")[0] > 0 && row(&verdict, "people")[0] > 0, "{verdict:#?}");
    assert_eq!(verdict.doubled + verdict.wrong + verdict.unknown, 0, "{verdict:#?}");

    // The same with a spool: the next fleet sends what waits there.
    let (stage, bus) = (Stage::new(), MemoryBus::new(3));
    bus.set_away(true);
    let spooled = fleet::FleetConfig { spool: Some((stage.folder().join("spool"), 64 << 20)), ..config };
    play(&spooled, &bus);
    bus.set_away(false);
    let other = fleet::FleetConfig { run: uuid::Uuid::from_u128(1), ticks: Some(1), ..spooled };
    play(&other, &bus);
    stage.ingest(&bus);
    assert_clean(&audit_of(stage.queries().as_ref(), &known).expect("a verdict"));
}

/// Whether a frame is that of a tick, of a kind that is no keyframe.
fn is_delta_of(bytes: &[u8], tick: u64) -> bool {
    let header = Frame::decode(bytes).expect("a frame").header;
    header.stamp.tick == tick && header.kind != Kind::Key
}

#[test]
fn a_frame_that_is_gone_is_lost_with_all_it_told() {
    let (stage, _) = stored();
    let mut store = Tampered::new(stage.queries());
    store.frames = Box::new(|bytes| if is_delta_of(&bytes, 30) { vec![] } else { vec![bytes] });
    let verdict = audit_of(&store, &ended()).expect("a verdict");
    assert!(row(&verdict, "contacts")[0] > 100);
    // Nobody knows where people are until the next keyframe, which is of tick 64.
    assert_eq!(row(&verdict, "people"), [5_000 * (64 - 30), 0, 0, 0]);
    assert_eq!(verdict.doubled + verdict.wrong + verdict.unknown, 0, "{verdict:#?}");
}

#[test]
fn a_frame_that_is_there_twice_doubles_its_contacts() {
    let (stage, _) = stored();
    let clean = stage.audit(Until::End);
    let mut store = Tampered::new(stage.queries());
    store.frames =
        Box::new(|bytes| if is_delta_of(&bytes, 30) { vec![bytes.clone(), bytes] } else { vec![bytes] });
    let verdict = audit_of(&store, &ended()).expect("a verdict");
    assert_eq!(verdict.doubled, verdict.stored - clean.stored + row(&verdict, "infections")[1]);
    assert!(verdict.doubled > 100);
    assert_eq!(verdict.lost + verdict.wrong + verdict.unknown, 0, "{verdict:#?}");
}

/// The columns of a record, by the layout of docs/protocol.md.
fn column(bytes: &[u8], number: usize) -> std::ops::Range<usize> {
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes")) as usize;
    let (kind, flags, people) = (bytes[5], bytes[6], u32_at(92));
    let list = |list: usize| (0..4).map(|block| u32_at(136 + 16 * list + 4 * block)).sum::<usize>();
    let [key, steps] = [if kind == 0 { people } else { 0 }, if kind == 2 { people.div_ceil(3) } else { 0 }];
    let wide = if flags & 1 == 1 { key } else { 0 };
    let distance = if flags & 2 == 2 { 4 } else { 1 };
    let mut lengths = vec![2 * key, 2 * key, wide, wide, key, steps];
    lengths.extend([2 * list(0), list(0), 2 * list(1), list(1)]);
    for pairs in [list(2), list(3)] {
        lengths.extend([2 * pairs, 2 * pairs, pairs, distance * pairs]);
    }
    lengths.extend([2 * list(4), 2 * list(4), list(4)]);
    let start = 216 + lengths[..number].iter().map(|length| length.next_multiple_of(4)).sum::<usize>();
    start..start + lengths[number]
}

const X_LOW: usize = 0;
const CONTACT_HEARD_LOW: usize = 11;
const CONTACT_DISTANCE: usize = 13;

/// Changes the first byte of a column of the frame of a tick; the checksum is right again.
fn changing(tick: u64, number: usize) -> impl Fn(Vec<u8>) -> Vec<Vec<u8>> {
    move |mut bytes| {
        if Frame::decode(&bytes).expect("a frame").header.stamp.tick == tick {
            let at = column(&bytes, number).start;
            bytes[at] ^= 1;
            let right = checksum(&bytes);
            bytes[8..12].copy_from_slice(&right.to_le_bytes());
            Frame::decode(&bytes).expect("still a frame");
        }
        vec![bytes]
    }
}

#[test]
fn a_contact_that_was_changed_in_its_frame_is_wrong_or_another() {
    let (stage, _) = stored();
    let mut store = Tampered::new(stage.queries());
    store.frames = Box::new(changing(30, CONTACT_DISTANCE));
    let verdict = audit_of(&store, &ended()).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [0, 0, 2, 0], "both directions: {verdict:#?}");
    assert_eq!((verdict.lost, verdict.doubled, verdict.wrong, verdict.unknown), (0, 0, 2, 0));
    assert!(verdict.examples[0].contains("tick 30: contact of"), "{:?}", verdict.examples);
    store.frames = Box::new(changing(30, CONTACT_HEARD_LOW));
    let verdict = audit_of(&store, &ended()).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [2, 0, 0, 2], "{verdict:#?}");
}

#[test]
fn a_place_that_was_changed_in_a_keyframe_is_wrong_for_as_long_as_it_shows() {
    let (stage, _) = stored();
    let mut store = Tampered::new(stage.queries());
    store.frames = Box::new(changing(64, X_LOW));
    let verdict = audit_of(&store, &ended()).expect("a verdict");
    let [lost, doubled, wrong, unknown] = row(&verdict, "people");
    assert!(wrong >= 6 && lost + doubled + unknown == 0, "{verdict:#?}");
    assert_eq!(verdict.wrong, wrong);
    assert!(verdict.examples[0].contains("tick 64: person 0"), "{:?}", verdict.examples);
}

#[test]
fn a_damaged_frame_counts_as_wrong_and_what_it_told_as_lost() {
    let (stage, _) = stored();
    let mut store = Tampered::new(stage.queries());
    store.frames = Box::new(|mut bytes| {
        if is_delta_of(&bytes, 60) {
            bytes[300] ^= 1;
        }
        vec![bytes]
    });
    let verdict = audit_of(&store, &ended()).expect("a verdict");
    assert_eq!(row(&verdict, "frames"), [0, 0, 1, 0]);
    assert!(row(&verdict, "contacts")[0] > 100 && row(&verdict, "people")[0] == 5_000 * 4, "{verdict:#?}");
}

#[test]
fn rows_of_infections_and_moments_are_compared_one_by_one() {
    let (stage, _) = stored();
    let mut store = Tampered::new(stage.queries());
    let seen = Mutex::new(0);
    // Each row is asked for once: the run has less than a page of them.
    store.infections = Box::new(move |infection| {
        let mut seen = seen.lock().expect("one thread");
        *seen += 1;
        let mut moved = infection;
        moved.x += 1;
        let mut added = infection;
        added.time_us += 1;
        match *seen {
            1 => vec![],
            2 => vec![moved],
            3 => vec![infection, infection],
            4 => vec![infection, added],
            _ => vec![infection],
        }
    });
    store.moments = Box::new(|mut moment| {
        moment.figures.zombies += u32::from(moment.k == 9);
        if moment.k == 20 { vec![] } else { vec![moment] }
    });
    let verdict = audit_of(&store, &ended()).expect("a verdict");
    assert_eq!(row(&verdict, "infection rows"), [1, 1, 1, 1], "{verdict:#?}");
    assert_eq!(row(&verdict, "moments"), [1, 0, 1, 0], "{verdict:#?}");
    assert_eq!((verdict.lost, verdict.doubled, verdict.wrong, verdict.unknown), (2, 1, 2, 1));
}

#[test]
fn a_fleet_that_was_not_announced_is_not_judged() {
    let (stage, bus, mute) = (Stage::new(), MemoryBus::new(2), MemoryBus::new(2));
    play(&fleet_config(1_000, 5), &bus);
    for message in (0..2).flat_map(|partition| bus.records(partition)) {
        if message.content_type == ContentType::FRAME {
            send(&mute, &message.key, &message.payload, message.content_type);
        }
    }
    stage.ingest(&mute);
    let refused = audit_of(stage.queries().as_ref(), &ended()).expect_err("nothing to compute it from");
    assert!(matches!(refused, AuditError::NotComputable { .. }), "{refused}");
}

/// A keyframe of the run under another tick; the checksum is right again.
fn forged_key(bus: &MemoryBus, tick: u64) -> (Vec<u8>, Vec<u8>) {
    let records = (0..2).flat_map(|partition| bus.records(partition));
    let is_key = |bytes: &[u8]| Frame::decode(bytes).is_ok_and(|frame| frame.header.kind == Kind::Key);
    let key = records.into_iter().find(|message| is_key(&message.payload)).expect("a keyframe");
    let mut bytes = key.payload.clone();
    bytes[48..56].copy_from_slice(&tick.to_le_bytes());
    let right = checksum(&bytes);
    bytes[8..12].copy_from_slice(&right.to_le_bytes());
    (key.key.clone(), bytes)
}

#[test]
fn a_forged_tick_far_ahead_is_refused_or_at_least_not_computed_up_to() {
    let (stage, bus) = (Stage::new(), MemoryBus::new(2));
    play(&fleet_config(1_000, 20), &bus);
    stage.ingest(&bus);
    let moments = stage.queries().run(RUN).expect("the run").moments;
    // One beyond all plausible ones, one below: the run has no tick of it.
    for tick in [4_278_190_227, 900_000] {
        let (key, bytes) = forged_key(&bus, tick);
        assert!(Frame::decode(&bytes).is_ok());
        send(&bus, &key, &bytes, ContentType::FRAME);
    }
    stage.ingest(&bus);
    let queries = stage.queries();
    let refused = queries.rejected(10).expect("an answer");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].reason.contains("too far ahead"), "{refused:?}");
    assert!(moments > 10);
    let mut most = 0;
    let verdict = audit(queries.as_ref(), RUN, &ended(), &mut |progress| {
        most = most.max(progress.of);
        ControlFlow::Continue(())
    })
    .expect("a verdict");
    assert!(most < 4_000, "it would compute {most} ticks");
    assert!(verdict.unchecked.iter().any(|what| what.contains("tick 900000")), "{verdict:#?}");
}

#[test]
fn an_audit_tells_how_far_it_is_and_stops_when_it_is_told_to() {
    let (stage, summary) = stored();
    let (mut last, stop) = (Progress { what: "", done: 0, of: 0 }, AtomicBool::new(false));
    let queries = stage.queries();
    audit(queries.as_ref(), RUN, &ended(), &mut |progress| {
        last = progress;
        ControlFlow::Continue(())
    })
    .expect("a verdict");
    assert_eq!(last, Progress { what: "ticks", done: summary.tick, of: summary.tick + 1 });
    let stopped = audit(queries.as_ref(), RUN, &ended(), &mut |progress| {
        stop.store(progress.done == 10, Ordering::Relaxed);
        if progress.done == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(stopped, Err(AuditError::Stopped)));
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_uuid() {
    let (stage, bus) = (Stage::new(), MemoryBus::new(2));
    assert!(find_run(stage.queries().as_ref(), None).is_err(), "there is no store yet");
    play(&fleet_config(100, 1), &bus);
    let other = uuid::Uuid::from_u128(0x7c9f_4000 << 96);
    play(&fleet::FleetConfig { run: other, ..fleet_config(100, 1) }, &bus);
    stage.ingest(&bus);
    let queries = stage.queries();
    let find = |name: &str| find_run(queries.as_ref(), Some(name));
    assert_eq!(find("7c9f3").expect("one"), RUN);
    assert_eq!(find("7C9F4").expect("one"), other);
    assert_eq!(find(&RUN.to_string()).expect("one"), RUN);
    assert!(matches!(find("7c9f"), Err(AuditError::Ambiguous { count: 2, .. })));
    assert!(matches!(find("8"), Err(AuditError::Unknown { .. })));
    assert!(find_run(queries.as_ref(), None).is_ok());
}
