//! Which run is shown when none is named.
//!
//! A run that is being written and can be shown; else the one that began last of those that can be shown. What reports say
//! of their time decides little: it is a device's word. When something was stored is the ingest process's.

use uuid::Uuid;

/// A run is live when something of it was stored no longer ago than this (microseconds): longer than any restart of a
/// part takes.
pub(crate) const LIVE_US: i64 = 15_000_000;

/// Clocks of two machines are this far apart at most (microseconds); what is further ahead is a wrong clock.
pub(crate) const AHEAD_US: i64 = 60_000_000;

/// A run whose own time is further behind than this while it is written (microseconds) is an old one that arrives again.
const REPLAYED_US: i64 = 120_000_000;

/// Live runs that are compared, those that were written last: far more than a laboratory runs side by side.
pub(crate) const COMPARED_MAX: u32 = 256;

/// What the choice has to know of a run that has a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) id: Uuid,
    /// Grows with each run that begins in this store.
    pub(crate) order: i64,
    pub(crate) announced: bool,
    pub(crate) started_us: Option<i64>,
    pub(crate) last_us: Option<i64>,
    pub(crate) written_us: Option<i64>,
}

impl Candidate {
    /// It is being written, and not with old records.
    fn is_live(&self, now_us: i64) -> bool {
        let recently = now_us.saturating_sub(LIVE_US)..=now_us.saturating_add(AHEAD_US);
        self.written_us.is_some_and(|written_us| {
            let not_before_us = written_us.saturating_sub(REPLAYED_US);
            recently.contains(&written_us) && self.last_us.is_some_and(|last_us| last_us >= not_before_us)
        })
    }

    /// Which of two comes first: a live one that was announced, a live one, the one that began last.
    fn rank(&self, now_us: i64) -> (bool, bool, Option<i64>, i64) {
        let live = self.is_live(now_us);
        let began_us = self.started_us.filter(|&us| us <= now_us.saturating_add(AHEAD_US));
        (live, live && self.announced, began_us, self.order)
    }
}

/// The run to show, of those that a store found.
pub(crate) fn choose(candidates: impl IntoIterator<Item = Candidate>, now_us: i64) -> Option<Uuid> {
    candidates.into_iter().max_by_key(|candidate| candidate.rank(now_us)).map(|candidate| candidate.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;
    const NOW: i64 = 1_700_000_000 * S;

    fn run(id: u128, began_s: i64, last_s: i64, written_s: i64) -> Candidate {
        Candidate {
            id: Uuid::from_u128(id),
            order: i64::try_from(id).expect("small"),
            announced: true,
            started_us: Some(NOW + began_s * S),
            last_us: Some(NOW + last_s * S),
            written_us: Some(NOW + written_s * S),
        }
    }

    fn chosen(candidates: &[Candidate]) -> Option<u128> {
        choose(candidates.iter().copied(), NOW).map(|id| id.as_u128())
    }

    #[test]
    fn a_live_run_comes_before_one_that_began_later_and_is_over() {
        assert_eq!(chosen(&[]), None);
        let live = run(1, -3600, -1, -1);
        assert_eq!(chosen(&[live, run(2, -600, -300, -300)]), Some(1));
        assert_eq!(chosen(&[live, run(2, -10, -1, -1)]), Some(2), "of two live ones the later");
    }

    #[test]
    fn of_runs_that_are_over_the_one_that_began_last_is_shown_whatever_came_into_the_store_last() {
        assert_eq!(chosen(&[run(1, -600, -300, -300), run(2, -90_000, -80_000, -200)]), Some(1));
    }

    #[test]
    fn a_time_ahead_of_the_clock_orders_nothing() {
        let year = 365 * 86_400;
        assert_eq!(chosen(&[run(1, -600, -300, -300), run(2, year, year, -200)]), Some(1));
        assert_eq!(chosen(&[run(1, -600, -1, -1), run(2, year, year, -1)]), Some(1));
    }

    #[test]
    fn records_that_arrive_again_take_nothing_over() {
        let live = run(1, -600, -1, -1);
        assert_eq!(chosen(&[live, run(2, -300, -290, 0)]), Some(1), "a replay that is announced");
        let stranger = Candidate { announced: false, ..run(2, -5, 0, 0) };
        assert_eq!(chosen(&[live, stranger]), Some(1), "a run that nobody announced");
        assert_eq!(chosen(&[run(1, -600, -300, -300), stranger]), Some(2), "until it is the only live one");
    }
}
