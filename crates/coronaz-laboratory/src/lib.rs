//! The laboratory on one machine: every part a child process that can be killed and comes back.
//!
//! - [`plan`]: which parts there are, and how each is called
//! - [`part`]: one child process: started, watched, restarted with a growing pause, stopped
//! - [`logs`]: the parts' output, with the part's name before each line
//! - [`usage`]: what a process takes of the machine
//! - [`laboratory`]: all parts together, started and stopped in order; [`runs`]: runs side by side, started and
//!   stopped while it goes on; `going_on`: and gone on with by the next one; [`register`]: how they were begun, and what
//!   became of them; [`jobs`]: audits and schedules of faults
//! - [`orders`]: what an operator asks for, carried out
//! - [`control`]: the socket over which another shell, or the server, asks for it
//! - [`ready`]: whether the page answers
//! - [`address`]: listening addresses: taken or free
//! - [`data_dir`]: the folder that holds everything, and its lock
//! - [`set_aside`](mod@set_aside): damaged files, kept under a name of their own
//! - [`journal`]: what devices themselves wrote down
//! - [`audit`]: what was recorded against what is stored
//! - [`mod@chaos`]: a laboratory broken on purpose, watched, and audited
//!
//! How it dies: when the supervising process ends, however it ends, the pipes that are the parts'
//! standard inputs close, and each part stops as if it had been asked to; devices do not die of it.

pub mod address;
pub mod audit;
pub mod chaos;
pub mod control;
pub mod data_dir;
mod going_on;
pub mod jobs;
pub mod journal;
pub mod laboratory;
pub mod logs;
pub mod orders;
pub mod part;
pub mod plan;
pub mod ready;
pub mod register;
pub mod runs;
pub mod set_aside;
pub mod usage;

pub use laboratory::{Extras, Laboratory, StartError};
pub use plan::{People, Plan};
