//! What a topic is set to, and the file that says so.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use tracing::warn;

use crate::disk;
use crate::log::Retention;
use crate::log::batch::BATCH_BYTES_MAX;

const FILE: &str = "settings";
/// How a file of an earlier version begins, and how many lines it has.
const FIRST_SETTING: &str = "cleanup.policy=";
const SETTINGS: usize = 5;
/// The smallest segment: a file for less is not worth its name.
const SEGMENT_BYTES_MIN: u64 = 64 * 1024;

/// What a topic is set to, by Kafka's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `retention.ms`, `retention.bytes`.
    pub(crate) retention: Retention,
    /// `segment.bytes`: a file of at most this.
    pub(crate) segment_bytes: u64,
    /// `max.message.bytes`: a batch of at most this.
    pub(crate) batch_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let week = Duration::from_secs(7 * 24 * 3600);
        Self {
            retention: Retention { time: Some(week), bytes: None },
            segment_bytes: 64 << 20,
            batch_bytes_max: BATCH_BYTES_MAX,
        }
    }
}

impl Settings {
    /// Changes one setting.
    ///
    /// # Errors
    /// When there is none of that name, or the value makes no sense: what would be right.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = || value.trim().parse::<i64>().map_err(|_| format!("{name} is a number, not '{value}'"));
        // -1 is for ever, and without limit.
        let limit = || number().map(|number| u64::try_from(number).ok());
        match name {
            "retention.ms" => self.retention.time = limit()?.map(Duration::from_millis),
            "retention.bytes" => self.retention.bytes = limit()?,
            "segment.bytes" => {
                self.segment_bytes = limit()?
                    .filter(|bytes| *bytes >= SEGMENT_BYTES_MIN)
                    .ok_or_else(|| format!("segment.bytes is at least {SEGMENT_BYTES_MIN}"))?;
            }
            "max.message.bytes" => {
                self.batch_bytes_max = limit()?
                    .and_then(|bytes| usize::try_from(bytes).ok())
                    .filter(|bytes| *bytes <= BATCH_BYTES_MAX)
                    .ok_or_else(|| format!("max.message.bytes is at most {BATCH_BYTES_MAX}"))?;
            }
            "cleanup.policy" if value == "delete" => {}
            "cleanup.policy" => {
                return Err("cleanup.policy is 'delete': this broker does not compact".to_owned());
            }
            _ => return Err(format!("'{name}' cannot be set here")),
        }
        Ok(())
    }

    /// All of them, as Kafka writes them.
    pub(crate) fn list(&self) -> [(&'static str, String); SETTINGS] {
        let limit = |value: Option<u64>| value.map_or("-1".to_owned(), |value| value.to_string());
        let time_ms = self.retention.time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        [
            ("cleanup.policy", "delete".to_owned()),
            ("max.message.bytes", self.batch_bytes_max.to_string()),
            ("retention.bytes", limit(self.retention.bytes)),
            ("retention.ms", limit(time_ms)),
            ("segment.bytes", self.segment_bytes.to_string()),
        ]
    }
}

/// What identifies one life of a topic: drawn when it is made, so one made again under its name has another.
pub(crate) type TopicId = [u8; 16];

/// What is kept of a topic beside its records: lines of `NAME=VALUE`, the last of them the checksum of the
/// others. Of a file from before there were checksums the number of partitions and the id are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) settings: Settings,
    pub(crate) partitions: Option<usize>,
    pub(crate) id: Option<TopicId>,
}

impl Kept {
    /// Reads a topic's file. `None` when there is none that can be used; what cannot be used is set aside.
    ///
    /// # Errors
    /// When the system does not let it be read or set aside.
    pub(crate) fn read(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(FILE);
        let kept = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                warn!(file = %path.display(), "the topic's settings are missing: it has the defaults now");
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => None,
            read => String::from_utf8(read?).ok().and_then(|text| Self::decode(&text)),
        };
        if kept.is_none() {
            disk::set_aside(&path, "the topic's settings are damaged: it has the defaults now")?;
        }
        Ok(kept)
    }

    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        disk::write_whole(&folder.join(FILE), self.encode().as_bytes())
    }

    fn encode(&self) -> String {
        let mut text = String::new();
        // First, so that what is left of a file that was cut is not taken for one of an earlier version.
        if let Some(partitions) = self.partitions {
            text += &format!("partitions={partitions}\n");
        }
        if let Some(id) = self.id {
            text += &format!("id={:032x}\n", u128::from_be_bytes(id));
        }
        for (name, value) in self.settings.list() {
            text += &format!("{name}={value}\n");
        }
        let checksum = crc32c::crc32c(text.as_bytes());
        text + &format!("checksum={checksum:08x}\n")
    }

    fn decode(text: &str) -> Option<Self> {
        let lines = text.strip_suffix('\n')?;
        let last = lines.rfind('\n').map_or(0, |at| at + 1);
        let body = match lines[last..].strip_prefix("checksum=") {
            Some(checksum) => {
                let checksum = u32::from_str_radix(checksum, 16).ok()?;
                (checksum == crc32c::crc32c(&text.as_bytes()[..last])).then_some(&text[..last])?
            }
            // Written by an earlier version, in whole: nothing but settings, and all of them.
            None if text.starts_with(FIRST_SETTING) && text.lines().count() == SETTINGS => text,
            None => return None,
        };
        let mut kept = Self { settings: Settings::default(), partitions: None, id: None };
        for line in body.lines() {
            let (name, value) = line.split_once('=')?;
            match name {
                "partitions" => kept.partitions = Some(value.parse().ok()?),
                "id" => kept.id = Some(u128::from_str_radix(value, 16).ok()?.to_be_bytes()),
                _ => kept.settings.set(name, value).ok()?,
            }
        }
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept { settings: Settings::default(), partitions: Some(4), id: Some([0xab; 16]) }
    }

    #[test]
    fn what_is_kept_of_a_topic_comes_back_as_it_was_written() {
        assert_eq!(Kept::decode(&kept().encode()), Some(kept()));
    }

    #[test]
    fn the_file_of_an_earlier_version_is_read() {
        let text = "cleanup.policy=delete\nmax.message.bytes=1048637\nretention.bytes=-1\n\
                    retention.ms=60000\nsegment.bytes=67108864\n";
        let kept = Kept::decode(text).expect("it is whole");
        assert_eq!(kept.settings.retention.time, Some(Duration::from_secs(60)));
        assert_eq!((kept.partitions, kept.id), (None, None));
        for cut in 0..text.len() {
            assert_eq!(Kept::decode(&text[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn a_damaged_file_is_none() {
        let good = kept().encode();
        for at in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[at] ^= 1;
            let read = String::from_utf8(bad).ok().and_then(|text| Kept::decode(&text));
            // Letters of the checksum may be large or small.
            assert!(read.is_none() || read == Some(kept()), "byte {at}");
            assert_eq!(Kept::decode(&good[..at]), None, "cut at {at}");
        }
        assert_eq!(Kept::decode(""), None);
    }
}
