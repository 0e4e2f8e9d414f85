//! A fleet as a file, to go on from: as the same run, whose frames are the same bytes from there on, or as another.
//!
//! Little-endian: magic `CZFC`, version (u32), checksum (CRC-32) of what follows up to the engine's part (u32), length of
//! the heading (u32), the heading (JSON), everybody's last two steps by number (u8), and the engine's own snapshot,
//! which has a checksum of its own.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use coronaz_model::{Fleet, Parameters, Tick, fleet::SnapshotError};
use coronaz_wire::{
    Scenario,
    announcement::ForkedFrom,
    frame::{Memory, PEOPLE_MAX},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const MAGIC: [u8; 4] = *b"CZFC";
const VERSION: u32 = 1;
const WORD: usize = size_of::<u32>();
const HEADING_AT: usize = 4 * WORD;
/// A heading holds a scenario's text, which has a limit, the parameters of the runs it comes from, and some numbers a shard.
const HEADING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most bytes of a person: in the engine's snapshot, and its steps.
const PERSON_BYTES_MAX: u64 = 33;
/// How names of files end.
const SUFFIX: &str = ".checkpoint";

/// A run at some tick.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    heading: Heading,
    pub(super) memories: Vec<Memory>,
    pub(super) fleet: Fleet,
}

/// What a checkpoint says of its run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Heading {
    pub(super) run: Uuid,
    /// When its tick 0 was, in microseconds since 1970.
    pub(super) started_us: i64,
    /// The tick it began with, and when that was by the clock: its pace is counted from there.
    pub(super) first: (Tick, i64),
    pub(super) seed: u64,
    pub(super) people: u32,
    pub(super) infected: u32,
    /// The scenario, as a file.
    pub(super) scenario: String,
    pub(super) forked_from: Option<ForkedFrom>,
    /// Sequence number, contacts and infections of each shard.
    pub(super) shards: Vec<[u64; 3]>,
}

/// Why a checkpoint cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("the checkpoint {} cannot be {what}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// `read`, `written` or `removed`.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Written by another version of this program.
    #[error("{} is no checkpoint of a fleet that can be read: its version is {version}, this program reads {VERSION}", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// Not a checkpoint, cut or damaged.
    #[error("{} is no checkpoint of a fleet that can be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Its engine's part is none.
    #[error("{} is no checkpoint of a fleet that can be read: {source}", path.display())]
    Fleet {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SnapshotError,
    },
}

impl Checkpoint {
    /// The run.
    #[must_use]
    pub fn run(&self) -> Uuid {
        self.heading.run
    }

