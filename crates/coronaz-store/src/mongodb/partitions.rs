//! Who may write a partition, until when, and which of its records are in: one document each, so that all of that changes
//! at once.

use super::codec::{Fields, bytes, count};
use super::server::{Store, names};
use super::trouble::{Trouble, is_duplicate};
use crate::error::FoundOffset;
use crate::{Batch, Heartbeat, Held, IngestState, IngestStatus, Lease, Mark, Ownership, PartitionOffset};
use mongodb::bson::{Bson, Document, doc};
use std::time::Duration;

/// Names are made anew with each start; those that ended long ago say nothing any more.
const STATUS_KEPT_US: i64 = 24 * 3600 * 1_000_000;

fn until(now_us: i64, lasts: Duration) -> i64 {
    now_us.saturating_add(i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX))
}

/// A partition as its document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) lease: Lease,
    pub(super) offset: PartitionOffset,
}

fn read(document: &Document) -> Result<Partition, Trouble> {
    let (partition, epoch) = (document.place("_id")?, document.int("epoch")?);
    Ok(Partition {
        lease: Lease {
            partition,
            owner: document.text("owner")?.to_owned(),
            epoch,
            until_us: document.int("until_us")?,
        },
        offset: PartitionOffset {
            partition,
            epoch,
            next: document.int("next")?,
            life: read_life(document)?,
            replaced_us: document.optional_int("replaced_us"),
            mark: read_mark(document),
            records: document.count("records")?,
            earlier_records: document.optional_int("earlier_records").unwrap_or(0).cast_unsigned(),
            rejected: document.count("rejected")?,
        },
    })
}

/// Documents of earlier versions have none: it is the first one.
fn read_life(document: &Document) -> Result<u32, Trouble> {
    u32::try_from(document.optional_int("life").unwrap_or(0)).map_err(|_| Trouble::Damaged("life"))
}

fn read_mark(document: &Document) -> Option<Mark> {
    document.blob("mark").ok()?.try_into().ok()
}

/// All partitions that were ever taken.
pub(super) fn all(store: &Store) -> Result<Vec<Partition>, Trouble> {
    let found = store.collection(names::PARTITIONS).find(doc! {}).sort(doc! {"_id": 1}).run()?;
    found.map(|document| read(&document?)).collect()
}

pub(super) fn one(store: &Store, partition: i32) -> Result<Option<Partition>, Trouble> {
    store.one(names::PARTITIONS, doc! {"_id": partition})?.as_ref().map(read).transpose()
}

/// What a commit is told that comes too late.
pub(super) fn found(partition: Option<&Partition>) -> FoundOffset {
    FoundOffset(partition.map(|found| (found.offset.epoch, found.offset.next)))
}

pub(super) fn take(
    store: &Store,
    partition: i32,
    owner: &str,
    now_us: i64,
    lasts: Duration,
) -> Result<Option<Held>, Trouble> {
    let collection = store.collection(names::PARTITIONS);
    let until_us = until(now_us, lasts);
    let Some(Partition { lease, offset }) = one(store, partition)? else {
        let first = doc! {
            "_id": partition, "owner": owner, "epoch": 1_i64, "until_us": until_us, "next": 0_i64, "records": 0_i64,
            "rejected": 0_i64,
        };
        return match collection.insert_one(first).run() {
            Ok(_) => Ok(Some(Held { partition, epoch: 1, next: 0, life: 0, mark: None })),
            Err(error) if is_duplicate(&error) => Ok(None),
            Err(error) => Err(error.into()),
        };
    };
    if lease.is_in_force(now_us, lasts) && lease.owner != owner {
        return Ok(None);
    }
    let epoch = lease.epoch + 1;
    let as_it_was =
        doc! {"_id": partition, "owner": &lease.owner, "epoch": lease.epoch, "until_us": lease.until_us};
    let taken = doc! {"$set": {"owner": owner, "epoch": epoch, "until_us": until_us}};
    if collection.update_one(as_it_was, taken).run()?.matched_count == 0 {
        return Ok(None);
    }
    // The one before may have committed since we looked; from now on it cannot.
    let now = one(store, partition)?.filter(|now| now.lease.epoch == epoch).map(|now| now.offset);
    let PartitionOffset { next, life, mark, .. } = now.unwrap_or(offset);
    Ok(Some(Held { partition, epoch, next, life, mark }))
}

pub(super) fn release(store: &Store, owner: &str, held: &[(i32, i64)]) -> Result<(), Trouble> {
    for &(partition, epoch) in held {
        let ours = doc! {"_id": partition, "owner": owner, "epoch": epoch};
        store.collection(names::PARTITIONS).update_one(ours, doc! {"$set": {"until_us": 0_i64}}).run()?;
    }
    Ok(())
}

