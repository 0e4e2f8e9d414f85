//! The spool: a bounded file that keeps a process's devices and what they have not told yet.
//!
//! `DIR/spool.log` holds entries with length and checksum, only ever added at its end; a torn tail is
//! of a process that was killed while it wrote, and is cut off; of a damaged file what is whole is used, and a copy of it
//! is set aside. A process started again with the same folder
//! carries the same devices on, and what they had not told goes out with their next reports.
//! `DIR/lock` keeps a second process out. What is written survives the death of the process, not
//! that of the machine (docs/decisions/spool.md).

pub mod entry;
mod recovery;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

pub use entry::{Carrier, Entry, Place};
use recovery::Recovery;
pub use recovery::SpooledDevice;

pub use crate::spool_folder::SpoolError;
use crate::spool_folder::{self, failed};

/// The default limit of the file: some 1.4 million contacts.
pub const LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// The smallest limit that makes sense.
pub const LIMIT_BYTES_MIN: u64 = 64 * 1024;
/// A file below this size is not worth making anew.
const COMPACT_ABOVE_BYTES: u64 = 1024 * 1024;
/// A file with more than this many times of what lives in it is made anew.
const COMPACT_FACTOR: u64 = 4;
/// Bytes of a contact's entry.
const CONTACT_BYTES: u64 = 45;

/// An open spool.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
    _lock: File,
    limit_bytes: u64,
    bytes: u64,
    live_contacts: u64,
    live_devices: u64,
    /// What the disk did not take yet.
    unwritten: Vec<u8>,
    dropped: u64,
    damaged_bytes: u64,
}

impl Spool {
    /// Opens the spool in `dir`, made if need be, and returns the devices it holds.
    ///
    /// # Errors
    /// In use by another process, or the system refuses.
    pub fn open(dir: &Path, limit_bytes: u64) -> Result<(Self, Vec<SpooledDevice>), SpoolError> {
        let lock = spool_folder::claim(dir)?;
        let path = dir.join("spool.log");
        spool_folder::clear_folder(&path)?;
        let mut recovery = Recovery::of_file(&path).map_err(failed(&path, "read"))?;
        recovery.forget_dropped();
        if recovery.torn_bytes > 0 {
            tracing::warn!(bytes = recovery.torn_bytes, path = %path.display(), "cut off the spool's torn tail");
        }
        if recovery.damaged_bytes > 0 {
            let aside = spool_folder::set_aside(&path)?;
            tracing::warn!(
                bytes = recovery.damaged_bytes,
                contacts_of_nobody = recovery.orphaned_contacts(),
                devices = recovery.devices(),
                aside = %aside.display(),
                "the spool is damaged: what is whole of it is used, a copy is set aside"
            );
        }
        let file = write_anew(&path, &recovery)?;
        let mut spool = Spool {
            path,
            file,
            _lock: lock,
            limit_bytes: limit_bytes.max(LIMIT_BYTES_MIN),
            bytes: 0,
            live_contacts: 0,
            live_devices: 0,
            unwritten: Vec::new(),
            dropped: 0,
            damaged_bytes: recovery.damaged_bytes as u64,
        };
        spool.count(&recovery)?;
        Ok((spool, recovery.into_devices()))
    }

