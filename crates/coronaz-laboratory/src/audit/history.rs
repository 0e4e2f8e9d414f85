//! A fleet's run, computed again from what was announced of it: scenario, seed, parameters; of a fork first its parent.

use coronaz_model::{
    Draws, Fleet, Health, Illness, Infection, Parameters, PersonId, Spawn, Tick, Value,
    fleet::Diary,
    identity::{base_of, identity_of, person_of},
    illness,
};
use coronaz_store::{Figures, Queries, view::Run};
use coronaz_wire::{
    Scenario, Setting,
    frame::{PEOPLE_MAX, Pair},
};
use std::collections::BTreeMap;
use uuid::Uuid;

use super::{AuditError, Watch, crew::Crew, tell};

/// The watcher is told so often while what came before a fork is computed.
const TELL_EVERY_TICKS: u64 = 16;

/// What a fleet is computed from.
struct Recipe {
    /// How many people, and how many of them infected at the start.
    people: (u32, u32),
    /// The first chance and parameters, then those of each fork, from its tick on.
    stretches: Vec<Stretch>,
}

/// From a tick on, these parameters and this chance.
struct Stretch {
    from: Tick,
    seed: u64,
    parameters: Parameters,
}

/// A contact: who heard whom, and the square of their distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Met {
    pub(super) hearer: u32,
    pub(super) heard: u32,
    pub(super) distance_squared: u32,
}

/// An infection: who, by whom (`None`: nobody of the fleet), where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Caught {
    pub(super) infectee: u32,
    pub(super) infector: Option<u32>,
    pub(super) x: i32,
    pub(super) y: i32,
}

/// A fleet's run, at some tick.
pub(super) struct History {
    pub(super) fleet: Fleet,
    /// The first tick of the run: 0, or where it was forked.
    pub(super) first_tick: Tick,
    /// What happened in the tick computed last, sorted.
    pub(super) contacts: Vec<Met>,
    pub(super) infections: Vec<Caught>,
    /// Contacts and infections of its people since the run began, as a fleet counts them.
    pub(super) contacts_sum: u64,
    pub(super) infections_sum: u64,
    draws: Draws,
    diaries: Vec<Diary>,
}

impl History {
    /// The run at its first tick.
    pub(super) fn begin(
        store: &dyn Queries,
        run: &Run,
        crew: &Crew,
        watch: Watch<'_>,
    ) -> Result<Self, AuditError> {
        let Recipe { people: (people, infected), stretches } = recipe(store, run)?;
        let mut stretches = stretches.into_iter();
        let Some(first) = stretches.next() else { unreachable!("every run has its own parameters") };
        let spawns = (0..people as usize)
            .map(|person| Spawn { infected: person < infected as usize, ..Spawn::default() });
        let draws = Draws::new(first.seed);
        let fleet = Fleet::new(&first.parameters, draws, base_of(first.seed), spawns);
        let mut history = Self::at(fleet, draws);
        for Stretch { from, seed, parameters } in stretches {
            while history.fleet.tick() < from {
                if history.fleet.tick().is_multiple_of(TELL_EVERY_TICKS) {
                    tell(watch, "ticks before the fork", history.fleet.tick(), from)?;
                }
                history.step(crew);
            }
            let draws = Draws::new(seed);
            let fork = history.fleet.fork(&parameters, draws).map_err(|error| AuditError::NotComputable {
                run: run.id,
                reason: format!("it cannot be forked at tick {from}: {error}"),
            })?;
            // A fork counts on from what had happened before it.
            let (contacts_sum, infections_sum) = (history.contacts_sum, history.infections_sum);
            history = History { contacts_sum, infections_sum, ..Self::at(fork, draws) };
        }
        Ok(history)
    }

    fn at(fleet: Fleet, draws: Draws) -> Self {
        History {
            first_tick: fleet.tick(),
            diaries: vec![Diary::default(); fleet.shards()],
            fleet,
            contacts: Vec::new(),
            infections: Vec::new(),
            contacts_sum: 0,
            infections_sum: 0,
            draws,
        }
    }

    /// Computes the next tick.
    pub(super) fn step(&mut self, crew: &Crew) {
        self.diaries.iter_mut().for_each(Diary::clear);
        self.fleet.step(crew, &mut self.diaries);
        self.contacts.clear();
        self.infections.clear();
        let base = self.fleet.base();
        for diary in &self.diaries {
            self.contacts.extend(diary.contacts.iter().map(|&(hearer, heard, distance_squared)| Met {
                hearer: hearer.0,
                heard: heard.0,
                distance_squared: farthest(distance_squared),
            }));
            self.infections.extend(diary.infections.iter().filter_map(|infection| caught(base, infection)));
        }
        self.contacts.sort_unstable();
        self.infections.sort_unstable();
        self.contacts_sum += self.contacts.len() as u64;
        self.infections_sum += self.infections.len() as u64;
    }

