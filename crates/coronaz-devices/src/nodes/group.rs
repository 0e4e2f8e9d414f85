//! The devices of one thread, second by second.

use std::sync::{Arc, Mutex, PoisonError};

use coronaz_bus::{Delivery, RecordSink};
use coronaz_radio::Refusals;
use coronaz_wire::{Beacon, seal::RadioKey};

use super::{
    Console, Stop,
    carried::Carried,
    clock::{self, Clock, ClockWatch, beginning_us, second_of},
    hearing::Hearing,
    refused::Refused,
};
use crate::{
    device::Begun,
    interactive,
    spool::{Entry, Place, Spool},
};

/// How often radios are looked at. In between the system keeps what arrives.
const LOOK_EVERY_US: i64 = 25_000;
/// Beacons sent between two looks.
const SENT_A_LOOK_MAX: usize = 64;
/// How long last messages are waited for when the process was asked to stop.
const LAST_WORDS_ASKED_US: i64 = 5_000_000;
/// How long contacts of those who live on: what has not arrived is in the spool, and goes out when they are carried on.
const LEAVING_US: i64 = 2_000_000;
/// How long when all have died of age: a broker that is away may come back.
const LAST_WORDS_US: i64 = 120_000_000;

/// What groups share.
pub(super) struct Shared {
    pub(super) sink: Arc<dyn RecordSink>,
    pub(super) spool: Option<Mutex<Spool>>,
    pub(super) radio_key: Option<RadioKey>,
    pub(super) refused: Refused,
    pub(super) stop: Stop,
    pub(super) clock: Arc<dyn Clock>,
    /// When all are stopped, by the steady clock.
    pub(super) die_at_us: Option<i64>,
}

/// What a group did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Seconds lived, summed over devices.
    pub device_seconds: u64,
    /// Beacons sent, last messages not counted.
    pub beacons_sent: u64,
    /// Beacons of others heard, in range or not; last messages not counted.
    pub beacons_heard: u64,
    /// Contacts recorded.
    pub contacts: u64,
    /// Seconds skipped because the process was behind.
    pub seconds_skipped: u64,
    /// Contacts not known to have arrived at the end.
    pub contacts_untold: u64,
    /// Devices whose last message is not known to have arrived at the end.
    pub devices_untold: u64,
    /// Contacts dropped because too many waited.
    pub contacts_dropped: u64,
    /// Datagrams refused.
    pub refusals: Refusals,
    /// Beacons heard under the UUID of a device of this process that others sent.
    pub identity_clashes: u64,
}

impl Figures {
    pub(super) fn add(&mut self, other: &Figures) {
        self.device_seconds += other.device_seconds;
        self.beacons_sent += other.beacons_sent;
        self.beacons_heard += other.beacons_heard;
        self.contacts += other.contacts;
        self.seconds_skipped = self.seconds_skipped.max(other.seconds_skipped);
        self.contacts_untold += other.contacts_untold;
        self.devices_untold += other.devices_untold;
        self.contacts_dropped += other.contacts_dropped;
        self.refusals.add(&other.refusals);
        self.identity_clashes += other.identity_clashes;
    }
}

/// A beacon to be sent at its time.
struct Due {
    at_us: i64,
    carried: usize,
    beacon: Beacon,
}

/// The devices of one thread.
pub(super) struct Group {
    pub(super) carried: Vec<Carried>,
    pub(super) hearing: Hearing,
    pub(super) watch: ClockWatch,
    pub(super) shared: Arc<Shared>,
    /// Deliveries for this group, put in by the thread that takes them from the bus.
    pub(super) deliveries: Arc<Mutex<Vec<Delivery>>>,
    pub(super) figures: Figures,
    pub(super) console: Option<Console>,
    pub(super) spool_warned: bool,
}

/// How a second ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// Its time was over.
    Time,
    /// The process was asked to stop.
    Asked,
    /// The clock was set by so many microseconds: this second is no more.
    ClockSet(i64),
}

impl Group {
    /// Lives until all devices are dead and have told what they had to tell. Says what it did, and
    /// the devices that have nothing left to tell.
    pub(super) fn live(mut self) -> (Figures, Vec<Place>) {
        let mut second = second_of(self.now_us()) + 1;
        let mut asked = false;
        while self.is_anybody_alive() && !asked {
            match self.live_a_second(second) {
                Over::Time => second = self.next_second(second),
                Over::Asked => asked = true,
                Over::ClockSet(by_us) => second = self.follow_clock(by_us),
            }
        }
        self.tell_last_words(asked);
        for carried in &self.carried {
            self.figures.contacts_untold += carried.outbox.pending() as u64;
            self.figures.devices_untold += u64::from(!carried.finished);
            self.figures.contacts_dropped += carried.outbox.dropped();
        }
        self.figures.refusals = self.hearing.refusals();
        let finished = self.carried.iter().filter(|carried| carried.finished);
        (self.figures, finished.map(|carried| carried.place).collect())
    }

