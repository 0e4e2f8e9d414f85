//! A replicate as a file, to go on from: the same future, or others.
//!
//! Little-endian: magic `CZCP`, version (u32), checksum (CRC-32) of what follows up to the fleet (u32), length of
//! the heading (u32), the heading (JSON), a generation for each person (u16), and the fleet's own
//! snapshot, which has a checksum of its own.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use coronaz_model::{Fleet, Parameters, Tick, fleet::SnapshotError};
use serde::{Deserialize, Serialize};

use crate::{cases::Cases, plan::PEOPLE_MAX, totals::Totals};

const MAGIC: [u8; 4] = *b"CZCP";
const VERSION: u32 = 1;
const WORD: usize = size_of::<u32>();
const HEADING_AT: usize = 4 * WORD;
/// A heading holds a scenario's text, which has a limit, and a few numbers.
const HEADING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Most bytes of a person: in the fleet's snapshot, and its generation.
const PERSON_BYTES_MAX: u64 = 34;

/// A replicate at some tick.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    heading: Heading,
    pub(crate) cases: Cases,
    pub(crate) fleet: Fleet,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Heading {
    scenario: String,
    seed: u64,
    people: u32,
    infected: u32,
    by_generation: Vec<u64>,
    seeds: u64,
    ever_infected: u64,
    /// None in those of earlier versions.
    #[serde(default)]
    totals: Option<Totals>,
}

/// Why a checkpoint cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("the checkpoint {} cannot be {what}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// There is a file already.
    #[error("{} is there already; choose another name for the checkpoint, or --force", .0.display())]
    Taken(PathBuf),
    /// Not a checkpoint, of another version, cut or damaged.
    #[error("{} is no checkpoint that can be read: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Its fleet is none.
    #[error("{} is no checkpoint that can be read: {source}", path.display())]
    Fleet {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SnapshotError,
    },
}

impl Checkpoint {
    pub(crate) fn new(
        scenario: &str,
        seed: u64,
        infected: u32,
        (cases, totals): (&Cases, Option<Totals>),
        fleet: &Fleet,
    ) -> Self {
        let heading = Heading {
            scenario: scenario.to_owned(),
            seed,
            people: fleet.count(),
            infected,
            by_generation: cases.by_generation.clone(),
            seeds: cases.seeds,
            ever_infected: cases.ever_infected,
            totals,
        };
        Checkpoint { heading, cases: cases.clone(), fleet: fleet.clone() }
    }

    /// The text of the scenario as it was run.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.heading.scenario
    }

    /// The seed of the replicate.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.heading.seed
    }

    /// How many people were infected at the start.
    #[must_use]
    pub fn infected(&self) -> u32 {
        self.heading.infected
    }

    /// How many people there are, the dead included.
    #[must_use]
    pub fn people(&self) -> u32 {
        self.fleet.count()
    }

    /// The tick that was computed last.
    #[must_use]
    pub fn tick(&self) -> Tick {
        self.fleet.tick()
    }

    /// What was counted from tick 0 on; none in a checkpoint of an earlier version.
    pub(crate) fn totals(&self) -> Option<Totals> {
        self.heading.totals
    }

    /// The rules' numbers so far.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        self.fleet.parameters()
    }

    /// Writes it to a file, which is there as a whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let refused = |source| CheckpointError::Io { path: path.to_owned(), what: "written", source };
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(refused)?;
        let mut front = serde_json::to_vec(&self.heading).expect("text and numbers can be written as JSON");
        let heading_len = front.len() as u32;
        front.extend(self.cases.generation.iter().flat_map(|generation| generation.to_le_bytes()));
        let mut checked = crc32fast::Hasher::new();
        checked.update(&heading_len.to_le_bytes());
        checked.update(&front);
        let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(refused);
        put(&MAGIC)?;
        for word in [VERSION, checked.finalize(), heading_len] {
            put(&word.to_le_bytes())?;
        }
        put(&front)?;
        put(&self.fleet.snapshot())?;
        file.as_file().sync_all().map_err(refused)?;
        file.persist(path).map_err(|error| refused(error.error))?;
        Ok(())
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
            return Err(Wrong::Front(format!("its version is {}, this program reads {VERSION}", word(1)?)));
        }
        let heading_len = word(3)? as usize;
        if heading_len > HEADING_BYTES_MAX || bytes.len() < HEADING_AT + heading_len {
            return Err(front("it ends too early"));
        }
        let generations_at = HEADING_AT + heading_len;
        let heading: Heading = serde_json::from_slice(&bytes[HEADING_AT..generations_at])
            .map_err(|error| Wrong::Front(error.to_string()))?;
        let fleet_at = generations_at.saturating_add(heading.people as usize * size_of::<u16>());
        if bytes.len() < fleet_at {
            return Err(front("it ends too early"));
        }
        if crc32fast::hash(&bytes[3 * WORD..fleet_at]) != word(2)? {
            return Err(front("the checksum is wrong: it is damaged"));
        }
        let fleet = Fleet::restore(&bytes[fleet_at..]).map_err(Wrong::Fleet)?;
        let (generations, _) = bytes[generations_at..fleet_at].as_chunks::<2>();
        if generations.len() != fleet.count() as usize || heading.by_generation.is_empty() {
            return Err(front("its people are not those of its fleet"));
        }
        let cases = Cases {
            base: fleet.base(),
            generation: generations.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect(),
            by_generation: heading.by_generation.clone(),
            seeds: heading.seeds,
            ever_infected: heading.ever_infected,
        };
        Ok(Checkpoint { heading, cases, fleet })
    }
}

