//! Records that could not be read, or contradict what their run is: the newest of them.

use super::codec::{Fields, bytes, date, uuid};
use super::redo::insert_all;
use super::server::{Store, names};
use super::trouble::Trouble;
use crate::view::RejectedRecord;
use crate::{Batch, REJECTED_BYTES_MAX, REJECTED_KEPT, Rejected};
use mongodb::bson::{Document, doc};

/// Beyond what is kept before the oldest are removed.
const SLACK: u64 = 1000;

/// Keeps the batch's, and those that the store put aside itself.
pub(super) fn insert(store: &Store, batch: &Batch, life: u32, refused: &[Rejected]) -> Result<(), Trouble> {
    let documents: Vec<Document> = batch
        .rejected
        .iter()
        .chain(refused)
        .map(|Rejected { offset, reason, run, bytes: raw }| {
            let mut document = doc! {
                "_id": record_id(batch.partition, life, *offset), "partition": batch.partition, "offset": *offset,
                "at": date(batch.now_us), "at_us": batch.now_us, "reason": reason,
                "bytes": bytes(raw[..raw.len().min(REJECTED_BYTES_MAX)].to_vec()),
            };
            if let Some(run) = run {
                document.insert("run", uuid(*run));
            }
            document
        })
        .collect();
    if documents.is_empty() {
        return Ok(());
    }
    insert_all(store, names::REJECTED, &documents)?;
    let collection = store.collection(names::REJECTED);
    let kept = REJECTED_KEPT.unsigned_abs();
    if collection.estimated_document_count().run()? > kept + SLACK {
        let last = collection.find_one(doc! {}).sort(newest_first()).skip(kept).projection(doc! {"at_us": 1});
        if let Some(last) = last.run()? {
            collection.delete_many(doc! {"at_us": {"$lt": last.int("at_us")?}}).run()?;
        }
    }
    Ok(())
}

/// The key of what stands at an offset of one of the partition's logs.
pub(super) fn record_id(partition: i32, life: u32, offset: i64) -> String {
    if life == 0 { format!("{partition}/{offset}") } else { format!("{partition}/{life}/{offset}") }
}

fn newest_first() -> Document {
    doc! {"at_us": -1, "partition": -1, "offset": -1}
}

/// The newest.
pub(super) fn newest(store: &Store, limit: usize) -> Result<Vec<RejectedRecord>, Trouble> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = store.collection(names::REJECTED).find(doc! {}).sort(newest_first()).limit(limit).run()?;
    let read = |document: &Document| {
        Ok(RejectedRecord {
            partition: document.place("partition")?,
            offset: document.int("offset")?,
            at_us: document.int("at_us")?,
            reason: document.text("reason")?.to_owned(),
            bytes: document.blob("bytes")?.to_vec(),
        })
    };
    found.map(|document| read(&document?)).collect()
}
