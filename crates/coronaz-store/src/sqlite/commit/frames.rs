//! The frames of a batch.

use super::Cache;
use crate::sqlite::{fleet_rows, run_row};
use crate::{Batch, Committed, Rejected};
use coronaz_wire::frame::Frame;
use rusqlite::Transaction;
use std::collections::{BTreeMap, BTreeSet};

/// Writes the frames; `refused` gets those that contradict what their run is.
pub(super) fn write(
    transaction: &Transaction<'_>,
    cache: &mut Cache,
    batch: &Batch,
    committed: &mut Committed,
    refused: &mut Vec<Rejected>,
) -> rusqlite::Result<()> {
    let mut touched = BTreeMap::new();
    for record in &batch.frames {
        // Made from good bytes only.
        let Ok(frame) = Frame::decode(record.bytes()) else { continue };
        let uuid = frame.header.stamp.population.run;
        if cache.run(transaction, uuid)?.is_none() {
            super::skip(transaction, uuid, 1, committed)?;
            continue;
        }
        let Cache { runs, mirrors, .. } = cache;
        let Some(run) = runs.get_mut(&uuid) else { unreachable!("it was put in above") };
        if let Err(reason) = fleet_rows::admit(transaction, &mut run.row, &frame)? {
            let reason = reason.to_owned();
            let (offset, bytes) = (record.offset(), record.bytes().to_vec());
            refused.push(Rejected { offset, reason, run: Some(uuid), bytes });
            continue;
        }
        let mirror = mirrors.of(transaction, run.row.id, &frame, (batch.partition, batch.epoch))?;
        let taken = fleet_rows::take(transaction, &mut run.row, mirror, &frame, record.bytes())?;
        committed.frames += u64::from(taken.new);
        touched.entry(uuid).or_insert_with(BTreeSet::new).extend(taken.whole);
    }
    for (uuid, ticks) in touched {
        let Some(run) = cache.runs.get_mut(&uuid) else { continue };
        committed.states += fleet_rows::draw_moments(transaction, &mut run.row, &ticks, batch.now_us)?;
        run.row.written_us = Some(batch.now_us);
        run_row::save(transaction, &run.row)?;
    }
    Ok(())
}
