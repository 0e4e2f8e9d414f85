//! One replicate, from its first tick to its last.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use coronaz_model::{
    Draws, Fleet, Health, PersonId, Spawn,
    fleet::ForkError,
    identity::{base_of, identity_of},
};

use crate::{
    CaseFigures, Checkpoint, Contacts, Plan, Progress, Statistics,
    aftermath::Aftermath,
    cases::Cases,
    encounters::{Encounter, Encounters},
    observer::{Notes, Observer},
    rows::{ContactRow, EncounterRow, InfectionRow},
    run::SimulateError,
    table::{Table, TableError},
    threads::Crew,
    totals::Totals,
};

/// What a replicate leaves in memory; the rest is in its tables.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) digest: u64,
    pub(crate) statistics: Vec<Statistics>,
    pub(crate) cases: CaseFigures,
    /// From tick 0 on; none when it resumed a checkpoint of an earlier version, which has them not.
    pub(crate) totals: Option<Totals>,
    /// What would have come, where it ended early.
    pub(crate) aftermath: Option<Aftermath>,
    /// Time spent in the engine.
    pub(crate) stepping: Duration,
}

/// Runs replicate `number`; its tables go into `folder`.
pub(crate) fn run(
    plan: &Plan,
    number: u32,
    folder: &Path,
    crew: &Crew,
    progress: &Progress,
) -> Result<Outcome, SimulateError> {
    let fleet = found(plan, number)?;
    match plan.contacts {
        Contacts::None => live::<false>(plan, number, fleet, folder, crew, progress),
        Contacts::Encounters | Contacts::All => live::<true>(plan, number, fleet, folder, crew, progress),
    }
}

/// The population at its first tick.
fn found(plan: &Plan, number: u32) -> Result<Fleet, ForkError> {
    let seed = plan.seed_of(number);
    if let Some(checkpoint) = &plan.resume {
        let goes_on = seed == checkpoint.seed() && plan.parameters == *checkpoint.parameters();
        return match goes_on {
            true => Ok(checkpoint.fleet.clone()),
            false => checkpoint.fleet.fork(&plan.parameters, Draws::new(seed)),
        };
    }
    let spawns = (0..plan.people as usize)
        .map(|person| Spawn { infected: person < plan.infected as usize, ..Spawn::default() });
    Ok(Fleet::new(&plan.parameters, Draws::new(seed), base_of(seed), spawns))
}

fn live<const KEEP: bool>(
    plan: &Plan,
    number: u32,
    mut fleet: Fleet,
    folder: &Path,
    crew: &Crew,
    progress: &Progress,
) -> Result<Outcome, SimulateError> {
    let mut observers: Vec<Observer<KEEP>> = Vec::new();
    observers.resize_with(fleet.shards(), Observer::default);
    let mut notes = Notes::default();
    let mut record = Record::begin(plan, number, &fleet, folder)?;
    let mut stepping = Duration::ZERO;
    let mut over = false;
    while fleet.tick() < plan.ticks && !over {
        if progress.is_stopped() {
            return Err(SimulateError::Stopped);
        }
        let begun = Instant::now();
        fleet.step(crew, &mut observers);
        stepping += begun.elapsed();
        notes.take(fleet.tick(), &mut observers);
        record.tick(&fleet, &notes, crew)?;
        over = plan.until_over && !is_anybody_infected(&fleet);
        let saves = |tick| tick == fleet.tick() || (over && tick > fleet.tick());
        if let Some(save) = plan.save.as_ref().filter(|save| saves(save.tick)) {
            let counted = (&record.cases, record.totals);
            let seed = plan.seed_of(number);
            Checkpoint::new(&plan.scenario, seed, plan.infected, counted, &fleet).write(&save.path)?;
        }
        progress.count_tick();
    }
    progress.skip(plan.ticks - fleet.tick());
    let aftermath = over.then(|| Aftermath::of(&fleet));
    let totals = record.totals;
    let (statistics, cases) = record.finish()?;
    let digest = fleet.digest().value();
    Ok(Outcome { seed: plan.seed_of(number), digest, statistics, cases, totals, aftermath, stepping })
}

fn is_anybody_infected(fleet: &Fleet) -> bool {
    fleet.census().of(Health::Latent) + fleet.census().of(Health::Infectious) > 0
}

