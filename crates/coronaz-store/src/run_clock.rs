//! What time it is in a run of devices: every report says a time by its own device's clock, and any of those can be wrong.
//!
//! The run's clock follows its reports as long as they follow each other. A report that is further ahead, or far behind,
//! moves it only as far as the median of the devices that reported most recently: one device whose clock is wrong decides
//! nothing, and when most of them have gone to another time (the laboratory was stopped for an hour, all clocks were
//! set) the run's clock goes there too.

/// A report at most this far ahead of the run's clock moves it (microseconds): devices report once a second, and none of
/// them may carry the others further than the blink of a page.
const AHEAD_US: i64 = 3_000_000;

/// A report at most this far behind was held up on its way, and the run's clock stands (microseconds).
const BEHIND_US: i64 = 10_000_000;

/// Reports remembered. More in a row by one device look like a run of that device alone, so it has to be longer than what
/// a device sends at once after a short interruption; fewer bytes are written with each batch when it is short.
const RECENT_MAX: usize = 32;

/// Bytes of a remembered report: slot and time.
const ENTRY_BYTES: usize = 12;

/// A run's clock: the latest reports, by which the next one is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RunClock {
    /// Slots and times, oldest first.
    recent: Vec<(u32, i64)>,
}

impl RunClock {
    /// Takes the newest report of a device; says what time it is in the run. `known_us`: what time it was before, if that
    /// was known.
    pub(crate) fn hear(&mut self, slot: u32, time_us: i64, alive: bool, known_us: Option<i64>) -> i64 {
        if self.recent.len() >= RECENT_MAX {
            self.recent.remove(0);
        }
        self.recent.push((slot, time_us));
        let now_us = match known_us {
            None => time_us,
            Some(known_us) if is_near(time_us, known_us) => known_us.max(time_us),
            Some(known_us) => {
                let most_us = self.median(known_us);
                if is_near(most_us, known_us) { known_us } else { most_us }
            }
        };
        if !alive {
            // It says nothing any more, and must not hold back those that do.
            self.recent.retain(|&(of, _)| of != slot);
        }
        now_us
    }

    /// The median of the devices' latest times; of two in the middle the one nearer to `known_us`.
    fn median(&self, known_us: i64) -> i64 {
        let mut times: Vec<i64> = Vec::with_capacity(self.recent.len());
        for (at, &(slot, time_us)) in self.recent.iter().enumerate() {
            if !self.recent[at + 1..].iter().any(|&(later, _)| later == slot) {
                times.push(time_us);
            }
        }
        times.sort_unstable();
        let middle = |at: usize| times.get(at).copied().unwrap_or(known_us);
        let (low, high) = (middle(times.len().saturating_sub(1) / 2), middle(times.len() / 2));
        if low.abs_diff(known_us) <= high.abs_diff(known_us) { low } else { high }
    }

    /// As a store keeps it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.recent.len() * ENTRY_BYTES);
        for (slot, time_us) in &self.recent {
            bytes.extend_from_slice(&slot.to_le_bytes());
            bytes.extend_from_slice(&time_us.to_le_bytes());
        }
        bytes
    }

    /// The inverse of [`RunClock::to_bytes`]; what is none, is empty.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let entry = |entry: &[u8]| {
            let (slot, time_us) = entry.split_first_chunk()?;
            Some((u32::from_le_bytes(*slot), i64::from_le_bytes(time_us.try_into().ok()?)))
        };
        let recent = bytes.chunks_exact(ENTRY_BYTES).filter_map(entry).take(RECENT_MAX).collect();
        Self { recent }
    }
}

