//! Batches, in one transaction.

mod cache;
mod frames;
mod run_batch;

pub(super) use cache::Cache;

use super::run_row;
use crate::error::FoundOffset;
use crate::{
    AnnouncementRecord, Batch, Committed, REJECTED_BYTES_MAX, REJECTED_KEPT, Rejected, ReportRecord, validity,
};
use run_batch::RunBatch;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use uuid::Uuid;

/// Why batches are not in.
pub(super) enum CommitFailure {
    /// One of them is not what the store expects next of its partition.
    Fenced {
        partition: i32,
        expected: (i64, i64),
        found: FoundOffset,
    },
    Sqlite(rusqlite::Error),
}

impl CommitFailure {
    fn fenced(batch: &Batch, found: FoundOffset) -> Self {
        Self::Fenced { partition: batch.partition, expected: (batch.epoch, batch.from), found }
    }
}

impl From<rusqlite::Error> for CommitFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Writes batches, all or none. After a failure the cache is to be thrown away.
pub(super) fn commit(
    connection: &mut Connection,
    cache: &mut Cache,
    batches: &[&Batch],
) -> Result<Vec<Committed>, CommitFailure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    cache.refresh(&transaction)?;
    let mut committed = Vec::with_capacity(batches.len());
    for batch in batches {
        committed.push(write(&transaction, cache, batch)?);
    }
    transaction.commit()?;
    cache.trim();
    Ok(committed)
}

/// Writes one batch.
fn write(
    transaction: &Transaction<'_>,
    cache: &mut Cache,
    batch: &Batch,
) -> Result<Committed, CommitFailure> {
    // The update at the end decides; this look spares the work for a batch that is fenced already.
    let found = found_offset(transaction, batch.partition)?;
    let Some(life) = found.1.filter(|_| found.0.0 == Some((batch.epoch, batch.from))) else {
        return Err(CommitFailure::fenced(batch, found.0));
    };
    let log_rule = cache.log_rule;
    let mut committed = Committed::default();
    for AnnouncementRecord { announcement, .. } in &batch.announcements {
        match cache.run(transaction, announcement.run)? {
            Some(run) => run_row::announce(transaction, &mut run.row, announcement, batch.now_us)?,
            None => skip(transaction, announcement.run, 1, &mut committed)?,
        }
    }
    let mut refused = Vec::new();
    for (uuid, records) in by_run(&batch.reports) {
        let Some(run) = cache.run(transaction, uuid)? else {
            skip(transaction, uuid, records.len(), &mut committed)?;
            continue;
        };
        let (is_fleet, field) = (run.row.fleet.is_some(), run.row.field);
        let before = refused.len();
        let taken: Vec<_> = records
            .into_iter()
            .filter(|record| keep_or_refuse(record, uuid, (is_fleet, field), &mut refused))
            .collect();
        if taken.is_empty() && refused.len() > before {
            continue;
        }
        let mut writing = RunBatch::new(transaction, run, batch, (log_rule, life.since_us));
        for record in taken {
            writing.take(&record.report)?;
        }
        if writing.write(&mut committed)? {
            run.homes.keep_only(batch.partition);
        }
    }
    frames::write(transaction, cache, batch, &mut committed, &mut refused)?;
    committed.rejected = refused.len() as u64;
    insert_rejected(transaction, batch, life.number, &refused)?;
    insert_gaps(transaction, batch, life.number)?;
    let moved = transaction
        .prepare_cached(
            "update partition_offset set next = ?1, records = records + ?2, rejected = rejected + ?3,
                 mark = case when ?4 then null else coalesce(?5, mark) end,
                 life = life + ?4, earlier_records = case when ?4 then records + ?2 else earlier_records end,
                 replaced_us = case when ?4 then ?6 else replaced_us end
             where partition = ?7 and epoch = ?8 and next = ?9",
        )?
        .execute(params![
            batch.next(),
            batch.records().cast_signed(),
            (batch.rejected.len() + refused.len()).cast_signed(),
            batch.replaced,
            batch.mark.filter(|_| !batch.replaced),
            batch.now_us,
            batch.partition,
            batch.epoch,
            batch.from
        ])?;
    if moved == 0 {
        return Err(CommitFailure::fenced(batch, found_offset(transaction, batch.partition)?.0));
    }
    Ok(committed)
}

