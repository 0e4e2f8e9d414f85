//! What a server is told before it opens a port.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use coronaz_store::StoreLocation;
use coronaz_wire::Scenario;

use crate::{cors::Origin, page::PageError, token::Token};

/// How a server behaves. `Config::default()` is a server for this machine alone.
#[derive(Debug, Default)]
pub struct Config {
    /// Where the built page is. Default: the one inside the program. Read once, at the start.
    pub web_dir: Option<PathBuf>,
    /// The operator's token. Default: none, and then the operator's part is closed.
    /// A server that others can reach needs one, and then reading needs it too.
    pub token: Option<Token>,
    /// The control socket of the laboratory that this server belongs to. Default: none, and then the operator
    /// sees how reading is doing and no more.
    pub control: Option<PathBuf>,
    /// Scenarios that the operator can begin a run with; their parameters have been checked. Default: none.
    pub scenarios: Vec<Scenario>,
    /// The store once more, for deleting runs. Default: none, and then nothing is deleted.
    pub administered: Option<StoreLocation>,
    /// Names under which a proxy in front of a server on loopback passes requests on. Default: none. Such
    /// requests need the token, as they do off loopback.
    pub allow_hosts: Vec<String>,
    /// Pages of other origins that may read what needs no token. Default: none.
    pub allow_origins: Vec<Origin>,
    /// Where sign-ins are kept, so that they outlive the process. Default: nowhere.
    pub session_file: Option<PathBuf>,
    /// How much of anything at once.
    pub limits: Limits,
}

/// How much of anything at once, and how long.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections that carry requests. Default: 256; more wait in the listener's queue.
    pub connections_max: usize,
    /// Live connections. Default: 256; each costs at most two frames on the way.
    pub sockets_max: usize,
    /// Requests being answered. Default: 64; more wait, until their time is over.
    pub requests_max: usize,
    /// Questions to the store at the same time. Default: 8; more wait.
    pub questions_max: usize,
    /// How long a question to the store may take. Default: 10 s.
    pub question_time_max: Duration,
    /// How long a request may take until its answer begins. Default: 15 s.
    pub request_time_max: Duration,
    /// How long a visitor may take to send a request's head. Default: 10 s.
    pub head_time_max: Duration,
    /// How long a live connection may be silent. Default: 60 s; it is asked twice in that time.
    pub silence_max: Duration,
    /// How often the store is asked whether a watched run has grown. Default: 25 ms: one look-up by key a run.
    pub poll_every: Duration,
    /// How long what is being answered may still take after the server was told to stop. Default: 5 s.
    pub drain_time_max: Duration,
    /// Wrong tokens within a short time that slow nobody down. Default: 10.
    pub sign_in_failures_free: u32,
    /// How soon one wrong token is forgotten. Default: 1 s.
    pub sign_in_failure_forgotten_after: Duration,
    /// How long a token waits until it is looked at, when too many wrong ones came lately. Default: 2 s.
    pub sign_in_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 256,
            sockets_max: 256,
            requests_max: 64,
            questions_max: 8,
            question_time_max: Duration::from_secs(10),
            request_time_max: Duration::from_secs(15),
            head_time_max: Duration::from_secs(10),
            silence_max: Duration::from_secs(60),
            poll_every: Duration::from_millis(25),
            drain_time_max: Duration::from_secs(5),
            sign_in_failures_free: 10,
            sign_in_failure_forgotten_after: Duration::from_secs(1),
            sign_in_wait: Duration::from_secs(2),
        }
    }
}

/// Why a server cannot be started as it was told.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Others could reach it, and there is no token.
    #[error("{0} can be reached from other machines: give a token with --token-file, or listen on 127.0.0.1")]
    OpenToOthers(SocketAddr),
    /// Others could reach it through a proxy, and there is no token.
    #[error("--allow-host {0} lets others in through a proxy: give a token with --token-file")]
    OpenToProxy(String),
    /// The page cannot be read.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl Config {
    /// Whether a server so configured may listen there.
    ///
    /// # Errors
    /// [`ConfigError::OpenToOthers`] off loopback without a token; [`ConfigError::OpenToProxy`] likewise.
    pub fn may_listen(&self, address: SocketAddr) -> Result<(), ConfigError> {
        match (&self.token, self.allow_hosts.first()) {
            (Some(_), _) => Ok(()),
            (None, _) if !address.ip().is_loopback() => Err(ConfigError::OpenToOthers(address)),
            (None, Some(name)) => Err(ConfigError::OpenToProxy(name.clone())),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_loopback_nothing_is_open() {
        let mut config = Config::default();
        for address in ["0.0.0.0:3000", "[::]:3000", "192.168.1.2:3000"] {
            let refused = config.may_listen(address.parse().expect("an address"));
            assert!(matches!(refused, Err(ConfigError::OpenToOthers(_))), "{address}");
        }
        for address in ["127.0.0.1:3000", "127.1.2.3:0", "[::1]:3000"] {
            assert!(config.may_listen(address.parse().expect("an address")).is_ok(), "{address}");
        }
        config.allow_hosts.push("laboratory.example".to_owned());
        let refused = config.may_listen("127.0.0.1:3000".parse().expect("an address"));
        assert!(matches!(refused, Err(ConfigError::OpenToProxy(_))));
        config.token = Some("0123456789abcdef".parse().expect("a token"));
        assert!(config.may_listen("0.0.0.0:3000".parse().expect("an address")).is_ok());
    }
}
