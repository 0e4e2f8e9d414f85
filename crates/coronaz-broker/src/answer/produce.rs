//! Batches appended, and who may append them.

use tracing::{debug, warn};

use super::Broker;
use crate::log::AppendError;
use crate::log::batch::{Batch, BatchError};
use crate::protocol::ErrorCode;
use crate::protocol::request::Produce;
use crate::protocol::writer::Writer;

/// What is said to a client that begins a transaction.
const NO_TRANSACTIONS: &str =
    "this broker has no transactions: leave transactional.id out, or use Apache Kafka";

/// A number for a producer. It is drawn, not counted: 63 bits do not come twice, and nothing has to be
/// remembered for the next start.
pub(super) fn new_producer(transactional: bool, to: &mut Writer) {
    let mut id = [0; 8];
    let drawn = getrandom::fill(&mut id);
    let error = match drawn {
        Ok(()) if !transactional => ErrorCode::None,
        // Clients end at once with this; other errors they retry for ever.
        Ok(()) => ErrorCode::TransactionalIdAuthorizationFailed,
        Err(_) => ErrorCode::StorageError,
    };
    if error == ErrorCode::TransactionalIdAuthorizationFailed {
        warn!("a transactional producer was refused: {NO_TRANSACTIONS}");
    }
    let (id, epoch) =
        if error == ErrorCode::None { (i64::from_be_bytes(id) & i64::MAX, 0) } else { (-1, -1) };
    to.i32(0);
    to.error(error);
    to.i64(id);
    to.i16(epoch);
}

/// A batch stored: its first offset, and the partition's.
struct Stored {
    offset: i64,
    start: i64,
}

impl Broker {
    pub(super) fn produce(&self, version: i16, produce: &Produce<'_>, to: &mut Writer) {
        to.array(&produce.topics, |to, of| {
            to.string(of.topic);
            to.array(&of.partitions, |to, (number, records)| {
                let stored = if produce.transactional {
                    Err((ErrorCode::TransactionalIdAuthorizationFailed, NO_TRANSACTIONS.to_owned()))
                } else {
                    self.store(of.topic, *number, *records)
                };
                let (error, reason) = match &stored {
                    Ok(_) => (ErrorCode::None, None),
                    Err((error, reason)) => {
                        debug!(topic = of.topic, partition = number, reason, "a batch was not stored");
                        (*error, Some(reason.as_str()))
                    }
                };
                to.i32(*number);
                to.error(error);
                to.i64(stored.as_ref().map_or(-1, |stored| stored.offset));
                // The records keep their producer's time.
                to.i64(-1);
                if version >= 5 {
                    to.i64(stored.as_ref().map_or(-1, |stored| stored.start));
                }
                if version >= 8 {
                    to.count(0);
                    to.nullable_string(reason);
                }
            });
        });
        to.i32(0);
    }

    fn store(&self, topic: &str, number: i32, records: Option<&[u8]>) -> Result<Stored, (ErrorCode, String)> {
        let unknown = || (ErrorCode::UnknownTopicOrPartition, "there is no such partition".to_owned());
        let topic = self.data.topic(topic).ok_or_else(unknown)?;
        let partition = topic.partition(number).ok_or_else(unknown)?;
        let settings = topic.settings();
        let records = records.unwrap_or_default();
        let batch = Batch::check(records, settings.batch_bytes_max, &self.opener).map_err(refused)?;
        let offset = partition.append(&batch, settings.segment_bytes).map_err(failed)?;
        Ok(Stored { offset, start: partition.with(|log| log.start()) })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "its place is `map_err`")]
fn refused(error: BatchError) -> (ErrorCode, String) {
    let code = match error {
        // Damaged on its way: the producer may send it again.
        BatchError::Damaged(_) => ErrorCode::CorruptMessage,
        BatchError::TooLarge { .. } | BatchError::OpensTooLarge { .. } => ErrorCode::MessageTooLarge,
        BatchError::Codec { .. } => ErrorCode::UnsupportedCompression,
        // As it was sent, so sending it again is of no use.
        BatchError::Refused(_) | BatchError::Record { .. } | BatchError::Unreadable => {
            ErrorCode::InvalidRecord
        }
    };
    (code, error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "its place is `map_err`")]
fn failed(error: AppendError) -> (ErrorCode, String) {
    let code = match error {
        AppendError::OutOfOrder => ErrorCode::OutOfOrderSequence,
        AppendError::Outdated => ErrorCode::InvalidProducerEpoch,
        AppendError::Storage(_) => ErrorCode::StorageError,
    };
    (code, error.to_string())
}
