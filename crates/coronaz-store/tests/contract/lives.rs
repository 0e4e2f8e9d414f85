//! A partition's offset belongs to one log. When it has another one, what stands there is read from its beginning, and
//! what was read before changes nothing.

use super::{S, Stores, T0, batch_of, commit, contact, node, report, take};
use coronaz_store::queries::Span;
use coronaz_store::view::{Contact, Encounter, Run};
use coronaz_store::{AnnouncementRecord, Batch, CommitError, Gap, Held, Rejected};
use coronaz_wire::Report;
use coronaz_wire::announcement::{Announcement, RunKind};
use std::collections::BTreeMap;
use uuid::Uuid;

type New<'a> = &'a dyn Fn() -> Box<dyn Stores>;

const NAMED: Uuid = Uuid::from_u128(0xA0_0001);

/// The first log ends here.
fn end_of_log(held: &mut Held, now_us: i64) -> Batch {
    let gap = Gap { from: held.next, to: held.next, reason: "replaced".to_owned() };
    let mut batch = Batch::new(held.partition, held.epoch, held.next);
    (batch.replaced, batch.gaps, batch.now_us) = (true, vec![gap], now_us);
    (held.next, held.mark) = (0, None);
    held.life += 1;
    batch
}

/// Reports of people who meet: numbered ones, and, as the paper's programs send them, without a number.
fn reports(seconds: std::ops::Range<i64>) -> Vec<Report> {
    let numbered = |who: u32, second: i64| Report {
        start_us: Some(5),
        seq: Some(second.unsigned_abs()),
        run: Some(NAMED),
        infected: second > 3 && who == 1,
        contacts: vec![contact(node(3 - who), second)],
        ..report(node(who), second)
    };
    let plain = |second: i64| Report { contacts: vec![contact(node(8), second)], ..report(node(7), second) };
    seconds.flat_map(|second| [numbered(1, second), numbered(2, second), plain(second)]).collect()
}

type Everything = (Run, Vec<Contact>, Vec<Encounter>);

fn everything(stores: &dyn Stores, run: Uuid, who: Uuid) -> Everything {
    let queries = stores.queries();
    let contacts = queries.contacts(run, who, Span::ALL, None, 1_000).expect("contacts").items;
    let encounters = queries.encounters(run, who, Span::ALL, None, 1_000).expect("encounters").items;
    (queries.run(run).expect("the run"), contacts, encounters)
}

pub(crate) fn what_stands_again_in_another_log_changes_nothing_and_what_is_new_is_stored(new: New) {
    let announcement = Announcement {
        run: NAMED,
        name: "named".to_owned(),
        kind: RunKind::Nodes,
        seed: 7,
        started_us: T0,
        parameters: BTreeMap::new(),
        scenario: String::new(),
        forked_from: None,
        guests_of: None,
    };
    let announced = |held: Held, reports: Vec<Report>| {
        let mut batch = batch_of(held, reports);
        batch.announcements =
            vec![AnnouncementRecord { offset: held.next, announcement: announcement.clone() }];
        batch
    };
    // Once without an accident; once the log loses its end after 30 of 40 seconds, and is read again.
    let (plain, accident) = (new(), new());
    let mut ingestion = plain.ingestion();
    let held = take(&mut *ingestion, 0);
    let all = announced(held, reports(0..60));
    ingestion.commit(&all).expect("committed");

    let mut ingestion = accident.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let first = announced(held, reports(0..40));
    ingestion.commit(&first).expect("committed");
    held.next = first.to;
    ingestion.commit(&end_of_log(&mut held, T0 + 45 * S)).expect("committed");
    for (from, to) in [(0, 10), (10, 30), (50, 60)] {
        let batch = announced(held, reports(from..to));
        let committed = ingestion.commit(&batch).expect("committed");
        let count = u64::try_from(to - from).expect("small") * 3;
        let (new, repeated) = if from < 40 { (0, count) } else { (count, 0) };
        assert_eq!((committed.reports, committed.repeated), (new, repeated), "{from} to {to}");
        held.next = batch.to;
    }
    // What was late: recorded before the loss, sent after it.
    commit(&mut *ingestion, &mut held, reports(40..50));
    for (run, who) in [(NAMED, node(1)), (NAMED, node(2))] {
        let (expected, found) = (everything(&*plain, run, who), everything(&*accident, run, who));
        assert_eq!(found.0.figures, expected.0.figures);
        assert_eq!((found.0.reports, found.0.contacts), (expected.0.reports, expected.0.contacts));
        assert_eq!(found.0.infections, expected.0.infections);
        assert_eq!((found.1, found.2), (expected.1, expected.2));
    }
    let (expected, found) =
        (everything(&*plain, Uuid::nil(), node(7)), everything(&*accident, Uuid::nil(), node(7)));
    assert_eq!((found.1, found.2), (expected.1, expected.2));
    let offsets = accident.queries().offsets().expect("offsets");
    assert_eq!((offsets[0].life, offsets[0].next, offsets[0].replaced_us), (1, held.next, Some(T0 + 45 * S)));
}

