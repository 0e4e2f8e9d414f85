//! How records are handed over, and how they are acknowledged.

use std::time::Duration;

use crate::config::RECORD_BYTES_MAX;
use crate::record::Record;

/// Takes records and delivers them, each acknowledged once it is stored by the broker.
///
/// Records of one key are stored in the order in which they were sent, unless one of them failed:
/// what comes after a [`DeliveryError`] may already be stored, so a reader needs the record's own
/// identity (the sender's sequence number) to tell a repeat.
pub trait RecordSink: Send + Sync {
    /// Hands a record over without waiting. Its fate comes back as a [`Delivery`].
    fn send(&self, record: &Record<'_>) -> Result<(), SendError>;

    /// Appends what became of records since the last call, waiting up to `wait` for the first.
    /// Has to be called: records whose delivery was not taken still count as pending.
    fn deliveries(&self, wait: Duration, into: &mut Vec<Delivery>);

    /// Pushes out what is pending and waits until all of it was acknowledged or failed, at most
    /// `wait`. Says whether nothing is undecided any more. The deliveries stay to be taken.
    fn flush(&self, wait: Duration) -> bool;

    /// Whether the broker was there when last heard of. `false` at first; follows an outage within
    /// about a second, so it is for telling people and for deciding what to collect, not a promise.
    fn is_reachable(&self) -> bool;

    /// Records sent whose delivery was not taken yet.
    fn pending(&self) -> usize;
}

/// Why a record was not taken. It was not sent and may be sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// As many records or bytes as the queue holds are pending: the broker is away or slow. Wait for
    /// deliveries, or spool.
    #[error("the queue to the broker is full")]
    QueueFull,
    /// The record exceeds what every broker here can pass on. Never succeeds by trying again.
    #[error("a record of {bytes} bytes is larger than the {RECORD_BYTES_MAX} that a record may have")]
    TooLarge {
        /// Bytes of key and payload.
        bytes: usize,
    },
    /// The client refused it for another reason.
    #[error("the record was refused: {reason}")]
    Refused {
        /// What the client said.
        reason: String,
    },
}

/// Where a record was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The partition its key belongs to.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The token the record was sent with.
    pub token: u64,
    /// Where it is stored, or why it is not known to be.
    pub result: Result<Placed, DeliveryError>,
}

/// Why a record is not known to be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The broker did not take it and will not take it if it is sent again unchanged.
    #[error("the broker refused the record: {reason}")]
    Refused {
        /// What the broker said.
        reason: String,
    },
    /// It may or may not be stored: the connection, or the client's session with the broker, was lost
    /// meanwhile. Send it again with the same identity, the reader drops the repeat.
    #[error("the record may be stored or not: {reason}")]
    Unknown {
        /// What the client said.
        reason: String,
    },
}

/// What `send` refuses before any broker is asked.
pub(crate) fn check_size(record: &Record<'_>) -> Result<(), SendError> {
    let bytes = record.key.len() + record.payload.len();
    if bytes > RECORD_BYTES_MAX { Err(SendError::TooLarge { bytes }) } else { Ok(()) }
}
