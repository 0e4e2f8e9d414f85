//! A MongoDB, or what speaks its protocol, as the store: right without transactions.
//!
//! - `url`: the address and its password; `server`: the connection, the collections and their indexes
//! - `trouble`: what the driver's errors mean to us; `codec`: values as they stand in documents
//! - `head`: a run's counters; `log`: a run's commits, and how one happens once; `redo`: what a commit changes
//! - `writer`: [`crate::Ingestion`]; `work`: a batch cut into commits; `partitions`: leases and offsets
//! - `cache`: what a writer remembers; `reports`, `person`, `contacts`, `late`, `history`, `frames`, `rejected`: the rows
//! - `reader`: [`crate::Queries`]; `view`, `read_*`: its questions
//! - `administration`: [`crate::Administration`]
//!
//! `docs/decisions/store-mongodb.md` says how it holds together.

mod administration;
mod cache;
mod codec;
mod contacts;
mod frames;
mod head;
mod history;
mod late;
mod log;
mod partitions;
mod person;
mod read_fleet;
mod read_lateness;
mod read_meetings;
mod read_nodes;
mod reader;
mod redo;
mod rejected;
mod reports;
mod server;
mod trouble;
mod url;
mod view;
mod work;
mod writer;

pub(crate) use administration::MongoAdministration;
pub(crate) use reader::MongoQueries;
pub use url::MongoUrl;
pub(crate) use writer::MongoIngestion;
