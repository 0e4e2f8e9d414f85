//! Batches: by count, by time, by size, and at once when a node dies. Pure; is told the time.

use crate::config::IngestConfig;
use crate::decode::{Decoded, decode};
use crate::news::Work;
use crate::writer::Now;
use coronaz_bus::{GapReason, Incoming, Mark};
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
    /// The last ones of logs that were replaced, in the order in which that was noticed.
    closed: Vec<Gathered>,
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

    fn into_work(mut self, config: &IngestConfig, now: Now) -> Work {
        self.batch.state_every = config.state_every;
        self.batch.now_us = now.wall_us;
        let Self { generation, batch, bytes, newest_us, .. } = self;
        Work { batch, generation, bytes, newest_us, part: true }
    }
}

/// What the list of missing records says of a log that was replaced.
const REPLACED_REASON: &str = "replaced: the topic was made again, or its data was replaced or lost its end; what the former \
    log had from here on and was not read is lost, and the new log is read from its beginning";

/// How much room a record that is kept as it came takes in memory beside its bytes, about.
const RECORD_OVERHEAD_BYTES: usize = 200;

/// Why offsets did not come, for people.
pub(crate) fn reason_of(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Missing => "missing: removed, or damaged in the broker's files",
        GapReason::Expired => "expired: removed by retention before it was read",
        GapReason::Unreadable => "unreadable: what the broker hands out cannot be read",
    }
}

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
        let given_up = self.end(partition);
        self.partitions.insert(partition, Gathered::new(generation, epoch, partition, next));
        given_up
    }

    /// Ends a partition. Returns the bytes that are given up.
    pub(crate) fn end(&mut self, partition: i32) -> usize {
        let (gone, kept) = std::mem::take(&mut self.closed)
            .into_iter()
            .partition::<Vec<_>, _>(|closed| closed.batch.partition == partition);
        self.closed = kept;
        let gone = gone.into_iter().chain(self.partitions.remove(&partition));
        gone.map(|gathered| gathered.bytes).sum()
    }

    /// What the last record of a partition's batch is recognised by.
    pub(crate) fn set_mark(&mut self, partition: i32, mark: Option<Mark>) {
        if let Some(gathered) = self.partitions.get_mut(&partition) {
            // One of a record that is in the batch: else it is kept with the batch that the record was in.
            let is_in = |mark: &Mark| (gathered.batch.from..gathered.batch.to).contains(&mark.offset());
            gathered.batch.mark = mark.filter(is_in).map(Mark::to_bytes).or(gathered.batch.mark);
        }
    }

    /// The partition has another log: what was gathered of the former one is its last batch. Returns the
    /// bytes it takes.
    fn replace(&mut self, partition: i32, (next, end): (i64, Option<i64>)) -> usize {
        let Some(gathered) = self.partitions.get_mut(&partition) else { return 0 };
        let Batch { epoch, .. } = gathered.batch;
        let fresh = Gathered::new(gathered.generation, epoch, partition, 0);
        let mut closed = std::mem::replace(gathered, fresh);
        let from = next.max(closed.batch.to);
        closed.batch.replaced = true;
        closed.batch.gaps.push(Gap {
            from,
            to: end.map_or(from, |end| end.max(from)),
            reason: REPLACED_REASON.to_owned(),
        });
        closed.bytes += RECORD_OVERHEAD_BYTES;
        self.closed.push(closed);
        RECORD_OVERHEAD_BYTES
    }

    /// Takes what came from the topic. Returns the bytes it takes; 0 when its partition is not read, or it was in before.
    pub(crate) fn push(&mut self, incoming: Incoming, now: Now) -> usize {
        if let Incoming::Replaced { partition, next, end } = incoming {
            return self.replace(partition, (next, end));
        }
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
                let reason = reason_of(reason);
                batch.gaps.push(Gap { from: from.max(batch.to), to, reason: reason.to_owned() });
                RECORD_OVERHEAD_BYTES
            }
            Incoming::Replaced { .. } => 0,
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
        let closed = std::mem::take(&mut self.closed);
        let mut works: Vec<Work> = closed.into_iter().map(|closed| closed.into_work(config, now)).collect();
        let mut due: Vec<&mut Gathered> = self.partitions.values_mut().filter(is_due).collect();
        due.sort_by_key(|gathered| gathered.since);
        works.extend(due.into_iter().map(|gathered| {
            let Batch { partition, epoch, to, .. } = gathered.batch;
            let fresh = Gathered::new(gathered.generation, epoch, partition, to);
            std::mem::replace(gathered, fresh).into_work(config, now)
        }));
        if let Some(last) = works.last_mut() {
            last.part = false;
        }
        works
    }

    /// Some batch is as large as a batch may be: no more should be read before it is taken.
    pub(crate) fn is_full(&self, config: &IngestConfig) -> bool {
        self.partitions.values().any(|gathered| gathered.batch.records() >= config.batch_records_max)
    }

    /// Nothing waits to be taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.partitions.values().all(Gathered::is_empty)
    }
}
