//! The folder of the results: written under another name, and renamed when all is in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Files that a run may leave; nothing else is ever removed.
const OURS: &[&str] = &[
    "contacts.csv",
    "contacts.parquet",
    "curve.png",
    "curve.svg",
    "encounters.csv",
    "encounters.parquet",
    "infections.csv",
    "infections.parquet",
    "nodes.csv",
    "nodes.parquet",
    "run.json",
    "scenario.toml",
    "statistics.csv",
    "statistics.parquet",
    "summary.json",
];

/// Results in the making. Dropped before [`publish`](Folder::publish), they are removed.
#[derive(Debug)]
pub struct Folder {
    target: PathBuf,
    making: TempDir,
}

/// Why the results cannot be where they should be.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is there already.
    #[error("{} holds something already; choose another folder, or --force to replace earlier results", .0.display())]
    Taken(PathBuf),
    /// It holds other things than results, or is no folder.
    #[error("{} is not replaced: {other} in it is no result of a simulation", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// What is in it.
        other: String,
    },
    /// The operating system refused.
    #[error("results cannot be written to {}: {source}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Folder {
    /// Prepares a folder for results, which must not be there yet, or be empty. With `replace` it may
    /// also hold earlier results.
    ///
    /// # Errors
    /// It holds something else, or cannot be written.
    pub fn prepare(target: &Path, replace: bool) -> Result<Self, FolderError> {
        let refused = |source| FolderError::Io { path: target.to_owned(), source };
        check(target, replace)?;
        let target = std::path::absolute(target).map_err(refused)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(FolderError::Taken(target));
        };
        fs::create_dir_all(parent).map_err(refused)?;
        let prefix = format!(".{}.", name.display());
        // Beside the target, so that renaming moves no bytes.
        let making = tempfile::Builder::new().prefix(&prefix).suffix(".partial").tempdir_in(parent);
        Ok(Folder { making: making.map_err(refused)?, target })
    }

    /// Where the files are written.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.making.path()
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// Something else came there in the meantime, or the system refuses.
    pub fn publish(self) -> Result<(), FolderError> {
        let refused = |source| FolderError::Io { path: self.target.clone(), source };
        // What came there in the meantime is not ours to replace.
        check(&self.target, true)?;
        readable_by_all(self.making.path()).map_err(refused)?;
        if self.target.exists() {
            for name in OURS {
                remove_if_there(&self.target.join(name)).map_err(refused)?;
            }
        }
        // Takes the place of a folder that is not there, or empty.
        fs::rename(self.making.path(), &self.target).map_err(refused)?;
        let _renamed = self.making.keep();
        Ok(())
    }
}

/// Whether there is nothing at `target` but, with `replace`, earlier results.
fn check(target: &Path, replace: bool) -> Result<(), FolderError> {
    let refused = |source| FolderError::Io { path: target.to_owned(), source };
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(error)),
    };
    for entry in entries {
        let name = entry.map_err(refused)?.file_name();
        if !replace {
            return Err(FolderError::Taken(target.to_owned()));
        }
        if !OURS.iter().any(|ours| name == *ours) {
            return Err(FolderError::NotOurs { path: target.to_owned(), other: name.display().to_string() });
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A temporary folder is its owner's alone; results are like any other file.
#[cfg(unix)]
fn readable_by_all(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // What the user's own settings make of a new folder is found by making one.
    let like = path.join("like");
    fs::create_dir(&like)?;
    let mode = fs::metadata(&like)?.permissions().mode();
    fs::remove_dir(&like)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn readable_by_all(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_there_before_all_is_and_nothing_is_left_of_what_was_given_up() {
        let home = tempfile::tempdir().expect("a folder");
        let target = home.path().join("deep/results");
        let folder = Folder::prepare(&target, false).expect("a new folder");
        fs::write(folder.path().join("summary.json"), "{}").expect("written");
        assert!(!target.exists());
        drop(folder);
        assert_eq!(fs::read_dir(target.parent().expect("deep")).expect("readable").count(), 0);
        let folder = Folder::prepare(&target, false).expect("a new folder");
        fs::write(folder.path().join("summary.json"), "{}").expect("written");
        folder.publish().expect("published");
        assert_eq!(fs::read_to_string(target.join("summary.json")).expect("there"), "{}");
        assert_eq!(fs::read_dir(target.parent().expect("deep")).expect("readable").count(), 1);
    }

    #[test]
    fn earlier_results_are_replaced_only_when_asked_and_other_things_never() {
        let home = tempfile::tempdir().expect("a folder");
        let target = home.path().join("results");
        fs::create_dir(&target).expect("made");
        Folder::prepare(&target, false).expect("an empty folder will do");
        fs::write(target.join("curve.svg"), "old").expect("written");
        assert!(matches!(Folder::prepare(&target, false), Err(FolderError::Taken(_))));
        let folder = Folder::prepare(&target, true).expect("asked for");
        fs::write(folder.path().join("summary.json"), "new").expect("written");
        folder.publish().expect("published");
        assert!(!target.join("curve.svg").exists() && target.join("summary.json").exists());
        fs::write(target.join("thesis.tex"), "years of work").expect("written");
        let error = Folder::prepare(&target, true).expect_err("refused").to_string();
        assert!(error.contains("thesis.tex"), "{error}");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let home = tempfile::tempdir().expect("a folder");
        let target = home.path().join("results");
        fs::write(&target, "a file").expect("written");
        let error = Folder::prepare(&target, true).expect_err("refused").to_string();
        assert!(error.contains("results"), "{error}");
    }
}
