//! Exactly once, whatever happens: two writers that crash, lose their partitions without noticing, try again what is
//! in already and lose answers, over a topic with repeats and overtaken records.

use super::{LASTS, S, Stores, T0, node, report};
use coronaz_store::queries::Span;
use coronaz_store::{
    At, Batch, CommitError, ENCOUNTER_GAP_US, Figures, Held, Ingestion, Queries, ReportRecord,
};
use coronaz_wire::{Contact, Report};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use uuid::Uuid;

type New<'a> = &'a dyn Fn() -> Box<dyn Stores>;

const PARTITIONS: usize = 2;
const PEOPLE: u32 = 4;
const RUN_B: Uuid = Uuid::from_u128(0xB);

#[derive(Debug, Clone)]
enum Step {
    /// Commits the next so many records; perhaps the answer is lost.
    Commit { writer: usize, partition: usize, records: usize, answer_lost: bool },
    /// Commits the next so many records of each partition, in two batches each, as many as the store takes together.
    CommitSome { writer: usize, records: usize, answer_lost: bool },
    /// Tries again from so many records ago.
    Again { writer: usize, partition: usize, back: usize },
    /// Takes the partition when its lease has run out. The other goes on as if nothing had happened.
    Take { writer: usize, partition: usize },
    /// Dies and starts anew, knowing nothing.
    Crash { writer: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (writer, partition) = (0..2usize, 0..PARTITIONS);
    prop_oneof![
        6 => (writer.clone(), partition.clone(), 1..30usize, prop::bool::weighted(0.1)).prop_map(
            |(writer, partition, records, answer_lost)| Step::Commit { writer, partition, records, answer_lost }
        ),
        2 => (writer.clone(), 1..20usize, prop::bool::weighted(0.1)).prop_map(
            |(writer, records, answer_lost)| Step::CommitSome { writer, records, answer_lost }
        ),
        1 => (writer.clone(), partition.clone(), 0..20usize)
            .prop_map(|(writer, partition, back)| Step::Again { writer, partition, back }),
        2 => (writer.clone(), partition).prop_map(|(writer, partition)| Step::Take { writer, partition }),
        1 => writer.prop_map(|writer| Step::Crash { writer }),
    ]
}

fn any_report() -> impl Strategy<Value = Report> {
    let contacts = prop::collection::vec((0..PEOPLE, 0..1500i64, prop::option::of(0.0..9.0f64)), 0..6);
    let identity = prop::option::weighted(0.8, (1..3i64, 0..30u64));
    let who = (0..PEOPLE, 0..1500i64, any::<bool>(), prop::bool::weighted(0.9), any::<bool>());
    (who, identity, contacts).prop_map(|((who, second, infected, alive, in_b), identity, contacts)| Report {
        infected,
        alive,
        run: in_b.then_some(RUN_B),
        start_us: identity.map(|(start, _)| start),
        seq: identity.map(|(_, seq)| seq),
        contacts: contacts
            .into_iter()
            .map(|(whom, second, distance)| Contact {
                uuid: node(whom),
                timestamp_us: T0 + second * S,
                distance,
            })
            .collect(),
        ..report(node(who), second)
    })
}

fn topic() -> impl Strategy<Value = Vec<Vec<Report>>> {
    prop::collection::vec(prop::collection::vec(any_report(), 0..80), PARTITIONS..=PARTITIONS)
}

/// A writer and what it believes to own.
struct Writer {
    ingestion: Box<dyn Ingestion>,
    held: BTreeMap<usize, Held>,
}

struct World<'a> {
    stores: &'a dyn Stores,
    topic: &'a [Vec<Report>],
    writers: Vec<Writer>,
    now_us: i64,
}

