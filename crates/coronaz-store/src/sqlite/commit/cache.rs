//! What a writer remembers of the file from one batch to the next.

use crate::sqlite::fleet_rows::Mirrors;
use crate::sqlite::people_log::LogRule;
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
    pub(super) log_rule: LogRule,
}

pub(super) struct CachedRun {
    pub(super) row: RunRow,
    pub(super) slots: HashMap<Uuid, u32>,
    pub(super) homes: Homes,
    /// The slot at which the log's entries go on to become rows.
    pub(super) log_cursor: u32,
    /// The row is as in the file.
    fresh: bool,
}

/// People by the partition that their reports come from.
#[derive(Default)]
pub(super) struct Homes {
    by_partition: HashMap<i32, Home>,
    /// Whoever has an entry in the run's log is in one of these homes: all others are as their rows say.
    log_is_known: bool,
}

/// The people of one partition, and what is known of all others.
pub(super) struct HomeOf<'a> {
    pub(super) people: &'a mut People,
    pub(super) elsewhere: Vec<&'a People>,
    pub(super) log_is_known: &'a mut bool,
}

struct Home {
    /// What was learnt under another epoch may have been changed by an owner in between.
    epoch: i64,
    people: People,
}

impl Homes {
    /// The people of a partition, as known under an epoch.
    pub(super) fn of(&mut self, partition: i32, epoch: i64) -> HomeOf<'_> {
        let Self { by_partition, log_is_known } = self;
        let home = by_partition.entry(partition).or_insert_with(|| Home { epoch, people: People::default() });
        if home.epoch != epoch {
            *home = Home { epoch, people: People::default() };
            *log_is_known = false;
        }
        let (mut people, mut elsewhere) = (None, Vec::new());
        for (&place, home) in by_partition {
            if place == partition {
                people = Some(&mut home.people);
            } else {
                elsewhere.push(&home.people);
            }
        }
        let Some(people) = people else { unreachable!("it was put in above") };
        HomeOf { people, elsewhere, log_is_known }
    }

    /// Forgets the people of all other partitions: some of them moved to this one.
    pub(super) fn keep_only(&mut self, partition: i32) {
        self.by_partition.retain(|&home, _| home == partition);
        self.log_is_known = false;
    }

    fn bytes(&self) -> usize {
        self.by_partition.values().map(|home| home.people.bytes()).sum()
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
        Self {
            data_version: None,
            runs: HashMap::new(),
            mirrors: Mirrors::default(),
            bytes_max,
            log_rule: LogRule::default(),
        }
    }

    /// The same with another rule for the log.
    #[cfg(test)]
    pub(in crate::sqlite) fn with_log_rule(self, log_rule: LogRule) -> Self {
        Self { log_rule, ..self }
    }

    /// Empties it.
    pub(in crate::sqlite) fn forget(&mut self) {
        *self = Self { log_rule: self.log_rule, ..Self::of_bytes(self.bytes_max) };
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
                Ok(Some(entry.insert(CachedRun { row, slots, homes, log_cursor: 0, fresh: true })))
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
                    // Another writer's entries may be in it.
                    run.homes.log_is_known = false;
                    run.row = row;
                    run.fresh = true;
                }
                Ok(Some(entry.into_mut()))
            }
        }
    }
}
