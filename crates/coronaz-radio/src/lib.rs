//! The radio: how devices reach each other. The only crate with a UDP socket.
//!
//! Everything here is synchronous and never waits: a device's owner looks at its radio as often as
//! it likes, and the operating system keeps what arrives in between. So a thousand devices need
//! no thread or wake-up of their own, and nothing between two looks is lost.
//!
//! - [`udp`]: one socket for a device's whole life, broadcast or multicast
//! - [`medium`]: the same in memory, with range, loss and delay
//! - [`ear`]: datagrams to beacons; a stranger's bytes are counted and have no other effect (I-6)
//! - [`refusals`]: the counters of what was refused, logged once a second at most
//! - `cache`: each datagram is read once for all devices of a thread

mod cache;
pub mod ear;
pub mod medium;
pub mod refusals;
pub mod udp;

use std::{io, net::SocketAddrV4};

pub use ear::{Ear, Expectations};
pub use medium::{Medium, MediumRadio};
pub use refusals::{Refusal, RefusalLog, Refusals};
pub use udp::{UdpConfig, UdpError, UdpRadio};

/// The most datagrams taken from a radio in one look. Whoever has time for more looks again; what is beyond stays in the
/// socket's buffer. So a flood takes no more of its hearer's time than the hearer gives.
pub const DATAGRAMS_A_LOOK_MAX: usize = 256;

/// Sends to everybody in the air, and hands out what was in the air since the last look.
pub trait Radio: Send {
    /// Sends one datagram to all.
    ///
    /// # Errors
    /// The operating system refused it. The next may pass.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()>;

    /// Visits what arrived since the last look, at most [`DATAGRAMS_A_LOOK_MAX`], and never waits.
    /// A datagram longer than a beacon may be visited cut off, but still too long.
    ///
    /// # Errors
    /// The operating system failed; what was visited before remains so.
    fn receive(&mut self, visit: &mut dyn FnMut(&[u8], SocketAddrV4)) -> io::Result<usize>;
}
