//! Promises of the administrating side.

use super::{S, Stores, T0, batch_of, commit, contact, node, report, take};
use coronaz_store::{Administration, Deleted, Rejected, StoreError};
use coronaz_wire::Report;
use std::ops::ControlFlow;
use uuid::Uuid;

type New<'a> = &'a dyn Fn() -> Box<dyn Stores>;

const ONE: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn of(run: Uuid, n: u32, second: i64) -> Report {
    Report {
        run: Some(run),
        start_us: Some(1),
        seq: Some(second.unsigned_abs()),
        infected: n == 1,
        contacts: vec![contact(node(n + 1), second)],
        ..report(node(n), second)
    }
}

fn go_on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn delete(administration: &mut dyn Administration, run: Uuid) -> Result<Deleted, StoreError> {
    administration.delete_run(run, T0 + 100 * S, &mut go_on)
}

pub(crate) fn a_deleted_run_is_gone_and_what_still_arrives_of_it_is_counted_and_not_stored(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut administration = stores.administration();
    let mut held = take(&mut *ingestion, 0);
    let both = |seconds: std::ops::Range<i64>| {
        seconds.flat_map(|second| [of(ONE, 1, second), of(OTHER, 1, second), of(ONE, 2, second)])
    };
    commit(&mut *ingestion, &mut held, both(0..40));
    let before = queries.run(OTHER).expect("the run");
    let deleted = delete(&mut *administration, ONE).expect("deleted");
    assert!(deleted.whole && deleted.rows >= 80, "{deleted:?}");
    assert!(matches!(queries.run(ONE), Err(StoreError::NoSuchRun(run)) if run == ONE));
    assert_eq!(queries.runs().expect("there"), [before]);
    assert!(matches!(delete(&mut *administration, ONE), Err(StoreError::NoSuchRun(_))));
    // The writer knew it a moment ago.
    let batch = batch_of(held, both(40..50));
    let committed = ingestion.commit(&batch).expect("committed");
    assert_eq!((committed.reports, committed.skipped), (10, 20));
    held.next = batch.to;
    // So does another, who never heard of it.
    let mut other = stores.ingestion();
    let committed = other.commit(&batch_of(held, both(50..51))).expect("committed");
    assert_eq!((committed.reports, committed.skipped), (1, 2));
    assert_eq!(queries.runs().expect("there").len(), 1);
    let tombs = administration.deleted_runs().expect("there");
    assert_eq!(tombs.iter().map(|tomb| (tomb.run, tomb.at_us)).collect::<Vec<_>>(), [(ONE, T0 + 100 * S)]);
    assert_eq!(tombs[0].skipped, 22);
    let run = queries.run(OTHER).expect("the run");
    assert_eq!((run.reports, run.contacts, run.nodes), (51, 51, 2));
}

pub(crate) fn the_run_without_a_name_begins_anew_after_its_deletion(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    commit(&mut *ingestion, &mut held, (0..20).map(|second| report(node(1), second)));
    let mut administration = stores.administration();
    assert!(delete(&mut *administration, Uuid::nil()).expect("deleted").whole);
    assert_eq!(administration.deleted_runs().expect("there"), []);
    commit(&mut *ingestion, &mut held, [report(node(7), 30)]);
    let queries = stores.queries();
    let run = queries.run(Uuid::nil()).expect("it is there again");
    assert_eq!((run.reports, run.nodes), (1, 1));
    assert_eq!(queries.nodes(Uuid::nil(), 0, 10).expect("an answer")[0].id, node(7));
}

pub(crate) fn runs_go_when_nothing_of_them_was_stored_for_long_whatever_their_own_clocks_say(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    let mut store_at = |run: Uuid, second: i64, now_us: i64| {
        let mut batch = batch_of(held, [of(run, 1, second)]);
        batch.now_us = now_us;
        ingestion.commit(&batch).expect("committed");
        held.next = batch.to;
    };
    let day_us = 86_400 * S;
    // The reports of one are of today and were stored ten days ago; those of the other the other way round.
    store_at(ONE, 0, T0 - 10 * day_us);
    store_at(OTHER, -1_000_000, T0 - day_us);
    let mut administration = stores.administration();
    let gone = administration.prune(T0 - 11 * day_us, T0, &mut go_on).expect("pruned");
    assert!(gone.is_empty());
    let gone = administration.prune(T0 - 7 * day_us, T0, &mut go_on).expect("pruned");
    assert_eq!(gone, [ONE]);
    let left: Vec<_> = queries.runs().expect("there").iter().map(|run| run.id).collect();
    assert_eq!(left, [OTHER]);
}

pub(crate) fn a_deletion_that_was_broken_off_is_finished_by_the_next_call(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    commit(&mut *ingestion, &mut held, (0..500).map(|second| of(ONE, 1, second)));
    let mut administration = stores.administration();
    let broken = administration.delete_run(ONE, T0, &mut |_| ControlFlow::Break(())).expect("begun");
    assert!(!broken.whole);
    assert!(matches!(stores.queries().run(ONE), Err(StoreError::NoSuchRun(_))));
    let mut rows = 0;
    let gone = stores.administration().prune(i64::MIN, T0, &mut |gone| {
        rows = gone;
        ControlFlow::Continue(())
    });
    assert!(gone.expect("finished").is_empty());
    assert!(rows > 0);
}

pub(crate) fn a_rejected_record_goes_with_the_run_it_names(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let held = take(&mut *ingestion, 0);
    let mut batch = batch_of(held, [of(ONE, 1, 0)]);
    for (offset, run) in [(1, Some(ONE)), (2, Some(OTHER)), (3, None)] {
        batch.rejected.push(Rejected { offset, reason: "refused".to_owned(), run, bytes: vec![1] });
    }
    batch.to = 4;
    ingestion.commit(&batch).expect("committed");
    delete(&mut *stores.administration(), ONE).expect("deleted");
    let left = stores.queries().rejected(10).expect("there");
    assert_eq!(left.iter().map(|record| record.offset).collect::<Vec<_>>(), [3, 2]);
}
