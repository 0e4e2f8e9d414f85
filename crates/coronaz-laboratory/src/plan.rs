//! Which parts a laboratory has, and how each is called.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use coronaz_wire::{Setting, control::Origin};
use uuid::Uuid;

use crate::{data_dir::DataDir, part::Specification};

/// How many people to add.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct People {
    /// Safe ones.
    pub safe: u32,
    /// Infected ones.
    pub infected: u32,
}

/// A laboratory to be started.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where the page answers.
    pub listen: SocketAddr,
    /// A Kafka to use (`HOST:PORT,…`); without it, the embedded broker.
    pub broker: Option<String>,
    /// Where the embedded broker accepts connections, on this machine. Default: a free port, another each time.
    pub broker_listen: Option<SocketAddr>,
    /// A database to use (`mongodb://…`); without it, the embedded one.
    pub store: Option<String>,
    /// The run that the devices belong to.
    pub run: Uuid,
    /// The seed of the run.
    pub seed: u64,
    /// Where beacons go.
    pub radio: Option<SocketAddr>,
    /// The radio key's file.
    pub radio_key: Option<PathBuf>,
    /// Where devices write down what they record, for the auditor.
    pub journal: Option<PathBuf>,
    /// The scenario file that the devices read.
    pub scenario_file: PathBuf,
    /// Who is there from the start.
    pub people: People,
    /// The program `coronaz`.
    pub coronaz: PathBuf,
    /// The program `coronaz-broker`.
    pub coronaz_broker: PathBuf,
}

/// A fleet to be started.
#[derive(Debug, Clone)]
pub struct FleetOrder {
    /// The part's name.
    pub name: String,
    /// Its run.
    pub run: Uuid,
    /// The seed of its chance; of a fork, its parent's.
    pub seed: u64,
    /// Its scenario file.
    pub scenario_file: PathBuf,
    /// Its people.
    pub people: People,
    /// How fast it goes, as `--speed` has it. Default: real time.
    pub speed: Option<String>,
    /// What it is a fork of.
    pub fork: Option<ForkOrder>,
}

/// What a fleet is a fork of.
#[derive(Debug, Clone)]
pub struct ForkOrder {
    /// The run and the tick.
    pub origin: Origin,
    /// What is different from then on, by parameter.
    pub changes: BTreeMap<String, Setting>,
    /// The seed of chance from then on. Default: as it was.
    pub seed: Option<u64>,
}

/// The name of the broker's part.
pub const BROKER: &str = "broker";
/// The name of the consumer's part.
pub const INGEST: &str = "ingest";
/// The name of the back-end's part.
pub const SERVE: &str = "serve";

/// Asking a device to die takes its last messages; a broker that is away is waited for this long.
const DEVICES_STOP_WITHIN: Duration = Duration::from_secs(8);
/// A fleet's last frames go into its spool when the broker is away.
const FLEET_STOP_WITHIN: Duration = Duration::from_secs(8);
/// The consumer first stores what the broker still holds.
const INGEST_STOP_WITHIN: Duration = Duration::from_secs(12);
/// Open requests are answered first.
const SERVE_STOP_WITHIN: Duration = Duration::from_secs(5);
/// The broker's file is in order at any moment; there is nothing to wait for.
const BROKER_STOP_WITHIN: Duration = Duration::from_secs(3);

impl Plan {
    /// The embedded broker, listening at `address`.
    #[must_use]
    pub fn broker_part(&self, data_dir: &DataDir, address: SocketAddr) -> Specification {
        let arguments = vec![
            "--with-parent".to_owned(),
            format!("--listen={address}"),
            format!("--data={}", data_dir.broker_folder().display()),
        ];
        Specification {
            name: BROKER.to_owned(),
            program: self.coronaz_broker.clone(),
            arguments,
            log_file: data_dir.log_file(BROKER),
            may_finish: false,
            stop_within: BROKER_STOP_WITHIN,
            address: Some(address),
        }
    }

