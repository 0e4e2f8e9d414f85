//! Questions about runs and about the ingest processes.

use super::pool::Failure;
use crate::default_run::{self, AHEAD_US, COMPARED_MAX, Candidate, LIVE_US};
use crate::view::{MissingRecords, Progress, RejectedRecord, Run, RunCursor, RunsPage};
use crate::{Figures, IngestState, IngestStatus, StoreError};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

const RUN_COLUMNS: &str = "uuid, name, kind, seed, scenario, parameters, started_us, last_us, states, nodes, reports, total, zombies, \
     deaths, dead_zombies, immune, contacts, infections, forked_from, written_us";

fn run_from(row: &Row<'_>) -> rusqlite::Result<Run> {
    let parameters: String = row.get(5)?;
    Ok(Run {
        id: Uuid::from_bytes(row.get(0)?),
        name: row.get(1)?,
        kind: row.get(2)?,
        seed: row.get::<_, Option<String>>(3)?.and_then(|seed| seed.parse().ok()),
        scenario: row.get(4)?,
        parameters: serde_json::from_str(&parameters).unwrap_or_default(),
        started_us: row.get(6)?,
        last_us: row.get(7)?,
        moments: unsigned(row, 8)?,
        nodes: unsigned(row, 9)?,
        reports: unsigned(row, 10)?,
        figures: figures(row, 11)?,
        contacts: unsigned(row, 16)?,
        infections: unsigned(row, 17)?,
        forked_from: row.get::<_, Option<String>>(18)?.and_then(|from| serde_json::from_str(&from).ok()),
        written_us: row.get(19)?,
    })
}

/// A count, which SQLite keeps as a signed number.
pub(super) fn unsigned(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(at)?.cast_unsigned())
}

/// Five columns from `at`: total, zombies, deaths, `dead_zombies`, immune.
pub(super) fn figures(row: &Row<'_>, at: usize) -> rusqlite::Result<Figures> {
    Ok(Figures {
        total: row.get(at)?,
        zombies: row.get(at + 1)?,
        deaths: row.get(at + 2)?,
        dead_zombies: row.get(at + 3)?,
        immune: row.get(at + 4)?,
    })
}

pub(super) fn runs(transaction: &Transaction<'_>) -> Result<Vec<Run>, Failure> {
    let runs = transaction
        .prepare_cached(&format!("select {RUN_COLUMNS} from run order by id desc"))?
        .query_map([], run_from)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(runs)
}

pub(super) fn run(transaction: &Transaction<'_>, run: Uuid) -> Result<Run, Failure> {
    transaction
        .prepare_cached(&format!("select {RUN_COLUMNS} from run where uuid = ?"))?
        .query_row([run.as_bytes()], run_from)
        .optional()?
        .ok_or(Failure::Store(StoreError::NoSuchRun(run)))
}

pub(super) fn runs_page(
    transaction: &Transaction<'_>,
    from: Option<RunCursor>,
    limit: usize,
) -> Result<RunsPage, Failure> {
    let from = from.map_or(i64::MAX, |RunCursor(id)| id);
    // One more says where the next page begins.
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = transaction
        .prepare_cached(&format!("select {RUN_COLUMNS}, id from run where id <= ? order by id desc limit ?"))?
        .query_map([from, wanted], |row| Ok((run_from(row)?, RunCursor(row.get(20)?))))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let next = rows.get(limit).map(|&(_, cursor)| cursor);
    rows.truncate(limit);
    Ok(RunsPage { runs: rows.into_iter().map(|(run, _)| run).collect(), next })
}

/// The run to show when none is named.
pub(super) fn default(transaction: &Transaction<'_>, now_us: i64) -> Result<Option<Uuid>, Failure> {
    const COLUMNS: &str = "uuid, id, announced, started_us, last_us, written_us";
    let candidate = |row: &Row<'_>| {
        Ok(Candidate {
            id: Uuid::from_bytes(row.get(0)?),
            order: row.get(1)?,
            announced: row.get(2)?,
            started_us: row.get(3)?,
            last_us: row.get(4)?,
            written_us: row.get(5)?,
        })
    };
    let (since_us, until_us) = (now_us.saturating_sub(LIVE_US), now_us.saturating_add(AHEAD_US));
    let mut candidates = transaction
        .prepare_cached(&format!(
            "select {COLUMNS} from run where states > 0 and written_us between ? and ? order by written_us desc limit ?"
        ))?
        .query_map(params![since_us, until_us, COMPARED_MAX], candidate)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    candidates.extend(
        transaction
            .prepare_cached(&format!(
                "select {COLUMNS} from run where states > 0 and started_us <= ? order by started_us desc, id desc limit 1"
            ))?
            .query_row([until_us], candidate)
            .optional()?,
    );
    if let Some(run) = default_run::choose(candidates, now_us) {
        return Ok(Some(run));
    }
    // All times are wrong, or there is no moment yet.
    for which in ["where states > 0", ""] {
        let newest = transaction
            .prepare_cached(&format!("select uuid from run {which} order by id desc limit 1"))?
            .query_row([], |row| row.get(0).map(Uuid::from_bytes))
            .optional()?;
        if newest.is_some() {
            return Ok(newest);
        }
    }
    Ok(None)
}

pub(super) fn progress(transaction: &Transaction<'_>, run: Uuid) -> Result<Progress, Failure> {
    transaction
        .prepare_cached("select states, reports, last_us from run where uuid = ?")?
        .query_row([run.as_bytes()], |row| {
            Ok(Progress { run, moments: unsigned(row, 0)?, reports: unsigned(row, 1)?, last_us: row.get(2)? })
        })
        .optional()?
        .ok_or(Failure::Store(StoreError::NoSuchRun(run)))
}

pub(super) fn rejected(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<RejectedRecord>, Failure> {
    let rejected = transaction
        .prepare_cached(
            "select partition, record_offset, at_us, reason, bytes from rejected order by rowid desc limit ?",
        )?
        .query_map([limit.cast_signed()], |row| {
            Ok(RejectedRecord {
                partition: row.get(0)?,
                offset: row.get(1)?,
                at_us: row.get(2)?,
                reason: row.get(3)?,
                bytes: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rejected)
}

pub(super) fn gaps(transaction: &Transaction<'_>, limit: usize) -> Result<Vec<MissingRecords>, Failure> {
    let gaps = transaction
        .prepare_cached(
            "select partition, from_offset, to_offset, at_us, reason from gap
             order by partition, life, from_offset limit ?",
        )?
        .query_map([limit.cast_signed()], |row| {
            Ok(MissingRecords {
                partition: row.get(0)?,
                from: row.get(1)?,
                to: row.get(2)?,
                at_us: row.get(3)?,
                reason: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(gaps)
}

pub(super) fn ingest_status(transaction: &Transaction<'_>) -> Result<Vec<IngestStatus>, Failure> {
    let status = transaction
        .prepare_cached(
            "select owner, state, updated_us, started_us, partitions, lag_records, newest_record_us, records, rejected
             from ingest_status order by updated_us desc",
        )?
        .query_map([], |row| {
            let (state, partitions): (String, String) = (row.get(1)?, row.get(4)?);
            Ok(IngestStatus {
                owner: row.get(0)?,
                state: IngestState::parse(&state).unwrap_or(IngestState::Stopped),
                updated_us: row.get(2)?,
                started_us: row.get(3)?,
                partitions: serde_json::from_str(&partitions).unwrap_or_default(),
                lag_records: unsigned(row, 5)?,
                newest_record_us: row.get(6)?,
                records: unsigned(row, 7)?,
                rejected: unsigned(row, 8)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(status)
}
