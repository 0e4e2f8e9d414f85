//! JSON reports a second from the bus into the embedded store, by the number of nodes: the cost of a report has to
//! be the same from 20 to a million. Of a million nodes the first half are first reports: a device is entered once, with its name.
//!
//! `cargo bench -p coronaz-ingest --bench ingest [-- NODES…] [--reports R] [--contacts C] [--folder DIR]`

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at a wrong argument")]

use coronaz_bus::{ContentType, MemoryBus, Record, RecordSink};
use coronaz_ingest::IngestConfig;
use coronaz_store::StoreLocation;
use coronaz_wire::{Contact, Report};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Several of the largest transactions, in a few seconds.
const REPORTS: u64 = 2_000_000;
const NODES: [u64; 5] = [20, 1_000, 10_000, 100_000, 1_000_000];

struct Arguments {
    nodes: Vec<u64>,
    reports: u64,
    contacts: u64,
    folder: PathBuf,
}

fn arguments() -> Arguments {
    let mut arguments =
        Arguments { nodes: vec![], reports: REPORTS, contacts: 1, folder: std::env::temp_dir() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => {}
            "--reports" => arguments.reports = words.next().unwrap().parse().unwrap(),
            "--contacts" => arguments.contacts = words.next().unwrap().parse().unwrap(),
            "--folder" => arguments.folder = words.next().unwrap().into(),
            number => arguments.nodes.push(number.parse().unwrap()),
        }
    }
    if arguments.nodes.is_empty() {
        arguments.nodes = NODES.to_vec();
    }
    arguments
}

fn main() {
    let arguments = arguments();
    println!("JSON reports with {} contact(s) each, bus in memory, SQLite on disk", arguments.contacts);
    println!(
        "{:>9} {:>9} {:>10} {:>11} {:>11} {:>9} {:>9} {:>8}",
        "nodes", "reports", "reports/s", "first half", "second half", "CPU µs", "CPU µs", "bytes"
    );
    for &nodes in &arguments.nodes {
        // Each node reports twice at least.
        let reports = arguments.reports.max(2 * nodes);
        let folder = tempfile::tempdir_in(&arguments.folder).unwrap();
        let bus = fill(nodes, reports, arguments.contacts);
        let measured = measure(&bus, &folder.path().join("store.db"), reports);
        println!(
            "{:>9} {:>9} {:>10.0} {:>11.0} {:>11.0} {:>9.2} {:>9.2} {:>8.0}",
            nodes,
            reports,
            reports as f64 / measured.all.as_secs_f64(),
            reports as f64 / 2.0 / measured.half.as_secs_f64(),
            reports as f64 / 2.0 / (measured.all - measured.half).as_secs_f64(),
            measured.cpu_half.as_secs_f64() * 2e6 / reports as f64,
            (measured.cpu - measured.cpu_half).as_secs_f64() * 2e6 / reports as f64,
            measured.bytes as f64 / reports as f64,
        );
    }
}

/// A topic full of reports: each second every node reports once, in an order that is not that of the slots.
fn fill(nodes: u64, reports: u64, contacts: u64) -> MemoryBus {
    const STRIDE: u64 = 7_368_787;
    let bus = MemoryBus::new(4);
    let sink = bus.sink_of(usize::MAX);
    let id = |n: u64| Uuid::from_u128(u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_0C1D_2E5B_7A4D));
    let mut delivered = Vec::new();
    for n in 0..reports {
        let (second, person) = (n / nodes, n.wrapping_mul(STRIDE) % nodes);
        let timestamp_us = 1_600_000_000_000_000 + i64::try_from(second).unwrap() * 1_000_000;
        let heard = |k: u64| Contact {
            uuid: id((person + 1 + k) % nodes),
            timestamp_us: timestamp_us - 1000 - i64::try_from(k).unwrap(),
            distance: None,
        };
        let report = Report {
            uuid: id(person),
            position: [i32::try_from(n % 100).unwrap(), i32::try_from(person % 100).unwrap()],
            infected: person % 10 == 0,
            timestamp_us,
            alive: true,
            contacts: (0..contacts).map(heard).collect(),
            run: Some(Uuid::from_u128(1)),
            start_us: Some(1),
            seq: Some(second),
            tick: None,
            immune: None,
            infected_by: None,
            totals: None,
        };
        let payload = report.encode();
        let content_type = ContentType::JSON;
        sink.send(&Record { key: report.uuid.as_bytes(), payload: &payload, content_type, token: n })
            .unwrap();
        if n % 10_000 == 0 {
            sink.deliveries(Duration::ZERO, &mut delivered);
            delivered.clear();
        }
    }
    bus
}

struct Measured {
    all: Duration,
    half: Duration,
    cpu: Duration,
    cpu_half: Duration,
    bytes: u64,
}

fn measure(bus: &MemoryBus, path: &Path, reports: u64) -> Measured {
    let stop = AtomicBool::new(false);
    let location = StoreLocation::from(path);
    let queries = location.queries();
    let config = IngestConfig::new("bench", bus.partitions());
    let (begun, cpu) = (Instant::now(), cpu_time());
    let (all, half, cpu, cpu_half) = std::thread::scope(|scope| {
        scope.spawn(|| coronaz_ingest::run(bus.source(), location.ingestion(), &config, &stop).unwrap());
        let mut half = None;
        loop {
            let offsets = queries.offsets().unwrap_or_default();
            let stored: i64 = offsets.iter().map(|offset| offset.next).sum();
            if half.is_none() && stored.unsigned_abs() >= reports / 2 {
                half = Some((begun.elapsed(), cpu_time() - cpu));
            }
            if stored.unsigned_abs() >= reports {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let all = begun.elapsed();
        let used = cpu_time() - cpu;
        stop.store(true, Ordering::Relaxed);
        let (half, used_half) = half.unwrap_or((all / 2, used / 2));
        (all, half, used, used_half)
    });
    // The last one to close the file takes the log into it.
    drop(queries);
    let bytes = std::fs::metadata(path).unwrap().len();
    Measured { all, half, cpu, cpu_half, bytes }
}

/// Processor time of this process, from the system's own count (hundredths of a second).
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}
