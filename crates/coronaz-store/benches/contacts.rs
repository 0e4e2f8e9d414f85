//! Contacts into the embedded store, and one person's contacts and encounters out of it: rows a second must not fall with
//! the rows that are in, and a question must stay fast. Pairs are drawn at random, so nearly every contact is an
//! encounter of its own: the hardest case.
//!
//! `cargo bench -p coronaz-store --bench contacts [-- MILLIONS] [--people N] [--minutes M] [--folder DIR]`; with 100 for the
//! hundred million encounters of `docs/performance.md`, some 10 GB. A line a million tells the time by the clock and of the
//! processor, so that a machine that others use too is told from a store that slows down; after every tenth, and at the end,
//! come the questions. After so many minutes it asks and ends wherever it is.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at a wrong argument")]

use coronaz_store::queries::Span;
use coronaz_store::{Batch, ReportRecord, StoreLocation};
use coronaz_wire::{Contact, Report};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use uuid::Uuid;

const S: i64 = 1_000_000;
const T0: i64 = 1_600_000_000 * S;
/// Contacts of all people in a second: people meet now and then.
const CONTACTS_A_SECOND: i64 = 5_000;
const BATCH: i64 = 100_000;

struct Arguments {
    millions: i64,
    people: u64,
    within: Duration,
    folder: PathBuf,
}

fn arguments() -> Arguments {
    let mut arguments =
        Arguments { millions: 3, people: 1_000_000, within: Duration::MAX, folder: std::env::temp_dir() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bench" => {}
            "--people" => arguments.people = words.next().unwrap().parse().unwrap(),
            "--minutes" => {
                arguments.within = Duration::from_secs(60 * words.next().unwrap().parse::<u64>().unwrap());
            }
            "--folder" => arguments.folder = PathBuf::from(words.next().unwrap()),
            number => arguments.millions = number.parse().unwrap(),
        }
    }
    arguments
}

fn main() {
    let Arguments { millions, people, within, folder } = arguments();
    let folder = tempfile::tempdir_in(folder).unwrap();
    let path = folder.path().join("store.db");
    let location = StoreLocation::from(path.as_path());
    let mut ingestion = location.ingestion();
    let held = ingestion.take(0, "bench", T0, Duration::from_secs(5)).unwrap().unwrap();
    let (mut next, mut sent, mut random) = (0, 0, 88_172_645_463_325_252u64);
    println!("{:>9} {:>12} {:>9} {:>14}", "million", "contacts/s", "CPU µs", "bytes/contact");
    let started = Instant::now();
    for million in 1..=millions {
        let (mut spent, mut cpu) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..1_000_000 / BATCH {
            let mut batch = Batch::new(0, held.epoch, next);
            batch.reports = reports(&mut sent, &mut random, people, next);
            batch.to = next + batch.reports.len() as i64;
            next = batch.to;
            let (begun, cpu_begun) = (Instant::now(), cpu_time());
            ingestion.commit(&batch).unwrap();
            spent += begun.elapsed();
            cpu += cpu_time() - cpu_begun;
        }
        let bytes = std::fs::metadata(&path).unwrap().len() as f64 / sent as f64;
        let (rate, cpu_us) = (1e6 / spent.as_secs_f64(), cpu.as_secs_f64());
        println!("{million:>9} {rate:>12.0} {cpu_us:>9.2} {bytes:>14.0}");
        let is_last = million == millions || started.elapsed() >= within;
        if million % 10 == 0 || is_last {
            ask(&location, people, T0 + sent / CONTACTS_A_SECOND * S);
        }
        if is_last {
            break;
        }
    }
}

/// Processor time of this process, from the system's own count (hundredths of a second).
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// A batch: reports of people drawn at random, each of ten contacts with others drawn at random.
fn reports(sent: &mut i64, random: &mut u64, people: u64, from: i64) -> Vec<ReportRecord> {
    const CONTACTS: i64 = 10;
    let mut draw = || {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        Uuid::from_u128(u128::from(*random % people) + 1)
    };
    (from..from + BATCH / CONTACTS)
        .map(|offset| {
            let mut heard = || {
                *sent += 1;
                let timestamp_us = T0 + *sent * S / CONTACTS_A_SECOND;
                Contact { uuid: draw(), timestamp_us, distance: None }
            };
            let contacts = (0..CONTACTS).map(|_| heard()).collect();
            let report = Report {
                uuid: draw(),
                position: [0, 0],
                infected: false,
                timestamp_us: T0 + *sent * S / CONTACTS_A_SECOND,
                alive: true,
                contacts,
                run: None,
                start_us: None,
                seq: None,
                tick: None,
                immune: None,
                infected_by: None,
                totals: None,
            };
            ReportRecord { offset, report }
        })
        .collect()
}

fn ask(location: &StoreLocation, people: u64, end_us: i64) {
    const HOUR: i64 = 3600 * S;
    let queries = location.queries();
    let run = Uuid::nil();
    let middle_us = T0 + (end_us - T0) / 2;
    for (name, span) in [
        ("the last hour", Span { from_us: end_us - HOUR, to_us: end_us }),
        ("an hour in the middle", Span { from_us: middle_us, to_us: middle_us + HOUR }),
        ("all of time", Span { from_us: T0, to_us: end_us }),
    ] {
        let contacts = |person| queries.contacts(run, person, span, None, 1000).map(|page| page.items.len());
        let encounters =
            |person| queries.encounters(run, person, span, None, 1000).map(|page| page.items.len());
        time(&format!("contacts in {name}"), people, contacts);
        time(&format!("encounters in {name}"), people, encounters);
    }
}

/// Asks for a thousand people twice; the second time counts: the file's pages are in memory then.
fn time<E>(name: &str, people: u64, ask: impl Fn(Uuid) -> Result<usize, E>) {
    for warmth in ["cold", "warm"] {
        let (mut times, mut found) = (Vec::new(), 0);
        for n in 0..1000u64 {
            let person = Uuid::from_u128(u128::from(n * 7919 % people) + 1);
            let begun = Instant::now();
            if let Ok(items) = ask(person) {
                found += items;
                times.push(begun.elapsed());
            }
        }
        times.sort();
        let quantile = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default();
        println!("{name}, {warmth}: median {:?}, p99 {:?}, {found} found", quantile(50), quantile(99));
    }
}
