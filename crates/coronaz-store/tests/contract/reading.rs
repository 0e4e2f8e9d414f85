//! Promises of the reading side.

use super::{S, Stores, T0, batch, batch_of, commit, contact, node, report, take};
use coronaz_store::export::{self, Table};
use coronaz_store::queries::Span;
use coronaz_store::view::{Cursor, Encounter};
use coronaz_store::{At, Figures, Queries, StoreError};
use coronaz_wire::{Contact, Report};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use uuid::Uuid;

type New<'a> = &'a dyn Fn() -> Box<dyn Stores>;

const RUN: Uuid = Uuid::nil();

fn moments(queries: &dyn Queries) -> u64 {
    queries.progress(RUN).expect("the run").moments
}

pub(crate) fn a_state_is_drawn_every_ten_reports_or_when_a_node_dies(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    commit(&mut *ingestion, &mut held, (0..9).map(|n| report(node(n), 0)));
    assert_eq!(moments(&*queries), 0);
    assert_eq!(queries.state(RUN, At::Latest).expect("an answer"), None);
    commit(&mut *ingestion, &mut held, (9..25).map(|n| report(node(n), 1)));
    assert_eq!(moments(&*queries), 2);
    // A death draws one at once, and the count begins again; the dead dying again draws none.
    let dead = Report { alive: false, ..report(node(3), 2) };
    commit(&mut *ingestion, &mut held, [dead.clone(), dead]);
    assert_eq!(moments(&*queries), 3);
    commit(&mut *ingestion, &mut held, (0..9).map(|n| report(node(n + 30), 3)));
    assert_eq!(moments(&*queries), 4);
    let mut every_three = batch_of(held, (0..6).map(|n| report(node(n), 4)));
    every_three.state_every = NonZeroU32::new(3).expect("three");
    ingestion.commit(&every_three).expect("committed");
    assert_eq!(moments(&*queries), 6);
}

pub(crate) fn the_count_to_the_next_state_goes_on_in_another_process(new: New) {
    let stores = new();
    for n in 0..30 {
        let mut ingestion = stores.ingestion();
        let mut held = take(&mut *ingestion, n % 3);
        commit(&mut *ingestion, &mut held, [report(node(n.unsigned_abs()), 0)]);
    }
    assert_eq!(moments(&*stores.queries()), 3);
}

