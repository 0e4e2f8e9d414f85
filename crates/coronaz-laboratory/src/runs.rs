//! Runs side by side: started, joined, forked and stopped while the laboratory goes on.

use std::{fs, io, path::PathBuf};

use coronaz_wire::{
    Scenario,
    announcement::RunKind,
    control::{ForkRun, NODES_MAX, Origin, Reason, Refusal, Run, RunState, StartRun},
    frame::PEOPLE_MAX,
    wall_clock,
};
use uuid::Uuid;

use crate::{
    Laboratory,
    part::{Part, Specification, State},
    plan::{FleetOrder, ForkOrder, People},
    register::{Group, Known, write_for_owner},
};

/// Runs that go on at once: each is a process or more.
pub const RUNS_MAX: usize = 16;
/// Why a run has ended that an operator stopped.
pub(crate) const STOPPED: &str = "the operator stopped it";
/// Parts of a run: groups of people that were added one after the other.
const PARTS_MAX: usize = 64;

/// A run that this laboratory plays, or played.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) run: Uuid,
    pub(crate) kind: RunKind,
    pub(crate) seed: u64,
    pub(crate) scenario_file: PathBuf,
    /// Its processes, each with the place of its people among the run's groups.
    pub(crate) parts: Vec<(usize, Part)>,
    /// The groups there were so far.
    pub(crate) groups: usize,
    /// The operator has stopped it: nobody joins it any more.
    pub(crate) stopped: bool,
}

impl Played {
    /// A run without a process yet.
    pub(crate) fn new(run: &Run, scenario_file: PathBuf) -> Played {
        let Run { run, kind, seed, .. } = *run;
        Played { run, kind, seed, scenario_file, parts: Vec::new(), groups: 0, stopped: false }
    }
}

impl Laboratory {
    /// Adds a group of devices to a run, or to the newest run of devices; adding nobody does nothing.
    ///
    /// # Errors
    /// There is no such run, it is a fleet or was stopped, there are too many, or their folder cannot be made.
    pub fn add(&mut self, people: People, run: Option<Uuid>) -> Result<(), Refusal> {
        if people.safe.saturating_add(people.infected) == 0 {
            return Ok(());
        }
        let index = self.joined(run)?;
        self.make_room(people)?;
        let run = self.played[index].run;
        let played = &self.played[index];
        if played.kind == RunKind::Fleet {
            return Err(Refusal::new(
                Reason::Conflict,
                "nobody joins a fleet: its people are computed together",
            ));
        }
        if played.stopped {
            return Err(Refusal::new(Reason::Conflict, format!("the run {run} was stopped")));
        }
        if played.groups >= PARTS_MAX {
            let text = format!("the run {run} has {PARTS_MAX} groups of devices already");
            return Err(Refusal::new(Reason::Conflict, text));
        }
        self.groups += 1;
        let group = Group::new(self.groups, people);
        let place = played.groups;
        let specification = self.devices(index, place, &group);
        let name = specification.name.clone();
        self.begin(index, place, specification)?;
        self.register.change(run, |known| {
            known.groups.push(group);
            let known = &mut known.run;
            known.people = known.people.saturating_add(people.safe + people.infected);
            known.infected = known.infected.saturating_add(people.infected);
            known.parts.push(name);
            (known.state, known.ended_ms, known.why) = (RunState::Running, None, None);
        });
        Ok(())
    }

    /// How the group of devices at this place of a run is called.
    pub(crate) fn devices(&self, index: usize, place: usize, group: &Group) -> Specification {
        let played = &self.played[index];
        let mut plan = self.plan.clone();
        plan.run = played.run;
        plan.scenario_file.clone_from(&played.scenario_file);
        // The plan gives the groups of a laboratory seeds one after the other; a run's own begin with its seed.
        plan.seed = played.seed.wrapping_add(place as u64).wrapping_sub(u64::from(group.number - 1));
        plan.devices_part(&self.data_dir, &self.brokers, group.number, group.people())
    }

