//! What is broken: a laboratory of our own, or one that runs already.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{schedule::Cast, stage::Stage};
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

    /// What there is to break: its processes and its store. Nothing stands between its parts.
    #[must_use]
    pub fn cast(&self) -> Cast {
        let parts: Vec<String> = self.parts().into_iter().map(|part| part.name).collect();
        Cast { killable: parts.clone(), parts, store: self.store_file().is_some(), ..Cast::default() }
    }

    fn store_file(&self) -> Option<PathBuf> {
        let text = self.store.to_string();
        let path = Path::new(text.strip_prefix("sqlite:")?);
        path.is_file().then(|| path.to_owned())
    }
}
