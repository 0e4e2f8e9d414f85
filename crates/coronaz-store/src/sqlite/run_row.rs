//! A run's row: its counters and figures, in memory while a batch is written.

use super::contact_rows::RunKey;
use crate::run_clock::RunClock;
use crate::{FLEET_WINDOW_US, Figures, validity};
use coronaz_wire::announcement::{Announcement, RunKind};
use coronaz_wire::frame::Population;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

/// What a commit reads and changes of a run's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunRow {
    pub(super) id: i64,
    pub(super) window_us: i64,
    pub(super) started_us: Option<i64>,
    /// What time it is in the run.
    pub(super) last_us: Option<i64>,
    pub(super) clock: RunClock,
    pub(super) nodes: u32,
    pub(super) reports: u64,
    pub(super) states: u64,
    pub(super) since_state: u32,
    pub(super) snapshot_at: u64,
    pub(super) figures: Figures,
    pub(super) contacts: u64,
    pub(super) infections: u64,
    /// How often a person's reports changed their partition.
    pub(super) strays: u64,
    /// When something of it was stored last.
    pub(super) written_us: Option<i64>,
    /// The people, if it is a fleet.
    pub(super) fleet: Option<Population>,
    /// The highest coordinates of the field, if it was announced.
    pub(super) field: Option<[i64; 2]>,
}

impl RunRow {
    /// The run as keys name it.
    pub(super) fn key(&self) -> RunKey {
        RunKey { id: self.id, window_us: self.window_us }
    }
}

/// The row of a run, made if there is none; `None` when the run was deleted.
pub(super) fn load(transaction: &Transaction<'_>, uuid: Uuid) -> rusqlite::Result<Option<RunRow>> {
    let find = || {
        transaction
            .prepare_cached(
                "select id, started_us, last_us, nodes, reports, states, since_state, snapshot_at, total, zombies,
                        deaths, dead_zombies, immune, contacts, infections, window_us, strays, written_us, recent, announced, parameters
                 from run where uuid = ?",
            )?
            .query_row([uuid.as_bytes()], |row| {
                Ok(RunRow {
                    id: row.get(0)?,
                    window_us: row.get::<_, i64>(15)?.max(1),
                    started_us: row.get(1)?,
                    last_us: row.get(2)?,
                    nodes: row.get(3)?,
                    reports: row.get::<_, i64>(4)?.cast_unsigned(),
                    states: row.get::<_, i64>(5)?.cast_unsigned(),
                    since_state: row.get(6)?,
                    snapshot_at: row.get::<_, i64>(7)?.cast_unsigned(),
                    figures: Figures {
                        total: row.get(8)?,
                        zombies: row.get(9)?,
                        deaths: row.get(10)?,
                        dead_zombies: row.get(11)?,
                        immune: row.get(12)?,
                    },
                    contacts: row.get::<_, i64>(13)?.cast_unsigned(),
                    infections: row.get::<_, i64>(14)?.cast_unsigned(),
                    strays: row.get::<_, i64>(16)?.cast_unsigned(),
                    written_us: row.get(17)?,
                    clock: row.get_ref(18)?.as_blob_or_null()?.map(RunClock::from_bytes).unwrap_or_default(),
                    fleet: None,
                    field: row
                        .get::<_, bool>(19)?
                        .then(|| row.get::<_, String>(20))
                        .transpose()?
                        .map(|parameters| field_of(&parameters)),
                })
            })
            .optional()
    };
    if let Some(mut row) = find()? {
        row.fleet = population(transaction, row.id, uuid)?;
        return Ok(Some(row));
    }
    let deleted =
        transaction.prepare_cached("select 1 from deleted_run where uuid = ?")?.exists([uuid.as_bytes()])?;
    if deleted {
        return Ok(None);
    }
    transaction.prepare_cached("insert into run (uuid) values (?)")?.execute([uuid.as_bytes()])?;
    find()?.map(Some).ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// The field of a run by its parameters, a JSON object.
fn field_of(parameters: &str) -> [i64; 2] {
    validity::field_of(&serde_json::from_str(parameters).unwrap_or_default())
}

/// The people of a run, if it is a fleet.
pub(super) fn population(
    connection: &Connection,
    run: i64,
    uuid: Uuid,
) -> rusqlite::Result<Option<Population>> {
    connection
        .prepare_cached("select base, people, shard_people from fleet where run = ?")?
        .query_row([run], |row| {
            let base = Uuid::from_bytes(row.get(0)?);
            Ok(Population { run: uuid, base, people: row.get(1)?, shard_people: row.get(2)? })
        })
        .optional()
}

/// Writes what a commit may have changed.
pub(super) fn save(transaction: &Transaction<'_>, row: &RunRow) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "update run set started_us = ?, last_us = ?, nodes = ?, reports = ?, states = ?, since_state = ?,
                            snapshot_at = ?, total = ?, zombies = ?, deaths = ?, dead_zombies = ?, immune = ?,
                            contacts = ?, infections = ?, strays = ?, written_us = ?, recent = ?
             where id = ?",
        )?
        .execute(params![
            row.started_us,
            row.last_us,
            row.nodes,
            row.reports.cast_signed(),
            row.states.cast_signed(),
            row.since_state,
            row.snapshot_at.cast_signed(),
            row.figures.total,
            row.figures.zombies,
            row.figures.deaths,
            row.figures.dead_zombies,
            row.figures.immune,
            row.contacts.cast_signed(),
            row.infections.cast_signed(),
            row.strays.cast_signed(),
            row.written_us,
            row.clock.to_bytes(),
            row.id,
        ])?;
    Ok(())
}

/// Writes what a run says of itself, if it has not said so before.
pub(super) fn announce(
    transaction: &Transaction<'_>,
    row: &mut RunRow,
    announcement: &Announcement,
    now_us: i64,
) -> rusqlite::Result<()> {
    let kind = match announcement.kind {
        RunKind::Nodes => "nodes",
        RunKind::Fleet => "fleet",
    };
    let parameters = serde_json::to_string(&announcement.parameters).unwrap_or_else(|_| "{}".to_owned());
    let changed = transaction
        .prepare_cached(
            "update run set name = ?, kind = ?, seed = ?, scenario = ?, parameters = ?, announced = 1, started_us = ?,
                            written_us = ?, forked_from = ?
             where id = ? and announced = 0",
        )?
        .execute(params![
            announcement.name,
            kind,
            announcement.seed.to_string(),
            announcement.scenario,
            parameters,
            announcement.started_us,
            now_us,
            announcement.forked_from.as_ref().and_then(|from| serde_json::to_string(from).ok()),
            row.id,
        ])?;
    if changed == 0 {
        return Ok(());
    }
    row.started_us = Some(announcement.started_us);
    row.field = Some(field_of(&parameters));
    row.written_us = Some(now_us);
    // Contacts that are there keep the window they were stored with, so it must not change under them.
    if announcement.kind == RunKind::Fleet && row.contacts == 0 {
        row.window_us = FLEET_WINDOW_US;
        transaction
            .prepare_cached("update run set window_us = ? where id = ?")?
            .execute(params![row.window_us, row.id])?;
    }
    Ok(())
}
