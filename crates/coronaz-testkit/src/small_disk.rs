//! A disk that can be full: a file system in memory of a few megabytes, for whoever may mount one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// A small disk, unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one; `None` where that is not allowed.
    ///
    /// # Errors
    /// No folder can be made.
    pub fn of_bytes(bytes: u64) -> io::Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "coronaz-test"])
            .arg(folder.path())
            .output();
        Ok(mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk { folder }))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte but `left`; removing the file that is returned makes room again.
    ///
    /// # Errors
    /// The system refuses for another reason than want of room.
    pub fn fill(&self, left: u64) -> io::Result<PathBuf> {
        let (ballast, reserve) = (self.path().join("ballast"), self.path().join("reserve"));
        fs::write(&reserve, vec![0; usize::try_from(left).unwrap_or(0)])?;
        let mut file = fs::File::create(&ballast)?;
        let piece = vec![0; 64 << 10];
        loop {
            match io::Write::write(&mut file, &piece) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => break,
                Err(error) => return Err(error),
            }
        }
        fs::remove_file(reserve)?;
        Ok(ballast)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, for a file of it may still be open.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).output();
    }
}
