//! Log lines about something that may happen thousands of times a second: one now and then, with the number of the
//! others.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lets one line pass in each span of time, and counts those that it holds back.
#[derive(Debug)]
pub(crate) struct Seldom {
    every: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    passed_at: Option<Instant>,
    held_back: u64,
}

impl Seldom {
    /// One line in `every`.
    pub(crate) fn new(every: Duration) -> Self {
        Self { every, state: Mutex::default() }
    }

    /// Whether a line may be written now; if so, the number of lines that were held back since the last one.
    pub(crate) fn pass(&self) -> Option<u64> {
        self.pass_at(Instant::now())
    }

    fn pass_at(&self, now: Instant) -> Option<u64> {
        // Two plain values: they are whole even when a holder of the lock panicked.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.passed_at.is_some_and(|at| now.duration_since(at) < self.every) {
            state.held_back += 1;
            return None;
        }
        state.passed_at = Some(now);
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_passes_in_a_span_of_time_and_says_how_many_did_not() {
        let (seldom, start) = (Seldom::new(Duration::from_secs(1)), Instant::now());
        assert_eq!(seldom.pass_at(start), Some(0));
        for ms in 0..300 {
            assert_eq!(seldom.pass_at(start + Duration::from_millis(ms)), None);
        }
        assert_eq!(seldom.pass_at(start + Duration::from_secs(1)), Some(300));
        assert_eq!(seldom.pass_at(start + Duration::from_secs(3)), Some(0));
    }
}
