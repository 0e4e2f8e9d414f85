//! The whole of an ingest process over a bus in memory and a store on disk.

use coronaz_bus::{ContentType, MemoryBus, Record, RecordSink};
use coronaz_ingest::IngestConfig;
use coronaz_store::queries::Span;
use coronaz_store::{At, IngestState, Queries, StoreLocation};
use coronaz_wire::{Contact, Report};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Long enough for a busy machine; a test that passes does not wait so long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Process {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Process {
    fn start(bus: &MemoryBus, path: &Path, name: &str) -> Self {
        Self::adopting(bus, path, name, None)
    }

    fn adopting(bus: &MemoryBus, path: &Path, name: &str, adopt: Option<Uuid>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (source, stopped) = (bus.source(), Arc::clone(&stop));
        let store = StoreLocation::from(path).ingestion();
        let mut config = IngestConfig::new(name, bus.partitions());
        config.adopt = adopt;
        config.lease_lasts = Duration::from_millis(500);
        config.lease_renew = Duration::from_millis(50);
        config.batch_wait = Duration::from_millis(20);
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

fn node(n: u32) -> Uuid {
    Uuid::from_u128(u128::from(n) + 1)
}

fn report(n: u32, seq: u64) -> Report {
    let timestamp_us = 1_600_000_000_000_000 + i64::try_from(seq).expect("small") * 1_000_000;
    Report {
        uuid: node(n),
        position: [n as i32, seq as i32],
        infected: false,
        timestamp_us,
        alive: true,
        contacts: vec![Contact { uuid: node(n + 1), timestamp_us: timestamp_us - 5, distance: Some(1.0) }],
        run: None,
        start_us: Some(1),
        seq: Some(seq),
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

fn send(bus: &MemoryBus, report: &Report) {
    let payload = report.encode();
    let record =
        Record { key: report.uuid.as_bytes(), payload: &payload, content_type: ContentType::JSON, token: 0 };
    let sink = bus.sink();
    sink.send(&record).expect("the bus has room");
    assert!(sink.flush(PATIENCE));
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn contacts(queries: &dyn Queries) -> u64 {
    queries.run(Uuid::nil()).map_or(0, |run| run.contacts)
}

#[test]
fn what_is_sent_is_stored_once_and_the_stop_drains() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/store.db");
    let bus = MemoryBus::new(3);
    let process = Process::start(&bus, &path, "one");
    for seq in 0..20 {
        for n in 0..10 {
            send(&bus, &report(n, seq));
        }
    }
    // A repeat, and bytes of a stranger.
    send(&bus, &report(3, 7));
    let stranger = Record { key: b"x", payload: b"stop", content_type: ContentType::JSON, token: 0 };
    bus.sink().send(&stranger).expect("the bus has room");
    process.stop();

    let queries = StoreLocation::from(path.as_path()).queries();
    let run = queries.run(Uuid::nil()).expect("the run");
    assert_eq!((run.reports, run.contacts, run.moments), (200, 200, 20));
    assert_eq!(run.figures.total, 10);
    let state = queries.state(Uuid::nil(), At::Latest).expect("an answer").expect("a state");
    assert_eq!(state.nodes.len(), 10);
    assert_eq!(queries.rejected(10).expect("an answer")[0].bytes, b"stop");
    let offsets = queries.offsets().expect("an answer");
    assert_eq!(offsets.iter().map(|offset| offset.next).sum::<i64>(), 202);
    let status = queries.ingest_status().expect("an answer");
    assert_eq!((status[0].owner.as_str(), status[0].state), ("one", IngestState::Stopped));
    assert_eq!((status[0].records, status[0].rejected), (202, 1));
    let page = queries.contacts(Uuid::nil(), node(3), Span::ALL, None, 100).expect("an answer");
    assert_eq!(page.items.len(), 20);
}

#[test]
fn the_papers_programs_and_the_devices_of_a_run_can_be_one_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let (bus, run, other) = (MemoryBus::new(1), Uuid::from_u128(9), Uuid::from_u128(8));
    let process = Process::adopting(&bus, &path, "one", Some(run));
    send(&bus, &Report { run: Some(run), ..report(1, 0) });
    send(&bus, &Report { start_us: None, seq: None, ..report(2, 0) });
    send(&bus, &Report { run: Some(other), ..report(3, 0) });
    process.stop();
    let queries = StoreLocation::from(path.as_path()).queries();
    let reports = |run: Uuid| queries.run(run).map(|run| run.reports).ok();
    assert_eq!((reports(run), reports(other), reports(Uuid::nil())), (Some(2), Some(1), None));
}

#[test]
fn processes_that_come_and_go_share_the_partitions_and_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let bus = MemoryBus::new(8);
    let queries = StoreLocation::from(path.as_path()).queries();
    let first = Process::start(&bus, &path, "first");
    let owners = |queries: &dyn Queries| {
        let mut owners: Vec<String> =
            queries.leases().unwrap_or_default().into_iter().map(|lease| lease.owner).collect();
        owners.sort();
        owners
    };
    wait_for("the first takes all", || owners(&*queries) == vec!["first"; 8]);
    let second = Process::start(&bus, &path, "second");
    for seq in 0..50 {
        for n in 0..20 {
            send(&bus, &report(n, seq));
        }
    }
    wait_for("they share", || {
        let owners = owners(&*queries);
        owners.iter().filter(|owner| *owner == "first").count() == 4 && owners.len() == 8
    });
    for seq in 50..100 {
        for n in 0..20 {
            send(&bus, &report(n, seq));
        }
    }
    first.stop();
    wait_for("the second takes over", || contacts(&*queries) == 2000);
    second.stop();
    let run = queries.run(Uuid::nil()).expect("the run");
    assert_eq!((run.reports, run.contacts, run.nodes), (2000, 2000, 21));
    let mut counted = 0;
    queries
        .each_contact(Uuid::nil(), &mut |_| {
            counted += 1;
            std::ops::ControlFlow::Continue(())
        })
        .expect("an answer");
    assert_eq!(counted, 2000);
}

#[test]
fn a_store_that_is_locked_is_waited_for_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    // A folder where the store should be: it cannot be opened.
    std::fs::create_dir(&path).expect("a folder in the way");
    let bus = MemoryBus::new(2);
    let process = Process::start(&bus, &path, "one");
    for n in 0..30 {
        send(&bus, &report(n, 0));
    }
    std::thread::sleep(Duration::from_millis(100));
    std::fs::remove_dir(&path).expect("out of the way");
    let queries = StoreLocation::from(path.as_path()).queries();
    wait_for("all is stored", || contacts(&*queries) == 30);
    process.stop();
}

#[test]
fn a_dead_node_is_in_a_state_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let bus = MemoryBus::new(1);
    let process = Process::start(&bus, &path, "one");
    send(&bus, &report(1, 0));
    send(&bus, &Report { alive: false, infected: true, ..report(1, 1) });
    let queries = StoreLocation::from(path.as_path()).queries();
    wait_for("a state", || queries.progress(Uuid::nil()).is_ok_and(|progress| progress.moments == 1));
    let figures = queries.run(Uuid::nil()).expect("the run").figures;
    assert_eq!((figures.deaths, figures.dead_zombies, figures.zombies), (1, 1, 0));
    process.stop();
}