/// What is written down of a replicate while it goes on.
struct Record {
    replicate: u32,
    base: u128,
    statistics: Vec<Statistics>,
    cases: Cases,
    totals: Option<Totals>,
    infections: Table,
    contacts: Option<Table>,
    encounters: Option<(Encounters, Table)>,
}

impl Record {
    fn begin(plan: &Plan, replicate: u32, fleet: &Fleet, folder: &Path) -> Result<Self, SimulateError> {
        let heading = plan.replicates == 1;
        let (cases, totals, statistics) = match &plan.resume {
            // The row of the checkpoint's tick is in the tables that it was written beside.
            Some(checkpoint) => (checkpoint.cases.clone(), checkpoint.totals(), Vec::new()),
            None => {
                let mut cases = Cases::new(fleet.base(), plan.people);
                (0..plan.infected).map(PersonId).for_each(|person| cases.seed(person));
                let (first, mut totals) = (statistics_of(fleet, &Notes::default()), Totals::default());
                totals.add(&first);
                (cases, Some(totals), vec![first])
            }
        };
        let contacts = (plan.contacts == Contacts::All)
            .then(|| Table::create::<ContactRow>(folder, plan.formats, heading))
            .transpose()?;
        let encounters = (plan.contacts != Contacts::None)
            .then(|| Table::create::<EncounterRow>(folder, plan.formats, heading))
            .transpose()?;
        Ok(Record {
            replicate,
            base: fleet.base(),
            statistics,
            cases,
            totals,
            infections: Table::create::<InfectionRow<'_>>(folder, plan.formats, heading)?,
            contacts,
            encounters: encounters.map(|table| (Encounters::default(), table)),
        })
    }

    fn tick(&mut self, fleet: &Fleet, notes: &Notes, crew: &Crew) -> Result<(), TableError> {
        let (replicate, base, tick) = (self.replicate, self.base, notes.tick);
        let row = statistics_of(fleet, notes);
        self.statistics.push(row);
        if let Some(totals) = &mut self.totals {
            totals.add(&row);
        }
        for infection in &notes.infections {
            self.cases.add(infection);
            self.infections.push(&InfectionRow { replicate, infection })?;
        }
        let Record { contacts, encounters, .. } = self;
        let rows = notes.sightings.iter().map(|sighting| ContactRow {
            replicate,
            tick,
            hearer: identity_of(base, sighting.hearer()),
            heard: identity_of(base, sighting.heard()),
            distance: f64::from(sighting.distance_squared).sqrt(),
        });
        let (contacts, encounters) = crew.both(
            || contacts.as_mut().map_or(Ok(()), |table| table.push_all(crew, rows)),
            || {
                encounters.as_mut().map_or(Ok(()), |(encounters, table)| {
                    encounters.tick(tick, &notes.sightings, |over| table.push(&row_of(over, replicate, base)))
                })
            },
        );
        contacts.and(encounters)
    }

    fn finish(self) -> Result<(Vec<Statistics>, CaseFigures), TableError> {
        let Record { replicate, base, statistics, cases, infections, contacts, encounters, .. } = self;
        infections.finish()?;
        contacts.map_or(Ok(()), Table::finish)?;
        if let Some((encounters, mut table)) = encounters {
            encounters.finish(|over| table.push(&row_of(over, replicate, base)))?;
            table.finish()?;
        }
        Ok((statistics, cases.figures()))
    }
}

fn row_of(encounter: &Encounter, replicate: u32, base: u128) -> EncounterRow {
    EncounterRow {
        replicate,
        a: identity_of(base, encounter.nearest.hearer()),
        b: identity_of(base, encounter.nearest.heard()),
        from: encounter.from,
        to: encounter.to,
        nearest: f64::from(encounter.nearest.distance_squared).sqrt(),
        ticks: encounter.ticks,
    }
}

fn statistics_of(fleet: &Fleet, notes: &Notes) -> Statistics {
    // There are at most 2^32 - 1 people.
    let of = |health| fleet.census().of(health) as u32;
    Statistics {
        tick: fleet.tick(),
        total: fleet.count(),
        susceptible: of(Health::Susceptible),
        latent: of(Health::Latent),
        infectious: of(Health::Infectious),
        immune: of(Health::Immune),
        deceased: of(Health::Deceased),
        deceased_infectious: fleet.census().died_infectious() as u32,
        infections: notes.infections.len() as u32,
        contacts: notes.contacts,
    }
}