    /// The run that people join: the one asked for, or the newest of devices, or the first, which waited for them.
    fn joined(&mut self, run: Option<Uuid>) -> Result<usize, Refusal> {
        let found = match run {
            Some(run) => self.played.iter().position(|played| played.run == run),
            None => self.played.iter().rposition(|played| played.kind == RunKind::Nodes && !played.stopped),
        };
        if let Some(index) = found {
            return Ok(index);
        }
        if run.is_some_and(|run| run != self.plan.run)
            || self.played.iter().any(|played| played.run == self.plan.run)
        {
            let what = run.map_or_else(|| "run of devices".to_owned(), |run| format!("run {run}"));
            let text = format!("the laboratory plays no {what}; start one with `coronaz runs start`");
            return Err(Refusal::new(Reason::Unknown, text));
        }
        let entry = self.entry(self.plan.run, self.first.name.clone(), RunKind::Nodes, self.plan.seed);
        let scenario_file = self.write_scenario(self.plan.run, &self.first)?;
        Ok(self.enter(entry.into(), scenario_file))
    }

    /// Starts a run.
    ///
    /// # Errors
    /// The scenario makes no sense, or there are too many runs or people.
    pub fn start_run(&mut self, order: &StartRun) -> Result<Uuid, Refusal> {
        let scenario = parse(&order.scenario)?;
        let people = People { safe: scenario.nodes, infected: scenario.infected };
        let run = new_run()?;
        let seed = scenario.seed.map_or_else(new_seed, Ok)?;
        let scenario = Scenario { seed: Some(seed), ..scenario };
        match order.kind {
            RunKind::Nodes => {
                self.may_start()?;
                self.make_room(people)?;
                if people.safe.saturating_add(people.infected) == 0 {
                    return Err(Refusal::new(Reason::Wrong, "a run needs somebody"));
                }
                let file = self.write_scenario(run, &scenario)?;
                let entry = self.entry(run, scenario.name, RunKind::Nodes, seed);
                self.enter(entry.into(), file);
                let added = self.add(people, Some(run));
                self.or_failed(run, added)?;
            }
            RunKind::Fleet => self.start_fleet(run, &scenario, seed, order.speed.clone(), None)?,
        }
        Ok(run)
    }

    /// Forks a fleet's run.
    ///
    /// # Errors
    /// As [`Laboratory::start_run`].
    pub fn fork_run(&mut self, order: &ForkRun) -> Result<Uuid, Refusal> {
        let scenario = parse(&order.scenario)?;
        let Some(seed) = scenario.seed else {
            return Err(Refusal::new(
                Reason::Conflict,
                "the run's seed is not known: it cannot be computed again",
            ));
        };
        let is_fork = |run: &Run| run.run == order.from && run.forked_from.is_some();
        if self.register.runs().any(is_fork) {
            let text = "a fork cannot be forked: its beginning is another run's; fork that one";
            return Err(Refusal::new(Reason::Conflict, text));
        }
        let name = order.name.clone().unwrap_or_else(|| scenario.name.clone());
        let scenario = Scenario { name, ..scenario };
        let origin = Origin { run: order.from, tick: order.tick };
        let fork = ForkOrder { origin, changes: order.changes.clone(), seed: order.seed };
        let run = new_run()?;
        self.start_fleet(run, &scenario, seed, order.speed.clone(), Some(fork))?;
        Ok(run)
    }

