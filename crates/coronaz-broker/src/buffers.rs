//! How much memory requests may take, whatever is announced.
//!
//! Memory is taken as bytes arrive, a step at a time. Many requests that each have some of it and want more
//! could stand in each other's way for ever, so the last part is kept for the one that began first: it
//! always completes, and after it the next. One whose bytes do not come is given up as soon as others wait.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The first bytes of a request are not counted: with the most connections there may be, 64 MiB.
const UNCOUNTED_BYTES: usize = 16 * 1024;
/// How much is taken at a time beyond them.
const STEP_BYTES: usize = 64 * 1024;
/// A request that takes longer than this is given up when there is no memory left for others. On the
/// networks that this broker is for, 4 MiB take a twentieth of it.
const SLOW: Duration = Duration::from_secs(2);
/// How often who waits for memory looks whether another has become slow.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Emptied buffers kept for the next requests, so that memory is not asked for each time.
const KEPT_MAX: usize = 8;

/// The memory for requests, shared by all connections.
#[derive(Debug)]
pub(crate) struct Buffers {
    /// Kept for the request that began first.
    reserve_bytes: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    left_bytes: usize,
    kept: Vec<Vec<u8>>,
    /// Requests that are not there in whole yet, in the order in which they began.
    arriving: BTreeMap<u64, Arriving>,
    begun: u64,
}

#[derive(Debug)]
struct Arriving {
    since: Instant,
    is_given_up: Arc<AtomicBool>,
}

/// A request's bytes. Dropping it gives the memory back.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    buffers: &'a Buffers,
    counted_bytes: usize,
    /// While it is arriving, and has counted bytes or waits for some.
    turn: Option<(u64, Arc<AtomicBool>)>,
    pub(crate) bytes: Vec<u8>,
}

impl Buffers {
    /// Memory of so many bytes, for requests of which the largest takes `request_bytes_max`.
    pub(crate) fn new(bytes_max: usize, request_bytes_max: usize) -> Self {
        let state = State { left_bytes: bytes_max, kept: Vec::new(), arriving: BTreeMap::new(), begun: 0 };
        Self { reserve_bytes: request_bytes_max, state: Mutex::new(state), freed: Condvar::new() }
    }