pub(crate) fn what_a_log_is_recognised_by_is_kept_with_its_offset_and_goes_with_the_log(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    assert_eq!((held.next, held.life, held.mark), (0, 0, None));
    let mut batch = batch_of(held, reports(0..2));
    batch.mark = Some([7; 24]);
    ingestion.commit(&batch).expect("committed");
    held = take(&mut *ingestion, 0);
    assert_eq!((held.next, held.mark), (6, Some([7; 24])));
    // Without a record that can be recognised the one before stays.
    let mut gap = Batch::new(0, held.epoch, 6);
    (gap.to, gap.gaps) = (9, vec![Gap { from: 6, to: 9, reason: "expired".to_owned() }]);
    ingestion.commit(&gap).expect("committed");
    held = take(&mut *ingestion, 0);
    assert_eq!((held.next, held.mark), (9, Some([7; 24])));
    ingestion.commit(&end_of_log(&mut held, T0)).expect("committed");
    let again = take(&mut *ingestion, 0);
    assert_eq!((again.next, again.life, again.mark), (0, 1, None));
}

pub(crate) fn gaps_and_rejected_records_of_two_logs_are_kept_apart(new: New) {
    let stores = new();
    let mut ingestion = stores.ingestion();
    let mut held = take(&mut *ingestion, 0);
    let rejects = |held: Held, reason: &str| {
        let mut batch = Batch::new(0, held.epoch, held.next);
        batch.to = held.next + 2;
        batch.gaps = vec![Gap { from: held.next, to: held.next + 1, reason: reason.to_owned() }];
        batch.rejected =
            vec![Rejected { offset: held.next + 1, reason: reason.to_owned(), run: None, bytes: vec![1] }];
        batch
    };
    ingestion.commit(&rejects(held, "first")).expect("committed");
    held.next = 2;
    ingestion.commit(&end_of_log(&mut held, T0)).expect("committed");
    ingestion.commit(&rejects(held, "second")).expect("committed");
    let queries = stores.queries();
    let reasons: Vec<String> = queries
        .gaps(10)
        .expect("gaps")
        .into_iter()
        .map(|gap| format!("{} {}", gap.from, gap.reason))
        .collect();
    assert_eq!(reasons, ["0 first", "2 replaced", "0 second"]);
    assert_eq!(queries.rejected(10).expect("rejected").len(), 2);
    assert_eq!(queries.offsets().expect("offsets")[0].rejected, 2);
}

pub(crate) fn the_end_of_a_log_is_written_by_the_owner_of_its_partition_alone_and_once(new: New) {
    let stores = new();
    let (mut a, mut b) = (stores.ingestion(), stores.ingestion());
    let mut old = take(&mut *a, 0);
    commit(&mut *a, &mut old, reports(0..2));
    let mut held = super::take_as(&mut *b, 0, "b", T0 + 10 * S);
    let late = end_of_log(&mut old.clone(), T0);
    assert!(matches!(a.commit(&late), Err(CommitError::Fenced { .. })));
    let end = end_of_log(&mut held, T0);
    b.commit(&end).expect("committed");
    match b.commit(&end) {
        Err(CommitError::Fenced { found, .. }) => {
            assert_eq!(found.0, Some((end.epoch, end.next())), "by which its owner knows that it is in");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stores.queries().offsets().expect("offsets")[0].life, 1);
}
