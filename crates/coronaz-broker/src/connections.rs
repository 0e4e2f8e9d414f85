//! The connections that there are: a bounded number of them, those that say nothing giving way to new ones.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

/// A connection has to be silent for so long before it gives way to a new one.
const SILENT_MIN: Duration = Duration::from_secs(1);
/// And one that is being answered has to take so long: readers who wait do so for half a second mostly.
const ANSWER_SLOW: Duration = Duration::from_secs(5);
/// How long the end of one is waited for before it is looked again.
const WAIT: Duration = Duration::from_millis(200);
/// At most so often it is logged that connections were closed for others.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// All connections.
#[derive(Debug)]
pub(crate) struct Connections {
    max: usize,
    started: Instant,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<u64, Arc<Connection>>,
    begun: u64,
    /// Closed for others since it was reported last.
    closed: u64,
    reported: Option<Instant>,
}

/// One client's connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    started: Instant,
    /// It has asked something.
    has_asked: AtomicBool,
    is_answering: AtomicBool,
    /// Since when it is silent, or is being answered: milliseconds since `started`.
    since_ms: AtomicU64,
}

impl Connection {
    fn set(&self, is_answering: bool) {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.is_answering.store(is_answering, Ordering::Relaxed);
        self.since_ms.store(now_ms, Ordering::Relaxed);
    }

    /// A whole request has come.
    pub(crate) fn asks(&self) {
        self.has_asked.store(true, Ordering::Relaxed);
        self.set(true);
    }

    /// It was answered. Until the next whole request has come the connection counts as silent.
    pub(crate) fn is_answered(&self) {
        self.set(false);
    }

    pub(crate) fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// How well it can be done without: who never asked anything first, then who is silent, then who takes
    /// long; in each case the longest. `None` when it cannot.
    fn dispensable(&self, now_ms: u64) -> Option<(u8, u64)> {
        let for_ms = now_ms.saturating_sub(self.since_ms.load(Ordering::Relaxed));
        let (rank, at_least) = match (self.is_answering.load(Ordering::Relaxed), self.has_asked()) {
            (false, false) => (2, SILENT_MIN),
            (false, true) => (1, SILENT_MIN),
            (true, _) => (0, ANSWER_SLOW),
        };
        (u128::from(for_ms) >= at_least.as_millis()).then_some((rank, for_ms))
    }
}

/// A place among the connections, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(crate) connection: Arc<Connection>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.connections.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open.remove(&self.number);
        drop(state);
        self.connections.ended.notify_one();
    }
}

impl Connections {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, started: Instant::now(), state: Mutex::default(), ended: Condvar::new() }
    }

    /// Takes a new connection in. When there are too many, one that says nothing is closed for it; when
    /// all are busy, it waits.
    pub(crate) fn take(self: &Arc<Self>, stream: TcpStream) -> Place {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.open.len() >= self.max {
            self.close_one(&mut state);
            state = self.ended.wait_timeout(state, WAIT).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.begun += 1;
        let number = state.begun;
        let connection = Arc::new(Connection {
            stream,
            started: self.started,
            has_asked: AtomicBool::new(false),
            is_answering: AtomicBool::new(false),
            since_ms: AtomicU64::new(0),
        });
        connection.set(false);
        state.open.insert(number, Arc::clone(&connection));
        Place { connections: Arc::clone(self), number, connection }
    }

    /// Has one end that can be done without, if there is one: the system has no room for another.
    pub(crate) fn make_room(&self) {
        self.close_one(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn close_one(&self, state: &mut State) {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let candidates = state.open.values().filter_map(|one| Some((one.dispensable(now_ms)?, one)));
        let Some((_, connection)) = candidates.max_by_key(|(rank, _)| *rank) else { return };
        // Its thread sees the end of the stream. One that has ended already is no error.
        let _ = connection.stream.shutdown(Shutdown::Both);
        // Not chosen again before its thread has ended.
        connection.set(true);
        state.closed += 1;
        if state.reported.is_none_or(|reported| reported.elapsed() > REPORT_EVERY) {
            let (open, closed) = (state.open.len(), state.closed);
            warn!(open, closed, "there is no room for more connections: silent ones are closed for new ones");
            (state.reported, state.closed) = (Some(Instant::now()), 0);
        }
    }
}