    /// Reads `count` bytes, after `head`. `from` says from time to time that nothing has come yet, with an
    /// error of the kind `WouldBlock` or `TimedOut`.
    ///
    /// # Errors
    /// When they do not come, not before `until`, or not while others need the memory.
    pub(crate) fn read(
        &self,
        head: &[u8],
        count: usize,
        mut from: impl Read,
        until: Instant,
    ) -> io::Result<Lease<'_>> {
        let whole = head.len() + count;
        let mut lease = Lease { buffers: self, counted_bytes: 0, turn: None, bytes: Vec::new() };
        if whole > UNCOUNTED_BYTES {
            let mut state = self.lock();
            lease.bytes = state.kept.pop().unwrap_or_default();
        }
        lease.bytes.extend(head);
        let mut filled = head.len();
        while filled < whole {
            if filled == lease.bytes.len() {
                let room =
                    whole.min(if filled < UNCOUNTED_BYTES { UNCOUNTED_BYTES } else { filled + STEP_BYTES });
                lease.count(room.saturating_sub(UNCOUNTED_BYTES), until)?;
                lease.bytes.resize(room, 0);
            }
            match from.read(&mut lease.bytes[filled..]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(error),
            }
            // Not only where nothing came: also of a byte at a time.
            if filled < whole {
                lease.wait_in_line();
                lease.may_wait(until)?;
            }
        }
        lease.arrived();
        Ok(lease)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this only says that nothing has come yet.
pub(crate) fn is_pause(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

impl Lease<'_> {
    /// Whether others may have to wait for its memory.
    pub(crate) fn is_counted(&self) -> bool {
        self.counted_bytes > 0
    }

    fn may_wait(&self, until: Instant) -> io::Result<()> {
        if Instant::now() >= until {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the request did not come in whole in time"));
        }
        if self.turn.as_ref().is_some_and(|(_, is_given_up)| is_given_up.load(Ordering::Relaxed)) {
            let reason = "the request came slowly, and others needed its memory";
            return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
        }
        Ok(())
    }

    /// Has so many bytes counted, and waits for them if need be.
    fn count(&mut self, bytes: usize, until: Instant) -> io::Result<()> {
        let Some(wanted) = bytes.checked_sub(self.counted_bytes).filter(|wanted| *wanted > 0) else {
            return Ok(());
        };
        if self.counted_bytes == 0 {
            // Most requests are complete with the next read, and need no place in the order.
            let mut state = self.buffers.lock();
            if state.left_bytes >= wanted + self.buffers.reserve_bytes {
                state.left_bytes -= wanted;
                self.counted_bytes = wanted;
                return Ok(());
            }
        }
        let turn = self.take_turn();
        let mut state = self.buffers.lock();
        loop {
            let is_first = state.arriving.first_key_value().is_some_and(|(first, _)| *first == turn);
            let reserve = if is_first { 0 } else { self.buffers.reserve_bytes };
            if state.left_bytes >= wanted + reserve {
                state.left_bytes -= wanted;
                self.counted_bytes += wanted;
                return Ok(());
            }
            self.may_wait(until)?;
            give_up_slow(&state, turn);
            let waited = self.buffers.freed.wait_timeout(state, LOOK_EVERY);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Its place among those that are arriving, from the first time that it is asked for.
    fn take_turn(&mut self) -> u64 {
        if let Some((turn, _)) = &self.turn {
            return *turn;
        }
        let mut state = self.buffers.lock();
        state.begun += 1;
        let (turn, is_given_up) = (state.begun, Arc::new(AtomicBool::new(false)));
        let arriving = Arriving { since: Instant::now(), is_given_up: Arc::clone(&is_given_up) };
        state.arriving.insert(turn, arriving);
        self.turn = Some((turn, is_given_up));
        turn
    }

    /// It has memory, and more of it has to come: others have to know that.
    fn wait_in_line(&mut self) {
        if self.counted_bytes > 0 {
            self.take_turn();
        }
    }

    /// All of it is there.
    fn arrived(&mut self) {
        if let Some((turn, _)) = self.turn.take() {
            self.buffers.lock().arriving.remove(&turn);
            // Another is the first now.
            self.buffers.freed.notify_all();
        }
    }
}

/// Has the slowest request given up, one at a time.
fn give_up_slow(state: &State, turn: u64) {
    if state.arriving.values().any(|arriving| arriving.is_given_up.load(Ordering::Relaxed)) {
        return;
    }
    let mut others = state.arriving.iter().filter(|(other, _)| **other != turn);
    if let Some((_, slow)) = others.find(|(_, arriving)| arriving.since.elapsed() > SLOW) {
        slow.is_given_up.store(true, Ordering::Relaxed);
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.arrived();
        if self.counted_bytes == 0 {
            return;
        }
        let mut state = self.buffers.lock();
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

    const MIB: usize = 1 << 20;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn left(buffers: &Buffers) -> usize {
        buffers.lock().left_bytes
    }

    /// Sends so many bytes, and then nothing for ever.
    struct Stalls {
        bytes: usize,
    }

    impl Read for Stalls {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.bytes == 0 {
                std::thread::sleep(Duration::from_millis(5));
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let count = into.len().min(self.bytes);
            self.bytes -= count;
            Ok(count)
        }
    }

    #[test]
    fn who_asks_for_more_than_is_left_waits_until_it_is_given_back() {
        let buffers = Buffers::new(100_000, 0);
        let first = buffers.read(&[], 80_000, io::repeat(1), later()).expect("there is room");
        std::thread::scope(|scope| {
            let second = scope
                .spawn(|| buffers.read(&[7], 80_000, io::repeat(2), later()).map(|lease| lease.bytes.len()));
            assert!(left(&buffers) < 64_000);
            drop(first);
            assert_eq!(second.join().expect("no panic").expect("there is room now"), 80_001);
        });
        assert_eq!(left(&buffers), 100_000);
    }

    #[test]
    fn what_is_announced_and_does_not_come_takes_no_memory() {
        let buffers = Buffers::new(64 * MIB, 4 * MIB);
        let until = Instant::now() + Duration::from_secs(2);
        std::thread::scope(|scope| {
            // 17 times 4 MiB announced is more than there is.
            let slow: Vec<_> = (0..17)
                .map(|_| scope.spawn(|| buffers.read(&[], 4 * MIB, Stalls { bytes: 1 }, until).err()))
                .collect();
            for _ in 0..5 {
                let lease = buffers.read(&[], 4 * MIB, io::repeat(1), later()).expect("there is room");
                assert_eq!(lease.bytes.len(), 4 * MIB);
                assert!(Instant::now() < until, "the slow requests delayed no other");
            }
            for slow in slow {
                let error = slow.join().expect("no panic").expect("it did not come");
                assert_eq!(error.kind(), io::ErrorKind::TimedOut, "a request has a deadline");
            }
        });
        assert!(buffers.read(&[], 60 * MIB, &b"short"[..], later()).is_err());
        let state = buffers.lock();
        assert_eq!((state.left_bytes, state.arriving.len()), (64 * MIB, 0));
        assert!(state.kept.iter().all(|kept| kept.capacity() <= 8 * MIB));
    }

    #[test]
    fn those_that_hold_memory_and_send_no_more_are_given_up_when_others_need_it() {
        let buffers = Buffers::new(16 * MIB, 4 * MIB);
        let until = later();
        std::thread::scope(|scope| {
            let slow: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| buffers.read(&[], 4 * MIB, Stalls { bytes: 4 * MIB - 1 }, until).err())
                })
                .collect();
            // Whatever they hold by then, and whichever of them is the first.
            while left(&buffers) > 5 * MIB {
                std::thread::yield_now();
            }
            for _ in 0..5 {
                buffers.read(&[], 4 * MIB, io::repeat(1), until).expect("in the end there is room");
            }
            // The others end when they are in somebody's way, or at their deadline.
            while slow.iter().any(|slow| !slow.is_finished()) {
                let _all = buffers.read(&[], 16 * MIB, io::repeat(1), until).expect("in the end all of it");
            }
            for slow in slow {
                assert!(slow.join().expect("no panic").is_some());
            }
        });
        assert_eq!(left(&buffers), 16 * MIB);
    }

    #[test]
    fn many_that_all_send_what_they_announced_all_get_on() {
        let buffers = Buffers::new(8 * MIB, 4 * MIB);
        let until = later();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..24)
                .map(|_| {
                    scope.spawn(|| {
                        buffers.read(&[], 4 * MIB, io::repeat(1), until).map(|lease| lease.bytes.len())
                    })
                })
                .collect();
            for one in all {
                assert_eq!(one.join().expect("no panic").expect("its turn came"), 4 * MIB);
            }
        });
    }
}
