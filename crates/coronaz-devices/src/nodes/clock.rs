//! The two clocks of a process: the wall clock, to whose seconds all processes align, and a steady one that nobody sets.
//!
//! The wall clock says *which* second it is and stands in messages; how long something takes, and whether the wall clock
//! was set meanwhile, says the steady one ([`ClockWatch`]).

use std::time::Duration;

use coronaz_wire::{timestamp::SECOND_US, wall_clock};
use rustix::time::{ClockId, clock_gettime};

/// By how much the wall clock has to leave the steady one at once to count as set (microseconds). What is less is waited
/// for, or is behind by as much: the corrections of a time service are far below.
pub(crate) const CLOCK_SET_US_MIN: i64 = 500_000;
/// The two clocks are read one after the other: a reading in between of which so much time passes is repeated.
const READING_US_MAX: i64 = 50_000;
/// Readings tried; after these the process is so far behind that one look more or less makes no difference.
const READINGS_MAX: u32 = 5;

/// The clocks of a process.
pub(crate) trait Clock: Send + Sync {
    /// The wall clock: microseconds since 1970. It can be set at any time, in either direction.
    fn wall_us(&self) -> i64;

    /// Microseconds since some moment of the past. Never goes back, and also counts while the machine sleeps.
    fn steady_us(&self) -> i64;

    /// Sleeps for so many microseconds, if any.
    fn sleep_us(&self, time_us: i64);
}

/// The system's clocks.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn wall_us(&self) -> i64 {
        now_us()
    }

    fn steady_us(&self) -> i64 {
        #[cfg(target_os = "linux")]
        let clock = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let clock = ClockId::Monotonic;
        let time = clock_gettime(clock);
        time.tv_sec.saturating_mul(SECOND_US).saturating_add(time.tv_nsec / 1_000)
    }

    fn sleep_us(&self, time_us: i64) {
        if let Ok(time_us) = u64::try_from(time_us) {
            std::thread::sleep(Duration::from_micros(time_us));
        }
    }
}

/// Notices that the wall clock was set: it no longer is where the steady clock says that it should be.
#[derive(Debug)]
pub(crate) struct ClockWatch {
    /// How far the wall clock was ahead of the steady one at the last look.
    ahead_us: i64,
}

impl ClockWatch {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        ClockWatch { ahead_us: ahead_us(clock).unwrap_or_else(|| clock.wall_us() - clock.steady_us()) }
    }

    /// By how many microseconds the wall clock was set since the last look, negative: set back. `None`: it was not.
    pub(crate) fn set_by_us(&mut self, clock: &dyn Clock) -> Option<i64> {
        let ahead_us = ahead_us(clock)?;
        let by_us = ahead_us.saturating_sub(self.ahead_us);
        self.ahead_us = ahead_us;
        (by_us.abs() >= CLOCK_SET_US_MIN).then_some(by_us)
    }
}

/// How far the wall clock is ahead of the steady one, from a reading that nothing interrupted.
fn ahead_us(clock: &dyn Clock) -> Option<i64> {
    (0..READINGS_MAX).find_map(|_| {
        let (before, wall, after) = (clock.steady_us(), clock.wall_us(), clock.steady_us());
        (after - before <= READING_US_MAX).then(|| wall.saturating_sub(before))
    })
}

/// Says in the log that the clock was set.
pub(crate) fn tell_of_set(by_us: i64) {
    let direction = if by_us < 0 { "back" } else { "forward" };
    let by_s = by_us.unsigned_abs() as f64 / 1e6;
    tracing::warn!(by_s, "the clock was set {direction}; seconds are counted from the new time on");
}

/// Microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    wall_clock::now_us()
}

/// The second a time lies in.
pub(crate) const fn second_of(time_us: i64) -> i64 {
    time_us.div_euclid(SECOND_US)
}

/// When a second begins.
pub(crate) const fn beginning_us(second: i64) -> i64 {
    second * SECOND_US
}

#[cfg(test)]
pub(crate) mod testing {
    //! Clocks that a test sets.

    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    use coronaz_wire::timestamp::SECOND_US;

    use super::Clock;
    use crate::nodes::Stop;

    /// The wall clock at the beginning of a test.
    pub(crate) const WALL_US: i64 = 1_700_000_000 * SECOND_US;

    /// Clocks that stand still but for sleeping. The wall clock is set once.
    pub(crate) struct SetClock {
        steady_us: AtomicI64,
        set_at_us: i64,
        by_us: AtomicI64,
        stop: (i64, Stop),
    }

    impl SetClock {
        /// Set by so much at that time of the steady clock; after the other one the stop is asked.
        pub(crate) fn new(set_at_us: i64, by_us: i64, stop: (i64, Stop)) -> Self {
            SetClock { steady_us: AtomicI64::new(0), set_at_us, by_us: AtomicI64::new(by_us), stop }
        }

        /// Sets it by so much more.
        pub(crate) fn set(&self, by_us: i64) {
            self.by_us.fetch_add(by_us, SeqCst);
        }
    }

    impl Clock for SetClock {
        fn wall_us(&self) -> i64 {
            let steady_us = self.steady_us();
            WALL_US + steady_us + if steady_us >= self.set_at_us { self.by_us.load(SeqCst) } else { 0 }
        }

        fn steady_us(&self) -> i64 {
            self.steady_us.load(SeqCst)
        }

        fn sleep_us(&self, time_us: i64) {
            let (stop_at_us, stop) = &self.stop;
            if self.steady_us.fetch_add(time_us.max(1_000), SeqCst) > *stop_at_us {
                stop.ask();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::SetClock, *};
    use crate::nodes::Stop;

    fn clock() -> SetClock {
        SetClock::new(0, 0, (i64::MAX, Stop::default()))
    }

    #[test]
    fn a_process_that_was_stopped_is_behind_and_its_clock_was_not_set() {
        let clock = clock();
        let mut watch = ClockWatch::new(&clock);
        clock.sleep_us(60_000_000);
        assert_eq!(watch.set_by_us(&clock), None);
    }

    #[test]
    fn a_clock_that_is_corrected_little_by_little_was_not_set() {
        let clock = clock();
        let mut watch = ClockWatch::new(&clock);
        for _ in 0..10_000 {
            clock.set(-1_000);
            clock.sleep_us(25_000);
            assert_eq!(watch.set_by_us(&clock), None);
        }
    }

    #[test]
    fn by_how_much_a_clock_was_set_is_said_once() {
        let clock = clock();
        let mut watch = ClockWatch::new(&clock);
        for by_us in [-60_000_000, 3_600_000_000, -500_000] {
            clock.set(by_us);
            assert_eq!((watch.set_by_us(&clock), watch.set_by_us(&clock)), (Some(by_us), None));
        }
    }

    #[test]
    fn the_systems_steady_clock_counts_seconds() {
        let clock = SystemClock;
        let before = clock.steady_us();
        clock.sleep_us(20_000);
        assert!((20_000..60_000_000).contains(&(clock.steady_us() - before)));
    }
}
