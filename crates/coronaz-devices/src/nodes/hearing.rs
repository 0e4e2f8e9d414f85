//! What the devices of a thread hear: one socket for all of them.
//!
//! All get the same bytes, so the system hands each datagram out once for a thread, and it is read once. A flood then
//! costs a thread what it costs one device; and a look at the radio is bounded, so that no flood takes the time in which
//! beacons are sent and seconds are ended ([`LISTEN_US_MAX`]).

use coronaz_radio::{DATAGRAMS_A_LOOK_MAX, Ear, Radio, Refusals};

use super::{
    carried::Carried,
    group::{Figures, Shared},
    hearing_log::HearingLog,
};

/// The longest time in which datagrams are taken before other work has its turn, in microseconds.
const LISTEN_US_MAX: i64 = 20_000;
/// From one warning about a stolen identity to the next, in microseconds.
const CLASH_TOLD_EVERY_US: i64 = 60_000_000;

/// The radio of a thread's devices, and what they make of it.
pub(super) struct Hearing {
    radio: Box<dyn Radio>,
    ear: Ear,
    log: HearingLog,
    /// What was passed on to [`Shared::refused`].
    refusals_told: Refusals,
    /// When it was last said that somebody has an identity of ours, by the steady clock.
    clash_told_us: Option<i64>,
}

impl Hearing {
    pub(super) fn new(radio: Box<dyn Radio>, ear: Ear, log: HearingLog) -> Self {
        Hearing { radio, ear, log, refusals_told: Refusals::default(), clash_told_us: None }
    }

    /// Takes what has arrived, for so long at most; says whether there may be more.
    pub(super) fn listen(&mut self, carried: &mut [Carried], shared: &Shared, figures: &mut Figures) -> bool {
        let until_us = shared.clock.steady_us().saturating_add(LISTEN_US_MAX);
        let more = loop {
            match self.look(carried, shared, figures) {
                Ok(count) if count < DATAGRAMS_A_LOOK_MAX => break false,
                Ok(_) if shared.clock.steady_us() >= until_us => break true,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the radio could not be read");
                    break false;
                }
            }
        };
        let new = self.ear.refusals().since(&self.refusals_told);
        self.refusals_told = *self.ear.refusals();
        shared.refused.tell(&new, self.ear.refused_last());
        more
    }

    fn look(
        &mut self,
        carried: &mut [Carried],
        shared: &Shared,
        figures: &mut Figures,
    ) -> std::io::Result<usize> {
        let now = shared.clock.wall_us();
        let Hearing { radio, ear, log, clash_told_us, .. } = self;
        radio.receive(&mut |bytes, from| {
            let Some(mut heard) = ear.hear_for_many(bytes, from) else { return };
            let beacon = heard.beacon();
            for Carried { uuid, device, radio, window, port, .. } in carried.iter_mut() {
                let (Some(device), Some(_)) = (device, radio) else { continue };
                if beacon.uuid == *uuid {
                    // Its own beacons come back to it, from its own port.
                    if port.is_some_and(|port| port != from.port()) {
                        figures.identity_clashes += 1;
                        tell_of_clash(beacon.uuid, from, clash_told_us, shared.clock.steady_us());
                    }
                    continue;
                }
                if !heard.is_admitted(window, now) {
                    continue;
                }
                figures.beacons_heard += u64::from(beacon.alive);
                let in_range = device.hear(beacon, now);
                log.heard(beacon, from, in_range);
            }
        })
    }

    pub(super) fn end_second(&mut self) {
        self.log.end_second();
    }

    /// What was refused so far.
    pub(super) fn refusals(&self) -> Refusals {
        *self.ear.refusals()
    }
}

/// Says that somebody else has the identity of a device of ours: at once, and then once a minute.
fn tell_of_clash(device: uuid::Uuid, from: std::net::SocketAddrV4, told_us: &mut Option<i64>, now_us: i64) {
    if told_us.is_some_and(|told_us| now_us.saturating_sub(told_us) < CLASH_TOLD_EVERY_US) {
        return;
    }
    *told_us = Some(now_us);
    tracing::warn!(
        %device, %from,
        "two devices with one identity: a beacon under this device's UUID was sent by somebody else; was its spool copied? \
         What both report cannot be told apart: stop one of them and delete its copy of the spool"
    );
}
