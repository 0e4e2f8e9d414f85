//! Stores written by earlier versions, checked in as they were, and what is left of a run that is deleted: nothing.

use coronaz_store::queries::Span;
use coronaz_store::{At, Batch, Queries, ReportRecord, StoreError, StoreLocation};
use coronaz_wire::{Contact, Report};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Made by version 0.1.0 when the schema was 2: ten devices that met on a small field, and a fleet of 60 people. A
/// rejected record and a gap were added by hand.
const SCHEMA_2: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stores/schema-2.db");

/// A copy to work on.
fn copy() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    std::fs::copy(SCHEMA_2, &path).expect("the store is checked in");
    (folder, path)
}

fn count(path: &Path, sql: &str) -> u64 {
    let connection = rusqlite::Connection::open(path).expect("opened");
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect(sql).unsigned_abs()
}

/// How SQLite would answer.
fn plan(path: &Path, sql: &str) -> String {
    let connection = rusqlite::Connection::open(path).expect("opened");
    let mut statement = connection.prepare(&format!("explain query plan {sql}")).expect(sql);
    let steps = statement.query_map([], |row| row.get::<_, String>(3)).expect(sql);
    steps.collect::<Result<Vec<_>, _>>().expect(sql).join("; ")
}

fn runs(queries: &dyn Queries) -> (Uuid, Uuid) {
    let runs = queries.runs().expect("there");
    let of = |kind: &str| runs.iter().find(|run| run.kind == kind).expect(kind).id;
    (of("nodes"), of("fleet"))
}

#[test]
fn a_store_of_an_earlier_version_says_the_same_after_it_was_brought_up_to_date() {
    let (_folder, path) = copy();
    assert_eq!(count(&path, "select user_version from pragma_user_version"), 2);
    let before = |table: &str| count(&path, &format!("select count(*) from {table}"));
    let (contacts, infections) = (before("contact"), before("infection"));
    let encounters = before("encounter") + before("encounter_open");
    let open = before("encounter_open");
    let shown = before("encounters");
    assert!(contacts > 50 && encounters > 10 && open > 0 && infections > 5 && shown == encounters);

    let location = StoreLocation::from(path.as_path());
    let error = location.queries().runs().expect_err("too old to be read");
    assert!(error.is_unavailable(), "{error}");
    location.ingestion().prepare().expect("brought up to date");
    let queries = location.queries();
    let (nodes, fleet) = runs(&*queries);
    let mut each = (0, 0, 0);
    queries
        .each_contact(nodes, &mut |_| {
            each.0 += 1;
            ControlFlow::Continue(())
        })
        .expect("contacts");
    queries
        .each_encounter(nodes, &mut |encounter| {
            each.1 += 1;
            each.2 += u64::from(encounter.open);
            ControlFlow::Continue(())
        })
        .expect("encounters");
    assert_eq!(each, (contacts, encounters, open));
    assert_eq!(count(&path, "select count(*) from encounters"), shown);
    assert_eq!(count(&path, "select count(*) from encounters where open"), open);
    // The views have the keys beside the UUIDs, and one person's rows are found by them without a pass over the others.
    assert_eq!(count(&path, "select count(*) from movements"), before("node_state"));
    assert!(count(&path, "select count(*) from health") > 0);
    let run = count(&path, "select min(run) from contact");
    let of_one = format!("where run = {run} and person_slot = 1");
    let by_key = count(&path, &format!("select count(*) from contacts {of_one}"));
    assert_eq!(by_key, count(&path, "select count(*) from contact where person = 1"));
    assert!(!plan(&path, &format!("select * from contacts {of_one}")).contains("SCAN"));
    assert!(!plan(&path, &format!("select * from encounters {of_one}")).contains("SCAN p"));
    let known = |run: Uuid| queries.infections(run, i64::MIN, usize::MAX).expect("infections").len() as u64;
    assert_eq!(known(nodes) + known(fleet), infections);
    assert_eq!(queries.rejected(10).expect("rejected").len(), 1);
    assert_eq!(queries.gaps(10).expect("gaps").len(), 1);
    for run in [nodes, fleet] {
        let state = queries.state(run, At::Latest).expect("an answer").expect("a state");
        assert!(state.nodes.len() >= 10);
    }
}

