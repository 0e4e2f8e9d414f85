//! Devices tick by tick, as fast as they can, each waiting until all have heard all.
//!
//! The same devices as in real time, over any radio, without the clock: to be compared with the
//! model's [`coronaz_model::World`], the reference (I-1).

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use coronaz_model::{Contact, Infection, Position, Tick, world::Happenings};
use coronaz_radio::{Ear, Expectations, Radio};
use coronaz_wire::{Beacon, seal::ReplayWindow, timestamp::SECOND_US};
use uuid::Uuid;

use crate::device::{Begun, Circumstances, Device, Ended};

/// The wall-clock second of tick 0; any would do.
const SECOND_OF_TICK_0: i64 = 1_700_000_000;
/// Longest wait for one tick's beacons.
const TICK_WAIT: Duration = Duration::from_secs(10);

/// Why a tick could not be completed.
#[derive(Debug, thiserror::Error)]
pub enum LockstepError {
    /// The radio failed.
    #[error("the radio failed in tick {tick}: {source}")]
    Radio {
        /// The tick.
        tick: Tick,
        /// What the system said.
        source: io::Error,
    },
    /// Beacons did not arrive.
    #[error("in tick {tick} {missing} beacons were not heard within {TICK_WAIT:?}")]
    NotHeard {
        /// The tick.
        tick: Tick,
        /// Beacons missing, over all devices.
        missing: usize,
    },
}

struct Member<R> {
    device: Device,
    radio: R,
    window: ReplayWindow,
}

/// Devices in lock step.
pub struct Lockstep<R> {
    tick: Tick,
    ear: Ear,
    circumstances: Arc<Circumstances>,
    members: Vec<Member<R>>,
}

impl<R: Radio> Lockstep<R> {
    /// Devices at tick 0, each with its radio. Make devices with [`Lockstep::device`].
    #[must_use]
    pub fn new(circumstances: Arc<Circumstances>, devices: impl IntoIterator<Item = (Device, R)>) -> Self {
        let expectations =
            Expectations { run: circumstances.run, field: circumstances.parameters.field(), key: None };
        let members = devices
            .into_iter()
            .map(|(device, radio)| Member { device, radio, window: ReplayWindow::default() })
            .collect();
        Lockstep { tick: 0, ear: Ear::new(expectations), circumstances, members }
    }

    /// A person's device, ready for tick 1.
    #[must_use]
    pub fn device(circumstances: &Arc<Circumstances>, person: coronaz_model::Person) -> Device {
        Device::resume(Arc::clone(circumstances), person, 0, SECOND_OF_TICK_0)
    }

