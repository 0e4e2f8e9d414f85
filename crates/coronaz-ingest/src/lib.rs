//! From the bus to the store: every record once, whatever dies on the way.
//!
//! Two threads and two queues. The *reader* polls the bus, decodes and gathers batches; the *writer* owns the
//! store: it takes partitions, keeps their leases alive and commits batches. Batches go one way through a
//! short bounded queue, news of partitions the other way. Both are plain values that are told the time and take
//! one turn after another, so that tests drive them without threads; [`run()`] gives each its thread.
//!
//! - [`config`]: what can be set, with defaults
//! - `decode`: a record's bytes to what the store takes, or a reason to reject it
//! - `gather`: batches by count, by time, by size, and at once when a node dies
//! - `reader`: the polling side; `writer`: the storing side; `news`: what they tell each other
//! - `sharing`: which partitions are mine when there are several of us
//! - `split`: finds the record in a batch that the store refuses
//! - `retention`: old runs go by themselves
//! - `backoff`: how long to wait for a store that is away
//! - `tally`: what is counted and logged
//! - `drive`: the two threads, from start to stop

mod backoff;
pub mod config;
mod decode;
mod drive;
mod gather;
mod news;
mod reader;
mod retention;
mod sharing;
#[cfg(test)]
mod simulation;
mod split;
mod tally;
mod writer;

pub use config::IngestConfig;
pub use drive::{IngestError, run};
pub use retention::Retention;
