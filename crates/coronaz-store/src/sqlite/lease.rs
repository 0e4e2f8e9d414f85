//! Leases of partitions, in the file.

use crate::{Held, Lease, PartitionOffset};
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
        .prepare_cached("select epoch, until_us from lease where partition = ?")?
        .query_row([partition], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    if lease.is_some_and(|(_, until_us)| until_us > now_us) {
        return Ok(None);
    }
    let epoch = lease.map_or(0, |(epoch, _)| epoch) + 1;
    transaction
        .prepare_cached(
            "insert into lease (partition, owner, epoch, until_us) values (?1, ?2, ?3, ?4)
             on conflict (partition) do update set owner = ?2, epoch = ?3, until_us = ?4",
        )?
        .execute(params![partition, owner, epoch, until(now_us, lasts)])?;
    let next = transaction
        .prepare_cached(
            "insert into partition_offset (partition, epoch) values (?1, ?2)
             on conflict (partition) do update set epoch = ?2 returning next",
        )?
        .query_row(params![partition, epoch], |row| row.get(0))?;
    Ok(Some(Held { partition, epoch, next }))
}

pub(super) fn renew(
    transaction: &Transaction<'_>,
    owner: &str,
    held: &[(i32, i64)],
    now_us: i64,
    lasts: Duration,
) -> rusqlite::Result<Vec<i32>> {
    let mut statement = transaction
        .prepare_cached("update lease set until_us = ? where partition = ? and owner = ? and epoch = ?")?;
    let mut lost = Vec::new();
    for &(partition, epoch) in held {
        if statement.execute(params![until(now_us, lasts), partition, owner, epoch])? == 0 {
            lost.push(partition);
        }
    }
    Ok(lost)
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
            "select partition, epoch, next, records, rejected from partition_offset order by partition",
        )?
        .query_map([], |row| {
            Ok(PartitionOffset {
                partition: row.get(0)?,
                epoch: row.get(1)?,
                next: row.get(2)?,
                records: row.get::<_, i64>(3)?.cast_unsigned(),
                rejected: row.get::<_, i64>(4)?.cast_unsigned(),
            })
        })?
        .collect()
}
