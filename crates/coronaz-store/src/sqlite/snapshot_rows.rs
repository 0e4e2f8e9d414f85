//! Snapshots in the file, and the nodes at any moment from them.

use crate::snapshot::{Seats, interval};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::run_row::RunRow;

/// All nodes after the first `reports` reports of a run.
pub(super) fn seats_at(connection: &Connection, run: i64, reports: u64) -> rusqlite::Result<Seats> {
    let snapshot = connection
        .prepare_cached(
            "select reports, bytes from snapshot where run = ? and reports <= ? order by reports desc limit 1",
        )?
        .query_row(params![run, reports.cast_signed()], |row| {
            let packed = row.get_ref(1)?.as_blob()?;
            Ok((row.get::<_, i64>(0)?.cast_unsigned(), Seats::unpack(packed)))
        })
        .optional()?;
    // A snapshot that cannot be read is as good as none: the rows say the same.
    let (from, mut seats) = match snapshot {
        Some((from, Some(seats))) => (from, seats),
        _ => (0, Seats::default()),
    };
    roll(connection, run, &mut seats, from, reports)?;
    Ok(seats)
}

/// Takes the nodes from the moment after `from` reports to that after `to`.
pub(super) fn roll(
    connection: &Connection,
    run: i64,
    seats: &mut Seats,
    from: u64,
    to: u64,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "select slot, x, y, health, time_us from node_state
         where run = ? and report >= ? and report < ? order by report",
    )?;
    let mut rows = statement.query(params![run, from.cast_signed(), to.cast_signed()])?;
    while let Some(row) = rows.next()? {
        seats.apply(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
    }
    Ok(())
}

/// Takes a snapshot when enough reports have come since the one before.
pub(super) fn take_if_due(transaction: &Transaction<'_>, row: &mut RunRow) -> rusqlite::Result<()> {
    if row.reports - row.snapshot_at < interval(u64::from(row.nodes)) {
        return Ok(());
    }
    let seats = seats_at(transaction, row.id, row.reports)?;
    transaction
        .prepare_cached("insert or replace into snapshot (run, reports, nodes, bytes) values (?, ?, ?, ?)")?
        .execute(params![row.id, row.reports.cast_signed(), seats.0.len().cast_signed(), seats.pack()])?;
    row.snapshot_at = row.reports;
    Ok(())
}
