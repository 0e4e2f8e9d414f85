//! What a writer remembers of runs from one batch to the next. It holds for as long as nobody else commits to them, which
//! the number of the next commit tells.

use super::codec::{Fields, uuid};
use super::frames::{ShardFollowed, ShardTick};
use super::head::Head;
use super::log;
use super::person::{Person, Start};
use super::server::{Store, names};
use super::trouble::Trouble;
use mongodb::bson::{Bson, doc};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// People kept in memory between batches, of all runs, unless the process says otherwise.
const PEOPLE_KEPT: usize = 1_000_000;
/// What a person costs in memory, about.
const PERSON_BYTES: usize = 300;
/// Devices kept in memory by their names, of all runs. About 60 bytes each.
const SLOTS_KEPT: usize = 4_000_000;
/// People asked for in one question.
const ASKED_AT_ONCE: usize = 1000;

/// The runs that a writer knows.
pub(super) struct Cache {
    pub(super) runs: HashMap<Uuid, CachedRun>,
    people_max: usize,
}

/// A run as a writer knows it.
#[derive(Default)]
pub(super) struct CachedRun {
    pub(super) head: Head,
    /// The run's document is there.
    pub(super) exists: bool,
    /// The head is the newest, as far as we know.
    pub(super) fresh: bool,
    /// Devices by slot, and the other way round.
    pub(super) ids: Vec<Uuid>,
    pub(super) slots: HashMap<Uuid, u32>,
    pub(super) people: HashMap<u32, Person>,
    /// Earlier starts of nodes that this batch has met.
    pub(super) earlier: BTreeMap<(u32, i64), Start>,
    /// Shards that this writer follows.
    pub(super) shards: HashMap<u32, ShardFollowed>,
    /// Shards that are whole, by tick: all from `ticks_from` on.
    pub(super) ticks: BTreeMap<u64, HashMap<u32, ShardTick>>,
    pub(super) ticks_from: Option<u64>,
}

impl Default for Cache {
    fn default() -> Self {
        Self { runs: HashMap::new(), people_max: PEOPLE_KEPT }
    }
}

impl Cache {
    /// Keeps at most about so many bytes of people.
    pub(super) fn remember_at_most(&mut self, bytes: usize) {
        self.people_max = bytes / PERSON_BYTES;
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.runs.clear();
    }

    /// Keeps within bounds.
    pub(super) fn trim(&mut self) {
        if self.runs.values().map(|run| run.ids.len()).sum::<usize>() > SLOTS_KEPT {
            self.runs.clear();
        }
        if self.runs.values().map(|run| run.people.len()).sum::<usize>() > self.people_max {
            self.runs.values_mut().for_each(|run| run.people.clear());
        }
    }

    /// A run, with everything that has happened to it carried out.
    pub(super) fn run(&mut self, store: &Store, run: Uuid) -> Result<&mut CachedRun, Trouble> {
        let known = self.runs.entry(run).or_default();
        if !known.fresh {
            known.refresh(store, run)?;
        }
        Ok(known)
    }
}

impl CachedRun {
    /// Somebody else has committed: what is in memory may be old.
    pub(super) fn forget(&mut self) {
        self.fresh = false;
        self.people.clear();
        self.earlier.clear();
        self.ticks.clear();
        self.ticks_from = None;
        for device in self.ids.drain((self.head.nodes as usize).min(self.ids.len())..) {
            self.slots.remove(&device);
        }
    }

    fn refresh(&mut self, store: &Store, run: Uuid) -> Result<(), Trouble> {
        let head = log::head(store, run)?;
        self.exists = head.is_some();
        let head = head.unwrap_or_default();
        if head.n < self.head.n || head.is_deleted() {
            // It was deleted meanwhile, and perhaps begins anew.
            *self = Self { exists: self.exists, ..Self::default() };
        }
        self.people.clear();
        let known = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        if head.fleet.is_none() && head.nodes > known {
            let collection = store.collection(names::NODES);
            let more = collection.find(doc! {"run": uuid(run), "slot": {"$gte": i64::from(known)}});
            for node in more.sort(doc! {"slot": 1}).projection(doc! {"node": 1, "slot": 1}).run()? {
                let node = node?;
                let slot = node.small("slot")?;
                if slot < head.nodes && slot as usize == self.ids.len() {
                    self.ids.push(node.uuid("node")?);
                    self.slots.insert(node.uuid("node")?, slot);
                }
            }
        }
        self.head = head;
        self.fresh = true;
        Ok(())
    }

    /// Brings these people into memory; those who are new have nothing yet.
    pub(super) fn load(&mut self, store: &Store, run: Uuid, slots: &[u32]) -> Result<(), Trouble> {
        let missing: Vec<u32> =
            slots.iter().copied().filter(|slot| !self.people.contains_key(slot)).collect();
        for some in missing.chunks(ASKED_AT_ONCE) {
            let stored = some.iter().filter(|&&slot| slot < self.head.nodes);
            let ids: Vec<Bson> = stored
                .filter_map(|&slot| self.ids.get(slot as usize))
                .map(|&node| node_id(run, node).into())
                .collect();
            if !ids.is_empty() {
                // One key alone is what any server looks up by its index.
                let filter = if let [id] = &ids[..] {
                    doc! {"_id": id}
                } else {
                    doc! {"_id": {"$in": ids}}
                };
                for node in store.collection(names::NODES).find(filter).run()? {
                    let node = node?;
                    if let Some(state) = node.get("state").and_then(Bson::as_document) {
                        self.people.insert(node.small("slot")?, Person::read(state)?);
                    }
                }
            }
            for &slot in some {
                self.people.entry(slot).or_default();
            }
        }
        Ok(())
    }
}

/// The key of a node's document.
pub(super) fn node_id(run: Uuid, node: Uuid) -> String {
    format!("{run}/{node}")
}
