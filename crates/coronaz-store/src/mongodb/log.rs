//! The log of a run's commits, and how a commit happens once.
//!
//! A commit is one document, whose key is the run and the number after the newest. Inserting it is the moment at which the
//! commit happens: of two processes that try the same number one finds it taken, on any server, with or without
//! transactions. It holds everything that changes (`redo`) and the head after it. Then the rows are written, then the
//! head goes into the run's document, where readers look. Who dies in between leaves a commit that is not carried out;
//! whoever comes next finds it by its number and carries it out first.
//!
//! Old commits are removed. A process that slept for long may then find a number free that was used: it sees, after
//! its insertion, how far the run is, and takes its commit back.

use super::codec::{Fields, bytes, date, uuid};
use super::head::Head;
use super::redo::{BYTES_MAX, Redo};
use super::server::{Store, names};
use super::trouble::{Trouble, is_duplicate};
use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

/// Commits kept although they are carried out. A number that was used so recently is never free.
const KEPT: i64 = 16;

/// A commit about to happen.
pub(super) struct Commit {
    pub(super) run: Uuid,
    /// The head after it; its number is one above the newest.
    pub(super) head: Head,
    pub(super) redo: Redo,
    pub(super) partition: i32,
    pub(super) epoch: i64,
    pub(super) now_us: i64,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It happened, and is carried out.
    Done,
    /// Another commit came first: look again, and plan again.
    Overtaken,
}

fn id(run: Uuid, n: i64) -> String {
    format!("{run}/{n}")
}

/// The head of a run, after everything that has happened is carried out; `None`: there is no such run.
pub(super) fn head(store: &Store, run: Uuid) -> Result<Option<Head>, Trouble> {
    loop {
        let known = match store.one(names::RUNS, doc! {"_id": run.to_string()})? {
            Some(document) => Some(Head::read(run, document.part("head")?)?),
            None => None,
        };
        let n = known.as_ref().map_or(0, |head| head.n);
        if n == super::head::DELETED {
            return Ok(known);
        }
        let Some(pending) = store.one(names::COMMITS, doc! {"_id": id(run, n + 1)})? else {
            return Ok(known);
        };
        tracing::debug!(%run, n = n + 1, "carrying out another's commit");
        let redo = Redo::decode(pending.blob("redo")?)?;
        carry_out(store, run, &redo, pending.part("head")?)?;
    }
}

/// Whether nothing is being written to a run beyond its commit `n`.
pub(super) fn is_quiet(store: &Store, run: Uuid, n: i64) -> Result<bool, Trouble> {
    let collection = store.collection(names::COMMITS);
    let next = collection.find_one(doc! {"_id": id(run, n.saturating_add(1))});
    Ok(next.projection(doc! {"_id": 1}).run()?.is_none())
}

/// Makes a commit happen, unless another is first.
pub(super) fn append(store: &Store, commit: &Commit) -> Result<Outcome, Trouble> {
    let redo = commit.redo.encode()?;
    if redo.len() > BYTES_MAX {
        return Err(Trouble::Refused(format!(
            "a commit of {} bytes; a document has at most 16 MiB",
            redo.len()
        )));
    }
    let (run, n) = (commit.run, commit.head.n);
    let head = commit.head.document();
    let document = doc! {
        "_id": id(run, n), "run": uuid(run), "n": n, "partition": commit.partition, "epoch": commit.epoch,
        "next": commit.head.next(commit.partition).bson(), "at": date(commit.now_us), "head": head.clone(),
        "redo": bytes(redo),
    };
    match store.collection(names::COMMITS).insert_one(document).run() {
        Ok(_) => {}
        Err(error) if is_duplicate(&error) => return Ok(Outcome::Overtaken),
        Err(error) => return Err(error.into()),
    }
    let found = store.one(names::RUNS, doc! {"_id": run.to_string()})?;
    let found = match &found {
        Some(document) => document.part("head")?.int("n")?,
        // A run that is not there has no commit yet; any other means that it was deleted meanwhile.
        None if n == 1 => 0,
        None => super::head::DELETED,
    };
    // Beyond this the number may have been used, and its commit removed.
    if found >= n.saturating_add(KEPT) - 1 {
        store.collection(names::COMMITS).delete_one(doc! {"_id": id(run, n)}).run()?;
        return Ok(Outcome::Overtaken);
    }
    carry_out(store, run, &commit.redo, &head)?;
    if n % KEPT == 0 {
        let old: Vec<Bson> = (n - 2 * KEPT..=n - KEPT).map(|n| id(run, n).into()).collect();
        store.collection(names::COMMITS).delete_many(doc! {"_id": {"$in": old}}).run()?;
    }
    Ok(Outcome::Done)
}

/// Writes the rows, and then the head.
fn carry_out(store: &Store, run: Uuid, redo: &Redo, head: &Document) -> Result<(), Trouble> {
    redo.apply(store)?;
    let raise = doc! {"$max": {"head": head.clone()}};
    store.collection(names::RUNS).update_one(doc! {"_id": run.to_string()}, raise).run()?;
    Ok(())
}