impl World<'_> {
    fn batch(&self, partition: usize, held: Held, records: usize) -> Batch {
        let from = usize::try_from(held.next).expect("an offset");
        let to = (from + records).min(self.topic[partition].len());
        let mut batch = Batch::new(held.partition, held.epoch, held.next);
        batch.to = to as i64;
        batch.reports = (held.next..)
            .zip(&self.topic[partition][from..to])
            .map(|(offset, report)| ReportRecord { offset, report: report.clone() })
            .collect();
        batch
    }

    fn commit(&mut self, writer: usize, partition: usize, records: usize, answer_lost: bool) {
        let Some(&held) = self.writers[writer].held.get(&partition) else { return };
        let batch = self.batch(partition, held, records);
        let answer = self.writers[writer].ingestion.commit(&batch);
        if !answer_lost {
            self.believe(writer, &batch, answer.map(drop));
        }
    }

    fn commit_some(&mut self, writer: usize, records: usize, answer_lost: bool) {
        let mut batches = Vec::new();
        for (&partition, &held) in &self.writers[writer].held {
            let first = self.batch(partition, held, records);
            let then = Held { next: first.to, ..held };
            batches.extend([first, self.batch(partition, then, records)]);
        }
        let (done, end) = self.writers[writer].ingestion.commit_some(&Vec::from_iter(&batches));
        if answer_lost {
            return;
        }
        let mut answers: Vec<_> = done.into_iter().map(|_| Ok(())).collect();
        if let Err(error) = end {
            answers.push(Err(error));
        }
        for (batch, answer) in batches.iter().zip(answers) {
            self.believe(writer, batch, answer);
        }
    }

    /// What a writer believes of a partition after an answer.
    fn believe(&mut self, writer: usize, batch: &Batch, answer: Result<(), CommitError>) {
        let partition = usize::try_from(batch.partition).expect("small");
        let beliefs = &mut self.writers[writer].held;
        let Some(&held) = beliefs.get(&partition) else { return };
        match answer {
            Ok(()) => drop(beliefs.insert(partition, Held { next: batch.to, ..held })),
            Err(CommitError::Fenced { found, .. }) => match found.0 {
                Some((epoch, next)) if epoch == held.epoch => {
                    beliefs.insert(partition, Held { next, ..held });
                }
                _ => drop(beliefs.remove(&partition)),
            },
            Err(error) => panic!("{error}"),
        }
    }

    fn take(&mut self, writer: usize, partition: usize) {
        self.now_us += 6 * S;
        let name = format!("writer {writer}");
        let number = i32::try_from(partition).expect("small");
        let taken = self.writers[writer].ingestion.take(number, &name, self.now_us, LASTS);
        let held = taken.expect("the store is there").expect("the lease has run out");
        self.writers[writer].held.insert(partition, held);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Commit { writer, partition, records, answer_lost } => {
                self.commit(writer, partition, records, answer_lost);
            }
            Step::CommitSome { writer, records, answer_lost } => {
                self.commit_some(writer, records, answer_lost);
            }
            Step::Again { writer, partition, back } => {
                let Some(&held) = self.writers[writer].held.get(&partition) else { return };
                let next = (held.next - back as i64).max(0);
                let batch = self.batch(partition, Held { next, ..held }, back.max(1));
                if next < held.next {
                    let answer = self.writers[writer].ingestion.commit(&batch);
                    assert!(matches!(answer, Err(CommitError::Fenced { .. })), "{answer:?}");
                }
            }
            Step::Take { writer, partition } => self.take(writer, partition),
            Step::Crash { writer } => {
                self.writers[writer] = Writer { ingestion: self.stores.ingestion(), held: BTreeMap::new() };
            }
        }
    }

    /// The first writer takes everything over and reads to the end.
    fn finish(&mut self) {
        for partition in 0..PARTITIONS {
            self.take(0, partition);
            while self.writers[0].held[&partition].next < self.topic[partition].len() as i64 {
                self.commit(0, partition, 25, false);
            }
        }
    }
}

type ContactKey = (Uuid, i64, Uuid);

fn expected_contacts(topic: &[Vec<Report>], run: Option<Uuid>) -> BTreeSet<ContactKey> {
    let reports = topic.iter().flatten().filter(|report| report.run == run);
    reports.flat_map(|report| report.contacts.iter().map(|c| (report.uuid, c.timestamp_us, c.uuid))).collect()
}

