//! The auditor's questions.

use super::fleet_rows::each_frame;
use super::people_log;
use super::pool::{Failure, Pool, run_id};
use super::read_fleet::fleet;
use super::read_runs::unsigned;
use crate::ledger::{Lateness, Ledger, Ledgers, ShardKept};
use crate::view::{Claimed, Node, Session};
use coronaz_wire::report::contact_digest;
use rusqlite::{Row, Transaction, params};
use std::ops::ControlFlow;
use uuid::Uuid;

/// Frames of a fleet by tick, shard, part.
pub(super) fn fleet_frames(
    transaction: &Transaction<'_>,
    run: Uuid,
    (from, to): (u64, u64),
    visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let Some(fleet) = fleet(transaction, run)? else { return Ok(()) };
    for tick in from..=to {
        let tick = i64::try_from(tick).unwrap_or(i64::MAX);
        for shard in 0..fleet.population.shards() {
            let mut answer = ControlFlow::Continue(());
            each_frame(transaction, fleet.run, shard, (tick, tick), |bytes| {
                answer = visit(bytes);
                answer
            })?;
            if answer.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// How far each shard is in; those of which nothing is there are missing.
pub(super) fn fleet_shards(transaction: &Transaction<'_>, run: Uuid) -> Result<Vec<ShardKept>, Failure> {
    let Some(fleet) = fleet(transaction, run)? else { return Ok(Vec::new()) };
    let end = |which: &str, shard: u32| -> rusqlite::Result<Option<i64>> {
        transaction
            .prepare_cached(&format!("select {which}(tick) from fleet_frame where run = ? and shard = ?"))?
            .query_row(params![fleet.run, shard], |row| row.get(0))
    };
    let mut shards = Vec::new();
    for shard in 0..fleet.population.shards() {
        if let (Some(first), Some(last)) = (end("min", shard)?, end("max", shard)?) {
            let ticks = transaction
                .prepare_cached("select count(*) from fleet_frame where run = ? and shard = ? and part = 0")?
                .query_row(params![fleet.run, shard], |row| unsigned(row, 0))?;
            let (first, last) = (first.cast_unsigned(), last.cast_unsigned());
            shards.push(ShardKept { shard, first, last, ticks });
        }
    }
    Ok(shards)
}

/// What the devices say, and what is there.
pub(super) fn ledgers(pool: &Pool, transaction: &Transaction<'_>, run: Uuid) -> Result<Ledgers, Failure> {
    let id = run_id(transaction, run)?;
    let ids = pool.ids(transaction, id)?;
    let (reports, contacts) = transaction
        .prepare_cached("select reports, contacts from run where id = ?")?
        .query_row([id], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
    let report_rows = transaction
        .prepare_cached("select count(*) from node_state where run = ?")?
        .query_row([id], |row| unsigned(row, 0))?;
    let mut nodes: Vec<Ledger> = (0..)
        .zip(ids.iter())
        .map(|(slot, &id)| Ledger {
            node: Node { slot, id },
            sessions: Vec::new(),
            latest_us: None,
            counted: 0,
            kept: Claimed { contacts: 0, digest: 0 },
        })
        .collect();
    add_sessions(transaction, id, &mut nodes)?;
    let mut statement = transaction
        .prepare_cached("select person, other, time_us from contact where run = ? order by window")?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let (person, other): (u32, u32) = (row.get(0)?, row.get(1)?);
        let other = ids.get(other as usize).copied().unwrap_or_default();
        let Some(ledger) = nodes.get_mut(person as usize) else { continue };
        let kept = &mut ledger.kept;
        kept.contacts += 1;
        kept.digest = kept.digest.wrapping_add(contact_digest(ledger.node.id, other, row.get(2)?));
    }
    Ok(Ledgers { nodes, reports, report_rows, contacts })
}

fn add_sessions(transaction: &Transaction<'_>, run: i64, nodes: &mut [Ledger]) -> Result<(), Failure> {
    let mut statement = transaction.prepare_cached(
        "select slot, time_us, contacts, start_us, next_seq, gaps, claimed_contacts, claimed_digest
         from node_latest where run = ?",
    )?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let Some(ledger) = nodes.get_mut(row.get::<_, u32>(0)? as usize) else { continue };
        ledger.latest_us = Some(row.get(1)?);
        ledger.counted = unsigned(row, 2)?;
        ledger.sessions.push(session_from(row, 3)?);
    }
    people_log::each_entry(transaction, run, |slot, person| {
        let (Some(ledger), Some(latest)) = (nodes.get_mut(slot as usize), person.latest) else { return };
        ledger.latest_us = Some(latest.time_us);
        ledger.counted = person.contacts;
        // The newest start of a device is the only one yet.
        ledger.sessions.clear();
        ledger.sessions.push(person.session.view());
    })?;
    let mut statement = transaction.prepare_cached(
        "select slot, start_us, next_seq, gaps, claimed_contacts, claimed_digest from node_session
         where run = ? order by slot, start_us desc",
    )?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let Some(ledger) = nodes.get_mut(row.get::<_, u32>(0)? as usize) else { continue };
        ledger.sessions.push(session_from(row, 1)?);
    }
    Ok(())
}

/// Five columns: `start_us`, `next_seq`, gaps, `claimed_contacts`, `claimed_digest`.
fn session_from(row: &Row<'_>, at: usize) -> rusqlite::Result<Session> {
    let contacts: Option<i64> = row.get(at + 3)?;
    let digest: Option<i64> = row.get(at + 4)?;
    Ok(Session {
        start_us: row.get(at)?,
        next_seq: unsigned(row, at + 1)?,
        gaps: row.get(at + 2)?,
        claimed: contacts.zip(digest).map(|(contacts, digest)| Claimed {
            contacts: contacts.cast_unsigned(),
            digest: digest.cast_unsigned(),
        }),
    })
}

/// How many reports or ticks came later than `after_us` after their time. A report came at the latest when the
/// next moment was drawn, and before the one before it was not.
pub(super) fn lateness(transaction: &Transaction<'_>, run: Uuid, after_us: i64) -> Result<Lateness, Failure> {
    let is_fleet = fleet(transaction, run)?.is_some();
    let run = run_id(transaction, run)?;
    if is_fleet {
        return Ok(transaction
            .prepare_cached(
                "select count(*), coalesce(sum(arrived_us - time_us > ?2), 0), coalesce(max(arrived_us - time_us), 0)
                 from state where run = ?1 and arrived_us is not null",
            )?
            .query_row(params![run, after_us], |row| {
                Ok(Lateness { judged: unsigned(row, 0)?, late: unsigned(row, 1)?, largest_us: row.get(2)? })
            })?);
    }
    let mut lateness = Lateness::default();
    let mut states =
        transaction.prepare_cached("select reports, arrived_us from state where run = ? order by k")?;
    let mut states = states.query([run])?;
    let mut reports =
        transaction.prepare_cached("select report, time_us from node_state where run = ? order by report")?;
    let mut reports = reports.query([run])?;
    while let Some(state) = states.next()? {
        let (until, arrived_us): (i64, Option<i64>) = (state.get(0)?, state.get(1)?);
        while let Some(report) = reports.next()? {
            if let Some(arrived_us) = arrived_us {
                let late_us = arrived_us.saturating_sub(report.get(1)?);
                lateness.judged += 1;
                lateness.late += u64::from(late_us > after_us);
                lateness.largest_us = lateness.largest_us.max(late_us);
            }
            // Reports are numbered from 0: this was the last one before the state.
            if report.get::<_, i64>(0)? + 1 >= until {
                break;
            }
        }
    }
    Ok(lateness)
}