    /// Adds entries. What the disk does not take now is kept in memory, within the limit, and tried
    /// again with the next ones.
    ///
    /// # Errors
    /// The disk does not take it now.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), SpoolError> {
        for entry in entries {
            entry.write(&mut self.unwritten);
            match entry {
                Entry::Contact { .. } => self.live_contacts += 1,
                Entry::Settled { contacts, .. } => {
                    self.live_contacts = self.live_contacts.saturating_sub(*contacts);
                }
                Entry::Device { .. } => self.live_devices += 1,
                Entry::Finished { .. } => self.live_devices = self.live_devices.saturating_sub(1),
                Entry::Carrier { .. } | Entry::Dropped { .. } => {}
            }
        }
        self.write_out()?;
        let live_bytes = self.live_contacts * CONTACT_BYTES + self.live_devices * 256;
        let mostly_settled = self.bytes > COMPACT_ABOVE_BYTES && self.bytes > COMPACT_FACTOR * live_bytes;
        if mostly_settled || self.bytes > self.limit_bytes {
            self.compact()?;
        }
        Ok(())
    }

    /// Contacts dropped because the spool was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes that were damaged when it was opened.
    #[must_use]
    pub fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    /// The file's length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn write_out(&mut self) -> Result<(), SpoolError> {
        let mut written = 0;
        let mut outcome = Ok(());
        while written < self.unwritten.len() {
            match self.file.write(&self.unwritten[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        if outcome.is_err() {
            // What is on the disk of an entry is cut off: the file ends with a whole one, and memory begins with one.
            let whole = whole_entries(&self.unwritten, written);
            if self.file.set_len(self.bytes + whole as u64).is_ok() {
                written = whole;
            }
        }
        self.unwritten.drain(..written);
        self.bytes += written as u64;
        if outcome.is_err() && self.unwritten.len() as u64 > self.limit_bytes {
            self.forget_unwritten();
        }
        outcome.map_err(failed(&self.path, "written"))
    }

    /// The disk has been full for so long that memory would be next.
    fn forget_unwritten(&mut self) {
        let mut contacts = 0;
        let mut rest = self.unwritten.as_slice();
        while let Some((entry, length)) = Entry::read(rest) {
            contacts += u64::from(matches!(entry, Entry::Contact { .. }));
            rest = &rest[length..];
        }
        self.unwritten.clear();
        self.live_contacts = self.live_contacts.saturating_sub(contacts);
        self.dropped += contacts;
        tracing::warn!(dropped = contacts, path = %self.path.display(), "the disk takes nothing: contacts are in the outbox alone");
    }

    /// Writes what still matters into a new file; the oldest contacts go if that is still too much.
    fn compact(&mut self) -> Result<(), SpoolError> {
        let mut recovery = Recovery::of_file(&self.path).map_err(failed(&self.path, "read"))?;
        let room = self.limit_bytes.saturating_sub(recovery.devices() * 256) / CONTACT_BYTES;
        if recovery.contacts() > room * 3 / 4 {
            // Down to half, so that a full spool is not made anew for every contact.
            let dropped = recovery.drop_oldest(recovery.contacts() - room / 2);
            self.dropped += dropped;
            tracing::warn!(
                dropped,
                limit_bytes = self.limit_bytes,
                "the spool is full: the oldest contacts are kept in memory alone"
            );
        }
        self.file = write_anew(&self.path, &recovery)?;
        self.count(&recovery)
    }

    fn count(&mut self, recovery: &Recovery) -> Result<(), SpoolError> {
        self.bytes = self.file.metadata().map_err(failed(&self.path, "measured"))?.len();
        self.live_contacts = recovery.contacts();
        self.live_devices = recovery.devices();
        Ok(())
    }
}

/// How many of the first `written` bytes are whole entries.
fn whole_entries(bytes: &[u8], written: usize) -> usize {
    let mut whole = 0;
    while let Some((_, length)) = Entry::read(&bytes[whole..]) {
        if whole + length > written {
            break;
        }
        whole += length;
    }
    whole
}

/// Puts a new file with these entries in the place of the old one, all or nothing.
fn write_anew(path: &Path, recovery: &Recovery) -> Result<File, SpoolError> {
    let new_path = path.with_extension("new");
    spool_folder::clear_folder(&new_path)?;
    let write = || {
        let mut file = File::create(&new_path)?;
        file.write_all(&recovery.to_bytes())?;
        file.sync_all()?;
        fs::rename(&new_path, path)?;
        OpenOptions::new().append(true).open(path)
    };
    write().map_err(|error| {
        // On a full disk half a file would only be in the way.
        let _ = fs::remove_file(&new_path);
        failed(path, "written anew")(error)
    })
}

#[cfg(test)]
mod tests;
