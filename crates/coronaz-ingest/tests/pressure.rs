//! More on the topic than memory holds, and a store that takes nothing, or takes its time: what is read ahead and what
//! is remembered stay below the bound that the configuration names.

use coronaz_bus::{
    ContentType, Incoming, Limits, Mark, Message, RecordSource, SourceError, SourceFigures, Watermarks,
};
use coronaz_ingest::IngestConfig;
use coronaz_store::{
    Batch, CommitError, Committed, Heartbeat, Held, Ingestion, Ownership, PartitionOffset, StoreError,
    StoreLocation,
};
use coronaz_wire::{Contact, Report};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use uuid::Uuid;

const PARTITIONS: u32 = 2;
/// Reports in each partition. All of them together are several times the bound.
const REPORTS: i64 = 150_000;
const NODES: i64 = 100_000;
/// What the process may use, and what is checked.
const MEMORY_BYTES: usize = 128 << 20;

/// A topic that is made while it is read, so that it takes no memory itself.
struct Endless {
    next: BTreeMap<i32, i64>,
    paused: bool,
    handed_bytes: Arc<AtomicU64>,
}

fn report(partition: i32, offset: i64) -> Report {
    let id =
        |n: i64| Uuid::from_u128((u128::from(partition.unsigned_abs()) << 64) + u128::from(n.unsigned_abs()));
    let timestamp_us = 1_600_000_000_000_000 + offset * 1_000;
    let heard = |n: i64| Contact {
        uuid: id((offset + n) % NODES),
        timestamp_us: timestamp_us - n,
        distance: Some(1.5),
    };
    Report {
        uuid: id(offset % NODES),
        position: [1, 2],
        infected: false,
        timestamp_us,
        alive: true,
        contacts: (1..4).map(heard).collect(),
        run: Some(Uuid::from_u128(1)),
        start_us: Some(1),
        seq: Some((offset / NODES).unsigned_abs()),
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

impl RecordSource for Endless {
    fn assign(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        self.next.insert(partition, next_offset);
        Ok(())
    }

    fn assign_after(&mut self, partition: i32, next_offset: i64, _: Option<Mark>) -> Result<(), SourceError> {
        self.assign(partition, next_offset)
    }

    fn unassign(&mut self, partition: i32) -> Result<(), SourceError> {
        self.next.remove(&partition);
        Ok(())
    }

    fn seek(&mut self, partition: i32, next_offset: i64) -> Result<(), SourceError> {
        self.assign(partition, next_offset)
    }

    fn pause(&mut self) -> Result<(), SourceError> {
        self.paused = true;
        Ok(())
    }

    fn resume(&mut self) -> Result<(), SourceError> {
        self.paused = false;
        Ok(())
    }

    fn poll(&mut self, wait: Duration, limits: Limits, into: &mut Vec<Incoming>) -> Result<(), SourceError> {
        let mut bytes = 0;
        for (&partition, next) in &mut self.next {
            while !self.paused && *next < REPORTS && into.len() < limits.records && bytes < limits.bytes {
                let payload = report(partition, *next).encode();
                let (key, content_type) = (vec![0; 16], ContentType::JSON);
                bytes += payload.len() + key.len();
                let (offset, timestamp_ms) = (*next, 0);
                into.push(Incoming::Record(Message {
                    partition,
                    offset,
                    key,
                    payload,
                    content_type,
                    timestamp_ms,
                }));
                *next += 1;
            }
        }
        self.handed_bytes.fetch_add(bytes as u64, Relaxed);
        if bytes == 0 {
            std::thread::sleep(wait);
        }
        Ok(())
    }

    fn position(&self, partition: i32) -> Option<i64> {
        self.next.get(&partition).copied()
    }

    fn mark(&self, _: i32) -> Option<Mark> {
        None
    }

    fn ask_for_ends(&mut self) {}

    fn take_ends(&mut self) -> Option<BTreeMap<i32, Watermarks>> {
        Some(self.next.keys().map(|partition| (*partition, Watermarks { low: 0, high: REPORTS })).collect())
    }

    fn stalled(&self) -> Vec<i32> {
        Vec::new()
    }

    fn is_reachable(&self) -> bool {
        true
    }

    fn figures(&self) -> SourceFigures {
        SourceFigures::default()
    }
}

/// A store that takes no batch for as long as it is said to.
struct Stubborn {
    inner: Box<dyn Ingestion>,
    takes_nothing: Arc<AtomicBool>,
}

impl Stubborn {
    fn check(&self) -> Result<(), StoreError> {
        if self.takes_nothing.load(Relaxed) {
            let (location, reason) = ("a test".to_owned(), "it takes nothing".to_owned());
            return Err(StoreError::Unavailable { location, reason, source: None });
        }
        Ok(())
    }
}

impl Ingestion for Stubborn {
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.inner.prepare()
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<Ownership, StoreError> {
        self.inner.heartbeat(heartbeat)
    }

    fn take(&mut self, p: i32, owner: &str, now: i64, lasts: Duration) -> Result<Option<Held>, StoreError> {
        self.inner.take(p, owner, now, lasts)
    }

    fn release(&mut self, owner: &str, held: &[(i32, i64)]) -> Result<(), StoreError> {
        self.inner.release(owner, held)
    }

    fn offsets(&mut self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.inner.offsets()
    }

    fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        self.check()?;
        self.inner.commit(batch)
    }

    fn commit_some(&mut self, batches: &[&Batch]) -> (Vec<Committed>, Result<(), CommitError>) {
        match self.check() {
            Ok(()) => self.inner.commit_some(batches),
            Err(error) => (Vec::new(), Err(error.into())),
        }
    }

    fn remember_at_most(&mut self, bytes: usize) {
        self.inner.remember_at_most(bytes);
    }
}

/// A figure of this process in bytes, from the system.
fn status_bytes(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with(name)).expect("the figure");
    let kib: usize = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib << 10
}

