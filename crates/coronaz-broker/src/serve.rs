//! Accepting connections, until a signal says stop.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Duration;

use rama::{Context, Service};
use tansu_broker::coordinator::group::administrator::Controller;
use tansu_broker::service::services;
use tansu_storage::StorageContainer;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{debug, info, warn};
use url::Url;

use crate::data::{self, CLUSTER, Data, DataError};
use crate::options::Options;

/// How often expired records are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// Connections at a time. Every client has two or three, and a laboratory some hundred clients; what
/// comes beyond waits in the system's own queue.
const CONNECTIONS_MAX: usize = 4096;
/// The pause after the system refused a connection (out of descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the broker ended by itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error("cannot start: {source}")]
    Runtime { source: io::Error },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("the broker failed: {reason}")]
    Broker { reason: String },
}

/// Serves until Ctrl-C or SIGTERM. Dropping the serving future closes every connection at once:
/// whatever was acknowledged is in the file, whatever was not is sent again by its producer.
pub(crate) async fn run(options: &Options) -> Result<(), ServeError> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|source| ServeError::Runtime { source })?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|source| ServeError::Runtime { source })?;
    tokio::select! {
        ended = serve(options) => ended,
        _ = interrupt.recv() => { info!("interrupted: stopping"); Ok(()) }
        _ = terminate.recv() => { info!("terminated: stopping"); Ok(()) }
        () = parent_gone(), if options.with_parent => { info!("the parent is gone: stopping"); Ok(()) }
    }
}

/// Waits for the end of standard input, a pipe that closes when the parent ends, however it ends.
async fn parent_gone() {
    let (gone, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut byte = [0];
        while io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
        // The broker may be stopping already.
        let _ = gone.send(());
    });
    // The thread sends before it ends.
    let _ = told.await;
}

async fn serve(options: &Options) -> Result<(), ServeError> {
    let listen = |source| ServeError::Listen { address: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let url = Url::parse(&format!("tcp://{address}"))
        .map_err(|error| ServeError::Broker { reason: error.to_string() })?;
    let data = Data::open(options, &url).await?;
    println!("listening on {address}");
    tokio::select! {
        ended = accept(&listener, &data) => ended,
        () = expire(&data) => Ok(()),
    }
}

/// Serves each connection in a task of its own; dropping this ends them all.
async fn accept(listener: &TcpListener, data: &Data) -> Result<(), ServeError> {
    let failed = |error: tansu_broker::Error| ServeError::Broker { reason: error.to_string() };
    let groups = Controller::with_storage(data.storage.clone()).map_err(failed)?;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, peer)) => {
                    debug!(%peer, "connected");
                    connections.spawn(serve_one(stream, groups.clone(), data.storage.clone()));
                }
                Err(error) => {
                    warn!(%error, "a connection was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One client's requests, one after the other, until it goes away or sends what is no request.
async fn serve_one(stream: TcpStream, groups: Controller<StorageContainer>, storage: StorageContainer) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "no TCP_NODELAY");
    }
    match services(CLUSTER, groups, storage, None) {
        Ok(service) => {
            if let Err(error) = service.serve(Context::default(), stream).await {
                debug!(%error, "disconnected");
            }
        }
        Err(error) => warn!(%error, "a connection cannot be served"),
    }
}

async fn expire(data: &Data) {
    let mut tick = interval(EXPIRE_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        data::expire(&data.storage).await;
    }
}
