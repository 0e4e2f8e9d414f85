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
    clear_folder(&lock_path)?;
    let lock = File::create(&lock_path).map_err(failed(&lock_path, "locked"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(&lock_path, "locked")(source)),
    }
}

/// Names for what is set aside; then the last is used again.
const SET_ASIDE_MAX: u32 = 8;

/// A name beside `path` for what is damaged: `NAME.damaged`, or with a number.
fn aside(path: &Path) -> PathBuf {
    let name = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 1 { ".damaged".to_owned() } else { format!(".damaged-{number}") });
        PathBuf::from(name)
    };
    (1..SET_ASIDE_MAX).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(SET_ASIDE_MAX))
}

/// Keeps a copy of a damaged file for whoever wants to look at it; gives its name.
///
/// # Errors
/// The system refuses; then nothing was changed.
pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, SpoolError> {
    let aside = aside(path);
    fs::copy(path, &aside).map_err(failed(path, "set aside"))?;
    Ok(aside)
}

/// Moves a folder out of the way that has the name of one of our files. It is kept, and said to be.
///
/// # Errors
/// The system refuses.
pub(crate) fn clear_folder(path: &Path) -> Result<(), SpoolError> {
    if !path.is_dir() {
        return Ok(());
    }
    let aside = aside(path);
    fs::rename(path, &aside).map_err(failed(path, "set aside"))?;
    tracing::warn!(
        path = %path.display(), aside = %aside.display(),
        "a folder has the name of a spool's file; it is set aside"
    );
    Ok(())
}
