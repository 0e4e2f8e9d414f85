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
    /// The tick at which each replicate began: 0, or the checkpoint's. All figures are from tick 0 on.
    pub first_tick: Tick,
    /// The tick that was computed last, of the replicate that went on longest.
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
    /// The tick that was computed last.
    pub last_tick: Tick,
    /// The largest number of people infectious at once; like the next two none when the run resumed a checkpoint of
    /// an earlier version, which does not say what was before.
    pub peak_infectious: Option<u32>,
    /// When that was first.
    pub peak_tick: Option<Tick>,
    /// Contacts in all: ordered pairs, one each tick.
    pub contacts: Option<u64>,
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
    /// People times ticks, of all replicates, by the total.
    pub person_ticks_per_s: f64,
}

impl Timings {
    pub(crate) fn of(plan: &Plan, outcomes: &[Outcome], running: Duration, total: Duration) -> Self {
        let ticks: u64 = outcomes.iter().map(|outcome| last_tick(plan, outcome) - plan.first_tick()).sum();
        let person_ticks = f64::from(plan.people) * ticks as f64;
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
            ticks: outcomes.iter().map(|outcome| last_tick(plan, outcome)).max().unwrap_or(plan.ticks),
            contacts: plan.contacts.to_string(),
            replicates: (0..).zip(outcomes).map(|(number, one)| replicate(plan, number, one)).collect(),
            timings,
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("numbers and text can be written as JSON");
        text + "\n"
    }
}

fn last_tick(plan: &Plan, outcome: &Outcome) -> Tick {
    outcome.statistics.last().map_or(plan.first_tick(), |row| row.tick)
}

fn replicate(plan: &Plan, number: u32, outcome: &Outcome) -> ReplicateSummary {
    let (totals, end) = (outcome.totals, outcome.statistics.last().copied().unwrap_or_default());
    ReplicateSummary {
        replicate: number,
        seed: outcome.seed,
        digest: hexadecimal(outcome.digest),
        last_tick: last_tick(plan, outcome),
        peak_infectious: totals.map(|totals| totals.peak_infectious),
        peak_tick: totals.map(|totals| totals.peak_tick),
        contacts: totals.map(|totals| totals.contacts),
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