    /// The wall clock.
    fn now_us(&self) -> i64 {
        self.shared.clock.wall_us()
    }

    fn is_anybody_alive(&self) -> bool {
        self.carried.iter().any(|carried| carried.radio.is_some())
    }

    /// The second to live next; those that have passed meanwhile are skipped, and said to be. If it was the clock that
    /// passed them, the next look at it will say so.
    fn next_second(&mut self, second: i64) -> i64 {
        if let Some(by_us) = self.watch.set_by_us(&*self.shared.clock) {
            return self.follow_clock(by_us);
        }
        let skipped = second_of(self.now_us()) - (second + 1);
        if skipped > 0 {
            self.figures.seconds_skipped += skipped.unsigned_abs();
            tracing::warn!(
                seconds = skipped,
                "behind: the process was stopped or has too much to do; nothing was sent in these seconds"
            );
        }
        second + 1 + skipped.max(0)
    }

    /// Seconds are counted by the clock's new time; nobody lives the difference.
    fn follow_clock(&mut self, by_us: i64) -> i64 {
        if self.carried.first().is_some_and(|carried| carried.index == 0) {
            clock::tell_of_set(by_us);
        }
        let second = second_of(self.now_us());
        for carried in &mut self.carried {
            // Hearers count from the new time on too.
            carried.counter = i64::MIN;
            if let Some(device) = &mut carried.device {
                device.set_clock(second);
            }
        }
        second + 1
    }

    /// Lives one second.
    fn live_a_second(&mut self, second: i64) -> Over {
        loop {
            if let Some(by_us) = self.watch.set_by_us(&*self.shared.clock) {
                return Over::ClockSet(by_us);
            }
            let left = beginning_us(second) - self.now_us();
            if left <= 0 {
                break;
            }
            self.shared.clock.sleep_us(left.min(LOOK_EVERY_US));
        }
        let mut due = self.begin(second);
        let over = self.go_through(second, &mut due);
        self.listen();
        if over == Over::Asked && !self.is_leaving() {
            self.die();
        }
        self.end();
        over
    }

    /// Sends and listens until the second is over and all is sent.
    fn go_through(&mut self, second: i64, due: &mut Vec<Due>) -> Over {
        let ends_us = beginning_us(second + 1);
        let mut clock_set = None;
        loop {
            if clock_set.is_none() {
                clock_set = self.watch.set_by_us(&*self.shared.clock);
                if clock_set.is_some() {
                    // Their time may never come: they go out now.
                    due.iter_mut().for_each(|due| due.at_us = i64::MIN);
                }
            }
            self.send(due);
            if self.is_asked_to_stop() {
                return Over::Asked;
            }
            match clock_set {
                Some(by_us) if due.is_empty() => return Over::ClockSet(by_us),
                None if self.now_us() >= ends_us && due.is_empty() => return Over::Time,
                _ => {}
            }
            let more = self.listen();
            self.take_deliveries();
            if !more {
                let next = due.last().map_or(ends_us, |due| due.at_us).min(ends_us);
                self.shared.clock.sleep_us((next - self.now_us()).min(LOOK_EVERY_US));
            }
        }
    }

    /// Whether the process ends without anybody's death: the spool keeps them.
    fn is_leaving(&self) -> bool {
        self.shared.spool.is_some() && self.shared.stop.is_leaving()
    }

    fn is_asked_to_stop(&self) -> bool {
        let steady_us = self.shared.clock.steady_us();
        self.shared.stop.is_asked() || self.shared.die_at_us.is_some_and(|at_us| steady_us >= at_us)
    }

    /// Begins the second for all. The beacons to send, the last one first.
    fn begin(&mut self, second: i64) -> Vec<Due> {
        let mut due = Vec::with_capacity(self.carried.len());
        for (place, carried) in self.carried.iter_mut().enumerate() {
            if carried.radio.is_none() {
                continue;
            }
            let Some(device) = &mut carried.device else { continue };
            match device.begin_second(second) {
                Begun::Alive(beacon) | Begun::LastMessage(beacon) => {
                    due.push(Due { at_us: beacon.timestamp_us, carried: place, beacon });
                }
                Begun::Gone => {}
            }
            self.figures.device_seconds += 1;
        }
        due.sort_unstable_by_key(|due| std::cmp::Reverse((due.at_us, due.carried)));
        due
    }

    fn send(&mut self, due: &mut Vec<Due>) {
        for _ in 0..SENT_A_LOOK_MAX {
            let now = self.now_us();
            let Some(next) = due.pop_if(|next| next.at_us <= now) else { return };
            self.broadcast(next.carried, &next.beacon);
        }
    }

    fn broadcast(&mut self, place: usize, beacon: &Beacon) {
        let carried = &mut self.carried[place];
        let Some(radio) = &mut carried.radio else { return };
        let datagram = match &self.shared.radio_key {
            Some(key) => {
                carried.counter = beacon.timestamp_us.max(carried.counter + 1);
                key.seal(beacon, carried.counter)
            }
            None => beacon.encode(),
        };
        match radio.send(&datagram) {
            Ok(()) => self.figures.beacons_sent += u64::from(beacon.alive),
            Err(error) => tracing::warn!(device = %carried.uuid, %error, "a beacon could not be sent"),
        }
    }

