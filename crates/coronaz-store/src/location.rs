//! Which store a URL names.

use crate::mongodb::{MongoAdministration, MongoIngestion, MongoQueries, MongoUrl};
use crate::sqlite::{SqliteAdministration, SqliteIngestion, SqliteQueries, settle_file};
use crate::{Administration, Ingestion, Queries, StoreError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// Where a store is: `sqlite:PATH` or a path alone, or `mongodb://…`. Shown, it has no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreLocation {
    /// The embedded store, a file.
    Sqlite(PathBuf),
    /// A MongoDB, or what speaks its protocol.
    Mongo(MongoUrl),
}

/// A text that names no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseLocationError {
    /// Nothing after `sqlite:`.
    #[error("a store needs a path, like sqlite:coronaz-data/store.db")]
    Empty,
    /// Another scheme.
    #[error("no store is called {scheme:?}; write sqlite:PATH or mongodb://HOST:PORT/DATABASE")]
    UnknownScheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// Not a MongoDB's address.
    #[error("this is no address of a MongoDB: {detail}; write mongodb://USER@HOST:PORT/DATABASE")]
    Mongo {
        /// What is wrong; without the password.
        detail: String,
    },
}

impl StoreLocation {
    /// The writing side. Nothing is opened before it is used.
    pub fn ingestion(&self) -> Box<dyn Ingestion> {
        match self {
            Self::Sqlite(path) => Box::new(SqliteIngestion::new(path)),
            Self::Mongo(url) => Box::new(MongoIngestion::new(url)),
        }
    }

    /// The reading side. Nothing is opened before it is used, so the store may come later.
    pub fn queries(&self) -> Arc<dyn Queries> {
        match self {
            Self::Sqlite(path) => Arc::new(SqliteQueries::new(path)),
            Self::Mongo(url) => Arc::new(MongoQueries::new(url)),
        }
    }
}

impl StoreLocation {
    /// Leaves an embedded store so that a copy of its one file is whole, for a process that has read it and stops. There
    /// is nothing to do for others, nor where somebody writes on.
    ///
    /// # Errors
    /// The file cannot be written, or is none of ours.
    pub fn settle(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(path) => settle_file(path),
            Self::Mongo(_) => Ok(()),
        }
    }

    /// The side that deletes runs. Nothing is opened before it is used.
    pub fn administration(&self) -> Box<dyn Administration> {
        match self {
            Self::Sqlite(path) => Box::new(SqliteAdministration::new(path)),
            Self::Mongo(url) => Box::new(MongoAdministration::new(url)),
        }
    }
}

impl From<&Path> for StoreLocation {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }
}

impl FromStr for StoreLocation {
    type Err = ParseLocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = match text.split_once(':') {
            Some(("sqlite", path)) => path,
            Some(("mongodb" | "mongodb+srv", _)) => return MongoUrl::parse(text).map(Self::Mongo),
            Some((scheme, rest))
                if rest.starts_with("//") || scheme.chars().all(|c| c.is_ascii_alphanumeric()) =>
            {
                return Err(ParseLocationError::UnknownScheme { scheme: scheme.to_owned() });
            }
            _ => text,
        };
        if path.is_empty() {
            return Err(ParseLocationError::Empty);
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Mongo(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_and_without_the_scheme_is_the_same_store() {
        let with: StoreLocation = "sqlite:data/store.db".parse().expect("a store");
        let without: StoreLocation = "data/store.db".parse().expect("a store");
        assert_eq!(with, without);
        assert_eq!(with.to_string(), "sqlite:data/store.db");
    }

    #[test]
    fn other_schemes_and_nothing_are_refused() {
        assert_eq!("sqlite:".parse::<StoreLocation>(), Err(ParseLocationError::Empty));
        let other = "postgres://host/db".parse::<StoreLocation>();
        assert_eq!(other, Err(ParseLocationError::UnknownScheme { scheme: "postgres".into() }));
        assert!(matches!("mongodb://".parse::<StoreLocation>(), Err(ParseLocationError::Mongo { .. })));
    }

    #[test]
    fn a_mongodb_is_shown_without_its_password() {
        let store: StoreLocation = "mongodb://me:secret@host:27017/lab".parse().expect("a store");
        assert_eq!(store.to_string(), "mongodb://me@host:27017/lab");
        assert!(!format!("{store:?}").contains("secret"));
    }
}
