//! What the whole process refused: one line a second at most, whatever the number of its threads.

use std::{
    net::SocketAddrV4,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use coronaz_radio::{RefusalLog, Refusals};

/// The sum over all groups.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    sum: Mutex<Sum>,
}

#[derive(Debug, Default)]
struct Sum {
    refusals: Refusals,
    from: Option<SocketAddrV4>,
    log: RefusalLog,
}

impl Refused {
    /// Adds what a group refused, and logs what is new if a second has passed since the last line.
    pub(crate) fn tell(&self, new: &Refusals, from: Option<SocketAddrV4>) {
        let Sum { refusals, from: last, log } = &mut *self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        if new.total() > 0 {
            refusals.add(new);
            *last = from;
        }
        log.tell(refusals, *last, Instant::now());
    }
}
