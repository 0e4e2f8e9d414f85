//! All parts together: started, watched and stopped in order.

use std::{
    fs, io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    address::{self, AddressError},
    data_dir::DataDir,
    logs::Show,
    part::{Part, State, Status},
    plan::{People, Plan},
};

/// A running laboratory.
#[derive(Debug)]
pub struct Laboratory {
    plan: Plan,
    data_dir: DataDir,
    brokers: String,
    show: Show,
    servers: Vec<Part>,
    devices: Vec<Part>,
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

/// Why a command to a part had no effect.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// No such part.
    #[error("there is no part {name:?}; there are: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// It has no process now.
    #[error("the part {0:?} does not run now")]
    NotRunning(String),
}

impl Laboratory {
    /// Starts all parts in a folder that this process has locked. Nothing is started when something
    /// is wrong with the plan. To be called within a Tokio runtime.
    ///
    /// # Errors
    /// The page's port is taken, or the broker's program is missing.
    pub fn start(plan: Plan, data_dir: DataDir, show: Show) -> Result<Laboratory, StartError> {
        address::ensure_free(plan.listen)?;
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
        servers.push(Part::start(plan.ingest_part(&data_dir, &brokers), show));
        servers.push(Part::start(plan.serve_part(&data_dir), show));
        let mut laboratory = Laboratory { plan, data_dir, brokers, show, servers, devices: Vec::new() };
        laboratory.add(laboratory.plan.people)?;
        Ok(laboratory)
    }

    /// Adds a group of devices; adding nobody does nothing.
    ///
    /// # Errors
    /// When their spool folder cannot be made.
    pub fn add(&mut self, people: People) -> io::Result<()> {
        if people.safe + people.infected == 0 {
            return Ok(());
        }
        let group = u32::try_from(self.devices.len()).map_or(u32::MAX, |n| n + 1);
        fs::create_dir_all(self.data_dir.spool(self.plan.run, &format!("devices-{group}")))?;
        let specification = self.plan.devices_part(&self.data_dir, &self.brokers, group, people);
        self.devices.push(Part::start(specification, self.show));
        Ok(())
    }

    /// Where the page answers.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.plan.listen
    }

    /// How every part is.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        self.servers.iter().chain(&self.devices).map(Part::status).collect()
    }

    /// Whether all devices have died of age.
    #[must_use]
    pub fn all_devices_finished(&self) -> bool {
        self.devices.iter().all(|part| part.status().state == State::Finished)
    }

    /// Sends a signal to one part's process (the watch over it goes on).
    ///
    /// # Errors
    /// No part of that name, or it has no process now.
    pub fn signal(&self, name: &str, signal: Signal) -> Result<(), SignalError> {
        let mut parts = self.servers.iter().chain(&self.devices);
        let part = parts.find(|part| part.status().name == name).ok_or_else(|| {
            let known = self.status().into_iter().map(|status| status.name).collect::<Vec<_>>().join(", ");
            SignalError::Unknown { name: name.to_owned(), known }
        })?;
        if part.signal(signal) { Ok(()) } else { Err(SignalError::NotRunning(name.to_owned())) }
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
            if is_ready(self.plan.listen).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let logs = self.data_dir.path().join("logs").display().to_string();
        Err(NotReady::Late { listen: self.plan.listen, waited_s: within.as_secs(), logs })
    }

    /// Stops what was started, and nothing else: first the devices, with their last messages, then the
    /// consumer, which stores them, then the page, then the broker.
    pub async fn stop(self) {
        let devices: Vec<_> = self.devices.into_iter().map(|part| tokio::spawn(part.stop())).collect();
        for device in devices {
            if let Err(error) = device.await {
                tracing::error!(%error, "stopping a group of devices ended badly");
            }
        }
        let (broker, others): (Vec<_>, Vec<_>) =
            self.servers.into_iter().partition(|part| part.status().name == crate::plan::BROKER);
        for part in others.into_iter().chain(broker) {
            part.stop().await;
        }
    }
}

/// Whether `GET /readyz` answers 200; a part that hangs counts as not ready.
async fn is_ready(listen: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(listen).await?;
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        io::Result::Ok(head.ends_with(b" 200"))
    };
    matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(true)))
}
