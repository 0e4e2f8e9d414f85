//! A laboratory that is started again goes on with the runs that it was stopped or killed in.
//!
//! Devices are carried on by their spools, a fleet by its newest checkpoint; a run's entry in the register says how its
//! processes were called. What has ended stays ended.

use std::fs;

use coronaz_wire::{Scenario, announcement::RunKind, control::RunState};

use crate::{
    Laboratory,
    plan::{FleetOrder, ForkOrder},
    register::Known,
    runs::{Played, fleet_name},
};

impl Laboratory {
    /// Goes on with the runs that went on when the register was last written; those that cannot be gone on with have
    /// ended.
    pub(crate) fn go_on(&mut self) {
        for known in self.register.begun() {
            let run = known.run.run;
            // Names of parts are given once: their spools bear them.
            let numbers = known.groups.iter().map(|group| group.number);
            self.groups = numbers.fold(self.groups, u32::max);
            if let Err(why) = self.go_on_with(&known) {
                tracing::warn!(%run, why, "a run does not go on");
                let why = format!("the laboratory ended while it ran; {why}");
                self.register.end(run, RunState::Ended, Some(why));
                self.name_kept_spools(&known);
            } else {
                self.before += 1;
            }
        }
    }

    /// Ends the runs that went on when the register was last written.
    pub(crate) fn end_earlier(&mut self) {
        for known in self.register.begun() {
            let why = "the laboratory ended while it ran".to_owned();
            self.register.end(known.run.run, RunState::Ended, Some(why));
            self.name_kept_spools(&known);
        }
    }

    /// Devices that were killed may have recorded what no record carries yet. Nobody starts them again, so whoever ends
    /// their run is shown where it is, and how it is sent.
    fn name_kept_spools(&self, known: &Known) {
        let run = known.run.run;
        let spools = self.data_dir.spools(run);
        if known.run.kind != RunKind::Nodes || !spools.is_dir() {
            return;
        }
        let spools = spools.display();
        tracing::info!(
            "run {run} has ended; what its devices had not sent is kept in {spools}. To send it, for each GROUP there: \
             coronaz node --broker ADDRESS --run {run} --spool {spools}/GROUP --count PEOPLE --for 10"
        );
    }

    /// The run that a laboratory begins with goes on already: the same people in the same scenario were asked for.
    /// `seeded`: and with the same seed. It is then the first run.
    pub(crate) fn first_goes_on(&mut self, seeded: bool) -> bool {
        let asked = Scenario { seed: None, ..self.first.clone() };
        let begun = self.register.begun();
        let same = self.played.iter().rev().find(|played| {
            let known = begun.iter().find(|known| known.run.run == played.run);
            let first = known.and_then(|known| known.groups.first());
            let text = fs::read_to_string(&played.scenario_file).unwrap_or_default();
            let scenario = Scenario::parse(&text).map(|scenario| Scenario { seed: None, ..scenario });
            played.kind == RunKind::Nodes
                && (!seeded || played.seed == self.plan.seed)
                && first.is_some_and(|group| group.people() == self.plan.people)
                && scenario.is_ok_and(|scenario| scenario == asked)
        });
        let Some((run, seed)) = same.map(|played| (played.run, played.seed)) else { return false };
        (self.plan.run, self.plan.seed) = (run, seed);
        true
    }

    fn go_on_with(&mut self, known: &Known) -> Result<(), String> {
        let run = known.run.run;
        let scenario_file = self.data_dir.run_file(run);
        let read = fs::read_to_string(&scenario_file).map_err(|error| error.to_string());
        let read = read.and_then(|text| Scenario::parse(&text).map_err(|error| error.to_string()));
        if let Err(error) = read {
            return Err(format!("its scenario {} cannot be read: {error}", scenario_file.display()));
        }
        if known.groups.iter().all(|group| group.over) {
            return Err("nobody of it is left".to_owned());
        }
        self.played.push(Played::new(&known.run, scenario_file));
        let index = self.played.len() - 1;
        self.played[index].groups = known.groups.len();
        for (place, group) in known.groups.iter().enumerate().filter(|(_, group)| !group.over) {
            let specification = match known.run.kind {
                RunKind::Nodes => self.devices(index, place, group),
                RunKind::Fleet => {
                    let order = FleetOrder {
                        name: fleet_name(group),
                        run,
                        seed: known.run.seed,
                        scenario_file: self.played[index].scenario_file.clone(),
                        people: group.people(),
                        speed: known.speed.clone(),
                        fork: known.run.forked_from.map(|origin| ForkOrder {
                            origin,
                            changes: known.changes.clone(),
                            seed: known.fork_seed,
                        }),
                    };
                    self.plan.fleet_part(&self.data_dir, &self.brokers, &order)
                }
            };
            self.begin(index, place, specification).map_err(|refusal| refusal.text)?;
        }
        tracing::info!(%run, name = known.run.name, "a run goes on");
        Ok(())
    }
}
