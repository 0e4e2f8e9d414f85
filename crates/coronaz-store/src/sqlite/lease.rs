//! Leases of partitions, in the file.

use crate::{Heartbeat, Held, IngestStatus, Lease, Ownership, PartitionOffset};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::time::Duration;

fn until(now_us: i64, lasts: Duration) -> i64 {
    now_us.saturating_add(i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX))
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Lease>> {
    connection
        .prepare_cached("select partition, owner, epoch, until_us from lease order by partition")?
        .query_map([], |row| {
            Ok(Lease {
                partition: row.get(0)?,
                owner: row.get(1)?,
                epoch: row.get(2)?,
                until_us: row.get(3)?,
            })
        })?
        .collect()
}

pub(super) fn take(
    transaction: &Transaction<'_>,
    partition: i32,
    owner: &str,
    now_us: i64,
    lasts: Duration,
) -> rusqlite::Result<Option<Held>> {
    let lease = transaction
        .prepare_cached("select owner, epoch, until_us from lease where partition = ?")?
        .query_row([partition], |row| {
            Ok(Lease { partition, owner: row.get(0)?, epoch: row.get(1)?, until_us: row.get(2)? })
        })
        .optional()?;
    let epoch = match lease {
        Some(lease) if lease.is_in_force(now_us, lasts) && lease.owner != owner => return Ok(None),
        Some(lease) => lease.epoch + 1,
        None => 1,
    };
    transaction
        .prepare_cached(
            "insert into lease (partition, owner, epoch, until_us) values (?1, ?2, ?3, ?4)
             on conflict (partition) do update set owner = ?2, epoch = ?3, until_us = ?4",
        )?
        .execute(params![partition, owner, epoch, until(now_us, lasts)])?;
    transaction
        .prepare_cached(
            "insert into partition_offset (partition, epoch) values (?1, ?2)
             on conflict (partition) do update set epoch = ?2 returning next, life, mark",
        )?
        .query_row(params![partition, epoch], |row| {
            Ok(Held { partition, epoch, next: row.get(0)?, life: row.get(1)?, mark: row.get(2)? })
        })
        .map(Some)
}

pub(super) fn heartbeat(transaction: &Transaction<'_>, heartbeat: &Heartbeat) -> rusqlite::Result<Ownership> {
    let Heartbeat { status, held, lasts } = heartbeat;
    write_status(transaction, status)?;
    let mut renew = transaction
        .prepare_cached("update lease set until_us = ? where partition = ? and owner = ? and epoch = ?")?;
    let mut lost = Vec::new();
    for &(partition, epoch) in held {
        if renew.execute(params![until(status.updated_us, *lasts), partition, status.owner, epoch])? == 0 {
            lost.push(partition);
        }
    }
    let lasts_us = until(0, *lasts);
    let now_us = status.updated_us;
    let members = transaction
        .prepare_cached(
            "select owner from ingest_status where updated_us between ? and ? and state <> 'stopped' order by owner",
        )?
        .query_map([now_us.saturating_sub(lasts_us), now_us.saturating_add(lasts_us)], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Ownership { lost, leases: all(transaction)?, members })
}

fn write_status(transaction: &Transaction<'_>, status: &IngestStatus) -> rusqlite::Result<()> {
    // Names are made anew with each start; those that ended long ago say nothing any more.
    const KEPT_US: i64 = 24 * 3600 * 1_000_000;
    transaction
        .prepare_cached("delete from ingest_status where updated_us < ?")?
        .execute([status.updated_us.saturating_sub(KEPT_US)])?;
    transaction
        .prepare_cached(
            "insert or replace into ingest_status
                 (owner, state, updated_us, started_us, partitions, lag_records, newest_record_us, records, rejected)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            status.owner,
            status.state.as_str(),
            status.updated_us,
            status.started_us,
            serde_json::to_string(&status.partitions).unwrap_or_default(),
            status.lag_records.cast_signed(),
            status.newest_record_us,
            status.records.cast_signed(),
            status.rejected.cast_signed(),
        ])?;
    Ok(())
}

pub(super) fn release(
    transaction: &Transaction<'_>,
    owner: &str,
    held: &[(i32, i64)],
) -> rusqlite::Result<()> {
    let mut statement = transaction
        .prepare_cached("update lease set until_us = 0 where partition = ? and owner = ? and epoch = ?")?;
    for &(partition, epoch) in held {
        statement.execute(params![partition, owner, epoch])?;
    }
    Ok(())
}

pub(super) fn offsets(connection: &Connection) -> rusqlite::Result<Vec<PartitionOffset>> {
    connection
        .prepare_cached(
            "select partition, epoch, next, records, rejected, life, replaced_us, mark, earlier_records
             from partition_offset order by partition",
        )?
        .query_map([], |row| {
            Ok(PartitionOffset {
                partition: row.get(0)?,
                epoch: row.get(1)?,
                next: row.get(2)?,
                records: row.get::<_, i64>(3)?.cast_unsigned(),
                rejected: row.get::<_, i64>(4)?.cast_unsigned(),
                life: row.get(5)?,
                replaced_us: row.get(6)?,
                mark: row.get(7)?,
                earlier_records: row.get::<_, i64>(8)?.cast_unsigned(),
            })
        })?
        .collect()
}
