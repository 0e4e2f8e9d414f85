//! How long to wait for a store that is away.

use std::time::Duration;

/// The first wait: a lock that is held for a moment.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait: what an operator who has made room on the disk waits at most.
const LONGEST: Duration = Duration::from_secs(10);

/// Waits that double, each shortened at random by up to a half so that several processes do not come back
/// all at once.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    failures: u32,
    random: u64,
}

impl Backoff {
    /// `seed` makes it differ from that of others; any number will do.
    pub(crate) fn new(seed: u64) -> Self {
        Self { failures: 0, random: seed | 1 }
    }

    /// It works again.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// How often it has failed in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// It has failed: how long to wait now.
    pub(crate) fn next_wait(&mut self) -> Duration {
        let full = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Xorshift: even enough to spread waits.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        full.mul_f64(0.5 + 0.5 * (self.random % 1000) as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_a_tenth_of_a_second_to_ten_and_begin_again_after_success() {
        let mut backoff = Backoff::new(42);
        let waits: Vec<Duration> = (0..12).map(|_| backoff.next_wait()).collect();
        assert!(waits[0] >= FIRST / 2 && waits[0] <= FIRST);
        assert!(waits[9..].iter().all(|wait| *wait >= LONGEST / 2 && *wait <= LONGEST));
        backoff.reset();
        assert!(backoff.next_wait() <= FIRST);
    }

    #[test]
    fn two_processes_wait_differently() {
        let (mut a, mut b) = (Backoff::new(1), Backoff::new(2));
        assert_ne!((a.next_wait(), a.next_wait()), (b.next_wait(), b.next_wait()));
    }
}
