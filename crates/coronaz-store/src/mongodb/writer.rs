//! The writing side: a batch is a commit to each of its runs, and then the partition's offset.

use super::cache::Cache;
use super::codec::{Fields, uuid};
use super::frames::{self, FrameFacts};
use super::head::{Head, Place};
use super::log::{self, Commit, Outcome};
use super::partitions;
use super::redo::{Redo, insert_all};
use super::reports::Reports;
use super::server::{Server, Store, names};
use super::trouble::Trouble;
use super::url::MongoUrl;
use super::work::{Work, by_run};
use super::{history, rejected};
use crate::{
    Batch, CommitError, Committed, Heartbeat, Held, Ingestion, Ownership, PartitionOffset, Rejected,
    StoreError, validity,
};
use coronaz_wire::announcement::{Announcement, RunKind};
use coronaz_wire::frame::Frame;
use mongodb::bson::{Document, doc};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// One writer of a database. Several may write one.
pub(crate) struct MongoIngestion {
    server: Server,
    cache: Cache,
}

/// What a commit would change, if it is the first of its number.
struct Attempt {
    head: Head,
    redo: Redo,
    committed: Committed,
    refused: Vec<Rejected>,
}

/// What the frames of a piece of work say: it holds from one attempt to the next, if the records are not in by another's hand.
#[derive(Default)]
struct Followed {
    facts: Option<FrameFacts>,
    /// The offset from which they were not in.
    from: Option<i64>,
}

/// A batch being written.
struct Writing<'a> {
    store: &'a Store,
    cache: &'a mut Cache,
    batch: &'a Batch,
    /// Which of the partition's logs the batch is of, and since when that is known.
    life: u32,
    replaced_us: Option<i64>,
    committed: Committed,
    refused: Vec<Rejected>,
    /// Records of runs that were deleted, by run.
    skipped: Vec<(Uuid, u64)>,
}

impl MongoIngestion {
    pub(crate) fn new(url: &MongoUrl) -> Self {
        Self { server: Server::new(url), cache: Cache::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&Arc<Store>) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let done = self.server.for_writing().and_then(|store| act(&store));
        done.map_err(|trouble| trouble.of_store(self.server.url()))
    }

    fn write(&mut self, batch: &Batch) -> Result<Committed, Trouble> {
        let store = self.server.for_writing()?;
        let partition = partitions::one(&store, batch.partition)?;
        let found = partitions::found(partition.as_ref());
        // The offset's change at the end decides; this look spares the work for a batch that is fenced already.
        let Some(partition) = partition.filter(|_| found.0 == Some((batch.epoch, batch.from))) else {
            return Err(Trouble::Fenced(found));
        };
        let mut writing = Writing {
            store: &store,
            cache: &mut self.cache,
            batch,
            life: partition.offset.life,
            replaced_us: partition.offset.replaced_us,
            committed: Committed::default(),
            refused: Vec::new(),
            skipped: Vec::new(),
        };
        for work in by_run(batch) {
            writing.write_run(&work)?;
        }
        let Writing { mut committed, refused, skipped, .. } = writing;
        rejected::insert(&store, batch, partition.offset.life, &refused)?;
        insert_gaps(&store, batch, partition.offset.life)?;
        let count = (batch.records() as u64, (batch.rejected.len() + refused.len()) as u64);
        if !partitions::advance(&store, &partition.offset, batch, count)? {
            let now = partitions::one(&store, batch.partition)?;
            return Err(Trouble::Fenced(partitions::found(now.as_ref())));
        }
        for (run, records) in skipped {
            committed.skipped += records;
            let more = doc! {"$inc": {"skipped": records.cast_signed()}};
            store.collection(names::RUNS).update_one(doc! {"_id": run.to_string()}, more).run()?;
        }
        committed.rejected = refused.len() as u64;
        self.cache.trim();
        Ok(committed)
    }
}

