//! Removing a run's rows, table by table, a stretch of each key at a time.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Transaction, params, params_from_iter};
use uuid::Uuid;

/// Tables with rows of a run, and what follows the run in their keys. Whoever adds a table adds it here: a test asks the
/// file for all of its tables.
pub(super) const TABLES: [(&str, &[&str]); 13] = [
    ("contact", &["window", "person", "time_us", "other"]),
    ("encounter", &["window", "person", "from_us", "other"]),
    ("node_state", &["report"]),
    ("node_latest", &["slot"]),
    ("node_log", &["batch", "first_slot"]),
    ("node_session", &["slot", "start_us"]),
    ("infection", &["time_us", "infectee"]),
    ("state", &["k"]),
    ("snapshot", &["reports"]),
    ("fleet_frame", &["shard", "tick", "part"]),
    ("fleet_tick", &["tick", "shard"]),
    ("fleet", &[]),
    ("node", &["slot"]),
];

/// Takes a run out of sight of all readers and writers, with a tombstone, and notes that its rows are to be removed.
/// `None`: there is no such run.
pub(super) fn begin(transaction: &Transaction<'_>, run: Uuid, now_us: i64) -> rusqlite::Result<Option<u64>> {
    let id: Option<i64> = transaction
        .prepare_cached("select id from run where uuid = ?")?
        .query_row([run.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(None) };
    let mut rows = transaction.execute("delete from run where id = ?", [id])?;
    rows += transaction.execute("delete from rejected where run = ?", [run.as_bytes()])?;
    transaction.execute("insert or ignore into removal (run) values (?)", [id])?;
    // The run without a name is everybody's: with a tombstone no report without a run would ever be stored again.
    if !run.is_nil() {
        transaction.execute(
            "insert or replace into deleted_run (uuid, at_us) values (?, ?)",
            params![run.as_bytes(), now_us],
        )?;
    }
    Ok(Some(rows as u64))
}

/// Runs (`run.id`) of which rows may be left.
pub(super) fn pending(connection: &Connection) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("select run from removal order by run")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// All rows of the run are gone.
pub(super) fn end(transaction: &Transaction<'_>, run: i64) -> rusqlite::Result<usize> {
    transaction.execute("delete from removal where run = ?", [run])
}

/// Removes about so many rows of a run from a table, the first ones by key; says how many, and whether that was all.
pub(super) fn remove_some(
    transaction: &Transaction<'_>,
    (table, keys): (&str, &[&str]),
    run: i64,
    rows: u32,
) -> rusqlite::Result<(u64, bool)> {
    let end = if keys.is_empty() { None } else { nth_key(transaction, (table, keys), run, rows)? };
    let Some(end) = end else {
        let gone =
            transaction.prepare_cached(&format!("delete from {table} where run = ?"))?.execute([run])?;
        return Ok((gone as u64, true));
    };
    let places = vec!["?"; keys.len()].join(", ");
    let sql = format!("delete from {table} where run = ? and ({}) < ({places})", keys.join(", "));
    let values = std::iter::once(Value::Integer(run)).chain(end);
    let gone = transaction.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok((gone as u64, false))
}

/// The key of a run's row after the first `rows` ones.
fn nth_key(
    transaction: &Transaction<'_>,
    (table, keys): (&str, &[&str]),
    run: i64,
    rows: u32,
) -> rusqlite::Result<Option<Vec<Value>>> {
    let names = keys.join(", ");
    let sql = format!("select {names} from {table} where run = ? order by {names} limit 1 offset ?");
    transaction
        .prepare_cached(&sql)?
        .query_row(params![run, rows], |row| (0..keys.len()).map(|at| row.get(at)).collect())
        .optional()
}
