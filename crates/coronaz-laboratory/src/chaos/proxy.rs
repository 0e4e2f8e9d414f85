//! A TCP proxy between two parts, which does what a network does on its bad days.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};

use super::frames::{Cutter, Rewriting};

/// What a link does to what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Passes everything at once.
    Open,
    /// Is cut: connections are reset, new ones at once too.
    Cut,
    /// Takes connections and passes nothing; what is on its way passes when it is open again.
    Stall,
    /// Passes everything so much later, each way.
    Delay(Duration),
    /// The far side is gone; the near side hears nothing before it is open again, and then that it was reset.
    HalfOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Order {
    mode: Mode,
    /// Counts the times that all connections were to be reset.
    resets: u64,
}

/// Pieces on their way in one direction at most: with pieces of 64 KiB, 4 MiB.
const PIECES_MAX: usize = 64;
const PIECE_BYTES: usize = 64 * 1024;
/// The far side is waited for this long; loopback answers at once or never.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// A link with a proxy in it. Dropping it cuts it for good.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    order: watch::Sender<Order>,
    figures: Arc<Figures>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Figures {
    connections: AtomicU64,
    bytes: AtomicU64,
}

/// What each connection needs.
#[derive(Clone)]
struct Wire {
    far: SocketAddr,
    order: watch::Receiver<Order>,
    rewriting: Option<Rewriting>,
    figures: Arc<Figures>,
}

impl Proxy {
    /// Listens at a free loopback port and passes everything on to `far`. With `kafka`, answers that name `far`
    /// name the proxy instead. To be called within a Tokio runtime.
    ///
    /// # Errors
    /// The system gives no port.
    pub async fn start(far: SocketAddr, kafka: bool) -> io::Result<Proxy> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (order, ordered) = watch::channel(Order { mode: Mode::Open, resets: 0 });
        let figures = Arc::new(Figures::default());
        let rewriting = kafka.then(|| Rewriting::new(far, address));
        let wire = Wire { far, order: ordered, rewriting, figures: Arc::clone(&figures) };
        let accepting = tokio::spawn(accept(listener, wire));
        Ok(Proxy { address, order, figures, accepting })
    }

    /// Where to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the link does.
    pub fn set(&self, mode: Mode) {
        self.order.send_modify(|order| order.mode = mode);
    }

    /// Resets all connections once.
    pub fn reset(&self) {
        self.order.send_modify(|order| order.resets += 1);
    }

    /// Connections taken so far, and bytes passed so far.
    #[must_use]
    pub fn figures(&self) -> (u64, u64) {
        (self.figures.connections.load(Ordering::Relaxed), self.figures.bytes.load(Ordering::Relaxed))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.set(Mode::Cut);
    }
}

async fn accept(listener: TcpListener, wire: Wire) {
    loop {
        match listener.accept().await {
            Ok((near, _)) => {
                wire.figures.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(near, wire.clone()));
            }
            // Out of descriptors: the next attempt may find one.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// One connection, to its end.
async fn serve(near: TcpStream, mut wire: Wire) {
    let resets = wire.order.borrow_and_update().resets;
    if let Some(far) = reach(&mut wire, resets).await {
        // Without it a small answer would wait for an acknowledgement.
        let _ = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
        return pass(near, far, wire, resets).await;
    }
    end_with_reset(&near);
}

/// Connects to the far side as soon as the link lets it.
async fn reach(wire: &mut Wire, resets: u64) -> Option<TcpStream> {
    let open = |order: &Order| !matches!(order.mode, Mode::Stall | Mode::HalfOpen);
    // A closed channel means that the proxy is gone.
    let order = *wire.order.wait_for(open).await.ok()?;
    if order.mode == Mode::Cut || order.resets != resets {
        return None;
    }
    timeout(CONNECT_WITHIN, TcpStream::connect(wire.far)).await.ok()?.ok()
}

/// Closes so that the other side gets a reset and not an orderly end.
fn end_with_reset(stream: &TcpStream) {
    // Where it cannot be set the end is orderly; that is a fault, too.
    let _ = stream.set_zero_linger();
}

async fn pass(mut near: TcpStream, mut far: TcpStream, mut wire: Wire, resets: u64) {
    let cutter = wire.rewriting.clone().map(Cutter::new);
    let broken = {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = far.split();
        let both_ways = async {
            // A side that has said all it had to say may still listen; one that fails ends both ways.
            tokio::try_join!(
                one_way(near_read, far_write, &wire, None),
                one_way(far_read, near_write, &wire, cutter),
            )
        };
        let mut order = wire.order.clone();
        tokio::select! {
            mode = broken(&mut order, resets) => Some(mode),
            passed = both_ways => if passed.is_ok() { return } else { None },
        }
    };
    end_with_reset(&far);
    drop(far);
    if broken == Some(Mode::HalfOpen) {
        // What the near side sends lies in its buffers, unanswered, as with a host that is gone.
        let _ = wire.order.wait_for(|order| order.mode != Mode::HalfOpen || order.resets != resets).await;
    }
    end_with_reset(&near);
}

/// Waits until the link breaks its connections, and says how.
async fn broken(order: &mut watch::Receiver<Order>, resets: u64) -> Mode {
    let breaks = |order: &Order| matches!(order.mode, Mode::Cut | Mode::HalfOpen) || order.resets != resets;
    match order.wait_for(breaks).await {
        Ok(order) if order.mode == Mode::HalfOpen => Mode::HalfOpen,
        // Also when the proxy is gone.
        _ => Mode::Cut,
    }
}

/// A piece on its way, and when it may arrive.
type Piece = (Instant, Vec<u8>);

/// Passes one direction on until its end.
async fn one_way(
    mut from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    wire: &Wire,
    mut cutter: Option<Cutter>,
) -> io::Result<()> {
    let (pieces, arriving) = mpsc::channel::<Piece>(PIECES_MAX);
    let reading = async {
        loop {
            let piece = match &mut cutter {
                Some(cutter) => cutter.next(&mut from).await?,
                None => read_piece(&mut from).await?,
            };
            let Some(piece) = piece else { break };
            wire.figures.bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
            let mode = wire.order.borrow().mode;
            let due = if let Mode::Delay(by) = mode { Instant::now() + by } else { Instant::now() };
            if pieces.send((due, piece)).await.is_err() {
                break;
            }
        }
        drop(pieces);
        io::Result::Ok(())
    };
    tokio::try_join!(reading, deliver(arriving, to, wire.order.clone())).map(|_| ())
}

async fn read_piece(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut piece = vec![0; PIECE_BYTES];
    let count = from.read(&mut piece).await?;
    piece.truncate(count);
    Ok((count > 0).then_some(piece))
}

async fn deliver(
    mut arriving: mpsc::Receiver<Piece>,
    mut to: WriteHalf<'_>,
    mut order: watch::Receiver<Order>,
) -> io::Result<()> {
    while let Some((due, piece)) = arriving.recv().await {
        sleep_until(due).await;
        // A closed channel means that the proxy is gone: then the connection is ended from outside.
        if order.wait_for(|order| order.mode != Mode::Stall).await.is_err() {
            return Ok(());
        }
        to.write_all(&piece).await?;
    }
    to.shutdown().await
}

#[cfg(test)]
mod tests;
