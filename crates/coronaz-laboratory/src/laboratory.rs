//! All parts together: started, watched and stopped in order.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use coronaz_store::StoreLocation;
use coronaz_wire::{Scenario, control::RunState};
use uuid::Uuid;

use crate::{
    address::{self, AddressError},
    data_dir::{DataDir, control_socket},
    jobs::Jobs,
    logs::Show,
    part::{Part, State, Status},
    plan::Plan,
    ready,
    register::Register,
    runs::{self, Played},
};

/// A running laboratory.
#[derive(Debug)]
pub struct Laboratory {
    pub(crate) plan: Plan,
    pub(crate) data_dir: DataDir,
    pub(crate) brokers: String,
    pub(crate) show: Show,
    pub(crate) servers: Vec<Part>,
    pub(crate) played: Vec<Played>,
    pub(crate) register: Register,
    pub(crate) jobs: Jobs,
    /// The scenario of the first run, with its seed.
    pub(crate) first: Scenario,
    pub(crate) written: Written,
    /// Groups of devices and fleets so far: each has a name of its own.
    pub(crate) groups: u32,
    /// Runs of the laboratory before that this one went on with.
    pub(crate) before: usize,
    /// Parts that cannot run, and why, as far as it was reported.
    pub(crate) troubles: BTreeMap<String, String>,
    /// What was not reported yet.
    pub(crate) news: Vec<String>,
}

/// Records that were ever written to the topic, by whoever asks the broker now and then; `None`: not known.
pub type Written = Arc<Mutex<Option<u64>>>;

/// What a laboratory is told beside its plan.
#[derive(Debug, Clone)]
pub struct Extras {
    /// The scenario of the first run, with its seed.
    pub scenario: Scenario,
    /// That seed was asked for; otherwise it was drawn.
    pub seeded: bool,
    /// Runs that went on when the laboratory on this folder ended go on; otherwise they are over.
    pub goes_on: bool,
    /// The operator's token, for the server. Default: none, and then the operator's part is closed.
    pub token_file: Option<PathBuf>,
    /// More arguments of the server. Default: none.
    pub serve_arguments: Vec<String>,
    /// Runs that are older are deleted. Default: none is.
    pub keep_days: Option<u32>,
    /// What the broker says. Default: nothing.
    pub written: Written,
}

/// Why a laboratory does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The page's or the broker's address is taken.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The embedded broker's program is missing.
    #[error("the program {0} is missing; `make build` builds it, or name a Kafka with --broker HOST:PORT")]
    NoBroker(String),
    /// The first people cannot be started.
    #[error("{0}")]
    People(String),
    /// A part's port or folder cannot be had.
    #[error("cannot prepare the parts")]
    Io(#[from] io::Error),
}

/// Why the page does not answer.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Not in time.
    #[error("the page at http://{listen} does not answer after {waited_s} s; the parts' logs are in {logs}")]
    Late {
        /// Where it should.
        listen: SocketAddr,
        /// How long we waited.
        waited_s: u64,
        /// The folder of the logs.
        logs: String,
    },
    /// A part cannot do what it was told.
    #[error("{part} refuses its arguments or files; it says why in {log}")]
    Refused {
        /// The part.
        part: String,
        /// Its log file.
        log: String,
    },
}

/// The consumer makes a new store within this time; the back-end is started then in any case.
const STORE_WITHIN: Duration = Duration::from_secs(5);

