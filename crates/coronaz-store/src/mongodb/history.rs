//! States over time: what the reports say, packed, a document for each commit; and now and then all nodes at once.

use super::codec::{Fields, bytes, count, uuid};
use super::head::Head;
use super::redo::{Redo, insert_all};
use super::server::{Store, names};
use super::trouble::Trouble;
use crate::snapshot::{NODE_BYTES, Seats, interval};
use mongodb::bson::{Document, doc};
use uuid::Uuid;

/// Bytes of a packed report: slot, x, y (32 bits each), time (64), tick (64), health and whether there is a tick (8 each).
const ROW_BYTES: usize = 30;
/// Reports in one document, at most.
const ROWS_MAX: usize = 4096;
/// Nodes in one document of a snapshot, at most: 8.5 MB of the 16 that a document may have.
const SEATS_MAX: usize = 500_000;

/// What a report says, to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StateRow {
    pub(super) slot: u32,
    pub(super) x: i32,
    pub(super) y: i32,
    /// With [`crate::snapshot::LATE_BIT`].
    pub(super) health: u8,
    pub(super) time_us: i64,
    pub(super) tick: Option<u64>,
}

impl StateRow {
    fn pack(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.slot.to_le_bytes());
        into.extend_from_slice(&self.x.to_le_bytes());
        into.extend_from_slice(&self.y.to_le_bytes());
        into.extend_from_slice(&self.time_us.to_le_bytes());
        into.extend_from_slice(&self.tick.unwrap_or(0).to_le_bytes());
        into.push(self.health);
        into.push(u8::from(self.tick.is_some()));
    }

    fn unpack(row: &[u8; ROW_BYTES]) -> Self {
        let [s0, s1, s2, s3, x0, x1, x2, x3, y0, y1, y2, y3, rest @ ..] = *row;
        let [time @ .., k0, k1, k2, k3, k4, k5, k6, k7, health, with_tick] = rest;
        let tick = u64::from_le_bytes([k0, k1, k2, k3, k4, k5, k6, k7]);
        Self {
            slot: u32::from_le_bytes([s0, s1, s2, s3]),
            x: i32::from_le_bytes([x0, x1, x2, x3]),
            y: i32::from_le_bytes([y0, y1, y2, y3]),
            health,
            time_us: i64::from_le_bytes(time),
            tick: (with_tick != 0).then_some(tick),
        }
    }
}

/// Puts reports into the redo; `first` is the number of the first in its run.
pub(super) fn insert((run, n): (Uuid, i64), first: u64, rows: &[StateRow], redo: &mut Redo) {
    for (some, first) in rows.chunks(ROWS_MAX).zip((first..).step_by(ROWS_MAX)) {
        let mut packed = Vec::with_capacity(some.len() * ROW_BYTES);
        some.iter().for_each(|row| row.pack(&mut packed));
        redo.insert(
            names::HISTORY,
            doc! {
                "_id": format!("{run}/{first}"), "run": uuid(run), "first": count(first),
                "reports": some.len() as i64, "rows": bytes(packed), "n": n,
            },
        );
    }
}

/// Hands over the rows of reports `from` to `to` (not included) in turn.
pub(super) fn each(
    store: &Store,
    run: Uuid,
    (from, to): (u64, u64),
    mut visit: impl FnMut(&StateRow),
) -> Result<(), Trouble> {
    if from >= to {
        return Ok(());
    }
    let earliest = from.saturating_sub(ROWS_MAX as u64);
    let filter = doc! {"run": uuid(run), "first": {"$gte": count(earliest), "$lt": count(to)}};
    for document in store.collection(names::HISTORY).find(filter).sort(doc! {"first": 1}).run()? {
        let document = document?;
        let (rows, _) = document.blob("rows")?.as_chunks::<ROW_BYTES>();
        for (row, number) in rows.iter().zip(document.count("first")?..) {
            if (from..to).contains(&number) {
                visit(&StateRow::unpack(row));
            }
        }
    }
    Ok(())
}

/// All nodes after the first `reports` reports of a run.
pub(super) fn seats_at(store: &Store, run: Uuid, head: &Head, reports: u64) -> Result<Seats, Trouble> {
    let (from, mut seats) = snapshot_before(store, run, reports.min(head.snapshot_at))?;
    roll(store, run, &mut seats, (from, reports))?;
    Ok(seats)
}

/// Takes the nodes from the moment after `from` reports to that after `to`.
pub(super) fn roll(store: &Store, run: Uuid, seats: &mut Seats, span: (u64, u64)) -> Result<(), Trouble> {
    each(store, run, span, |row| seats.apply(row.slot, row.x, row.y, row.health, row.time_us))
}

/// The newest snapshot after at most so many reports. One that is not whole is as good as none: the rows say the same.
fn snapshot_before(store: &Store, run: Uuid, reports: u64) -> Result<(u64, Seats), Trouble> {
    let none = (0, Seats::default());
    if reports == 0 {
        return Ok(none);
    }
    let filter = doc! {"run": uuid(run), "reports": {"$lte": count(reports)}};
    let collection = store.collection(names::SNAPSHOTS);
    let newest = collection.find_one(filter).sort(doc! {"reports": -1});
    let Some(newest) = newest.projection(doc! {"reports": 1, "parts": 1}).run()? else { return Ok(none) };
    let (reports, parts) = (newest.count("reports")?, newest.int("parts")?);
    let mut packed = Vec::new();
    for part in 0..parts {
        match store.one(names::SNAPSHOTS, doc! {"_id": snapshot_id(run, reports, part)})? {
            Some(document) => packed.extend_from_slice(document.blob("bytes")?),
            None => return Ok(none),
        }
    }
    Ok(Seats::unpack(&packed).map_or(none, |seats| (reports, seats)))
}

fn snapshot_id(run: Uuid, reports: u64, part: i64) -> String {
    format!("{run}/{reports}/{part}")
}

/// Takes a snapshot of what is in when enough reports have come since the one before. It says what the rows say, so it
/// needs no commit; only the next head tells of it.
pub(super) fn snapshot_if_due(store: &Store, run: Uuid, head: &mut Head) -> Result<(), Trouble> {
    if head.reports - head.snapshot_at < interval(u64::from(head.nodes)) {
        return Ok(());
    }
    let packed = seats_at(store, run, head, head.reports)?.pack();
    let parts: Vec<&[u8]> = packed.chunks(SEATS_MAX * NODE_BYTES).collect();
    let documents: Vec<Document> = (0..)
        .zip(&parts)
        .map(|(part, some)| {
            doc! {
                "_id": snapshot_id(run, head.reports, part), "run": uuid(run), "reports": count(head.reports),
                "part": part, "parts": parts.len() as i64, "bytes": bytes(some.to_vec()),
            }
        })
        .collect();
    insert_all(store, names::SNAPSHOTS, &documents)?;
    head.snapshot_at = head.reports;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_reports_come_back() {
        let rows = [
            StateRow {
                slot: u32::MAX,
                x: i32::MIN,
                y: 7,
                health: 15,
                time_us: i64::MIN,
                tick: Some(u64::MAX),
            },
            StateRow { slot: 0, x: -1, y: i32::MAX, health: 0, time_us: 5, tick: None },
        ];
        for row in rows {
            let mut packed = Vec::new();
            row.pack(&mut packed);
            let packed: &[u8; ROW_BYTES] = packed.as_slice().try_into().expect("one row");
            assert_eq!(StateRow::unpack(packed), row);
        }
    }
}
