//! The form of the file, and bringing an older one up to date.

use super::connection::read_error;
use crate::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// Marks the file as ours (`pragma application_id`): "CZS1".
const APPLICATION_ID: i64 = 0x435A_5331;

/// One step for each version; a released one is never changed.
const MIGRATIONS: [&str; 7] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_fleets.sql"),
    include_str!("migrations/0003_arrivals.sql"),
    include_str!("migrations/0004_runs.sql"),
    include_str!("migrations/0005_people.sql"),
    include_str!("migrations/0006_clocks_and_views.sql"),
    include_str!("migrations/0007_lives.sql"),
];

/// The version this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Makes the tables of a new file, or takes an older one to [`VERSION`], all steps in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error| read_error(path, error);
    if check(connection, path)? == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    // Another process may have done it while we waited for the lock.
    let found = check(&transaction, path)?;
    for (version, step) in (1..).zip(MIGRATIONS) {
        if version > found {
            transaction.execute_batch(step).map_err(failed)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    if found < VERSION {
        tracing::info!(store = %path.display(), from = found, to = VERSION, "store schema is up to date");
    }
    Ok(())
}

/// The version of a file that is ours or empty; 0 when it is empty.
///
/// # Errors
/// [`StoreError::NotAStore`] for another program's database, [`StoreError::TooNew`] for a newer version.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    // One statement, so that all three are of one moment: the file may be brought up to date in between.
    let asked = "select application_id, user_version, (select count(*) from sqlite_schema) \
        from pragma_application_id, pragma_user_version";
    let read = connection.query_row(asked, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let (application, version, tables): (i64, i64, i64) = read.map_err(|error| read_error(path, error))?;
    let location = || path.display().to_string();
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        let reason = "it is another program's database".to_owned();
        return Err(StoreError::NotAStore { location: location(), reason });
    }
    if version > VERSION {
        return Err(StoreError::TooNew { location: location(), found: version, supported: VERSION });
    }
    Ok(version)
}
