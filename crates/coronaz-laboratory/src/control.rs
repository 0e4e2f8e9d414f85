//! The control socket: one JSON line asks, one JSON line answers.
//!
//! It lies in the data folder, which only its owner can enter; who can open it is the operator.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt},
    net::UnixListener,
    sync::{mpsc, oneshot},
};

use crate::{data_dir::control_socket, part::Status};

/// What another shell can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// More people.
    Add {
        /// Safe ones.
        safe: u32,
        /// Infected ones.
        infected: u32,
    },
    /// How the parts are.
    Status,
    /// Kills a part's process with SIGKILL; it comes back.
    Kill {
        /// The part.
        part: String,
    },
    /// Stops a part's process with SIGSTOP.
    Pause {
        /// The part.
        part: String,
    },
    /// Lets a paused part go on.
    Resume {
        /// The part.
        part: String,
    },
    /// Stops the laboratory.
    Stop,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done.
    Done(String),
    /// How the parts are.
    Parts(Vec<Status>),
    /// It was not done, and why.
    Refused(String),
}

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

/// A request is a short line; a longer one is nobody's we know.
const REQUEST_BYTES_MAX: u64 = 4 * 1024;
/// Requests waiting to be carried out; more shells than this at once are made to wait.
pub const REQUESTS_MAX: usize = 16;

/// Opens the control socket of a data folder that the caller has locked.
///
/// # Errors
/// What the system says.
pub fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let path = control_socket(data_dir);
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    UnixListener::bind(path)
}

/// Takes requests for as long as the receiver lives.
pub async fn serve(listener: UnixListener, requests: mpsc::Sender<Asked>) {
    while let Ok((stream, _)) = listener.accept().await {
        let requests = requests.clone();
        tokio::spawn(async move {
            let (reading, mut writing) = stream.into_split();
            let mut line = String::new();
            let mut reading = tokio::io::BufReader::new(reading.take(REQUEST_BYTES_MAX));
            if reading.read_line(&mut line).await.is_err() {
                return;
            }
            let answer = match serde_json::from_str(&line) {
                Ok(request) => {
                    let (answer, answered) = oneshot::channel();
                    if requests.send((request, answer)).await.is_err() {
                        return;
                    }
                    answered
                        .await
                        .unwrap_or_else(|_| Answer::Refused("the laboratory is stopping".to_owned()))
                }
                Err(error) => Answer::Refused(format!("not a request: {error}")),
            };
            let mut text = serde_json::to_string(&answer).expect("an answer can be written as JSON");
            text.push('\n');
            // The asker may have gone; what it asked for is done all the same.
            let _ = writing.write_all(text.as_bytes()).await;
        });
    }
}

/// Asks the laboratory that runs on a data folder.
///
/// # Errors
/// None runs there, or it does not answer within 10 s.
pub fn ask(data_dir: &Path, request: &Request) -> Result<Answer, AskError> {
    let not_running = |_| AskError::NotRunning { data_dir: data_dir.to_owned() };
    let stream = UnixStream::connect(control_socket(data_dir)).map_err(not_running)?;
    converse(stream, request).map_err(|source| AskError::Io { data_dir: data_dir.to_owned(), source })
}

fn converse(mut stream: UnixStream, request: &Request) -> io::Result<Answer> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut text = serde_json::to_string(request)?;
    text.push('\n');
    stream.write_all(text.as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn another_shell_asks_and_is_answered() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let error = ask(&path, &Request::Status).unwrap_err().to_string();
        assert!(error.contains("no laboratory runs on"), "{error}");
        let (send, mut receive) = mpsc::channel::<Asked>(REQUESTS_MAX);
        tokio::spawn(serve(listen(&path).expect("a socket"), send));
        let asking = tokio::task::spawn_blocking(move || ask(&path, &Request::Add { safe: 3, infected: 1 }));
        let (request, answer) = receive.recv().await.expect("a request");
        assert_eq!(request, Request::Add { safe: 3, infected: 1 });
        answer.send(Answer::Done("added".to_owned())).expect("the asker waits");
        assert_eq!(asking.await.expect("no panic").expect("an answer"), Answer::Done("added".to_owned()));
    }
}
