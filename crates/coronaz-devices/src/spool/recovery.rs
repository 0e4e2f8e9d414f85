//! What a spool's file says in the end.

use std::{
    collections::{BTreeMap, VecDeque},
    fs, io,
    path::Path,
};

use coronaz_wire::Contact;
use uuid::Uuid;

use super::entry::{Carrier, Entry, Place};

/// A device that a process before this one carried.
#[derive(Debug, Clone, PartialEq)]
pub struct SpooledDevice {
    /// Its number in the spool.
    pub place: Place,
    /// Its UUID.
    pub uuid: Uuid,
    /// Its run.
    pub run: Option<Uuid>,
    /// When its process started last, microseconds since 1970.
    pub start_us: i64,
    /// Its carrier, if it has lived a second.
    pub carrier: Option<Carrier>,
    /// What it recorded and is not known to have told, oldest first.
    pub contacts: VecDeque<Contact>,
    /// Contacts dropped from the front that settling still counts.
    gone: u64,
}

/// The sum of a file's entries.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    devices: BTreeMap<Place, SpooledDevice>,
    pub(super) torn_bytes: usize,
}

impl Recovery {
    pub(super) fn of_file(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => Ok(Self::of_bytes(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    pub(super) fn of_bytes(mut bytes: &[u8]) -> Self {
        let mut recovery = Self::default();
        while let Some((entry, length)) = Entry::read(bytes) {
            recovery.apply(entry);
            bytes = &bytes[length..];
        }
        recovery.torn_bytes = bytes.len();
        recovery
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Device { place, uuid, run, start_us } => {
                let known = self.devices.entry(place).or_insert_with(|| SpooledDevice {
                    place,
                    uuid,
                    run,
                    start_us,
                    carrier: None,
                    contacts: VecDeque::new(),
                    gone: 0,
                });
                known.start_us = start_us;
            }
            Entry::Carrier { place, carrier } => {
                if let Some(device) = self.devices.get_mut(&place) {
                    device.carrier = Some(carrier);
                }
            }
            Entry::Contact { place, contact } => {
                if let Some(device) = self.devices.get_mut(&place) {
                    device.contacts.push_back(contact);
                }
            }
            Entry::Settled { place, contacts } => {
                if let Some(device) = self.devices.get_mut(&place) {
                    // What was dropped here is settled first: it was older.
                    let dropped = contacts.min(device.gone);
                    device.gone -= dropped;
                    let settled = usize::try_from(contacts - dropped).unwrap_or(usize::MAX);
                    device.contacts.drain(..settled.min(device.contacts.len()));
                }
            }
            Entry::Dropped { place, contacts } => {
                if let Some(device) = self.devices.get_mut(&place) {
                    device.gone = contacts;
                }
            }
            Entry::Finished { place } => {
                self.devices.remove(&place);
            }
        }
    }

    /// What was dropped is forgotten: a new process knows of none of it.
    pub(super) fn forget_dropped(&mut self) {
        for device in self.devices.values_mut() {
            device.gone = 0;
        }
    }

    pub(super) fn contacts(&self) -> u64 {
        self.devices.values().map(|device| device.contacts.len() as u64).sum()
    }

    pub(super) fn devices(&self) -> u64 {
        self.devices.len() as u64
    }

    /// Drops the oldest contacts, an equal share of each device's; says how many.
    pub(super) fn drop_oldest(&mut self, contacts: u64) -> u64 {
        let all = self.contacts().max(1);
        let mut dropped = 0;
        for device in self.devices.values_mut() {
            let own = device.contacts.len() as u64;
            let share = (u128::from(own) * u128::from(contacts)).div_ceil(u128::from(all));
            let share = u64::try_from(share).unwrap_or(own).min(own);
            device.contacts.drain(..usize::try_from(share).unwrap_or_default());
            device.gone += share;
            dropped += share;
        }
        dropped
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for device in self.devices.values() {
            let SpooledDevice { place, uuid, run, start_us, .. } = *device;
            Entry::Device { place, uuid, run, start_us }.write(&mut bytes);
            if let Some(carrier) = device.carrier {
                Entry::Carrier { place, carrier }.write(&mut bytes);
            }
            if device.gone > 0 {
                Entry::Dropped { place, contacts: device.gone }.write(&mut bytes);
            }
            for contact in &device.contacts {
                Entry::Contact { place, contact: contact.clone() }.write(&mut bytes);
            }
        }
        bytes
    }

    pub(super) fn into_devices(self) -> Vec<SpooledDevice> {
        self.devices.into_values().collect()
    }
}
