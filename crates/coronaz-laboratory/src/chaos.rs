//! Faults to order: a laboratory that is broken on purpose, watched as a visitor watches, and audited.
//!
//! - [`fault`]: what can be broken, and what each kind needs to be told
//! - [`schedule`]: which faults when: from a seed, the paper's six, or a file
//! - `draws`: the chance of a schedule, a function of its seed
//! - [`proxy`]: a TCP proxy between two parts: cut, stall, delay, reset, half open
//! - `frames`: where a broker tells its clients its address, the proxy's is put
//! - [`air`]: a relay between two groups of devices: split, loss, delay, doubles
//! - [`stage`]: the parts, with the proxies between them
//! - [`ground`]: what is broken: a laboratory of our own, or one that runs already
//! - `tools`: what a fault does to a process: limits, clocks
//! - `records`: copies of what is on the topic, shuffled copies, and poison
//! - `poison`: the poisoned records themselves
//! - `inject`: begins and ends each fault
//! - [`visitor`]: what somebody at the page sees: down times
//! - [`silence`]: which group of devices stopped reporting, beyond what the faults explain
//! - `settle`: waits until everything that was sent is stored
//! - [`conduct`](mod@conduct): the whole, from the first part's start to the report
//! - [`report`]: what was done, seen and found
//! - `picture`: the timeline; `page`: the report as HTML; `table`: the report for a terminal

pub mod air;
pub mod conduct;
mod draws;
pub mod fault;
mod frames;
pub mod ground;
mod inject;
mod page;
mod picture;
mod poison;
pub mod proxy;
mod records;
pub mod report;
pub mod schedule;
mod settle;
pub mod silence;
pub mod stage;
mod table;
mod tools;
pub mod visitor;

pub use conduct::{ChaosError, Order, conduct};
pub use fault::{Event, Kind};
pub use report::Report;
pub use schedule::{Cast, Schedule};
