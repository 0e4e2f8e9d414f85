//! A question about a run: the head as it was when the question began says what of the run is in, and nothing beyond that
//! is shown.

use super::codec::{Fields, count, uuid};
use super::head::{Head, read_figures};
use super::history;
use super::reports::state_id;
use super::server::{Store, names};
use super::trouble::Trouble;
use crate::default_run::{self, AHEAD_US, COMPARED_MAX, Candidate, LIVE_US};
use crate::view::{Moment, Progress, Run, RunCursor, RunsPage};
use crate::{At, StoreError};
use mongodb::bson::{Bson, Document, doc};
use std::sync::Arc;
use uuid::Uuid;

/// A run as one question sees it.
pub(super) struct RunView {
    pub(super) store: Arc<Store>,
    pub(super) run: Uuid,
    pub(super) head: Head,
    /// When it began here: a run that was deleted and came back is another.
    pub(super) began: i64,
}

/// A moment that was asked for.
pub(super) struct Found {
    pub(super) moment: Moment,
    pub(super) reports: u64,
    pub(super) latest: u64,
}

impl RunView {
    pub(super) fn open(store: Arc<Store>, run: Uuid) -> Result<Self, Trouble> {
        let none = || Trouble::Store(StoreError::NoSuchRun(run));
        let document = store.one(names::RUNS, doc! {"_id": run.to_string()})?.ok_or_else(none)?;
        let head = Head::read(run, document.part("head")?)?;
        if head.is_deleted() || head.n == 0 {
            return Err(none());
        }
        Ok(Self { store, run, head, began: document.int("began")? })
    }

    /// A filter that begins with the run.
    pub(super) fn filter(&self, more: Document) -> Document {
        let mut filter = doc! {"run": uuid(self.run)};
        filter.extend(more);
        filter
    }

    /// What of a run's documents is in.
    pub(super) fn is_in(&self, document: &Document) -> Result<bool, Trouble> {
        Ok(document.int("n")? <= self.head.n)
    }

    /// Finds a moment.
    pub(super) fn find(&self, at: At) -> Result<Option<Found>, Trouble> {
        let Some(latest) = self.head.states.checked_sub(1) else { return Ok(None) };
        let document = match at {
            At::Latest => self.moment(latest)?,
            At::Moment(k) => self.moment(k)?,
            At::TimeUs(time_us) => {
                let filter = self.filter(doc! {"time_us": {"$lte": time_us}, "n": {"$lte": self.head.n}});
                let collection = self.store.collection(names::STATES);
                let newest = collection.find_one(filter);
                newest.sort(doc! {"time_us": -1, "k": -1}).run()?
            }
        };
        let Some(document) = document else { return Ok(None) };
        Ok(Some(Found { moment: read_moment(&document)?, reports: document.count("reports")?, latest }))
    }

    fn moment(&self, k: u64) -> Result<Option<Document>, Trouble> {
        let found = self.store.one(names::STATES, doc! {"_id": state_id(self.run, k)})?;
        match found {
            Some(document) if self.is_in(&document)? => Ok(Some(document)),
            _ => Ok(None),
        }
    }

    /// The moments `from` to `to`, thinned.
    pub(super) fn moments(&self, from: u64, to: u64, points_max: usize) -> Result<Vec<Moment>, Trouble> {
        let Some(latest) = self.head.states.checked_sub(1) else { return Ok(Vec::new()) };
        let to = to.min(latest);
        if from > to || points_max == 0 {
            return Ok(Vec::new());
        }
        let between = to - from + 1;
        let wanted = if between <= points_max as u64 {
            doc! {"$gte": count(from), "$lte": count(to)}
        } else {
            let last_point = points_max as u64 - 1;
            let points = (0..=last_point).map(|point| {
                // One point alone is the last moment; otherwise the first and the last are among them.
                let step = u128::from(between - 1) * u128::from(point) / u128::from(last_point.max(1));
                let k = from + u64::try_from(step).unwrap_or(between - 1);
                count(if last_point == 0 { to } else { k })
            });
            doc! {"$in": points.collect::<Vec<Bson>>()}
        };
        let filter = self.filter(doc! {"k": wanted, "n": {"$lte": self.head.n}});
        let found = self.store.collection(names::STATES).find(filter).sort(doc! {"k": 1}).run()?;
        found.map(|document| read_moment(&document?)).collect()
    }

    /// All nodes after so many reports.
    pub(super) fn seats(&self, reports: u64) -> Result<crate::snapshot::Seats, Trouble> {
        history::seats_at(&self.store, self.run, &self.head, reports)
    }

    /// How far it is.
    pub(super) fn progress(&self) -> Progress {
        Progress {
            run: self.run,
            moments: self.head.states,
            reports: self.head.reports,
            last_us: self.head.last_us,
        }
    }
}

pub(super) fn read_moment(document: &Document) -> Result<Moment, Trouble> {
    Ok(Moment {
        k: document.count("k")?,
        time_us: document.int("time_us")?,
        figures: read_figures(document)?,
        contacts: document.count("contacts")?,
        infections: document.count("infections")?,
    })
}

