//! What tests share.
//!
//! - [`laboratory`]: the real `coronaz up`, started in a folder of its own, and taken apart by tests
//! - [`wait`]: waiting for a thing, not for a time

pub mod laboratory;
pub mod wait;