fn is_near(time_us: i64, known_us: i64) -> bool {
    (known_us.saturating_sub(BEHIND_US)..=known_us.saturating_add(AHEAD_US)).contains(&time_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;
    const YEAR: i64 = 365 * 86_400 * S;

    /// A run whose clock is followed report by report, also from one process to the next.
    #[derive(Default)]
    struct Run {
        clock: RunClock,
        now_us: Option<i64>,
    }

    impl Run {
        fn hear(&mut self, slot: u32, time_us: i64) -> i64 {
            self.clock = RunClock::from_bytes(&self.clock.to_bytes());
            let now_us = self.clock.hear(slot, time_us, true, self.now_us);
            self.now_us = Some(now_us);
            now_us
        }

        /// All report once a second, each some milliseconds after the other.
        fn seconds(&mut self, slots: std::ops::Range<u32>, seconds: std::ops::Range<i64>) {
            for second in seconds {
                for slot in slots.clone() {
                    let time_us = second * S + i64::from(slot) * 1000;
                    assert_eq!(self.hear(slot, time_us), time_us);
                }
            }
        }
    }

    #[test]
    fn it_is_the_time_of_the_newest_report_while_all_clocks_agree() {
        let mut run = Run::default();
        run.seconds(0..4, 0..20);
        assert_eq!(run.hear(1, 17 * S), 19 * S + 3000, "what was held up turns nothing back");
    }

    #[test]
    fn one_device_with_a_wrong_clock_decides_nothing() {
        for wrong in [YEAR, 60 * S, 4 * S, -60 * S, -YEAR] {
            let mut run = Run::default();
            run.seconds(0..3, 0..5);
            for second in 5..100 {
                for slot in 0..3 {
                    run.hear(slot, second * S);
                    assert_eq!(run.hear(3, second * S + wrong), second * S, "{wrong} at {second}");
                }
            }
        }
    }

    #[test]
    fn of_two_devices_the_one_that_was_right_before_is_believed() {
        for wrong in [YEAR, -YEAR] {
            let mut run = Run::default();
            run.seconds(0..2, 0..5);
            for second in 5..60 {
                run.hear(0, second * S);
                assert_eq!(run.hear(1, second * S + wrong), second * S);
            }
        }
    }

    #[test]
    fn ten_reports_in_a_row_from_next_year_are_ten_of_one_device() {
        let mut run = Run::default();
        run.seconds(0..3, 0..10);
        for n in 0..10 {
            assert_eq!(run.hear(7, YEAR + n * S), 9 * S + 2000);
        }
        run.seconds(0..3, 10..20);
    }

    #[test]
    fn after_a_long_stop_the_clock_goes_where_most_devices_are() {
        let mut run = Run::default();
        run.seconds(0..20, 0..10);
        let mut moved = 0;
        for slot in 0..20 {
            moved += u32::from(run.hear(slot, 3600 * S) == 3600 * S);
        }
        assert!((9..=11).contains(&moved), "{moved} of 20 saw the new time");
        run.seconds(0..20, 3601..3610);
    }

    #[test]
    fn a_wrong_first_report_is_corrected_by_the_others() {
        let mut run = Run::default();
        assert_eq!(run.hear(0, YEAR), YEAR);
        run.hear(1, S);
        assert_eq!(run.hear(2, S + 5), S + 5);
        run.hear(0, YEAR + S);
        assert_eq!(run.hear(1, 2 * S), 2 * S);
    }

    #[test]
    fn those_that_are_left_over_carry_the_clock_on_alone() {
        let mut run = Run::default();
        run.seconds(0..12, 0..10);
        // Ten of them are killed without a word.
        run.seconds(0..1, 10..60);
    }

    #[test]
    fn who_died_holds_nobody_back() {
        let mut run = Run::default();
        run.seconds(0..3, 0..3);
        for slot in 0..2 {
            run.now_us = Some(run.clock.hear(slot, 3 * S, false, run.now_us));
        }
        assert_eq!(run.hear(2, 500 * S), 500 * S);
    }

    #[test]
    fn a_device_alone_is_followed_wherever_it_goes() {
        let mut run = Run::default();
        for time_us in [5 * S, 65 * S, 3 * S, YEAR, i64::MAX, i64::MIN, 0] {
            assert_eq!(run.hear(0, time_us), time_us);
        }
    }
}