    /// The seed of its chance.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.heading.seed
    }

    /// How many people there are, the dead included.
    #[must_use]
    pub fn people(&self) -> u32 {
        self.fleet.count()
    }

    /// How many were infected at the start.
    #[must_use]
    pub fn infected(&self) -> u32 {
        self.heading.infected
    }

    /// The tick that was computed last.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.fleet.tick()
    }

    /// The rules' numbers.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        self.fleet.parameters()
    }

    /// The scenario it came from.
    ///
    /// # Errors
    /// Its text is none.
    pub fn scenario(&self) -> Result<Scenario, coronaz_wire::scenario::ScenarioError> {
        Scenario::parse(&self.heading.scenario)
    }

    pub(super) fn heading(&self) -> &Heading {
        &self.heading
    }

    /// The same, of a run whose first tick was at another time by the clock.
    #[cfg(test)]
    pub(super) fn begun_at(mut self, first_us: i64) -> Self {
        self.heading.first.1 = first_us;
        self
    }

    /// The newest checkpoint in a folder: of this run, or the last written of any.
    ///
    /// # Errors
    /// The folder cannot be read. One that does not exist has none.
    pub fn newest(folder: &Path, run: Option<Uuid>) -> Result<Option<PathBuf>, CheckpointError> {
        let mut found = list(folder)?;
        if let Some(run) = run {
            found.retain(|saved| saved.run == run);
            found.sort_by_key(|saved| saved.tick);
        } else {
            found.sort_by_key(|saved| fs::metadata(&saved.path).and_then(|file| file.modified()).ok());
        }
        Ok(found.pop().map(|saved| saved.path))
    }

    /// The newest checkpoint in a folder that is whole, with its file: of this run, or the last written of any. Those that
    /// are damaged are set aside under the name `….damaged`, and said to be.
    ///
    /// # Errors
    /// The folder cannot be read, or the newest is of another version of this program.
    pub fn newest_whole(
        folder: &Path,
        run: Option<Uuid>,
    ) -> Result<Option<(PathBuf, Self)>, CheckpointError> {
        while let Some(path) = Self::newest(folder, run)? {
            let error = match Self::read(&path) {
                Ok(checkpoint) => return Ok(Some((path, checkpoint))),
                Err(error @ CheckpointError::OtherVersion { .. }) => return Err(error),
                Err(CheckpointError::Io { source, .. }) if !path.is_dir() => {
                    return Err(CheckpointError::Io { path, what: "read", source });
                }
                Err(error) => error,
            };
            let mut aside = path.clone().into_os_string();
            aside.push(".damaged");
            fs::rename(&path, &aside).map_err(|source| CheckpointError::Io {
                path: path.clone(),
                what: "set aside",
                source,
            })?;
            tracing::warn!(%error, aside = %Path::new(&aside).display(), "a damaged checkpoint is set aside");
        }
        Ok(None)
    }

    /// Reads it from a file.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let refused = |source| CheckpointError::Io { path: path.to_owned(), what: "read", source };
        let bytes_max = HEADING_BYTES_MAX as u64 * 2 + u64::from(PEOPLE_MAX) * PERSON_BYTES_MAX;
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(bytes_max).read_to_end(&mut bytes)).map_err(refused)?;
        Self::of_bytes(&bytes).map_err(|wrong| match wrong {
            Wrong::Front(why) => CheckpointError::Unreadable { path: path.to_owned(), why },
            Wrong::Version(version) => CheckpointError::OtherVersion { path: path.to_owned(), version },
            Wrong::Fleet(source) => CheckpointError::Fleet { path: path.to_owned(), source },
        })
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self, Wrong> {
        let front = |why: &str| Wrong::Front(why.to_owned());
        let word = |number: usize| {
            let word = bytes.get(number * WORD..).and_then(|rest| rest.first_chunk::<WORD>());
            word.copied().map(u32::from_le_bytes).ok_or_else(|| front("it ends too early"))
        };
        if !bytes.starts_with(&MAGIC) {
            return Err(front("it does not begin as one does"));
        }
        if word(1)? != VERSION {
            return Err(Wrong::Version(word(1)?));
        }
        let heading_len = word(3)? as usize;
        if heading_len > HEADING_BYTES_MAX || bytes.len() < HEADING_AT + heading_len {
            return Err(front("it ends too early"));
        }
        let steps_at = HEADING_AT + heading_len;
        let heading: Heading = serde_json::from_slice(&bytes[HEADING_AT..steps_at])
            .map_err(|error| Wrong::Front(error.to_string()))?;
        let fleet_at = steps_at.saturating_add(heading.people as usize);
        if bytes.len() < fleet_at {
            return Err(front("it ends too early"));
        }
        if crc32fast::hash(&bytes[3 * WORD..fleet_at]) != word(2)? {
            return Err(front("the checksum is wrong: it is damaged"));
        }
        let fleet = Fleet::restore(&bytes[fleet_at..]).map_err(Wrong::Fleet)?;
        let population = super::population(heading.run, fleet.base(), fleet.count().max(1));
        if fleet.count() != heading.people || heading.shards.len() != population.shards() as usize {
            return Err(front("its people are not those of its engine"));
        }
        let mut steps = &bytes[steps_at..fleet_at];
        let memory = |(shard, &[seq, contacts, infections]): (u32, &[u64; 3])| {
            let (own, rest) = steps.split_at(population.people_of(shard) as usize);
            steps = rest;
            Memory { seq, contacts, infections, steps: own.to_vec() }
        };
        let memories = (0..).zip(&heading.shards).map(memory).collect();
        Ok(Checkpoint { heading, memories, fleet })
    }
}

