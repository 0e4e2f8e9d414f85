//! The way from the topic to the store is as short with many partitions as with few, over the embedded broker.
//!
//! The program is found at `CORONAZ_BROKER_BIN`, or where `cargo build --release -p coronaz-broker` puts it. Without it
//! this says so and passes, unless `CORONAZ_REQUIRE_BROKER` is set. `CORONAZ_TEST_BROKERS=host:port` measures over another
//! broker.

use coronaz_bus::{
    BusConfig, ContentType, Delivery, KafkaSink, KafkaSource, Record, RecordSink, ensure_topic,
};
use coronaz_ingest::IngestConfig;
use coronaz_store::StoreLocation;
use coronaz_wire::{Report, wall_clock};
use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(120);
/// Reports, 50 a second.
const REPORTS: u64 = 250;
const EVERY: Duration = Duration::from_millis(20);

struct Broker {
    _folder: TempDir,
    child: Child,
    listen: String,
}

impl Broker {
    fn start() -> Option<Self> {
        let program = env::var_os("CORONAZ_BROKER_BIN").map(PathBuf::from).or_else(|| {
            // This test runs as TARGET/PROFILE/deps/latency-HASH.
            let target = env::current_exe().ok()?.ancestors().nth(3)?.to_owned();
            Some(target.join("release/coronaz-broker"))
        });
        let Some(program) = program.filter(|program| program.is_file()) else {
            assert!(env::var_os("CORONAZ_REQUIRE_BROKER").is_none(), "coronaz-broker was not built");
            eprintln!("not tested: build coronaz-broker or set CORONAZ_BROKER_BIN");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("broker"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the broker starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says where");
        let listen = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Some(Self { _folder: folder, child, listen })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may be dead already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn report(who: u64, timestamp_us: i64) -> Report {
    Report {
        uuid: Uuid::from_u128(u128::from(who) + 1),
        position: [1, 2],
        infected: false,
        timestamp_us,
        alive: true,
        contacts: vec![],
        run: None,
        start_us: Some(1),
        seq: Some(0),
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

/// How long it takes from a report's sending to its being in the store, on average: each from a device of its own, so that
/// they spread over the partitions.
fn mean_latency(brokers: &str, partitions: u32) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let mut topic = BusConfig::new(brokers);
    topic.topic = format!("latency-{}", Uuid::new_v4());
    topic.partitions = partitions;
    assert_eq!(ensure_topic(&topic, PATIENCE), Ok(partitions));
    let location = StoreLocation::from(folder.path().join("store.db").as_path());
    let (stop, mut config) = (Arc::new(AtomicBool::new(false)), IngestConfig::new("one", partitions));
    // As soon as they come, so that it is the way that is measured.
    config.batch_records = 1;
    let (source, store, stopped) =
        (KafkaSource::new(&topic).expect("a source"), location.ingestion(), Arc::clone(&stop));
    let ingest = std::thread::spawn(move || {
        coronaz_ingest::run(source, store, &config, &stopped).expect("it ends when it is told to");
    });
    let sink = KafkaSink::new(&topic).expect("a sink");
    let mut deliveries: Vec<Delivery> = Vec::new();
    let mut send = |who: u64| {
        let report = report(who, wall_clock::now_us());
        let (key, payload) = (report.uuid.to_string(), report.encode());
        let content_type = ContentType::JSON;
        let record = Record { key: key.as_bytes(), payload: &payload, content_type, token: who };
        sink.send(&record).expect("there is room");
        sink.deliveries(Duration::ZERO, &mut deliveries);
    };
    let queries = location.queries();
    let stored = || queries.run(Uuid::nil()).map_or(0, |run| run.reports);
    // Everything has begun when the first ones are in.
    (REPORTS..REPORTS + 100).for_each(&mut send);
    let until = Instant::now() + PATIENCE;
    while stored() < 100 {
        assert!(Instant::now() < until, "nothing is stored");
        std::thread::sleep(Duration::from_millis(5));
    }
    // By how many are stored at each moment it is known how long all of them together have waited.
    let (mut sent, mut waited, mut looked) = (0, Duration::ZERO, Instant::now());
    let mut due = Instant::now();
    while stored() < 100 + REPORTS {
        assert!(Instant::now() < until, "{} of {REPORTS} are stored", stored() - 100);
        if sent < REPORTS && Instant::now() >= due {
            send(sent);
            sent += 1;
            due += EVERY;
        }
        std::thread::sleep(Duration::from_millis(1));
        let on_their_way = u32::try_from(100 + sent - stored().min(100 + sent)).expect("few");
        waited += looked.elapsed() * on_their_way;
        looked = Instant::now();
    }
    stop.store(true, Ordering::Relaxed);
    ingest.join().expect("no panic");
    waited / u32::try_from(REPORTS).expect("few")
}

#[test]
fn sixty_four_partitions_are_as_fast_as_four() {
    let own = if env::var_os("CORONAZ_TEST_BROKERS").is_some() { None } else { Broker::start() };
    let brokers =
        env::var("CORONAZ_TEST_BROKERS").ok().or_else(|| own.as_ref().map(|own| own.listen.clone()));
    let Some(brokers) = brokers else { return };
    let few = mean_latency(&brokers, 4);
    let many = mean_latency(&brokers, 64);
    println!("from the sending to the store: {few:?} with 4 partitions, {many:?} with 64");
    // Asked for its end one by one, each partition adds some 50 ms; a busy machine adds to both.
    assert!(many < few * 4 + Duration::from_millis(150), "{few:?} with 4 partitions, {many:?} with 64");
}
