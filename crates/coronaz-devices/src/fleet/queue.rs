//! What waits for the broker, in order: in flight, in memory, on disk. Without input or output of its own but the disk's.

use std::collections::VecDeque;

use super::{
    publisher::Outgoing,
    segments::{AppendError, Segments},
};

/// Bytes that wait in memory at most: all keyframes of the largest population.
const MEMORY_BYTES_MAX: usize = 128 << 20;
/// Bytes handed to the client and not acknowledged at most: half of what it takes.
const IN_FLIGHT_BYTES_MAX: usize = 32 << 20;

/// A queue of records.
pub(super) struct Queue {
    segments: Option<Segments>,
    memory: VecDeque<Item>,
    memory_bytes: usize,
    /// Sent and not settled, in order of tokens, which count up by one.
    in_flight: VecDeque<InFlight>,
    in_flight_bytes: usize,
    first_token: u64,
}

struct Item {
    record: Outgoing,
    on_disk: bool,
}

struct InFlight {
    /// `None` once it has arrived.
    record: Option<Outgoing>,
    on_disk: bool,
}

/// Why a record was not taken: there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Queue {
    pub(super) fn new(segments: Option<Segments>) -> Self {
        Queue {
            segments,
            memory: VecDeque::new(),
            memory_bytes: 0,
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            first_token: 0,
        }
    }

    /// Takes a record, on disk first where there is a spool: what waits survives this process.
    pub(super) fn push(&mut self, record: Outgoing) -> Result<(), NoRoom> {
        let room = self.memory_bytes < MEMORY_BYTES_MAX;
        let Some(segments) = &mut self.segments else {
            return if room { self.remember(record, false) } else { Err(NoRoom) };
        };
        let waiting = segments.is_unread();
        match segments.append(&record) {
            Ok(()) if room && !waiting => {
                segments.skip();
                self.remember(record, true)
            }
            Ok(()) => Ok(()),
            Err(AppendError::Full) => Err(NoRoom),
            Err(AppendError::Io(error)) => {
                tracing::warn!(%error, "the spool does not take a record");
                if room && !waiting { self.remember(record, false) } else { Err(NoRoom) }
            }
        }
    }

    fn remember(&mut self, record: Outgoing, on_disk: bool) -> Result<(), NoRoom> {
        self.memory_bytes += record.bytes();
        self.memory.push_back(Item { record, on_disk });
        Ok(())
    }

    /// Sends what comes next with its token, for as long as `send` takes it and not too much is in flight.
    pub(super) fn send(&mut self, mut send: impl FnMut(u64, &Outgoing) -> Sent) {
        while self.in_flight_bytes < IN_FLIGHT_BYTES_MAX {
            let Some(Item { record, on_disk }) = self.next() else { return };
            let token = self.first_token + self.in_flight.len() as u64;
            let bytes = record.bytes();
            match send(token, &record) {
                Sent::Taken => {
                    self.in_flight_bytes += bytes;
                    self.in_flight.push_back(InFlight { record: Some(record), on_disk });
                }
                Sent::NotNow => {
                    self.memory_bytes += bytes;
                    self.memory.push_front(Item { record, on_disk });
                    return;
                }
                Sent::Never => {
                    self.in_flight.push_back(InFlight { record: None, on_disk });
                    self.settle_front();
                }
            }
        }
    }

    fn next(&mut self) -> Option<Item> {
        if let Some(item) = self.memory.pop_front() {
            self.memory_bytes -= item.record.bytes();
            return Some(item);
        }
        match self.segments.as_mut()?.read() {
            Ok(record) => record.map(|record| Item { record, on_disk: true }),
            Err(error) => {
                tracing::warn!(%error, "the spool cannot be read");
                None
            }
        }
    }

    /// The record that was sent with this token, if it is still in flight.
    pub(super) fn sent(&self, token: u64) -> Option<&Outgoing> {
        let place = usize::try_from(token.checked_sub(self.first_token)?).ok()?;
        self.in_flight.get(place)?.record.as_ref()
    }

    /// It has arrived, or is given up; returns it.
    pub(super) fn settle(&mut self, token: u64) -> Option<Outgoing> {
        let place = usize::try_from(token.checked_sub(self.first_token)?).ok()?;
        let record = self.in_flight.get_mut(place)?.record.take()?;
        self.in_flight_bytes -= record.bytes();
        self.settle_front();
        Some(record)
    }

    fn settle_front(&mut self) {
        let mut on_disk = 0;
        while let Some(first) = self.in_flight.pop_front_if(|first| first.record.is_none()) {
            on_disk += u64::from(first.on_disk);
            self.first_token += 1;
        }
        if let (Some(segments), true) = (&mut self.segments, on_disk > 0) {
            segments.settle(on_disk);
        }
    }

    /// Bytes in memory, those in flight included.
    pub(super) fn waiting_bytes(&self) -> u64 {
        (self.memory_bytes + self.in_flight_bytes) as u64
    }

    /// Bytes on disk.
    pub(super) fn spooled_bytes(&self) -> u64 {
        self.segments.as_ref().map_or(0, Segments::bytes)
    }

    /// How full it is, from 0 to 1.
    pub(super) fn fullness(&self) -> f64 {
        match &self.segments {
            Some(segments) => segments.bytes() as f64 / segments.limit_bytes() as f64,
            None => self.memory_bytes as f64 / MEMORY_BYTES_MAX as f64,
        }
    }

    /// Records in memory and in flight that have not arrived.
    pub(super) fn held(&self) -> usize {
        self.memory.len() + self.in_flight.iter().filter(|sent| sent.record.is_some()).count()
    }

    /// Of the records taken, how many at the end of the line would be lost with this process.
    pub(super) fn at_risk(&self) -> usize {
        if self.segments.is_none() {
            return self.in_flight.len() + self.memory.len();
        }
        let memory = self.memory.iter().filter(|item| !item.on_disk).count();
        memory + self.in_flight.iter().filter(|sent| !sent.on_disk && sent.record.is_some()).count()
    }

    /// Whether everything has arrived.
    pub(super) fn is_empty(&self) -> bool {
        self.held() == 0 && !self.segments.as_ref().is_some_and(Segments::is_unread)
    }

    /// Whether everything that has not arrived is on disk.
    pub(super) fn is_safe(&self) -> bool {
        self.memory.iter().all(|item| item.on_disk)
            && self.in_flight.iter().all(|sent| sent.on_disk || sent.record.is_none())
    }
}

/// What became of a record handed to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// Its delivery will be told.
    Taken,
    /// Try again later.
    NotNow,
    /// It will never be taken.
    Never,
}
