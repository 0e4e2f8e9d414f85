//! Damaged files: moved out of the way under a name of their own, so that a laboratory starts and nothing is thrown away.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Damaged files kept of one name; beyond it, the last one is replaced.
const KEPT_MAX: u32 = 100;

/// Renames a damaged file to `NAME.damaged-1`, or the next number that is free, and says to what.
///
/// # Errors
/// What the system says.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let named = |number: u32| path.with_file_name(format!("{name}.damaged-{number}"));
    let free = (1..KEPT_MAX).map(named).find(|aside| aside.symlink_metadata().is_err());
    let aside = free.unwrap_or_else(|| named(KEPT_MAX));
    fs::rename(path, &aside)?;
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_damaged_file_is_kept_under_a_number_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("runs.json");
        for number in 1..=2 {
            fs::write(&path, number.to_string()).expect("written");
            let aside = set_aside(&path).expect("moved");
            assert_eq!(aside, folder.path().join(format!("runs.json.damaged-{number}")));
            assert_eq!(fs::read_to_string(aside).expect("kept"), number.to_string());
        }
        assert!(!path.exists());
    }
}
