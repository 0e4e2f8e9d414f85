//! Promises of the writing side.

use super::{LASTS, S, Stores, T0, batch, batch_of, commit, contact, node, report, take, take_as};
use coronaz_store::queries::Span;
use coronaz_store::{
    AnnouncementRecord, Batch, CommitError, Gap, Heartbeat, Held, IngestState, IngestStatus, Rejected,
};
use coronaz_wire::announcement::{Announcement, RunKind};
use coronaz_wire::{Contact, Report, Setting, Totals};
use std::collections::BTreeMap;
use uuid::Uuid;

type New<'a> = &'a dyn Fn() -> Box<dyn Stores>;

fn status(owner: &str, now_us: i64) -> IngestStatus {
    IngestStatus {
        owner: owner.to_owned(),
        state: IngestState::Running,
        updated_us: now_us,
        started_us: T0,
        partitions: vec![0, 2],
        lag_records: 3,
        newest_record_us: Some(T0),
        records: 4,
        rejected: 1,
    }
}

fn beat(owner: &str, held: &[(i32, i64)], now_us: i64) -> Heartbeat {
    Heartbeat { status: status(owner, now_us), held: held.to_vec(), lasts: LASTS }
}

fn numbered(who: Uuid, start_us: i64, seq: u64) -> Report {
    let second = i64::try_from(seq).expect("small");
    Report { start_us: Some(start_us), seq: Some(seq), ..report(who, second) }
}

pub(crate) fn a_batch_goes_in_once(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let held = take(&mut *ingestion, 3);
    assert_eq!((held.epoch, held.next), (1, 0));
    let batch = batch_of(held, [report(node(1), 0), report(node(2), 0)]);
    assert_eq!(ingestion.commit(&batch).expect("committed").reports, 2);
    match ingestion.commit(&batch) {
        Err(CommitError::Fenced { partition: 3, expected: (1, 0), found }) => {
            assert_eq!(found.0, Some((1, 2)));
        }
        other => panic!("it is in already, and not {other:?}"),
    }
    let offsets = ingestion.offsets().expect("there");
    assert_eq!((offsets[0].partition, offsets[0].next, offsets[0].records), (3, 2, 2));
    assert_eq!(stores.queries().run(Uuid::nil()).expect("the run").reports, 2);
}

pub(crate) fn who_lost_the_partition_is_fenced(new: New) {
    let stores = new();
    let (mut a, mut b) = (stores.ingestion(), stores.ingestion());
    let of_a = take_as(&mut *a, 0, "a", T0);
    commit(&mut *a, &mut of_a.clone(), [report(node(1), 0)]);
    let of_b = take_as(&mut *b, 0, "b", T0 + 6 * S);
    assert_eq!((of_b.epoch, of_b.next), (2, 1));
    let late = Batch { from: 1, to: 2, ..batch_of(of_a, [report(node(1), 1)]) };
    assert!(matches!(a.commit(&late), Err(CommitError::Fenced { .. })));
    let mut of_b = of_b;
    commit(&mut *b, &mut of_b, [report(node(1), 1)]);
    assert_eq!(stores.queries().run(Uuid::nil()).expect("the run").reports, 2);
}

pub(crate) fn a_batch_that_fails_leaves_nothing(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let with_contact = Report { contacts: vec![contact(node(9), 0)], ..report(node(1), 0) };
    let wrong = Batch { epoch: 77, ..batch_of(held, [with_contact]) };
    assert!(matches!(ingestion.commit(&wrong), Err(CommitError::Fenced { .. })));
    // The writer goes on as if nothing had been: slots and figures are those of the store.
    commit(&mut *ingestion, &mut held, [report(node(2), 0)]);
    let run = stores.queries().run(Uuid::nil()).expect("the run");
    assert_eq!((run.reports, run.nodes, run.contacts, run.figures.total), (1, 1, 0, 1));
    assert_eq!(stores.queries().nodes(Uuid::nil(), 0, 10).expect("nodes")[0].id, node(2));
}

