//! What devices themselves wrote down: `DIR/<run>/<node>.jsonl`, one contact a line, as they recorded it.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use coronaz_wire::Contact;
use uuid::Uuid;

/// A contact with its hearer; ordered by hearer, time, heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recorded {
    /// Who heard.
    pub hearer: Uuid,
    /// When, in microseconds since 1970.
    pub time_us: i64,
    /// Who was heard.
    pub heard: Uuid,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refuses.
    #[error("cannot read the journal {path}")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// No journal of this run.
    #[error("there is no journal of run {run} in {folder}; were its devices started with --journal?")]
    NoSuchRun {
        /// The run.
        run: Uuid,
        /// The folder looked in.
        folder: PathBuf,
    },
}

/// What the devices of a run wrote down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journals {
    /// The devices that have a journal. What others heard, no journal says.
    pub devices: BTreeSet<Uuid>,
    /// Their contacts, as often as they stand there.
    pub recorded: Vec<Recorded>,
    /// Lines that are no contacts: torn by a kill, or damaged.
    pub unreadable_lines: u64,
    /// Journals that cannot be read at all.
    pub unreadable_files: Vec<PathBuf>,
}

/// Reads all that the devices of a run wrote down. A line that is no contact counts as not written, and is counted.
///
/// # Errors
/// No such run, or its folder cannot be read.
pub fn read(folder: &Path, run: Uuid) -> Result<Journals, JournalError> {
    let path = folder.join(run.to_string());
    if !path.is_dir() {
        return Err(JournalError::NoSuchRun { run, folder: folder.to_owned() });
    }
    let io_error = |source| JournalError::Io { path: path.clone(), source };
    let mut journals = Journals::default();
    for entry in fs::read_dir(&path).map_err(io_error)? {
        let file = entry.map_err(io_error)?.path();
        let node =
            file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| Uuid::try_parse(stem).ok());
        if let (Some(hearer), Some("jsonl")) = (node, file.extension().and_then(|e| e.to_str())) {
            match fs::read(&file) {
                Ok(bytes) => journals.add(hearer, &bytes),
                Err(error) => {
                    tracing::warn!(file = %file.display(), %error, "a journal cannot be read");
                    journals.unreadable_files.push(file);
                }
            }
        }
    }
    Ok(journals)
}

impl Journals {
    fn add(&mut self, hearer: Uuid, bytes: &[u8]) {
        self.devices.insert(hearer);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let contact =
                line.strip_suffix(b"\n").and_then(|line| serde_json::from_slice::<Contact>(line).ok());
            match contact {
                Some(contact) => self.recorded.push(Recorded {
                    hearer,
                    time_us: contact.timestamp_us,
                    heard: contact.uuid,
                }),
                None => self.unreadable_lines += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_journal_all_lines_count_that_are_whole_and_the_others_are_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let (run, node, heard) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let of_run = folder.path().join(run.to_string());
        fs::create_dir(&of_run).expect("a folder");
        let line = serde_json::to_string(&Contact { uuid: heard, timestamp_us: 5_000_000, distance: None });
        let line = line.expect("JSON");
        let written = Recorded { hearer: node, time_us: 5_000_000, heard };
        for (text, lines, unreadable) in [
            (format!("{line}\n{}", &line[..20]).into_bytes(), 1, 1),
            (format!("{line}\n{}\n{line}\n", &line[..20]).into_bytes(), 2, 1),
            ([b"\xff\xfe\n", line.as_bytes(), b"\n"].concat(), 1, 1),
            (Vec::new(), 0, 0),
        ] {
            fs::write(of_run.join(format!("{node}.jsonl")), text).expect("written");
            let journals = read(folder.path(), run).expect("readable");
            assert_eq!(journals.recorded, vec![written; lines]);
            assert_eq!((journals.unreadable_lines, journals.devices.len()), (unreadable, 1));
        }
        let in_its_place = of_run.join(format!("{heard}.jsonl"));
        fs::create_dir(&in_its_place).expect("a folder");
        let journals = read(folder.path(), run).expect("readable");
        assert_eq!(journals.unreadable_files, [in_its_place]);
        assert!(matches!(read(folder.path(), node), Err(JournalError::NoSuchRun { .. })));
    }
}
