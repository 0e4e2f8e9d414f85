//! The embedded store is one file once everybody has stopped, and a copy of it is a copy of the store; what is damaged is
//! named and never written to.

use coronaz_store::{Batch, Ingestion, Queries, ReportRecord, StoreError, StoreLocation};
use coronaz_wire::Report;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

const RUN: Uuid = Uuid::nil();

struct Laboratory {
    folder: TempDir,
}

impl Laboratory {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn location(&self) -> StoreLocation {
        StoreLocation::Sqlite(self.path())
    }

    /// A reader as the server has it: connections that stay open.
    fn reader(&self) -> Arc<dyn Queries> {
        self.location().queries()
    }

    /// Reports of an ingest process; `settles`: it stops in an orderly way, else it is killed.
    fn record(&self, reports: u32, settles: bool) {
        let mut ingestion = self.location().ingestion();
        for n in 0..reports {
            store(&mut *ingestion, n);
        }
        if settles {
            ingestion.settle();
        } else {
            // A process that is killed closes nothing.
            std::mem::forget(ingestion);
        }
    }
}

/// Stores the report of one more device.
fn store(ingestion: &mut dyn Ingestion, n: u32) {
    let held = ingestion.take(0, "writer", 1, Duration::from_secs(5)).expect("there").expect("free");
    let report = Report {
        uuid: Uuid::from_u128(0xC0_0000 + u128::from(n)),
        position: [1, 2],
        infected: false,
        timestamp_us: 1_600_000_123_000_000 + i64::from(n),
        alive: true,
        contacts: vec![],
        run: None,
        start_us: None,
        seq: None,
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    };
    let mut batch = Batch::new(0, held.epoch, held.next);
    batch.reports = vec![ReportRecord { offset: held.next, report }];
    batch.to = held.next + 1;
    ingestion.commit(&batch).expect("committed");
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}-{suffix}", path.display()))
}

fn bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// How many reports a copy of the file alone has.
fn reports_of_a_copy(path: &Path) -> u64 {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy.db");
    fs::copy(path, &copy).expect("copied");
    StoreLocation::Sqlite(copy).queries().run(RUN).map_or(0, |run| run.reports)
}

#[test]
fn the_file_is_whole_when_ingest_has_stopped_though_the_server_still_reads() {
    let laboratory = Laboratory::new();
    laboratory.location().ingestion().prepare().expect("made");
    let reader = laboratory.reader();
    assert_eq!(reader.runs().expect("there"), []);
    laboratory.record(50, true);
    assert_eq!(reader.run(RUN).expect("the run").reports, 50);
    assert_eq!(bytes(&beside(&laboratory.path(), "wal")), 0);
    assert_eq!(reports_of_a_copy(&laboratory.path()), 50);
}

#[test]
fn the_file_is_whole_when_the_server_stops_last_and_ingest_was_killed() {
    let laboratory = Laboratory::new();
    laboratory.record(50, false);
    let reader = laboratory.reader();
    assert_eq!(reader.run(RUN).expect("the run").reports, 50);
    assert_eq!(reports_of_a_copy(&laboratory.path()), 0, "all of it is in the log");
    drop(reader);
    laboratory.location().settle().expect("settled");
    assert_eq!(reports_of_a_copy(&laboratory.path()), 50);
}

#[test]
fn after_a_crash_the_next_that_opens_the_store_makes_the_file_whole() {
    let laboratory = Laboratory::new();
    laboratory.record(50, false);
    let mut next = laboratory.location().ingestion();
    next.prepare().expect("opened");
    assert_eq!(reports_of_a_copy(&laboratory.path()), 50);
}

#[test]
fn settling_makes_no_file_and_leaves_other_programs_files_alone() {
    let laboratory = Laboratory::new();
    laboratory.location().settle().expect("nothing to do");
    assert!(!laboratory.path().exists());
    let other = rusqlite::Connection::open(laboratory.path()).expect("a database");
    other.execute_batch("pragma journal_mode = wal; create table letters (text)").expect("a table");
    assert!(matches!(laboratory.location().settle(), Err(StoreError::NotAStore { .. })));
    assert!(bytes(&beside(&laboratory.path(), "wal")) > 0);
}

#[test]
fn every_documented_way_of_copying_a_store_in_use_gives_all_of_it() {
    let laboratory = Laboratory::new();
    laboratory.record(50, false);
    let copies = laboratory.folder.path().join("copies");
    fs::create_dir(&copies).expect("a folder");
    let source = rusqlite::Connection::open(laboratory.path()).expect("opened");
    // `sqlite3 store.db "vacuum into 'copy.db'"`
    let vacuumed = copies.join("vacuumed.db");
    source.execute("vacuum into ?", [vacuumed.to_str().expect("a text")]).expect("copied");
    // The three files together, while nobody writes.
    let moved = copies.join("moved.db");
    fs::copy(laboratory.path(), &moved).expect("copied");
    fs::copy(beside(&laboratory.path(), "wal"), beside(&moved, "wal")).expect("copied");
    for copy in [vacuumed, moved] {
        let location = StoreLocation::Sqlite(copy.clone());
        location.ingestion().prepare().expect("it is a store");
        assert_eq!(location.queries().run(RUN).expect("the run").reports, 50, "{}", copy.display());
    }
}