enum Wrong {
    Front(String),
    Fleet(SnapshotError),
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_model::{Draws, PersonId, Spawn, identity::base_of};

    fn checkpoint() -> Checkpoint {
        let spawns = (0..40).map(|person| Spawn { infected: person < 3, ..Spawn::default() });
        let fleet = Fleet::new(&Parameters::default(), Draws::new(5), base_of(5), spawns);
        let mut cases = Cases::new(fleet.base(), 40);
        (0..3).map(PersonId).for_each(|person| cases.seed(person));
        let totals = Totals { contacts: 70, peak_infectious: 9, peak_tick: 2 };
        Checkpoint::new("name = \"x\"", 5, 3, (&cases, Some(totals)), &fleet)
    }

    #[test]
    fn a_checkpoint_of_before_totals_were_kept_is_read_and_has_none() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("here.checkpoint");
        let mut earlier = checkpoint();
        earlier.heading.totals = None;
        earlier.write(&path).expect("written");
        assert_eq!(Checkpoint::read(&path).expect("readable").totals(), None);
        let heading = serde_json::to_value(&earlier.heading).expect("JSON");
        let mut without = heading.as_object().expect("an object").clone();
        without.remove("totals");
        let read: Heading = serde_json::from_value(without.into()).expect("as earlier versions wrote it");
        assert_eq!(read.totals, None);
    }

    #[test]
    fn what_is_written_is_read() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("here.checkpoint");
        checkpoint().write(&path).expect("written");
        let read = Checkpoint::read(&path).expect("its own bytes");
        assert_eq!((read.scenario(), read.seed(), read.infected()), ("name = \"x\"", 5, 3));
        assert_eq!((read.people(), read.tick()), (40, 0));
        assert_eq!(read.cases.figures(), checkpoint().cases.figures());
        assert_eq!(read.totals(), checkpoint().totals());
        assert_eq!(read.fleet.people(), checkpoint().fleet.people());
        assert_eq!(std::fs::read_dir(home.path()).expect("readable").count(), 1, "nothing else is left");
    }

    #[test]
    fn a_cut_or_damaged_checkpoint_is_refused_wherever_it_is_hurt() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("here.checkpoint");
        checkpoint().write(&path).expect("written");
        let whole = std::fs::read(&path).expect("there");
        for at in 0..whole.len() {
            assert!(Checkpoint::of_bytes(&whole[..at]).is_err(), "cut at {at}");
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(Checkpoint::of_bytes(&damaged).is_err(), "damaged at {at}");
        }
    }
}
