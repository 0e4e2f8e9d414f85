//! JSON reports a second through a broker into the embedded store, by the number of nodes: sent, then stored from
//! what lies in the topic, then both at the same time.
//!
//! ```sh
//! coronaz-broker --listen 127.0.0.1:9092 --data /tmp/broker
//! cargo run --release -p coronaz-ingest --example through_broker -- 127.0.0.1:9092 20 10000 100000 1000000
//! ```
//!
//! With `--processes` before them, the numbers are those of ingest processes that store a million reports of 10,000 nodes together.
//!
//! Arguments: the broker, then numbers of nodes. Each sends at least twice, and all together at least a million
//! reports of one contact each. Every part has a topic `reports-…` of its own, which stays, and a store of its own.

#![expect(clippy::unwrap_used, reason = "a measurement may stop at whatever goes wrong")]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use coronaz_bus::{
    BusConfig, ContentType, Delivery, KafkaSink, KafkaSource, Record, RecordSink, SendError, ensure_topic,
};
use coronaz_ingest::IngestConfig;
use coronaz_store::{Queries, StoreLocation};
use coronaz_wire::{Contact, Report};
use uuid::Uuid;

const REPORTS_MIN: u64 = 1_000_000;
const WAIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(5);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let broker = arguments.next().expect("the broker's address");
    let mut arguments = arguments.peekable();
    match arguments.peek().map(String::as_str) {
        Some("--one") => {
            let mut words = arguments.skip(1);
            return be_one_of_several(&broker, &std::array::from_fn(|_| words.next().unwrap()));
        }
        Some("--processes") => {
            return compare_processes(&broker, arguments.skip(1).map(|count| count.parse().unwrap()));
        }
        _ => {}
    }
    println!(
        "{:>9} {:>9} {:>10} {:>8} {:>10} {:>8} {:>10} {:>8}",
        "nodes", "reports", "sent/s", "CPU µs", "stored/s", "CPU µs", "both/s", "CPU µs"
    );
    for nodes in arguments.map(|nodes| nodes.parse::<u64>().unwrap()) {
        let reports = REPORTS_MIN.max(2 * nodes);
        let payloads = Payloads::new(nodes, reports);
        let topic = topic(&broker, "later");
        let sent = rate(reports, || send(&topic, &payloads));
        let stored = rate(reports, || store(&topic, reports));
        let topic = self::topic(&broker, "live");
        let both = rate(reports, || {
            std::thread::scope(|scope| {
                scope.spawn(|| send(&topic, &payloads));
                store(&topic, reports);
            });
        });
        print!("{nodes:>9} {reports:>9}");
        for (rate, cpu_us) in [sent, stored, both] {
            print!(" {rate:>10.0} {cpu_us:>8.2}");
        }
        println!();
    }
}

/// Reports a second by the number of processes that store them.
fn compare_processes(broker: &str, counts: impl Iterator<Item = usize>) {
    const NODES: u64 = 10_000;
    let topic = topic(broker, "shared");
    send(&topic, &Payloads::new(NODES, REPORTS_MIN));
    println!("{:>9} {:>10} {:>16}", "processes", "stored/s", "CPU µs a report");
    for count in counts {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let location = StoreLocation::from(path.as_path());
        location.ingestion().prepare().unwrap();
        let begun = Instant::now();
        let mut children: Vec<Child> = (0..count)
            .map(|n| {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args([broker, "--one", &topic.topic]).arg(&path).arg(format!("p{n}"));
                command.stdin(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        wait_for(&*location.queries(), REPORTS_MIN);
        let rate = REPORTS_MIN as f64 / begun.elapsed().as_secs_f64();
        let cpu: Duration = children.iter().map(|child| cpu_of(&child.id().to_string())).sum();
        for child in &mut children {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
        println!("{count:>9} {rate:>10.0} {:>16.2}", cpu.as_secs_f64() * 1e6 / REPORTS_MIN as f64);
    }
}

/// One of several ingest processes, until its standard input ends: topic, store, name.
fn be_one_of_several(broker: &str, [topic, store, name]: &[String; 3]) {
    let mut config = BusConfig::new(broker);
    config.topic.clone_from(topic);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            stop.store(true, Ordering::Relaxed);
        });
        let location = StoreLocation::from(Path::new(store));
        let ingest = IngestConfig::new(name.as_str(), config.partitions);
        coronaz_ingest::run(KafkaSource::new(&config).unwrap(), location.ingestion(), &ingest, &stop)
            .unwrap();
    });
}