    /// The consumer.
    #[must_use]
    pub fn ingest_part(&self, data_dir: &DataDir, brokers: &str) -> Specification {
        let arguments = vec![
            format!("--broker={brokers}"),
            format!("--store={}", self.store_url(data_dir)),
            // One name for all its lives: a new one goes on with the leases of the one before, which we know is dead.
            format!("--name={INGEST}"),
        ];
        self.own_part(data_dir, INGEST, INGEST, arguments, INGEST_STOP_WITHIN)
    }

    /// The back-end.
    #[must_use]
    pub fn serve_part(&self, data_dir: &DataDir) -> Specification {
        let arguments =
            vec![format!("--store={}", self.store_url(data_dir)), format!("--listen={}", self.listen)];
        let part = self.own_part(data_dir, SERVE, SERVE, arguments, SERVE_STOP_WITHIN);
        Specification { address: Some(self.listen), ..part }
    }

    /// A group of devices, `group` counting from 1.
    #[must_use]
    pub fn devices_part(
        &self,
        data_dir: &DataDir,
        brokers: &str,
        group: u32,
        people: People,
    ) -> Specification {
        let name = format!("devices-{group}");
        let mut arguments = vec![
            format!("--count={}", people.safe + people.infected),
            format!("--infected-count={}", people.infected),
            format!("--broker={brokers}"),
            format!("--scenario={}", self.scenario_file.display()),
            format!("--run={}", self.run),
            // Groups of one seed must not be copies of each other.
            format!("--seed={}", self.seed.wrapping_add(u64::from(group - 1))),
            format!("--spool={}", data_dir.spool(self.run, &name).display()),
        ];
        arguments.extend(self.radio.map(|radio| format!("--radio={radio}")));
        arguments.extend(self.radio_key.iter().map(|path| format!("--radio-key={}", path.display())));
        arguments.extend(self.journal.iter().map(|path| format!("--journal={}", path.display())));
        let part = self.own_part(data_dir, &name, "node", arguments, DEVICES_STOP_WITHIN);
        Specification { may_finish: true, ..part }
    }

    /// A fleet, or a fork of one. Killed, it goes on from its newest checkpoint.
    #[must_use]
    pub fn fleet_part(&self, data_dir: &DataDir, brokers: &str, order: &FleetOrder) -> Specification {
        let checkpoints = data_dir.checkpoints();
        let mut arguments = vec![
            format!("--scenario={}", order.scenario_file.display()),
            format!("--people={}", order.people.safe + order.people.infected),
            format!("--infected={}", order.people.infected),
            format!("--seed={}", order.seed),
            format!("--run={}", order.run),
            format!("--broker={brokers}"),
            format!("--spool={}", data_dir.spool(order.run, &order.name).display()),
            format!("--checkpoint-dir={}", checkpoints.display()),
            format!("--resume={}", checkpoints.display()),
        ];
        arguments.extend(order.speed.iter().map(|speed| format!("--speed={speed}")));
        if let Some(fork) = &order.fork {
            arguments.push(format!("--fork-of={}", fork.origin.run));
            arguments.push(format!("--fork-at={}", fork.origin.tick));
            arguments.extend(fork.changes.iter().map(|(name, value)| format!("--change={name}={value}")));
            arguments.extend(fork.seed.map(|seed| format!("--fork-seed={seed}")));
        }
        let part = self.own_part(data_dir, &order.name, "fleet", arguments, FLEET_STOP_WITHIN);
        Specification { may_finish: true, ..part }
    }

    /// The store's URL.
    #[must_use]
    pub fn store_url(&self, data_dir: &DataDir) -> String {
        self.store.clone().unwrap_or_else(|| format!("sqlite:{}", data_dir.store_file().display()))
    }

    fn own_part(
        &self,
        data_dir: &DataDir,
        name: &str,
        subcommand: &str,
        arguments: Vec<String>,
        stop_within: Duration,
    ) -> Specification {
        let mut all = vec![subcommand.to_owned(), "--with-parent".to_owned()];
        all.extend(arguments);
        Specification {
            name: name.to_owned(),
            program: self.coronaz.clone(),
            arguments: all,
            log_file: data_dir.log_file(name),
            may_finish: false,
            stop_within,
            address: None,
        }
    }
}
