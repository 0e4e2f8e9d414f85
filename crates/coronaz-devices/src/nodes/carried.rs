//! One device of the process: its carrier, radio, outbox and journal.

use std::sync::Arc;

use coronaz_bus::{ContentType, Delivery, DeliveryError, Record, RecordSink, SendError};
use coronaz_model::{Health, Infection};
use coronaz_radio::Radio;
use coronaz_wire::{Contact, seal::ReplayWindow};
use uuid::Uuid;

use crate::{
    device::{Device, DeviceState},
    journal::Journal,
    outbox::{Outbox, Settled},
    spool::{Carrier, Entry, Place},
};

/// A device in this process, or what is left of one of a process before.
pub(super) struct Carried {
    /// Its number in the process: names it in the tokens of its reports.
    pub(super) index: u32,
    pub(super) uuid: Uuid,
    /// Its number in the spool.
    pub(super) place: Place,
    /// `None`: only its contacts are left, from a process before.
    pub(super) device: Option<Device>,
    /// On while the carrier lives. It only sends: what is heard comes by the thread's.
    pub(super) radio: Option<Box<dyn Radio>>,
    /// The port it sends from, if that is known.
    pub(super) port: Option<u16>,
    pub(super) window: ReplayWindow,
    pub(super) outbox: Outbox,
    pub(super) journal: Option<Journal>,
    /// What reports tell.
    pub(super) state: DeviceState,
    /// Nothing is left to tell.
    pub(super) finished: bool,
    /// The largest counter of a sealed beacon so far.
    pub(super) counter: i64,
}

impl Carried {
    /// Records what a second brought, and appends what the spool has to hold of it.
    pub(super) fn record(
        &mut self,
        contacts: &[Contact],
        infection: Option<Infection>,
        spool: &mut Vec<Entry>,
    ) {
        for contact in contacts {
            self.outbox.record(contact.clone());
        }
        if let Some(infection) = infection {
            let infector = Uuid::from_u128(infection.infector);
            let (x, y) = (infection.place.x, infection.place.y);
            tracing::info!(device = %self.uuid, %infector, x, y, "infected");
            self.outbox.infected(infector);
        }
        let Some(device) = &self.device else { return };
        self.state = device.state();
        let place = self.place;
        let person = device.person();
        let carrier = Carrier {
            tick: device.tick(),
            position: person.position,
            goal: person.goal,
            illness: person.illness,
            onset: person.onset,
            flees: person.flees,
            died_infectious: person.died_infectious,
            totals: self.outbox.totals(),
            infected_by: self.outbox.infected_by(),
        };
        spool.push(Entry::Carrier { place, carrier });
        spool.extend(contacts.iter().map(|contact| Entry::Contact { place, contact: contact.clone() }));
    }

    /// Hands the next report over, if there is one to hand over.
    pub(super) fn report(&mut self, sink: &dyn RecordSink, now_us: i64) {
        if self.finished {
            return;
        }
        let key = self.uuid.to_string();
        let Some((seq, payload)) = self.outbox.report(self.state, now_us) else { return };
        let token = u64::from(self.index) << 32 | seq & u64::from(u32::MAX);
        let record = Record { key: key.as_bytes(), payload, content_type: ContentType::JSON, token };
        match sink.send(&record) {
            Ok(()) => self.outbox.sent(seq),
            Err(error) => {
                if !matches!(error, SendError::QueueFull) {
                    tracing::warn!(device = %self.uuid, %error, "a report was not taken");
                }
                self.outbox.not_sent(seq);
            }
        }
    }

    /// Takes the fate of a report; if more is waiting than fits in one, the next goes at once.
    pub(super) fn delivered(
        &mut self,
        delivery: &Delivery,
        sink: &Arc<dyn RecordSink>,
        now_us: i64,
        spool: &mut Vec<Entry>,
    ) {
        let seq = delivery.token & u64::from(u32::MAX);
        let Some(seq) = self.outbox.seq_in_flight().filter(|own| own & u64::from(u32::MAX) == seq) else {
            return;
        };
        match &delivery.result {
            Ok(_) => self.settle(seq, spool),
            Err(DeliveryError::Unknown { reason }) => {
                tracing::debug!(device = %self.uuid, seq, reason, "a report is in doubt and goes out again");
                self.outbox.in_doubt(seq);
            }
            Err(DeliveryError::Refused { reason }) => {
                tracing::warn!(device = %self.uuid, seq, reason, "a report was refused");
                self.outbox.refused(seq);
                return;
            }
        }
        let last_words = !self.state.alive || self.device.is_none();
        if !self.finished && (last_words || self.outbox.holds_more_than_a_report()) {
            self.report(&**sink, now_us);
        }
    }

    fn settle(&mut self, seq: u64, spool: &mut Vec<Entry>) {
        let Some(Settled { contacts, last }) = self.outbox.acknowledged(seq) else { return };
        if contacts > 0 {
            spool.push(Entry::Settled { place: self.place, contacts: contacts as u64 });
        }
        let left_behind = self.device.is_none() && self.state.alive && self.outbox.pending() == 0;
        if last || left_behind {
            self.finished = true;
            tracing::info!(device = %self.uuid, "its last message has arrived");
        }
    }

    /// What a device of a process before this one still tells.
    pub(super) fn state_of(carrier: &Carrier) -> DeviceState {
        let alive = carrier.illness.health != Health::Deceased;
        DeviceState {
            position: carrier.position,
            infected: carrier.illness.health.is_infectious() || carrier.died_infectious,
            immune: carrier.illness.health == Health::Immune,
            alive,
        }
    }
}
