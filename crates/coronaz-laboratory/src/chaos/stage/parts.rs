//! How the parts are started: as a plan says, with the proxies' addresses, in a wrapper that can be told to wait.

use std::{fs, io, net::SocketAddrV4, time::Duration};

use super::{FLEET, Stage, by_way_of, served_at};
use crate::{
    logs::Show,
    part::{Part, Specification},
    plan::People,
};

/// Waits while the file in `$1` is there (unless whoever started it is gone), lets the clock follow the file in `$2`,
/// and makes a write beyond the file size limit an error of that write, not a signal.
const WRAPPER: &str = "held=$1; export CORONAZ_CLOCK_OFFSET_FILE=\"$2\"; shift 2; trap '' XFSZ; \
    while [ -e \"$held\" ] && kill -0 $PPID 2>/dev/null; do sleep 0.05; done; exec \"$@\"";

/// A square unit has so many people: each meets somebody now and then.
const FLEET_DENSITY: f64 = 0.016;
/// One in so many of the fleet is infected at the start.
const FLEET_INFECTED_ONE_IN: u32 = 100;
/// From one checkpoint of the fleet to the next, in ticks: what a killed fleet computes again.
const CHECKPOINT_EVERY: u32 = 15;
/// A fleet whose broker is away is waited for this long.
const FLEET_STOP_WITHIN: Duration = Duration::from_secs(15);

impl Stage {
    pub(super) fn start_parts(&mut self) -> io::Result<()> {
        if self.order.broker.is_none() {
            let broker = self.plan.broker_part(&self.data_dir, self.broker);
            self.start_server(broker);
        }
        let ingest = self.ingest();
        self.start_server(ingest);
        let serve = self.serve();
        self.start_server(serve);
        if self.order.devices > 0 {
            let fleet = self.wrapped(self.on_topic(self.fleet()));
            self.senders.push(Part::start(fleet, Show::Nothing));
        }
        let first = self.order.nodes.div_ceil(2);
        for (count, infected) in [(first, 1), (self.order.nodes - first, 0)] {
            if count > 0 {
                self.join(count, infected)?;
            }
        }
        Ok(())
    }

    /// The name of the group of devices that is started next.
    #[must_use]
    pub fn next_group(&self) -> String {
        format!("devices-{}", self.groups + 1)
    }

    /// Starts another group of devices; groups share the two airs in turn.
    ///
    /// # Errors
    /// Their spool folder cannot be made.
    pub fn join(&mut self, count: u32, infected: u32) -> io::Result<()> {
        let name = self.next_group();
        self.groups += 1;
        let group = self.groups;
        let mut plan = self.plan.clone();
        plan.radio = self.air.as_ref().map(|air| {
            let [one, other]: [SocketAddrV4; 2] = air.addresses();
            if group % 2 == 1 { one.into() } else { other.into() }
        });
        let spool = self.data_dir.spool(plan.run, &name);
        fs::create_dir_all(spool)?;
        let people = People { safe: count - infected, infected };
        let devices = plan.devices_part(&self.data_dir, &self.by_link("nodes-broker"), group, people);
        let devices = self.wrapped(self.on_topic(devices));
        self.senders.push(Part::start(devices, Show::Nothing));
        Ok(())
    }

    fn start_server(&mut self, specification: Specification) {
        let specification = self.wrapped(specification);
        self.servers.push(Part::start(specification, Show::Nothing));
    }

    /// The address by which a link leads to the broker.
    fn by_link(&self, link: &str) -> String {
        self.proxy(link).map_or(self.broker, super::Proxy::address).to_string()
    }

    fn ingest(&self) -> Specification {
        let mut plan = self.plan.clone();
        plan.store = self.store_by("ingest-store");
        self.on_topic(plan.ingest_part(&self.data_dir, &self.by_link("ingest-broker")))
    }

    fn serve(&self) -> Specification {
        let mut plan = self.plan.clone();
        plan.store = self.store_by("serve-store");
        plan.serve_part(&self.data_dir)
    }

    fn store_by(&self, link: &str) -> Option<String> {
        let url = self.order.store.as_ref()?;
        let (far, proxy) = (served_at(url)?, self.proxy(link)?);
        Some(by_way_of(url, far, proxy.address()))
    }

    fn fleet(&self) -> Specification {
        let people = self.order.devices;
        let checkpoints = self.data_dir.path().join("checkpoints");
        let arguments = vec![
            "fleet".to_owned(),
            "--with-parent".to_owned(),
            "--scenario=town".to_owned(),
            format!("--people={people}"),
            format!("--infected={}", people.div_ceil(FLEET_INFECTED_ONE_IN)),
            format!("--density={FLEET_DENSITY}"),
            "--zombie-lifetime=0".to_owned(),
            format!("--seed={}", self.order.seed),
            format!("--run={}", self.order.runs.fleet),
            format!("--broker={}", self.by_link("fleet-broker")),
            format!("--spool={}", self.data_dir.spool(self.order.runs.fleet, FLEET).display()),
            format!("--checkpoint-dir={}", checkpoints.display()),
            format!("--checkpoint-every={CHECKPOINT_EVERY}"),
            format!("--resume={}", checkpoints.display()),
        ];
        Specification {
            name: FLEET.to_owned(),
            program: self.order.coronaz.clone(),
            arguments,
            log_file: self.data_dir.log_file(FLEET),
            may_finish: true,
            stop_within: FLEET_STOP_WITHIN,
            address: None,
        }
    }

    fn on_topic(&self, mut specification: Specification) -> Specification {
        specification.arguments.extend(self.topic.iter().map(|topic| format!("--topic={topic}")));
        specification
    }

    fn wrapped(&self, mut specification: Specification) -> Specification {
        let name = &specification.name;
        let mut arguments = vec!["-c".to_owned(), WRAPPER.to_owned(), format!("coronaz-{name}")];
        for path in [self.held_file(name), self.clock_file(name), specification.program] {
            arguments.push(path.display().to_string());
        }
        arguments.append(&mut specification.arguments);
        Specification { program: "/bin/sh".into(), arguments, ..specification }
    }
}
