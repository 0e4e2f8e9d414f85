//! The wall clock as every part reads it.
//!
//! A clock can be wrong, and can be set while the laboratory runs; what must not happen then is tested by
//! `coronaz chaos`, which gives a part a file with an offset in the environment variable
//! [`OFFSET_FILE_VARIABLE`]. Without the variable, which is read once, this is the system's clock.

use std::{
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Names a file that holds a number: how many microseconds to add to the system's clock.
pub const OFFSET_FILE_VARIABLE: &str = "CORONAZ_CLOCK_OFFSET_FILE";
/// The file is read again after this long.
const READ_EVERY: Duration = Duration::from_millis(50);

/// Microseconds since 1970.
#[must_use]
pub fn now_us() -> i64 {
    // The process's environment is the same for all its threads, and so is its clock.
    static OFFSET: OnceLock<Option<Offset>> = OnceLock::new();
    let offset = OFFSET.get_or_init(|| std::env::var_os(OFFSET_FILE_VARIABLE).map(Offset::new));
    system_us().saturating_add(offset.as_ref().map_or(0, Offset::value_us))
}

fn system_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)
}

/// An offset in a file.
struct Offset {
    path: PathBuf,
    begun: Instant,
    /// When the file is to be read again, in milliseconds after `begun`.
    due_ms: AtomicU64,
    value_us: AtomicI64,
}

impl Offset {
    fn new(path: impl Into<PathBuf>) -> Self {
        let (due_ms, value_us) = (AtomicU64::new(0), AtomicI64::new(0));
        Offset { path: path.into(), begun: Instant::now(), due_ms, value_us }
    }

    fn value_us(&self) -> i64 {
        let now_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now_ms >= self.due_ms.load(Relaxed) {
            self.due_ms.store(now_ms + READ_EVERY.as_millis() as u64, Relaxed);
            // A file that is not there, or is being written: no offset.
            let text = std::fs::read_to_string(&self.path).unwrap_or_default();
            self.value_us.store(text.trim().parse().unwrap_or(0), Relaxed);
        }
        self.value_us.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_offset_it_is_the_systems_clock() {
        let (before, now, after) = (system_us(), now_us(), system_us());
        assert!((before..=after).contains(&now));
    }

    #[test]
    fn an_offset_in_a_file_is_followed() {
        let path = std::env::temp_dir().join(format!("coronaz-clock-{}", std::process::id()));
        std::fs::write(&path, "-3600000000\n").expect("written");
        let offset = Offset::new(&path);
        assert_eq!(offset.value_us(), -3_600_000_000);
        std::fs::write(&path, "no number").expect("written");
        assert_eq!(offset.value_us(), -3_600_000_000, "not read again so soon");
        offset.due_ms.store(0, Relaxed);
        assert_eq!(offset.value_us(), 0);
        std::fs::remove_file(&path).expect("ours");
    }
}
