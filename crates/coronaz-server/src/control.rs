//! The way to the laboratory: its control socket, asked for the operator alone.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use coronaz_wire::{
    DecodeError,
    control::{
        ANSWER_BYTES_MAX, ANSWER_SECONDS_MAX, Answer, Audit, Chaos, Overview, Reason, Refusal, Request,
        SocketAddress,
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

use crate::problem::Problem;

/// Longer than the laboratory takes for any answer.
const PATIENCE: Duration = Duration::from_secs(ANSWER_SECONDS_MAX);

/// The control socket of a laboratory.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    socket: PathBuf,
}

/// Why the laboratory was not asked, or did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// This server has none.
    #[error("no laboratory belongs to this server: it was started without --control")]
    None,
    /// Nobody listens, or the conversation broke off.
    #[error("the laboratory cannot be asked at {path}: {source}")]
    Away { path: String, source: io::Error },
    /// It takes too long.
    #[error("the laboratory does not answer within {} s", PATIENCE.as_secs())]
    Late,
    /// It answers something else: it is of another version.
    #[error("the laboratory's answer is not understood: {0}")]
    Strange(String),
    /// It said no.
    #[error("{0}")]
    Refused(Refusal),
}

impl Control {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Asks; a refusal is an error.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Answer, ControlError> {
        let answered = tokio::time::timeout(PATIENCE, self.converse(request)).await;
        match answered.map_err(|_| ControlError::Late)?? {
            Answer::Refused(refusal) => Err(ControlError::Refused(refusal)),
            answer => Ok(answer),
        }
    }

    /// Asks for something that is only to be done.
    pub(crate) async fn order(&self, request: &Request) -> Result<(), ControlError> {
        self.told(request, |answer| match answer {
            Answer::Done(_) => Ok(()),
            other => Err(Box::new(other)),
        })
        .await
    }

    /// How parts and runs are.
    pub(crate) async fn overview(&self) -> Result<Overview, ControlError> {
        self.told(&Request::Overview, |answer| match answer {
            Answer::Overview(overview) => Ok(overview),
            other => Err(Box::new(other)),
        })
        .await
    }

    /// How the newest audit is.
    pub(crate) async fn audit(&self) -> Result<Audit, ControlError> {
        self.told(&Request::Audit, |answer| match answer {
            Answer::Audit(audit) => Ok(audit),
            other => Err(Box::new(other)),
        })
        .await
    }

    /// How the newest schedule of faults is.
    pub(crate) async fn chaos(&self) -> Result<Chaos, ControlError> {
        self.told(&Request::Chaos, |answer| match answer {
            Answer::Chaos(chaos) => Ok(chaos),
            other => Err(Box::new(other)),
        })
        .await
    }

    /// Asks for what only one kind of answer holds; any other comes from a laboratory of another version.
    async fn told<T>(
        &self,
        request: &Request,
        of: impl FnOnce(Answer) -> Result<T, Box<Answer>>,
    ) -> Result<T, ControlError> {
        of(self.ask(request).await?).map_err(|other| ControlError::strange(&other))
    }

    async fn converse(&self, request: &Request) -> Result<Answer, ControlError> {
        let away = |source| ControlError::Away { path: self.socket.display().to_string(), source };
        let address = SocketAddress::of(&self.socket).map_err(away)?;
        let mut stream = UnixStream::connect(address.path()).await.map_err(away)?;
        stream.write_all(&request.encode()).await.map_err(away)?;
        let mut line = Vec::new();
        let limit = ANSWER_BYTES_MAX as u64 + 1;
        let mut reading = BufReader::new(stream.take(limit));
        reading.read_until(b'\n', &mut line).await.map_err(away)?;
        if line.is_empty() {
            return Err(away(io::ErrorKind::UnexpectedEof.into()));
        }
        Answer::decode(&line).map_err(|error: DecodeError| ControlError::Strange(error.to_string()))
    }
}

impl ControlError {
    /// The answer to another question.
    pub(crate) fn strange(answer: &Answer) -> Self {
        Self::Strange(format!("{answer:?}").chars().take(200).collect())
    }
}

impl From<ControlError> for Problem {
    fn from(error: ControlError) -> Self {
        use axum::http::StatusCode;
        let text = error.to_string();
        let status = match error {
            ControlError::None => StatusCode::NOT_FOUND,
            ControlError::Away { .. } | ControlError::Late | ControlError::Strange(_) => {
                tracing::warn!(error = text, "the laboratory was not asked");
                StatusCode::SERVICE_UNAVAILABLE
            }
            ControlError::Refused(refusal) => match refusal.reason {
                Reason::Unknown => StatusCode::NOT_FOUND,
                Reason::Conflict => StatusCode::CONFLICT,
                Reason::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
                Reason::Failed => StatusCode::SERVICE_UNAVAILABLE,
            },
        };
        Problem::new(status).detail(text)
    }
}
