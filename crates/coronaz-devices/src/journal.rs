//! The journal: what a device itself wrote down, for the auditor to compare with the store.
//!
//! One file a device, `DIR/<run>/<device>.jsonl`, a line for each contact recorded: the JSON of the
//! contact as in a report. Lines are only added. A torn last line is of a process that was killed
//! while it wrote; readers skip it. With a spool, a contact is in the spool before it is in the journal.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use coronaz_wire::Contact;
use uuid::Uuid;

/// Bytes that wait in memory while the disk is full; then the journal ends, and says so.
const UNWRITTEN_BYTES_MAX: usize = 1024 * 1024;

/// Why the journal cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the journal {} cannot be written: {source}", path.display())]
pub struct JournalError {
    path: PathBuf,
    source: io::Error,
}

/// A device's journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    unwritten: Vec<u8>,
    failed: bool,
}

/// The folder of a run's journals.
#[must_use]
pub fn folder(dir: &Path, run: Option<Uuid>) -> PathBuf {
    dir.join(run.unwrap_or_default().to_string())
}

impl Journal {
    /// Opens the journal of a device, or goes on with it.
    ///
    /// # Errors
    /// Folder or file cannot be made.
    pub fn open(dir: &Path, run: Option<Uuid>, device: Uuid) -> Result<Self, JournalError> {
        let folder = folder(dir, run);
        let path = folder.join(format!("{device}.jsonl"));
        let open = || {
            fs::create_dir_all(&folder)?;
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let torn = fs::read(&path)?.last().is_some_and(|last| *last != b'\n');
            Ok((file, torn))
        };
        let (file, torn) = open().map_err(|source| JournalError { path: path.clone(), source })?;
        // The torn line stays one line, and a reader skips it.
        let unwritten = if torn { b"\n".to_vec() } else { Vec::new() };
        Ok(Journal { path, file, unwritten, failed: false })
    }

    /// Adds contacts. What the disk does not take now is tried again with the next ones.
    ///
    /// # Errors
    /// The disk takes nothing and too much waits: some lines are lost. Told once.
    pub fn record(&mut self, contacts: &[Contact]) -> Result<(), JournalError> {
        if self.failed || (contacts.is_empty() && self.unwritten.is_empty()) {
            return Ok(());
        }
        for contact in contacts {
            serde_json::to_writer(&mut self.unwritten, contact)
                .map_err(io::Error::from)
                .map_err(|source| JournalError { path: self.path.clone(), source })?;
            self.unwritten.push(b'\n');
        }
        let mut written = 0;
        let outcome = loop {
            match self.file.write(&self.unwritten[written..]) {
                Ok(0) => break Ok(()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.unwritten.drain(..written);
        match outcome {
            Err(source) if self.unwritten.len() > UNWRITTEN_BYTES_MAX => {
                self.failed = true;
                Err(JournalError { path: self.path.clone(), source })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(number: i64) -> Contact {
        Contact { uuid: Uuid::from_u128(9), timestamp_us: number, distance: Some(1.5) }
    }

    #[test]
    fn every_contact_is_a_line_and_a_torn_line_stays_apart() {
        let dir = tempfile::tempdir().expect("a folder");
        let device = Uuid::from_u128(5);
        let mut journal = Journal::open(dir.path(), None, device).expect("opened");
        journal.record(&[contact(1), contact(2)]).expect("written");
        drop(journal);
        let path = folder(dir.path(), None).join(format!("{device}.jsonl"));
        let mut bytes = fs::read(&path).expect("there");
        bytes.truncate(bytes.len() - 7);
        fs::write(&path, bytes).expect("torn");
        let mut journal = Journal::open(dir.path(), None, device).expect("opened again");
        journal.record(&[contact(3)]).expect("written");
        let text = fs::read_to_string(&path).expect("text");
        let read: Vec<Option<Contact>> = text.lines().map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!(read, [Some(contact(1)), None, Some(contact(3))]);
    }
}
