//! What time it is in a run, and which run is shown: neither is decided by one reporter.

use super::{S, Stores, T0, batch_of, commit, node, report, take};
use coronaz_store::{AnnouncementRecord, Batch, Held, Ingestion, Queries};
use coronaz_wire::Report;
use coronaz_wire::announcement::{Announcement, RunKind};
use std::collections::BTreeMap;
use uuid::Uuid;

type New<'a> = &'a dyn Fn() -> Box<dyn Stores>;

const YEAR: i64 = 365 * 86_400;

fn run(n: u128) -> Uuid {
    Uuid::from_u128(0xA0_0000 + n)
}

/// The seconds after [`T0`] of a run's moments.
fn seconds(queries: &dyn Queries, run: Uuid) -> Vec<i64> {
    let moments = queries.moments(run, 0, u64::MAX, 10_000).expect("an answer");
    moments.iter().map(|moment| (moment.time_us - T0) / S).collect()
}

/// Announces a run that begins `second` seconds after [`T0`]; it is stored at `stored`.
fn announce(ingestion: &mut dyn Ingestion, held: &mut Held, run: Uuid, second: i64, stored: i64) {
    let announcement = Announcement {
        run,
        name: "a run".to_owned(),
        kind: RunKind::Nodes,
        seed: 7,
        started_us: T0 + second * S,
        parameters: BTreeMap::new(),
        scenario: String::new(),
        forked_from: None,
        guests_of: None,
    };
    let mut batch = Batch::new(held.partition, held.epoch, held.next);
    batch.announcements = vec![AnnouncementRecord { offset: held.next, announcement }];
    batch.to = held.next + 1;
    batch.now_us = T0 + stored * S;
    ingestion.commit(&batch).expect("committed");
    held.next = batch.to;
}

/// Reports of a run's ten devices, all of one second; they are stored at `stored`.
fn walk(ingestion: &mut dyn Ingestion, held: &mut Held, run: Option<Uuid>, second: i64, stored: i64) {
    let batch = batch_of(*held, (0..10).map(|n| Report { run, ..report(node(n), second) }));
    let batch = Batch { now_us: T0 + stored * S, ..batch };
    ingestion.commit(&batch).expect("committed");
    held.next = batch.to;
}

fn shown(stores: &dyn Stores, second: i64) -> Option<Uuid> {
    stores.queries().default_run(T0 + second * S).expect("an answer")
}

pub(crate) fn one_reporter_with_a_wrong_clock_moves_no_moment(new: New) {
    for wrong in [YEAR, 3600, 5, -60, -YEAR] {
        let stores = new();
        let mut ingestion = stores.ingestion();
        let mut held = take(&mut *ingestion, 0);
        for second in 0..20 {
            // A writer that is new knows what the one before it knew.
            if second == 12 {
                ingestion = stores.ingestion();
                held = take(&mut *ingestion, 0);
            }
            commit(&mut *ingestion, &mut held, (0..9).map(|n| report(node(n), second)));
            // It reports last, so every moment is drawn with its report.
            commit(&mut *ingestion, &mut held, [report(node(99), second + wrong)]);
            if second == 10 {
                let many = (0..10).map(|n| report(node(99), second + wrong + n));
                commit(&mut *ingestion, &mut held, many);
            }
        }
        let queries = stores.queries();
        let expected: Vec<i64> = (0..20).flat_map(|s| if s == 10 { vec![s, s] } else { vec![s] }).collect();
        assert_eq!(seconds(&*queries, Uuid::nil()), expected, "{wrong} s");
        assert_eq!(queries.run(Uuid::nil()).expect("the run").last_us, Some(T0 + 19 * S));
        // What it said of itself is kept as it was said.
        let detail = queries.node(Uuid::nil(), node(99)).expect("the node");
        assert_eq!(detail.latest.map(|state| state.time_us), Some(T0 + (19 + wrong) * S));
    }
}

pub(crate) fn a_moment_is_where_most_devices_are_after_a_long_stop(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    for second in [0, 1, 2, 7200, 7201] {
        walk(&mut *ingestion, &mut held, None, second, second);
    }
    assert_eq!(seconds(&*stores.queries(), Uuid::nil()), [0, 1, 2, 7200, 7201]);
}

