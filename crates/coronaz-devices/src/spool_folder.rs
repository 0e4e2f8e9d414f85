//! The folder of a spool, which one process has at a time; the same for devices' contacts and a fleet's frames.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Why the spool cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Another process has it.
    #[error("the spool {} is in use by another process; give each its own --spool", dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// The operating system refused.
    #[error("the spool {} cannot be {doing}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// What the system refused, as it has to be told.
pub(crate) fn failed<'a>(path: &'a Path, doing: &'static str) -> impl FnOnce(io::Error) -> SpoolError + 'a {
    move |source| SpoolError::Io { path: path.to_owned(), doing, source }
}

/// Makes the folder if need be, and keeps other processes out of it for as long as the file is held.
///
/// # Errors
/// In use by another process, or the system refuses.
pub(crate) fn claim(dir: &Path) -> Result<File, SpoolError> {
    fs::create_dir_all(dir).map_err(failed(dir, "made"))?;
    let lock_path = dir.join("lock");
    let lock = File::create(&lock_path).map_err(failed(&lock_path, "locked"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(&lock_path, "locked")(source)),
    }
}
