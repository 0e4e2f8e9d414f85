//! The laboratory on one machine: every part a child process that can be killed and comes back.
//!
//! - [`plan`]: which parts there are, and how each is called
//! - [`part`]: one child process: started, watched, restarted with a growing pause, stopped
//! - [`logs`]: the parts' output, with the part's name before each line
//! - [`laboratory`]: all parts together, started and stopped in order
//! - [`control`]: the socket over which another shell adds people or asks how things are
//! - [`address`]: listening addresses: taken or free
//! - [`data_dir`]: the folder that holds everything, and its lock
//! - [`journal`]: what devices themselves wrote down
//! - [`audit`]: what was recorded against what is stored
//!
//! How it dies: when the supervising process ends, however it ends, the pipes that are the parts'
//! standard inputs close, and each part stops as if it had been asked to.

pub mod address;
pub mod audit;
pub mod control;
pub mod data_dir;
pub mod journal;
pub mod laboratory;
pub mod logs;
pub mod part;
pub mod plan;

pub use laboratory::{Laboratory, StartError};
pub use plan::{People, Plan};