pub(crate) fn several_batches_go_in_as_far_as_the_first_that_fails(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let (zero, one) = (take(&mut *ingestion, 0), take(&mut *ingestion, 1));
    // Node 3 is met in one partition, reports in the other, and goes on there.
    let met = Report { contacts: vec![contact(node(3), 0)], ..report(node(1), 0) };
    let first = batch_of(zero, [met, report(node(2), 0)]);
    let second = batch_of(one, [report(node(3), 1)]);
    let third = batch_of(Held { next: first.to, ..zero }, [report(node(1), 2), report(node(1), 2)]);
    let stale = Batch { from: 0, to: 1, ..batch_of(one, [report(node(4), 2)]) };
    let after = batch_of(Held { next: third.to, ..zero }, [report(node(5), 3)]);
    let batches = [&first, &second, &third, &stale, &after];
    let mut reports = Vec::new();
    let end = loop {
        let (done, end) = ingestion.commit_some(&batches[reports.len()..]);
        assert!(!done.is_empty() || end.is_err(), "the first is written");
        reports.extend(done.iter().map(|committed| committed.reports));
        if end.is_err() {
            break end;
        }
    };
    assert_eq!(reports, [2, 1, 2]);
    match end {
        Err(CommitError::Fenced { partition, expected, found }) => {
            assert_eq!((partition, expected, found.0), (1, (one.epoch, 0), Some((one.epoch, 1))));
        }
        other => panic!("the fourth is not what comes next: {other:?}"),
    }
    let run = stores.queries().run(Uuid::nil()).expect("the run");
    assert_eq!((run.reports, run.nodes, run.contacts, run.figures.total), (5, 3, 1, 3));
    let (done, end) = ingestion.commit_some(&[&after]);
    assert_eq!((done.len(), end.is_ok()), (1, true));
    assert_eq!(stores.queries().run(Uuid::nil()).expect("the run").reports, 6);
}

pub(crate) fn a_lease_is_taken_when_it_has_run_out_and_renewed_by_its_owner_only(new: New) {
    let stores = new();
    let (mut a, mut b) = (stores.ingestion(), stores.ingestion());
    let held = take_as(&mut *a, 0, "a", T0);
    assert_eq!(b.take(0, "b", T0 + 4 * S, LASTS).expect("there"), None);
    a.heartbeat(&beat("a", &[(0, held.epoch)], T0 + 4 * S)).expect("renewed");
    assert_eq!(b.take(0, "b", T0 + 8 * S, LASTS).expect("there"), None);
    assert_eq!(take_as(&mut *b, 0, "b", T0 + 9 * S).epoch, 2);
    let told = a.heartbeat(&beat("a", &[(0, held.epoch)], T0 + 9 * S)).expect("told");
    assert_eq!(told.lost, [0]);
    assert_eq!((told.leases[0].owner.as_str(), told.leases[0].until_us), ("b", T0 + 14 * S));
}

pub(crate) fn a_lease_given_back_is_free_at_once(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let held = take_as(&mut *ingestion, 0, "a", T0);
    ingestion.release("a", &[(0, 77)]).expect("no effect");
    assert_eq!(ingestion.take(0, "b", T0, LASTS).expect("there"), None);
    ingestion.release("a", &[(0, held.epoch)]).expect("given back");
    assert_eq!(take_as(&mut *ingestion, 0, "b", T0).epoch, 2);
}

pub(crate) fn a_process_restarted_under_its_name_takes_its_own_lease(new: New) {
    let stores = new();
    let held = take_as(&mut *stores.ingestion(), 0, "a", T0);
    assert_eq!(take_as(&mut *stores.ingestion(), 0, "a", T0 + S).epoch, held.epoch + 1);
}

pub(crate) fn a_lease_from_the_future_is_not_in_force(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    take_as(&mut *ingestion, 0, "a", T0 + 3600 * S);
    assert_eq!(take_as(&mut *ingestion, 0, "b", T0).epoch, 2);
}

pub(crate) fn members_are_those_that_live(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    ingestion.heartbeat(&beat("gone", &[], T0)).expect("told");
    ingestion.heartbeat(&beat("b", &[], T0 + 6 * S)).expect("told");
    let mut stopped = beat("stopped", &[], T0 + 6 * S);
    stopped.status.state = IngestState::Stopped;
    ingestion.heartbeat(&stopped).expect("told");
    let told = ingestion.heartbeat(&beat("a", &[], T0 + 7 * S)).expect("told");
    assert_eq!(told.members, ["a", "b"]);
    let all = stores.queries().ingest_status().expect("there");
    assert_eq!(all.len(), 4);
    assert_eq!(all[0], status("a", T0 + 7 * S));
}

pub(crate) fn a_repeated_report_adds_only_contacts_that_are_new(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let first = Report { contacts: vec![contact(node(2), 0)], ..numbered(node(1), 5, 0) };
    commit(&mut *ingestion, &mut held, [first.clone(), first.clone()]);
    let longer = Report { contacts: vec![contact(node(2), 0), contact(node(3), 0)], ..first };
    commit(&mut *ingestion, &mut held, [longer]);
    let run = stores.queries().run(Uuid::nil()).expect("the run");
    assert_eq!((run.reports, run.contacts), (1, 2));
    let detail = stores.queries().node(Uuid::nil(), node(1)).expect("the node");
    assert_eq!(detail.contacts, 2);
}