    fn start_fleet(
        &mut self,
        run: Uuid,
        scenario: &Scenario,
        seed: u64,
        speed: Option<String>,
        fork: Option<ForkOrder>,
    ) -> Result<(), Refusal> {
        let people = People { safe: scenario.nodes, infected: scenario.infected };
        let all = people.safe.saturating_add(people.infected);
        if !(1..=PEOPLE_MAX).contains(&all) {
            return Err(Refusal::new(
                Reason::Wrong,
                format!("a fleet has from 1 to {PEOPLE_MAX} people, not {all}"),
            ));
        }
        self.may_start()?;
        let scenario_file = self.write_scenario(run, scenario)?;
        self.groups += 1;
        let group = Group::new(self.groups, people);
        let name = fleet_name(&group);
        let mut entry = self.entry(run, scenario.name.clone(), RunKind::Fleet, seed);
        (entry.people, entry.infected) = (all, people.infected);
        entry.parts.push(name.clone());
        entry.forked_from = fork.as_ref().map(|fork| fork.origin);
        let mut known = Known { groups: vec![group], speed: speed.clone(), ..entry.into() };
        if let Some(fork) = &fork {
            known.changes.clone_from(&fork.changes);
            known.fork_seed = fork.seed;
        }
        let order = FleetOrder { name, run, seed, scenario_file: scenario_file.clone(), people, speed, fork };
        let specification = self.plan.fleet_part(&self.data_dir, &self.brokers, &order);
        let index = self.enter(known, scenario_file);
        let begun = self.begin(index, 0, specification);
        self.or_failed(run, begun)
    }

    /// Notes that a run which was entered could not begin.
    fn or_failed(&mut self, run: Uuid, begun: Result<(), Refusal>) -> Result<(), Refusal> {
        if let Err(refusal) = &begun {
            self.register.end(run, RunState::Failed, Some(refusal.text.clone()));
        }
        begun
    }

    /// Starts the process of the group at this place of a run.
    pub(crate) fn begin(
        &mut self,
        index: usize,
        place: usize,
        specification: Specification,
    ) -> Result<(), Refusal> {
        let run = self.played[index].run;
        fs::create_dir_all(self.data_dir.spool(run, &specification.name)).map_err(|error| failed(&error))?;
        let played = &mut self.played[index];
        played.parts.push((place, Part::start(specification, self.show)));
        played.groups = played.groups.max(place + 1);
        Ok(())
    }

    /// Asks a run's parts to stop: devices die with their last message, a fleet ends.
    ///
    /// # Errors
    /// There is no such run, or it has ended.
    pub fn stop_run(&mut self, run: Uuid) -> Result<(), Refusal> {
        let Some(known) = self.register.run(run) else { return Err(no_run(run)) };
        let played = self.played.iter_mut().find(|played| played.run == run);
        let Some(played) = played.filter(|_| known.state == RunState::Running) else {
            return Err(Refusal::new(Reason::Conflict, format!("the run {run} has ended already")));
        };
        played.stopped = true;
        for (_, part) in &played.parts {
            part.ask_to_stop();
        }
        Ok(())
    }

    /// Forgets a run that has ended, with its scenario file, its spool and its checkpoints.
    ///
    /// # Errors
    /// There is no such run, or it goes on.
    pub fn forget_run(&mut self, run: Uuid) -> Result<(), Refusal> {
        match self.register.run(run) {
            None => return Err(no_run(run)),
            Some(known) if known.state == RunState::Running => {
                return Err(Refusal::new(Reason::Conflict, format!("the run {run} goes on; stop it first")));
            }
            Some(_) => {}
        }
        self.register.forget(run);
        self.played.retain(|played| played.run != run);
        self.remove_files(run);
        Ok(())
    }

