//! What a spool's file says in the end, also when some of its bytes are damaged.
//!
//! Behind a damaged place the next whole entry is looked for. What is whole counts, except for one thing: how many contacts
//! have arrived is counted from the oldest on, and among the damaged ones may have been contacts. So behind a damaged place
//! nothing counts as settled: what is told twice is stored once, what is not told is lost.

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

impl SpooledDevice {
    /// The entry that names it.
    fn named(&self) -> Entry {
        let SpooledDevice { place, uuid, run, start_us, .. } = *self;
        Entry::Device { place, uuid, run, start_us }
    }
}

/// The sum of a file's entries.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    devices: BTreeMap<Place, SpooledDevice>,
    /// Entries of devices that are not known yet, because what names them is damaged.
    orphans: BTreeMap<Place, Orphan>,
    /// An entry at the end that a process was killed while it wrote.
    pub(super) torn_bytes: usize,
    /// Bytes that are no entries.
    pub(super) damaged_bytes: usize,
}

/// What is known of a device that nobody names.
#[derive(Debug, Default)]
struct Orphan {
    carrier: Option<Carrier>,
    contacts: VecDeque<Contact>,
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
        while !bytes.is_empty() {
            if let Some((entry, length)) = Entry::read(bytes) {
                recovery.apply(entry);
                bytes = &bytes[length..];
                continue;
            }
            match Entry::find(&bytes[1..]) {
                Some(at) => {
                    recovery.damaged_bytes += 1 + at;
                    bytes = &bytes[1 + at..];
                }
                None if bytes.len() < Entry::BYTES_MAX => {
                    recovery.torn_bytes = bytes.len();
                    break;
                }
                None => {
                    recovery.damaged_bytes += bytes.len();
                    break;
                }
            }
        }
        recovery
    }

    /// Contacts of devices that nothing names any more.
    pub(super) fn orphaned_contacts(&self) -> usize {
        self.orphans.values().map(|orphan| orphan.contacts.len()).sum()
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Device { place, uuid, run, start_us } => {
                let orphans = &mut self.orphans;
                let known = self.devices.entry(place).or_insert_with(|| {
                    let Orphan { carrier, contacts } = orphans.remove(&place).unwrap_or_default();
                    SpooledDevice { place, uuid, run, start_us, carrier, contacts, gone: 0 }
                });
                known.start_us = start_us;
            }
            Entry::Carrier { place, carrier } => match self.devices.get_mut(&place) {
                Some(device) => device.carrier = Some(carrier),
                None => self.orphans.entry(place).or_default().carrier = Some(carrier),
            },
            Entry::Contact { place, contact } => match self.devices.get_mut(&place) {
                Some(device) => device.contacts.push_back(contact),
                None => self.orphans.entry(place).or_default().contacts.push_back(contact),
            },
            Entry::Settled { place, contacts } => {
                let exact = self.damaged_bytes == 0;
                if let Some(device) = self.devices.get_mut(&place).filter(|_| exact) {
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
                self.orphans.remove(&place);
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
            device.named().write(&mut bytes);
            let place = device.place;
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
        // Without its name all that is kept of a device is worth nothing: it stands there twice.
        self.devices.values().for_each(|device| device.named().write(&mut bytes));
        bytes
    }

    pub(super) fn into_devices(self) -> Vec<SpooledDevice> {
        self.devices.into_values().collect()
    }
}
