//! What is broken: a laboratory of our own, or one that runs already.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use tokio::{task::JoinHandle, time::sleep};

use super::{
    schedule::{Cast, is_devices},
    stage::Stage,
    tools,
};
use crate::{
    control::{self, Answer, Request},
    part::{State, Status},
};
use coronaz_store::StoreLocation;

/// A part as chaos has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartNow {
    /// Its name.
    pub name: String,
    /// Its process, while it has one.
    pub pid: Option<u32>,
    /// Whether it has ended for good.
    pub ended: bool,
    /// How often it was started again.
    pub restarts: u32,
}

impl From<Status> for PartNow {
    fn from(status: Status) -> Self {
        let ended = matches!(status.state, State::Refused | State::Finished | State::Stopped);
        PartNow { name: status.name, pid: status.pid, ended, restarts: status.restarts }
    }
}

/// A laboratory that somebody else started, reached by its control socket.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Its folder.
    pub data_dir: PathBuf,
    /// Where its page answers.
    pub listen: SocketAddr,
    /// Its store.
    pub store: StoreLocation,
}

/// A part of somebody else's laboratory that is kept down.
#[derive(Debug)]
pub(super) struct Held {
    foreign: Foreign,
    part: String,
    killing: JoinHandle<()>,
}

impl Held {
    /// Lets the part come back, at once: its laboratory may be pausing before the next start.
    pub(super) async fn let_back(self) -> Result<(), String> {
        self.killing.abort();
        let waits = |part: &PartNow| part.name == self.part && part.pid.is_none() && !part.ended;
        if self.foreign.parts().iter().any(waits) {
            self.foreign.ask(Request::Restart { part: self.part.clone() }).await?;
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Nobody is killed after the faults.
        self.killing.abort();
    }
}

/// Between two looks for a process that is to be down.
const KILLED_EVERY: Duration = Duration::from_millis(50);

/// Where faults are done.
#[derive(Debug)]
pub(super) enum Ground {
    /// A laboratory of our own.
    Own(Box<Stage>),
    /// One that runs already.
    Foreign(Foreign),
}

impl Ground {
    pub(super) fn cast(&self) -> Cast {
        match self {
            Ground::Own(stage) => stage.cast(),
            Ground::Foreign(foreign) => foreign.cast(),
        }
    }

    pub(super) fn stage(&self) -> Result<&Stage, String> {
        match self {
            Ground::Own(stage) => Ok(stage),
            Ground::Foreign(_) => Err("only a laboratory that chaos starts itself has that".to_owned()),
        }
    }

    pub(super) fn stage_mut(&mut self) -> Option<&mut Stage> {
        match self {
            Ground::Own(stage) => Some(stage),
            Ground::Foreign(_) => None,
        }
    }

    pub(super) fn listen(&self) -> SocketAddr {
        match self {
            Ground::Own(stage) => stage.listen(),
            Ground::Foreign(foreign) => foreign.listen,
        }
    }

    pub(super) fn store(&self) -> &StoreLocation {
        match self {
            Ground::Own(stage) => stage.store(),
            Ground::Foreign(foreign) => &foreign.store,
        }
    }

    /// The embedded store's file, if it is embedded.
    pub(super) fn store_file(&self) -> Option<PathBuf> {
        match self {
            Ground::Own(stage) => stage.store_file(),
            Ground::Foreign(foreign) => foreign.store_file(),
        }
    }

    /// Devices join; says what was answered.
    pub(super) async fn join(&mut self, count: u32) -> Result<String, String> {
        match self {
            Ground::Own(stage) => {
                stage.join(count, 0).map_err(|error| error.to_string())?;
                Ok(String::new())
            }
            Ground::Foreign(foreign) => {
                foreign.ask(Request::Add { safe: count, infected: 0, run: None }).await
            }
        }
    }

    pub(super) fn parts(&self) -> Vec<PartNow> {
        match self {
            Ground::Own(stage) => stage.status().into_iter().map(PartNow::from).collect(),
            Ground::Foreign(foreign) => foreign.parts(),
        }
    }
}

impl Foreign {
    /// How its parts are; none when it does not answer.
    #[must_use]
    pub fn parts(&self) -> Vec<PartNow> {
        match control::ask(&self.data_dir, &Request::Status) {
            Ok(Answer::Parts(parts)) => parts.into_iter().map(PartNow::from).collect(),
            Ok(_) | Err(_) => Vec::new(),
        }
    }

    /// What there is to break: its processes, its store and its people. Nothing stands between its parts.
    #[must_use]
    pub fn cast(&self) -> Cast {
        let there = self.parts().into_iter().filter(|part| !part.ended);
        let parts: Vec<String> = there.map(|part| part.name).collect();
        let join = parts.iter().any(|part| is_devices(part));
        let store = self.store_file().is_some();
        Cast { killable: parts.clone(), held: true, join, parts, store, ..Cast::default() }
    }

    /// Keeps a part down: its process is killed whenever there is one.
    pub(super) fn hold(&self, part: &str) -> Held {
        let (foreign, name) = (self.clone(), part.to_owned());
        let killing = tokio::spawn(async move {
            loop {
                let looked = foreign.clone();
                let parts = tokio::task::spawn_blocking(move || looked.parts()).await.unwrap_or_default();
                if let Some(pid) = parts.iter().find(|now| now.name == name).and_then(|now| now.pid) {
                    // It may have been killed by the look before, and not be noticed yet.
                    let _ = tools::signal(pid, Signal::KILL);
                }
                sleep(KILLED_EVERY).await;
            }
        });
        Held { foreign: self.clone(), part: part.to_owned(), killing }
    }

    async fn ask(&self, request: Request) -> Result<String, String> {
        let data_dir = self.data_dir.clone();
        let asked = tokio::task::spawn_blocking(move || control::ask(&data_dir, &request)).await;
        match asked.map_err(|error| error.to_string())? {
            Ok(Answer::Done(text)) => Ok(text),
            Ok(Answer::Refused(refusal)) => Err(refusal.text),
            Ok(_) => Err("the laboratory answered something else".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn store_file(&self) -> Option<PathBuf> {
        let text = self.store.to_string();
        let path = Path::new(text.strip_prefix("sqlite:")?);
        path.is_file().then(|| path.to_owned())
    }
}
