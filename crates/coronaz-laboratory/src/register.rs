//! The runs that a laboratory started, kept in a file: what runs and how it was begun, and what became of the others.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use coronaz_wire::{
    Setting,
    control::{Run, RunState},
    wall_clock,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::People;

/// Runs kept; of more, those that ended first are forgotten.
pub const RUNS_KEPT: usize = 200;
/// A file of this size was not written by us.
const REGISTER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A run, and how it was begun: what another laboratory on the same folder goes on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The run, as the operator sees it.
    #[serde(flatten)]
    pub run: Run,
    /// Its groups of devices, in the order in which they came; a fleet has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// How fast a fleet goes, as `--speed` has it. Default: real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<String>,
    /// What is different in a fork, by parameter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changes: BTreeMap<String, Setting>,
    /// The seed of chance from the fork on. Default: as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork_seed: Option<u64>,
}

/// People who came together, and are one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its number, which is in its part's name.
    pub number: u32,
    /// Safe ones.
    pub safe: u32,
    /// Infected ones.
    pub infected: u32,
    /// All have died and told their last message: nobody is to be carried on.
    #[serde(default)]
    pub over: bool,
}

impl Group {
    /// Those who have just come.
    #[must_use]
    pub fn new(number: u32, people: People) -> Group {
        Group { number, safe: people.safe, infected: people.infected, over: false }
    }

    /// Who they are.
    #[must_use]
    pub fn people(&self) -> People {
        People { safe: self.safe, infected: self.infected }
    }
}

impl From<Run> for Known {
    fn from(run: Run) -> Self {
        Known { run, groups: Vec::new(), speed: None, changes: BTreeMap::new(), fork_seed: None }
    }
}

/// The runs of a laboratory, newest first.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    runs: Vec<Known>,
}

impl Register {
    /// Reads the register. What ran when it was last written still stands as running: whoever opens it goes on with it,
    /// or ends it.
    ///
    /// # Errors
    /// The file is there and cannot be read, or holds something else.
    pub fn open(path: &Path) -> io::Result<Register> {
        Ok(Register { path: path.to_owned(), runs: read(path)? })
    }

    /// All runs, newest first.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.iter().map(|known| &known.run)
    }

    /// One run.
    #[must_use]
    pub fn run(&self, run: Uuid) -> Option<&Run> {
        self.runs().find(|known| known.run == run)
    }

    /// Those that go on.
    pub fn going(&self) -> impl Iterator<Item = &Run> {
        self.runs().filter(|run| run.state == RunState::Running)
    }

    /// Those that go on, the oldest first, with how they were begun.
    #[must_use]
    pub fn begun(&self) -> Vec<Known> {
        let going = self.runs.iter().rev().filter(|known| known.run.state == RunState::Running);
        going.cloned().collect()
    }

    /// Adds a run that has begun; gives those that are forgotten for it.
    pub fn add(&mut self, known: Known) -> Vec<Uuid> {
        self.runs.insert(0, known);
        let mut forgotten = Vec::new();
        while self.runs.len() > RUNS_KEPT {
            let Some(oldest) = self.runs.iter().rposition(|known| known.run.state != RunState::Running)
            else {
                break;
            };
            forgotten.push(self.runs.remove(oldest).run.run);
        }
        self.write();
        forgotten
    }

    /// Changes a run's entry.
    pub fn change(&mut self, run: Uuid, change: impl FnOnce(&mut Known)) {
        if let Some(known) = self.runs.iter_mut().find(|known| known.run.run == run) {
            change(known);
            self.write();
        }
    }

    /// Notes that nobody of a group is to be carried on.
    pub fn group_over(&mut self, run: Uuid, place: usize) {
        let known = self.runs.iter().find(|known| known.run.run == run);
        if known.and_then(|known| known.groups.get(place)).is_some_and(|group| !group.over) {
            self.change(run, |known| known.groups[place].over = true);
        }
    }

    /// Notes that a run has ended, or failed, and why.
    pub fn end(&mut self, run: Uuid, state: RunState, why: Option<String>) {
        self.change(run, |known| {
            let known = &mut known.run;
            known.state = state;
            known.ended_ms = Some(wall_clock::now_us() / 1000);
            known.why = why;
        });
    }

    /// Forgets a run; false when it is not there.
    pub fn forget(&mut self, run: Uuid) -> bool {
        let before = self.runs.len();
        self.runs.retain(|known| known.run.run != run);
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

fn read(path: &Path) -> io::Result<Vec<Known>> {
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

    fn run(number: u128) -> Known {
        Known::from(Run {
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
        })
    }

    fn open(folder: &tempfile::TempDir) -> Register {
        Register::open(&folder.path().join("runs.json")).expect("a register")
    }

    #[test]
    fn what_ran_when_the_laboratory_was_killed_is_there_with_how_it_was_begun() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut register = open(&folder);
        register.add(run(1));
        let changes = BTreeMap::from([("infection_radius".to_owned(), Setting::Real(1.5))]);
        let group = Group::new(2, People { safe: 3, infected: 1 });
        let speed = Some("20".to_owned());
        let fork = Known { groups: vec![group], speed, changes, fork_seed: Some(9), ..run(2) };
        register.add(fork.clone());
        register.add(run(3));
        register.end(Uuid::from_u128(3), RunState::Failed, Some("no room".to_owned()));
        drop(register);
        let mut register = open(&folder);
        assert_eq!(register.begun(), [run(1), fork]);
        let failed = register.run(Uuid::from_u128(3)).expect("kept");
        assert_eq!((failed.state, failed.why.as_deref()), (RunState::Failed, Some("no room")));
        register.group_over(Uuid::from_u128(2), 0);
        assert!(open(&folder).begun()[1].groups[0].over);
    }

    #[test]
    fn a_list_that_knows_nothing_of_how_runs_were_begun_can_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = serde_json::to_vec(&[run(1).run]).expect("JSON");
        fs::write(folder.path().join("runs.json"), old).expect("a file");
        assert_eq!(open(&folder).begun(), [run(1)]);
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
