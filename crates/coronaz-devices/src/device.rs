//! A device and its carrier, second by second, without input or output.
//!
//! The rules are the model's; what is added here is the clock. A device lives in wall-clock seconds:
//! it moves and counts down when a second begins, hears until it ends, and then records what it
//! heard. A beacon's timestamp names the second in which its sender stood where it says. It
//! is judged by where this device stood in that same second, even if it is heard late because a
//! machine was busy: so the contacts recorded are those that the positions give
//! (docs/decisions/node-clock.md).

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    ops::Range,
    sync::Arc,
};

use coronaz_model::{
    Draws, Emission, Health, Identity, Infection, Parameters, Person, PersonId, Phase, Position, Spawn,
    Stream, Tick,
};
use coronaz_wire::{Beacon, Contact, timestamp::SECOND_US};
use uuid::Uuid;

use crate::steering::Steering;

/// The seconds a device remembers where it stood: what a process sleeps through, it can still judge.
pub const SECONDS_REMEMBERED: usize = 16;
/// Beacons are sent until this time after a second's beginning; the rest of the second is for hearing.
const SEND_UNTIL_US: u32 = 900_000;
/// What is heard is told when the second is over: few devices send shortly before, so that it is told soon.
const SEND_SPREAD_US_MIN: u32 = 200_000;
/// Many devices spread their beacons, so that no socket gets more at once than it can hold.
const SEND_SPREAD_US_MAX: u32 = 700_000;
/// By so much each device of a process widens the spread.
const SEND_SPREAD_US_A_DEVICE: u32 = 1_000;

/// When in a second the devices of a process send their beacons, in microseconds after its beginning.
#[must_use]
pub fn beacon_times_us(devices: usize) -> Range<u32> {
    let wanted = u32::try_from(devices).unwrap_or(u32::MAX).saturating_mul(SEND_SPREAD_US_A_DEVICE);
    SEND_UNTIL_US - wanted.clamp(SEND_SPREAD_US_MIN, SEND_SPREAD_US_MAX)..SEND_UNTIL_US
}

/// Beacons of seconds that this device has not begun yet: sixteen seconds of a thousand neighbours,
/// which is what it hears at once after it was stopped for as long.
const EARLY_MAX: usize = 16_384;
/// The last bits of a beacon's time say how often the clock was set, so that of the seconds that come again after it was
/// set back no two beacons of a device have one time, which is part of a contact's identity.
const ERA_US: i64 = 16;
/// After an interruption the carrier is walked on second by second, but for no more than a day.
const SECONDS_WALKED_ON_MAX: i64 = 86_400;

/// What the devices of a process have in common.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// The run their beacons and reports belong to.
    pub run: Option<Uuid>,
    /// The rules' numbers.
    pub parameters: Parameters,
    /// The run's chance.
    pub draws: Draws,
    /// When in a second beacons are sent: [`beacon_times_us`].
    pub beacon_times_us: Range<u32>,
}

/// What a report tells of a device, besides its contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceState {
    /// Where it is.
    pub position: Position,
    /// Whether its carrier is infected, or was when it died.
    pub infected: bool,
    /// Whether its carrier is immune.
    pub immune: bool,
    /// Whether its carrier lives.
    pub alive: bool,
}

/// What the beginning of a second brought.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// Send this at its timestamp, and hear.
    Alive(Beacon),
    /// The carrier died: send this, report, and be gone.
    LastMessage(Beacon),
    /// Was gone before.
    Gone,
}

/// What a second brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ended {
    /// The contacts recorded, by time.
    pub contacts: Vec<Contact>,
    /// The infection of the carrier, if it happened now.
    pub infection: Option<Infection>,
}

/// A beacon heard in range.
#[derive(Debug, Clone)]
struct Sighting {
    sender: Identity,
    contact: Contact,
    infectious: bool,
}

/// Where this device stood in a second, and whom it has recorded for it.
#[derive(Debug, Clone)]
struct Second {
    number: i64,
    position: Position,
    recorded: HashSet<Identity>,
}

/// A device and its carrier.
#[derive(Debug)]
pub struct Device {
    circumstances: Arc<Circumstances>,
    person: Person,
    tick: Tick,
    /// The wall-clock second it lives in, in seconds since 1970.
    second: i64,
    /// The seconds before, newest last.
    past: VecDeque<Second>,
    /// How often the clock was set.
    era: i64,
    /// Heard in this second, the latest of each sender.
    heard: Vec<Sighting>,
    /// Where in `heard` a sender is.
    heard_at: HashMap<Identity, usize>,
    /// Heard in this second, but of seconds before.
    late: Vec<Sighting>,
    early: Vec<Beacon>,
    steering: Option<Steering>,
}

