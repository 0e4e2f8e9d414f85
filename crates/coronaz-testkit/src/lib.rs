//! What tests share.
//!
//! - [`laboratory`]: the real `coronaz up`, started in a folder of its own, and taken apart by tests
//! - [`radio`]: radio addresses that no other socket has
//! - [`small_disk`]: a disk that can be full
//! - [`wait`]: waiting for a thing, not for a time

pub mod laboratory;
pub mod radio;
pub mod small_disk;
pub mod wait;
