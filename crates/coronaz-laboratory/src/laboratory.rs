//! All parts together: started, watched and stopped in order.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use coronaz_wire::control::RunState;

use crate::{
    address::{self, AddressError},
    data_dir::{DataDir, control_socket},
    jobs::Jobs,
    logs::Show,
    part::{Part, State, Status},
    plan::Plan,
    ready,
    register::Register,
    runs::Played,
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
    pub(crate) first_name: String,
    pub(crate) written: Written,
    /// Groups of devices and fleets so far: each has a name of its own.
    pub(crate) groups: u32,
}

/// Records that were ever written to the topic, by whoever asks the broker now and then; `None`: not known.
pub type Written = Arc<Mutex<Option<u64>>>;

/// What a laboratory is told beside its plan.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// The name of the first run, for people.
    pub name: String,
    /// The operator's token, for the server. Default: none, and then the operator's part is closed.
    pub token_file: Option<PathBuf>,
    /// Runs that are older are deleted. Default: none is.
    pub keep_days: Option<u32>,
    /// What the broker says. Default: nothing.
    pub written: Written,
}

/// Why a laboratory does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The page's address is taken.
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

impl Laboratory {
    /// Starts all parts in a folder that this process has locked. Nothing is started when something
    /// is wrong with the plan. To be called within a Tokio runtime.
    ///
    /// # Errors
    /// The page's port is taken, or the broker's program is missing.
    pub fn start(
        plan: Plan,
        data_dir: DataDir,
        extras: Extras,
        show: Show,
    ) -> Result<Laboratory, StartError> {
        address::ensure_free(plan.listen)?;
        let register = Register::open(&data_dir.register_file())?;
        let mut servers = Vec::new();
        let brokers = if let Some(brokers) = &plan.broker {
            brokers.clone()
        } else {
            if !plan.coronaz_broker.is_file() {
                return Err(StartError::NoBroker(plan.coronaz_broker.display().to_string()));
            }
            let address = address::free_loopback()?;
            servers.push(Part::start(plan.broker_part(&data_dir, address), show));
            address.to_string()
        };
        let mut ingest = plan.ingest_part(&data_dir, &brokers);
        ingest.arguments.extend(extras.keep_days.map(|days| format!("--keep-days={days}")));
        servers.push(Part::start(ingest, show));
        let mut serve = plan.serve_part(&data_dir);
        if let Some(token_file) = &extras.token_file {
            let socket = control_socket(data_dir.path());
            serve.arguments.push(format!("--token-file={}", token_file.display()));
            serve.arguments.push(format!("--control={}", socket.display()));
        }
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
            first_name: extras.name,
            written: extras.written,
            groups: 0,
        };
        laboratory.add(laboratory.plan.people, None).map_err(|no| StartError::People(no.text))?;
        Ok(laboratory)
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

    /// How every part is.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        let played = self.played.iter().flat_map(|played| &played.parts);
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
    /// consumer, which stores them, then the page, then the broker.
    pub async fn stop(mut self) {
        // An error: none goes on.
        let _ = self.jobs.stop_chaos();
        let parts = self.played.iter_mut().flat_map(|played| std::mem::take(&mut played.parts));
        let devices: Vec<_> = parts.map(|part| tokio::spawn(part.stop())).collect();
        for device in devices {
            if let Err(error) = device.await {
                tracing::error!(%error, "stopping a group of devices ended badly");
            }
        }
        let going: Vec<_> = self.register.going().map(|run| run.run).collect();
        for run in going {
            self.register.end(run, RunState::Ended, Some("the laboratory was stopped".to_owned()));
        }
        let (broker, others): (Vec<_>, Vec<_>) =
            self.servers.into_iter().partition(|part| part.status().name == crate::plan::BROKER);
        for part in others.into_iter().chain(broker) {
            part.stop().await;
        }
    }
}
