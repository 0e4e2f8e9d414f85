//! The bridge: devices with a real radio as guests in the fleet's world.
//!
//! The fleet's ticks are the seconds of the wall clock here, as a device's are. In each second the bridge listens; when
//! it hears a guest's beacon, those of the fleet who are in range of it send theirs, each once a second, under their
//! own UUIDs. So a guest hears whom it is near, by its own rules. When the second is over, whoever of the fleet is
//! near a guest has heard it: by the rules that hold among the fleet's own people. What they heard they tell in reports
//! like a device's, in the run of the fleet's guests ([`coronaz_wire::guests`]).
//!
//! - [`voices`]: the beacons of the fleet's people
//! - `tellers`: their reports
//! - `wall_pace`: when ticks are due

mod tellers;
pub mod voices;
mod wall_pace;

use std::collections::BTreeMap;

use coronaz_model::{
    Emission, Fleet, Identity, Infection, Parameters, PersonId, Position, Reach, fleet::Standing,
    identity::person_of,
};
use coronaz_radio::{Ear, Expectations, Radio, UdpConfig, UdpRadio};
use coronaz_wire::{
    Beacon,
    guests::run_of,
    seal::{RadioKey, ReplayWindow},
    timestamp::SECOND_US,
};
use uuid::Uuid;

use super::{FleetError, publisher::Outgoing, scribe::Scribe};
use crate::{device::SECONDS_REMEMBERED, nodes::Refused};
use tellers::Tellers;
use voices::Voices;
pub(super) use wall_pace::WallPace;

/// Guests heard in a second at most: as many devices as one machine carries. Others are not heard in it, and counted.
pub const GUESTS_MAX: usize = 1_000;

/// Where guests are met.
#[derive(Debug, Clone)]
pub struct BridgeConfig {
    /// Where beacons go, and are heard.
    pub radio: UdpConfig,
    /// With a key, only sealed beacons are sent and heard.
    pub key: Option<RadioKey>,
}

/// What a bridge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Guests' beacons heard, at most one a guest a second.
    pub heard: u64,
    /// Guests' beacons that came too late for their second, or beyond [`GUESTS_MAX`].
    pub missed: u64,
    /// Beacons under the UUIDs of the fleet's people that others sent: not heard.
    pub pretended: u64,
    /// Beacons sent by the fleet's people.
    pub sent: u64,
    /// Beacons not sent, beyond [`voices::BEACONS_A_SECOND_MAX`].
    pub held_back: u64,
    /// Contacts that the fleet's people recorded.
    pub contacts: u64,
}

/// What the fleet is to its guests.
pub(super) struct Bridge {
    radio: Box<dyn Radio>,
    /// The port it sends from, if that is known.
    port: Option<u16>,
    ear: Ear,
    window: ReplayWindow,
    refused: Refused,
    refusals_told: coronaz_radio::Refusals,
    voices: Voices,
    tellers: Tellers,
    base: Identity,
    people: u32,
    reach: Reach,
    /// The wall-clock second of the fleet's tick.
    second: i64,
    /// The guests of this second, by UUID: the latest beacon of each, and when it was.
    guests: BTreeMap<Identity, (Beacon, i64)>,
    /// Beacons of the second that is next: the fleet is behind.
    early: Vec<Beacon>,
    figures: Figures,
    warned: bool,
}

impl Bridge {
    /// Switches the radio on. `started_us`: when the process started, for the reports' identity.
    pub(super) fn new(
        config: &BridgeConfig,
        fleet_run: Uuid,
        (parameters, base, people): (&Parameters, Identity, u32),
        started_us: i64,
    ) -> Result<Self, FleetError> {
        let run = run_of(fleet_run);
        let expectations =
            Expectations { run: Some(run), field: parameters.field(), key: config.key.clone() };
        let contact = parameters.reach();
        let radio = UdpRadio::new(config.radio)?;
        Ok(Bridge {
            port: radio.sending_port().ok(),
            radio: Box::new(radio),
            ear: Ear::new(expectations),
            window: ReplayWindow::default(),
            refused: Refused::default(),
            refusals_told: coronaz_radio::Refusals::default(),
            voices: Voices::new(run, base, config.key.clone()),
            tellers: Tellers::new(run, base, started_us),
            base,
            people,
            reach: parameters.sensing().map_or(contact, |sensing| sensing.max(contact)),
            second: i64::MIN,
            guests: BTreeMap::new(),
            early: Vec::new(),
            figures: Figures::default(),
            warned: false,
        })
    }

    /// The fleet's people have moved: from now on they are heard where they are in this second.
    pub(super) fn begin_second(&mut self, second: i64, fleet: &Fleet, now_us: i64) {
        self.second = second;
        self.guests.clear();
        self.voices.begin_second(second);
        for beacon in std::mem::take(&mut self.early) {
            self.hear(&beacon, fleet, now_us);
        }
    }

