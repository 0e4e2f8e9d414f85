//! What goes from station to station: rates are differences of counters over the last seconds.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use coronaz_store::{IngestStatus, PartitionOffset};
use coronaz_wire::control::{Overview, Part, PartKind};

use crate::{
    describe::milliseconds,
    rest::operator::{Flow, Station},
};

/// A rate is of this time at most: long enough to be calm, short enough to show a fault.
const WINDOW: Duration = Duration::from_secs(5);
/// Counters that are nearer to each other say nothing.
const APART_MIN: Duration = Duration::from_millis(300);
/// Counters kept: those of the window at the closest distance, and some.
const SAMPLES_MAX: usize = 32;

/// Counters at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Records that are in the broker, those gone by now included; `None`: nobody said.
    pub(crate) written: Option<u64>,
    /// Records that are in the store.
    pub(crate) stored: Option<u64>,
    /// Moments of the runs that go on.
    pub(crate) moments: Option<u64>,
    /// When the newest record that is in the store was written to the topic.
    pub(crate) newest_stored_ms: Option<i64>,
    /// The time of the newest moment.
    pub(crate) newest_moment_ms: Option<i64>,
    /// What the parts' processes moved in bytes.
    pub(crate) bytes: Bytes,
}

/// Bytes that the processes of the laboratory's parts have moved; `None`: nobody said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bytes {
    /// Into the broker's log.
    pub(crate) logged: Option<u64>,
    /// Into the store's files.
    pub(crate) stored: Option<u64>,
    /// Out of the store's files, to be shown.
    pub(crate) shown: Option<u64>,
}

impl Bytes {
    /// Of a laboratory's parts. What is elsewhere counts nothing.
    pub(crate) fn of(overview: &Overview) -> Bytes {
        let sum = |kind: PartKind, of: fn(&Part) -> Option<u64>| {
            let mut counts = overview.parts.iter().filter(|part| part.kind == kind).filter_map(of).peekable();
            counts.peek().is_some().then(|| counts.sum())
        };
        let own = |count: Option<u64>| count.filter(|_| overview.own_store);
        Bytes {
            logged: sum(PartKind::Broker, |part| part.written_bytes),
            stored: own(sum(PartKind::Ingest, |part| part.written_bytes)),
            shown: own(sum(PartKind::Serve, |part| part.read_bytes)),
        }
    }
}

/// The counters of the last seconds.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    samples: Mutex<VecDeque<(Instant, Counters)>>,
}

impl Counters {
    /// Reads what the store says of the topic. Records wait even while no ingest process is there to count them, if
    /// the laboratory says how many were written.
    pub(crate) fn of_topic(
        offsets: &[PartitionOffset],
        ingest: &[IngestStatus],
        written: Option<u64>,
    ) -> Self {
        let stored = offsets.iter().map(|offset| u64::try_from(offset.next).unwrap_or_default()).sum();
        let lag: u64 = ingest.iter().map(|status| status.lag_records).sum();
        let newest_us = ingest.iter().filter_map(|status| status.newest_record_us).max();
        Counters {
            written: Some(written.map_or(stored + lag, |written| written.max(stored))),
            stored: Some(stored),
            newest_stored_ms: newest_us.map(milliseconds),
            ..Counters::default()
        }
    }
}

impl Flows {
    /// Takes the counters of now, and says what flows.
    pub(crate) fn observe(&self, now: Instant, counters: Counters) -> Vec<Flow> {
        let before = self.remember(now, counters);
        let over = |grown: u64, at: Instant| grown as f64 / now.duration_since(at).as_secs_f64();
        let rate = |of: fn(&Counters) -> Option<u64>| {
            let (at, before) = before?;
            Some(over(of(&counters)?.saturating_sub(of(&before)?), at))
        };
        let bytes = |of: fn(&Bytes) -> Option<u64>| {
            let (at, before) = before?;
            // A process that was started again counts from nothing.
            Some(over(of(&counters.bytes)?.checked_sub(of(&before.bytes)?)?, at))
        };
        let lag =
            counters.written.zip(counters.stored).map(|(written, stored)| written.saturating_sub(stored));
        let flow = |from, to, records_per_s| Flow {
            from,
            to,
            records_per_s,
            bytes_per_s: None,
            lag_records: None,
            newest_record_ms: None,
        };
        let stored = rate(|counters| counters.stored);
        let (newest, shown) = (counters.newest_stored_ms, counters.newest_moment_ms);
        vec![
            Flow {
                bytes_per_s: bytes(|bytes| bytes.logged),
                ..flow(Station::Devices, Station::Broker, rate(|counters| counters.written))
            },
            Flow {
                lag_records: lag,
                newest_record_ms: newest,
                ..flow(Station::Broker, Station::Ingest, stored)
            },
            Flow {
                bytes_per_s: bytes(|bytes| bytes.stored),
                newest_record_ms: newest,
                ..flow(Station::Ingest, Station::Store, stored)
            },
            Flow {
                bytes_per_s: bytes(|bytes| bytes.shown),
                newest_record_ms: shown,
                ..flow(Station::Store, Station::Serve, rate(|counters| counters.moments))
            },
        ]
    }