/// The bytes of a checkpoint. The heading's shards are filled in.
pub(super) fn encode(mut heading: Heading, memories: &[Memory], fleet: &Fleet) -> Vec<u8> {
    heading.shards = memories.iter().map(|memory| [memory.seq, memory.contacts, memory.infections]).collect();
    let text = serde_json::to_vec(&heading).expect("text and numbers can be written as JSON");
    let mut bytes = Vec::new();
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; WORD]);
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&text);
    memories.iter().for_each(|memory| bytes.extend_from_slice(&memory.steps));
    let checksum = crc32fast::hash(&bytes[3 * WORD..]);
    bytes[2 * WORD..3 * WORD].copy_from_slice(&checksum.to_le_bytes());
    bytes.extend_from_slice(&fleet.snapshot());
    bytes
}

/// Writes a file, which is there as a whole or not at all.
pub(super) fn write(folder: &Path, run: Uuid, tick: Tick, bytes: &[u8]) -> Result<PathBuf, CheckpointError> {
    let path = folder.join(format!("{run}-{tick:012}{SUFFIX}"));
    let part = path.with_extension("part");
    let put = || {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(folder)?.sync_all()
    };
    put().map_err(|source| CheckpointError::Io { path: path.clone(), what: "written", source })?;
    Ok(path)
}

/// Removes all but the newest checkpoints of a run.
pub(super) fn prune(folder: &Path, run: Uuid, keep: usize) -> Result<(), CheckpointError> {
    let mut own = list(folder)?;
    own.retain(|saved| saved.run == run);
    own.sort_by_key(|saved| std::cmp::Reverse(saved.tick));
    for Saved { path, .. } in own.into_iter().skip(keep.max(1)) {
        fs::remove_file(&path).map_err(|source| CheckpointError::Io { path, what: "removed", source })?;
    }
    Ok(())
}

/// A checkpoint's file, by its name.
struct Saved {
    run: Uuid,
    tick: Tick,
    path: PathBuf,
}