impl Device {
    /// A device whose first second will be the one after `second`.
    #[must_use]
    pub fn new(
        circumstances: Arc<Circumstances>,
        id: PersonId,
        uuid: Uuid,
        spawn: Spawn,
        second: i64,
    ) -> Self {
        let Circumstances { parameters, draws, .. } = &*circumstances;
        let person = Person::spawn(parameters, *draws, id, uuid.as_u128(), spawn, 0);
        Self::resume(circumstances, person, 0, second)
    }

    /// A device whose carrier has lived until `tick` before.
    #[must_use]
    pub fn resume(circumstances: Arc<Circumstances>, person: Person, tick: Tick, second: i64) -> Self {
        Device {
            circumstances,
            person,
            tick,
            second,
            past: VecDeque::with_capacity(SECONDS_REMEMBERED + 1),
            era: 0,
            heard: Vec::new(),
            heard_at: HashMap::new(),
            late: Vec::new(),
            early: Vec::new(),
            steering: None,
        }
    }

    /// Its carrier.
    #[must_use]
    pub fn person(&self) -> &Person {
        &self.person
    }

    /// Its UUID.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Uuid::from_u128(self.person.identity)
    }

    /// Seconds of model time since its carrier appeared.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The wall-clock second it lives in.
    #[must_use]
    pub fn second(&self) -> i64 {
        self.second
    }

    /// Whether its carrier lives.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.person.illness.health != Health::Deceased
    }

    /// What a report tells.
    #[must_use]
    pub fn state(&self) -> DeviceState {
        let emission = self.person.emission();
        DeviceState {
            position: emission.position,
            infected: emission.infectious,
            immune: self.person.illness.health == Health::Immune,
            alive: emission.alive,
        }
    }

    /// From now on its carrier goes where it is told to.
    pub fn steer(&mut self) -> &mut Steering {
        self.steering.get_or_insert_default()
    }

    /// The rules' numbers.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.circumstances.parameters
    }

    /// Begins a second: the carrier moves, its illness counts down, and the beacon is made.
    ///
    /// Seconds between the last one and this one were slept through: the carrier walked on in them,
    /// but nothing was sent.
    pub fn begin_second(&mut self, second: i64) -> Begun {
        if !self.is_alive() {
            return Begun::Gone;
        }
        let slept = (second - self.second - 1).clamp(0, SECONDS_WALKED_ON_MAX);
        for number in second - slept..=second {
            let phase = self.walk(number);
            if phase == Phase::LastMessage {
                break;
            }
        }
        self.second = second;
        let delay_us = i64::from(self.send_delay_us()) / ERA_US * ERA_US + self.era;
        let beacon = self.beacon(second * SECOND_US + delay_us);
        if !self.is_alive() {
            return Begun::LastMessage(beacon);
        }
        for beacon in std::mem::take(&mut self.early) {
            self.hear(&beacon, second * SECOND_US);
        }
        Begun::Alive(beacon)
    }

    /// The clock was set: the next second is the one after `second`, whatever the last one was. Nobody lives the
    /// difference.
    pub fn set_clock(&mut self, second: i64) {
        self.second = second;
        self.era = (self.era + 1) % ERA_US;
        self.early.clear();
    }

    /// The carrier dies now, out of turn; its last message.
    pub fn die(&mut self, now_us: i64) -> Beacon {
        self.person.die();
        self.beacon(now_us.clamp(self.second * SECOND_US, (self.second + 1) * SECOND_US - 1))
    }

    /// One second of the carrier's life.
    fn walk(&mut self, number: i64) -> Phase {
        let Circumstances { parameters, draws, .. } = &*self.circumstances;
        let position = self.person.position;
        if self.past.back().is_some_and(|last| last.number < number - 1) {
            remember(&mut self.past, Second { number: number - 1, position, recorded: HashSet::new() });
        }
        self.tick += 1;
        let free = parameters.move_when_infected || !stands_still(&self.person, self.tick);
        let phase = self.person.begin_tick(parameters, *draws, self.tick);
        if let (Some(steering), Phase::Alive, true) = (&mut self.steering, phase, free) {
            let chance = draws.bits(Stream::Stroll, self.person.id, self.tick);
            self.person.position = steering.step(position, parameters.field(), chance);
            self.person.goal = self.person.position;
        }
        phase
    }

    fn send_delay_us(&self) -> u32 {
        let Circumstances { draws, beacon_times_us: Range { start, end }, .. } = &*self.circumstances;
        start + draws.below(Stream::SendDelay, self.person.id, self.tick, end - start)
    }

    fn beacon(&self, timestamp_us: i64) -> Beacon {
        let emission = self.person.emission();
        Beacon {
            uuid: self.uuid(),
            position: [emission.position.x, emission.position.y],
            infected: emission.infectious,
            timestamp_us,
            alive: emission.alive,
            run: self.circumstances.run,
            tick: None,
        }
    }

    /// Hears a beacon, whoever sent it, at `now_us`. Says whether it was in range.
    ///
    /// Of two beacons of one sender in one second, the latest counts.
    pub fn hear(&mut self, beacon: &Beacon, now_us: i64) -> bool {
        if beacon.uuid.as_u128() == self.person.identity || !self.is_alive() {
            return false;
        }
        let named = beacon.timestamp_us.div_euclid(SECOND_US);
        if named == self.second {
            return self.hear_now(beacon, beacon.timestamp_us);
        }
        // The last of that number: after the clock was set back there may be two.
        if let Some(place) = self.past.iter().rposition(|second| second.number == named) {
            return self.hear_late(beacon, place);
        }
        let begun_elsewhere = named > self.second && named * SECOND_US <= now_us.saturating_add(SECOND_US);
        if begun_elsewhere {
            if self.early.len() < EARLY_MAX {
                self.early.push(beacon.clone());
            }
            return false;
        }
        // The sender's clock is another: it is where it is now, and so are we.
        self.hear_now(beacon, now_us)
    }

    fn hear_now(&mut self, beacon: &Beacon, timestamp_us: i64) -> bool {
        let emission = Emission {
            identity: beacon.uuid.as_u128(),
            position: Position { x: beacon.position[0], y: beacon.position[1] },
            infectious: beacon.infected,
            alive: beacon.alive,
        };
        self.person.notice(&self.circumstances.parameters, &emission);
        let Some(sighting) = self.sighting(beacon, self.person.position, timestamp_us) else { return false };
        match self.heard_at.entry(sighting.sender) {
            Entry::Occupied(at) => self.heard[*at.get()] = sighting,
            Entry::Vacant(at) => {
                at.insert(self.heard.len());
                self.heard.push(sighting);
            }
        }
        true
    }

    /// Judges a beacon of a second before by where this device stood then; recorded once.
    fn hear_late(&mut self, beacon: &Beacon, place: usize) -> bool {
        let Some(sighting) = self.sighting(beacon, self.past[place].position, beacon.timestamp_us) else {
            return false;
        };
        if self.past[place].recorded.insert(sighting.sender) {
            self.late.push(sighting);
        }
        true
    }

    fn sighting(&self, beacon: &Beacon, stood: Position, timestamp_us: i64) -> Option<Sighting> {
        let position = Position { x: beacon.position[0], y: beacon.position[1] };
        let reach = self.circumstances.parameters.reach();
        if !reach.covers(stood, position) {
            return None;
        }
        let distance = (stood.distance_squared(position) as f64).sqrt();
        let contact = Contact { uuid: beacon.uuid, timestamp_us, distance: Some(distance) };
        Some(Sighting { sender: beacon.uuid.as_u128(), contact, infectious: beacon.infected })
    }

    /// Ends the second: what was heard becomes contacts, and perhaps an infection.
    pub fn end_second(&mut self) -> Ended {
        let heard = std::mem::take(&mut self.heard);
        self.heard_at.clear();
        let late = std::mem::take(&mut self.late);
        let Circumstances { parameters, draws, .. } = &*self.circumstances;
        let infectious = heard.iter().chain(&late).filter(|sighting| sighting.infectious);
        let infectious = infectious.map(|sighting| sighting.sender);
        let infection = self.person.end_tick(parameters, *draws, self.tick, infectious);
        let recorded = heard.iter().map(|sighting| sighting.sender).collect();
        let position = self.person.position;
        remember(&mut self.past, Second { number: self.second, position, recorded });
        let mut contacts: Vec<Contact> =
            heard.into_iter().chain(late).map(|sighting| sighting.contact).collect();
        contacts.sort_unstable_by_key(|contact| (contact.timestamp_us, contact.uuid));
        Ended { contacts, infection }
    }
}

/// Whether an infected carrier stands still in a tick, where infected people do.
pub(crate) fn stands_still(person: &Person, tick: Tick) -> bool {
    person.illness.health.is_infectious() && tick >= person.onset
}

fn remember(past: &mut VecDeque<Second>, second: Second) {
    if past.len() == SECONDS_REMEMBERED {
        past.pop_front();
    }
    past.push_back(second);
}

#[cfg(test)]
mod tests;