fn read_run(document: &Document) -> Result<Option<Run>, Trouble> {
    let id = document.uuid("run")?;
    let head = Head::read(id, document.part("head")?)?;
    if head.is_deleted() || head.n == 0 {
        return Ok(None);
    }
    let told = document.get("told").and_then(Bson::as_document).cloned().unwrap_or_default();
    let text = |field| told.optional_text(field).map(ToOwned::to_owned);
    let kind = if head.fleet.is_some() { Some("fleet".to_owned()) } else { text("kind") };
    Ok(Some(Run {
        id,
        name: text("name"),
        kind: kind.unwrap_or_else(|| "nodes".to_owned()),
        seed: told.optional_text("seed").and_then(|seed| seed.parse().ok()),
        scenario: text("scenario"),
        parameters: told
            .optional_text("parameters")
            .and_then(|parameters| serde_json::from_str(parameters).ok())
            .unwrap_or_default(),
        forked_from: told.optional_text("forked_from").and_then(|from| serde_json::from_str(from).ok()),
        started_us: head.started_us,
        last_us: head.last_us,
        written_us: Some(head.stored_us),
        moments: head.states,
        nodes: head.nodes.into(),
        reports: head.reports,
        figures: head.figures,
        contacts: head.contacts,
        infections: head.infections,
    }))
}

/// All runs, newest first.
pub(super) fn runs(store: &Store) -> Result<Vec<Run>, Trouble> {
    let found = store.collection(names::RUNS).find(doc! {}).sort(doc! {"began": -1}).run()?;
    found.filter_map(|document| Ok(document).and_then(|document| read_run(&document?)).transpose()).collect()
}

/// One run.
pub(super) fn run(store: &Store, run: Uuid) -> Result<Run, Trouble> {
    let document = store.one(names::RUNS, doc! {"_id": run.to_string()})?;
    let found = document.as_ref().map(read_run).transpose()?.flatten();
    found.ok_or(Trouble::Store(StoreError::NoSuchRun(run)))
}

/// Those that are there: announced or reported, and not deleted.
fn alive() -> Document {
    doc! {"head.n": {"$gt": 0_i64, "$lt": super::head::DELETED}}
}

/// Runs, newest first, from where a page before ended.
pub(super) fn runs_page(store: &Store, from: Option<RunCursor>, limit: usize) -> Result<RunsPage, Trouble> {
    let mut filter = alive();
    if let Some(RunCursor(began)) = from {
        filter.insert("began", doc! {"$lte": began});
    }
    // One more says where the next page begins.
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let collection = store.collection(names::RUNS);
    let found = collection.find(filter).sort(doc! {"began": -1}).limit(wanted).run()?;
    let mut page = RunsPage::default();
    for document in found {
        let document = document?;
        if page.runs.len() == limit {
            page.next = Some(RunCursor(document.int("began")?));
            break;
        }
        page.runs.extend(read_run(&document)?);
    }
    Ok(page)
}

fn candidate(document: &Document) -> Result<Candidate, Trouble> {
    let id = document.uuid("run")?;
    let head = Head::read(id, document.part("head")?)?;
    Ok(Candidate {
        id,
        order: document.int("began")?,
        announced: head.announced,
        started_us: head.started_us,
        last_us: head.last_us,
        written_us: Some(head.stored_us),
    })
}

/// The run to show when none is named.
pub(super) fn default(store: &Store, now_us: i64) -> Result<Option<Uuid>, Trouble> {
    let collection = store.collection(names::RUNS);
    let shown = |more: Document| {
        let mut filter = alive();
        filter.insert("head.states", doc! {"$gt": 0_i64});
        filter.extend(more);
        filter
    };
    let (since_us, until_us) = (now_us.saturating_sub(LIVE_US), now_us.saturating_add(AHEAD_US));
    let live = collection.find(shown(doc! {"head.stored_us": {"$gte": since_us, "$lte": until_us}}));
    let live = live.sort(doc! {"head.stored_us": -1}).limit(i64::from(COMPARED_MAX)).run()?;
    let mut candidates =
        live.map(|document| candidate(&document?)).collect::<Result<Vec<Candidate>, Trouble>>()?;
    let began = collection.find_one(shown(doc! {"head.started_us": {"$lte": until_us}}));
    if let Some(document) = began.sort(doc! {"head.started_us": -1, "began": -1}).run()? {
        candidates.push(candidate(&document)?);
    }
    if let Some(run) = default_run::choose(candidates, now_us) {
        return Ok(Some(run));
    }
    // All times are wrong, or there is no moment yet.
    for filter in [shown(Document::new()), alive()] {
        let newest =
            collection.find_one(filter).sort(doc! {"began": -1}).projection(doc! {"run": 1}).run()?;
        if let Some(newest) = newest {
            return Ok(Some(newest.uuid("run")?));
        }
    }
    Ok(None)
}
