//! Sealed beacons: a counter and an HMAC-SHA-256 as extra members, so that only holders of the radio
//! key are heard, each beacon once.
//!
//! A sealed beacon is the beacon's JSON object with two members more at its very end:
//! `,"counter":N,"mac":"<64 hex digits>"}`. The MAC (RFC 2104 with SHA-256) is over all bytes before
//! `,"mac":`. The counter is the sender's clock in microseconds, made strictly increasing, so that it
//! also goes on after a restart of the sender and tells an old recording from a fresh beacon.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;
use uuid::Uuid;

use crate::{Beacon, beacon::BEACON_BYTES_MAX, json::DecodeError};

/// How far a counter may lie from the hearer's clock, in microseconds.
pub const FRESHNESS_US_MAX: i64 = 5_000_000;
/// Senders whose last counter is remembered; a hearer meets far fewer within [`FRESHNESS_US_MAX`].
const SENDERS_MAX: usize = 65_536;
const MAC_MEMBER: &[u8] = b",\"mac\":\"";
const MAC_HEX_LENGTH: usize = 64;

/// The key shared by the devices of one radio network.
#[derive(Clone)]
pub struct RadioKey(Hmac<Sha256>);

impl std::fmt::Debug for RadioKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RadioKey(…)")
    }
}

/// Why a beacon was not let through.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No MAC at its end.
    #[error("the beacon carries no MAC")]
    Unsealed,
    /// Made with another key, or changed on the way.
    #[error("the beacon's MAC does not fit")]
    Forged,
    /// Heard before, or recorded too long ago.
    #[error("the beacon is a replay: counter {counter}, {problem}")]
    Replayed {
        /// Its counter.
        counter: i64,
        /// Why it is none of now.
        problem: &'static str,
    },
    /// Sealed rightly, but no beacon.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Why a key was refused.
#[derive(Debug, thiserror::Error)]
#[error("a radio key needs at least 16 bytes, the file holds {actual}")]
pub struct KeyTooShort {
    /// Bytes given.
    pub actual: usize,
}

impl RadioKey {
    /// A key from a file's bytes; white space at the end does not count.
    ///
    /// # Errors
    /// Fewer than 16 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyTooShort> {
        let bytes = bytes.trim_ascii_end();
        if bytes.len() < 16 {
            return Err(KeyTooShort { actual: bytes.len() });
        }
        Ok(RadioKey(Hmac::new_from_slice(bytes).expect("HMAC takes a key of any length")))
    }

    /// Seals a beacon. `counter` must be larger than in any beacon before.
    #[must_use]
    pub fn seal(&self, beacon: &Beacon, counter: i64) -> Vec<u8> {
        let mut bytes = beacon.encode();
        bytes.pop();
        bytes.extend_from_slice(format!(",\"counter\":{counter}").as_bytes());
        let mac = self.0.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(MAC_MEMBER);
        for byte in mac {
            bytes.extend_from_slice(format!("{byte:02x}").as_bytes());
        }
        bytes.extend_from_slice(b"\"}");
        bytes
    }
}

#[derive(Deserialize)]
struct Counter {
    counter: i64,
}

/// A datagram whose MAC fits; whether it is fresh, and new to a device, says its [`ReplayWindow`].
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    /// What it says.
    pub beacon: Beacon,
    /// The sender's counter.
    pub counter: i64,
}

impl RadioKey {
    /// Checks a datagram's MAC and reads it. The same for every device that holds the key.
    ///
    /// # Errors
    /// See [`OpenError`]; never [`OpenError::Replayed`].
    pub fn verify(&self, bytes: &[u8]) -> Result<Sealed, OpenError> {
        crate::json::check_length(bytes, BEACON_BYTES_MAX)?;
        let (sealed, mac) = split(bytes).ok_or(OpenError::Unsealed)?;
        self.0.clone().chain_update(sealed).verify_slice(&mac).map_err(|_| OpenError::Forged)?;
        let beacon = Beacon::decode(bytes)?;
        let Counter { counter } = serde_json::from_slice(bytes).map_err(DecodeError::from)?;
        Ok(Sealed { beacon, counter })
    }
}

/// A hearer whose clock went back by this much, in microseconds, takes it as set back. Less is the other thread's reading.
const SET_BACK_US_MIN: i64 = 500_000;

/// The counters one device has heard last: lets each fresh beacon through once.
#[derive(Debug, Clone, Default)]
pub struct ReplayWindow {
    last: HashMap<Uuid, i64>,
    /// The clock when it was last asked.
    asked_us: i64,
}

impl ReplayWindow {
    /// Admits a beacon of `sender` received at `now_us`.
    ///
    /// # Errors
    /// [`OpenError::Replayed`]; a refused beacon changes nothing.
    pub fn admit(&mut self, sender: Uuid, counter: i64, now_us: i64) -> Result<(), OpenError> {
        if now_us < self.asked_us.saturating_sub(SET_BACK_US_MIN) {
            // Counters are times, and senders count from the new time on: by the old ones nobody would be heard until
            // the clock has caught up. Beacons of the seconds that come again can be replayed once.
            self.last.clear();
        }
        self.asked_us = now_us;
        if counter.abs_diff(now_us) > FRESHNESS_US_MAX.unsigned_abs() {
            return Err(OpenError::Replayed { counter, problem: "more than 5 s from now" });
        }
        if self.last.get(&sender).is_some_and(|&last| counter <= last) {
            return Err(OpenError::Replayed { counter, problem: "not above the last one heard" });
        }
        if self.last.len() >= SENDERS_MAX {
            self.last.retain(|_, last| now_us.saturating_sub(*last) <= FRESHNESS_US_MAX);
        }
        if self.last.len() < SENDERS_MAX || self.last.contains_key(&sender) {
            self.last.insert(sender, counter);
            return Ok(());
        }
        Err(OpenError::Replayed { counter, problem: "too many senders to tell a replay from a new beacon" })
    }
}

