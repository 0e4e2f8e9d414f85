//! Files that are open: a bounded number of them, whatever the number of topics and partitions.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::disk;

/// Open files without a limit by the caller: enough for the partitions of a laboratory.
const OPEN_DEFAULT: usize = 64;

/// A file of a log: the log's number and the file's first offset. A log that was deleted and one made
/// later under its name have different numbers.
pub(crate) type Key = (u64, i64);

/// The files that are open, the one used least recently closed first.
#[derive(Debug)]
pub(crate) struct Files {
    open_max: usize,
    logs: AtomicU64,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    files: HashMap<Key, Entry>,
    /// Counts uses, as a clock for which was the last.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    file: Arc<File>,
    is_for_appending: bool,
    used: u64,
}

impl Default for Files {
    fn default() -> Self {
        Self::new(OPEN_DEFAULT)
    }
}

impl Files {
    /// Keeps at most so many files open; one that is being read or written just then stays open for
    /// as long as that takes.
    pub(crate) fn new(open_max: usize) -> Self {
        Self { open_max: open_max.max(1), logs: AtomicU64::new(0), open: Mutex::default() }
    }

    /// A number for a log.
    pub(crate) fn number(&self) -> u64 {
        self.logs.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn for_reading(&self, key: Key, path: &Path) -> io::Result<Arc<File>> {
        self.get(key, path, false)
    }

    /// Writes go to the file's end.
    pub(crate) fn for_appending(&self, key: Key, path: &Path) -> io::Result<Arc<File>> {
        self.get(key, path, true)
    }

    fn get(&self, key: Key, path: &Path, is_for_appending: bool) -> io::Result<Arc<File>> {
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.uses += 1;
            let used = open.uses;
            if let Some(entry) = open.files.get_mut(&key)
                && (entry.is_for_appending || !is_for_appending)
            {
                entry.used = used;
                return Ok(Arc::clone(&entry.file));
            }
        }
        let file = disk::private().read(true).append(is_for_appending).open(path)?;
        Ok(self.put(key, file, is_for_appending))
    }

    /// A file that was opened elsewhere.
    pub(crate) fn put(&self, key: Key, file: File, is_for_appending: bool) -> Arc<File> {
        let file = Arc::new(file);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while open.files.len() >= self.open_max && !open.files.contains_key(&key) {
            let oldest = open.files.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| *key);
            let Some(oldest) = oldest else { break };
            open.files.remove(&oldest);
        }
        open.uses += 1;
        let entry = Entry { file: Arc::clone(&file), is_for_appending, used: open.uses };
        open.files.insert(key, entry);
        file
    }

    /// A deleted file occupies the disk for as long as it is open.
    pub(crate) fn close(&self, key: Key) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).files.remove(&key);
    }

    /// The same for all files of a log.
    pub(crate) fn close_all(&self, log: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).files.retain(|(of, _), _| *of != log);
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).files.len()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_number_of_open_files_is_bounded_and_each_can_be_used_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |number: u64| folder.path().join(number.to_string());
        for number in 0..20 {
            std::fs::write(path(number), [b'a']).expect("written");
        }
        let files = Files::new(3);
        for turn in 0..60_u64 {
            let number = turn % 20;
            let file = files.for_appending((number, 0), &path(number)).expect("opened");
            (&*file).write_all(b"b").expect("written");
            assert!(files.count() <= 3);
        }
        for number in 0..20 {
            assert_eq!(std::fs::read(path(number)).expect("there"), b"abbb");
        }
    }

    #[test]
    fn what_is_used_most_stays_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |number: u64| folder.path().join(number.to_string());
        for number in 0..9 {
            std::fs::write(path(number), []).expect("written");
        }
        let files = Files::new(3);
        let first = files.for_reading((0, 0), &path(0)).expect("opened");
        for number in 1..9 {
            files.for_reading((number, 0), &path(number)).expect("opened");
            assert!(Arc::ptr_eq(&first, &files.for_reading((0, 0), &path(0)).expect("opened")));
        }
        files.close_all(0);
        assert!(!Arc::ptr_eq(&first, &files.for_reading((0, 0), &path(0)).expect("opened")));
    }
}