/// A store of some pages, whole in its file.
fn sound() -> Laboratory {
    let laboratory = Laboratory::new();
    laboratory.record(400, true);
    for suffix in ["wal", "shm"] {
        let _ = fs::remove_file(beside(&laboratory.path(), suffix));
    }
    laboratory
}

/// Whoever writes, reads or settles is told of it; the bytes stay as they are.
fn is_refused(laboratory: &Laboratory, what: &str) {
    let before = fs::read(laboratory.path()).ok();
    let mut ingestion = laboratory.location().ingestion();
    let error = ingestion.prepare().expect_err(what);
    let text = error.to_string();
    assert!(matches!(error, StoreError::Damaged { .. } | StoreError::NotAStore { .. }), "{what}: {text}");
    assert!(text.contains("store.db"), "{what}: {text}");
    assert!(!error.is_unavailable());
    drop(ingestion);
    let _ = laboratory.location().settle();
    assert_eq!(fs::read(laboratory.path()).ok(), before, "{what}: it was changed");
}

#[test]
fn a_damaged_file_is_named_and_not_changed() {
    let laboratory = sound();
    let whole = fs::read(laboratory.path()).expect("there");
    assert!(whole.len() > 20 * 4096);
    let put = |bytes: &[u8]| fs::write(laboratory.path(), bytes).expect("written");
    put(&whole[..whole.len() / 2]);
    is_refused(&laboratory, "half of it");
    put(&whole[..whole.len() - 4096]);
    is_refused(&laboratory, "a page is missing");
    put(&whole[..50]);
    is_refused(&laboratory, "less than a header");
    put(&vec![b'x'; whole.len()]);
    is_refused(&laboratory, "garbage");
    put(&vec![0; whole.len()]);
    is_refused(&laboratory, "zeros");
    let mut damaged = whole.clone();
    damaged[4096..whole.len() - 4096].fill(0xFF);
    put(&damaged);
    is_refused(&laboratory, "all pages but the first and the last overwritten");
    // Each page's header in turn: a bit of its kind.
    let is_tree = |page: usize| [2, 5, 10, 13].contains(&whole[page * 4096]);
    for page in (1..whole.len() / 4096).filter(|&page| is_tree(page)) {
        let mut damaged = whole.clone();
        damaged[page * 4096] ^= 0x40;
        put(&damaged);
        is_refused(&laboratory, &format!("a bit of page {page}"));
    }
    put(&whole);
    laboratory.location().ingestion().prepare().expect("whole again");
    assert_eq!(laboratory.reader().run(RUN).expect("the run").reports, 400);
}

#[test]
fn an_emptied_file_beside_its_log_is_named_and_the_log_is_kept() {
    let laboratory = Laboratory::new();
    laboratory.record(50, false);
    let log = fs::read(beside(&laboratory.path(), "wal")).expect("a log");
    fs::write(laboratory.path(), b"").expect("emptied");
    is_refused(&laboratory, "emptied");
    assert!(matches!(laboratory.reader().runs(), Err(StoreError::Damaged { .. })));
    assert_eq!(fs::read(beside(&laboratory.path(), "wal")).expect("a log"), log);
}

#[test]
fn a_folder_in_place_of_the_file_is_named() {
    let laboratory = Laboratory::new();
    fs::create_dir(laboratory.path()).expect("a folder");
    is_refused(&laboratory, "a folder");
    let error = laboratory.reader().runs().expect_err("a folder").to_string();
    assert!(error.contains("it is a folder"), "{error}");
}

#[test]
fn without_its_log_a_store_is_as_it_was_when_the_log_was_last_copied() {
    let laboratory = Laboratory::new();
    laboratory.record(30, true);
    let mut ingestion = laboratory.location().ingestion();
    store(&mut *ingestion, 99);
    let without = Laboratory::new();
    fs::copy(laboratory.path(), without.path()).expect("copied");
    let mut ingestion = without.location().ingestion();
    assert_eq!(ingestion.offsets().expect("there")[0].next, 30, "the topic is read again from there");
    store(&mut *ingestion, 99);
    assert_eq!(without.reader().run(RUN).expect("the run").reports, 31);
}

#[test]
fn a_log_of_garbage_costs_what_it_held_and_no_more() {
    let laboratory = sound();
    fs::write(beside(&laboratory.path(), "wal"), vec![0xA5; 100_000]).expect("written");
    fs::write(beside(&laboratory.path(), "shm"), vec![0x5A; 32_768]).expect("written");
    laboratory.location().ingestion().prepare().expect("opened");
    assert_eq!(laboratory.reader().run(RUN).expect("the run").reports, 400);
}
