//! `summary.json`: a run on one page.

use std::time::Duration;

use coronaz_model::Tick;
use serde::Serialize;

use crate::{CaseFigures, Plan, replicate::Outcome, run::seconds};

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What it is called.
    pub name: String,
    /// Version of the program.
    pub version: &'static str,
    /// The seed of replicate 0.
    pub seed: u64,
    /// The digest of all replicates, as 16 hexadecimal digits: equal for equal histories.
    pub digest: String,
    /// People at the start, and how many of them were infected.
    pub people: u32,
    /// See [`Plan::infected`].
    pub infected: u32,
    /// The tick at which each replicate began: 0, or the checkpoint's. Figures of cases are from tick 0 on.
    pub first_tick: Tick,
    /// The tick that was computed last.
    pub ticks: Tick,
    /// Which contacts were written: `none`, `encounters`, `all`.
    pub contacts: String,
    /// Each replicate.
    pub replicates: Vec<ReplicateSummary>,
    /// How long it took.
    pub timings: Timings,
}

/// What one replicate came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplicateSummary {
    /// Its number, from 0.
    pub replicate: u32,
    /// Its seed.
    pub seed: u64,
    /// Its digest.
    pub digest: String,
    /// The largest number of people infectious at once.
    pub peak_infectious: u32,
    /// When that was first.
    pub peak_tick: Tick,
    /// Contacts in all: ordered pairs, one each tick.
    pub contacts: u64,
    /// Susceptible at the end.
    pub susceptible_at_end: u32,
    /// Infectious at the end.
    pub infectious_at_end: u32,
    /// Dead at the end.
    pub deceased_at_end: u32,
    /// What the transmission tree says.
    #[serde(flatten)]
    pub cases: CaseFigures,
}

/// How long a run took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timings {
    /// Threads in use.
    pub threads: usize,
    /// All in all, in seconds.
    pub total_s: f64,
    /// Until the last replicate ended, in seconds; the rest joined files and drew the picture.
    pub running_s: f64,
    /// In the engine, the workers' times added up, in seconds.
    pub engine_s: f64,
    /// People times ticks times replicates, by the total.
    pub person_ticks_per_s: f64,
}

impl Timings {
    pub(crate) fn of(plan: &Plan, outcomes: &[Outcome], running: Duration, total: Duration) -> Self {
        let person_ticks =
            f64::from(plan.people) * (plan.ticks - plan.first_tick()) as f64 * f64::from(plan.replicates);
        Timings {
            threads: plan.threads,
            total_s: seconds(total),
            running_s: seconds(running),
            engine_s: seconds(outcomes.iter().map(|outcome| outcome.stepping).sum()),
            person_ticks_per_s: (person_ticks / total.as_secs_f64()).round(),
        }
    }
}

impl Summary {
    pub(crate) fn of(plan: &Plan, outcomes: &[Outcome], timings: Timings) -> Self {
        Summary {
            name: plan.name.clone(),
            version: env!("CARGO_PKG_VERSION"),
            seed: plan.seed,
            digest: hexadecimal(digest_of(outcomes)),
            people: plan.people,
            infected: plan.infected,
            first_tick: plan.first_tick(),
            ticks: plan.ticks,
            contacts: plan.contacts.to_string(),
            replicates: (0..).zip(outcomes).map(|(number, outcome)| replicate(number, outcome)).collect(),
            timings,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("numbers and text can be written as JSON");
        text + "\n"
    }
}

fn replicate(number: u32, outcome: &Outcome) -> ReplicateSummary {
    let rows = &outcome.statistics;
    // The first of several equal ones: `max_by_key` would take the last.
    let peak = rows.iter().rev().max_by_key(|row| row.infectious).copied().unwrap_or_default();
    let end = rows.last().copied().unwrap_or_default();
    ReplicateSummary {
        replicate: number,
        seed: outcome.seed,
        digest: hexadecimal(outcome.digest),
        peak_infectious: peak.infectious,
        peak_tick: peak.tick,
        contacts: rows.iter().map(|row| row.contacts).sum(),
        susceptible_at_end: end.susceptible,
        infectious_at_end: end.infectious,
        deceased_at_end: end.deceased,
        cases: outcome.cases.clone(),
    }
}

/// One replicate's digest is the run's; several are chained, so their order shows.
fn digest_of(outcomes: &[Outcome]) -> u64 {
    /// FNV-1a's prime: enough to tell lists of well-mixed numbers apart.
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let digests = outcomes.iter().map(|outcome| outcome.digest);
    digests.reduce(|all, digest| (all.rotate_left(23) ^ digest).wrapping_mul(PRIME)).unwrap_or_default()
}

fn hexadecimal(digest: u64) -> String {
    format!("{digest:016x}")
}