    /// Looks at the radio; says whether there may be more to hear.
    fn listen(&mut self) -> bool {
        let more = self.hearing.listen(&mut self.carried, &self.shared, &mut self.figures);
        self.obey();
        more
    }

    /// Carries out what was typed.
    fn obey(&mut self) {
        let now = self.shared.clock.wall_us();
        let Some(console) = &mut self.console else { return };
        let Some(device) = self.carried.first_mut().and_then(|carried| carried.device.as_mut()) else {
            return;
        };
        loop {
            let reply = match console.lines.try_recv() {
                Ok(line) => interactive::line(device, &line, now),
                Err(std::sync::mpsc::TryRecvError::Empty) => return,
                Err(std::sync::mpsc::TryRecvError::Disconnected) => interactive::Reply::quit(),
            };
            (console.say)(&reply.text);
            if reply.quit {
                self.console = None;
                self.shared.stop.ask();
                return;
            }
        }
    }

    /// All carriers die now.
    fn die(&mut self) {
        let now = self.now_us();
        for place in 0..self.carried.len() {
            let carried = &mut self.carried[place];
            let Some(device) = carried.device.as_mut().filter(|device| device.is_alive()) else { continue };
            let beacon = device.die(now);
            self.broadcast(place, &beacon);
        }
    }

    /// Ends the second: contacts to the spool, then to the journal, then to the broker.
    fn end(&mut self) {
        let mut entries = Vec::new();
        let mut contacts = Vec::new();
        for carried in &mut self.carried {
            if carried.radio.is_none() {
                continue;
            }
            let Some(device) = &mut carried.device else { continue };
            let ended = device.end_second();
            self.figures.contacts += ended.contacts.len() as u64;
            carried.record(&ended.contacts, ended.infection, &mut entries);
            if !carried.state.alive {
                tracing::info!(device = %carried.uuid, infected = carried.state.infected, "died");
                carried.radio = None;
            }
            contacts.push((carried, ended.contacts));
        }
        write_down(&self.shared, &entries, &mut self.spool_warned);
        for (carried, contacts) in contacts {
            let Some(journal) = &mut carried.journal else { continue };
            if let Err(error) = journal.record(&contacts) {
                tracing::error!(device = %carried.uuid, %error, "the journal ends here");
            }
        }
        self.hearing.end_second();
        self.report();
    }

    fn report(&mut self) {
        let now = self.now_us();
        for carried in &mut self.carried {
            carried.report(&*self.shared.sink, now);
        }
    }

    fn take_deliveries(&mut self) {
        let deliveries = std::mem::take(&mut *self.deliveries.lock().unwrap_or_else(PoisonError::into_inner));
        let (now, mut entries) = (self.now_us(), Vec::new());
        for delivery in deliveries {
            let index = u32::try_from(delivery.token >> 32).unwrap_or(u32::MAX);
            if let Ok(place) = self.carried.binary_search_by_key(&index, |carried| carried.index) {
                self.carried[place].delivered(&delivery, &self.shared.sink, now, &mut entries);
            }
        }
        write_down(&self.shared, &entries, &mut self.spool_warned);
    }

    /// Waits until every last message has arrived, of those who live on every contact, or it has taken too long.
    fn tell_last_words(&mut self, asked: bool) {
        let clock = Arc::clone(&self.shared.clock);
        let began_us = clock.steady_us();
        let mut reported_us = began_us;
        loop {
            self.take_deliveries();
            let now = clock.steady_us();
            let asked = asked || self.is_asked_to_stop();
            let leaving = self.is_leaving();
            let patience_us = match asked {
                _ if leaving => LEAVING_US,
                true => LAST_WORDS_ASKED_US,
                false => LAST_WORDS_US,
            };
            let has_told = |carried: &Carried| carried.finished || (leaving && carried.outbox.pending() == 0);
            if self.carried.iter().all(has_told) || now > began_us + patience_us {
                return;
            }
            if now - reported_us > 200_000 {
                reported_us = now;
                self.report();
            }
            clock.sleep_us(LOOK_EVERY_US);
        }
    }
}

/// Appends to the spool. A disk that does not take it now is told of once; the contacts stay in memory.
fn write_down(shared: &Shared, entries: &[Entry], warned: &mut bool) {
    let Some(spool) = &shared.spool else { return };
    if entries.is_empty() {
        return;
    }
    let outcome = spool.lock().unwrap_or_else(PoisonError::into_inner).append(entries);
    match outcome {
        Ok(()) => *warned = false,
        Err(error) if !*warned => {
            *warned = true;
            tracing::error!(%error, "contacts are kept in memory alone until it can be written again");
        }
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests;
