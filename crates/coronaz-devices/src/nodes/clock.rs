//! The wall clock, in microseconds and seconds since 1970. All processes align to its seconds.

use std::time::Duration;

use coronaz_wire::{timestamp::SECOND_US, wall_clock};

/// Microseconds since 1970.
pub(crate) fn now_us() -> i64 {
    wall_clock::now_us()
}

/// The second a time lies in.
pub(crate) const fn second_of(time_us: i64) -> i64 {
    time_us.div_euclid(SECOND_US)
}

/// When a second begins.
pub(crate) const fn beginning_us(second: i64) -> i64 {
    second * SECOND_US
}

/// Sleeps for so many microseconds, if any.
pub(crate) fn sleep_us(time_us: i64) {
    if let Ok(time_us) = u64::try_from(time_us) {
        std::thread::sleep(Duration::from_micros(time_us));
    }
}