pub(crate) fn one_report_without_a_run_takes_nothing_over(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    announce(&mut *ingestion, &mut held, run(1), 0, 0);
    assert_eq!(shown(&*stores, 0), Some(run(1)), "the only one is better than none");
    walk(&mut *ingestion, &mut held, Some(run(1)), 5, 5);
    let stranger = batch_of(held, [report(node(77), 6)]);
    ingestion.commit(&Batch { now_us: T0 + 6 * S, ..stranger }).expect("committed");
    held.next += 1;
    assert_eq!(shown(&*stores, 7), Some(run(1)), "it has no moment");
    assert_eq!(shown(&*stores, 500), Some(run(1)), "nor later, when nothing is live");
    // Nor does it with moments, as long as a run that was announced is live.
    walk(&mut *ingestion, &mut held, None, 8, 8);
    walk(&mut *ingestion, &mut held, Some(run(1)), 9, 9);
    assert_eq!(shown(&*stores, 10), Some(run(1)));
    walk(&mut *ingestion, &mut held, None, 100, 100);
    assert_eq!(shown(&*stores, 101), Some(Uuid::nil()), "it is the only one that lives");
}

pub(crate) fn a_run_that_began_later_takes_over_with_its_first_moment(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    assert_eq!(shown(&*stores, 0), None);
    for (n, begins) in [(1, 0), (2, 10)] {
        announce(&mut *ingestion, &mut held, run(n), begins, begins);
    }
    walk(&mut *ingestion, &mut held, Some(run(1)), 11, 11);
    assert_eq!(shown(&*stores, 12), Some(run(1)));
    walk(&mut *ingestion, &mut held, Some(run(2)), 13, 13);
    walk(&mut *ingestion, &mut held, Some(run(1)), 14, 14);
    assert_eq!(shown(&*stores, 15), Some(run(2)));
    // It ends; the other one lives on.
    walk(&mut *ingestion, &mut held, Some(run(1)), 60, 60);
    assert_eq!(shown(&*stores, 61), Some(run(1)));
    assert_eq!(shown(&*stores, 1000), Some(run(2)), "of those that are over the later");
}

pub(crate) fn old_records_that_arrive_again_take_nothing_over(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    announce(&mut *ingestion, &mut held, run(1), 0, 0);
    walk(&mut *ingestion, &mut held, Some(run(1)), 5, 5);
    announce(&mut *ingestion, &mut held, run(2), -90_000, 6);
    walk(&mut *ingestion, &mut held, Some(run(2)), -89_000, 6);
    assert_eq!(shown(&*stores, 7), Some(run(1)), "it lives");
    assert_eq!(shown(&*stores, 500), Some(run(1)), "it began later");
}

pub(crate) fn a_time_ahead_of_the_clock_orders_no_runs(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    announce(&mut *ingestion, &mut held, run(1), 0, 0);
    walk(&mut *ingestion, &mut held, Some(run(1)), 5, 5);
    announce(&mut *ingestion, &mut held, run(2), YEAR, 6);
    walk(&mut *ingestion, &mut held, Some(run(2)), YEAR, 6);
    assert_eq!(shown(&*stores, 500), Some(run(1)));
}

pub(crate) fn the_list_of_runs_comes_in_pages(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    for n in 0..7 {
        announce(&mut *ingestion, &mut held, run(n), i64::try_from(n).expect("small"), 0);
    }
    let queries = stores.queries();
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let page = queries.runs_page(next, 3).expect("an answer");
        found.push(page.runs.iter().map(|run| run.id).collect::<Vec<_>>());
        next = page.next;
        if next.is_none() {
            break;
        }
        // One that begins meanwhile moves nothing.
        announce(&mut *ingestion, &mut held, run(50 + found.len() as u128), 0, 0);
    }
    assert_eq!(found, [vec![run(6), run(5), run(4)], vec![run(3), run(2), run(1)], vec![run(0)]]);
    let whole = queries.runs_page(None, 9).expect("an answer");
    assert_eq!((whole.runs, whole.next), (queries.runs().expect("there"), None));
}
