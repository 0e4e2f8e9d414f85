//! Who is in the process: devices of a process before, from the spool, and new ones.

use std::sync::Arc;

use coronaz_model::{Person, PersonId, Position, Spawn};
use coronaz_radio::{Radio, UdpRadio};
use coronaz_wire::seal::ReplayWindow;
use uuid::Uuid;

use super::{NodesConfig, NodesError, PENDING_CONTACTS_MAX, carried::Carried, clock};
use crate::{
    device::{Circumstances, Device},
    identity::new_identity,
    journal::Journal,
    outbox::Outbox,
    spool::{Carrier, Entry, Place, SpooledDevice},
};

/// The people of a process.
pub(super) struct People {
    pub(super) carried: Vec<Carried>,
    /// What the spool has to hold of them from the start.
    pub(super) entries: Vec<Entry>,
}

/// Puts people, devices and radios together.
///
/// The spool's devices of this run come first and count: a process started again is the same
/// devices. Those beyond the number asked for, and those of other runs, only tell what they left.
pub(super) fn people(
    config: &NodesConfig,
    circumstances: &Arc<Circumstances>,
    spooled: Vec<SpooledDevice>,
    started_us: i64,
) -> Result<People, NodesError> {
    let earlier_us = spooled.iter().map(|device| device.start_us).max().unwrap_or(i64::MIN);
    let start_us = started_us.max(earlier_us.saturating_add(1));
    let first_place = spooled.iter().map(|device| device.place + 1).max().unwrap_or(0);
    let (mut own, others): (Vec<_>, Vec<_>) =
        spooled.into_iter().partition(|device| device.run == config.run);
    let beyond = own.split_off(own.len().min(config.spawns.len()));
    let resumed = own.len();
    let mut crew = Crew { config, circumstances, start_us, carried: Vec::new(), entries: Vec::new() };
    for device in own {
        crew.resume(device)?;
    }
    for place in first_place.. {
        if crew.carried.len() == config.spawns.len() {
            break;
        }
        crew.appear(place)?;
    }
    for device in beyond.into_iter().chain(others) {
        crew.leave_behind(device)?;
    }
    if resumed > 0 {
        tracing::info!(devices = resumed, "the devices of the process before are carried on");
    }
    Ok(People { carried: crew.carried, entries: crew.entries })
}

struct Crew<'a> {
    config: &'a NodesConfig,
    circumstances: &'a Arc<Circumstances>,
    start_us: i64,
    carried: Vec<Carried>,
    entries: Vec<Entry>,
}

impl Crew<'_> {
    /// The number of the next device, which is its person's number too.
    fn next_index(&self) -> u32 {
        u32::try_from(self.carried.len()).unwrap_or(u32::MAX)
    }

    fn appear(&mut self, place: Place) -> Result<(), NodesError> {
        let uuid = new_identity()?;
        let spawn = self.config.spawns[self.carried.len()];
        let second = clock::second_of(clock::now_us());
        let id = PersonId(self.next_index());
        let device = Device::new(Arc::clone(self.circumstances), id, uuid, spawn, second);
        let position = device.person().position;
        tracing::info!(device = %uuid, x = position.x, y = position.y, infected = spawn.infected, "a device appears");
        self.push(place, uuid, self.config.run, Some(device), None, Vec::new())
    }

    fn resume(&mut self, spooled: SpooledDevice) -> Result<(), NodesError> {
        let Some(carrier) = spooled.carrier else {
            // It was killed within its first second: the same device, as it was meant to appear.
            let spawn = self.config.spawns[self.carried.len()];
            let second = clock::second_of(clock::now_us());
            let id = PersonId(self.next_index());
            let device = Device::new(Arc::clone(self.circumstances), id, spooled.uuid, spawn, second);
            return self.push(spooled.place, spooled.uuid, spooled.run, Some(device), None, Vec::new());
        };
        let person = person_of(&carrier, PersonId(self.next_index()), spooled.uuid, self.circumstances);
        let second = clock::second_of(clock::now_us());
        let device = Device::resume(Arc::clone(self.circumstances), person, carrier.tick, second);
        let alive = device.is_alive();
        let contacts = spooled.contacts.into();
        self.push(spooled.place, spooled.uuid, spooled.run, alive.then_some(device), Some(carrier), contacts)
    }

    /// A device that is not carried on: its contacts are told, nothing else.
    fn leave_behind(&mut self, spooled: SpooledDevice) -> Result<(), NodesError> {
        let Some(carrier) = spooled.carrier else {
            self.entries.push(Entry::Finished { place: spooled.place });
            return Ok(());
        };
        tracing::info!(device = %spooled.uuid, contacts = spooled.contacts.len(), "what a device left behind is told");
        self.push(spooled.place, spooled.uuid, spooled.run, None, Some(carrier), spooled.contacts.into())
    }

    fn push(
        &mut self,
        place: Place,
        uuid: Uuid,
        run: Option<Uuid>,
        device: Option<Device>,
        carrier: Option<Carrier>,
        contacts: Vec<coronaz_wire::Contact>,
    ) -> Result<(), NodesError> {
        let index = self.next_index();
        let pending_max = PENDING_CONTACTS_MAX / self.config.spawns.len().max(1);
        let mut journal =
            (self.config.journal.as_ref()).map(|dir| Journal::open(dir, run, uuid)).transpose()?;
        if let Some(journal) = &mut journal {
            // They reached the spool, but perhaps not the journal; it may say a thing twice.
            journal.record(&contacts)?;
        }
        let radio = device.as_ref().map(|_| UdpRadio::deaf(self.config.radio)).transpose()?;
        let port = radio.as_ref().and_then(|radio| radio.sending_port().ok());
        let mut outbox =
            Outbox::new(uuid, run, self.start_us, pending_max).with_encoding(self.config.encoding);
        if let Some(carrier) = &carrier {
            outbox.take_up(carrier.totals, carrier.infected_by, contacts);
        }
        let state = match (&device, &carrier) {
            (Some(device), _) => device.state(),
            (None, Some(carrier)) => Carried::state_of(carrier),
            (None, None) => unreachable!("a device without a carrier is alive"),
        };
        self.entries.push(Entry::Device { place, uuid, run, start_us: self.start_us });
        self.carried.push(Carried {
            index,
            uuid,
            place,
            device,
            radio: radio.map(|radio| Box::new(radio) as Box<dyn Radio>),
            port,
            window: ReplayWindow::default(),
            outbox,
            journal,
            state,
            finished: false,
            counter: i64::MIN,
        });
        Ok(())
    }
}

fn person_of(carrier: &Carrier, id: PersonId, uuid: Uuid, circumstances: &Circumstances) -> Person {
    let parameters = &circumstances.parameters;
    // The field may be smaller today.
    let side = |length: u32| i32::try_from(length).unwrap_or(i32::MAX);
    let (width, height) = (side(parameters.field_width), side(parameters.field_height));
    let onto = |place: Position| Position { x: place.x.clamp(0, width), y: place.y.clamp(0, height) };
    let here = Spawn { x: Some(carrier.position.x), y: Some(carrier.position.y), infected: false };
    let mut person = Person::spawn(parameters, circumstances.draws, id, uuid.as_u128(), here, 0);
    person.position = onto(carrier.position);
    person.goal = onto(carrier.goal);
    person.illness = carrier.illness;
    person.onset = carrier.onset;
    person.flees = carrier.flees;
    person.died_infectious = carrier.died_infectious;
    person
}