    /// Somebody who is no one of the fleet infected this person in the tick computed last.
    pub(super) fn infect(&mut self, infectee: u32) {
        let (parameters, draws, tick) = (self.fleet.parameters().clone(), self.draws, self.fleet.tick());
        let mut people = self.fleet.people();
        let Some(person) = people.get_mut(infectee as usize) else { return };
        let infected = person.illness.health == Health::Susceptible;
        if infected {
            person.illness = Illness::caught(&parameters, draws, PersonId(infectee), tick);
            person.onset = illness::onset(&parameters, draws, PersonId(infectee), tick);
            person.flees = None;
        }
        let (x, y) = (person.position.x, person.position.y);
        if let Some(known) = self.infections.iter_mut().find(|known| known.infectee == infectee) {
            // In the same second by one of the fleet as well: the stranger was the one who counts.
            known.infector = None;
            return;
        }
        if infected {
            self.infections.push(Caught { infectee, infector: None, x, y });
            self.infections.sort_unstable();
            self.infections_sum += 1;
            let base = self.fleet.base();
            self.fleet = Fleet::of_people(parameters, draws, base, tick, people.into_iter());
        }
    }

    /// The figures after the tick computed last.
    pub(super) fn figures(&self) -> Figures {
        let census = self.fleet.census();
        let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Figures {
            total: self.fleet.count(),
            zombies: count(census.of(Health::Infectious)),
            deaths: count(census.of(Health::Deceased)),
            dead_zombies: count(census.died_infectious()),
            immune: count(census.of(Health::Immune)),
        }
    }

    /// The UUID of a person's device.
    pub(super) fn id_of(&self, person: u32) -> Uuid {
        Uuid::from_u128(identity_of(self.fleet.base(), PersonId(person)))
    }
}

/// A squared distance as frames tell it: beyond the largest radius it does not matter how far.
fn farthest(distance_squared: u64) -> u32 {
    u32::try_from(distance_squared.min(Pair::DISTANCE_SQUARED_MAX.into()))
        .unwrap_or(Pair::DISTANCE_SQUARED_MAX)
}

fn caught(base: u128, infection: &Infection) -> Option<Caught> {
    Some(Caught {
        infectee: person_of(base, infection.infectee)?.0,
        infector: person_of(base, infection.infector).map(|infector| infector.0),
        x: infection.place.x,
        y: infection.place.y,
    })
}

/// What a run is computed from, as it was announced.
fn recipe(store: &dyn Queries, run: &Run) -> Result<Recipe, AuditError> {
    let not = |reason: String| AuditError::NotComputable { run: run.id, reason };
    let (Some(seed), Some(scenario)) = (run.seed, &run.scenario) else {
        return Err(not("its announcement, with seed and scenario, is not in the store".to_owned()));
    };
    let scenario =
        Scenario::parse(scenario).map_err(|error| not(format!("its scenario is not understood: {error}")))?;
    let settings: BTreeMap<String, Setting> =
        serde_json::from_value(serde_json::Value::Object(run.parameters.clone()))
            .map_err(|error| not(format!("its parameters are not understood: {error}")))?;
    let mut from = run.forked_from.as_ref();
    let mut stretches = Vec::new();
    let own = (seed, &settings, from.map_or(0, |from| from.tick));
    let mut next = Some(own);
    while let Some((seed, settings, tick)) = next {
        let parameters = parameters(settings).map_err(not)?;
        stretches.push(Stretch { from: tick, seed, parameters });
        next = from.map(|parent| {
            from = parent.forked_from.as_deref();
            (parent.seed, &parent.parameters, from.map_or(0, |from| from.tick))
        });
    }
    stretches.reverse();
    let (announced, infected) = (scenario.nodes.saturating_add(scenario.infected), scenario.infected);
    let people = u32::try_from(run.nodes).unwrap_or(u32::MAX);
    if people > 0 && announced != people {
        return Err(not(format!("its announcement speaks of {announced} people, its frames of {people}")));
    }
    if !(1..=PEOPLE_MAX).contains(&announced) {
        return Err(not(format!("its announcement speaks of {announced} people")));
    }
    let first_seed = stretches.first().map_or(seed, |first| first.seed);
    if let Some(first) =
        store.nodes(run.id, 0, 1)?.first().filter(|first| first.id.as_u128() != base_of(first_seed))
    {
        let reason = format!("its first device is {}, which is not that of the seed {first_seed}", first.id);
        return Err(not(reason));
    }
    Ok(Recipe { people: (announced, infected), stretches })
}

fn parameters(settings: &BTreeMap<String, Setting>) -> Result<Parameters, String> {
    let mut parameters = Parameters::unnamed(settings.keys().map(String::as_str));
    for (name, setting) in settings {
        let outcome = match setting {
            Setting::Switch(on) => parameters.set(name, Value::Switch(*on)),
            Setting::Integer(number) => parameters.set(name, Value::Integer(*number)),
            Setting::Real(number) => parameters.set(name, Value::Real(*number)),
            Setting::Choice(word) => parameters.set_text(name, word),
        };
        outcome.map_err(|error| format!("its parameters are not understood: {error}"))?;
    }
    Ok(parameters)
}