/// Moves on from a batch's first offset to the one after it, for the owner of this epoch alone; `count` is of its
/// records, and of those that could not be read.
pub(super) fn advance(
    store: &Store,
    before: &PartitionOffset,
    batch: &Batch,
    (records, rejected): (u64, u64),
) -> Result<bool, Trouble> {
    let PartitionOffset { partition, epoch, next: expected, life, .. } = *before;
    let mut set = doc! {
        "next": batch.next(),
        "records": count(before.records.saturating_add(records)),
        "rejected": count(before.rejected.saturating_add(rejected)),
    };
    let mut change = Document::new();
    if batch.replaced {
        set.insert("life", i64::from(life.saturating_add(1)));
        set.insert("replaced_us", batch.now_us);
        set.insert("earlier_records", count(before.records.saturating_add(records)));
        change.insert("$unset", doc! {"mark": ""});
    } else if let Some(mark) = batch.mark {
        set.insert("mark", bytes(mark.to_vec()));
    }
    change.insert("$set", set);
    let filter = doc! {"_id": partition, "epoch": epoch, "next": expected};
    Ok(store.collection(names::PARTITIONS).update_one(filter, change).run()?.matched_count > 0)
}

pub(super) fn heartbeat(store: &Store, heartbeat: &Heartbeat) -> Result<Ownership, Trouble> {
    let Heartbeat { status, held, lasts } = heartbeat;
    write_status(store, status)?;
    let until_us = until(status.updated_us, *lasts);
    let mut lost = Vec::new();
    for &(partition, epoch) in held {
        let ours = doc! {"_id": partition, "owner": &status.owner, "epoch": epoch};
        let renewed = doc! {"$set": {"until_us": until_us}};
        if store.collection(names::PARTITIONS).update_one(ours, renewed).run()?.matched_count == 0 {
            lost.push(partition);
        }
    }
    let (lasts_us, now_us) = (until(0, *lasts), status.updated_us);
    let (from_us, to_us) = (now_us.saturating_sub(lasts_us), now_us.saturating_add(lasts_us));
    let alive = |other: &IngestStatus| {
        (from_us..=to_us).contains(&other.updated_us) && other.state != IngestState::Stopped
    };
    let mut members: Vec<String> =
        all_status(store)?.into_iter().filter(alive).map(|other| other.owner).collect();
    members.sort_unstable();
    let leases = all(store)?.into_iter().map(|partition| partition.lease).collect();
    Ok(Ownership { lost, leases, members })
}

fn write_status(store: &Store, status: &IngestStatus) -> Result<(), Trouble> {
    let collection = store.collection(names::INGEST);
    let old = doc! {"updated_us": {"$lt": status.updated_us.saturating_sub(STATUS_KEPT_US)}};
    collection.delete_many(old).run()?;
    let mut document = doc! {
        "_id": &status.owner, "state": status.state.as_str(), "updated_us": status.updated_us,
        "started_us": status.started_us, "partitions": status.partitions.clone(),
        "lag_records": count(status.lag_records), "records": count(status.records),
        "rejected": count(status.rejected),
    };
    if let Some(newest_record_us) = status.newest_record_us {
        document.insert("newest_record_us", newest_record_us);
    }
    collection.replace_one(doc! {"_id": &status.owner}, document).upsert(true).run()?;
    Ok(())
}

/// What the ingest processes say of themselves, newest first.
pub(super) fn all_status(store: &Store) -> Result<Vec<IngestStatus>, Trouble> {
    let found = store.collection(names::INGEST).find(doc! {}).run()?;
    let read = |document: &Document| {
        let partitions = document.get("partitions").and_then(Bson::as_array).into_iter().flatten();
        Ok(IngestStatus {
            owner: document.text("_id")?.to_owned(),
            state: IngestState::parse(document.text("state")?).unwrap_or(IngestState::Stopped),
            updated_us: document.int("updated_us")?,
            started_us: document.int("started_us")?,
            partitions: partitions.filter_map(Bson::as_i32).collect(),
            lag_records: document.count("lag_records")?,
            newest_record_us: document.optional_int("newest_record_us"),
            records: document.count("records")?,
            rejected: document.count("rejected")?,
        })
    };
    let mut status = found.map(|document| read(&document?)).collect::<Result<Vec<_>, Trouble>>()?;
    status.sort_unstable_by(|a, b| (b.updated_us, &a.owner).cmp(&(a.updated_us, &b.owner)));
    Ok(status)
}