#[test]
fn encounters_that_were_open_in_an_earlier_version_go_on() {
    let (_folder, path) = copy();
    let row = |connection: rusqlite::Connection| {
        connection
            .query_row(
                "select r.uuid, p.uuid, o.uuid, e.to_us, e.contacts from encounter_open e join run r on r.id = e.run
                 join node p on p.run = e.run and p.slot = e.person join node o on o.run = e.run and o.slot = e.other
                 join node_latest l on l.run = e.run and l.slot = e.person order by e.to_us desc, e.person limit 1",
                [],
                |row| {
                    let id = |at: usize| row.get(at).map(Uuid::from_bytes);
                    Ok((id(0)?, id(1)?, id(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
                },
            )
            .expect("one is open")
    };
    let (run, person, other, to_us, contacts) = row(rusqlite::Connection::open(&path).expect("opened"));
    let location = StoreLocation::from(path.as_path());
    let mut ingestion = location.ingestion();
    let far_us = to_us + 1_000_000_000_000;
    let held = ingestion.take(0, "new", far_us, Duration::from_secs(5)).expect("there").expect("free");
    let timestamp_us = to_us + 1_000_000;
    let report = Report {
        uuid: person,
        position: [1, 1],
        infected: false,
        timestamp_us,
        alive: true,
        contacts: vec![Contact { uuid: other, timestamp_us, distance: None }],
        run: Some(run),
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
    let page =
        location.queries().encounters_newest_first(run, person, Span::ALL, None, 100).expect("an answer");
    let it = page.items.iter().find(|e| e.other == other && e.to_us == timestamp_us).expect("it went on");
    assert_eq!((it.contacts, it.open), (contacts.unsigned_abs() + 1, true));
}

#[test]
fn no_row_of_a_deleted_run_is_left_in_any_table() {
    let (_folder, path) = copy();
    let location = StoreLocation::from(path.as_path());
    location.ingestion().prepare().expect("brought up to date");
    let (nodes, fleet) = runs(&*location.queries());
    let connection = rusqlite::Connection::open(&path).expect("opened");
    connection
        .execute_batch(
            "insert into node_session (run, slot, start_us, next_seq) select id, 0, 1, 1 from run;
             insert into snapshot (run, reports, nodes, bytes) select id, 1, 0, x'00' from run;",
        )
        .expect("rows of the tables that were empty");
    let names: Vec<String> = connection
        .prepare("select name from sqlite_schema where type = 'table' order by name")
        .expect("a list")
        .query_map([], |row| row.get(0))
        .expect("a list")
        .collect::<Result<_, _>>()
        .expect("names");
    let rows = |table: &str| count(&path, &format!("select count(*) from {table}"));
    // What is not of a run: the topic's side, the store's own notes, and what remembers deletions.
    let apart: BTreeSet<&str> = [
        "deleted_run",
        "gap",
        "ingest_status",
        "lease",
        "meta",
        "partition_offset",
        "rejected",
        "sqlite_sequence",
    ]
    .into();
    let before: Vec<u64> = apart.iter().map(|table| rows(table)).collect();
    let of_runs: Vec<&String> = names.iter().filter(|name| !apart.contains(name.as_str())).collect();
    assert!(of_runs.len() >= 13 && of_runs.iter().filter(|table| rows(table) > 0).count() >= 13);
    let mut administration = location.administration();
    for run in [nodes, fleet] {
        let deleted = administration.delete_run(run, 1, &mut |_| ControlFlow::Continue(())).expect("deleted");
        assert!(deleted.whole);
        assert!(matches!(location.queries().run(run), Err(StoreError::NoSuchRun(_))));
        if run == nodes {
            assert!(rows("fleet_frame") > 0 && rows("run") == 1, "the other run is untouched");
        }
    }
    for table in of_runs {
        assert_eq!(rows(table), 0, "{table}");
    }
    let after: Vec<u64> = apart.iter().map(|table| rows(table)).collect();
    assert_eq!(after[0], 2, "a tombstone each");
    assert_eq!(after[1..], before[1..]);
}

#[test]
fn others_write_while_a_run_is_removed() {
    let (_folder, path) = copy();
    let location = StoreLocation::from(path.as_path());
    let mut ingestion = location.ingestion();
    let held = ingestion.take(9, "writer", 1, Duration::from_secs(5)).expect("there").expect("free");
    let run = Uuid::from_u128(77);
    let report = |n: i64| Report {
        uuid: Uuid::from_u128(n.unsigned_abs().into()),
        position: [1, 1],
        infected: false,
        timestamp_us: n,
        alive: true,
        contacts: vec![],
        run: Some(run),
        start_us: None,
        seq: None,
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    };
    let batch = |from: i64, to: i64| {
        let mut batch = Batch::new(9, held.epoch, from);
        batch.reports = (from..to).map(|offset| ReportRecord { offset, report: report(offset) }).collect();
        batch.to = to;
        batch
    };
    ingestion.commit(&batch(0, 30_000)).expect("committed");
    let (mut next, mut steps, mut skipped) = (30_000, 0, 0);
    let mut largest = (0, 0);
    let mut watch = |rows: u64| {
        steps += 1;
        largest = (rows, largest.1.max(rows - largest.0));
        // Between any two steps the file is free.
        let committed = ingestion.commit(&batch(next, next + 10)).expect("committed");
        skipped += committed.skipped;
        next += 10;
        ControlFlow::Continue(())
    };
    let deleted = location.administration().delete_run(run, 1, &mut watch).expect("deleted");
    assert!(deleted.rows > 90_000 && steps > 10, "{deleted:?} in {steps} steps");
    assert!(largest.1 <= 50_000);
    assert_eq!(skipped, steps * 10);
}
