//! A full disk under the store: ingest waits, nothing is corrupted, and when there is room it goes on by itself.

use coronaz_bus::{ContentType, MemoryBus, Record, RecordSink};
use coronaz_ingest::IngestConfig;
use coronaz_store::{IngestState, StoreLocation};
use coronaz_testkit::small_disk::{SmallDisk, with_mounts};
use coronaz_wire::{Contact, Report};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use uuid::Uuid;

const REPORTS: u64 = 60_000;
const NODES: u64 = 500;
/// More than the store gets to at first, and less than all reports need.
const DISK_BYTES: u64 = 64 << 20;
const LEFT_BYTES: u64 = 5 << 20;

fn report(n: u64) -> Report {
    let id = |n: u64| Uuid::from_u128(u128::from(n % NODES) + 1);
    let timestamp_us = 1_600_000_000_000_000 + (n / NODES).cast_signed() * 1_000_000;
    Report {
        uuid: id(n),
        position: [1, 2],
        infected: false,
        timestamp_us,
        alive: true,
        contacts: vec![Contact { uuid: id(n + 1), timestamp_us, distance: None }],
        run: Some(Uuid::from_u128(1)),
        start_us: Some(1),
        seq: Some(n / NODES),
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

#[test]
fn a_full_disk_stops_the_store_and_room_lets_it_go_on() {
    with_mounts("a_full_disk_stops_the_store_and_room_lets_it_go_on", fill_and_free);
}

fn fill_and_free() {
    let disk = SmallDisk::of_bytes(DISK_BYTES).expect("mounted");
    let location = StoreLocation::from(disk.path().join("store.db").as_path());
    location.ingestion().prepare().expect("there is room yet");
    let ballast = disk.fill(LEFT_BYTES).expect("filled");
    let bus = MemoryBus::new(2);
    let sink = bus.sink_of(usize::MAX);
    for n in 0..REPORTS {
        let (report, content_type) = (report(n), ContentType::JSON);
        let payload = report.encode();
        sink.send(&Record { key: report.uuid.as_bytes(), payload: &payload, content_type, token: n })
            .expect("room");
    }
    assert!(sink.flush(Duration::ZERO));
    let mut config = IngestConfig::new("test", bus.partitions());
    config.batch_records_max = 2_000;
    let stop = AtomicBool::new(false);
    let queries = location.queries();
    let stored =
        || queries.offsets().unwrap_or_default().iter().map(|offset| offset.next.unsigned_abs()).sum::<u64>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            coronaz_ingest::run(bus.source(), location.ingestion(), &config, &stop).expect("it runs");
        });
        // It goes as far as the room does.
        let (mut last, mut since) = (0, Instant::now());
        while last == 0 || since.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(50));
            let now = stored();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        assert!(last < REPORTS, "the disk was large enough for {last}");
        // What is in is whole, and anybody can read it.
        let run = queries.run(Uuid::from_u128(1)).expect("the run");
        assert_eq!((run.reports, run.contacts), (last, last));
        std::fs::remove_file(ballast).expect("room again");
        let begun = Instant::now();
        while stored() < REPORTS {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "it goes on by itself: {} of {REPORTS}",
                stored()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let state = queries.ingest_status().expect("there")[0].state;
        assert!(matches!(state, IngestState::Running | IngestState::Waiting), "{state:?}");
        stop.store(true, Relaxed);
    });
    let run = queries.run(Uuid::from_u128(1)).expect("the run");
    assert_eq!((run.reports, run.contacts, run.nodes), (REPORTS, REPORTS, NODES));
}
