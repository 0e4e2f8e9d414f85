//! A topic: its settings and its partitions, in a folder of its own.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::Duration;

use crate::log::batch::BATCH_BYTES_MAX;
use crate::log::{Log, Retention};
use crate::partition::Partition;

const SETTINGS_FILE: &str = "settings";
/// Partitions of a topic. Each has a file open.
pub(crate) const PARTITIONS_MAX: i32 = 64;
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
    pub(crate) fn list(&self) -> [(&'static str, String); 5] {
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

    fn read(folder: &Path) -> io::Result<Self> {
        let mut settings = Self::default();
        let text = fs::read_to_string(folder.join(SETTINGS_FILE))?;
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            settings.set(name, value).map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
        }
        Ok(settings)
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        let lines: String = self.list().iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let unfinished = folder.join("settings.unfinished");
        fs::write(&unfinished, lines)?;
        fs::rename(unfinished, folder.join(SETTINGS_FILE))
    }
}

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) partitions: Vec<Partition>,
    settings: RwLock<Settings>,
}

impl Topic {
    /// Makes a topic's folder; without its settings it would be none.
    pub(crate) fn make(folder: &Path, partitions: i32, settings: &Settings) -> io::Result<()> {
        for partition in 0..partitions {
            fs::create_dir_all(folder.join(partition.to_string()))?;
        }
        settings.write(folder)
    }

    /// Opens the topic in a folder.
    pub(crate) fn open(folder: &Path, name: &str) -> io::Result<Self> {
        let settings = Settings::read(folder)?;
        let mut partitions = Vec::new();
        loop {
            let folder = folder.join(partitions.len().to_string());
            if !folder.is_dir() {
                break;
            }
            let log = Log::open(&folder)?;
            partitions.push(Partition::new(format!("{name}-{}", partitions.len()), log));
        }
        Ok(Self { partitions, settings: RwLock::new(settings) })
    }

    pub(crate) fn settings(&self) -> Settings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how much is kept.
    pub(crate) fn retain(&self, folder: &Path, retention: Retention) -> io::Result<()> {
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        if settings.retention != retention {
            let changed = Settings { retention, ..*settings };
            changed.write(folder)?;
            *settings = changed;
        }
        Ok(())
    }

    pub(crate) fn partition(&self, number: i32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(number).ok()?)
    }
}

/// Whether a topic may have this name, which is also its folder's.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=249).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}
