//! Radio addresses for tests.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports that the system gives to nobody by itself: it takes those from 32,768 on for sockets that only send, and every
/// device has one of these.
const FIRST: u16 = 20_000;
const COUNT: u16 = 7_000;

/// A radio address on this machine with a port that no other socket has. Another call gives another one.
///
/// # Panics
/// When all ports are taken.
pub fn free_radio() -> String {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Tests of several processes begin at different places.
    let begin = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or_default();
    for _ in 0..COUNT {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + begin.wrapping_add(step) % COUNT;
        if UdpSocket::bind(("0.0.0.0", port)).is_ok() {
            return format!("127.255.255.255:{port}");
        }
    }
    panic!("no port from {FIRST} on is free");
}
