//! The embedded store: one SQLite file in WAL mode, one writer at a time, readers beside it.
//!
//! - `connection`: opening, settings, and what SQLite's errors mean to us
//! - `schema`: the form of the file, and bringing an older one up to date
//! - `writer`: [`crate::Ingestion`]; `lease`: its leases; `commit`: one batch
//! - `soundness`: whether the file is whole; `log_file`: what stands beside it, and how it comes into it
//! - `store_file`: the file as a writer has it; `administration`: deleting runs, `removal`: row by row
//! - `run_row`, `person_rows`, `contact_rows`, `snapshot_rows`, `fleet_rows`: what a commit reads and writes of each
//! - `people_log`: what is known of people in large runs until it is a row; `person_bytes`: in which form
//! - `pool`: connections of readers; `reader`: [`crate::Queries`]; `read_*`: its questions
//! - `hold`: somebody else's lock on it
//! - `read_fleet`, `read_meetings`: those about a fleet, whose people are in frames

mod administration;
mod commit;
mod connection;
mod contact_rows;
mod fleet_rows;
mod hold;
mod lease;
mod log_file;
mod people_log;
mod person_bytes;
mod person_rows;
mod pool;
mod read_audit;
mod read_back;
mod read_contacts;
mod read_fleet;
mod read_meetings;
mod read_nodes;
mod read_runs;
mod read_states;
mod reader;
mod removal;
mod run_row;
mod schema;
mod snapshot_rows;
mod soundness;
mod store_file;
mod writer;

pub(crate) use administration::SqliteAdministration;
pub use hold::WriteLock;
pub(crate) use log_file::settle_file;
pub(crate) use reader::SqliteQueries;
pub(crate) use writer::SqliteIngestion;
