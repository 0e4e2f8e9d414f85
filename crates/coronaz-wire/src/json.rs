//! What the JSON decoders share: limits, and errors that say what is wrong.

use serde::Deserialize;

use crate::timestamp;

/// Why bytes were refused.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Longer than the format allows; not looked at.
    #[error("{actual} bytes, the limit is {limit}")]
    TooLong {
        /// Bytes received.
        actual: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not the JSON object expected.
    #[error("not the expected JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Well-formed, but a value makes no sense.
    #[error("{member}: {problem}")]
    Value {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Parses `bytes` of at most `limit` bytes.
pub(crate) fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8], limit: usize) -> Result<T, DecodeError> {
    check_length(bytes, limit)?;
    Ok(serde_json::from_slice(bytes)?)
}

pub(crate) fn check_length(bytes: &[u8], limit: usize) -> Result<(), DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong { actual: bytes.len(), limit });
    }
    Ok(())
}

/// Refuses times that no part can hold or show.
pub(crate) fn check_time(member: &'static str, time_us: i64) -> Result<(), DecodeError> {
    if timestamp::is_sane(time_us) {
        return Ok(());
    }
    Err(DecodeError::Value { member, problem: format!("must lie from 1970 to 2499, not at {time_us} µs") })
}

/// The highest tick of a record: moments are numbered by it, and the page counts them with 32 bits.
pub const TICK_MAX: u64 = u32::MAX as u64 - 1;

/// Refuses numbers above the largest that a member can have.
pub(crate) fn check_at_most(member: &'static str, number: u64, most: u64) -> Result<(), DecodeError> {
    if number <= most {
        return Ok(());
    }
    Err(DecodeError::Value { member, problem: format!("must be at most {most}, not {number}") })
}

/// Largest coordinate any field can have, in units.
const COORDINATE_MAX: i32 = 1_000_000;

/// Refuses positions that no field can have; whether it lies on *this* run's field the reader decides.
pub(crate) fn check_position(position: [i32; 2]) -> Result<(), DecodeError> {
    if position.iter().all(|c| (0..=COORDINATE_MAX).contains(c)) {
        return Ok(());
    }
    let problem = format!("must be from 0 to {COORDINATE_MAX}, not {position:?}");
    Err(DecodeError::Value { member: "position", problem })
}
