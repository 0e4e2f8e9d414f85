//! An ingest process whose topic is another one than it was: made again, restored, cut short, or begun later by
//! retention, while the process runs and while it does not.

use coronaz_bus::{ContentType, MemoryBus, Record, RecordSink};
use coronaz_ingest::IngestConfig;
use coronaz_store::{Batch, IngestState, Queries, ReportRecord, StoreLocation};
use coronaz_wire::{Contact, Report};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

/// Long enough for a busy machine; a test that passes does not wait so long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Process {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Process {
    fn start(bus: &MemoryBus, path: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (source, stopped) = (bus.source(), Arc::clone(&stop));
        let store = StoreLocation::from(path).ingestion();
        let mut config = IngestConfig::new("one", bus.partitions());
        config.batch_wait = Duration::from_millis(5);
        config.drain = PATIENCE;
        let thread = std::thread::spawn(move || {
            coronaz_ingest::run(source, store, &config, &stopped).expect("it ends when it is told to");
        });
        Self { stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic");
    }
}

/// A topic of one partition, and a store.
struct Place {
    _folder: TempDir,
    path: PathBuf,
    bus: MemoryBus,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        Self { _folder: folder, path, bus: MemoryBus::new(1) }
    }

    fn queries(&self) -> Arc<dyn Queries> {
        StoreLocation::from(self.path.as_path()).queries()
    }

    /// Reports at these seconds. A device numbers them, the paper's programs do not.
    fn send(&self, seconds: Range<i64>, numbered: bool) {
        let sink = self.bus.sink();
        for second in seconds {
            self.bus.set_time_ms(now_us() / 1_000);
            let report = report(second, numbered);
            let payload = report.encode();
            let record = Record {
                key: report.uuid.as_bytes(),
                payload: &payload,
                content_type: ContentType::JSON,
                token: 0,
            };
            sink.send(&record).expect("the bus has room");
        }
        assert!(sink.flush(PATIENCE));
    }

    /// Contacts and reports of a device, or of a program of the paper.
    fn stored(&self) -> (u64, u64) {
        self.queries().run(Uuid::nil()).map_or((0, 0), |run| (run.contacts, run.reports))
    }

    fn wait_for(&self, contacts: u64) {
        let until = Instant::now() + PATIENCE;
        while self.stored().0 < contacts {
            assert!(Instant::now() < until, "{:?} of {contacts} contacts are stored", self.stored());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the store says of the topic: how often it was another one, its next offset, and what is missing.
    fn topic(&self) -> (u32, i64, Vec<(i64, i64)>) {
        let queries = self.queries();
        let offset = queries.offsets().expect("offsets")[0];
        let gaps = queries.gaps(10).expect("gaps").into_iter().map(|gap| (gap.from, gap.to)).collect();
        (offset.life, offset.next, gaps)
    }
}

fn now_us() -> i64 {
    coronaz_wire::wall_clock::now_us()
}

fn report(second: i64, numbered: bool) -> Report {
    let who = Uuid::from_u128(if numbered { 1 } else { 2 });
    // A day ago, so that it is before whatever happens to the topic.
    let timestamp_us = (now_us() / 86_400_000_000 - 1) * 86_400_000_000 + second * 1_000_000;
    Report {
        uuid: who,
        position: [1, 2],
        infected: false,
        timestamp_us,
        alive: true,
        contacts: vec![Contact { uuid: Uuid::from_u128(9), timestamp_us, distance: None }],
        run: None,
        start_us: numbered.then_some(1),
        seq: numbered.then_some(second.unsigned_abs()),
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

#[test]
fn what_is_sent_to_a_topic_that_was_made_again_is_stored_from_its_first_record_on() {
    for (more, running) in [(5, false), (50, false), (5, true), (50, true)] {
        let place = Place::new();
        let mut process = Some(Process::start(&place.bus, &place.path));
        place.send(0..20, true);
        place.wait_for(20);
        if let Some(process) = process.take_if(|_| !running) {
            process.stop();
        }
        place.bus.forget();
        place.send(20..20 + more, true);
        if !running {
            process = Some(Process::start(&place.bus, &place.path));
        }
        let all = 20 + more.unsigned_abs();
        place.wait_for(all);
        process.expect("one runs").stop();
        assert_eq!(place.stored(), (all, all), "{more} more, running: {running}");
        assert_eq!(place.topic(), (1, more, vec![(20, 20)]));
    }
}

#[test]
fn what_is_sent_after_the_topic_lost_its_end_is_stored_and_what_stands_there_again_is_not_doubled() {
    for numbered in [true, false] {
        let place = Place::new();
        let process = Process::start(&place.bus, &place.path);
        place.send(0..40, numbered);
        place.wait_for(40);
        place.bus.truncate(0, 25);
        place.send(40..60, numbered);
        place.wait_for(60);
        process.stop();
        assert_eq!(place.stored(), (60, 60), "numbered: {numbered}");
        assert_eq!(place.topic(), (1, 45, vec![(40, 40)]));
    }
}

#[test]
fn a_store_restored_from_an_older_copy_reads_what_it_lacks() {
    let place = Place::new();
    let process = Process::start(&place.bus, &place.path);
    place.send(0..20, true);
    place.wait_for(20);
    process.stop();
    let files = ["store.db", "store.db-wal", "store.db-shm"];
    let folder = place.path.parent().expect("a folder");
    let copy = tempfile::tempdir().expect("a folder");
    for name in files.iter().filter(|name| folder.join(name).exists()) {
        std::fs::copy(folder.join(name), copy.path().join(name)).expect("copied");
    }
    let process = Process::start(&place.bus, &place.path);
    place.send(20..40, true);
    place.wait_for(40);
    process.stop();
    for name in files {
        // Not all are there when the last one has closed them.
        let _ = std::fs::remove_file(folder.join(name));
        if copy.path().join(name).exists() {
            std::fs::copy(copy.path().join(name), folder.join(name)).expect("restored");
        }
    }
    // Some of what it lacks has expired meanwhile.
    place.bus.expire(0, 25);
    let process = Process::start(&place.bus, &place.path);
    place.wait_for(35);
    process.stop();
    assert_eq!(place.stored(), (35, 35));
    assert_eq!(place.topic(), (0, 40, vec![(20, 25)]));
}

#[test]
fn what_expired_exactly_as_far_as_it_was_read_is_no_gap() {
    let place = Place::new();
    let process = Process::start(&place.bus, &place.path);
    place.send(0..20, true);
    place.wait_for(20);
    process.stop();
    place.bus.expire(0, 20);
    let process = Process::start(&place.bus, &place.path);
    place.send(20..30, true);
    place.wait_for(30);
    process.stop();
    assert_eq!(place.topic(), (0, 30, vec![]));
}

#[test]
fn a_store_of_an_earlier_version_is_taken_at_its_word_once() {
    let place = Place::new();
    place.send(0..20, true);
    // An earlier version did not keep what a record is recognised by.
    let mut store = StoreLocation::from(place.path.as_path()).ingestion();
    let held = store.take(0, "earlier", 0, PATIENCE).expect("there").expect("free");
    let mut batch = Batch::new(0, held.epoch, 0);
    batch.reports = (0..20).map(|offset| ReportRecord { offset, report: report(offset, true) }).collect();
    batch.to = 20;
    store.commit(&batch).expect("committed");
    drop(store);
    let process = Process::start(&place.bus, &place.path);
    place.send(20..25, true);
    place.wait_for(25);
    process.stop();
    assert_eq!(place.topic(), (0, 25, vec![]));
    // By now it has one.
    place.bus.forget();
    place.send(25..60, true);
    let process = Process::start(&place.bus, &place.path);
    place.wait_for(60);
    process.stop();
    assert_eq!(place.topic(), (1, 35, vec![(25, 25)]));
    let status = place.queries().ingest_status().expect("an answer");
    assert_eq!(status[0].state, IngestState::Stopped);
}
