//! What the driver's errors mean to us. No text of it names the password: the URL is told without it.

use super::url::MongoUrl;
use crate::error::FoundOffset;
use crate::{CommitError, StoreError};
use mongodb::error::{Error, ErrorKind, WriteFailure};

/// The server's code for a key that is there already.
pub(super) const DUPLICATE: i32 = 11000;

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The driver or the server says so.
    Driver(Error),
    /// A document lacks this field.
    Damaged(&'static str),
    /// The partition is another's, or the batch is in.
    Fenced(FoundOffset),
    /// The server takes none of that, and would not next time either.
    Refused(String),
    /// A question whose answer is an error.
    Store(StoreError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Trouble {
    /// As the readers' error.
    pub(super) fn of_store(self, url: &MongoUrl) -> StoreError {
        let location = url.to_string();
        match self {
            Self::Store(error) => error,
            Self::Driver(error) => unavailable(url, &error),
            Self::Damaged(field) => StoreError::NotAStore {
                location,
                reason: format!("a document has no field {field:?} of the kind expected"),
            },
            Self::Refused(reason) => StoreError::Unavailable { location, reason, source: None },
            Self::Fenced(found) => {
                StoreError::Unavailable { location, reason: format!("fenced: {found}"), source: None }
            }
        }
    }

    /// As a commit's error.
    pub(super) fn of_commit(self, url: &MongoUrl, partition: i32, expected: (i64, i64)) -> CommitError {
        match self {
            Self::Fenced(found) => CommitError::Fenced { partition, expected, found },
            Self::Refused(reason) => CommitError::Refused { reason },
            Self::Driver(error) if refuses_content(&error) => {
                CommitError::Refused { reason: url.redacted(&error.to_string()) }
            }
            other => CommitError::Store(other.of_store(url)),
        }
    }
}

fn unavailable(url: &MongoUrl, error: &Error) -> StoreError {
    let reason = match &*error.kind {
        ErrorKind::ServerSelection { .. } => "no server answers there".to_owned(),
        ErrorKind::Authentication { message, .. } => format!("it does not let us in: {message}"),
        _ => error.to_string(),
    };
    // The driver's error is not kept as the source: it may tell the whole URL.
    StoreError::Unavailable { location: url.to_string(), reason: url.redacted(&reason), source: None }
}

/// Whether the server says that what was to be written is wrong, rather than that it cannot write now: then it would
/// say so again.
fn refuses_content(error: &Error) -> bool {
    // BadValue, TypeMismatch, InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge and the like.
    const CODES: [i32; 7] = [2, 14, 22, 121, 10334, 17280, 52];
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => CODES.contains(&error.code),
        ErrorKind::InsertMany(many) => {
            many.write_errors.iter().flatten().any(|error| CODES.contains(&error.code))
        }
        ErrorKind::Command(error) => CODES.contains(&error.code),
        ErrorKind::InvalidArgument { .. } | ErrorKind::Bson(_) => true,
        _ => false,
    }
}

/// Whether a single document was not written because its key is there already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE,
        _ => false,
    }
}

/// Of documents written together, the places of those whose key was there already; `None` when anything else failed.
pub(super) fn duplicates(error: &Error) -> Option<Vec<usize>> {
    let ErrorKind::InsertMany(many) = &*error.kind else { return None };
    if many.write_concern_error.is_some() {
        return None;
    }
    let errors = many.write_errors.as_deref().unwrap_or_default();
    errors
        .iter()
        .all(|error| error.code == DUPLICATE)
        .then(|| errors.iter().map(|error| error.index).collect())
}
