//! Checkpoints, and other futures: flags that say where a fleet's people come from.

use std::path::{Path, PathBuf};

use coronaz_devices::fleet::{
    Checkpoint, CheckpointError, CheckpointsConfig, FleetConfig, Fork, Origin, Past,
};
use coronaz_model::{Parameters, fleet::ForkError};
use uuid::Uuid;

use crate::{
    chance,
    failure::{Failure, chain},
};

/// Flags about saving, resuming and forking.
#[derive(clap::Args, Debug, Clone, Default)]
#[command(next_help_heading = "Checkpoints and forks")]
pub(crate) struct FutureFlags {
    /// Write checkpoints into this folder, to go on from with --resume: as RUN-TICK.checkpoint, and one at the end
    #[arg(long, value_name = "DIR")]
    checkpoint_dir: Option<PathBuf>,

    /// A checkpoint every so many seconds of model time
    #[arg(long, default_value_t = CheckpointsConfig::EVERY_TICKS, value_name = "TICKS", requires = "checkpoint_dir")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: u64,

    /// Keep so many of them
    #[arg(long, default_value_t = CheckpointsConfig::KEEP, value_name = "N", requires = "checkpoint_dir")]
    checkpoint_keep: usize,

    /// Go on from a checkpoint: the same run, to the bit. Of a folder, from its newest (of --run, if given); from the
    /// beginning if it has none. The checkpoint's scenario, people, parameters and seed count, not the flags'. With
    /// --change, --fork-seed or another --run it is a fork; but of a folder with checkpoints of --run, that run goes on
    #[arg(long, value_name = "FILE|DIR")]
    resume: Option<PathBuf>,

    /// Compute another run (its scenario, people, parameters and --seed are given by the other flags) up to this tick as fast
    /// as it goes, and go on from there as a run of its own
    #[arg(long, value_name = "TICK", requires = "fork_of")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    fork_at: Option<u64>,

    /// The UUID of the other run
    #[arg(long, value_name = "UUID", requires = "fork_at")]
    fork_of: Option<Uuid>,

    /// In the fork this parameter has another value; repeatable
    #[arg(long = "change", value_name = "NAME=VALUE")]
    changes: Vec<String>,

    /// In the fork chance has another seed
    #[arg(long, value_name = "SEED")]
    fork_seed: Option<u64>,
}

impl FutureFlags {
    /// When checkpoints are written, if any are.
    pub(super) fn checkpoints(&self) -> Option<CheckpointsConfig> {
        self.checkpoint_dir.as_ref().map(|dir| CheckpointsConfig {
            dir: dir.clone(),
            every_ticks: self.checkpoint_every,
            keep: self.checkpoint_keep,
        })
    }

    /// The fleet that these flags make of the one that the others say. `run` and `seed` are what was given for them.
    pub(super) fn over(
        &self,
        config: FleetConfig,
        run: Option<Uuid>,
        seed: Option<u64>,
    ) -> Result<FleetConfig, Failure> {
        if let Some(place) = &self.resume
            && let Some((path, checkpoint)) = self.checkpoint_at(place, run)?
        {
            // A fork that is started again by the same line is the fork that there is.
            let goes_on = place.is_dir() && run == Some(checkpoint.run());
            return self.resumed(config, run, &path, checkpoint, goes_on);
        }
        if let (Some(tick), Some(of)) = (self.fork_at, self.fork_of) {
            if seed.is_none() {
                return Err(Failure::usage(
                    "--fork-at needs the --seed of the other run, to compute it again",
                ));
            }
            let past = Past::Computed { parameters: config.parameters.clone(), seed: config.seed, tick };
            let parameters = self.changed(&config.parameters)?;
            let seed = self.fork_seed.unwrap_or(config.seed);
            let origin = Origin::Fork(Fork { of, past });
            return Ok(FleetConfig { parameters, seed, origin, ..config });
        }
        if self.is_changed() {
            return Err(Failure::usage(
                "--change and --fork-seed are for a fork: say from where, with --fork-at and --fork-of, or --resume FILE",
            ));
        }
        Ok(config)
    }

    fn is_changed(&self) -> bool {
        !self.changes.is_empty() || self.fork_seed.is_some()
    }

    /// The checkpoint that is meant, with its file; of a folder without checkpoints none.
    fn checkpoint_at(
        &self,
        path: &Path,
        run: Option<Uuid>,
    ) -> Result<Option<(PathBuf, Checkpoint)>, Failure> {
        if path.is_file() {
            let checkpoint = Checkpoint::read(path).map_err(|error| failure(&error))?;
            return Ok(Some((path.to_owned(), checkpoint)));
        }
        if !path.is_dir() && path.extension().is_some() {
            return Err(Failure::usage(format!("--resume {}: there is no such file", path.display())));
        }
        let newest = Checkpoint::newest_whole(path, run).map_err(|error| failure(&error))?;
        if newest.is_none() && self.is_changed() && self.fork_at.is_none() {
            return Err(Failure::usage(format!(
                "--resume {}: there is no checkpoint to fork",
                path.display()
            )));
        }
        Ok(newest)
    }

    fn resumed(
        &self,
        config: FleetConfig,
        run: Option<Uuid>,
        path: &Path,
        checkpoint: Checkpoint,
        goes_on: bool,
    ) -> Result<FleetConfig, Failure> {
        let named = |error: String| Failure::usage(format!("{}: {error}", path.display()));
        let scenario = checkpoint.scenario().map_err(|error| named(chain(&error)))?;
        let config =
            FleetConfig { scenario, people: checkpoint.people(), infected: checkpoint.infected(), ..config };
        let of = checkpoint.run();
        if goes_on || (!self.is_changed() && run.is_none_or(|run| run == of)) {
            return Ok(FleetConfig {
                run: of,
                parameters: checkpoint.parameters().clone(),
                seed: checkpoint.seed(),
                origin: Origin::Checkpoint(Box::new(checkpoint)),
                ..config
            });
        }
        let run = match run.filter(|&run| run != of) {
            Some(run) => run,
            None => chance::new_run()?,
        };
        Ok(FleetConfig {
            run,
            parameters: self.changed(checkpoint.parameters())?,
            seed: self.fork_seed.unwrap_or(checkpoint.seed()),
            origin: Origin::Fork(Fork { of, past: Past::Saved(Box::new(checkpoint)) }),
            ..config
        })
    }

    fn changed(&self, before: &Parameters) -> Result<Parameters, Failure> {
        let mut parameters = before.clone();
        for change in &self.changes {
            let usage = |problem: String| Failure::usage(format!("--change {change}: {problem}"));
            let (name, value) = change
                .split_once('=')
                .ok_or_else(|| usage("write NAME=VALUE, such as infection_radius=1".to_owned()))?;
            let name = name.trim().replace('-', "_");
            parameters.set_text(&name, value.trim()).map_err(|error| usage(chain(&error)))?;
            if (&parameters.start, parameters.warm_up) != (&before.start, before.warm_up) {
                return Err(usage(chain(&ForkError::Appeared)));
            }
        }
        Ok(parameters)
    }
}

fn failure(error: &CheckpointError) -> Failure {
    match error {
        CheckpointError::Io { .. } => Failure::io(chain(error)),
        CheckpointError::OtherVersion { .. }
        | CheckpointError::Unreadable { .. }
        | CheckpointError::Fleet { .. } => Failure::usage(chain(error)),
    }
}
