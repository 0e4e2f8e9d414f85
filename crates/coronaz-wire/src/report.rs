//! The report: what a device sends to the topic, the paper's beacon and its contacts.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::json::{self, DecodeError, TICK_MAX};

/// The longest report read, in bytes.
pub const REPORT_BYTES_MAX: usize = 1_048_576;
/// The longest report written, in bytes: the embedded broker is good for messages of this size.
pub const REPORT_BYTES_SENT_MAX: usize = 262_144;
/// The most contacts in one report that is read.
pub const CONTACTS_MAX: usize = 10_000;

/// The highest number of a report: numbers up to here are the same in every program that reads JSON.
pub const SEQ_MAX: u64 = (1 << 53) - 1;

/// A device that was heard in range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Who was heard.
    pub uuid: Uuid,
    /// When, in microseconds since 1970.
    #[serde(rename = "timestamp", with = "crate::timestamp::member")]
    pub timestamp_us: i64,
    /// How far away it was, in units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance: Option<f64>,
}

/// What a device has recorded in its whole life, for the auditor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Contacts recorded so far.
    pub contacts: u64,
    /// Sum (mod 2^64) of the digests of all contacts recorded so far: the order does not matter.
    pub digest: u64,
}

/// What one report says. The first six members are the paper's; readers do without the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whose it is.
    pub uuid: Uuid,
    /// Where the device is: x and y, in units.
    pub position: [i32; 2],
    /// Whether its carrier is infected.
    pub infected: bool,
    /// When it was made, in microseconds since 1970.
    #[serde(rename = "timestamp", with = "crate::timestamp::member")]
    pub timestamp_us: i64,
    /// False in a device's last message.
    pub alive: bool,
    /// Contacts since the last report that arrived.
    #[serde(default)]
    pub contacts: Vec<Contact>,
    /// The run it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// When the device's process started, in microseconds since 1970; with `seq` the report's identity.
    #[serde(default, rename = "start", skip_serializing_if = "Option::is_none")]
    pub start_us: Option<i64>,
    /// Counts the reports since `start`, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The model's tick, in lock-step runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick: Option<u64>,
    /// Whether the carrier is immune.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immune: Option<bool>,
    /// Who infected the carrier, in the report that first tells of the infection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub infected_by: Option<Uuid>,
    /// What the device has recorded in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
}

impl Report {
    /// The bytes of the record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a struct of plain members can be written as JSON")
    }

    /// The same as the original program writes it, and its readers expect: a JSON string that holds the JSON object.
    #[must_use]
    pub fn encode_as_the_paper(&self) -> Vec<u8> {
        let object = serde_json::to_string(self).expect("a struct of plain members can be written as JSON");
        serde_json::to_vec(&object).expect("text can be written as JSON")
    }

    /// Reads a record: the JSON object, or the original's JSON string that holds the JSON object.
    ///
    /// # Errors
    /// More than [`REPORT_BYTES_MAX`] bytes, not the JSON object expected, a position no field has, a time or number
    /// beyond its range, more than [`CONTACTS_MAX`] contacts, one with the device itself, or a distance that is none.
    pub fn decode(bytes: &[u8]) -> Result<Report, DecodeError> {
        json::check_length(bytes, REPORT_BYTES_MAX)?;
        let report: Report = if bytes.trim_ascii_start().starts_with(b"\"") {
            let inner: String = serde_json::from_slice(bytes)?;
            serde_json::from_str(&inner)?
        } else {
            serde_json::from_slice(bytes)?
        };
        json::check_position(report.position)?;
        if let Some(start_us) = report.start_us {
            json::check_time("start", start_us)?;
        }
        json::check_at_most("seq", report.seq.unwrap_or(0), SEQ_MAX)?;
        json::check_at_most("tick", report.tick.unwrap_or(0), TICK_MAX)?;
        if report.contacts.len() > CONTACTS_MAX {
            let problem = format!("{} of them, the limit is {CONTACTS_MAX}", report.contacts.len());
            return Err(DecodeError::Value { member: "contacts", problem });
        }
        if let Some(distance) =
            report.contacts.iter().filter_map(|c| c.distance).find(|d| !(0.0..=2e6).contains(d))
        {
            let problem = format!("must be 0 or more units, not {distance}");
            return Err(DecodeError::Value { member: "distance", problem });
        }
        if report.contacts.iter().any(|contact| contact.uuid == report.uuid) {
            let problem = "a device does not hear itself".to_owned();
            return Err(DecodeError::Value { member: "contacts", problem });
        }
        Ok(report)
    }
}

impl Totals {
    /// Adds one recorded contact.
    pub fn add(&mut self, hearer: Uuid, heard: Uuid, timestamp_us: i64) {
        self.contacts += 1;
        self.digest = self.digest.wrapping_add(contact_digest(hearer, heard, timestamp_us));
    }
}

/// 64 bits that stand for one contact (who heard, who was heard, when); a sum of them stands for a set.
///
/// FNV-1a over the 40 bytes, little-endian, and SplitMix64's finaliser behind it, so that sums do not cancel out.
#[must_use]
pub fn contact_digest(hearer: Uuid, heard: Uuid, timestamp_us: i64) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in hearer.as_bytes().iter().chain(heard.as_bytes()).chain(&timestamp_us.to_le_bytes()) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
