//! The folder that holds everything a laboratory keeps, and the lock that one laboratory has on it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, Mode, flock},
    process::umask,
};

/// What a laboratory keeps in its folder. Other things in it are none of its business.
const OWN_NAMES: [&str; 14] = [
    "lock",
    "store.db",
    "store.db-wal",
    "store.db-shm",
    "broker",
    "spool",
    "logs",
    "runs",
    "runs.json",
    "checkpoints",
    "journal",
    "operator-token",
    "chaos",
    "control.sock",
];

/// A process's number is shorter.
const PID_BYTES_MAX: usize = 16;

/// A data folder, locked for this process until dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // Held, not read: closing it gives up the lock.
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made or written.
    #[error("cannot use {path} as data folder")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Another laboratory runs on it.
    #[error(
        "another laboratory (process {pid}) runs on {path}; stop it, or choose another folder with --data-dir"
    )]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Who holds it, as far as the lock file tells.
        pid: String,
    },
}

impl DataDir {
    /// Makes the folder if need be, readable by its owner alone, and locks it. What is in it becomes, and what this process
    /// and its parts make from now on is, readable by its owner alone, whatever the umask was: this sets it.
    ///
    /// # Errors
    /// When it cannot be written, or another laboratory holds it.
    pub fn open(path: &Path) -> Result<DataDir, DataDirError> {
        let io_error = |source| DataDirError::Io { path: path.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error)?;
        let path = path.canonicalize().map_err(io_error)?;
        umask(Mode::RWXG | Mode::RWXO);
        let mut lock = (File::options().create(true).read(true).write(true).truncate(false))
            .open(path.join("lock"))
            .map_err(io_error)?;
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = [0; PID_BYTES_MAX];
            // Who it is is a help, no more: an unreadable lock file leaves it unknown.
            let length = lock.read(&mut pid).unwrap_or(0);
            let pid = std::str::from_utf8(&pid[..length]).unwrap_or_default().trim();
            let pid = if pid.parse::<u32>().is_ok() { pid } else { "unknown" }.to_owned();
            return Err(DataDirError::Locked { path, pid });
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(io_error)?;
        for folder in ["logs", "spool", "runs", "checkpoints"] {
            fs::create_dir_all(path.join(folder)).map_err(io_error)?;
        }
        close_to_others(&path).map_err(io_error)?;
        Ok(DataDir { path, _lock: lock })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The embedded broker's folder.
    #[must_use]
    pub fn broker_folder(&self) -> PathBuf {
        self.path.join("broker")
    }

    /// The embedded store's file.
    #[must_use]
    pub fn store_file(&self) -> PathBuf {
        self.path.join("store.db")
    }

    /// Where a part's log goes.
    #[must_use]
    pub fn log_file(&self, part: &str) -> PathBuf {
        self.path.join("logs").join(format!("{part}.log"))
    }

    /// Where fleets keep what they go on from after they were killed.
    #[must_use]
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The list of runs.
    #[must_use]
    pub fn register_file(&self) -> PathBuf {
        self.path.join("runs.json")
    }

    /// The scenario file of a run that was started while the laboratory ran.
    #[must_use]
    pub fn run_file(&self, run: uuid::Uuid) -> PathBuf {
        self.path.join("runs").join(format!("{run}.toml"))
    }

    /// The folder of a run's spools.
    #[must_use]
    pub fn spools(&self, run: uuid::Uuid) -> PathBuf {
        self.path.join("spool").join(run.to_string())
    }

    /// The operator's token.
    #[must_use]
    pub fn token_file(&self) -> PathBuf {
        self.path.join("operator-token")
    }

    /// Browsers that are signed in.
    #[must_use]
    pub fn session_file(&self) -> PathBuf {
        self.path.join("sessions")
    }

    /// The spool folder of a group of devices of a run.
    #[must_use]
    pub fn spool(&self, run: uuid::Uuid, group: &str) -> PathBuf {
        self.path.join("spool").join(run.to_string()).join(group)
    }
}

/// Takes from others the right to what an earlier laboratory left in the folder.
fn close_to_others(folder: &Path) -> io::Result<()> {
    for name in OWN_NAMES {
        let path = folder.join(name);
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let mut permissions = metadata.permissions();
        if !metadata.is_symlink() && permissions.mode() & 0o077 != 0 {
            permissions.set_mode(permissions.mode() & 0o700);
            fs::set_permissions(&path, permissions)?;
        }
    }
    Ok(())
}

/// The control socket of the laboratory on a data folder.
#[must_use]
pub fn control_socket(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_an_open_folder_of_another_umask_everything_is_the_owners_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        umask(Mode::empty());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        for name in ["store.db", "runs.json", "notes.txt"] {
            fs::write(folder.path().join(name), "earlier").expect("written");
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o666)).expect("ours");
        }
        let held = DataDir::open(folder.path()).expect("free");
        fs::write(held.log_file("serve"), "later").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        for entry in fs::read_dir(folder.path()).expect("readable") {
            let path = entry.expect("a name").path();
            let expected = match path.file_name().and_then(|name| name.to_str()) {
                Some("notes.txt") => 0o666,
                _ if path.is_dir() => 0o700,
                _ => 0o600,
            };
            assert_eq!(mode(&path), expected, "{}", path.display());
        }
        assert_eq!(mode(&held.log_file("serve")), 0o600);
    }

    #[test]
    fn two_laboratories_do_not_share_a_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = DataDir::open(folder.path()).expect("free");
        let error = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        assert!(DataDir::open(folder.path()).is_ok());
    }

    #[test]
    fn a_lock_file_of_any_content_keeps_one_out_and_lets_one_in() {
        for content in [&b""[..], b"x", b"\xff\xff", b"12\n34", &[b'9'; 5_000]] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("lock"), content).expect("a file");
            let first = DataDir::open(folder.path()).expect("free");
            fs::write(folder.path().join("lock"), content).expect("a file");
            let error = DataDir::open(folder.path()).unwrap_err().to_string();
            assert!(error.contains("another laboratory (process unknown)"), "{error}");
            drop(first);
        }
    }
}