/// Waits until the consumer has made the store, so that the back-end does not find one that is half made.
fn wait_for_store(url: &str) {
    let Ok(location) = url.parse::<StoreLocation>() else { return };
    let until = Instant::now() + STORE_WITHIN;
    while Instant::now() < until && location.queries().runs().is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Laboratory {
    /// Starts all parts in a folder that this process has locked. Nothing is started when something
    /// is wrong with the plan. To be called within a Tokio runtime.
    ///
    /// # Errors
    /// The page's or the broker's port is taken, or the broker's program is missing.
    pub fn start(
        mut plan: Plan,
        data_dir: DataDir,
        extras: Extras,
        show: Show,
    ) -> Result<Laboratory, StartError> {
        // Whoever comes back must find it at the same port.
        plan.listen = address::ensure_free(plan.listen, "--listen")?;
        let register = Register::open(&data_dir.register_file())?;
        let mut servers = Vec::new();
        let brokers = if let Some(brokers) = &plan.broker {
            brokers.clone()
        } else {
            if !plan.coronaz_broker.is_file() {
                return Err(StartError::NoBroker(plan.coronaz_broker.display().to_string()));
            }
            let address = match plan.broker_listen {
                Some(address) => address::ensure_free(address, "--broker-listen")?,
                None => address::free_loopback()?,
            };
            servers.push(Part::start(plan.broker_part(&data_dir, address), show));
            address.to_string()
        };
        let mut ingest = plan.ingest_part(&data_dir, &brokers);
        ingest.arguments.extend(extras.keep_days.map(|days| format!("--keep-days={days}")));
        let is_new = plan.store.is_none() && !data_dir.store_file().exists();
        servers.push(Part::start(ingest, show));
        if is_new {
            wait_for_store(&plan.store_url(&data_dir));
        }
        let mut serve = plan.serve_part(&data_dir);
        if let Some(token_file) = &extras.token_file {
            let socket = control_socket(data_dir.path());
            serve.arguments.push(format!("--token-file={}", token_file.display()));
            serve.arguments.push(format!("--control={}", socket.display()));
            serve.arguments.push(format!("--session-file={}", data_dir.session_file().display()));
        }
        serve.arguments.extend(extras.serve_arguments);
        servers.push(Part::start(serve, show));
        let mut laboratory = Laboratory {
            plan,
            data_dir,
            brokers,
            show,
            servers,
            played: Vec::new(),
            register,
            jobs: Jobs::default(),
            first: extras.scenario,
            written: extras.written,
            groups: 0,
            before: 0,
            troubles: BTreeMap::new(),
            news: Vec::new(),
        };
        if extras.goes_on {
            laboratory.go_on();
        } else {
            laboratory.end_earlier();
        }
        if !laboratory.first_goes_on(extras.seeded) {
            laboratory.begin_first()?;
        }
        Ok(laboratory)
    }

    fn begin_first(&mut self) -> Result<(), StartError> {
        let run = self.plan.run;
        // With nobody there, it waits for the first who are added.
        self.add(self.plan.people, Some(run)).map_err(|no| StartError::People(no.text))
    }

    /// The first run, and its seed: a new one, or one that goes on.
    #[must_use]
    pub fn first_run(&self) -> (Uuid, u64) {
        (self.plan.run, self.plan.seed)
    }

    /// Runs of the laboratory before that go on.
    #[must_use]
    pub fn runs_before(&self) -> usize {
        self.before
    }

    /// Runs that go on.
    #[must_use]
    pub fn runs_going(&self) -> usize {
        self.register.going().count()
    }

    /// Where the broker is.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Where the page answers.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.plan.listen
    }

    /// What somebody who starts the laboratory has to know, each thing once: which parts cannot run and why, and which of
    /// them run after all.
    #[must_use]
    pub fn news(&mut self) -> Vec<String> {
        let played = self.played.iter().flat_map(|played| &played.parts).map(|(_, part)| part);
        let parts: Vec<_> =
            self.servers.iter().chain(played).map(|part| (part.status(), part.trouble())).collect();
        for (Status { name, state, .. }, trouble) in parts {
            match (trouble, self.troubles.contains_key(&name)) {
                (Some(trouble), false) => {
                    self.news.push(trouble.clone());
                    self.troubles.insert(name, trouble);
                }
                (None, true) => {
                    self.troubles.remove(&name);
                    if state == State::Running {
                        self.news.push(format!("{name} runs now"));
                    }
                }
                _ => {}
            }
        }
        std::mem::take(&mut self.news)
    }

    /// How every part is.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        let played = self.played.iter().flat_map(|played| &played.parts).map(|(_, part)| part);
        self.servers.iter().chain(played).map(Part::status).collect()
    }

    /// Waits until the page answers and its store is there.
    ///
    /// # Errors
    /// [`NotReady::Late`] after `within`; [`NotReady::Refused`] at once.
    pub async fn wait_until_ready(&self, within: Duration) -> Result<(), NotReady> {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if let Some(part) = self.status().into_iter().find(|part| part.state == State::Refused) {
                let log = self.data_dir.log_file(&part.name).display().to_string();
                return Err(NotReady::Refused { part: part.name, log });
            }
            if ready::is_ready(self.plan.listen).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let logs = self.data_dir.path().join("logs").display().to_string();
        Err(NotReady::Late { listen: self.plan.listen, waited_s: within.as_secs(), logs })
    }

    /// Stops what was started, and nothing else: first faults and devices, with their last messages, then the
    /// consumer, which stores them, then the page, then the broker. All runs are over.
    pub async fn stop(mut self) {
        self.stop_played(Part::stop).await;
        let going: Vec<_> = self.register.going().map(|run| run.run).collect();
        for run in going {
            self.register.end(run, RunState::Ended, Some("the laboratory was stopped".to_owned()));
        }
        self.stop_servers().await;
    }

    /// Stops what was started, in the same order; but nobody dies, and the next laboratory on the same folder goes on
    /// with the runs that went on.
    pub async fn rest(mut self) {
        self.look();
        let stopped = self.played.iter().filter(|played| played.stopped).map(|played| played.run);
        for run in stopped.collect::<Vec<_>>() {
            if self.register.run(run).is_some_and(|known| known.state == RunState::Running) {
                self.register.end(run, RunState::Ended, Some(runs::STOPPED.to_owned()));
            }
        }
        self.stop_played(Part::leave).await;
        self.stop_servers().await;
    }

    async fn stop_played<F: Future<Output = ()> + Send + 'static>(&mut self, end: impl Fn(Part) -> F) {
        // An error: none goes on.
        let _ = self.jobs.stop_chaos();
        let parts = self.played.iter_mut().flat_map(|played| std::mem::take(&mut played.parts));
        let devices: Vec<_> = parts.map(|(_, part)| tokio::spawn(end(part))).collect();
        for device in devices {
            if let Err(error) = device.await {
                tracing::error!(%error, "stopping a group of devices ended badly");
            }
        }
    }

    async fn stop_servers(self) {
        let (broker, others): (Vec<_>, Vec<_>) =
            self.servers.into_iter().partition(|part| part.status().name == crate::plan::BROKER);
        for part in others.into_iter().chain(broker) {
            part.stop().await;
        }
    }
}
