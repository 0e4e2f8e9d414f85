//! The embedded store: one SQLite file in WAL mode, one writer at a time, readers beside it.
//!
//! - `connection`: opening, settings, and what SQLite's errors mean to us
//! - `schema`: the form of the file, and bringing an older one up to date
//! - `writer`: [`crate::Ingestion`]; `lease`: its leases; `commit`: one batch
//! - `run_row`, `person_rows`, `contact_rows`, `snapshot_rows`, `fleet_rows`: what a commit reads and writes of each
//! - `pool`: connections of readers; `reader`: [`crate::Queries`]; `read_*`: its questions
//! - `read_fleet`, `read_meetings`: those about a fleet, whose people are in frames

mod commit;
mod connection;
mod contact_rows;
mod fleet_rows;
mod lease;
mod person_rows;
mod pool;
mod read_contacts;
mod read_fleet;
mod read_meetings;
mod read_nodes;
mod read_runs;
mod read_states;
mod reader;
mod run_row;
mod schema;
mod snapshot_rows;
mod writer;

pub(crate) use reader::SqliteQueries;
pub(crate) use writer::SqliteIngestion;
