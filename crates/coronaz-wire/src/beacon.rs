//! The beacon: what a device broadcasts each second, the paper's JSON object in one datagram.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::json::{self, DecodeError};

/// The longest beacon in bytes; the original reads no more.
pub const BEACON_BYTES_MAX: usize = 1_024;

/// What one beacon says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beacon {
    /// Whose it is.
    pub uuid: Uuid,
    /// Where the sender stands: x and y, in units.
    pub position: [i32; 2],
    /// Whether the sender is infected.
    pub infected: bool,
    /// When it was sent, in microseconds since 1970.
    #[serde(rename = "timestamp", with = "crate::timestamp::member")]
    pub timestamp_us: i64,
    /// False in a device's last message.
    pub alive: bool,
    /// The run it belongs to. Without it, it is the paper's own, and heard by every run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// The model's tick, in lock-step runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<u64>,
}

impl Beacon {
    /// The bytes of the datagram.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of plain members can be written as JSON")
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// More than [`BEACON_BYTES_MAX`] bytes, not the JSON object expected, or a position no field has.
    pub fn decode(bytes: &[u8]) -> Result<Beacon, DecodeError> {
        let beacon: Beacon = json::decode(bytes, BEACON_BYTES_MAX)?;
        json::check_position(beacon.position)?;
        Ok(beacon)
    }
}