/// Lets sealed, fresh beacons through, each once.
#[derive(Debug)]
pub struct SealedEar {
    key: RadioKey,
    window: ReplayWindow,
}

impl SealedEar {
    /// An ear that has heard nothing yet.
    #[must_use]
    pub fn new(key: RadioKey) -> Self {
        SealedEar { key, window: ReplayWindow::default() }
    }

    /// Opens a datagram received at `now_us`.
    ///
    /// # Errors
    /// See [`OpenError`]; a refused datagram changes nothing.
    pub fn open(&mut self, bytes: &[u8], now_us: i64) -> Result<Beacon, OpenError> {
        let Sealed { beacon, counter } = self.key.verify(bytes)?;
        self.window.admit(beacon.uuid, counter, now_us)?;
        Ok(beacon)
    }
}

/// The bytes under the MAC, and the MAC.
fn split(bytes: &[u8]) -> Option<(&[u8], [u8; 32])> {
    let sealed = bytes.strip_suffix(b"\"}")?;
    let (rest, hex) = sealed.split_at_checked(sealed.len().checked_sub(MAC_HEX_LENGTH)?)?;
    let rest = rest.strip_suffix(MAC_MEMBER)?;
    let mut mac = [0; 32];
    for (byte, pair) in mac.iter_mut().zip(hex.chunks_exact(2)) {
        let digits = std::str::from_utf8(pair).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some((rest, mac))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_US: i64 = 1_606_925_945_123_456;

    fn beacon() -> Beacon {
        Beacon {
            uuid: Uuid::from_u128(0xff0a1bda_34b9_11eb_b339_0242ac160009),
            position: [1, 5],
            infected: false,
            timestamp_us: NOW_US,
            alive: true,
            run: None,
            tick: None,
        }
    }

    fn key(text: &str) -> RadioKey {
        RadioKey::new(text.as_bytes()).expect("long enough")
    }

    #[test]
    fn a_sealed_beacon_is_heard_once() {
        let (key, mut ear) = (key("sixteen bytes or more"), SealedEar::new(key("sixteen bytes or more\n")));
        let bytes = key.seal(&beacon(), NOW_US);
        assert_eq!(ear.open(&bytes, NOW_US).expect("fresh"), beacon());
        assert!(matches!(ear.open(&bytes, NOW_US), Err(OpenError::Replayed { .. })));
        assert!(ear.open(&key.seal(&beacon(), NOW_US + 1), NOW_US).is_ok());
        assert_eq!(Beacon::decode(&bytes).expect("a beacon to anyone else"), beacon());
    }

    #[test]
    fn after_the_clock_was_set_new_beacons_are_heard_at_once_each_once() {
        for by_us in [-3_600_000_000, -60_000_000, -5_000_000, -600_000, 5_000_000, 60_000_000, 3_600_000_000]
        {
            let key = key("sixteen bytes or more");
            let mut ear = SealedEar::new(key.clone());
            assert!(ear.open(&key.seal(&beacon(), NOW_US), NOW_US).is_ok());
            let now_us = NOW_US + 10_000 + by_us;
            let next = key.seal(&beacon(), now_us);
            assert!(ear.open(&next, now_us).is_ok(), "set by {by_us} us");
            assert!(matches!(ear.open(&next, now_us), Err(OpenError::Replayed { .. })), "set by {by_us} us");
            let far = key.seal(&beacon(), now_us + 6_000_000);
            assert!(matches!(ear.open(&far, now_us), Err(OpenError::Replayed { .. })));
        }
    }

    #[test]
    fn forged_changed_old_and_unsealed_beacons_are_not_heard() {
        let mut ear = SealedEar::new(key("the radio key of the run"));
        let key_of_others = key("the radio key of others");
        assert!(matches!(ear.open(&key_of_others.seal(&beacon(), NOW_US), NOW_US), Err(OpenError::Forged)));
        assert!(matches!(ear.open(&beacon().encode(), NOW_US), Err(OpenError::Unsealed)));
        let mut changed = key("the radio key of the run").seal(&beacon(), NOW_US);
        let place = changed.windows(5).position(|w| w == b"false").expect("infected is false");
        changed.splice(place..place + 5, *b"true");
        assert!(matches!(ear.open(&changed, NOW_US), Err(OpenError::Forged)));
        let old = key("the radio key of the run").seal(&beacon(), NOW_US - 6_000_000);
        assert!(matches!(ear.open(&old, NOW_US), Err(OpenError::Replayed { .. })));
        for junk in [&b""[..], b"\"}", b"stop", &[0xff; 1_024], &[b'"'; 70]] {
            assert!(matches!(ear.open(junk, NOW_US), Err(OpenError::Unsealed)));
        }
    }

    #[test]
    fn a_sealed_beacon_fits_in_a_datagram_of_1024_bytes() {
        let beacon =
            Beacon { run: Some(Uuid::max()), tick: Some(u64::MAX), position: [1_000_000; 2], ..beacon() };
        assert!(key("sixteen bytes or more").seal(&beacon, i64::MAX).len() < BEACON_BYTES_MAX / 2);
    }
}