    fn remove_files(&self, run: Uuid) {
        let gone = |outcome: io::Result<()>, what: PathBuf| match outcome {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %what.display(), %error, "a run's file cannot be removed");
            }
            Ok(()) | Err(_) => {}
        };
        let (file, spools) = (self.data_dir.run_file(run), self.data_dir.spools(run));
        gone(fs::remove_file(&file), file);
        gone(fs::remove_dir_all(&spools), spools);
        let Ok(checkpoints) = fs::read_dir(self.data_dir.checkpoints()) else { return };
        for checkpoint in checkpoints.flatten() {
            if checkpoint.file_name().to_string_lossy().starts_with(&run.to_string()) {
                gone(fs::remove_file(checkpoint.path()), checkpoint.path());
            }
        }
    }

    /// Notes which runs have ended since it was last called; to be called now and then.
    pub fn look(&mut self) {
        for played in &mut self.played {
            let ended = |state| matches!(state, State::Finished | State::Stopped | State::Refused);
            let parts: Vec<_> = played.parts.iter().map(|(_, part)| part.status()).collect();
            for ((place, _), _) in
                played.parts.iter().zip(&parts).filter(|(_, part)| part.state == State::Finished)
            {
                self.register.group_over(played.run, *place);
            }
            if parts.is_empty() || !parts.iter().all(|part| ended(part.state)) {
                continue;
            }
            let refused = parts.iter().find(|part| part.state == State::Refused);
            if refused.is_some() {
                let trouble = played.parts.iter().find_map(|(_, part)| part.trouble());
                // Why is known in a moment.
                let Some(trouble) = trouble else { continue };
                // Its parts are forgotten below.
                if !parts.iter().any(|part| self.troubles.contains_key(&part.name)) {
                    self.news.push(trouble);
                }
            }
            let (state, why) = match refused {
                Some(part) => (RunState::Failed, part.says.clone()),
                None if played.stopped => (RunState::Ended, Some(STOPPED.to_owned())),
                None => (RunState::Ended, None),
            };
            let known = self.register.run(played.run);
            if known.is_some_and(|known| known.state == RunState::Running) {
                self.register.end(played.run, state, why);
            }
            // What is over, or never began, is no part any more; people may still join those who died of age.
            if played.stopped || state == RunState::Failed {
                played.parts.clear();
            }
        }
    }

    fn enter(&mut self, known: Known, scenario_file: PathBuf) -> usize {
        let played = Played::new(&known.run, scenario_file);
        for forgotten in self.register.add(known) {
            self.played.retain(|played| played.run != forgotten);
            self.remove_files(forgotten);
        }
        self.played.push(played);
        self.played.len() - 1
    }

    fn entry(&self, run: Uuid, name: String, kind: RunKind, seed: u64) -> Run {
        Run {
            run,
            name,
            kind,
            people: 0,
            infected: 0,
            seed,
            state: RunState::Running,
            parts: Vec::new(),
            started_ms: wall_clock::now_us() / 1000,
            ended_ms: None,
            forked_from: None,
            why: None,
        }
    }

    fn write_scenario(&self, run: Uuid, scenario: &Scenario) -> Result<PathBuf, Refusal> {
        let path = self.data_dir.run_file(run);
        write_for_owner(&path, scenario.to_toml().as_bytes()).map_err(|error| failed(&error))?;
        Ok(path)
    }

    /// Whether so many more devices fit on this machine.
    fn make_room(&self, people: People) -> Result<(), Refusal> {
        let here: u32 =
            self.register.going().filter(|run| run.kind == RunKind::Nodes).map(|run| run.people).sum();
        let more = people.safe.saturating_add(people.infected);
        if here.saturating_add(more) <= NODES_MAX {
            return Ok(());
        }
        let text = format!("at most {NODES_MAX} devices with a radio live on one machine; there are {here}");
        Err(Refusal::new(Reason::Conflict, text))
    }

    fn may_start(&self) -> Result<(), Refusal> {
        if self.register.going().count() < RUNS_MAX {
            return Ok(());
        }
        Err(Refusal::new(Reason::Conflict, format!("{RUNS_MAX} runs go on already; stop one first")))
    }
}

/// The name of a fleet's part.
pub(crate) fn fleet_name(group: &Group) -> String {
    format!("fleet-{}", group.number)
}

fn parse(text: &str) -> Result<Scenario, Refusal> {
    Scenario::parse(text).map_err(|error| Refusal::new(Reason::Wrong, format!("the scenario: {error}")))
}

fn no_run(run: Uuid) -> Refusal {
    Refusal::new(Reason::Unknown, format!("the laboratory has no run {run}"))
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(Reason::Failed, format!("the laboratory cannot do it: {error}"))
}

fn new_run() -> Result<Uuid, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| failed(&error))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// A seed that every program that reads JSON reads alike.
fn new_seed() -> Result<u64, Refusal> {
    getrandom::u64().map(|seed| seed >> 12).map_err(|error| failed(&error))
}
