//! A MongoDB that goes away between any two writes of a commit, and writers that commit at the same time: whatever
//! happens, what is in the store afterwards is what an undisturbed writer leaves. The server is that of `MONGODB_URL`.

#[path = "faults/cutter.rs"]
mod cutter;

use coronaz_store::queries::Span;
use coronaz_store::{
    AnnouncementRecord, At, Batch, CommitError, Held, Ingestion, Queries, Rejected, ReportRecord, StoreError,
    StoreLocation,
};
use coronaz_wire::announcement::{Announcement, RunKind};
use coronaz_wire::{Contact, Report, Totals};
use cutter::{Cut, Cutter};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use uuid::Uuid;

const S: i64 = 1_000_000;
const T0: i64 = 1_600_000_123 * S;
const LASTS: Duration = Duration::from_secs(5);
const RUN: Uuid = Uuid::from_u128(0xA);
const OTHER: Uuid = Uuid::from_u128(0xB);

/// A database of its own on the test's server, dropped at the end.
struct Database(String);

impl Database {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self(format!("coronaz_fault_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    fn server() -> String {
        let url = std::env::var("MONGODB_URL").expect("make test-services sets MONGODB_URL");
        let rest = url.strip_prefix("mongodb://").expect("a MongoDB's URL");
        rest.split(['/', '?']).next().unwrap_or(rest).to_owned()
    }

    fn at(&self, server: &str, options: &str) -> StoreLocation {
        format!("mongodb://{server}/{}{options}", self.0).parse().expect("a location")
    }

    fn location(&self) -> StoreLocation {
        self.at(&Self::server(), "")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let url = format!("mongodb://{}/", Self::server());
        let client = mongodb::sync::Client::with_uri_str(url).expect("a client");
        client.database(&self.0).drop().run().expect("dropped");
    }
}

fn node(n: u32) -> Uuid {
    Uuid::from_u128(0xC0_0000 + u128::from(n))
}

fn report(run: Uuid, n: u32, second: i64, contacts: &[(u32, i64)]) -> Report {
    let contact = |&(whom, second): &(u32, i64)| Contact {
        uuid: node(whom),
        timestamp_us: T0 + second * S,
        distance: Some(f64::from(whom)),
    };
    Report {
        uuid: node(n),
        position: [i32::try_from(second).expect("small"), 2],
        infected: second >= 20,
        timestamp_us: T0 + second * S,
        alive: true,
        contacts: contacts.iter().map(contact).collect(),
        run: Some(run),
        start_us: Some(1 + second / 40),
        seq: Some(second.unsigned_abs()),
        tick: None,
        immune: None,
        infected_by: (second == 20).then(|| node(n + 1)),
        totals: Some(Totals { contacts: 1, digest: 2 }),
    }
}

/// Three batches: encounters that begin, go on, end and are joined by late contacts; infections; a restart; a record that
/// cannot be read; two runs.
fn batches(partition: i32) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut offset = 0;
    for part in 0..3 {
        let mut batch = Batch::new(partition, 0, offset);
        batch.now_us = T0 + part * S;
        if part == 0 {
            let announcement = Announcement {
                run: RUN,
                name: "the run".to_owned(),
                kind: RunKind::Nodes,
                seed: 3,
                started_us: T0,
                parameters: BTreeMap::new(),
                scenario: String::new(),
                forked_from: None,
                guests_of: None,
            };
            batch.announcements.push(AnnouncementRecord { offset, announcement });
            offset += 1;
        }
        for second in part * 15..part * 15 + 15 {
            let n = 10 * partition.unsigned_abs();
            let late = (part == 2 && second % 5 == 0).then_some((n + 3, second - 14));
            let with: Vec<_> =
                [(n + 2, second)].into_iter().chain(late).filter(|_| second % 13 != 12).collect();
            for (run, n, contacts) in [
                (RUN, n + 1, &with[..]),
                (OTHER, n + 1, &[]),
                (RUN, n + 2, with.get(1..).unwrap_or_default()),
            ] {
                batch.reports.push(ReportRecord { offset, report: report(run, n, second, contacts) });
                offset += 1;
            }
        }
        let (reason, run, bytes) = ("no JSON".to_owned(), None, vec![7]);
        batch.rejected.push(Rejected { offset, reason, run, bytes });
        offset += 1;
        batch.to = offset;
        batches.push(batch);
    }
    batches
}

