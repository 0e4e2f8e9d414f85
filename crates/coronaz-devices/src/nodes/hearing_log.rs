//! A line in the log for each beacon heard, with its sender's address and port; for those who ask (`CORONAZ_LOG=debug`).

use std::net::SocketAddrV4;

use coronaz_wire::Beacon;

/// A process of more devices than this holds lines back.
pub(super) const DEVICES_UNLIMITED_MAX: usize = 10;
/// Lines a second and thread of a process with many devices; a thousand would make a million.
pub(super) const LINES_A_SECOND_MAX: u32 = 20;

/// Counts lines, second by second.
#[derive(Debug)]
pub(super) struct HearingLog {
    limit: u32,
    lines: u32,
    held_back: u64,
}

impl HearingLog {
    pub(super) fn new(devices: usize) -> Self {
        let limit = if devices > DEVICES_UNLIMITED_MAX { LINES_A_SECOND_MAX } else { u32::MAX };
        HearingLog { limit, lines: 0, held_back: 0 }
    }

    pub(super) fn heard(&mut self, beacon: &Beacon, from: SocketAddrV4, in_range: bool) {
        if self.lines >= self.limit {
            self.held_back += 1;
            return;
        }
        self.lines += 1;
        let [x, y] = beacon.position;
        tracing::debug!(
            sender = %beacon.uuid, %from, x, y, infected = beacon.infected, alive = beacon.alive, in_range,
            "heard a beacon"
        );
    }

    pub(super) fn end_second(&mut self) {
        if self.held_back > 0 {
            tracing::debug!(
                lines = self.held_back,
                "more beacons heard; their lines are held back, at most {LINES_A_SECOND_MAX} a second with more than \
                 {DEVICES_UNLIMITED_MAX} devices in a process"
            );
        }
        (self.lines, self.held_back) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn few_devices_log_every_beacon_and_many_a_few_lines() {
        let beacon = Beacon {
            uuid: uuid::Uuid::nil(),
            position: [0, 0],
            infected: false,
            timestamp_us: 0,
            alive: true,
            run: None,
            tick: None,
        };
        for (devices, held_back) in [(1, 0), (11, 980)] {
            let mut log = HearingLog::new(devices);
            for _ in 0..1_000 {
                log.heard(&beacon, SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1), true);
            }
            assert_eq!(log.held_back, held_back);
        }
    }
}