#[test]
fn memory_stays_below_its_bound_while_the_store_takes_nothing_and_while_it_takes_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let location = StoreLocation::from(folder.path().join("store.db").as_path());
    let handed_bytes = Arc::new(AtomicU64::new(0));
    let takes_nothing = Arc::new(AtomicBool::new(true));
    let source = Endless { next: BTreeMap::new(), paused: false, handed_bytes: Arc::clone(&handed_bytes) };
    let store = Stubborn { inner: location.ingestion(), takes_nothing: Arc::clone(&takes_nothing) };
    let mut config = IngestConfig::new("test", PARTITIONS);
    config.share_out(MEMORY_BYTES);
    let stop = AtomicBool::new(false);
    let before = status_bytes("VmRSS");
    // The highest figure counts from here on.
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            coronaz_ingest::run(source, Box::new(store), &config, &stop).expect("it runs");
        });
        // It reads ahead as much as it may, and then no more.
        let (mut last, mut since) = (0, Instant::now());
        while last == 0 || since.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(20));
            let now = handed_bytes.load(Relaxed);
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        let bytes_each = report(0, 0).encode().len() + 16;
        let ahead = last as usize / bytes_each * size_of::<Report>();
        assert!(ahead <= config.unstored_bytes_max, "{ahead} bytes were read ahead");
        assert!(ahead > config.unstored_bytes_max / 4, "{ahead} bytes were read ahead");
        takes_nothing.store(false, Relaxed);
        let queries = location.queries();
        loop {
            let offsets = queries.offsets().unwrap_or_default();
            if offsets.iter().map(|offset| offset.next).sum::<i64>() == REPORTS * i64::from(PARTITIONS) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Relaxed);
    });
    let used = status_bytes("VmHWM").saturating_sub(before);
    assert!(used < MEMORY_BYTES, "{} MiB used at most of {} MiB", used >> 20, MEMORY_BYTES >> 20);
    println!("{} MiB used at most of {} MiB", used >> 20, MEMORY_BYTES >> 20);
    let run = location.queries().run(Uuid::from_u128(1)).expect("the run");
    assert_eq!((run.reports, run.contacts), (2 * REPORTS.unsigned_abs(), 6 * REPORTS.unsigned_abs()));
}