pub(crate) fn a_state_is_of_one_moment(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    for second in 0..5 {
        let reports = (0..10).map(|n| Report {
            position: [i32::try_from(n).expect("small"), i32::try_from(second).expect("small")],
            infected: i64::from(n) < second,
            contacts: vec![contact(node(50), second)],
            ..report(node(n), second)
        });
        commit(&mut *ingestion, &mut held, reports);
    }
    for k in 0..5 {
        let state = queries.state(RUN, At::Moment(k)).expect("an answer").expect("a state");
        let second = i64::try_from(k).expect("small");
        assert_eq!((state.moment.k, state.latest, state.nodes.len()), (k, 4, 10));
        assert!(state.nodes.iter().all(|node| i64::from(node.y) == second));
        assert_eq!(state.moment.figures, Figures::of(state.nodes.iter().map(|node| node.health)));
        assert_eq!(u64::from(state.moment.figures.zombies), k);
        assert_eq!((state.moment.contacts, state.moment.infections), ((k + 1) * 10, k));
        assert!((0..10).all(|n| state.nodes[n as usize].id == node(n)));
    }
    let mut seen = Vec::new();
    queries
        .paper_states(RUN, &mut |state| {
            let nodes: Vec<_> = state.nodes().collect();
            seen.push((state.k, nodes.len(), nodes[0].y));
            if state.k == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .expect("an answer");
    assert_eq!(seen, [(0, 10, 0), (1, 10, 1), (2, 10, 2), (3, 10, 3)]);
}

pub(crate) fn a_moment_is_found_by_time(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    for second in [0, 10, 20] {
        commit(&mut *ingestion, &mut held, (0..10).map(|n| report(node(n), second)));
    }
    let at = |second: i64| {
        let state = queries.state(RUN, At::TimeUs(T0 + second * S)).expect("an answer");
        state.map(|state| state.moment.k)
    };
    assert_eq!([at(-1), at(0), at(9), at(10), at(500)], [None, Some(0), Some(0), Some(1), Some(2)]);
    assert_eq!(queries.state(RUN, At::Moment(3)).expect("an answer"), None);
}

pub(crate) fn statistics_are_thinned_evenly_with_both_ends(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    commit(&mut *ingestion, &mut held, (0..1000).map(|n| report(node(n % 7), i64::from(n))));
    let ks = |from, to, points| -> Vec<u64> {
        let moments = queries.moments(RUN, from, to, points).expect("an answer");
        moments.iter().map(|moment| moment.k).collect()
    };
    assert_eq!(ks(0, u64::MAX, 5), [0, 24, 49, 74, 99]);
    assert_eq!(ks(10, 12, 100), [10, 11, 12]);
    assert_eq!(ks(10, 20, 1), [20]);
    assert!(ks(100, 200, 10).is_empty());
    assert!(ks(0, 10, 0).is_empty());
}

pub(crate) fn runs_are_kept_apart(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let of = |run: Uuid, n: u32, second: i64| Report {
        run: Some(run),
        start_us: Some(1),
        seq: Some(0),
        contacts: vec![contact(node(9), second)],
        ..report(node(n), second)
    };
    commit(&mut *ingestion, &mut held, [of(one, 1, 0), of(other, 2, 0), of(other, 1, 0), of(one, 1, 1)]);
    let runs = queries.runs().expect("there");
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [other, one]);
    assert_eq!(runs.len(), 2);
    let counts = |run| queries.run(run).map(|run| (run.reports, run.contacts, run.nodes)).expect("the run");
    assert_eq!((counts(one), counts(other)), ((1, 2, 2), (2, 2, 3)));
}

pub(crate) fn contacts_of_a_person_come_by_time_in_pages(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    // Two hours, many windows, two others at each time; another person between them.
    for minute in 0..120 {
        let second = minute * 60;
        let both = [(node(2), second), (node(3), second)];
        ingestion
            .commit(&batch(held, &[(node(1), second, &both), (node(4), second, &both)]))
            .expect("committed");
        held.next += 2;
    }
    let span = Span { from_us: T0 + 600 * S, to_us: T0 + 3600 * S };
    let (mut all, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = queries.contacts(RUN, node(1), span, from, 7).expect("an answer");
        assert!(page.items.len() <= 7);
        all.extend(page.items);
        pages += 1;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!((all.len(), pages), (102, 15));
    assert!(all.iter().all(|contact| contact.person == node(1)));
    assert!(all.is_sorted_by_key(|contact| (contact.time_us, contact.other)));
    assert_eq!((all[0].time_us, all[101].time_us), (span.from_us, span.to_us));
    let none = queries.contacts(RUN, node(2), Span::ALL, None, 7).expect("an answer");
    assert_eq!((none.items.len(), none.next), (0, None));
}

pub(crate) fn encounters_that_overlap_a_time_are_found_however_long_they_are(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    // With 2 for an hour, with 3 in each tenth minute, with 4 open at the end.
    for second in (0..3600).step_by(5) {
        let mut contacts = vec![Contact { distance: Some(3.0), ..contact(node(2), second) }];
        if second % 600 == 0 {
            contacts.push(contact(node(3), second));
        }
        commit(&mut *ingestion, &mut held, [Report { contacts, ..report(node(1), second) }]);
    }
    commit(
        &mut *ingestion,
        &mut held,
        [Report { contacts: vec![contact(node(4), 3700)], ..report(node(1), 3700) }],
    );
    let found = |from: i64, to: i64| -> Vec<(Uuid, i64, i64, u64, bool)> {
        let span = Span { from_us: T0 + from * S, to_us: T0 + to * S };
        let page = queries.encounters(RUN, node(1), span, None, 100).expect("an answer");
        let row = |e: &Encounter| (e.other, (e.from_us - T0) / S, (e.to_us - T0) / S, e.contacts, e.open);
        page.items.iter().map(row).collect()
    };
    let long = (node(2), 0, 3595, 720, false);
    assert_eq!(found(2000, 2000), [long]);
    assert_eq!(found(1799, 1801), [long, (node(3), 1800, 1800, 1, false)]);
    assert_eq!(found(3595, 3595), [long]);
    assert_eq!(found(3596, 5000), [(node(4), 3700, 3700, 1, true)]);
    assert_eq!(found(0, 5000).len(), 8);
    let first = queries.encounters(RUN, node(1), Span::ALL, None, 3).expect("an answer");
    assert_eq!((first.items.len(), first.items[0].nearest), (3, Some(3.0)));
    let next = first.next.expect("there is more");
    assert_eq!(next, Cursor { time_us: T0 + 1200 * S, slot: 2 });
    let rest = queries.encounters(RUN, node(1), Span::ALL, Some(next), 100).expect("an answer");
    assert_eq!((rest.items.len(), rest.next), (5, None));
}

pub(crate) fn an_infection_says_who_whom_when_and_where(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    let sick = |n, second| Report { infected: true, ..report(node(n), second) };
    commit(&mut *ingestion, &mut held, [sick(1, 0), report(node(2), 0), sick(1, 1)]);
    let caught = Report { infected_by: Some(node(1)), position: [7, 8], ..sick(2, 2) };
    commit(&mut *ingestion, &mut held, [caught, sick(2, 3), report(node(2), 4)]);
    // Infected and well again while the broker was away.
    let unseen = Report { infected_by: Some(node(5)), ..report(node(2), 5) };
    commit(&mut *ingestion, &mut held, [unseen]);
    let rows: Vec<_> = queries
        .infections(RUN, i64::MIN, 10)
        .expect("an answer")
        .into_iter()
        .map(|row| (row.infectee, row.infector, (row.time_us - T0) / S, row.x, row.y))
        .collect();
    let expected =
        [(node(1), None, 0, 1, 2), (node(2), Some(node(1)), 2, 7, 8), (node(2), Some(node(5)), 5, 1, 2)];
    assert_eq!(rows, expected);
    assert_eq!(queries.node(RUN, node(2)).expect("the node").infections.len(), 2);
    assert_eq!(queries.infections(RUN, T0 + S, 1).expect("an answer")[0].time_us, T0 + 2 * S);
}

pub(crate) fn lists_newest_first_are_those_oldest_first_the_other_way_round(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    // Many windows; short meetings with 3 and 4, a long one with 2, one that still goes on.
    for second in (0..3600).step_by(20) {
        let mut contacts = vec![contact(node(3), second), contact(node(4), second)];
        contacts.extend((0..20).step_by(5).map(|more| contact(node(2), second + more)));
        commit(&mut *ingestion, &mut held, [Report { contacts, ..report(node(1), second) }]);
    }
    let span = Span { from_us: T0 + 700 * S, to_us: T0 + 3500 * S };
    for span in [span, Span::ALL] {
        let mut oldest = queries.contacts(RUN, node(1), span, None, 10_000).expect("an answer").items;
        let (mut newest, mut from) = (Vec::new(), None);
        loop {
            let page = queries.contacts_newest_first(RUN, node(1), span, from, 37).expect("an answer");
            assert!(page.items.len() <= 37);
            newest.extend(page.items);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        oldest.reverse();
        assert_eq!(newest, oldest);
        let mut oldest = queries.encounters(RUN, node(1), span, None, 10_000).expect("an answer").items;
        let (mut newest, mut from) = (Vec::new(), None);
        loop {
            let page = queries.encounters_newest_first(RUN, node(1), span, from, 23).expect("an answer");
            assert!(page.items.len() <= 23);
            newest.extend(page.items);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        oldest.reverse();
        assert_eq!(newest, oldest);
        assert!(newest.len() > 250);
    }
}

pub(crate) fn whom_somebody_infected_is_found_by_the_infector(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    let caught = |n: u32, by: u32, second: i64| Report {
        infected: true,
        infected_by: Some(node(by)),
        ..report(node(n), second)
    };
    commit(
        &mut *ingestion,
        &mut held,
        [caught(2, 1, 0), caught(3, 2, 1), caught(4, 1, 2), caught(5, 1, 3), report(node(6), 4)],
    );
    let by = |n: u32, from_us: i64, limit: usize| -> Vec<Uuid> {
        let infections = queries.infections_by(RUN, node(n), from_us, limit).expect("an answer");
        infections.iter().map(|infection| infection.infectee).collect()
    };
    assert_eq!(by(1, i64::MIN, 10), [node(2), node(4), node(5)]);
    assert_eq!(by(1, T0 + S, 1), [node(4)]);
    assert!(by(6, i64::MIN, 10).is_empty());
    assert!(matches!(queries.infections_by(RUN, node(99), 0, 10), Err(StoreError::NoSuchNode { .. })));
}

pub(crate) fn a_table_has_a_row_for_each_thing_of_the_run(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    for second in 0..30 {
        let met = Contact { distance: Some(1.5), ..contact(node(3), second) };
        let report = Report { infected: second > 5, contacts: vec![met], ..report(node(1), second) };
        commit(&mut *ingestion, &mut held, [report]);
    }
    let table = |table: Table| -> Vec<String> {
        let mut text = Vec::new();
        let mut sink = |block: Vec<u8>| {
            text.extend(block);
            ControlFlow::Continue(())
        };
        let rows = export::csv(&*queries, RUN, table, &mut sink).expect("written");
        let lines: Vec<_> = String::from_utf8(text).expect("text").lines().map(str::to_owned).collect();
        assert_eq!(rows as usize + 1, lines.len());
        assert_eq!(lines[0].split(',').count(), table.columns().len());
        lines
    };
    let at = |second: i64| T0 + second * S;
    assert_eq!(table(Table::Statistics).len(), 4);
    assert_eq!(table(Table::Statistics)[3], format!("2,{},1,1,0,0,0,30,1", at(29)));
    assert_eq!(table(Table::Infections)[1], format!("{},{},,1,2,0,", at(6), node(1)));
    assert_eq!(table(Table::Contacts)[30], format!("{},{},{},1.5,0,1", at(29), node(1), node(3)));
    let met = format!("{},{},{},{},1.5,30,true,0,1", node(1), node(3), at(0), at(29));
    assert_eq!(table(Table::Encounters)[1..], [met]);
    let nodes = [format!("0,{},1,2,true,false,true", node(1)), format!("1,{},,,,,", node(3))];
    assert_eq!(table(Table::Nodes)[1..], nodes);
    let mut blocks = 0;
    let unknown = export::csv(&*queries, Uuid::from_u128(9), Table::Nodes, &mut |_| {
        blocks += 1;
        ControlFlow::Continue(())
    });
    assert!(matches!(unknown, Err(StoreError::NoSuchRun(_))));
    assert_eq!(blocks, 0);
}

pub(crate) fn who_was_only_heard_of_is_a_node_without_a_state(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    let hears = Report { contacts: vec![contact(node(2), 0)], ..report(node(1), 0) };
    commit(&mut *ingestion, &mut held, std::iter::repeat_n(hears, 10));
    let detail = queries.node(RUN, node(2)).expect("the node");
    assert_eq!((detail.node.slot, detail.latest, detail.first_us), (1, None, None));
    let state = queries.state(RUN, At::Latest).expect("an answer").expect("a state");
    assert_eq!(state.nodes.len(), 1);
    let from_one = queries.nodes(RUN, 1, 10).expect("an answer");
    assert_eq!(from_one.iter().map(|node| (node.slot, node.id)).collect::<Vec<_>>(), [(1, node(2))]);
}

pub(crate) fn what_is_not_there_is_named(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    commit(&mut *ingestion, &mut held, [report(node(1), 0)]);
    let missing = Uuid::from_u128(77);
    assert!(matches!(queries.run(missing), Err(StoreError::NoSuchRun(run)) if run == missing));
    assert!(matches!(queries.state(missing, At::Latest), Err(StoreError::NoSuchRun(_))));
    assert!(
        matches!(queries.node(RUN, missing), Err(StoreError::NoSuchNode { node, .. }) if node == missing)
    );
}

pub(crate) fn states_far_from_a_snapshot_are_right(new: New) {
    let stores = new();
    let (mut ingestion, queries) = (stores.ingestion(), stores.queries());
    let mut held = take(&mut *ingestion, 0);
    // 5,000 reports of 37 nodes, in batches of odd sizes, several snapshots apart.
    let (mut sent, mut size) = (0u32, 1);
    while sent < 5000 {
        let reports = (sent..(sent + size).min(5000)).map(|n| Report {
            position: [i32::try_from(n).expect("small"), 0],
            ..report(node(n % 37), i64::from(n))
        });
        commit(&mut *ingestion, &mut held, reports);
        sent = (sent + size).min(5000);
        size = size * 5 % 613 + 1;
    }
    for k in [0, 1, 3, 101, 102, 103, 250, 307, 499] {
        let state = queries.state(RUN, At::Moment(k)).expect("an answer").expect("a state");
        let last = u32::try_from(k).expect("small") * 10 + 9;
        assert_eq!(state.nodes.len(), 37.min(last as usize + 1));
        for seen in &state.nodes {
            let newest = (0..=last).rev().find(|n| node(n % 37) == seen.id).expect("it has reported");
            assert_eq!(seen.x, i32::try_from(newest).expect("small"), "moment {k}");
        }
    }
}
