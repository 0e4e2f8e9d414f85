//! All nodes of a run at one moment, packed, and the few rows that lead from there to another moment.

use crate::Health;

/// Bytes of one node: x, y (i32), time (i64 microseconds), health (u8); little endian; index = slot.
pub(crate) const NODE_BYTES: usize = 17;
/// In place of health bits: this slot has not reported yet.
const ABSENT: u8 = 0xFF;
/// The bit of `node_state.health` that says an older report came after a newer one.
pub(crate) const LATE_BIT: u8 = 8;

/// What the newest report of a node says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) time_us: i64,
    pub(crate) health: Health,
}

/// The nodes at one moment; index = slot, `None` = has not reported yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seats(pub(crate) Vec<Option<Seat>>);

impl Seats {
    /// Puts a report's row in. `health` may carry [`LATE_BIT`]: such a row changes nothing.
    pub(crate) fn apply(&mut self, slot: u32, x: i32, y: i32, health: u8, time_us: i64) {
        if health & LATE_BIT != 0 {
            return;
        }
        let slot = slot as usize;
        if self.0.len() <= slot {
            self.0.resize(slot + 1, None);
        }
        self.0[slot] = Some(Seat { x, y, time_us, health: Health::from_bits(health) });
    }

    /// The packed form.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * NODE_BYTES);
        for seat in &self.0 {
            let (x, y, time_us, health) = match seat {
                Some(seat) => (seat.x, seat.y, seat.time_us, seat.health.bits()),
                None => (0, 0, 0, ABSENT),
            };
            bytes.extend_from_slice(&x.to_le_bytes());
            bytes.extend_from_slice(&y.to_le_bytes());
            bytes.extend_from_slice(&time_us.to_le_bytes());
            bytes.push(health);
        }
        bytes
    }

    /// The inverse of [`Seats::pack`]; `None` when the length is not that of whole nodes.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let (nodes, rest) = bytes.as_chunks::<NODE_BYTES>();
        if !rest.is_empty() {
            return None;
        }
        let seat = |node: &[u8; NODE_BYTES]| {
            let [x0, x1, x2, x3, y0, y1, y2, y3, time @ .., health] = *node;
            (health != ABSENT).then(|| Seat {
                x: i32::from_le_bytes([x0, x1, x2, x3]),
                y: i32::from_le_bytes([y0, y1, y2, y3]),
                time_us: i64::from_le_bytes(time),
                health: Health::from_bits(health),
            })
        };
        Some(Self(nodes.iter().map(seat).collect()))
    }
}

/// Reports between two snapshots of a run with `nodes` nodes. It grows with the nodes, so that a report
/// costs the same share of a snapshot (17 bytes) whatever their number, and a state is at most one
/// snapshot and as many rows again.
pub(crate) fn interval(nodes: u64) -> u64 {
    const REPORTS_MIN: u64 = 1024;
    nodes.max(REPORTS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_snapshot_of_whole_nodes_only_is_read() {
        assert_eq!(Seats::unpack(&[]), Some(Seats::default()));
        assert_eq!(Seats::unpack(&[0; NODE_BYTES + 1]), None);
    }

    #[test]
    fn a_late_row_changes_nothing() {
        let mut seats = Seats::default();
        seats.apply(1, 5, 6, 1, 100);
        let before = seats.clone();
        seats.apply(1, 7, 8, LATE_BIT, 50);
        assert_eq!(seats, before);
    }

    proptest! {
        #[test]
        fn packed_nodes_come_back(rows in proptest::collection::vec(
            (0u32..50, any::<i32>(), any::<i32>(), 0u8..8, any::<i64>()), 0..100)) {
            let mut seats = Seats::default();
            for (slot, x, y, health, time_us) in rows {
                seats.apply(slot, x, y, health, time_us);
            }
            prop_assert_eq!(Seats::unpack(&seats.pack()), Some(seats));
        }
    }
}
