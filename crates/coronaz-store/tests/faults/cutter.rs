//! A way to a MongoDB that is cut at a chosen write: before the server has it, or after it did it and before the answer is
//! back. From then on nobody answers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Where the way is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never gets this write.
    Before(u32),
    /// The server does this write, and nobody hears of it.
    After(u32),
}

impl Cut {
    fn write(self) -> u32 {
        match self {
            Self::Before(write) | Self::After(write) => write,
        }
    }
}

/// A proxy on loopback.
pub(crate) struct Cutter {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    server: String,
    cut: Cut,
    questions: AtomicU32,
    writes: AtomicU32,
    dead: AtomicBool,
}

impl Cutter {
    pub(crate) fn start(server: &str, cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (questions, writes, dead) = (AtomicU32::new(0), AtomicU32::new(0), AtomicBool::new(false));
        let state = Arc::new(State { server: server.to_owned(), cut, questions, writes, dead });
        let accepting = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.dead.load(Ordering::SeqCst) {
                    continue;
                }
                let state = Arc::clone(&accepting);
                std::thread::spawn(move || pass(&state, &client));
            }
        });
        Self { address, state }
    }

    /// How many questions and writes have passed.
    pub(crate) fn passed(&self) -> u32 {
        self.state.questions.load(Ordering::SeqCst)
    }

    /// Whether it came to the cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.state.dead.load(Ordering::SeqCst)
    }
}

/// One message: its length stands in front.
fn message(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let mut message = length.to_vec();
    message.resize(u32::from_le_bytes(length) as usize, 0);
    from.read_exact(&mut message[4..]).ok()?;
    Some(message)
}

/// The name of the command in a message: after the head, the flags, the kind of section, the document's length, and the
/// first element's type.
fn is_write(message: &[u8]) -> bool {
    let name = message.get(26..).unwrap_or_default();
    [&b"insert\0"[..], b"update\0", b"delete\0"].iter().any(|write| name.starts_with(write))
}

/// Hands messages to and fro: a question, its answer.
fn pass(state: &State, client: &TcpStream) {
    let Ok(mut server) = TcpStream::connect(&state.server) else { return };
    let Ok(mut client) = client.try_clone() else { return };
    while let Some(question) = message(&mut client) {
        state.questions.fetch_add(1, Ordering::SeqCst);
        let number = if is_write(&question) { state.writes.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
        let here = number == state.cut.write();
        if here {
            state.dead.store(true, Ordering::SeqCst);
        }
        if state.dead.load(Ordering::SeqCst) && !(here && matches!(state.cut, Cut::After(_))) {
            break;
        }
        let answer = server.write_all(&question).ok().and_then(|()| message(&mut server));
        let Some(answer) = answer else { break };
        if state.dead.load(Ordering::SeqCst) || client.write_all(&answer).is_err() {
            break;
        }
    }
    // They are gone either way.
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