fn list(folder: &Path) -> Result<Vec<Saved>, CheckpointError> {
    let refused = |source| CheckpointError::Io { path: folder.to_owned(), what: "read", source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refused(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(refused)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let parts = name.strip_suffix(SUFFIX).and_then(|name| name.rsplit_once('-'));
        if let Some((Ok(run), Ok(tick))) = parts.map(|(run, tick)| (run.parse(), tick.parse())) {
            found.push(Saved { run, tick, path });
        }
    }
    Ok(found)
}

enum Wrong {
    Front(String),
    Version(u32),
    Fleet(SnapshotError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_model::{Draws, Spawn, fleet::Serial, identity::base_of};

    const RUN: Uuid = Uuid::from_u128(0x7c9f_3f9e_0d3b_4f7e_9a55_0f4b_8f6f_2a10);

    fn bytes() -> Vec<u8> {
        let spawns = (0..40).map(|person| Spawn { infected: person < 3, ..Spawn::default() });
        let mut fleet = Fleet::new(&Parameters::default(), Draws::new(5), base_of(5), spawns);
        let mut witnesses = vec![(); fleet.shards()];
        fleet.step(&Serial, &mut witnesses);
        let heading = Heading {
            run: RUN,
            started_us: 9,
            first: (0, 9),
            seed: 5,
            people: 40,
            infected: 3,
            scenario: "name = \"x\"".to_owned(),
            forked_from: None,
            shards: Vec::new(),
        };
        let memory = Memory { seq: 7, contacts: 5, infections: 1, steps: vec![6; 40] };
        encode(heading, &[memory], &fleet)
    }

    #[test]
    fn what_is_written_is_read_and_the_newest_is_found() {
        let home = tempfile::tempdir().expect("a folder");
        let other = Uuid::from_u128(4);
        for (run, tick) in [(RUN, 600), (RUN, 1_200), (other, 5_000), (RUN, 300)] {
            write(home.path(), run, tick, &bytes()).expect("written");
        }
        fs::write(home.path().join("notes.txt"), "mine").expect("written");
        // File systems tell times some milliseconds apart; these four were written faster.
        let latest =
            fs::File::options().append(true).open(home.path().join(format!("{RUN}-{:012}.checkpoint", 300)));
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(1);
        latest.and_then(|file| file.set_modified(later)).expect("it is there");
        let newest = Checkpoint::newest(home.path(), Some(RUN)).expect("readable").expect("one of them");
        assert!(newest.to_string_lossy().ends_with("-000000001200.checkpoint"), "{newest:?}");
        let last = Checkpoint::newest(home.path(), None).expect("readable").expect("one of them");
        assert!(last.to_string_lossy().ends_with("-000000000300.checkpoint"), "{last:?}");
        let read = Checkpoint::read(&newest).expect("its own bytes");
        assert_eq!(
            (read.run(), read.seed(), read.people(), read.infected(), read.tick()),
            (RUN, 5, 40, 3, 1)
        );
        assert_eq!(read.memories[0].steps, [6; 40]);
        assert_eq!(read.scenario().expect("a scenario").name, "x");
        prune(home.path(), RUN, 1).expect("removed");
        let left = fs::read_dir(home.path()).expect("readable").count();
        assert_eq!(left, 3, "the newest, another run's, and what is no checkpoint");
        let nowhere = Checkpoint::newest(&home.path().join("nowhere"), None).expect("no error");
        assert_eq!(nowhere, None);
    }

    #[test]
    fn of_several_checkpoints_the_newest_that_is_whole_is_found_and_damaged_ones_are_set_aside() {
        let home = tempfile::tempdir().expect("a folder");
        let whole = bytes();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        let damaged = [&whole[..whole.len() / 2], &flipped, b"", &[0x5a; 300]];
        write(home.path(), RUN, 100, &whole).expect("written");
        for (content, tick) in damaged.iter().zip(101..) {
            write(home.path(), RUN, tick, content).expect("written");
        }
        fs::create_dir(home.path().join(format!("{RUN}-{:012}{SUFFIX}", 200)))
            .expect("a folder in its place");
        let found =
            Checkpoint::newest_whole(home.path(), Some(RUN)).expect("readable").expect("one is whole");
        assert!(found.0.to_string_lossy().ends_with("-000000000100.checkpoint"), "{:?}", found.0);
        assert_eq!(found.1.seed(), 5);
        let names =
            fs::read_dir(home.path()).expect("readable").map(|entry| entry.expect("a name").file_name());
        assert_eq!(names.filter(|name| name.to_string_lossy().ends_with(".damaged")).count(), 5);
        assert!(Checkpoint::newest_whole(home.path(), Some(Uuid::from_u128(4))).expect("readable").is_none());
    }

    #[test]
    fn a_checkpoint_of_another_version_is_refused_and_stays() {
        let home = tempfile::tempdir().expect("a folder");
        let mut newer = bytes();
        newer[WORD] = 2;
        let path = write(home.path(), RUN, 100, &newer).expect("written");
        let error = Checkpoint::newest_whole(home.path(), Some(RUN)).expect_err("of another version");
        assert!(error.to_string().contains("its version is 2, this program reads 1"), "{error}");
        assert!(path.is_file());
    }

    #[test]
    fn a_cut_or_damaged_checkpoint_is_refused_wherever_it_is_hurt() {
        let whole = bytes();
        for at in 0..whole.len() {
            assert!(Checkpoint::of_bytes(&whole[..at]).is_err(), "cut at {at}");
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(Checkpoint::of_bytes(&damaged).is_err(), "damaged at {at}");
        }
    }
}
