//! What a writer remembers of the file from one batch to the next.

use crate::sqlite::fleet_rows::Mirrors;
use crate::sqlite::person_rows::People;
use crate::sqlite::run_row::{self, RunRow};
use rusqlite::Transaction;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use uuid::Uuid;

/// Bytes kept in memory between batches, about, unless [`crate::Ingestion::remember_at_most`] says otherwise.
const BYTES_DEFAULT: usize = 384 << 20;

/// A slot by its UUID: 20 bytes, in a table that is between half and nearly full.
const SLOT_BYTES: usize = 48;

/// A person with an encounter or two that may go on, and its places in the lists.
const PERSON_BYTES: usize = 320;

/// Runs remembered: those that are written, with some of the past.
const RUNS_KEPT: usize = 64;

/// It holds for as long as nobody else writes, which SQLite tells (`pragma data_version`). What others can change is
/// read again then: the run's row. Slots, once given, hold for as long as their run exists. People are changed by the
/// owner of the partition that their reports come from and nobody else, and when a report comes from another one, the
/// run's row says so (`strays`).
pub(in crate::sqlite) struct Cache {
    data_version: Option<i64>,
    pub(super) runs: HashMap<Uuid, CachedRun>,
    pub(super) mirrors: Mirrors,
    bytes_max: usize,
}

pub(super) struct CachedRun {
    pub(super) row: RunRow,
    pub(super) slots: HashMap<Uuid, u32>,
    pub(super) homes: Homes,
    /// The row is as in the file.
    fresh: bool,
}

/// People by the partition that their reports come from.
#[derive(Default)]
pub(super) struct Homes(HashMap<i32, Home>);

struct Home {
    /// What was learnt under another epoch may have been changed by an owner in between.
    epoch: i64,
    people: People,
}

impl Homes {
    /// The people of a partition, as known under an epoch.
    pub(super) fn of(&mut self, partition: i32, epoch: i64) -> &mut People {
        let home = self.0.entry(partition).or_insert_with(|| Home { epoch, people: People::default() });
        if home.epoch != epoch {
            *home = Home { epoch, people: People::default() };
        }
        &mut home.people
    }

    /// Forgets the people of all other partitions: some of them moved to this one.
    pub(super) fn keep_only(&mut self, partition: i32) {
        self.0.retain(|&home, _| home == partition);
    }

    fn bytes(&self) -> usize {
        self.0.values().map(|home| home.people.len() * PERSON_BYTES).sum()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::of_bytes(BYTES_DEFAULT)
    }
}

impl Cache {
    /// Empty, and kept below so many bytes.
    pub(in crate::sqlite) fn of_bytes(bytes_max: usize) -> Self {
        Self { data_version: None, runs: HashMap::new(), mirrors: Mirrors::default(), bytes_max }
    }

    /// Empties it.
    pub(in crate::sqlite) fn forget(&mut self) {
        *self = Self::of_bytes(self.bytes_max);
    }

    /// Takes note of what another writer may have changed.
    pub(super) fn refresh(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let version = transaction.prepare_cached("pragma data_version")?.query_row([], |row| row.get(0))?;
        if self.data_version.replace(version) != Some(version) {
            self.runs.values_mut().for_each(|run| run.fresh = false);
        }
        Ok(())
    }

    /// Keeps within bounds.
    pub(super) fn trim(&mut self) {
        let slots_bytes = |runs: &HashMap<Uuid, CachedRun>| {
            runs.values().map(|run| run.slots.len() * SLOT_BYTES).sum::<usize>()
        };
        let people_bytes = self.runs.values().map(|run| run.homes.bytes()).sum::<usize>();
        let mirrors_bytes = self.mirrors.bytes();
        if slots_bytes(&self.runs) + people_bytes + mirrors_bytes > self.bytes_max {
            self.runs.values_mut().for_each(|run| run.homes = Homes::default());
            self.mirrors = Mirrors::default();
        }
        if slots_bytes(&self.runs) > self.bytes_max / 2 || self.runs.len() > RUNS_KEPT {
            self.runs.clear();
        }
    }

    /// A run, made if there is none; `None` when it was deleted.
    pub(super) fn run(
        &mut self,
        transaction: &Transaction<'_>,
        uuid: Uuid,
    ) -> rusqlite::Result<Option<&mut CachedRun>> {
        match self.runs.entry(uuid) {
            Entry::Vacant(entry) => {
                let Some(row) = run_row::load(transaction, uuid)? else { return Ok(None) };
                let (slots, homes) = (HashMap::new(), Homes::default());
                Ok(Some(entry.insert(CachedRun { row, slots, homes, fresh: true })))
            }
            Entry::Occupied(mut entry) => {
                if !entry.get().fresh {
                    let Some(row) = run_row::load(transaction, uuid)? else {
                        let gone = entry.remove();
                        self.mirrors.forget(gone.row.id);
                        return Ok(None);
                    };
                    let run = entry.get_mut();
                    if row.id != run.row.id {
                        // It was deleted meanwhile, and begins anew.
                        self.mirrors.forget(run.row.id);
                        run.slots.clear();
                        run.homes = Homes::default();
                    } else if row.strays != run.row.strays {
                        run.homes = Homes::default();
                    }
                    run.row = row;
                    run.fresh = true;
                }
                Ok(Some(entry.into_mut()))
            }
        }
    }
}
