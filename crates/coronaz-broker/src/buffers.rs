//! How much memory requests may take, whatever is announced.

use std::io::{self, Read};
use std::sync::{Condvar, Mutex, PoisonError};

/// A request of this size or less is not counted: with the most connections there may be, 64 MiB.
const UNCOUNTED_BYTES: usize = 16 * 1024;
/// Emptied buffers kept for the next requests, so that memory is not asked for each time.
const KEPT_MAX: usize = 8;

/// The memory for requests, shared by all connections.
#[derive(Debug)]
pub(crate) struct Buffers {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    left_bytes: usize,
    kept: Vec<Vec<u8>>,
}

/// A request's bytes. Dropping it gives the memory back.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    buffers: &'a Buffers,
    counted_bytes: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Buffers {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::new(State { left_bytes: bytes_max, kept: Vec::new() }), freed: Condvar::new() }
    }

    /// Waits until there is memory for `count` bytes, which must be no more than there is in all. None
    /// is taken from the system before the bytes arrive.
    fn lease(&self, count: usize) -> Lease<'_> {
        if count <= UNCOUNTED_BYTES {
            return Lease { buffers: self, counted_bytes: 0, bytes: Vec::new() };
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.left_bytes < count {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.left_bytes -= count;
        Lease { buffers: self, counted_bytes: count, bytes: state.kept.pop().unwrap_or_default() }
    }

    /// Reads `count` bytes, after `head`.
    ///
    /// # Errors
    /// When they do not come.
    pub(crate) fn read(&self, head: &[u8], count: usize, from: impl Read) -> io::Result<Lease<'_>> {
        let mut lease = self.lease(head.len() + count);
        lease.bytes.extend(head);
        let read = from.take(count as u64).read_to_end(&mut lease.bytes)?;
        if read == count { Ok(lease) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.counted_bytes == 0 {
            return;
        }
        let mut state = self.buffers.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.left_bytes += self.counted_bytes;
        if state.kept.len() < KEPT_MAX {
            self.bytes.clear();
            state.kept.push(std::mem::take(&mut self.bytes));
        }
        drop(state);
        self.buffers.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_more_than_is_left_waits_until_it_is_given_back() {
        let buffers = Buffers::new(100_000);
        let first = buffers.read(&[], 60_000, io::repeat(1)).expect("there is room");
        std::thread::scope(|scope| {
            let second =
                scope.spawn(|| buffers.read(&[7], 60_000, io::repeat(2)).map(|lease| lease.bytes.len()));
            assert_eq!(buffers.state.lock().expect("unharmed").left_bytes, 40_000);
            drop(first);
            assert_eq!(second.join().expect("no panic").expect("there is room now"), 60_001);
        });
        assert_eq!(buffers.state.lock().expect("unharmed").left_bytes, 100_000);
    }

    #[test]
    fn what_is_announced_and_does_not_come_takes_no_memory() {
        let buffers = Buffers::new(64 << 20);
        assert!(buffers.read(&[], 60 << 20, &b"short"[..]).is_err());
        let state = buffers.state.lock().expect("unharmed");
        assert_eq!(state.left_bytes, 64 << 20);
        assert!(state.kept.iter().all(|kept| kept.capacity() < 1 << 20));
    }
}
