//! What a fault does to one process.

use std::{fs, io, path::Path};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

fn pid_of(pid: u32) -> io::Result<Pid> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no process has this number"))
}

/// Sends a signal.
pub(super) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    Ok(kill_process(pid_of(pid)?, signal)?)
}

/// Lets no write of a process to a file succeed (`RLIMIT_FSIZE` of 0: `EFBIG`); gives the limit before.
pub(super) fn fill_disk(pid: u32) -> io::Result<Rlimit> {
    let pid = pid_of(pid)?;
    // The hard limit stays, so that the soft one can be given back without a privilege.
    let maximum = prlimit_now(pid)?.maximum;
    Ok(prlimit(Some(pid), Resource::Fsize, Rlimit { current: Some(0), maximum })?)
}

/// Gives a process back the limit it had.
pub(super) fn empty_disk(pid: u32, before: Rlimit) -> io::Result<()> {
    prlimit(Some(pid_of(pid)?), Resource::Fsize, before)?;
    Ok(())
}

/// A process's limit of file sizes, read where the system shows it.
fn prlimit_now(pid: Pid) -> io::Result<Rlimit> {
    let limits = fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero()))?;
    let line = limits.lines().find(|line| line.starts_with("Max file size")).unwrap_or_default();
    let mut values = line["Max file size".len().min(line.len())..].split_whitespace();
    let mut value = || values.next().and_then(|word| word.parse().ok());
    Ok(Rlimit { current: value(), maximum: value() })
}

/// Sets the offset of a part's clock; the file is there whole or not at all.
pub(super) fn set_clock(file: &Path, seconds: i64) -> io::Result<()> {
    let aside = file.with_extension("new");
    fs::write(&aside, format!("{}\n", seconds.saturating_mul(1_000_000)))?;
    fs::rename(aside, file)
}

#[cfg(test)]
mod tests {
    use std::{
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    use super::*;

    #[test]
    fn a_process_on_a_full_disk_cannot_write_until_there_is_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        // Writes a line every 20 ms, whether it succeeds or not.
        let script = "trap '' XFSZ; while true; do echo line >> \"$1\"; sleep 0.02; done";
        let mut child = Command::new("/bin/sh")
            .args(["-c", script, "sh"])
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let bytes = || fs::metadata(&file).map_or(0, |metadata| metadata.len());
        let wait_for_more = |than: u64| {
            let until = Instant::now() + Duration::from_secs(10);
            while bytes() <= than {
                assert!(Instant::now() < until, "the file does not grow");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        wait_for_more(0);
        let before = fill_disk(child.id()).expect("our child");
        std::thread::sleep(Duration::from_millis(50));
        let full = bytes();
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(bytes(), full, "nothing was written");
        empty_disk(child.id(), before).expect("our child");
        wait_for_more(full);
        child.kill().expect("our child");
        child.wait().expect("our child");
    }
}
