//! What devices themselves wrote down: `DIR/<run>/<node>.jsonl`, one contact a line, as they recorded it.

use std::{
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
    /// A line that is no contact, and not a last one torn by a kill.
    #[error("{path}, line {line}: not a contact")]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
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

/// Reads all that the devices of a run wrote down. A last line without an end, torn by a kill, counts as not written.
///
/// # Errors
/// No such run, an unreadable file, or a line that is no contact.
pub fn read(folder: &Path, run: Uuid) -> Result<Vec<Recorded>, JournalError> {
    let path = folder.join(run.to_string());
    if !path.is_dir() {
        return Err(JournalError::NoSuchRun { run, folder: folder.to_owned() });
    }
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| JournalError::Io { path, source }
    };
    let mut recorded = Vec::new();
    for entry in fs::read_dir(&path).map_err(io_error(&path))? {
        let file = entry.map_err(io_error(&path))?.path();
        let node =
            file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| Uuid::try_parse(stem).ok());
        if let (Some(hearer), Some("jsonl")) = (node, file.extension().and_then(|e| e.to_str())) {
            let text = fs::read_to_string(&file).map_err(io_error(&file))?;
            read_lines(&text, hearer, &file, &mut recorded)?;
        }
    }
    Ok(recorded)
}

fn read_lines(
    text: &str,
    hearer: Uuid,
    path: &Path,
    recorded: &mut Vec<Recorded>,
) -> Result<(), JournalError> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    for (number, line) in whole.lines().enumerate() {
        let contact: Contact = serde_json::from_str(line).map_err(|source| JournalError::Line {
            path: path.to_owned(),
            line: number + 1,
            source,
        })?;
        recorded.push(Recorded { hearer, time_us: contact.timestamp_us, heard: contact.uuid });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_is_read_up_to_a_torn_last_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let (run, node, heard) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let of_run = folder.path().join(run.to_string());
        fs::create_dir(&of_run).expect("a folder");
        let line = serde_json::to_string(&Contact { uuid: heard, timestamp_us: 5_000_000, distance: None });
        let line = line.expect("JSON");
        fs::write(of_run.join(format!("{node}.jsonl")), format!("{line}\n{}", &line[..20])).expect("written");
        let recorded = read(folder.path(), run).expect("readable");
        assert_eq!(recorded, [Recorded { hearer: node, time_us: 5_000_000, heard }]);
        fs::write(of_run.join(format!("{node}.jsonl")), format!("x\n{line}\n")).expect("written");
        assert!(read(folder.path(), run).unwrap_err().to_string().contains("line 1"));
        assert!(matches!(read(folder.path(), node), Err(JournalError::NoSuchRun { .. })));
    }
}