pub(crate) fn a_report_that_was_overtaken_is_late_and_not_repeated(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    commit(&mut *ingestion, &mut held, [numbered(node(1), 5, 0), numbered(node(1), 5, 3)]);
    let overtaken = Report {
        position: [50, 50],
        infected: true,
        contacts: vec![contact(node(2), 1)],
        ..numbered(node(1), 5, 1)
    };
    commit(&mut *ingestion, &mut held, [overtaken.clone(), overtaken]);
    let queries = stores.queries();
    let run = queries.run(Uuid::nil()).expect("the run");
    assert_eq!((run.reports, run.contacts, run.figures.zombies), (3, 1, 0));
    let detail = queries.node(Uuid::nil(), node(1)).expect("the node");
    let latest = detail.latest.expect("it has reported");
    assert_eq!((latest.x, latest.time_us), (1, T0 + 3 * S));
    assert_eq!((detail.sessions[0].next_seq, detail.sessions[0].gaps.as_deref()), (4, Some("[[2,2]]")));
}

pub(crate) fn an_earlier_start_of_a_node_is_remembered(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let totals = Totals { contacts: 7, digest: u64::MAX };
    let old = Report { totals: Some(totals), ..numbered(node(1), 5, 0) };
    commit(&mut *ingestion, &mut held, [old.clone(), numbered(node(1), 9, 0)]);
    // Again, and one more of the old start: neither is the newest.
    commit(&mut *ingestion, &mut held, [old, numbered(node(1), 5, 1), numbered(node(1), 9, 0)]);
    let queries = stores.queries();
    assert_eq!(queries.run(Uuid::nil()).expect("the run").reports, 3);
    let sessions = queries.node(Uuid::nil(), node(1)).expect("the node").sessions;
    let starts: Vec<_> = sessions.iter().map(|session| (session.start_us, session.next_seq)).collect();
    assert_eq!(starts, [(Some(9), 1), (Some(5), 2)]);
    assert_eq!(sessions[1].claimed.map(|claimed| (claimed.contacts, claimed.digest)), Some((7, u64::MAX)));
}

pub(crate) fn records_that_could_not_be_read_are_kept_with_their_reason(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let held = take(&mut *ingestion, 1);
    let mut batch = batch_of(held, [report(node(1), 0)]);
    for (offset, bytes) in [(1, vec![0u8, 255, 10]), (2, vec![7; 100_000])] {
        batch.rejected.push(Rejected { offset, reason: "no JSON\0".to_owned(), run: None, bytes });
    }
    batch.to = 3;
    ingestion.commit(&batch).expect("committed");
    let rejected = stores.queries().rejected(10).expect("there");
    assert_eq!((rejected[0].offset, rejected[0].bytes.len()), (2, 65_536));
    assert_eq!(
        (rejected[1].partition, rejected[1].at_us, &rejected[1].bytes[..]),
        (1, T0, &[0, 255, 10][..])
    );
    let offsets = stores.queries().offsets().expect("there");
    assert_eq!((offsets[0].records, offsets[0].rejected), (3, 2));
}

pub(crate) fn gaps_of_the_topic_are_kept(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut batch = batch_of(take(&mut *ingestion, 1), []);
    batch.gaps.push(Gap { from: 0, to: 50, reason: "expired".to_owned() });
    batch.to = 50;
    ingestion.commit(&batch).expect("committed");
    let gaps = stores.queries().gaps(10).expect("there");
    assert_eq!((gaps[0].partition, gaps[0].from, gaps[0].to, gaps[0].reason.as_str()), (1, 0, 50, "expired"));
}

pub(crate) fn the_first_announcement_of_a_run_counts(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let held = take(&mut *ingestion, 0);
    let run = Uuid::from_u128(0xA);
    let announcement = |name: &str| Announcement {
        run,
        name: name.to_owned(),
        kind: RunKind::Nodes,
        seed: u64::MAX,
        started_us: T0 - S,
        parameters: BTreeMap::new(),
        scenario: "[parameters]\n".to_owned(),
        forked_from: None,
        guests_of: None,
    };
    // The reports of a run may come before its announcement.
    let mut batch = batch_of(held, [Report { run: Some(run), ..report(node(1), 0) }]);
    for (offset, name) in [(1, "first"), (2, "second")] {
        batch.announcements.push(AnnouncementRecord { offset, announcement: announcement(name) });
    }
    batch.to = 3;
    ingestion.commit(&batch).expect("committed");
    let run = stores.queries().run(run).expect("the run");
    assert_eq!((run.name.as_deref(), run.seed, run.kind.as_str()), (Some("first"), Some(u64::MAX), "nodes"));
    assert_eq!((run.started_us, run.last_us, run.reports), (Some(T0 - S), Some(T0), 1));
    assert_eq!(run.scenario.as_deref(), Some("[parameters]\n"));
}