fn take(ingestion: &mut dyn Ingestion, partition: i32, owner: &str) -> Held {
    ingestion.take(partition, owner, T0, LASTS).expect("the store is there").expect("it is ours or free")
}

/// Commits those batches that are not in.
fn commit_rest(ingestion: &mut dyn Ingestion, held: Held, batches: &[Batch]) {
    for batch in batches.iter().filter(|batch| batch.from >= held.next) {
        ingestion.commit(&Batch { epoch: held.epoch, ..batch.clone() }).expect("committed");
    }
}

/// Everything that readers see, as text.
fn told(queries: &dyn Queries) -> String {
    let mut text = String::new();
    let offsets: Vec<_> =
        queries.offsets().expect("there").iter().map(|o| (o.next, o.records, o.rejected)).collect();
    writeln!(text, "{offsets:?} {:?}", queries.rejected(100).expect("there")).expect("written");
    let mut runs = queries.runs().expect("there");
    runs.sort_unstable_by_key(|run| run.id);
    for run in runs {
        let id = run.id;
        writeln!(text, "{run:?}").expect("written");
        for k in 0..run.moments {
            writeln!(text, "{:?}", queries.state(id, At::Moment(k)).expect("an answer")).expect("written");
        }
        writeln!(text, "{:?}", queries.infections(id, i64::MIN, 1000).expect("an answer")).expect("written");
        for node in queries.nodes(id, 0, 1000).expect("an answer") {
            writeln!(text, "{:?}", queries.node(id, node.id).expect("an answer")).expect("written");
            let contacts = queries.contacts(id, node.id, Span::ALL, None, 1000).expect("an answer");
            let encounters = queries.encounters(id, node.id, Span::ALL, None, 1000).expect("an answer");
            writeln!(text, "{:?}\n{:?}", contacts.items, encounters.items).expect("written");
        }
    }
    text
}

/// What readers see agrees with itself, also when a commit was broken off.
fn assert_consistent(queries: &dyn Queries) {
    for run in queries.runs().expect("there") {
        let mut contacts = 0;
        queries
            .each_contact(run.id, &mut |_| {
                contacts += 1;
                ControlFlow::Continue(())
            })
            .expect("an answer");
        assert_eq!(contacts, run.contacts);
        assert_eq!(
            queries.infections(run.id, i64::MIN, 1000).expect("an answer").len() as u64,
            run.infections
        );
        assert_eq!(queries.nodes(run.id, 0, 1000).expect("an answer").len() as u64, run.nodes);
        assert_eq!(queries.moments(run.id, 0, u64::MAX, 1000).expect("an answer").len() as u64, run.moments);
        for k in 0..run.moments {
            let state = queries.state(run.id, At::Moment(k)).expect("an answer").expect("a state");
            let of_nodes = coronaz_store::Figures::of(state.nodes.iter().map(|node| node.health));
            assert_eq!(state.moment.figures, of_nodes);
        }
    }
}

/// Each answer is of one moment, although somebody writes: what is counted lies between the runs before and after.
fn assert_consistent_meanwhile(queries: &dyn Queries) {
    for before in queries.runs().expect("there") {
        let (id, mut contacts) = (before.id, 0);
        let mut count = |_| {
            contacts += 1;
            ControlFlow::Continue(())
        };
        queries.each_contact(id, &mut count).expect("an answer");
        let moments = queries.moments(id, 0, u64::MAX, 1000).expect("an answer").len() as u64;
        let state = queries.state(id, At::Latest).expect("an answer");
        let after = queries.run(id).expect("there");
        assert!((before.contacts..=after.contacts).contains(&contacts), "{before:?} {contacts} {after:?}");
        assert!((before.moments..=after.moments).contains(&moments), "{before:?} {moments} {after:?}");
        if let Some(state) = state {
            let of_nodes = coronaz_store::Figures::of(state.nodes.iter().map(|node| node.health));
            assert_eq!(state.moment.figures, of_nodes);
            assert!((before.moments..=after.moments).contains(&(state.moment.k + 1)));
        }
    }
}

