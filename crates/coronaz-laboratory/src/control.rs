//! The control socket: one JSON line asks, one JSON line answers (`coronaz_wire::control`).
//!
//! It lies in the data folder, which only its owner can enter; who can open it is the operator.

use std::{
    fs::{self, DirBuilder, Permissions},
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use coronaz_wire::control::{
    ANSWER_BYTES_MAX, ANSWER_SECONDS_MAX, REQUEST_BYTES_MAX, Reason, Refusal, SocketAddress,
};
pub use coronaz_wire::control::{Answer, Request};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, unix::OwnedReadHalf},
    sync::{Semaphore, mpsc, oneshot},
};

use crate::{data_dir::control_socket, set_aside::set_aside};

/// Why a laboratory could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error(
        "no laboratory runs on {data_dir}; start one with `coronaz up`, or name its folder with --data-dir"
    )]
    NotRunning {
        /// The folder.
        data_dir: PathBuf,
    },
    /// The conversation broke off.
    #[error("the laboratory on {data_dir} does not answer")]
    Io {
        /// The folder.
        data_dir: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// A request on its way to whoever runs the laboratory, and where the answer goes.
pub type Asked = (Request, oneshot::Sender<Answer>);

/// Requests waiting to be carried out; more shells than this at once are made to wait.
pub const REQUESTS_MAX: usize = 16;
/// Conversations at once; more wait in the socket's queue.
const CONVERSATIONS_MAX: usize = 32;
/// Whoever connects says something soon.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);

/// Opens the control socket of a data folder that the caller has locked. Whatever the folder's mode and the process's umask,
/// its owner alone can open it at every moment: it is made in a folder of its own, and moved out of it when it is closed to
/// others.
///
/// # Errors
/// What the system says.
pub fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let path = control_socket(data_dir);
    let private = data_dir.join("control.new");
    match fs::remove_dir_all(&private) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => DirBuilder::new().mode(0o700).create(&private)?,
    }
    let made = private.join("sock");
    let listener = std::os::unix::net::UnixListener::bind(SocketAddress::of(&made)?.path())?;
    fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    if path.is_dir() {
        let kept = set_aside(&path)?;
        tracing::warn!("{} is no socket; it is kept as {}", path.display(), kept.display());
    }
    fs::rename(&made, &path)?;
    fs::remove_dir(&private)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Takes requests for as long as the receiver lives.
pub async fn serve(listener: UnixListener, requests: mpsc::Sender<Asked>) {
    let places = std::sync::Arc::new(Semaphore::new(CONVERSATIONS_MAX));
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else { return };
        let requests = requests.clone();
        tokio::spawn(async move {
            let _place = place;
            let (reading, mut writing) = stream.into_split();
            let Ok(Ok(line)) = tokio::time::timeout(REQUEST_TIME_MAX, read_line(reading)).await else {
                return;
            };
            let answer = match Request::decode(&line) {
                Ok(request) => {
                    let (answer, answered) = oneshot::channel();
                    if requests.send((request, answer)).await.is_err() {
                        return;
                    }
                    let stopping = || Refusal::new(Reason::Failed, "the laboratory is stopping").into();
                    answered.await.unwrap_or_else(|_| stopping())
                }
                Err(error) => Refusal::new(Reason::Wrong, format!("not a request: {error}")).into(),
            };
            // The asker may have gone; what it asked for is done all the same.
            let _ = writing.write_all(&answer.encode()).await;
        });
    }
}

async fn read_line(reading: OwnedReadHalf) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let limit = REQUEST_BYTES_MAX as u64 + 1;
    tokio::io::BufReader::new(reading.take(limit)).read_until(b'\n', &mut line).await?;
    Ok(line)
}

