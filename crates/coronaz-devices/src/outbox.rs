//! What a device still has to tell the broker.
//!
//! A contact stays until the report that carries it is acknowledged, so nothing is lost while the
//! broker is away, and the next report carries all of it. One report of a device is on its way at
//! most: contacts are in order, and an outage costs one report a device, not one a second.

use std::collections::VecDeque;

use coronaz_wire::{Contact, Report, Totals};
use uuid::Uuid;

use crate::device::DeviceState;

/// The most contacts in one report. The largest possible ones then stay below 256 KB, in either encoding (see the tests).
pub const CONTACTS_A_REPORT_MAX: usize = 1_700;

/// How reports are written. Our readers take both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// The JSON object.
    #[default]
    Json,
    /// As the original program writes them: a JSON string that holds the JSON object.
    Paper,
}

/// A report on its way.
#[derive(Debug, Clone)]
struct InFlight {
    seq: u64,
    carried: usize,
    told_infection: bool,
    last: bool,
    bytes: Vec<u8>,
    /// Handed over at least once: it may have arrived, so it can only be repeated as it is.
    sent: bool,
    /// Waiting for its acknowledgement, as against for being handed over again.
    waiting: bool,
}

/// What an acknowledgement settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settled {
    /// Contacts that the report carried.
    pub contacts: usize,
    /// Whether it was the device's last message.
    pub last: bool,
}

/// A device's contacts and reports.
#[derive(Debug)]
pub struct Outbox {
    uuid: Uuid,
    run: Option<Uuid>,
    start_us: i64,
    next_seq: u64,
    totals: Totals,
    pending: VecDeque<Contact>,
    pending_max: usize,
    dropped: u64,
    infected_by: Option<Uuid>,
    in_flight: Option<InFlight>,
    encoding: Encoding,
}

impl Outbox {
    /// An empty outbox of a device whose process started at `start_us`. It holds `pending_max`
    /// contacts and then drops the oldest, counted.
    #[must_use]
    pub fn new(uuid: Uuid, run: Option<Uuid>, start_us: i64, pending_max: usize) -> Self {
        Outbox {
            uuid,
            run,
            start_us,
            next_seq: 0,
            totals: Totals::default(),
            pending: VecDeque::new(),
            pending_max: pending_max.max(CONTACTS_A_REPORT_MAX),
            dropped: 0,
            infected_by: None,
            in_flight: None,
            encoding: Encoding::default(),
        }
    }

    /// The same, with its reports written in this way.
    #[must_use]
    pub fn with_encoding(self, encoding: Encoding) -> Self {
        Outbox { encoding, ..self }
    }

    /// Takes up what a process before this one left.
    pub fn take_up(&mut self, totals: Totals, infected_by: Option<Uuid>, pending: Vec<Contact>) {
        self.totals = totals;
        self.infected_by = infected_by;
        self.pending = pending.into();
    }

    /// Adds a recorded contact.
    pub fn record(&mut self, contact: Contact) {
        self.totals.add(self.uuid, contact.uuid, contact.timestamp_us);
        self.pending.push_back(contact);
        let carried = self.in_flight.as_ref().map_or(0, |report| report.carried);
        if self.pending.len() > self.pending_max.saturating_add(carried) {
            self.pending.remove(carried);
            self.dropped += 1;
        }
    }

    /// The next report tells who infected the carrier.
    pub fn infected(&mut self, infector: Uuid) {
        self.infected_by = Some(infector);
    }

    /// Everything recorded in the device's life.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Who infected the carrier, if no report that tells it has arrived yet.
    #[must_use]
    pub fn infected_by(&self) -> Option<Uuid> {
        self.infected_by
    }

    /// Contacts not known to have arrived.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Contacts dropped because too many were pending.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether no more fit into the report that goes next.
    #[must_use]
    pub fn holds_more_than_a_report(&self) -> bool {
        self.pending.len() > CONTACTS_A_REPORT_MAX
    }

    /// The number of the report on its way.
    #[must_use]
    pub fn seq_in_flight(&self) -> Option<u64> {
        self.in_flight.as_ref().map(|report| report.seq)
    }

    /// The report to hand over now, with its number: a repeat of the one in doubt, or a new one of
    /// this state with all contacts that fit. `None` while one is on its way.
    ///
    /// A dead device is told of as alive until the report that carries the last of its contacts.
    pub fn report(&mut self, state: DeviceState, now_us: i64) -> Option<(u64, &[u8])> {
        if self.in_flight.as_ref().is_some_and(|report| report.waiting) {
            return None;
        }
        if self.in_flight.is_none() {
            self.in_flight = Some(self.make(state, now_us));
        }
        let report = self.in_flight.as_mut()?;
        report.waiting = true;
        Some((report.seq, &report.bytes))
    }

    fn make(&mut self, state: DeviceState, now_us: i64) -> InFlight {
        let carried = self.pending.len().min(CONTACTS_A_REPORT_MAX);
        let last = !state.alive && carried == self.pending.len();
        let seq = self.next_seq;
        self.next_seq += 1;
        let report = Report {
            uuid: self.uuid,
            position: [state.position.x, state.position.y],
            infected: state.infected,
            timestamp_us: now_us,
            alive: !last,
            contacts: self.pending.iter().take(carried).cloned().collect(),
            run: self.run,
            start_us: Some(self.start_us),
            seq: Some(seq),
            tick: None,
            immune: Some(state.immune),
            infected_by: self.infected_by,
            totals: Some(self.totals),
        };
        let told_infection = self.infected_by.is_some();
        let bytes = match self.encoding {
            Encoding::Json => report.encode(),
            Encoding::Paper => report.encode_as_the_paper(),
        };
        InFlight { seq, carried, told_infection, last, bytes, sent: false, waiting: false }
    }

    /// The report was handed over.
    pub fn sent(&mut self, seq: u64) {
        if let Some(report) = self.in_flight.as_mut().filter(|report| report.seq == seq) {
            report.sent = true;
        }
    }

    /// The report was not taken. One that was never sent is made anew next time, with what is true then.
    pub fn not_sent(&mut self, seq: u64) {
        let Some(report) = self.in_flight.as_mut().filter(|report| report.seq == seq) else { return };
        report.waiting = false;
        if !report.sent {
            self.next_seq = seq;
            self.in_flight = None;
        }
    }

    /// The report is stored; what it carried is settled.
    pub fn acknowledged(&mut self, seq: u64) -> Option<Settled> {
        let report = self.in_flight.take_if(|report| report.seq == seq)?;
        self.pending.drain(..report.carried);
        if report.told_infection {
            self.infected_by = None;
        }
        Some(Settled { contacts: report.carried, last: report.last })
    }

    /// Nobody knows whether the report is stored: the same bytes go out again.
    pub fn in_doubt(&mut self, seq: u64) {
        if let Some(report) = self.in_flight.as_mut().filter(|report| report.seq == seq) {
            report.waiting = false;
        }
    }

    /// The broker will never take this report: its contacts go with another.
    pub fn refused(&mut self, seq: u64) {
        self.in_flight.take_if(|report| report.seq == seq);
    }
}

#[cfg(test)]
mod tests;