fn undisturbed() -> String {
    let database = Database::new();
    let mut ingestion = database.location().ingestion();
    let held = take(&mut *ingestion, 1, "a");
    commit_rest(&mut *ingestion, held, &batches(1));
    told(&*database.location().queries())
}

#[test]
fn a_server_that_goes_away_at_any_write_costs_nothing() {
    let expected = undisturbed();
    let all = batches(1);
    let mut cuts = 0;
    for cut in (1..).flat_map(|write| [Cut::Before(write), Cut::After(write)]) {
        let database = Database::new();
        let held = take(&mut *database.location().ingestion(), 1, "a");
        let first = Batch { epoch: held.epoch, ..all[0].clone() };
        database.location().ingestion().commit(&first).expect("committed");
        let cutter = Cutter::start(&Database::server(), cut);
        let through =
            database.at(&cutter.address.to_string(), "?serverSelectionTimeoutMS=200&directConnection=true");
        match through.ingestion().commit(&Batch { epoch: held.epoch, ..all[1].clone() }) {
            Err(CommitError::Store(error)) => assert!(error.is_unavailable(), "{cut:?}: {error}"),
            Err(error) => panic!("{cut:?}: {error}"),
            // It ended before it came to the cut.
            Ok(_) if !cutter.is_cut() => break,
            Ok(_) => panic!("{cut:?}: it cannot know that"),
        }
        cuts += 1;
        let queries = database.location().queries();
        assert_consistent(&*queries);
        // The process is restarted: under its name it takes its partition at once, and reads from where the store is.
        let mut next = database.location().ingestion();
        let held = take(&mut *next, 1, "a");
        commit_rest(&mut *next, held, &all);
        assert_consistent(&*queries);
        assert!(told(&*queries) == expected, "{cut:?}:\n{}\nand not\n{expected}", told(&*queries));
    }
    assert!(cuts > 20, "{cuts}");
}

#[test]
fn another_process_carries_out_what_one_began() {
    let all = batches(1);
    for write in 1.. {
        let database = Database::new();
        let (mine, theirs) = (take(&mut *database.location().ingestion(), 1, "a"), batches(2));
        let cutter = Cutter::start(&Database::server(), Cut::After(write));
        let through =
            database.at(&cutter.address.to_string(), "?serverSelectionTimeoutMS=200&directConnection=true");
        if through.ingestion().commit(&Batch { epoch: mine.epoch, ..all[0].clone() }).is_ok() {
            break;
        }
        // It never comes back, and another writes to the same runs from another partition.
        let mut other = database.location().ingestion();
        let held = take(&mut *other, 2, "b");
        commit_rest(&mut *other, held, &theirs);
        assert_consistent(&*database.location().queries());
        // Later somebody takes over.
        let held = other.take(1, "b", T0 + 60 * S, LASTS).expect("there").expect("it has run out");
        commit_rest(&mut *other, held, &all);
        let queries = database.location().queries();
        assert_consistent(&*queries);
        assert_eq!(queries.run(RUN).expect("the run").reports, 2 * 2 * 45);
        assert_eq!(queries.run(OTHER).expect("the run").reports, 2 * 45);
    }
}

