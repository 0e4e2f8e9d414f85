//! The folder that holds everything: one broker at a time, its topics.
//!
//! ```text
//! DATA/lock                               held by the broker that runs
//! DATA/groups/offsets                     what consumer groups committed
//! DATA/topics/NAME/settings               a topic's settings, number of partitions and id
//! DATA/topics/NAME/PARTITION/OFFSET.log   batches from that offset on
//! DATA/topics/NAME/PARTITION/OFFSET.seal  what need not be read again of a closed one
//! ```
//!
//! What is damaged is renamed to `.damaged-NAME-NUMBER` beside it, and never read or deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use tracing::info;

use crate::disk;
use crate::log::files::Files;
use crate::log::{Log, Retention};
use crate::options::Options;
use crate::topic::{PARTITIONS_MAX, Settings, Topic, is_name};

/// How long a broker that was just killed may still hold the folder.
const BUSY_WAIT: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// Topics, so that no client fills the folder with them. A laboratory has one.
const TOPICS_MAX: usize = 256;
/// Partitions of all topics together: each takes some memory, and time at the start.
const PARTITIONS_ALL_MAX: usize = 4096;
/// What a topic's folder is called until it is whole, and once it is to go.
const UNFINISHED: &str = ".unfinished";

/// The data folder, locked against a second broker as long as this lives.
#[derive(Debug)]
pub(crate) struct Data {
    folder: PathBuf,
    topics: RwLock<BTreeMap<String, Arc<Topic>>>,
    files: Arc<Files>,
    /// Held while a topic is made or deleted.
    change: Mutex<()>,
    _lock: File,
}

/// Why the data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// It cannot be made, read or written.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another broker runs on it.
    #[error("{} is in use by another broker", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// It belongs to the broker before this one.
    #[error(
        "{} was written by an earlier version, whose records this one cannot read: move it and the store beside it \
         away to begin anew, or finish with the earlier version",
        path.display()
    )]
    Former {
        /// The file.
        path: PathBuf,
    },
}

/// Why a topic was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopicError {
    #[error("a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ - and does not begin with a dot")]
    Name,
    #[error("it is there already")]
    Exists,
    #[error("a topic has 1 to {PARTITIONS_MAX} partitions")]
    Partitions,
    #[error("there are {TOPICS_MAX} topics already, or {PARTITIONS_ALL_MAX} partitions with these")]
    TooMany,
    #[error("there is no such topic")]
    Unknown,
    #[error("cannot write to the data folder: {0}")]
    Storage(#[from] io::Error),
}

impl Data {
    /// Opens the folder, with the topic that the options name. At most `open_max` of its files are kept
    /// open.
    pub(crate) fn open(options: &Options, open_max: usize) -> Result<Self, DataError> {
        let path = &options.data;
        let failed = |source| DataError::Folder { path: path.clone(), source };
        refuse_former(path)?;
        disk::create_folder(path).map_err(failed)?;
        let lock = lock(path)?;
        let data = Self {
            folder: path.clone(),
            topics: RwLock::default(),
            files: Arc::new(Files::new(open_max)),
            change: Mutex::new(()),
            _lock: lock,
        };
        data.open_topics().map_err(failed)?;
        data.ensure(options).map_err(|error| match error {
            TopicError::Storage(source) => failed(source),
            other => failed(io::Error::other(other)),
        })?;
        Ok(data)
    }

