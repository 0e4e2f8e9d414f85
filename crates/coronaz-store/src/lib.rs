//! What the laboratory keeps, and the two ways to it: [`Ingestion`] writes, [`Queries`] reads.
//!
//! - [`batch`]: what an ingest process hands over in one piece
//! - [`ingestion`]: the writing side: partitions, leases, and the commit that happens once or not at all
//! - [`queries`]: the reading side; [`view`]: what it answers; [`ledger`]: what it answers the auditor
//! - [`administration`]: deleting runs, at once or by age
//! - [`export`]: a run's tables, row by row, and as CSV
//! - [`location`]: which store a URL names, and opening it
//! - [`error`]: what can go wrong, by operation
//! - [`validity`]: what records can say of a run
//! - [`figures`]: health, and the figures counted from it
//! - `run_clock`, `default_run`, `encounter`, `chains`, `seen`, `snapshot`, `paging`: the rules of the store that need no database
//! - `sqlite`: the embedded store; `mongodb`: a MongoDB, or what speaks its protocol
//!
//! Exactly once, in one sentence: the rows of a batch and the offset after it are written in one
//! transaction, which succeeds only for the partition's owner of this epoch and only from the offset that
//! the store expects; whoever reads a record twice, lost the partition or comes from the past fails.
//! `docs/decisions/store.md` says why things are as they are.

pub mod administration;
pub mod batch;
mod chains;
mod default_run;
mod encounter;
pub mod error;
pub mod export;
pub mod figures;
pub mod ingestion;
pub mod ledger;
pub mod location;
mod mongodb;
mod paging;
pub mod queries;
mod run_clock;
mod seen;
mod snapshot;
mod sqlite;
pub mod validity;
pub mod view;

pub use administration::{Administration, Deleted, DeletedRun};
pub use batch::{AnnouncementRecord, Batch, FrameRecord, Gap, Rejected, ReportRecord};
pub use error::{CommitError, StoreError};
pub use figures::{Figures, Health};
pub use ingestion::{
    Committed, Heartbeat, Held, IngestState, IngestStatus, Ingestion, Lease, Mark, Ownership, PartitionOffset,
};
pub use location::{ParseLocationError, StoreLocation};
pub use mongodb::MongoUrl;
pub use queries::{At, Queries};
pub use sqlite::WriteLock;

/// Length of the windows of time that stand before the person in the keys of contacts and encounters
/// (microseconds). Long enough that a question about a day is a few hundred look-ups, short enough that
/// what is being written stays in memory.
pub const WINDOW_US: i64 = 300_000_000;

/// The same for runs of fleets, whose contacts are so many that five minutes of them do not stay in memory.
pub const FLEET_WINDOW_US: i64 = 60_000_000;

/// Contacts of a pair at most this far apart belong to one encounter (microseconds). Devices hear each other
/// once a second; ten in a row lost is a parting, not noise.
pub const ENCOUNTER_GAP_US: i64 = 10_000_000;

/// Bytes kept of a rejected record.
pub const REJECTED_BYTES_MAX: usize = 64 * 1024;

/// Rejected records kept; the partition's counter counts them all. Strangers can send what they like, so the
/// room for it has an end.
pub const REJECTED_KEPT: i64 = 10_000;