    /// The devices.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.members.iter().map(|member| &member.device)
    }

    /// One tick: all move, then all broadcast, then all hear; what happened, in the model's words.
    ///
    /// # Errors
    /// The radio failed, or beacons were lost.
    pub fn step(&mut self) -> Result<Happenings, LockstepError> {
        self.tick += 1;
        let tick = self.tick;
        let second = SECOND_OF_TICK_0 + i64::try_from(tick).unwrap_or(i64::MAX);
        let begun: Vec<Begun> =
            self.members.iter_mut().map(|member| member.device.begin_second(second)).collect();
        let mut sent = 0;
        for (member, begun) in self.members.iter_mut().zip(&begun) {
            if let Begun::Alive(beacon) | Begun::LastMessage(beacon) = begun {
                sent += 1;
                member
                    .radio
                    .send(&beacon.encode())
                    .map_err(|source| LockstepError::Radio { tick, source })?;
            }
        }
        self.hear_all(second, sent)?;
        Ok(self.end())
    }

    /// Waits until every device, alive or dead, has received every beacon of this tick.
    fn hear_all(&mut self, second: i64, sent: usize) -> Result<(), LockstepError> {
        let (tick, started) = (self.tick, Instant::now());
        let mut received = vec![0; self.members.len()];
        loop {
            for (member, received) in self.members.iter_mut().zip(&mut received) {
                let Member { device, radio, window } = member;
                let ear = &mut self.ear;
                let now_us = second * SECOND_US;
                let outcome = radio.receive(&mut |bytes, from| {
                    let heard: Option<&Beacon> = ear.hear(window, bytes, from, now_us);
                    if let Some(beacon) = heard.filter(|b| b.timestamp_us.div_euclid(SECOND_US) == second) {
                        *received += 1;
                        device.hear(beacon, now_us);
                    }
                });
                outcome.map_err(|source| LockstepError::Radio { tick, source })?;
            }
            let missing: usize = received.iter().map(|count| sent - (*count).min(sent)).sum();
            if missing == 0 {
                return Ok(());
            }
            if started.elapsed() > TICK_WAIT {
                return Err(LockstepError::NotHeard { tick, missing });
            }
            std::thread::yield_now();
        }
    }

    fn end(&mut self) -> Happenings {
        let tick = self.tick;
        let mut happenings = Happenings::default();
        for member in &mut self.members {
            let hearer = member.device.person().identity;
            let Ended { contacts, infection } = member.device.end_second();
            happenings.contacts.extend(contacts.into_iter().map(|contact| {
                let distance = contact.distance.unwrap_or_default();
                let distance_squared = (distance * distance).round() as u64;
                Contact { tick, hearer, heard: contact.uuid.as_u128(), distance_squared }
            }));
            happenings.infections.extend(infection);
        }
        happenings.contacts.sort_unstable();
        happenings.infections.sort_unstable_by_key(|infection: &Infection| infection.infectee);
        happenings
    }

    /// Where a device is, by its UUID.
    #[must_use]
    pub fn position(&self, uuid: Uuid) -> Option<Position> {
        self.devices().find(|device| device.uuid() == uuid).map(|device| device.person().position)
    }

    /// What the devices have in common.
    #[must_use]
    pub fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_model::{Draws, Parameters, Person, PersonId, Spawn, Start, World, movement::Movement};
    use coronaz_radio::{Medium, UdpConfig, UdpRadio, udp::THIS_MACHINE};
    use std::net::SocketAddrV4;

    const TICKS: Tick = 500;

    fn people(parameters: &Parameters, draws: Draws, count: u32) -> Vec<Person> {
        (0..count)
            .map(|number| {
                let spawn = Spawn { infected: number % 10 == 0, ..Spawn::default() };
                let identity = u128::from(number) << 80 | 7;
                let mut person = Person::spawn(parameters, draws, PersonId(number), identity, spawn, 0);
                // Some live longer than others, so that deaths happen all along.
                person.born = u64::from(number) * 2;
                person
            })
            .collect()
    }

    /// The devices' history and the model's agree in every position, contact, infection and health.
    fn agrees_with_the_model<R: Radio>(count: u32, side: u32, ticks: Tick, radio: impl FnMut() -> R) {
        let parameters = Parameters { zombie_lifetime: 300, ..Parameters::default() };
        agrees_with_the_model_of(&parameters, count, side, ticks, radio);
    }

    fn agrees_with_the_model_of<R: Radio>(
        parameters: &Parameters,
        count: u32,
        side: u32,
        ticks: Tick,
        mut radio: impl FnMut() -> R,
    ) {
        let parameters = Parameters { field_width: side, field_height: side, ..parameters.clone() };
        let draws = Draws::new(u64::from(count));
        let circumstances = Arc::new(Circumstances {
            run: Some(Uuid::from_u128(1)),
            parameters: parameters.clone(),
            draws,
            beacon_times_us: crate::device::beacon_times_us(1),
        });
        let people = people(&parameters, draws, count);
        let devices: Vec<_> = people
            .iter()
            .map(|person| (Lockstep::<R>::device(&circumstances, person.clone()), radio()))
            .collect();
        let mut world = World::new(parameters, draws, people);
        let mut lockstep = Lockstep::new(Arc::clone(&circumstances), devices);
        let (mut contacts, mut infections) = (0, 0);
        for tick in 1..=ticks {
            let expected = world.step();
            assert_eq!(lockstep.step().expect("all hear all"), expected, "tick {tick}");
            assert!(lockstep.devices().map(Device::person).eq(&world.people), "tick {tick}");
            contacts += expected.contacts.len();
            infections += expected.infections.len();
        }
        assert!(contacts > 100 && infections > 0, "{contacts} contacts, {infections} infections");
    }

    #[test]
    fn ten_devices_over_the_medium_live_the_models_history() {
        let medium = Medium::perfect();
        agrees_with_the_model(10, 12, TICKS, || medium.radio());
    }

    #[test]
    fn two_hundred_devices_over_the_medium_live_the_models_history() {
        let medium = Medium::perfect();
        agrees_with_the_model(200, 60, TICKS, || medium.radio());
    }

    #[test]
    fn devices_whose_carriers_avoid_the_infectious_live_the_models_history() {
        let parameters = Parameters {
            movement: Movement::Avoid,
            sensing_radius: 6.0,
            transmission_probability: 0.3,
            latent_period: 4.0,
            incubation_period: 9.0,
            period_shape: 2,
            asymptomatic_share: 0.3,
            fatality: 0.05,
            zombie_lifetime: 0,
            ..Parameters::default()
        };
        let medium = Medium::perfect();
        agrees_with_the_model_of(&parameters, 100, 40, TICKS, || medium.radio());
    }

    /// Two days of home, work and leisure, on a map that is crossed in a day.
    fn town() -> Parameters {
        Parameters {
            movement: Movement::Places,
            day_length: 100,
            place_spacing: 10,
            zombie_lifetime: 0,
            ..Parameters::default()
        }
    }

    #[test]
    fn devices_whose_carriers_appear_settled_live_the_models_history() {
        let medium = Medium::perfect();
        agrees_with_the_model_of(&town(), 60, 40, 200, || medium.radio());
        let walkers =
            Parameters { start: Start::Settled, warm_up: 70, zombie_lifetime: 0, ..Parameters::default() };
        agrees_with_the_model_of(&walkers, 60, 40, 200, || medium.radio());
    }

    #[test]
    fn devices_and_fleets_of_a_seed_appear_at_the_same_places_however_they_start() {
        let (draws, base) = (Draws::new(5), coronaz_model::identity::base_of(5));
        for (movement, start, warm_up) in [
            (Movement::Waypoint, Start::Auto, 0),
            (Movement::Waypoint, Start::Settled, 0),
            (Movement::Avoid, Start::Uniform, 300),
            (Movement::Places, Start::Auto, 0),
            (Movement::Places, Start::Settled, 90),
        ] {
            let parameters = Parameters { movement, start, warm_up, ..town() };
            let spawns = (0..50).map(|_| Spawn::default());
            let fleet = coronaz_model::Fleet::new(&parameters, draws, base, spawns);
            let circumstances = Arc::new(Circumstances {
                run: None,
                parameters,
                draws,
                beacon_times_us: crate::device::beacon_times_us(1),
            });
            for person in fleet.people() {
                let uuid = Uuid::from_u128(person.identity);
                let device =
                    Device::new(Arc::clone(&circumstances), person.id, uuid, Spawn::default(), 1_000);
                assert_eq!(*device.person(), person, "{movement:?}, {start:?}, {warm_up}");
            }
        }
    }

    fn udp(port: u16) -> impl FnMut() -> UdpRadio {
        let destination = SocketAddrV4::new(*THIS_MACHINE.ip(), port);
        move || UdpRadio::new(UdpConfig { destination }).expect("loopback broadcasts")
    }

    #[test]
    fn ten_devices_over_udp_live_the_models_history() {
        agrees_with_the_model(10, 12, TICKS, udp(47_110));
    }

    #[test]
    fn two_hundred_devices_over_udp_live_the_models_history() {
        agrees_with_the_model(200, 60, TICKS, udp(47_111));
    }
}
