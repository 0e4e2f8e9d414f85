//! The file as those see it who write: opened when needed, and again when it is another.

use super::connection::{FileIdentity, open_writer, read_error};
use super::{log_file, schema, soundness};
use crate::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};

/// A file to write to.
pub(super) struct StoreFile {
    path: PathBuf,
    open: Option<(Connection, FileIdentity)>,
    /// How often it was opened.
    openings: u64,
    /// Pages kept in memory, as `pragma cache_size` wants it.
    cache_kib: i64,
}

impl StoreFile {
    pub(super) fn new(path: &Path, cache_kib: i64) -> Self {
        Self { path: path.to_owned(), open: None, openings: 0, cache_kib }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Sets how many pages are kept in memory.
    pub(super) fn set_cache_kib(&mut self, cache_kib: i64) {
        self.cache_kib = cache_kib;
        // It is opened with the new figure when next needed.
        self.open = None;
    }

    /// The connection; opens, or opens again when the file is not the one that was opened. Beside it the number of
    /// openings so far: what somebody remembers of the file is true of one opening alone.
    pub(super) fn connection(&mut self) -> Result<(&mut Connection, u64), StoreError> {
        let identity = FileIdentity::of(&self.path);
        if self.open.as_ref().is_some_and(|(_, opened)| Some(*opened) != identity) {
            tracing::warn!(store = %self.path.display(), "the store's file was removed or replaced");
            self.open = None;
        }
        if self.open.is_none() {
            let mut connection = open_writer(&self.path, self.cache_kib)?;
            soundness::check_whole(&connection, &self.path)?;
            schema::migrate(&mut connection, &self.path)?;
            // What a crash left in the log goes into the file, and so does a new file's schema.
            self.settle_open(&connection);
            let identity = FileIdentity::of(&self.path)
                .ok_or_else(|| self.unavailable("it was removed while it was opened"))?;
            self.open = Some((connection, identity));
            self.openings += 1;
        }
        match &mut self.open {
            Some((connection, _)) => Ok((connection, self.openings)),
            None => unreachable!("it was opened above"),
        }
    }

    /// Copies the log into the file, if it is open.
    pub(super) fn settle(&mut self) {
        if let Some((connection, _)) = &self.open {
            self.settle_open(connection);
        }
    }

    /// What prevents it is somebody who reads or writes just now: the next one does it.
    fn settle_open(&self, connection: &Connection) {
        match log_file::settle(connection) {
            Ok(true) => {}
            Ok(false) => tracing::debug!(store = %self.path.display(), "others keep part of the log"),
            Err(error) => {
                tracing::debug!(store = %self.path.display(), %error, "the log stays beside the file");
            }
        }
    }

    /// Asks something.
    pub(super) fn read<T>(
        &mut self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let answer = ask(self.connection()?.0);
        answer.map_err(|error| read_error(&self.path, error))
    }

    /// Changes something in one transaction.
    pub(super) fn write<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let (connection, _) = self.connection()?;
        let written =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let answer = change(&transaction)?;
                transaction.commit()?;
                Ok(answer)
            });
        written.map_err(|error| read_error(&self.path, error))
    }

    /// An error for want of the file.
    pub(super) fn unavailable(&self, reason: &str) -> StoreError {
        StoreError::Unavailable {
            location: self.path.display().to_string(),
            reason: reason.to_owned(),
            source: None,
        }
    }
}
