//! Batches: by count, by time, by size, and at once when a node dies. Pure; is told the time.

use crate::config::IngestConfig;
use crate::decode::{Decoded, decode};
use crate::news::Work;
use crate::writer::Now;
use coronaz_bus::{GapReason, Incoming};
use coronaz_store::{Batch, Gap, ReportRecord};
use coronaz_wire::Contact;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// What is gathered of each partition that is read.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    partitions: BTreeMap<i32, Gathered>,
    /// The run to which reports without a run count.
    adopt: Option<Uuid>,
}

#[derive(Debug)]
struct Gathered {
    generation: u64,
    batch: Batch,
    bytes: usize,
    newest_us: i64,
    /// When the oldest record of the batch came.
    since: Duration,
    /// A node died.
    urgent: bool,
}

impl Gathered {
    fn new(generation: u64, epoch: i64, partition: i32, from: i64) -> Self {
        let batch = Batch::new(partition, epoch, from);
        Self { generation, batch, bytes: 0, newest_us: 0, since: Duration::ZERO, urgent: false }
    }

    fn is_empty(&self) -> bool {
        self.batch.from == self.batch.to
    }
}

/// How much room a record that is kept as it came takes in memory beside its bytes, about.
const RECORD_OVERHEAD_BYTES: usize = 200;

/// How much room a report takes in memory, decoded.
fn report_bytes(record: &ReportRecord) -> usize {
    size_of::<ReportRecord>() + record.report.contacts.capacity() * size_of::<Contact>()
}

impl Gathering {
    /// Nothing yet. Reports without a run, those of the paper's programs, count to the run `adopt`.
    pub(crate) fn adopting(adopt: Option<Uuid>) -> Self {
        Self { adopt, ..Self::default() }
    }

    /// Begins a partition, anew if it was there. Returns the bytes that are given up.
    pub(crate) fn begin(&mut self, partition: i32, epoch: i64, next: i64, generation: u64) -> usize {
        let fresh = Gathered::new(generation, epoch, partition, next);
        self.partitions.insert(partition, fresh).map_or(0, |old| old.bytes)
    }

    /// Ends a partition. Returns the bytes that are given up.
    pub(crate) fn end(&mut self, partition: i32) -> usize {
        self.partitions.remove(&partition).map_or(0, |old| old.bytes)
    }

    /// Takes what came from the topic. Returns the bytes it takes; 0 when its partition is not read, or it was in before.
    pub(crate) fn push(&mut self, incoming: Incoming, now: Now) -> usize {
        let Some(gathered) = self.partitions.get_mut(&incoming.partition()) else { return 0 };
        let next = incoming.next_offset();
        if next <= gathered.batch.to {
            return 0;
        }
        if gathered.is_empty() {
            gathered.since = now.elapsed;
        }
        let batch = &mut gathered.batch;
        let bytes = match incoming {
            Incoming::Gap { from, to, reason, .. } => {
                let reason = match reason {
                    GapReason::Missing => "missing: expired or removed before it was read",
                    GapReason::Undeliverable => "undeliverable: the broker does not hand it out",
                };
                batch.gaps.push(Gap { from: from.max(batch.to), to, reason: reason.to_owned() });
                RECORD_OVERHEAD_BYTES
            }
            Incoming::Record(message) => {
                let mut bytes = message.bytes() + RECORD_OVERHEAD_BYTES;
                gathered.newest_us = gathered.newest_us.max(message.timestamp_ms.saturating_mul(1000));
                match decode(message) {
                    Decoded::Report(mut record) => {
                        record.report.run = record.report.run.or(self.adopt);
                        bytes = report_bytes(&record);
                        gathered.urgent |= !record.report.alive;
                        batch.reports.push(record);
                    }
                    Decoded::Announcement(record) => batch.announcements.push(*record),
                    Decoded::Frame(record) => batch.frames.push(record),
                    Decoded::Rejected(rejected) => batch.rejected.push(rejected),
                }
                bytes
            }
        };
        batch.to = next;
        gathered.bytes += bytes;
        bytes
    }

    /// Takes out the batches that are due: a round, the one that waited longest first.
    pub(crate) fn take_due(&mut self, config: &IngestConfig, now: Now) -> Vec<Work> {
        let is_due = |gathered: &&mut Gathered| {
            !gathered.is_empty()
                && (gathered.urgent
                    || gathered.batch.records() >= config.batch_records
                    || now.elapsed.saturating_sub(gathered.since) >= config.batch_wait)
        };
        let mut due: Vec<&mut Gathered> = self.partitions.values_mut().filter(is_due).collect();
        due.sort_by_key(|gathered| gathered.since);
        let mut left = due.len();
        let take = |gathered: &mut Gathered| {
            left -= 1;
            let Batch { partition, epoch, to, .. } = gathered.batch;
            let taken = std::mem::replace(gathered, Gathered::new(gathered.generation, epoch, partition, to));
            let mut batch = taken.batch;
            batch.state_every = config.state_every;
            batch.now_us = now.wall_us;
            let Gathered { generation, bytes, newest_us, .. } = taken;
            Work { batch, generation, bytes, newest_us, part: left > 0 }
        };
        due.into_iter().map(take).collect()
    }

    /// Some batch is as large as a batch may be: no more should be read before it is taken.
    pub(crate) fn is_full(&self, config: &IngestConfig) -> bool {
        self.partitions.values().any(|gathered| gathered.batch.records() >= config.batch_records_max)
    }

    /// Nothing waits to be taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.partitions.values().all(Gathered::is_empty)
    }

    /// Partitions that are read.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = i32> + '_ {
        self.partitions.keys().copied()
    }
}
