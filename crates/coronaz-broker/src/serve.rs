//! Accepting connections, until a signal says stop.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{debug, info, warn};

use crate::answer::Broker;
use crate::connection::{self, Memory};
use crate::connections::{Connection, Connections};
use crate::data::{self, Data, DataError};
use crate::groups::Groups;
use crate::keeping;
use crate::log::codec::Opener;
use crate::options::Options;

/// Connections at a time, each a thread. Every client has two or three, and a laboratory some hundred
/// clients; for what comes beyond silent ones are closed. Fewer where there are few descriptors.
const CONNECTIONS_MAX: usize = 4096;
const CONNECTIONS_MIN: usize = 16;
/// Files of batches that are kept open, a quarter of the descriptors: each partition in use has one.
const FILES_MAX: usize = 1024;
const FILES_MIN: usize = 8;
/// Descriptors for everything else: the lock, signals, files that are read for a moment.
const DESCRIPTORS_KEPT: usize = 32;
/// What a connection's thread needs is little, and most of it is on the heap.
const STACK_BYTES: usize = 256 * 1024;
/// The pause after the system refused a connection or a thread (out of descriptors, mostly).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the broker ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The process cannot do what it needs.
    #[error("cannot start: {source}")]
    Runtime {
        /// What the system says.
        source: io::Error,
    },
    /// The address is taken, or none of this machine's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
}

/// Serves until Ctrl-C or SIGTERM. What was acknowledged is with the system by then; what was not is
/// sent again by its producer.
///
/// # Errors
/// When it cannot start.
pub fn run(options: &Options) -> Result<(), ServeError> {
    let failed = |source| ServeError::Runtime { source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    // Signals are caught from here on, so that none ends the broker halfway into opening its data.
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?)
    };
    let started = start(options)?;
    // A closed standard output is no reason not to serve.
    let _ = writeln!(io::stdout(), "listening on {}", started.address);
    runtime.block_on(async {
        tokio::select! {
            _ = interrupt.recv() => info!("interrupted: stopping"),
            _ = terminate.recv() => info!("terminated: stopping"),
            () = parent_gone(), if options.with_parent => info!("the parent is gone: stopping"),
        }
    });
    drop(started.stop);
    // Whoever is appending finishes his batch; nobody begins another.
    started.broker.data.close();
    Ok(())
}

/// A broker that accepts connections, in threads of their own that end with the process.
#[derive(Debug)]
struct Started {
    broker: Arc<Broker>,
    address: SocketAddr,
    /// Dropped to end what is done from time to time.
    stop: mpsc::Sender<()>,
}

/// Opens the data and begins to accept.
fn start(options: &Options) -> Result<Started, ServeError> {
    let listen = |source| ServeError::Listen { address: options.listen, source };
    let listener = TcpListener::bind(options.listen).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let (files_max, connections_max) = share(raise_descriptor_limit());
    let (host, port) = match &options.advertise {
        Some((host, port)) => (host.clone(), *port),
        None => (address.ip().to_string(), address.port()),
    };
    // One that is made now says nothing about what was committed of one that was removed.
    let before = data::topics_before(&options.data);
    let data = Data::open(options, files_max)?;
    let folder = options.data.join("groups");
    let groups = Groups::open(&folder, |topic| before.contains(topic));
    let groups = groups.map_err(|source| DataError::Folder { path: folder, source })?;
    let broker = Arc::new(Broker { data, opener: Opener::default(), groups, host, port });
    let (stop, stopped) = mpsc::channel();
    let spawned = |source| ServeError::Runtime { source };
    let kept = Arc::clone(&broker);
    let sync_every = options.sync_every;
    spawn("keeping", move || keeping::keep(&kept, sync_every, &stopped)).map_err(spawned)?;
    if !options.listen.ip().is_loopback() {
        warn!(%address, "no passwords and no TLS: everybody who reaches this port may read and write");
    }
    let serving = Arc::clone(&broker);
    let connections = Arc::new(Connections::new(connections_max));
    spawn("accept", move || accept(&listener, &serving, &connections)).map_err(spawned)?;
    Ok(Started { broker, address, stop })
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(work).map(|_| ())
}

/// As many files and sockets as the system lets this process have; says how many that are.
fn raise_descriptor_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        debug!(%error, "the limit of descriptors stays as it is");
    }
    // None is without limit.
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX))
}

/// How many of so many descriptors are for files that are kept open, and for connections. What is left is
/// for files that are open for a moment.
fn share(descriptors: usize) -> (usize, usize) {
    let files = (descriptors / 4).clamp(FILES_MIN, FILES_MAX);
    let connections = descriptors.saturating_sub(files + DESCRIPTORS_KEPT);
    (files, connections.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX))
}

/// Waits for the end of standard input, a pipe that closes when the parent ends, however it ends.
async fn parent_gone() {
    let (gone, told) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let mut byte = [0];
        while io::stdin().read(&mut byte).is_ok_and(|count| count > 0) {}
        // The broker may be stopping already.
        let _ = gone.send(());
    });
    // The thread sends before it ends.
    let _ = told.await;
}

fn accept(listener: &TcpListener, broker: &Arc<Broker>, connections: &Arc<Connections>) {
    let memory = Arc::new(Memory::default());
    loop {
        let served = listener.accept().and_then(|(stream, peer)| {
            debug!(%peer, "connected");
            let place = connections.take(stream);
            let (broker, memory) = (Arc::clone(broker), Arc::clone(&memory));
            spawn("connection", move || {
                serve_one(&place.connection, &broker, &memory);
                drop(place);
            })
        });
        if let Err(error) = served {
            warn!(%error, "a connection was not accepted");
            connections.make_room();
            thread::sleep(ACCEPT_PAUSE);
        }
    }
}

fn serve_one(connection: &Connection, broker: &Broker, memory: &Memory) {
    match connection::serve(connection, broker, memory) {
        Ok(()) => debug!("disconnected"),
        Err(connection::Ended::Gone(error)) => debug!(%error, "disconnected"),
        Err(ended) => warn!(%ended, "a connection was closed"),
    }
}

#[cfg(test)]
mod tests;