    /// The clock was set: guests are in this second now, and the fleet is until it moves again.
    pub(super) fn set_clock(&mut self, second: i64) {
        self.second = second;
        self.early.clear();
        self.voices.set_clock(second);
    }

    /// Looks at the radio; whoever is near a guest answers. Says whether more is to be sent at once.
    pub(super) fn look(&mut self, fleet: &Fleet, now_us: i64) -> bool {
        let Bridge { radio, port, ear, window, base, people, .. } = self;
        let (mut heard, mut pretended) = (Vec::new(), None);
        let outcome = radio.receive(&mut |bytes, from| {
            let Some(beacon) = ear.hear(window, bytes, from, now_us) else { return };
            let own = person_of(*base, beacon.uuid.as_u128()).is_some_and(|person| person.0 < *people);
            if !own {
                heard.push(beacon.clone());
            } else if port.is_some_and(|port| port != from.port()) {
                pretended = Some((pretended.map_or(1, |(count, _)| count + 1), from));
            }
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "the radio could not be read");
        }
        for beacon in heard {
            self.hear(&beacon, fleet, now_us);
        }
        if let Some((count, from)) = pretended {
            if self.figures.pretended == 0 {
                tracing::warn!(%from, "somebody sends beacons under UUIDs of the fleet's people; they are not heard");
            }
            self.figures.pretended += count;
        }
        let new = self.ear.refusals().since(&self.refusals_told);
        self.refusals_told = *self.ear.refusals();
        self.refused.tell(&new, self.ear.refused_last());
        self.voices.send(&mut *self.radio, now_us)
    }

    /// The same rule as a device's: a beacon is of the second that its timestamp names; one of another clock is of now.
    fn hear(&mut self, beacon: &Beacon, fleet: &Fleet, now_us: i64) {
        let named = beacon.timestamp_us.div_euclid(SECOND_US);
        let remembered = SECONDS_REMEMBERED as i64;
        if named == self.second + 1 {
            if self.early.len() < GUESTS_MAX {
                self.early.push(beacon.clone());
            }
            return;
        }
        if (self.second - remembered..self.second).contains(&named) {
            self.miss();
            return;
        }
        let timestamp_us = if named == self.second { beacon.timestamp_us } else { now_us };
        let identity = beacon.uuid.as_u128();
        if self.guests.len() == GUESTS_MAX && !self.guests.contains_key(&identity) {
            self.miss();
            return;
        }
        let before = self.guests.insert(identity, (beacon.clone(), timestamp_us));
        self.figures.heard += u64::from(before.is_none());
        for standing in fleet.near(place_of(beacon), self.reach) {
            self.voices.raise(&standing);
        }
    }

    fn miss(&mut self) {
        self.figures.missed += 1;
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!("some guests' beacons came too late for their second, or were too many");
        }
    }

    /// The second is nearly over: hears what has arrived, says what is left, and names the guests.
    pub(super) fn guests(&mut self, fleet: &Fleet, now_us: i64) -> Vec<Emission> {
        while self.look(fleet, now_us) {}
        let emission = |(&identity, (beacon, _)): (&Identity, &(Beacon, i64))| Emission {
            identity,
            position: place_of(beacon),
            infectious: beacon.infected,
            alive: beacon.alive,
        };
        self.guests.iter().map(emission).collect()
    }

    /// The second is over: the reports of those who heard guests in it.
    pub(super) fn reports(&mut self, fleet: &Fleet, scribes: &[Scribe], now_us: i64) -> Vec<Outgoing> {
        let mut standings: BTreeMap<PersonId, Standing> = BTreeMap::new();
        for (beacon, _) in self.guests.values() {
            standings
                .extend(fleet.near(place_of(beacon), self.reach).map(|standing| (standing.id, standing)));
        }
        let infections: BTreeMap<Identity, Infection> = scribes
            .iter()
            .flat_map(|scribe| scribe.infections().iter().map(|infection| (infection.infectee, *infection)))
            .collect();
        let mut heard: BTreeMap<PersonId, Vec<(Identity, i64, u64)>> = BTreeMap::new();
        for &(hearer, guest, distance_squared) in scribes.iter().flat_map(Scribe::guest_contacts) {
            let Some((_, timestamp_us)) = self.guests.get(&guest) else { continue };
            heard.entry(hearer).or_default().push((guest, *timestamp_us, distance_squared));
        }
        let mut reports = Vec::new();
        for (hearer, contacts) in heard {
            let Some(standing) = standings.get(&hearer) else { continue };
            self.figures.contacts += contacts.len() as u64;
            reports.push(self.tellers.report(standing, contacts, &infections, now_us));
        }
        reports
    }

    pub(super) fn figures(&self) -> Figures {
        let (sent, held_back) = self.voices.figures();
        Figures { sent, held_back, ..self.figures }
    }
}

fn place_of(beacon: &Beacon) -> Position {
    Position { x: beacon.position[0], y: beacon.position[1] }
}
