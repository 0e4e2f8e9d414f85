//! What to simulate.

use std::{fmt, str::FromStr};

use coronaz_model::{Parameters, Tick};

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
    /// How many ticks (seconds of model time) to compute.
    pub ticks: Tick,
    /// The seed of replicate 0; replicate i has this seed plus i.
    pub seed: u64,
    /// How many times the run is repeated, each with a seed of its own; at least 1.
    pub replicates: u32,
    /// Threads in use; at least 1. The results do not depend on it.
    pub threads: usize,
    /// Which contacts are written.
    pub contacts: Contacts,
    /// The kinds of files that tables are written as.
    pub formats: Formats,
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
}

impl Plan {
    /// Whether the plan can be carried out.
    ///
    /// # Errors
    /// What is out of range, and the range.
    pub fn check(&self) -> Result<(), PlanError> {
        let ranges = [
            ("people", 1, PEOPLE_MAX.into(), self.people.into()),
            ("infected people", 0, self.people.into(), self.infected.into()),
            ("replicates", 1, REPLICATES_MAX.into(), self.replicates.into()),
            ("threads", 1, THREADS_MAX as u64, self.threads as u64),
            (
                "ticks of all replicates together",
                1,
                TICKS_MAX,
                self.ticks.saturating_mul(self.replicates.into()),
            ),
        ];
        for (what, min, max, actual) in ranges {
            if !(min..=max).contains(&actual) {
                return Err(PlanError::OutOfRange { what, min, max, actual });
            }
        }
        Ok(())
    }
}
