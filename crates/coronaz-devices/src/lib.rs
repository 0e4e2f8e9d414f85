//! Devices: what people carry, second by second, on a real radio.
//!
//! - [`scenario`]: a scenario file and flags become the model's parameters; the built-in scenarios
//! - [`identity`]: UUIDs that give nobody away
//! - [`device`]: a device and its carrier without input or output
//! - [`steering`]: a carrier that goes where it is told to
//! - [`interactive`]: the commands that tell it
//! - [`outbox`]: what a device still has to tell the broker
//! - [`spool`]: a bounded file that keeps it over a restart; `spool_folder`: its folder, which one process has
//! - [`journal`]: what a device wrote down itself, for the auditor
//! - [`nodes`]: devices of one process, in real time
//! - [`fleet`]: up to millions of computed devices in one process, published as frames
//! - [`lockstep`]: devices tick by tick as fast as they can, to be compared with the model

pub mod device;
pub mod fleet;
pub mod identity;
pub mod interactive;
pub mod journal;
pub mod lockstep;
pub mod nodes;
pub mod outbox;
pub mod scenario;
pub mod spool;
mod spool_folder;
pub mod steering;

pub use device::{Begun, Circumstances, Device, DeviceState, Ended};
pub use nodes::{NodesConfig, NodesError, Stop, Summary};
