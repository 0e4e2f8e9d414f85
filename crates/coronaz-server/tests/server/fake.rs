//! A laboratory that says what it is told to say, and remembers what it was asked.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use coronaz_wire::control::{
    Answer, Overview, Part, PartKind, PartState, REQUEST_BYTES_MAX, Reason, Refusal, Request, Run,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixListener,
};

/// The laboratory behind a server under test.
pub(crate) struct Fake {
    pub(crate) socket: PathBuf,
    pub(crate) state: Arc<Mutex<State>>,
    _folder: TempDir,
}

/// What it says, and what it was asked.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) asked: Vec<Request>,
    pub(crate) runs: Vec<Run>,
    pub(crate) answer: Option<Answer>,
    pub(crate) written: Option<u64>,
}

impl Fake {
    pub(crate) fn open() -> Fake {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("control.sock");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reading, mut writing) = stream.into_split();
                let mut line = Vec::new();
                let mut reading = BufReader::new(reading.take(REQUEST_BYTES_MAX as u64));
                reading.read_until(b'\n', &mut line).await.expect("a line");
                let request = Request::decode(&line).expect("a request");
                let answer = answer(&mut shared.lock().expect("nobody panicked"), request);
                // A server that has given up reads no answer.
                let _ = writing.write_all(&answer.encode()).await;
            }
        });
        Fake { socket, state, _folder: folder }
    }

    /// The next answers to everything but an overview.
    pub(crate) fn says(&self, answer: Answer) {
        self.state.lock().expect("nobody panicked").answer = Some(answer);
    }

    /// What it was asked since this was last called, overviews left out.
    pub(crate) fn asked(&self) -> Vec<Request> {
        let mut asked = std::mem::take(&mut self.state.lock().expect("nobody panicked").asked);
        asked.retain(|request| *request != Request::Overview);
        asked
    }
}

fn answer(state: &mut State, request: Request) -> Answer {
    let is_overview = request == Request::Overview;
    state.asked.push(request);
    if is_overview {
        let parts = vec![part("broker", PartKind::Broker), part("serve", PartKind::Serve)];
        let (runs, written_records) = (state.runs.clone(), state.written);
        return Answer::Overview(Overview {
            parts,
            runs,
            own_broker: true,
            own_store: true,
            written_records,
        });
    }
    let unsaid = || Refusal::new(Reason::Failed, "the test did not say what to answer").into();
    state.answer.clone().unwrap_or_else(unsaid)
}

fn part(name: &str, kind: PartKind) -> Part {
    Part {
        name: name.to_owned(),
        kind,
        state: PartState::Running,
        since_ms: 5,
        pid: Some(77),
        restarts: 1,
        address: (kind == PartKind::Broker).then(|| "127.0.0.1:9092".to_owned()),
        run: None,
        memory_bytes: Some(1 << 20),
        cpu_seconds: Some(0.5),
        read_bytes: Some(100),
        written_bytes: Some(200),
        says: Some("the disk of database-7 is full".to_owned()),
        says_at_ms: Some(4),
    }
}
