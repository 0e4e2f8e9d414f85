//! The runs that a laboratory started, kept in a file: what runs and how it was begun, and what became of the others.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use coronaz_wire::{
    Setting,
    control::{Run, RunState},
    wall_clock,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{plan::People, set_aside::set_aside};

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
    /// Of a damaged file the entries that are whole are used; the file itself is set aside, and how many are not is logged.
    ///
    /// # Errors
    /// The file is there and the system does not let it be read, or set aside.
    pub fn open(path: &Path) -> io::Result<Register> {
        let Some(text) = read(path)? else { return Ok(Register { path: path.to_owned(), runs: Vec::new() }) };
        let (runs, damaged) = parse(&text);
        let mut register = Register { path: path.to_owned(), runs };
        if damaged > 0 {
            let kept = set_aside(path)?;
            let (whole, kept) = (register.runs.len(), kept.display());
            tracing::warn!(
                "the list of runs {} is damaged: {damaged} of its entries cannot be read, {whole} can; it is kept as {kept}",
                path.display()
            );
            register.write();
        }
        Ok(register)
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
            .and_then(|bytes| write_for_owner(&aside, &bytes))
            .and_then(|()| fs::rename(&aside, &self.path));
        if let Err(error) = written {
            tracing::warn!(path = %self.path.display(), %error, "the list of runs cannot be written");
        }
    }
}

/// Writes a file that its owner alone can read.
pub(crate) fn write_for_owner(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(bytes)
}

/// The file's text, of a larger file as much as was ever ours; `None` without one.
fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(REGISTER_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The entries that are whole, and how many are not.
fn parse(text: &str) -> (Vec<Known>, usize) {
    if let Ok(runs) = serde_json::from_str(text) {
        return (runs, 0);
    }
    // No list any more: whatever can be read as an entry is one, wherever it begins.
    let mut runs: Vec<Known> = Vec::new();
    let (mut damaged, mut at, mut gap_from) = (0, 0, 0);
    while let Some(brace) = text[at..].find('{') {
        let begin = at + brace;
        let mut entry = serde_json::Deserializer::from_str(&text[begin..]).into_iter::<Known>();
        match entry.next() {
            Some(Ok(known)) if runs.iter().all(|other| other.run.run != known.run.run) => {
                damaged += entries_in(&text[gap_from..begin]);
                at = begin + entry.byte_offset();
                gap_from = at;
                runs.push(known);
            }
            _ => at = begin + 1,
        }
    }
    damaged += entries_in(&text[gap_from..]);
    (runs, damaged.max(1))
}

/// How many entries a piece of the file held that cannot be read.
fn entries_in(gap: &str) -> usize {
    if gap.chars().all(|sign| sign.is_whitespace() || "[],".contains(sign)) {
        return 0;
    }
    // A member that each entry has once.
    gap.matches("\"started_ms\"").count().max(1)
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

    /// What stands in the folder beside the register itself.
    fn set_aside_files(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).expect("a folder");
        let names = entries.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains(".damaged-")).collect()
    }

    #[test]
    fn a_file_that_is_something_else_is_set_aside_by_name_and_the_laboratory_starts() {
        for text in [&b"[1,2]"[..], b"", b"\0\0\0\0", b"\xff\xfe", b"{}", b"[", b"no list at all", b"null"] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("runs.json");
            fs::write(&path, text).expect("a file");
            assert_eq!(open(&folder).runs().count(), 0, "{text:?}");
            let aside = set_aside_files(&folder);
            assert_eq!(aside, ["runs.json.damaged-1"], "{text:?}");
            assert_eq!(fs::read(folder.path().join(&aside[0])).expect("kept"), text);
            assert_eq!(open(&folder).runs().count(), 0);
            assert_eq!(set_aside_files(&folder).len(), 1, "what was written anew is whole");
        }
    }

    #[test]
    fn of_a_file_that_is_cut_off_or_flipped_anywhere_the_whole_entries_are_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut register = open(&folder);
        for number in 1..=3 {
            register.add(run(number));
        }
        let whole = fs::read(folder.path().join("runs.json")).expect("written");
        let damage = |bytes: &[u8]| {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("runs.json"), bytes).expect("a file");
            let runs = open(&folder).runs().count();
            (runs, set_aside_files(&folder).len())
        };
        assert_eq!(damage(&whole), (3, 0));
        for length in 0..whole.len() {
            let (runs, aside) = damage(&whole[..length]);
            let ends = whole[..length].windows(4).filter(|bytes| bytes == b"\n  }").count();
            assert!(runs == ends && aside == 1, "cut to {length}: {runs} runs of {ends}, {aside} set aside");
        }
        for place in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[place] ^= 0x08;
            let (runs, aside) = damage(&flipped);
            assert!(runs >= 2, "flipped at {place}: {runs}");
            assert!(runs == 3 || aside == 1, "flipped at {place}: {runs}, {aside}");
        }
    }

    #[test]
    fn the_register_can_be_read_by_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        open(&folder).add(run(1));
        let mode = fs::metadata(folder.path().join("runs.json")).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
