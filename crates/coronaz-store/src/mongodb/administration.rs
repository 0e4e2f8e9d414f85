//! Deleting runs.

use super::codec::{Fields, uuid};
use super::head::{DELETED, Head};
use super::server::{Server, Store, names};
use super::trouble::Trouble;
use super::url::MongoUrl;
use crate::administration::Watch;
use crate::{Administration, Deleted, DeletedRun, StoreError};
use mongodb::bson::{Bson, Document, doc};
use uuid::Uuid;

/// Documents removed in one step: few enough that writers do not wait for long.
const STEP: i64 = 1000;

/// Deletes runs of one database.
pub(crate) struct MongoAdministration {
    server: Server,
}

impl MongoAdministration {
    pub(crate) fn new(url: &MongoUrl) -> Self {
        Self { server: Server::new(url) }
    }

    fn with<T>(&self, act: impl FnOnce(&Store) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let done = self.server.for_writing().and_then(|store| act(&store));
        done.map_err(|trouble| trouble.of_store(self.server.url()))
    }
}

/// Puts the tombstone: from now on readers see no run, and no commit to it happens.
fn bury(store: &Store, run: Uuid, now_us: i64) -> Result<(), Trouble> {
    let head = Head { n: DELETED, stored_us: now_us, ..Head::default() }.document();
    let change = doc! {
        "$max": {"head": head}, "$set": {"deleted_us": now_us, "emptied": false, "skipped": 0_i64}, "$unset": {"told": ""},
    };
    store.collection(names::RUNS).update_one(doc! {"_id": run.to_string()}, change).run()?;
    Ok(())
}

/// Removes the rows of a run that was buried.
fn empty(store: &Store, run: Uuid, watch: Watch<'_>) -> Result<Deleted, Trouble> {
    let mut rows = 0;
    for name in names::OF_RUNS {
        loop {
            let collection = store.collection(name);
            let some = collection.find(doc! {"run": uuid(run)}).limit(STEP).projection(doc! {"_id": 1});
            let ids = some.run()?.map(|one| Ok(one?.get("_id").cloned().unwrap_or(Bson::Null)));
            let ids = ids.collect::<Result<Vec<Bson>, Trouble>>()?;
            if ids.is_empty() {
                break;
            }
            rows += store.collection(name).delete_many(doc! {"_id": {"$in": ids}}).run()?.deleted_count;
            if watch(rows).is_break() {
                return Ok(Deleted { rows, whole: false });
            }
        }
    }
    let document = doc! {"_id": run.to_string()};
    if run.is_nil() {
        // It would swallow all reports without a run for ever.
        store.collection(names::RUNS).delete_one(document).run()?;
    } else {
        store.collection(names::RUNS).update_one(document, doc! {"$set": {"emptied": true}}).run()?;
    }
    // The run's own row.
    Ok(Deleted { rows: rows + 1, whole: true })
}

fn delete(store: &Store, run: Uuid, now_us: i64, watch: Watch<'_>) -> Result<Deleted, Trouble> {
    let none = || Trouble::Store(StoreError::NoSuchRun(run));
    let document = store.one(names::RUNS, doc! {"_id": run.to_string()})?.ok_or_else(none)?;
    if document.part("head")?.int("n")? != DELETED {
        bury(store, run, now_us)?;
    } else if document.flag("emptied") {
        return Err(none());
    }
    let first = empty(store, run, watch)?;
    if !first.whole || run.is_nil() {
        return Ok(first);
    }
    // A writer that was carrying a commit out when the run was buried may have written rows behind us.
    let again = empty(store, run, watch)?;
    Ok(Deleted { rows: first.rows + again.rows - 1, whole: again.whole })
}

fn prune(store: &Store, before_us: i64, now_us: i64, watch: Watch<'_>) -> Result<Vec<Uuid>, Trouble> {
    let (mut gone, mut removed) = (Vec::new(), 0);
    let found: Vec<Document> =
        store.collection(names::RUNS).find(doc! {}).run()?.collect::<Result<_, _>>()?;
    for document in found {
        let (run, head) = (document.uuid("run")?, document.part("head")?);
        let buried = head.int("n")? == DELETED;
        if !buried && head.int("stored_us")? < before_us {
            bury(store, run, now_us)?;
            gone.push(run);
        } else if !buried || document.flag("emptied") {
            continue;
        }
        let before = removed;
        let deleted = empty(store, run, &mut |rows| {
            removed = before + rows;
            watch(removed)
        })?;
        if !deleted.whole {
            break;
        }
    }
    Ok(gone)
}

fn tombstones(store: &Store) -> Result<Vec<DeletedRun>, Trouble> {
    let collection = store.collection(names::RUNS);
    let buried = collection.find(doc! {"deleted_us": {"$exists": true}});
    let read = |document: &Document| {
        let skipped = document.optional_int("skipped").unwrap_or(0).cast_unsigned();
        Ok(DeletedRun { run: document.uuid("run")?, at_us: document.int("deleted_us")?, skipped })
    };
    let all = buried.sort(doc! {"deleted_us": -1}).run()?.map(|document| read(&document?));
    all.filter(|one| one.as_ref().map_or(true, |one| !one.run.is_nil())).collect()
}

impl Administration for MongoAdministration {
    fn delete_run(&mut self, run: Uuid, now_us: i64, watch: Watch<'_>) -> Result<Deleted, StoreError> {
        self.with(|store| delete(store, run, now_us, watch))
    }

    fn prune(&mut self, before_us: i64, now_us: i64, watch: Watch<'_>) -> Result<Vec<Uuid>, StoreError> {
        self.with(|store| prune(store, before_us, now_us, watch))
    }

    fn deleted_runs(&mut self) -> Result<Vec<DeletedRun>, StoreError> {
        self.with(tombstones)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_collection_of_rows_is_emptied_once() {
        let mut all = names::OF_RUNS.to_vec();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), names::OF_RUNS.len());
        assert!(!all.contains(&names::RUNS) && !all.contains(&names::PARTITIONS));
    }
}
