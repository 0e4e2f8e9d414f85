//! Ticks by the seconds of the wall clock: those of a fleet with guests.
//!
//! The run's own times go on second by second whatever happens to the clock: they stand in its frames. When the clock is
//! set, another of its seconds belongs to the next tick; nothing is waited for and nothing caught up with.

use std::{sync::Arc, time::Duration};

use coronaz_wire::timestamp::SECOND_US;

use crate::nodes::clock::{self, Clock, ClockWatch, beginning_us, second_of};

/// When the ticks of a fleet with guests are due.
pub(in crate::fleet) struct WallPace {
    clock: Arc<dyn Clock>,
    watch: ClockWatch,
    /// How far the clock is ahead of the run's times: 0 until it is set.
    ahead_us: i64,
}

impl WallPace {
    pub(in crate::fleet) fn new(clock: Arc<dyn Clock>) -> Self {
        let watch = ClockWatch::new(&*clock);
        WallPace { clock, watch, ahead_us: 0 }
    }

    /// Microseconds since 1970, by the wall clock.
    pub(in crate::fleet) fn now_us(&self) -> i64 {
        self.clock.wall_us()
    }

    /// The second of the wall clock in which the run has this time.
    pub(in crate::fleet) fn second_at(&self, run_us: i64) -> i64 {
        second_of(run_us.saturating_add(self.ahead_us))
    }

    /// How long until the run has this time; zero when it is over.
    pub(in crate::fleet) fn until(&self, run_us: i64) -> Duration {
        let left_us = run_us.saturating_add(self.ahead_us).saturating_sub(self.now_us());
        Duration::from_micros(u64::try_from(left_us).unwrap_or(0))
    }

    /// How long ago the run had this time.
    pub(in crate::fleet) fn since(&self, run_us: i64) -> Duration {
        let late_us = self.now_us().saturating_sub(run_us.saturating_add(self.ahead_us));
        Duration::from_micros(u64::try_from(late_us).unwrap_or(0))
    }

    /// Looks at the clock. If it was set, the tick that the run has at `next_us` belongs to the clock's next second; gives
    /// the second that it is now.
    pub(in crate::fleet) fn follow(&mut self, next_us: i64) -> Option<i64> {
        let by_us = self.watch.set_by_us(&*self.clock)?;
        clock::tell_of_set(by_us);
        let second = second_of(self.now_us());
        self.ahead_us = beginning_us(second + 1) - next_us.div_euclid(SECOND_US) * SECOND_US;
        Some(second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::{
        Stop,
        clock::testing::{SetClock, WALL_US},
    };

    #[test]
    fn after_the_clock_was_set_the_next_tick_is_its_next_second_and_ticks_go_on_a_second_apart() {
        for by_s in [-3_600, -60, -5, -1, 1, 5, 60, 3_600] {
            for within_us in [0, 300_000, 999_000] {
                let clock = Arc::new(SetClock::new(0, 0, (i64::MAX, Stop::default())));
                let mut pace = WallPace::new(Arc::clone(&clock) as Arc<dyn Clock>);
                let tick_us = |tick: i64| WALL_US + tick * SECOND_US;
                assert_eq!(pace.until(tick_us(1)), Duration::from_secs(1));
                clock.sleep_us(SECOND_US + within_us.max(1));
                assert_eq!(pace.follow(tick_us(2)), None);
                clock.set(by_s * SECOND_US);
                assert_eq!(pace.follow(tick_us(2)), Some(WALL_US / SECOND_US + 1 + by_s));
                assert_eq!(pace.follow(tick_us(2)), None, "it was set once");
                assert!(pace.until(tick_us(2)) <= Duration::from_secs(1), "set by {by_s} s");
                assert_eq!(pace.until(tick_us(3)), pace.until(tick_us(2)) + Duration::from_secs(1));
                assert_eq!(pace.second_at(tick_us(2)), WALL_US / SECOND_US + 2 + by_s);
                assert_eq!(pace.since(tick_us(2)), Duration::ZERO);
            }
        }
    }
}
