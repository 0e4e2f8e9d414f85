//! The bytes CoronaZ promises to others. `docs/protocol.md` is the reference; its golden bytes are
//! read by this crate's tests.
//!
//! Every decoder takes a stranger's bytes: it has a limit, says what is wrong, and never panics (I-6).
//!
//! - [`timestamp`]: microseconds since 1970 as the paper writes them
//! - [`names`]: what a run or a scenario may be called
//! - [`beacon`]: what a device broadcasts
//! - [`seal`]: beacons that only holders of a key can make, each heard once
//! - [`report`]: what a device sends to the topic
//! - [`announcement`]: what a run is, on the same topic
//! - [`frame`]: the people of a fleet at one tick, with its contacts and infections, on the same topic
//! - [`guests`]: the run of those who visit a fleet's world
//! - [`page_frame`]: everybody at one moment, as columns, for the page
//! - [`scenario`]: the file that describes a run
//! - [`wall_clock`]: what time it is, as every part reads it
//! - [`control`]: what an operator asks of a laboratory on this machine

pub mod announcement;
pub mod beacon;
pub mod control;
pub mod frame;
pub mod guests;
mod json;
pub mod names;
pub mod page_frame;
pub mod report;
pub mod scenario;
pub mod seal;
pub mod timestamp;
pub mod wall_clock;

pub use announcement::Announcement;
pub use beacon::Beacon;
pub use json::{DecodeError, TICK_MAX};
pub use report::{Contact, Report, Totals};
pub use scenario::{Scenario, Setting};

/// The content type of a report; also assumed when a record has none.
pub const CONTENT_TYPE_REPORT: &str = "application/json";
/// The content type of a run's announcement.
pub const CONTENT_TYPE_ANNOUNCEMENT: &str = "application/vnd.coronaz.run+json";
/// The content type of a frame.
pub const CONTENT_TYPE_FRAME: &str = "application/vnd.coronaz.frame";
