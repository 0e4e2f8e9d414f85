//! A topic: its settings and its partitions, in a folder of its own.

mod settings;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use tracing::warn;

pub(crate) use self::settings::Settings;
use self::settings::{Kept, TopicId};
use crate::disk;
use crate::log::files::Files;
use crate::log::{Log, Retention};
use crate::partition::Partition;

/// Partitions of a topic.
pub(crate) const PARTITIONS_MAX: i32 = 64;

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) partitions: Vec<Partition>,
    /// Another in each life of the topic.
    pub(crate) id: TopicId,
    settings: RwLock<Settings>,
}

impl Topic {
    /// Makes a topic's folder; without its settings it would be none.
    pub(crate) fn make(folder: &Path, partitions: i32, settings: &Settings) -> io::Result<()> {
        for partition in 0..partitions {
            disk::create_folder(&folder.join(partition.to_string()))?;
        }
        let partitions = usize::try_from(partitions).ok();
        Kept { settings: *settings, partitions, id: Some(draw_id()?) }.write(folder)
    }

    /// Opens the topic in a folder. What is missing of it is made again, and what cannot be used is set
    /// aside; `None` when nothing of it is left.
    pub(crate) fn open(folder: &Path, name: &str, files: &Arc<Files>) -> io::Result<Option<Self>> {
        let kept = Kept::read(folder)?;
        let count = match kept.and_then(|kept| kept.partitions) {
            Some(count) => count,
            None => partitions_in(folder)?,
        };
        if count == 0 || count > PARTITIONS_MAX as usize {
            return Ok(None);
        }
        let settings = kept.map(|kept| kept.settings).unwrap_or_default();
        let id = kept.and_then(|kept| kept.id).map_or_else(draw_id, Ok)?;
        let now = Kept { settings, partitions: Some(count), id: Some(id) };
        if kept != Some(now) {
            now.write(folder)?;
        }
        let mut partitions = Vec::new();
        for number in 0..count {
            let folder = folder.join(number.to_string());
            let label = format!("{name}-{number}");
            if !folder.is_dir() {
                if fs::symlink_metadata(&folder).is_ok() {
                    disk::set_aside(&folder, "this is no folder of a partition")?;
                }
                disk::create_folder(&folder)?;
                warn!(
                    partition = label,
                    "the partition's folder is missing: it starts empty, and its records are lost"
                );
            }
            let log = Log::open(&folder, files)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
            partitions.push(Partition::new(label, log));
        }
        Ok(Some(Self { partitions, id, settings: RwLock::new(settings) }))
    }

    pub(crate) fn settings(&self) -> Settings {
        *self.settings.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how much is kept.
    pub(crate) fn retain(&self, folder: &Path, retention: Retention) -> io::Result<()> {
        let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        if settings.retention != retention {
            let changed = Settings { retention, ..*settings };
            let (partitions, id) = (Some(self.partitions.len()), Some(self.id));
            Kept { settings: changed, partitions, id }.write(folder)?;
            *settings = changed;
        }
        Ok(())
    }

    pub(crate) fn partition(&self, number: i32) -> Option<&Partition> {
        self.partitions.get(usize::try_from(number).ok()?)
    }
}

fn draw_id() -> io::Result<TopicId> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(io::Error::other)?;
    // A random UUID, by its version and variant.
    id[6] = id[6] & 0x0f | 0x40;
    id[8] = id[8] & 0x3f | 0x80;
    Ok(id)
}

/// How many partitions a folder has, by the highest number of one.
fn partitions_in(folder: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.parse::<usize>().ok());
        if let Some(number) = number.filter(|number| *number < PARTITIONS_MAX as usize) {
            count = count.max(number + 1);
        }
    }
    Ok(count)
}

/// Whether a topic may have this name, which is also its folder's.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=249).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}