/// Which of the partition's logs a batch is of.
#[derive(Debug, Clone, Copy)]
struct Life {
    number: u32,
    /// When it was found to be another one than before.
    since_us: Option<i64>,
}

/// What the store expects next of a partition.
fn found_offset(
    transaction: &Transaction<'_>,
    partition: i32,
) -> rusqlite::Result<(FoundOffset, Option<Life>)> {
    let found = transaction
        .prepare_cached("select epoch, next, life, replaced_us from partition_offset where partition = ?")?
        .query_row([partition], |row| {
            Ok(((row.get(0)?, row.get(1)?), Life { number: row.get(2)?, since_us: row.get(3)? }))
        })
        .optional()?;
    Ok((FoundOffset(found.map(|(place, _)| place)), found.map(|(_, life)| life)))
}

/// The reports of each run, in their order. A report without a run belongs to the run with the nil UUID.
fn by_run(records: &[ReportRecord]) -> Vec<(Uuid, Vec<&ReportRecord>)> {
    let mut runs: Vec<(Uuid, Vec<&ReportRecord>)> = Vec::new();
    let mut places: HashMap<Uuid, usize> = HashMap::new();
    for record in records {
        let uuid = record.report.run.unwrap_or(Uuid::nil());
        let place = *places.entry(uuid).or_insert_with(|| {
            runs.push((uuid, Vec::new()));
            runs.len() - 1
        });
        runs[place].1.push(record);
    }
    runs
}

/// Whether a report can be of its run; one that cannot is put aside.
fn keep_or_refuse(
    record: &ReportRecord,
    run: Uuid,
    (is_fleet, field): (bool, Option<[i64; 2]>),
    refused: &mut Vec<Rejected>,
) -> bool {
    let Err(reason) = validity::check_report(&record.report, is_fleet, field) else { return true };
    let (offset, bytes) = (record.offset, record.report.encode());
    refused.push(Rejected { offset, reason: reason.to_owned(), run: Some(run), bytes });
    false
}

/// Counts records of a run that was deleted, here and on its tombstone.
fn skip(
    transaction: &Transaction<'_>,
    run: Uuid,
    records: usize,
    committed: &mut Committed,
) -> rusqlite::Result<()> {
    committed.skipped += records as u64;
    transaction
        .prepare_cached("update deleted_run set skipped = skipped + ? where uuid = ?")?
        .execute(params![records.cast_signed(), run.as_bytes()])?;
    Ok(())
}

fn insert_rejected(
    transaction: &Transaction<'_>,
    batch: &Batch,
    life: u32,
    refused: &[Rejected],
) -> rusqlite::Result<()> {
    if batch.rejected.is_empty() && refused.is_empty() {
        return Ok(());
    }
    let mut statement = transaction.prepare_cached(
        "insert or ignore into rejected (partition, life, record_offset, at_us, reason, run, bytes)
         values (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for Rejected { offset, reason, run, bytes } in batch.rejected.iter().chain(refused) {
        let kept = &bytes[..bytes.len().min(REJECTED_BYTES_MAX)];
        statement.execute(params![
            batch.partition,
            life,
            offset,
            batch.now_us,
            reason,
            run.as_ref().map(Uuid::as_bytes),
            kept
        ])?;
    }
    transaction
        .prepare_cached("delete from rejected where rowid <= (select max(rowid) from rejected) - ?")?
        .execute([REJECTED_KEPT])?;
    Ok(())
}

fn insert_gaps(transaction: &Transaction<'_>, batch: &Batch, life: u32) -> rusqlite::Result<()> {
    for gap in &batch.gaps {
        transaction
            .prepare_cached(
                "insert or ignore into gap (partition, life, from_offset, to_offset, at_us, reason)
                 values (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![batch.partition, life, gap.from, gap.to, batch.now_us, gap.reason])?;
    }
    Ok(())
}
