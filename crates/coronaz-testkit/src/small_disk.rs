//! A disk that can be full: a file system in memory of a few megabytes. Mounting takes rights; who has none gets them in a
//! user and mount namespace of its own.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// Set in the process that has a namespace of its own.
const INSIDE: &str = "CORONAZ_TEST_OWN_MOUNTS";

/// Runs a test that mounts disks: here if that is allowed, else in the same program started again in namespaces of its own, as
/// the one test that it runs. `test` is its name, as `cargo test` says it.
///
/// # Panics
/// The test fails, or there is no way to mount: it says what would be one.
pub fn with_mounts(test: &str, body: impl FnOnce()) {
    let Err(refused) = SmallDisk::of_bytes(1 << 20) else { return body() };
    assert!(env::var_os(INSIDE).is_none(), "{refused}");
    let program = env::current_exe().unwrap_or_else(|error| panic!("this program's own path: {error}"));
    let started = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--"])
        .arg(&program)
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output();
    let output = started.unwrap_or_else(|error| {
        panic!("{refused}; nor is there `unshare` of util-linux ({error}): run the tests as root")
    });
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && said.contains("1 passed"),
        "in a user and mount namespace of its own ({}):\n{said}\nWhere it is `unshare` that failed: run the tests as root, or \
         allow it with `sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0`",
        output.status
    );
}

/// A small disk, unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one; needs the rights to ([`with_mounts`]).
    ///
    /// # Errors
    /// No folder can be made, or `mount` refuses: what it said.
    pub fn of_bytes(bytes: u64) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "coronaz-test"])
            .arg(folder.path())
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("`mount -t tmpfs` is refused: {}", said.trim())));
        }
        Ok(SmallDisk { folder })
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