impl Writing<'_> {
    /// Commits what a run has in the batch, as often as others come first.
    fn write_run(&mut self, work: &Work<'_>) -> Result<(), Trouble> {
        let mut followed = Followed::default();
        while self.try_run(work, &mut followed)? == Outcome::Overtaken {}
        Ok(())
    }

    fn try_run(&mut self, work: &Work<'_>, followed: &mut Followed) -> Result<Outcome, Trouble> {
        let (partition, epoch, now_us) = (self.batch.partition, self.batch.epoch, self.batch.now_us);
        let run = self.cache.run(self.store, work.run)?;
        if run.head.is_deleted() {
            self.skipped.push((work.run, work.records()));
            return Ok(Outcome::Done);
        }
        let (life, after) = (self.life, Place { life: self.life, offset: work.next });
        if run.head.next(partition) >= after {
            return Ok(Outcome::Done);
        }
        let next = run.head.next(partition).in_life(life);
        if followed.from.replace(next).is_some_and(|from| from != next) {
            // Somebody has written records of this partition meanwhile: what we followed is not what is in.
            followed.facts = None;
            run.shards.clear();
        }
        let mut attempt = Attempt {
            head: Head { n: run.head.n + 1, stored_us: run.head.stored_us.max(now_us), ..run.head.clone() },
            redo: Redo::default(),
            committed: Committed::default(),
            refused: Vec::new(),
        };
        history::snapshot_if_due(self.store, work.run, &mut attempt.head)?;
        if !run.exists {
            attempt.redo.insert(names::RUNS, first_document(self.store, work.run, now_us)?);
        }
        for announcement in &work.announcements {
            announce(&mut attempt.head, announcement, &mut attempt.redo);
        }
        self.take_reports(work, next, &mut attempt)?;
        self.take_frames(work, next, &mut attempt, followed)?;
        let Attempt { mut head, redo, committed, mut refused } = attempt;
        head.next.insert(partition, after);
        let commit = Commit { run: work.run, head, redo, partition, epoch, now_us };
        let outcome = log::append(self.store, &commit)?;
        let run = self.cache.run(self.store, work.run)?;
        match outcome {
            Outcome::Overtaken => run.forget(),
            Outcome::Done => {
                run.head = commit.head;
                run.exists = true;
                if let Some(facts) = &followed.facts {
                    frames::remember(run, facts);
                }
                self.add(committed);
                self.refused.append(&mut refused);
            }
        }
        Ok(outcome)
    }

    /// Those of a run's reports that are not in.
    fn take_reports(&mut self, work: &Work<'_>, next: i64, attempt: &mut Attempt) -> Result<(), Trouble> {
        let mut reports: Vec<_> =
            work.reports.iter().copied().filter(|record| record.offset >= next).collect();
        let (is_fleet, field) = (attempt.head.fleet.is_some(), attempt.head.field);
        reports.retain(|record| {
            let Err(reason) = validity::check_report(&record.report, is_fleet, field) else { return true };
            let (offset, bytes) = (record.offset, record.report.encode());
            attempt.refused.push(Rejected { offset, reason: reason.to_owned(), run: Some(work.run), bytes });
            false
        });
        if reports.is_empty() {
            return Ok(());
        }
        let run = self.cache.run(self.store, work.run)?;
        let head = attempt.head.clone();
        let taking = Reports::new(
            self.store,
            (work.run, run),
            head,
            &mut attempt.redo,
            (self.batch, self.replaced_us),
        );
        attempt.head = taking.take_all(&reports, &mut attempt.committed)?;
        Ok(())
    }

    /// Those of a run's frames that are not in.
    fn take_frames(
        &mut self,
        work: &Work<'_>,
        next: i64,
        attempt: &mut Attempt,
        followed: &mut Followed,
    ) -> Result<(), Trouble> {
        let mut admitted = Vec::new();
        for record in work.frames.iter().copied().filter(|record| record.offset() >= next) {
            // Made from good bytes only.
            let Ok(frame) = Frame::decode(record.bytes()) else { continue };
            match frames::admit(&mut attempt.head, &frame) {
                Ok(()) => admitted.push(record),
                Err(reason) => attempt.refused.push(Rejected {
                    offset: record.offset(),
                    reason: reason.to_owned(),
                    run: Some(work.run),
                    bytes: record.bytes().to_vec(),
                }),
            }
        }
        if admitted.is_empty() {
            return Ok(());
        }
        let run = self.cache.run(self.store, work.run)?;
        let owned = ((self.batch.partition, self.batch.epoch), self.life);
        let facts = match &followed.facts {
            Some(facts) => facts,
            None => followed.facts.insert(frames::take(self.store, (work.run, &mut *run), owned, &admitted)?),
        };
        let Attempt { head, redo, committed, .. } = attempt;
        committed.states += frames::write(self.store, (work.run, run), head, facts, redo, self.batch.now_us)?;
        committed.frames += facts.new;
        Ok(())
    }

    fn add(&mut self, more: Committed) {
        let all = &mut self.committed;
        all.reports += more.reports;
        all.repeated += more.repeated;
        all.contacts += more.contacts;
        all.states += more.states;
        all.frames += more.frames;
    }
}