    fn open_topics(&self) -> io::Result<()> {
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder.join("topics");
        free(&folder, Path::is_dir)?;
        disk::create_folder(&folder)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if name.starts_with(UNFINISHED) {
                if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
            } else if is_name(name) {
                let opened = if path.is_dir() { Topic::open(&path, name, &self.files)? } else { None };
                match opened {
                    Some(topic) => {
                        topics.insert(name.to_owned(), Arc::new(topic));
                    }
                    None => {
                        disk::set_aside(
                            &path,
                            "a topic of which nothing can be used: it is not there any more",
                        )?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The topic of the command line is there, and keeps for as long as that says.
    fn ensure(&self, options: &Options) -> Result<(), TopicError> {
        let retention = Retention { time: Some(options.retention), bytes: options.retention_bytes };
        let settings = Settings { retention, ..Settings::default() };
        match self.topic(&options.topic) {
            Some(topic) => Ok(topic.retain(&self.path_of(&options.topic), retention)?),
            None => {
                // Whatever the number of topics that others made.
                self.make_for_certain(&options.topic, options.partitions, &settings)
            }
        }
    }

    fn path_of(&self, topic: &str) -> PathBuf {
        self.folder.join("topics").join(topic)
    }

    pub(crate) fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All topics by name.
    pub(crate) fn topics(&self) -> Vec<(String, Arc<Topic>)> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        topics.iter().map(|(name, topic)| (name.clone(), Arc::clone(topic))).collect()
    }

    /// Whether a topic could be made.
    pub(crate) fn can_make(&self, name: &str, partitions: i32) -> Result<(), TopicError> {
        let topics = self.topics.read().unwrap_or_else(PoisonError::into_inner);
        match () {
            () if !is_name(name) => Err(TopicError::Name),
            () if topics.contains_key(name) => Err(TopicError::Exists),
            () if !(1..=PARTITIONS_MAX).contains(&partitions) => Err(TopicError::Partitions),
            () if topics.len() >= TOPICS_MAX => Err(TopicError::TooMany),
            () if topics.values().map(|topic| topic.partitions.len()).sum::<usize>()
                + usize::try_from(partitions).unwrap_or(0)
                > PARTITIONS_ALL_MAX =>
            {
                Err(TopicError::TooMany)
            }
            () => Ok(()),
        }
    }

    /// Makes a topic, in whole or not at all.
    pub(crate) fn make(&self, name: &str, partitions: i32, settings: &Settings) -> Result<(), TopicError> {
        let _alone = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        self.can_make(name, partitions)?;
        self.make_for_certain(name, partitions, settings)
    }

    fn make_for_certain(&self, name: &str, partitions: i32, settings: &Settings) -> Result<(), TopicError> {
        let unfinished = self.path_of(UNFINISHED);
        remove_dir(&unfinished)?;
        let path = self.path_of(name);
        Topic::make(&unfinished, partitions, settings)?;
        fs::rename(&unfinished, &path)?;
        let opened = Topic::open(&path, name, &self.files)?;
        let topic = Arc::new(opened.ok_or(TopicError::Partitions)?);
        self.topics.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), topic);
        info!(topic = name, partitions, "topic made");
        Ok(())
    }

    /// Waits until nobody is appending, and lets nobody begin.
    pub(crate) fn close(&self) {
        for (_, topic) in self.topics() {
            for partition in &topic.partitions {
                partition.with(Log::close);
            }
        }
    }

    /// Deletes a topic. Who reads it just now still gets what it was promised.
    pub(crate) fn delete(&self, name: &str) -> Result<(), TopicError> {
        let _alone = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(topic) = self.topic(name) else { return Err(TopicError::Unknown) };
        let unfinished = self.path_of(UNFINISHED);
        remove_dir(&unfinished)?;
        fs::rename(self.path_of(name), &unfinished)?;
        self.topics.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        // A connection that still holds it must not open the files of a later topic of this name.
        for partition in &topic.partitions {
            partition.with(Log::close);
        }
        remove_dir(&unfinished)?;
        info!(topic = name, "topic deleted");
        Ok(())
    }
}

/// Sets aside what is in the place of a file or folder and is none.
fn free(path: &Path, is_right: impl Fn(&Path) -> bool) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() && !is_right(path) {
        disk::set_aside(path, "this is not what has its place here")?;
    }
    Ok(())
}

/// The topics that a folder holds before it is opened, which may make one.
pub(crate) fn topics_before(folder: &Path) -> BTreeSet<String> {
    // Without the folder there are none; whatever else is wrong with it, opening it says.
    let entries = fs::read_dir(folder.join("topics")).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

fn remove_dir(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Until version 0.1 the broker kept a database in one file: the path given, or beside it.
fn refuse_former(path: &Path) -> Result<(), DataError> {
    for file in [path.to_owned(), path.with_extension("db")] {
        if file.is_file() {
            return Err(DataError::Former { path: file });
        }
    }
    Ok(())
}

fn lock(folder: &Path) -> Result<File, DataError> {
    let failed = |source| DataError::Folder { path: folder.to_owned(), source };
    let path = folder.join("lock");
    free(&path, Path::is_file).map_err(failed)?;
    let file = disk::private().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    let until = Instant::now() + BUSY_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(BUSY_PAUSE),
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { path: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

#[cfg(test)]
mod tests;
