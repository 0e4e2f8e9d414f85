//! What to simulate.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use coronaz_model::{Draws, Parameters, Tick};

use crate::Checkpoint;

/// A run, and how much of it is written.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What the run is called in the picture.
    pub name: String,
    /// The text of `scenario.toml`: everything that repeats this run.
    pub scenario: String,
    /// The rules' numbers.
    pub parameters: Parameters,
    /// People at the start, the infected included; at most [`PEOPLE_MAX`].
    pub people: u32,
    /// Infected people at the start; at most `people`.
    pub infected: u32,
    /// Up to which tick (second of model time) to compute; see [`Plan::until_over`].
    pub ticks: Tick,
    /// The seed of replicate 0; that of replicate i is drawn from it ([`Draws::replicate_seed`]).
    pub seed: u64,
    /// How many times the run is repeated, each with a seed of its own; at least 1.
    pub replicates: u32,
    /// Threads in use; at least 1. The results do not depend on it.
    pub threads: usize,
    /// Which contacts are written.
    pub contacts: Contacts,
    /// The kinds of files that tables are written as.
    pub formats: Formats,
    /// Where replicates begin instead of at tick 0. With the checkpoint's parameters and seed the run goes on
    /// as if it had never stopped; with others it is another future of the same people.
    pub resume: Option<Arc<Checkpoint>>,
    /// A checkpoint to write; only of a single replicate.
    pub save: Option<Save>,
    /// Whether a replicate ends when nobody is infected any more, if that is before `ticks`.
    pub until_over: bool,
}

/// A checkpoint to write.
#[derive(Debug, Clone)]
pub struct Save {
    /// The file.
    pub path: PathBuf,
    /// After which tick; or after the last, where the run is over earlier.
    pub tick: Tick,
    /// Whether it may take the place of a file that is there.
    pub replace: bool,
}

/// The most people of a run: what the engine is made and measured for.
pub const PEOPLE_MAX: u32 = 10_000_000;
/// The most ticks of all replicates together: a row of statistics of each is kept in memory for the
/// picture, 56 bytes each.
pub const TICKS_MAX: u64 = 20_000_000;
/// The most replicates: each has files of its own until the end.
pub const REPLICATES_MAX: u32 = 10_000;
/// The most threads of one run.
pub const THREADS_MAX: usize = 1_024;

/// Person-ticks up to which encounters are written when nobody says what to write.
const PERSON_TICKS_BY_DEFAULT: u128 = 200_000_000;

/// Which contacts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contacts {
    /// None; they are counted all the same.
    None,
    /// Encounters: from when to when two people were in range, and how near.
    Encounters,
    /// Every contact of every tick.
    All,
}

impl Contacts {
    /// What is written when nobody says: encounters, unless the run is large.
    #[must_use]
    pub fn by_size(people: u32, ticks: Tick, replicates: u32) -> Self {
        let person_ticks = u128::from(people) * u128::from(ticks) * u128::from(replicates);
        if person_ticks <= PERSON_TICKS_BY_DEFAULT { Contacts::Encounters } else { Contacts::None }
    }
}

impl fmt::Display for Contacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Contacts::None => "none",
            Contacts::Encounters => "encounters",
            Contacts::All => "all",
        })
    }
}

/// The kinds of files that tables are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats {
    /// Text with commas.
    pub csv: bool,
    /// Apache Parquet.
    pub parquet: bool,
}

/// A word that is not one of those there are.
#[derive(Debug, thiserror::Error)]
#[error("there are {0}")]
pub struct UnknownWord(&'static str);

impl FromStr for Contacts {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "none" => Ok(Contacts::None),
            "encounters" => Ok(Contacts::Encounters),
            "all" => Ok(Contacts::All),
            _ => Err(UnknownWord("none, encounters and all")),
        }
    }
}

impl FromStr for Formats {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "both" => Ok(Formats { csv: true, parquet: true }),
            "csv" => Ok(Formats { csv: true, parquet: false }),
            "parquet" => Ok(Formats { csv: false, parquet: true }),
            _ => Err(UnknownWord("both, parquet and csv")),
        }
    }
}

/// Why a plan cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Too few or too many of something.
    #[error("{what} must be from {min} to {max}, not {actual}")]
    OutOfRange {
        /// What it is.
        what: &'static str,
        /// Smallest number allowed.
        min: u64,
        /// Largest number allowed.
        max: u64,
        /// What was asked for.
        actual: u64,
    },
    /// A checkpoint of many.
    #[error("a checkpoint is of one replicate, not of {0}: run the one that you want with its own seed")]
    SaveOfMany(u32),
}

impl Plan {
    /// The tick at which replicates begin.
    #[must_use]
    pub fn first_tick(&self) -> Tick {
        self.resume.as_ref().map_or(0, |checkpoint| checkpoint.tick())
    }

    /// The seed of a replicate: what repeats it alone.
    #[must_use]
    pub fn seed_of(&self, replicate: u32) -> u64 {
        Draws::new(self.seed).replicate_seed(replicate)
    }

    /// Whether the plan can be carried out.
    ///
    /// # Errors
    /// What is out of range, and the range.
    pub fn check(&self) -> Result<(), PlanError> {
        let first = self.first_tick();
        let computed = self.ticks.saturating_sub(first);
        let mut ranges = vec![
            ("people", 1, PEOPLE_MAX.into(), self.people.into()),
            ("infected people", 0, self.people.into(), self.infected.into()),
            ("replicates", 1, REPLICATES_MAX.into(), self.replicates.into()),
            ("threads", 1, THREADS_MAX as u64, self.threads as u64),
            ("the last tick", first + 1, TICKS_MAX.max(first + 1), self.ticks),
            (
                "ticks of all replicates together",
                1,
                TICKS_MAX,
                computed.saturating_mul(self.replicates.into()),
            ),
        ];
        if let Some(save) = &self.save {
            ranges.push(("the checkpoint's tick", first + 1, self.ticks, save.tick));
            if self.replicates > 1 {
                return Err(PlanError::SaveOfMany(self.replicates));
            }
        }
        for (what, min, max, actual) in ranges {
            if !(min..=max).contains(&actual) {
                return Err(PlanError::OutOfRange { what, min, max, actual });
            }
        }
        Ok(())
    }
}
