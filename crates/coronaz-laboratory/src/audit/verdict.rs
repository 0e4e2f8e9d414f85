//! The auditor's answer.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::merge::Tally;

/// Differences told in words; the counts count them all.
pub const EXAMPLES_MAX: usize = 20;

/// How the store compares with the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Which run.
    pub run: Uuid,
    /// `fleet` or `nodes`.
    pub kind: String,
    /// Whether nothing is lost, doubled, wrong or unknown.
    pub ok: bool,
    /// What happened and is not in the store, of all kinds.
    pub lost: u64,
    /// What is in more often than it happened.
    pub doubled: u64,
    /// What is in otherwise than it happened.
    pub wrong: u64,
    /// What is in and did not happen.
    pub unknown: u64,
    /// Reports (or ticks of a fleet) that came in late; `None`: the store does not say.
    pub late: Option<u64>,
    /// How much after its time the latest of them came, milliseconds.
    pub latest_ms: Option<i64>,
    /// Contacts that there should be.
    pub recorded: u64,
    /// Contacts that there are.
    pub stored: u64,
    /// On its way, as far as the store shows: contacts of devices, ticks of a fleet's shards. Not lost.
    pub waiting: u64,
    /// Up to where was compared.
    pub watermark: Watermark,
    /// By kind of thing.
    pub rows: Vec<Compared>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// The first differences, in words.
    pub examples: Vec<String>,
}

/// Up to where was compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Watermark {
    /// A fleet: the last tick compared, which all its shards have reached.
    pub tick: Option<u64>,
    /// A fleet: the newest tick of which anything is in.
    pub newest_tick: Option<u64>,
    /// A fleet: the last tick of each shard that has any.
    pub shards: Vec<u64>,
    /// The time of the newest report or tick compared, milliseconds since 1970.
    pub time_ms: Option<i64>,
    /// Devices: how many have reported.
    pub devices: Option<u64>,
    /// Devices: reports compared.
    pub reports: Option<u64>,
}

/// One kind of thing, compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compared {
    /// What it is, for people: `contacts`, `infections`, …
    pub what: String,
    /// How many there should be.
    pub expected: u64,
    /// How many there are.
    pub stored: u64,
    /// Missing.
    pub lost: u64,
    /// There more than once.
    pub doubled: u64,
    /// There otherwise.
    pub wrong: u64,
    /// There, and should not be.
    pub unknown: u64,
}

impl Compared {
    /// Nothing of this kind compared yet.
    pub(super) fn of(what: &str) -> Self {
        Self { what: what.to_owned(), ..Self::default() }
    }

    /// Adds a comparison of so many against so many.
    pub(super) fn add(&mut self, expected: usize, stored: usize, tally: Tally) {
        self.expected += expected as u64;
        self.stored += stored as u64;
        self.lost += tally.lost;
        self.doubled += tally.doubled;
        self.wrong += tally.wrong;
        self.unknown += tally.unknown;
    }
}

impl Verdict {
    pub(super) fn new(run: Uuid, kind: &str) -> Self {
        Self {
            run,
            kind: kind.to_owned(),
            ok: true,
            lost: 0,
            doubled: 0,
            wrong: 0,
            unknown: 0,
            late: None,
            latest_ms: None,
            recorded: 0,
            stored: 0,
            waiting: 0,
            watermark: Watermark::default(),
            rows: Vec::new(),
            unchecked: Vec::new(),
            examples: Vec::new(),
        }
    }

    /// Whether nothing is lost, doubled, wrong or unknown.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.ok
    }

    /// Adds a difference in words, while there is room.
    pub(super) fn tell(&mut self, difference: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(difference());
        }
    }

    /// Sums up.
    pub(super) fn settle(&mut self) {
        let sum = |count: fn(&Compared) -> u64| self.rows.iter().map(count).sum();
        (self.lost, self.doubled) = (sum(|row| row.lost), sum(|row| row.doubled));
        (self.wrong, self.unknown) = (sum(|row| row.wrong), sum(|row| row.unknown));
        self.ok = self.lost == 0 && self.doubled == 0 && self.wrong == 0 && self.unknown == 0;
    }
}