#[test]
fn writers_at_the_same_time_lose_and_double_nothing() {
    let database = Database::new();
    database.location().ingestion().prepare().expect("made");
    std::thread::scope(|scope| {
        for partition in 1..=4 {
            let mut ingestion = database.location().ingestion();
            scope.spawn(move || {
                let mut held = take(&mut *ingestion, partition, "each its own");
                for batch in batches(partition) {
                    // A few at a time, so that they get in each other's way.
                    for some in batch.reports.chunks(4) {
                        let mut small = Batch::new(partition, held.epoch, held.next);
                        small.reports = some.to_vec();
                        small.to = some[some.len() - 1].offset + 1;
                        ingestion.commit(&small).expect("committed");
                        held.next = small.to;
                    }
                }
            });
        }
        let queries = database.location().queries();
        for _ in 0..20 {
            assert_consistent_meanwhile(&*queries);
        }
    });
    let queries = database.location().queries();
    assert_consistent(&*queries);
    let run = queries.run(RUN).expect("the run");
    assert_eq!((run.reports, run.nodes), (4 * 2 * 45, 4 * 3));
    assert_eq!(queries.run(OTHER).expect("the run").reports, 4 * 45);
    assert!(run.moments >= 4 * 2 * 45 / 10);
}

#[test]
fn late_contacts_of_a_batch_are_asked_for_together() {
    let database = Database::new();
    let way = Cutter::start(&Database::server(), Cut::Before(u32::MAX));
    let mut ingestion = database.at(&way.address.to_string(), "").ingestion();
    ingestion.prepare().expect("made");
    let held = take(&mut *ingestion, 1, "a");
    let mut from = 0;
    // Everybody's clock is ahead for the first report; then all that they hear is late, in 60 encounters that go on.
    let mut questions = Vec::new();
    for second in [2000, 10, 18] {
        let mut batch = Batch::new(1, held.epoch, from);
        for n in 1..=20 {
            let met = [(n + 20, second), (n + 40, second), (n + 60, second)];
            let report = Report { start_us: Some(1), infected: false, ..report(RUN, n, second, &met) };
            batch.reports.push(ReportRecord { offset: batch.to, report });
            batch.to += 1;
        }
        from = batch.to;
        let before = way.passed();
        ingestion.commit(&batch).expect("committed");
        questions.push(way.passed() - before);
    }
    // One by one they would be some 180 more.
    assert!(questions[2] <= questions[0] + 20, "{questions:?}");
    assert_consistent(&*database.location().queries());
}

#[test]
fn a_server_that_is_away_is_a_passing_trouble_and_its_password_is_not_told() {
    // Nobody listens on port 1.
    let location: StoreLocation =
        "mongodb://me:s3cret@127.0.0.1:1/lab?serverSelectionTimeoutMS=200".parse().expect("a location");
    let failed = location.ingestion().prepare().expect_err("nobody is there");
    assert!(failed.is_unavailable());
    let all = format!("{failed} {failed:?} {location} {location:?}");
    assert!(all.contains("mongodb://me@127.0.0.1:1/lab") && !all.contains("s3cret"), "{all}");
    assert!(location.queries().runs().expect_err("nobody is there").is_unavailable());
}

#[test]
fn another_programs_database_and_a_newer_one_are_left_alone() {
    let database = Database::new();
    let client =
        mongodb::sync::Client::with_uri_str(format!("mongodb://{}/", Database::server())).expect("a client");
    let theirs = client.database(&database.0);
    assert!(database.location().queries().runs().expect_err("not made yet").is_unavailable());
    theirs.collection("letters").insert_one(mongodb::bson::doc! {"text": "dear"}).run().expect("written");
    assert!(matches!(database.location().ingestion().prepare(), Err(StoreError::NotAStore { .. })));
    theirs.drop().run().expect("dropped");
    let newer = mongodb::bson::doc! {"_id": "schema", "version": 999_i64};
    theirs.collection("meta").insert_one(newer).run().expect("written");
    assert!(matches!(database.location().ingestion().prepare(), Err(StoreError::TooNew { found: 999, .. })));
    assert!(matches!(database.location().queries().runs(), Err(StoreError::TooNew { found: 999, .. })));
}
