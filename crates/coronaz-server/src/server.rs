//! The server: takes connections, and stops when it is told to.
//!
//! It dies in one way: the stop signal comes, no more connections are taken, live ones are closed, what
//! is being answered is finished or, when the deadline is over, cut off.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use coronaz_store::Queries;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tower_http::add_extension::AddExtension;

use crate::{
    api::now_ms,
    app::{self, Access, App, Shared},
    attempts::Attempts,
    config::{Config, ConfigError},
    control::Control,
    flows::Flows,
    guard::Guard,
    live::Hub,
    page::Files,
    readers::Readers,
    sessions::Sessions,
};

/// Bytes of a request's head at most.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Histories written out at the same time; each keeps the store open.
const HISTORIES_MAX: usize = 4;
/// When the system has no room for another connection, the next try is so much later.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Who is at the other end of a request's connection: the client, or a proxy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// A server that is ready to listen.
pub struct Server {
    config: Config,
    page: Files,
    store: Arc<dyn Queries>,
}

/// Why a server stopped, or did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener is of no use.
    #[error("the listening socket has no address: {0}")]
    Listener(#[from] io::Error),
    /// It may not listen there.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Server {
    /// Reads the page, and checks what can be checked before there is a port.
    ///
    /// # Errors
    /// The page cannot be read.
    pub fn new(store: Arc<dyn Queries>, config: Config) -> Result<Server, ConfigError> {
        let page = Files::read(config.web_dir.as_deref())?;
        Ok(Server { config, page, store })
    }

    /// Serves until `stop` is ready, and then until all is finished or the time for that is over.
    ///
    /// # Errors
    /// Others could reach the listener and there is no token, or it has no address.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let address = listener.local_addr()?;
        self.config.may_listen(address)?;
        let limits = self.config.limits;
        let (told_to_stop, stopping) = watch::channel(false);
        let readers = Readers::new(self.store, &limits);
        let hub = Arc::new(Hub::new(readers.clone(), &limits));
        let sessions = self.config.session_file;
        let access = self.config.token.map(|token| Access {
            sessions: Sessions::open(&token, sessions, now_ms() / 1000),
            attempts: Attempts::new(&limits),
            token,
        });
        let app = App::new(Shared {
            readers,
            hub: hub.clone(),
            page: self.page,
            access,
            guard: Guard::default(),
            on_loopback: address.ip().is_loopback(),
            requests: Semaphore::new(limits.requests_max),
            histories: Arc::new(Semaphore::new(HISTORIES_MAX)),
            control: self.config.control.as_deref().map(Control::new),
            scenarios: self.config.scenarios,
            administered: self.config.administered,
            deletions: Arc::default(),
            allow_hosts: self.config.allow_hosts,
            flows: Flows::default(),
            stopping: stopping.clone(),
            limits: limits.clone(),
        });
        let connections = Connections {
            router: app::router(app, &self.config.allow_origins),
            places: Arc::new(Semaphore::new(limits.connections_max)),
            head_time_max: limits.head_time_max,
            stopping,
        };
        tokio::select! {
            () = stop => {}
            () = connections.take(&listener) => {}
        }
        drop(listener);
        told_to_stop.send_replace(true);
        let emptied = async { tokio::join!(connections.emptied(limits.connections_max), hub.emptied()) };
        if tokio::time::timeout(limits.drain_time_max, emptied).await.is_err() {
            tracing::warn!("what was still being answered was cut off");
        }
        Ok(())
    }
}

struct Connections {
    router: axum::Router,
    places: Arc<Semaphore>,
    head_time_max: Duration,
    stopping: watch::Receiver<bool>,
}

impl Connections {
    /// Takes connections for ever.
    async fn take(&self, listener: &TcpListener) {
        while let Ok(place) = self.places.clone().acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => self.serve(stream, Peer(peer), place),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }

    fn serve(&self, stream: TcpStream, peer: Peer, place: OwnedSemaphorePermit) {
        // Frames are sent whole; waiting for more to send would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection is gone already");
        }
        let service = AddExtension::new(self.router.clone(), peer);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_time_max)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
            .with_upgrades();
        let mut stopping = self.stopping.clone();
        tokio::spawn(async move {
            let _place = place;
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = told_to_stop(&mut stopping) => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }

    /// Waits until every connection is closed.
    async fn emptied(&self, places_max: usize) {
        let all = u32::try_from(places_max).unwrap_or(u32::MAX);
        // The semaphore is never closed, so all places come back or this waits on.
        let _ = self.places.acquire_many(all).await;
    }
}

/// Waits until the server is told to stop, or is gone.
pub(crate) async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say so.
    let _ = stopping.wait_for(|stop| *stop).await;
}