    /// Keeps these counters; gives the oldest of the window.
    fn remember(&self, now: Instant, counters: Counters) -> Option<(Instant, Counters)> {
        // The samples are plain values: they are whole even when a holder of the lock panicked.
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        while samples.front().is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            samples.pop_front();
        }
        let oldest = samples.front().copied().filter(|(at, _)| now.duration_since(*at) >= APART_MIN);
        let is_new = samples.back().is_none_or(|(at, _)| now.duration_since(*at) >= APART_MIN);
        if is_new && samples.len() < SAMPLES_MAX {
            samples.push_back((now, counters));
        }
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(written: u64, stored: u64) -> Counters {
        Counters {
            written: Some(written),
            stored: Some(stored),
            moments: Some(stored),
            ..Counters::default()
        }
    }

    #[test]
    fn a_rate_is_the_growth_over_the_last_seconds_and_nothing_at_first() {
        let flows = Flows::default();
        let start = Instant::now();
        let first = flows.observe(start, counters(100, 90));
        assert!(first.iter().all(|flow| flow.records_per_s.is_none()));
        assert_eq!(first[1].lag_records, Some(10));
        let second = flows.observe(start + Duration::from_secs(2), counters(300, 90));
        assert_eq!(second[0].records_per_s, Some(100.0));
        assert_eq!((second[1].records_per_s, second[1].lag_records), (Some(0.0), Some(210)));
        let later = flows.observe(start + Duration::from_secs(60), counters(400, 400));
        assert_eq!(later[0].records_per_s, None, "what is a minute old says nothing of now");
    }

    #[test]
    fn bytes_are_told_where_they_are_counted_and_not_across_a_restart() {
        let flows = Flows::default();
        let start = Instant::now();
        let at = |logged, shown| Counters {
            bytes: Bytes { logged: Some(logged), stored: None, shown: Some(shown) },
            ..counters(1, 1)
        };
        flows.observe(start, at(1_000, 70));
        let told = flows.observe(start + Duration::from_secs(2), at(5_000, 20));
        let bytes: Vec<_> = told.iter().map(|flow| flow.bytes_per_s).collect();
        assert_eq!(bytes, [Some(2_000.0), None, None, None]);
    }

    #[test]
    fn a_store_that_is_away_stops_no_figure_but_its_own() {
        let flows = Flows::default();
        let start = Instant::now();
        flows.observe(start, counters(10, 10));
        let away = Counters { written: Some(30), ..Counters::default() };
        let flow = flows.observe(start + Duration::from_secs(1), away);
        assert_eq!((flow[0].records_per_s, flow[1].records_per_s), (Some(20.0), None));
        assert_eq!(flow[1].lag_records, None);
    }

    #[test]
    fn records_wait_while_no_ingest_process_counts_them() {
        let offset = PartitionOffset {
            partition: 0,
            epoch: 1,
            next: 40,
            life: 0,
            replaced_us: None,
            mark: None,
            records: 40,
            earlier_records: 0,
            rejected: 0,
        };
        let told = Counters::of_topic(&[offset], &[], Some(100));
        assert_eq!((told.written, told.stored), (Some(100), Some(40)));
        // An older word of the broker's than of the store's.
        assert_eq!(Counters::of_topic(&[offset], &[], Some(30)).written, Some(40));
    }
}
