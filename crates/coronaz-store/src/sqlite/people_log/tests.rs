//! With the log and without it, a store says the same.

use super::LogRule;
use crate::queries::Span;
use crate::sqlite::SqliteIngestion;
use crate::view::{Encounter, NodeDetail};
use crate::{Batch, Ingestion, Queries, ReportRecord, StoreLocation};
use coronaz_wire::{Contact, Report};
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

const S: i64 = 1_000_000;
const T0: i64 = 1_600_000_123 * S;
const NODES: u32 = 30;
const ALWAYS: LogRule = LogRule { above: 0, block: 4 };
const NEVER: LogRule = LogRule { above: u32::MAX, block: 4 };

/// Whose, its number, and whom it heard at which second.
type Said = (u32, u64, Vec<(u32, i64)>);

/// A batch: which process writes it, whether that has just been started, whose reports, and of whom.
#[derive(Debug, Clone)]
struct Step {
    writer: usize,
    restarted: bool,
    partition: i32,
    reports: Vec<Said>,
}

fn step() -> impl Strategy<Value = Step> {
    let report = (0..NODES, 0u64..8, proptest::collection::vec((0..NODES, 0i64..60), 0..4));
    let reports = proptest::collection::vec(report, 0..12);
    (0usize..2, proptest::bool::weighted(0.1), 0..2, reports)
        .prop_map(|(writer, restarted, partition, reports)| Step { writer, restarted, partition, reports })
}

fn id(n: u32) -> Uuid {
    Uuid::from_u128(u128::from(n) + 1)
}

fn report((node, seq, contacts): &Said) -> Report {
    let contact = |&(other, second): &(u32, i64)| Contact {
        uuid: id(other),
        timestamp_us: T0 + second * S,
        distance: (second % 2 == 0).then_some(0.5),
    };
    Report {
        uuid: id(*node),
        position: [seq.cast_signed() as i32, -1],
        infected: node % 3 == 0,
        timestamp_us: T0 + seq.cast_signed() * 7 * S,
        alive: true,
        contacts: contacts.iter().map(contact).collect(),
        run: None,
        start_us: Some(i64::from(node % 2)),
        seq: (node % 5 > 0).then_some(*seq),
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

/// A store with two processes that write it.
struct Side {
    _folder: TempDir,
    path: PathBuf,
    rule: LogRule,
    writers: [SqliteIngestion; 2],
    /// By partition: who holds it, the epoch, and the offset to go on at.
    held: [Option<(usize, i64, i64)>; 2],
    now_us: i64,
}

impl Side {
    fn new(rule: LogRule) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let writers = [(); 2].map(|()| SqliteIngestion::with_log_rule(&path, rule));
        Self { _folder: folder, path, rule, writers, held: [None; 2], now_us: T0 }
    }

    fn queries(&self) -> Arc<dyn Queries> {
        StoreLocation::from(self.path.as_path()).queries()
    }

    fn write(&mut self, step: &Step) {
        if step.restarted {
            self.writers[step.writer] = SqliteIngestion::with_log_rule(&self.path, self.rule);
        }
        let place = usize::from(step.partition == 1);
        let writer = &mut self.writers[step.writer];
        let (epoch, next) = match self.held[place] {
            Some((holder, epoch, next)) if holder == step.writer => (epoch, next),
            _ => {
                // Whoever held it has let go long ago.
                self.now_us += 100 * S;
                let name = ["a", "b"][step.writer];
                let held = writer.take(step.partition, name, self.now_us, Duration::from_secs(5));
                let held = held.expect("there").expect("free");
                (held.epoch, held.next)
            }
        };
        let mut batch = Batch::new(step.partition, epoch, next);
        let records = (next..).zip(&step.reports);
        batch.reports = records.map(|(offset, row)| ReportRecord { offset, report: report(row) }).collect();
        batch.to = next + batch.reports.len() as i64;
        writer.commit(&batch).expect("committed");
        self.held[place] = Some((step.writer, epoch, batch.to));
    }

    /// All that depends on what is known of people.
    #[expect(clippy::type_complexity, reason = "it is compared as a whole and never looked into")]
    fn told(&self) -> (Vec<Option<NodeDetail>>, Vec<Vec<Encounter>>, Vec<Encounter>, String) {
        let (queries, run) = (self.queries(), Uuid::nil());
        let nodes = (0..NODES).map(|n| queries.node(run, id(n)).ok()).collect();
        let of = |n| queries.encounters(run, id(n), Span::ALL, None, 1000).map(|page| page.items);
        let encounters = (0..NODES).map(|n| of(n).unwrap_or_default()).collect();
        let mut all = Vec::new();
        let _ = queries.each_encounter(run, &mut |encounter| {
            all.push(encounter);
            ControlFlow::Continue(())
        });
        (nodes, encounters, all, format!("{:?}", queries.ledgers(run).ok()))
    }

    fn entries(&self) -> i64 {
        let connection = rusqlite::Connection::open(&self.path).expect("opened");
        connection.query_row("select count(*) from node_log", [], |row| row.get(0)).expect("counted")
    }
}

#[test]
fn the_log_is_used_and_becomes_rows_in_turn() {
    let mut side = Side::new(ALWAYS);
    let reports: Vec<_> = (0..NODES).map(|n| (n, 1, vec![((n + 1) % NODES, 1)])).collect();
    let step = Step { writer: 0, restarted: false, partition: 0, reports };
    side.write(&step);
    // A row for each block of four people; one block was taken over.
    assert_eq!(side.entries(), 7);
    let last = Step { reports: vec![(NODES - 1, 2, vec![])], ..step };
    for _ in 1..7 {
        // One block becomes rows, and the last block has one entry more.
        side.write(&last);
        assert_eq!(side.entries(), 7);
    }
    side.write(&last);
    assert_eq!(side.entries(), 0);
}

#[test]
fn a_damaged_entry_is_told_and_nothing_older_stands_in_for_it() {
    let mut side = Side::new(ALWAYS);
    let reports: Vec<_> = (0..NODES).map(|n| (n, 1, vec![])).collect();
    side.write(&Step { writer: 0, restarted: false, partition: 0, reports });
    let connection = rusqlite::Connection::open(&side.path).expect("opened");
    connection.execute("update node_log set bytes = x'1cff'", []).expect("damaged");
    let told = side.queries().node(Uuid::nil(), id(NODES - 1)).expect_err("damaged").to_string();
    assert!(told.contains("node_log is damaged"), "{told}");
    let mut again = SqliteIngestion::with_log_rule(&side.path, ALWAYS);
    let held = again.take(0, "c", side.now_us + 100 * S, Duration::from_secs(5));
    let held = held.expect("there").expect("free");
    let mut batch = Batch::new(0, held.epoch, held.next);
    batch.reports = vec![ReportRecord { offset: held.next, report: report(&(NODES - 1, 2, vec![])) }];
    batch.to = held.next + 1;
    assert!(again.commit(&batch).is_err(), "the batch is not in");
    assert!(side.entries() > 0, "and what is there stays");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn with_the_log_and_without_it_a_store_says_the_same(steps in proptest::collection::vec(step(), 1..25)) {
        let (mut with, mut without) = (Side::new(ALWAYS), Side::new(NEVER));
        for step in &steps {
            with.write(step);
            without.write(step);
        }
        prop_assert_eq!(without.entries(), 0);
        prop_assert_eq!(with.told(), without.told());
    }
}
