//! The runs that a laboratory started, kept in a file: what runs, and what became of the others.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use coronaz_wire::{
    control::{Run, RunState},
    wall_clock,
};
use uuid::Uuid;

/// Runs kept; of more, those that ended first are forgotten.
pub const RUNS_KEPT: usize = 200;
/// A file of this size was not written by us.
const REGISTER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The runs of a laboratory, newest first.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    runs: Vec<Run>,
}

impl Register {
    /// Reads the register. What ran when it was last written runs no more: its laboratory is gone.
    ///
    /// # Errors
    /// The file is there and cannot be read, or holds something else.
    pub fn open(path: &Path) -> io::Result<Register> {
        let mut runs = read(path)?;
        for run in runs.iter_mut().filter(|run| run.state == RunState::Running) {
            run.state = RunState::Ended;
            run.why = Some("the laboratory ended while it ran".to_owned());
        }
        let mut register = Register { path: path.to_owned(), runs };
        register.write();
        Ok(register)
    }

    /// All runs, newest first.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// One run.
    #[must_use]
    pub fn run(&self, run: Uuid) -> Option<&Run> {
        self.runs.iter().find(|known| known.run == run)
    }

    /// Those that go on.
    pub fn going(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(|run| run.state == RunState::Running)
    }

    /// Adds a run that has begun; gives those that are forgotten for it.
    pub fn add(&mut self, run: Run) -> Vec<Uuid> {
        self.runs.insert(0, run);
        let mut forgotten = Vec::new();
        while self.runs.len() > RUNS_KEPT {
            let Some(oldest) = self.runs.iter().rposition(|run| run.state != RunState::Running) else {
                break;
            };
            forgotten.push(self.runs.remove(oldest).run);
        }
        self.write();
        forgotten
    }

    /// Changes a run's entry.
    pub fn change(&mut self, run: Uuid, change: impl FnOnce(&mut Run)) {
        if let Some(known) = self.runs.iter_mut().find(|known| known.run == run) {
            change(known);
            self.write();
        }
    }

    /// Notes that a run has ended, or failed, and why.
    pub fn end(&mut self, run: Uuid, state: RunState, why: Option<String>) {
        self.change(run, |known| {
            known.state = state;
            known.ended_ms = Some(wall_clock::now_us() / 1000);
            known.why = why;
        });
    }

    /// Forgets a run; false when it is not there.
    pub fn forget(&mut self, run: Uuid) -> bool {
        let before = self.runs.len();
        self.runs.retain(|known| known.run != run);
        self.write();
        self.runs.len() < before
    }

    /// Writes the file, whole or not at all. A full disk does not stop a laboratory: the next change writes again.
    fn write(&mut self) {
        let aside = self.path.with_extension("new");
        let written = serde_json::to_vec_pretty(&self.runs)
            .map_err(io::Error::from)
            .and_then(|bytes| fs::write(&aside, bytes))
            .and_then(|()| fs::rename(&aside, &self.path));
        if let Err(error) = written {
            tracing::warn!(path = %self.path.display(), %error, "the list of runs cannot be written");
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<Run>> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if length > REGISTER_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is no list of runs", path.display()),
        ));
    }
    let named = |error| {
        let text = format!("{} is no list of runs ({error}); move it away", path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    serde_json::from_slice(&fs::read(path)?).map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_wire::announcement::RunKind;

    fn run(number: u128) -> Run {
        Run {
            run: Uuid::from_u128(number),
            name: "town".to_owned(),
            kind: RunKind::Nodes,
            people: 3,
            infected: 1,
            seed: 7,
            state: RunState::Running,
            parts: Vec::new(),
            started_ms: 1,
            ended_ms: None,
            forked_from: None,
            why: None,
        }
    }

    fn open(folder: &tempfile::TempDir) -> Register {
        Register::open(&folder.path().join("runs.json")).expect("a register")
    }

    #[test]
    fn what_ran_when_the_laboratory_was_killed_is_said_to_have_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut register = open(&folder);
        register.add(run(1));
        register.add(run(2));
        register.end(Uuid::from_u128(1), RunState::Failed, Some("no room".to_owned()));
        drop(register);
        let register = open(&folder);
        let told: Vec<_> =
            register.runs().iter().map(|run| (run.run.as_u128(), run.state, run.why.as_deref())).collect();
        assert_eq!(
            told,
            [
                (2, RunState::Ended, Some("the laboratory ended while it ran")),
                (1, RunState::Failed, Some("no room"))
            ]
        );
        assert_eq!(register.going().count(), 0);
    }

    #[test]
    fn of_too_many_runs_the_oldest_that_ended_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut register = open(&folder);
        for number in 0..RUNS_KEPT as u128 {
            assert!(register.add(run(number)).is_empty());
        }
        assert!(register.add(run(1_000)).is_empty(), "all go on");
        register.end(Uuid::from_u128(5), RunState::Ended, None);
        register.end(Uuid::from_u128(9), RunState::Ended, None);
        assert_eq!(register.add(run(1_001)), [Uuid::from_u128(5), Uuid::from_u128(9)]);
        assert!(register.forget(Uuid::from_u128(0)) && !register.forget(Uuid::from_u128(0)));
    }

    #[test]
    fn a_file_that_is_something_else_is_named_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("runs.json");
        fs::write(&path, "[1,2]").expect("a file");
        let error = Register::open(&path).unwrap_err().to_string();
        assert!(error.contains("runs.json"), "{error}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "[1,2]");
    }
}
