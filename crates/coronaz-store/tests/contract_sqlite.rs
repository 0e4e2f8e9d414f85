//! The contract over the embedded store, and what only a file can suffer.

mod contract;

use contract::{Stores, batch, node, take};
use coronaz_store::{Administration, CommitError, Ingestion, Queries, StoreError, StoreLocation};
use std::sync::Arc;
use tempfile::TempDir;

struct File {
    folder: TempDir,
}

impl File {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("store.db")
    }

    fn location(&self) -> StoreLocation {
        StoreLocation::Sqlite(self.path())
    }
}

impl Stores for File {
    fn ingestion(&self) -> Box<dyn Ingestion> {
        self.location().ingestion()
    }

    fn queries(&self) -> Arc<dyn Queries> {
        self.location().queries()
    }

    fn administration(&self) -> Box<dyn Administration> {
        self.location().administration()
    }
}

contract!(Box::new(File::new()));

#[test]
fn a_reader_waits_for_a_store_that_is_not_made_yet() {
    let file = File::new();
    let queries = file.queries();
    assert!(queries.runs().expect_err("no file").is_unavailable());
    std::fs::write(file.path(), b"").expect("an empty file");
    assert!(queries.runs().expect_err("no tables").is_unavailable());
    file.ingestion().prepare().expect("made");
    assert_eq!(queries.runs().expect("there"), []);
}

#[test]
fn another_programs_file_is_left_alone() {
    let file = File::new();
    std::fs::write(file.path(), vec![b'x'; 8192]).expect("a file");
    assert!(matches!(file.ingestion().prepare(), Err(StoreError::NotAStore { .. })));
    std::fs::remove_file(file.path()).expect("removed");
    let other = rusqlite::Connection::open(file.path()).expect("a database");
    other.execute_batch("create table letters (text)").expect("a table");
    assert!(matches!(file.ingestion().prepare(), Err(StoreError::NotAStore { .. })));
    assert!(matches!(file.queries().runs(), Err(StoreError::NotAStore { .. })));
}

#[test]
fn a_newer_schema_is_left_alone() {
    let file = File::new();
    file.ingestion().prepare().expect("made");
    let newer = rusqlite::Connection::open(file.path()).expect("opened");
    newer.pragma_update(None, "user_version", 999).expect("set");
    assert!(matches!(file.ingestion().prepare(), Err(StoreError::TooNew { found: 999, .. })));
    assert!(matches!(file.queries().runs(), Err(StoreError::TooNew { found: 999, .. })));
}

#[test]
fn a_lock_held_by_another_is_a_passing_trouble_and_the_batch_goes_in_afterwards() {
    let file = File::new();
    let mut ingestion = file.ingestion();
    let held = take(&mut *ingestion, 0);
    let batch = batch(held, &[(node(1), 0, &[])]);
    let other = rusqlite::Connection::open(file.path()).expect("opened");
    other.execute_batch("begin immediate").expect("locked");
    match ingestion.commit(&batch) {
        Err(CommitError::Store(error)) => assert!(error.is_unavailable()),
        other => panic!("it is locked, and not {other:?}"),
    }
    other.execute_batch("rollback").expect("unlocked");
    assert_eq!(ingestion.commit(&batch).expect("committed").reports, 1);
}

#[test]
fn a_file_that_is_replaced_is_opened_anew() {
    let file = File::new();
    let (mut ingestion, queries) = (file.ingestion(), file.queries());
    let held = take(&mut *ingestion, 0);
    ingestion.commit(&batch(held, &[(node(1), 0, &[])])).expect("committed");
    assert_eq!(queries.runs().expect("there").len(), 1);
    for suffix in ["db", "db-wal", "db-shm"] {
        std::fs::remove_file(file.path().with_extension(suffix)).expect("removed");
    }
    match ingestion.commit(&batch(held, &[(node(1), 1, &[])])) {
        Err(CommitError::Fenced { found, .. }) => assert_eq!(found.0, None),
        other => panic!("the new file knows no partition, and not {other:?}"),
    }
    assert_eq!(queries.runs().expect("there"), []);
}

#[test]
fn a_store_of_the_first_form_is_read_after_it_was_brought_up_to_date() {
    let file = File::new();
    let old = rusqlite::Connection::open(file.path()).expect("a database");
    old.execute_batch(include_str!("../src/sqlite/migrations/0001_first.sql")).expect("the first form");
    old.execute_batch(
        "insert into run (uuid, nodes) values (zeroblob(16), 1);
         insert into node (run, slot, uuid) values (1, 0, zeroblob(16));
         pragma application_id = 1129993009; pragma user_version = 1;",
    )
    .expect("a run");
    assert!(file.queries().runs().expect_err("too old to be read").is_unavailable());
    file.ingestion().prepare().expect("brought up to date");
    let runs = file.queries().runs().expect("there");
    assert_eq!((runs.len(), runs[0].nodes, runs[0].kind.as_str()), (1, 1, "nodes"));
    let nodes = file.queries().nodes(runs[0].id, 0, 10).expect("an answer");
    assert_eq!(nodes.len(), 1);
}