/// The document of a run that begins, before its first commit. Runs are listed by when they began here, so that is made
/// to grow.
fn first_document(store: &Store, run: Uuid, now_us: i64) -> Result<Document, Trouble> {
    let collection = store.collection(names::RUNS);
    let newest = collection.find_one(doc! {}).sort(doc! {"began": -1});
    let newest = newest.projection(doc! {"began": 1}).run()?;
    let began = newest
        .and_then(|newest| newest.optional_int("began"))
        .map_or(i64::MIN, |began| began.saturating_add(1));
    let head = Head::default().document();
    Ok(doc! {"_id": run.to_string(), "run": uuid(run), "began": began.max(now_us), "head": head})
}

/// Puts what a run says of itself into the redo, if it has not said so before.
fn announce(head: &mut Head, announcement: &Announcement, redo: &mut Redo) {
    if std::mem::replace(&mut head.announced, true) {
        return;
    }
    head.started_us = Some(announcement.started_us);
    let object = serde_json::to_value(&announcement.parameters).unwrap_or_default();
    head.field = Some(validity::field_of(object.as_object().unwrap_or(&serde_json::Map::new())));
    let kind = match announcement.kind {
        RunKind::Nodes => "nodes",
        RunKind::Fleet => "fleet",
    };
    let parameters = serde_json::to_string(&announcement.parameters).unwrap_or_else(|_| "{}".to_owned());
    let mut told = doc! {
        // The first one counts: a later one is lower.
        "order": -head.n,
        "name": &announcement.name,
        "kind": kind,
        "seed": announcement.seed.to_string(),
        "started_us": announcement.started_us,
        "parameters": parameters,
        "scenario": &announcement.scenario,
    };
    if let Some(parent) = &announcement.forked_from
        && let Ok(parent) = serde_json::to_string(parent)
    {
        told.insert("forked_from", parent);
    }
    redo.raise(names::RUNS, announcement.run.to_string(), "told", told);
}

fn insert_gaps(store: &Store, batch: &Batch, life: u32) -> Result<(), Trouble> {
    let documents: Vec<Document> = batch
        .gaps
        .iter()
        .map(|gap| {
            doc! {
                "_id": rejected::record_id(batch.partition, life, gap.from), "partition": batch.partition,
                "life": i64::from(life), "from": gap.from,
                "to": gap.to, "at_us": batch.now_us, "reason": &gap.reason,
            }
        })
        .collect();
    insert_all(store, names::GAPS, &documents).map(|_| ())
}

impl Ingestion for MongoIngestion {
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.with(|_| Ok(()))
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<Ownership, StoreError> {
        self.with(|store| partitions::heartbeat(store, heartbeat))
    }

    fn take(
        &mut self,
        partition: i32,
        owner: &str,
        now_us: i64,
        lasts: Duration,
    ) -> Result<Option<Held>, StoreError> {
        self.with(|store| partitions::take(store, partition, owner, now_us, lasts))
    }

    fn release(&mut self, owner: &str, held: &[(i32, i64)]) -> Result<(), StoreError> {
        self.with(|store| partitions::release(store, owner, held))
    }

    fn offsets(&mut self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.with(|store| Ok(partitions::all(store)?.into_iter().map(|partition| partition.offset).collect()))
    }

    fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        let committed = self.write(batch);
        committed.map_err(|trouble| {
            // What was worked out in memory may not have happened.
            self.cache.clear();
            self.server.doubt();
            trouble.of_commit(self.server.url(), batch.partition, (batch.epoch, batch.from))
        })
    }

    fn remember_at_most(&mut self, bytes: usize) {
        self.cache.remember_at_most(bytes);
    }
}
