//! Waiting for a thing, not for a time.

use std::time::{Duration, Instant};

/// Asks until the answer is there.
///
/// # Panics
/// After `within`, naming what was waited for: on a machine so slow that it happens nothing is proved either way.
pub fn wait_for<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {within:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
