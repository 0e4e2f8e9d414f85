//! What is known of a partition beside its records: whether it yields what it has.

use std::time::{Duration, Instant};

use crate::mark::Mark;
use crate::source::Watermarks;

/// How often a partition that has records and yields none is asked anew before what can be read is looked for.
const REFETCHES_MAX: u32 = 3;
/// So often the client says that it cannot read something before a silent partition is taken to be meant.
const COMPLAINTS_MAX: u32 = 3;
/// A partition of which such is said and that yields nothing for so long is looked at.
const SILENT_COMPLAINED: Duration = Duration::from_millis(500);
/// A log that ends before the position is taken for another one when it still does after so long: a leader that has
/// just taken over may not know yet how far it has got.
const SHORT_FOR: Duration = Duration::from_millis(700);

/// What to do about a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is wrong with it.
    Well,
    /// Something may be wrong with it; the next answer shows.
    Wait,
    /// It has another log; the former one is known to have gone so far.
    Replaced(i64),
    /// It begins after the position.
    Expired(i64),
    /// Fetch once more from where it should go on.
    Refetch,
    /// Look for what can be read, up to the end.
    Pass(i64),
}

/// One partition that is read.
#[derive(Debug)]
pub(super) struct Watch {
    /// Since when nothing came out of it.
    silent_since: Instant,
    /// The client said, of some partition, that it cannot read it; since a record came out of this one.
    complaints: u32,
    /// The client reads it from elsewhere than it should: the broker said that there is no such offset.
    halted: bool,
    refetches: u32,
    /// Since when it ends before the position.
    short_since: Option<Instant>,
    /// The furthest end that was ever told of this log.
    end: i64,
    /// It is being looked at, where reading can go on.
    passing: bool,
    /// A record to look at again after a while, and the one that is being looked at.
    pub(super) landmark: Option<Mark>,
    pub(super) compared: Option<Mark>,
}

impl Watch {
    pub(super) fn starts_now() -> Self {
        Self {
            silent_since: Instant::now(),
            complaints: 0,
            halted: false,
            refetches: 0,
            short_since: None,
            end: 0,
            passing: false,
            landmark: None,
            compared: None,
        }
    }

    /// A record came out of it.
    pub(super) fn yielded(&mut self, now: Instant) {
        (self.silent_since, self.complaints, self.refetches) = (now, 0, 0);
        (self.halted, self.passing, self.short_since) = (false, false, None);
    }

    /// Nothing that comes out of it counts, until it is read from its position again.
    pub(super) fn is_halted(&self) -> bool {
        self.halted
    }

    /// The client complained: of this partition, when it reads from elsewhere (`halted`), or of one that it does not name.
    pub(super) fn complained(&mut self, halted: bool) {
        self.complaints = self.complaints.saturating_add(1);
        self.halted |= halted;
    }

    /// It is read from its position again: what was wrong has to show once more.
    pub(super) fn asked_anew(&mut self) {
        (self.silent_since, self.complaints, self.halted) = (Instant::now(), 0, false);
        self.passing = false;
    }

    /// Where reading can go on is being looked for.
    pub(super) fn is_looked_at(&mut self) {
        self.passing = true;
    }

    /// It yields nothing although it should.
    pub(super) fn is_stalled(&self) -> bool {
        self.passing || self.halted || self.short_since.is_some() || self.refetches > 0
    }

    /// Judges by where the log begins and ends, as was just told; `next` is the position, `from` the offset that is
    /// fetched first.
    pub(super) fn judge(
        &mut self,
        ends: Watermarks,
        (next, from): (i64, i64),
        stuck_after: Duration,
    ) -> Verdict {
        let Watermarks { low, high } = ends;
        if high < next {
            let since = *self.short_since.get_or_insert_with(Instant::now);
            return if since.elapsed() < SHORT_FOR { Verdict::Wait } else { Verdict::Replaced(self.end) };
        }
        self.short_since = None;
        self.end = self.end.max(high);
        if low > next {
            return Verdict::Expired(low);
        }
        if self.passing {
            return Verdict::Well;
        }
        let silent = self.silent_since.elapsed();
        if from >= high {
            // Nothing is left to be read. The client goes on there, if it was elsewhere.
            self.silent_since = Instant::now();
            return if std::mem::take(&mut self.halted) { Verdict::Refetch } else { Verdict::Well };
        }
        let complained = self.complaints > 0 && silent >= SILENT_COMPLAINED;
        if (complained && self.complaints >= COMPLAINTS_MAX) || self.refetches >= REFETCHES_MAX {
            return if silent >= SILENT_COMPLAINED { Verdict::Pass(high) } else { Verdict::Wait };
        }
        if (complained && self.halted) || silent >= stuck_after {
            self.refetches += 1;
            return Verdict::Refetch;
        }
        if complained { Verdict::Wait } else { Verdict::Well }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Duration = Duration::from_secs(3600);

    fn ends(low: i64, high: i64) -> Watermarks {
        Watermarks { low, high }
    }

    /// A watch whose last record came long ago.
    fn silent() -> Watch {
        let long_ago =
            Instant::now().checked_sub(Duration::from_secs(60)).expect("the machine is up for longer");
        Watch { silent_since: long_ago, ..Watch::starts_now() }
    }

    #[test]
    fn a_log_that_stays_shorter_than_the_position_is_another_one() {
        let mut watch = silent();
        assert_eq!(watch.judge(ends(0, 520), (500, 500), PATIENT), Verdict::Well);
        assert_eq!(watch.judge(ends(0, 10), (500, 500), PATIENT), Verdict::Wait);
        assert!(watch.is_stalled());
        watch.short_since = watch.short_since.and_then(|since| since.checked_sub(SHORT_FOR));
        assert_eq!(watch.judge(ends(0, 10), (500, 500), PATIENT), Verdict::Replaced(520));
    }

    #[test]
    fn what_has_expired_is_skipped_and_what_ends_at_the_position_is_well() {
        let mut watch = silent();
        assert_eq!(watch.judge(ends(600, 700), (500, 500), PATIENT), Verdict::Expired(600));
        assert_eq!(watch.judge(ends(500, 500), (500, 500), Duration::ZERO), Verdict::Well);
    }

    #[test]
    fn a_silent_partition_is_asked_anew_and_then_looked_at() {
        let mut watch = silent();
        for _ in 0..REFETCHES_MAX {
            watch.silent_since = silent().silent_since;
            assert_eq!(watch.judge(ends(0, 9), (5, 5), Duration::from_secs(9)), Verdict::Refetch);
            watch.asked_anew();
        }
        watch.silent_since = silent().silent_since;
        assert_eq!(watch.judge(ends(0, 9), (5, 5), Duration::from_secs(9)), Verdict::Pass(9));
        // What the client complains of is looked at without such patience.
        let mut watch = silent();
        (0..COMPLAINTS_MAX).for_each(|_| watch.complained(false));
        assert_eq!(watch.judge(ends(0, 9), (5, 5), PATIENT), Verdict::Pass(9));
        watch.yielded(Instant::now());
        assert_eq!(watch.judge(ends(0, 9), (5, 5), PATIENT), Verdict::Well);
    }
}
