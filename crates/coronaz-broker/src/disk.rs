//! What is done with files everywhere: only the broker's own user may look into them, they are there in
//! whole or not at all, and what is damaged is set aside and not deleted.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
/// What a file is called that was set aside: this, its name, and a number.
const ASIDE: &str = ".damaged-";
/// Files of one name that are set aside at most; a folder in which there are more needs a person.
const ASIDE_MAX: u32 = 1000;

/// Options for a file that, if it is created, belongs to this user alone.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(FILE_MODE);
    options
}

/// Creates a folder, and those above it that are missing, for this user alone.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Writes a file so that it is there in whole or not at all, also after a loss of power.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = private().create(true).truncate(true).write(true).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(unfinished, path)
}

/// Renames what cannot be used, so that its place is free and nothing is lost; says so.
///
/// # Errors
/// When it cannot be renamed.
pub(crate) fn set_aside(path: &Path, reason: &str) -> io::Result<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let free = (1..=ASIDE_MAX).map(|number| path.with_file_name(format!("{ASIDE}{name}-{number}")));
    let Some(aside) = free.into_iter().find(|aside| fs::symlink_metadata(aside).is_err()) else {
        return Err(io::Error::other(format!("{ASIDE_MAX} files of this name were set aside already")));
    };
    fs::rename(path, &aside)?;
    warn!(file = %path.display(), set_aside_as = %aside.display(), "{reason}");
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn what_is_created_belongs_to_this_user_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("a/b");
        create_folder(&below).expect("created");
        write_whole(&below.join("file"), b"whole").expect("written");
        assert_eq!((mode(&below), mode(&folder.path().join("a"))), (0o700, 0o700));
        assert_eq!(mode(&below.join("file")), 0o600);
    }

    #[test]
    fn what_is_set_aside_keeps_its_bytes_under_a_name_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("settings");
        for (turn, bytes) in [&b"first"[..], b"second"].iter().enumerate() {
            fs::write(&file, bytes).expect("written");
            let aside = set_aside(&file, "damaged").expect("set aside");
            assert_eq!(aside, folder.path().join(format!(".damaged-settings-{}", turn + 1)));
            assert!(!file.exists());
            assert_eq!(&fs::read(aside).expect("there"), bytes);
        }
    }
}