/// Asks the laboratory that runs on a data folder.
///
/// # Errors
/// None runs there, or it does not answer within 10 s.
pub fn ask(data_dir: &Path, request: &Request) -> Result<Answer, AskError> {
    let not_running = |_| AskError::NotRunning { data_dir: data_dir.to_owned() };
    let address = SocketAddress::of(&control_socket(data_dir)).map_err(not_running)?;
    let stream = UnixStream::connect(address.path()).map_err(not_running)?;
    converse(stream, request).map_err(|source| AskError::Io { data_dir: data_dir.to_owned(), source })
}

fn converse(mut stream: UnixStream, request: &Request) -> io::Result<Answer> {
    stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
    stream.write_all(&request.encode())?;
    let mut line = Vec::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX as u64 + 1)).read_until(b'\n', &mut line)?;
    Answer::decode(&line).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whatever_stands_in_the_sockets_place_is_no_obstacle() {
        for put in [
            |path: &Path| std::fs::write(path, "no socket"),
            |path: &Path| std::fs::create_dir_all(path.join("full")),
            |path: &Path| std::os::unix::fs::symlink("/nowhere", path),
            |path: &Path| std::os::unix::net::UnixListener::bind(path).map(drop),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            put(&control_socket(folder.path())).expect("in its place");
            let (send, _receive) = mpsc::channel::<Asked>(REQUESTS_MAX);
            tokio::spawn(serve(listen(folder.path()).expect("a socket"), send));
            assert!(UnixStream::connect(control_socket(folder.path())).is_ok());
        }
    }

    #[tokio::test]
    async fn another_shell_asks_and_is_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let error = ask(&path, &Request::Status).unwrap_err().to_string();
        assert!(error.contains("no laboratory runs on"), "{error}");
        let (send, mut receive) = mpsc::channel::<Asked>(REQUESTS_MAX);
        tokio::spawn(serve(listen(&path).expect("a socket"), send));
        let add = Request::Add { safe: 3, infected: 1, run: None };
        let asked = add.clone();
        let asking = tokio::task::spawn_blocking(move || ask(&path, &asked));
        let (request, answer) = receive.recv().await.expect("a request");
        assert_eq!(request, add);
        answer.send(Answer::Done("added".to_owned())).expect("the asker waits");
        assert_eq!(asking.await.expect("no panic").expect("an answer"), Answer::Done("added".to_owned()));
    }

    #[tokio::test]
    async fn its_owner_alone_can_open_the_socket_in_a_folder_that_is_open_and_has_a_long_path() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join("long".repeat(50));
        fs::create_dir(&folder).expect("a folder");
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).expect("ours");
        // Also where a process was killed on its way, or something else has its name.
        fs::create_dir_all(folder.join("control.new/left")).expect("a folder");
        fs::create_dir(control_socket(&folder)).expect("a folder");
        let listener = listen(&folder).expect("a socket");
        let mode = fs::metadata(control_socket(&folder)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!folder.join("control.new").exists());
        let (send, _receive) = mpsc::channel::<Asked>(REQUESTS_MAX);
        tokio::spawn(serve(listener, send));
        let address = SocketAddress::of(&control_socket(&folder)).expect("an address");
        assert!(tokio::net::UnixStream::connect(address.path()).await.is_ok());
        drop(listen(&folder).expect("again, over the old one"));
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_and_harms_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let (send, _receive) = mpsc::channel::<Asked>(REQUESTS_MAX);
        tokio::spawn(serve(listen(&path).expect("a socket"), send));
        let say = move |bytes: &[u8]| {
            let mut stream = UnixStream::connect(control_socket(&path)).expect("a socket");
            stream.write_all(bytes).expect("it reads");
            let mut line = Vec::new();
            BufReader::new(stream).read_until(b'\n', &mut line).expect("an answer");
            Answer::decode(&line).expect("an answer")
        };
        let answers = tokio::task::spawn_blocking(move || [say(b"stop\n"), say(b"{\"do\":\"burn\"}\n")]);
        for answer in answers.await.expect("no panic") {
            assert!(matches!(&answer, Answer::Refused(no) if no.reason == Reason::Wrong), "{answer:?}");
        }
    }
}