fn expected_reports(topic: &[Vec<Report>], run: Option<Uuid>) -> usize {
    let of_run = || topic.iter().flatten().filter(|report| report.run == run);
    let named: BTreeSet<_> =
        of_run().filter_map(|report| Some((report.uuid, report.start_us, report.seq?))).collect();
    named.len() + of_run().filter(|report| report.seq.is_none()).count()
}

/// The definition of an encounter: a longest chain of contacts, none more than a gap after the one before.
fn expected_encounters(contacts: &BTreeSet<ContactKey>) -> BTreeSet<(Uuid, Uuid, i64, i64, u64)> {
    let mut pairs: BTreeMap<(Uuid, Uuid), Vec<i64>> = BTreeMap::new();
    for &(person, time_us, other) in contacts {
        pairs.entry((person, other)).or_default().push(time_us);
    }
    let mut encounters = BTreeSet::new();
    for ((person, other), times) in pairs {
        for chain in times.chunk_by(|a, b| b - a <= ENCOUNTER_GAP_US) {
            encounters.insert((person, other, chain[0], chain[chain.len() - 1], chain.len() as u64));
        }
    }
    encounters
}

fn check(queries: &dyn Queries, topic: &[Vec<Report>], run: Option<Uuid>) {
    let id = run.unwrap_or(Uuid::nil());
    let contacts = expected_contacts(topic, run);
    let reports = expected_reports(topic, run);
    if reports == 0 {
        return;
    }
    let row = queries.run(id).expect("the run");
    assert_eq!((row.reports as usize, row.contacts as usize), (reports, contacts.len()));
    let mut stored = Vec::new();
    let mut visit = |c: coronaz_store::view::Contact| {
        stored.push((c.person, c.time_us, c.other));
        ControlFlow::Continue(())
    };
    queries.each_contact(id, &mut visit).expect("contacts");
    assert_eq!(stored.len(), contacts.len());
    assert_eq!(stored.into_iter().collect::<BTreeSet<_>>(), contacts);

    let mut encounters = BTreeSet::new();
    let mut counted = 0;
    for node in queries.nodes(id, 0, 100).expect("nodes") {
        let page = queries.encounters(id, node.id, Span::ALL, None, 10_000).expect("encounters");
        counted += page.items.len();
        encounters.extend(page.items.iter().map(|e| (e.person, e.other, e.from_us, e.to_us, e.contacts)));
    }
    assert_eq!(counted, encounters.len());
    assert_eq!(encounters, expected_encounters(&contacts));
    let (mut each, mut counted) = (BTreeSet::new(), 0);
    let mut visit = |e: coronaz_store::view::Encounter| {
        counted += 1;
        each.insert((e.person, e.other, e.from_us, e.to_us, e.contacts));
        ControlFlow::Continue(())
    };
    queries.each_encounter(id, &mut visit).expect("encounters");
    assert_eq!((counted, each), (encounters.len(), encounters));

    assert!(row.moments as usize >= reports / 10);
    let mut last = 0;
    for k in 0..row.moments {
        let state = queries.state(id, At::Moment(k)).expect("an answer").expect("a state");
        assert_eq!(state.moment.figures, Figures::of(state.nodes.iter().map(|node| node.health)));
        assert!(state.moment.contacts >= last && state.moment.contacts <= row.contacts);
        last = state.moment.contacts;
    }
}

pub(crate) fn whatever_happens_to_two_writers_everything_is_in_once(new: New) {
    let config =
        ProptestConfig { cases: new().cases(), failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(topic in topic(), steps in prop::collection::vec(step(), 0..60))| {
        let stores = new();
        let writer = || Writer { ingestion: stores.ingestion(), held: BTreeMap::new() };
        let writers = vec![writer(), writer()];
        let mut world = World { stores: &*stores, topic: &topic, writers, now_us: T0 };
        world.take(0, 0);
        world.take(1, 1);
        for step in &steps {
            world.step(step);
        }
        world.finish();
        let queries = stores.queries();
        let offsets = queries.offsets().expect("offsets");
        for (partition, reports) in topic.iter().enumerate() {
            prop_assert_eq!(offsets[partition].next as usize, reports.len());
        }
        check(&*queries, &topic, None);
        check(&*queries, &topic, Some(RUN_B));
    });
}
