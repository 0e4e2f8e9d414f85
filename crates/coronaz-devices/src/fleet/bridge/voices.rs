//! The beacons of those of the fleet who are near a guest.

use std::collections::{BTreeSet, VecDeque};

use coronaz_model::{Health, Identity, PersonId, fleet::Standing, identity::identity_of};
use coronaz_radio::Radio;
use coronaz_wire::{Beacon, seal::RadioKey, timestamp::SECOND_US};
use uuid::Uuid;

/// Beacons sent in a second at most: half of what a guest's socket keeps while the guest looks away (8 MiB, at some 768
/// bytes a beacon). The fleet's people beyond are not heard in that second, and counted.
pub const BEACONS_A_SECOND_MAX: usize = 5_000;
/// Beacons sent between two looks at the radio, so that guests are heard meanwhile.
const BEACONS_A_LOOK_MAX: usize = 64;

/// Sends beacons under the UUIDs of the fleet's people.
pub(super) struct Voices {
    run: Uuid,
    base: Identity,
    key: Option<RadioKey>,
    counter: i64,
    second: i64,
    /// Who has spoken in this second, or will.
    raised: BTreeSet<PersonId>,
    due: VecDeque<Standing>,
    sent: u64,
    held_back: u64,
    warned: bool,
}

impl Voices {
    pub(super) fn new(run: Uuid, base: Identity, key: Option<RadioKey>) -> Self {
        Voices {
            run,
            base,
            key,
            counter: i64::MIN,
            second: i64::MIN,
            raised: BTreeSet::new(),
            due: VecDeque::new(),
            sent: 0,
            held_back: 0,
            warned: false,
        }
    }

    pub(super) fn begin_second(&mut self, second: i64) {
        self.second = second;
        self.raised.clear();
        self.due.clear();
    }

    /// The clock was set: hearers count from the new time on, and so does the fleet.
    pub(super) fn set_clock(&mut self, second: i64) {
        (self.second, self.counter) = (second, i64::MIN);
    }

    /// Lets this person be heard in this second, once.
    pub(super) fn raise(&mut self, standing: &Standing) {
        if self.raised.contains(&standing.id) {
            return;
        }
        if self.raised.len() == BEACONS_A_SECOND_MAX {
            self.held_back += 1;
            if !std::mem::replace(&mut self.warned, true) {
                tracing::warn!(
                    beacons_a_second = BEACONS_A_SECOND_MAX,
                    "more people are near guests than are sent out as beacons"
                );
            }
            return;
        }
        self.raised.insert(standing.id);
        self.due.push_back(*standing);
    }

    /// Sends some of what is due; says whether more is.
    pub(super) fn send(&mut self, radio: &mut dyn Radio, now_us: i64) -> bool {
        let begins_us = self.second.saturating_mul(SECOND_US);
        let timestamp_us = now_us.clamp(begins_us, begins_us.saturating_add(SECOND_US - 1));
        for _ in 0..BEACONS_A_LOOK_MAX {
            let Some(standing) = self.due.pop_front() else { return false };
            let beacon = self.beacon(&standing, timestamp_us);
            let datagram = match &self.key {
                Some(key) => {
                    self.counter = now_us.max(self.counter.saturating_add(1));
                    key.seal(&beacon, self.counter)
                }
                None => beacon.encode(),
            };
            match radio.send(&datagram) {
                Ok(()) => self.sent += 1,
                Err(error) => tracing::warn!(device = %beacon.uuid, %error, "a beacon could not be sent"),
            }
        }
        !self.due.is_empty()
    }

    fn beacon(&self, standing: &Standing, timestamp_us: i64) -> Beacon {
        Beacon {
            uuid: Uuid::from_u128(identity_of(self.base, standing.id)),
            position: [standing.position.x, standing.position.y],
            infected: standing.health.is_infectious() || standing.died_infectious,
            timestamp_us,
            alive: standing.health != Health::Deceased,
            run: Some(self.run),
            tick: None,
        }
    }

    /// Sent, and held back.
    pub(super) fn figures(&self) -> (u64, u64) {
        (self.sent, self.held_back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_model::Position;
    use coronaz_radio::Medium;

    fn standing(number: u32) -> Standing {
        Standing {
            id: PersonId(number),
            position: Position { x: 1, y: 2 },
            health: Health::Infectious,
            died_infectious: false,
        }
    }

    fn heard(radio: &mut dyn Radio) -> Vec<Beacon> {
        let mut heard = Vec::new();
        radio
            .receive(&mut |bytes, _| heard.push(Beacon::decode(bytes).expect("a beacon")))
            .expect("a medium in memory");
        heard
    }

    #[test]
    fn whoever_is_near_a_guest_speaks_once_a_second_and_so_many_at_most() {
        let air = Medium::perfect();
        let (mut own, mut ear) = (air.radio(), air.radio());
        let mut voices = Voices::new(Uuid::from_u128(9), 1 << 76, None);
        for second in [100, 101] {
            voices.begin_second(second);
            for number in (0..3).chain(0..2) {
                voices.raise(&standing(number));
            }
            assert!(!voices.send(&mut own, second * SECOND_US + 5), "three are sent at once");
            let heard = heard(&mut ear);
            assert_eq!(heard.len(), 3);
            assert!(
                heard.iter().all(|beacon| beacon.infected && beacon.timestamp_us == second * SECOND_US + 5)
            );
        }
        voices.begin_second(102);
        (0..BEACONS_A_SECOND_MAX as u32 + 10).for_each(|number| voices.raise(&standing(number)));
        let mut all = 0;
        let late_us = 103 * SECOND_US + 400;
        while voices.send(&mut own, late_us) {
            all += heard(&mut ear).len();
        }
        let last = heard(&mut ear);
        assert_eq!(all + last.len(), BEACONS_A_SECOND_MAX);
        assert_eq!(
            last[0].timestamp_us,
            103 * SECOND_US - 1,
            "it names the second in which they stood there"
        );
        assert_eq!(voices.figures(), (BEACONS_A_SECOND_MAX as u64 + 6, 10));
    }
}