pub(crate) fn odd_values_are_stored_and_do_not_stop_a_batch(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let odd = |n: u32, timestamp_us: i64| Report {
        position: [i32::MIN, i32::MAX],
        timestamp_us,
        contacts: vec![
            Contact { uuid: node(n), timestamp_us, distance: Some(f64::NAN) },
            Contact { uuid: Uuid::nil(), timestamp_us: i64::MAX, distance: Some(f64::INFINITY) },
            Contact { uuid: Uuid::max(), timestamp_us: i64::MIN, distance: Some(-0.0) },
        ],
        start_us: Some(i64::MIN),
        seq: Some(u64::MAX),
        tick: Some(u64::MAX),
        infected_by: Some(node(n)),
        totals: Some(Totals { contacts: u64::MAX, digest: u64::MAX }),
        ..report(node(n), 0)
    };
    commit(&mut *ingestion, &mut held, [odd(1, i64::MAX), odd(2, i64::MIN), odd(1, 0)]);
    commit(&mut *ingestion, &mut held, [odd(1, i64::MIN), odd(2, i64::MAX), report(node(3), 0)]);
    let queries = stores.queries();
    assert_eq!(queries.run(Uuid::nil()).expect("the run").reports, 3);
    for n in 1..=2 {
        let page = queries.contacts(Uuid::nil(), node(n), Span::ALL, None, 100).expect("contacts");
        assert!(page.items.len() >= 4);
        queries.encounters(Uuid::nil(), node(n), Span::ALL, None, 100).expect("encounters");
    }
}

pub(crate) fn what_a_device_hears_after_its_clock_went_back_makes_encounters_like_any_other(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let (who, whom) = (node(1), node(2));
    let mut hear = |seconds: &[i64]| {
        let met: Vec<_> = seconds.iter().map(|&second| (whom, second)).collect();
        let batch = batch(held, &[(who, seconds[0], &met)]);
        ingestion.commit(&batch).expect("committed");
        held.next = batch.to;
    };
    // Half an hour ahead, and back: from then on everything is late. Two meetings begin to be one when what was between
    // them comes, and the first is longer than what is read around a late contact.
    hear(&[2000]);
    for second in (0..300).step_by(20) {
        hear(&[second, second + 10]);
    }
    hear(&[500]);
    hear(&[515, 490]);
    hear(&[300]);
    hear(&[505, 310]);
    let mut found = Vec::new();
    let mut visit = |encounter: coronaz_store::view::Encounter| {
        found.push(((encounter.from_us - T0) / S, (encounter.to_us - T0) / S, encounter.contacts));
        std::ops::ControlFlow::Continue(())
    };
    stores.queries().each_encounter(Uuid::nil(), &mut visit).expect("the run");
    found.sort_unstable();
    assert_eq!(found, [(0, 310, 32), (490, 515, 4), (2000, 2000, 1)]);
}

pub(crate) fn what_cannot_be_of_an_announced_run_is_put_aside(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let run = Uuid::from_u128(9);
    let at = |n: u32, x: i32, y: i32| Report { run: Some(run), position: [x, y], ..report(node(n), 0) };
    // Before it is announced nobody knows its field.
    commit(&mut *ingestion, &mut held, [at(1, 500, 500)]);
    let announcement = Announcement {
        run,
        name: "small".to_owned(),
        kind: RunKind::Nodes,
        seed: 7,
        started_us: T0,
        parameters: [("field_width".to_owned(), Setting::Integer(40))].into(),
        scenario: String::new(),
        forked_from: None,
        guests_of: None,
    };
    let mut batch = batch_of(held, []);
    batch.announcements = vec![AnnouncementRecord { offset: held.next, announcement }];
    batch.to = held.next + 1;
    ingestion.commit(&batch).expect("committed");
    held.next = batch.to;
    // The width is the announced one, the height the model's own: 100.
    let batch = batch_of(held, [at(2, 40, 100), at(3, 41, 0), at(4, 0, 101), at(5, 0, 0)]);
    let committed = ingestion.commit(&batch).expect("committed");
    assert_eq!((committed.reports, committed.rejected), (2, 2));
    // Another writer knows it, too.
    let mut other = stores.ingestion();
    let held = super::take_as(&mut *other, 1, "other", T0);
    let committed = other.commit(&batch_of(held, [at(6, 41, 41)])).expect("committed");
    assert_eq!((committed.reports, committed.rejected), (0, 1));
    let queries = stores.queries();
    let rejected = queries.rejected(10).expect("there");
    assert_eq!(rejected.len(), 3);
    assert!(rejected.iter().all(|record| record.reason == "a position off the run's field"), "{rejected:?}");
    assert_eq!(queries.run(run).expect("the run").reports, 3);
}
