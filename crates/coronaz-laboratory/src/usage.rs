//! What a process takes of the machine, from `/proc`; nothing where there is none.

use std::fs;

/// The kernel counts a process's time in hundredths of a second, whatever its own clock is (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// A process at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Memory that it has, in bytes.
    pub memory_bytes: u64,
    /// Time that it has computed, in seconds.
    pub cpu_seconds: f64,
    /// Bytes that it has read from files, those in the system's cache included; `None` when it is not said.
    pub read_bytes: Option<u64>,
    /// Bytes that it has written to files.
    pub written_bytes: Option<u64>,
    /// Whether it was made to stand still.
    pub is_paused: bool,
}

/// What a process takes; `None` when there is no such process, or no `/proc`.
#[must_use]
pub fn of(pid: u32) -> Option<Usage> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap_or_default();
    parse(&stat, &status, &io)
}

/// What goes over sockets is not among the bytes of `io`: a socket's own calls are not counted.
fn parse(stat: &str, status: &str, io: &str) -> Option<Usage> {
    // The program's name stands in brackets and may contain anything, brackets too.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let is_paused = fields.next()? == "T";
    let mut fields = fields.skip(10);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (ticks()?, ticks()?);
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = memory.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0);
    let counted = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some(Usage {
        memory_bytes: kib * 1024,
        cpu_seconds: (user + system) as f64 / TICKS_PER_SECOND,
        read_bytes: counted("rchar:"),
        written_bytes: counted("wchar:"),
        is_paused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_an_odd_name_is_read() {
        let stat = "77 (a) T (b) T 1 77 77 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 1 2 3";
        let io = "rchar: 300\nwchar: 20\nsyscr: 1\n";
        let usage = parse(stat, "Name:\tx\nVmRSS:\t   2048 kB\n", io).expect("a process");
        let (read_bytes, written_bytes) = (Some(300), Some(20));
        let expected =
            Usage { memory_bytes: 2 << 20, cpu_seconds: 2.0, read_bytes, written_bytes, is_paused: true };
        assert_eq!(usage, expected);
        assert_eq!(parse("77 (a) S", "", ""), None);
    }

    #[test]
    fn this_process_has_memory_and_a_missing_one_nothing() {
        if std::path::Path::new("/proc/self/stat").exists() {
            let usage = of(std::process::id()).expect("this process");
            assert!(usage.memory_bytes > 0 && !usage.is_paused);
        }
        assert_eq!(of(u32::MAX), None);
    }
}