fn wait_for(queries: &dyn Queries, reports: u64) {
    loop {
        let offsets = queries.offsets().unwrap_or_default();
        let stored: i64 = offsets.iter().map(|offset| offset.next).sum();
        if stored.unsigned_abs() >= reports {
            return;
        }
        std::thread::sleep(STEP);
    }
}

/// A topic that nobody has used before.
fn topic(broker: &str, part: &str) -> BusConfig {
    let mut config = BusConfig::new(broker);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    config.topic = format!("reports-{part}-{now}");
    ensure_topic(&config, WAIT).unwrap();
    config
}

/// Reports a second, and microseconds of CPU that this process spent on each; the broker's are its own.
fn rate(reports: u64, work: impl FnOnce()) -> (f64, f64) {
    let (begun, cpu) = (Instant::now(), cpu_time());
    work();
    let rate = reports as f64 / begun.elapsed().as_secs_f64();
    (rate, (cpu_time() - cpu).as_secs_f64() * 1e6 / reports as f64)
}

/// What this process has spent so far, in the hundredths of seconds that Linux tells.
fn cpu_time() -> Duration {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// The reports, made before anything is measured: a laboratory's nodes make theirs each in its own process.
struct Payloads {
    bytes: Vec<u8>,
    /// Where each ends, and whose it is.
    ends: Vec<(usize, Uuid)>,
}

impl Payloads {
    /// Each second every node reports once, in an order that is not that of their numbers.
    fn new(nodes: u64, reports: u64) -> Self {
        const STRIDE: u64 = 7_368_787;
        let id =
            |n: u64| Uuid::from_u128(u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_0C1D_2E5B_7A4D));
        let mut all = Self { bytes: Vec::new(), ends: Vec::new() };
        for n in 0..reports {
            let (second, person) = (n / nodes, n.wrapping_mul(STRIDE) % nodes);
            let timestamp_us = 1_600_000_000_000_000 + i64::try_from(second).unwrap() * 1_000_000;
            let heard =
                Contact { uuid: id((person + 1) % nodes), timestamp_us: timestamp_us - 1000, distance: None };
            let report = Report {
                uuid: id(person),
                position: [i32::try_from(n % 100).unwrap(), i32::try_from(person % 100).unwrap()],
                infected: person % 10 == 0,
                timestamp_us,
                alive: true,
                contacts: vec![heard],
                run: Some(Uuid::from_u128(1)),
                start_us: Some(1),
                seq: Some(second),
                tick: None,
                immune: None,
                infected_by: None,
                totals: None,
            };
            all.bytes.extend(report.encode());
            all.ends.push((all.bytes.len(), report.uuid));
        }
        all
    }
}

fn send(topic: &BusConfig, payloads: &Payloads) {
    let sink = KafkaSink::new(topic).unwrap();
    let mut delivered: Vec<Delivery> = Vec::new();
    let mut start = 0;
    let mut acknowledged = 0;
    let mut take = |delivered: &mut Vec<Delivery>| {
        assert!(delivered.iter().all(|delivery| delivery.result.is_ok()), "not acknowledged");
        acknowledged += delivered.len();
        delivered.clear();
    };
    for (token, (end, uuid)) in payloads.ends.iter().enumerate() {
        let payload = &payloads.bytes[start..*end];
        start = *end;
        let record =
            Record { key: uuid.as_bytes(), payload, content_type: ContentType::JSON, token: token as u64 };
        while let Err(error) = sink.send(&record) {
            assert_eq!(error, SendError::QueueFull);
            sink.deliveries(STEP, &mut delivered);
            take(&mut delivered);
        }
    }
    while sink.pending() > 0 {
        sink.deliveries(STEP, &mut delivered);
        take(&mut delivered);
    }
    assert_eq!(acknowledged, payloads.ends.len());
}

fn store(topic: &BusConfig, reports: u64) {
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let location = StoreLocation::from(Path::new(&folder.path().join("store.db")));
    let queries = location.queries();
    let config = IngestConfig::new("measured", topic.partitions);
    std::thread::scope(|scope| {
        let source = KafkaSource::new(topic).unwrap();
        scope.spawn(|| coronaz_ingest::run(source, location.ingestion(), &config, &stop).unwrap());
        wait_for(&*queries, reports);
        stop.store(true, Ordering::Relaxed);
    });
}
