//! Whether the broker is there, as the client's events tell.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use tracing::{debug, info, warn};

/// What the client said last about its brokers.
#[derive(Debug, Default)]
pub(crate) struct Link {
    reachable: AtomicBool,
    fatal: AtomicBool,
    /// A connection was lost since somebody looked.
    lost: AtomicBool,
    /// Partitions of which the broker said since that there is no such offset.
    resets: Mutex<BTreeSet<i32>>,
    /// The last refusal that was logged; the client repeats it at every attempt.
    refusal: Mutex<String>,
}

impl Link {
    pub(crate) fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::Relaxed)
    }

    /// The client said that it cannot go on.
    pub(crate) fn is_fatal(&self) -> bool {
        self.fatal.load(Ordering::Relaxed)
    }

    pub(crate) fn set_reachable(&self, reachable: bool) {
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            info!(reachable, "broker");
        }
    }

    pub(crate) fn set_fatal(&self) {
        self.fatal.store(true, Ordering::Relaxed);
    }

    /// A connection was lost, or what is behind it has changed.
    pub(crate) fn set_lost(&self) {
        self.lost.store(true, Ordering::Relaxed);
    }

    /// Whether a connection was lost since the last call.
    pub(crate) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::Relaxed)
    }

    /// Takes note of what the client's log says of connections and offsets; the log comes in order with the records.
    pub(crate) fn on_log(&self, facility: &str, message: &str) {
        match facility {
            // A connection that could not be made or was lost.
            "FAIL" => self.set_lost(),
            // "coronaz [3]: offset reset (at offset 17 …": there is no such offset, and the client goes to another one.
            "OFFSET" => {
                let partition = message.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
                if let Some(partition) = partition.and_then(|(number, _)| number.parse().ok()) {
                    self.resets.lock().unwrap_or_else(PoisonError::into_inner).insert(partition);
                }
            }
            _ => {}
        }
    }

    /// Partitions of which the broker said since the last call that there is no such offset.
    pub(crate) fn take_resets(&self) -> BTreeSet<i32> {
        std::mem::take(&mut *self.resets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One broker of several may be away; only when none is up the bus is.
    pub(crate) fn on_statistics(&self, statistics: &Statistics) {
        let mut brokers = statistics.brokers.values().filter(|broker| broker.source != "logical");
        let up = brokers.clone().any(|broker| broker.state == "UP");
        // A broker in INIT was not needed so far, or is between two attempts: nothing to learn.
        if up || brokers.any(|broker| ["DOWN", "CONNECT", "TRY_CONNECT"].contains(&broker.state.as_str())) {
            self.set_reachable(up);
        }
    }

    pub(crate) fn on_error(&self, error: &KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AllBrokersDown) => self.set_reachable(false),
            Some(RDKafkaErrorCode::Fatal) => {
                warn!(reason, "the Kafka client starts anew");
                self.set_fatal();
            }
            // A wrong password or certificate does not go away by waiting: whoever runs this has to know.
            Some(RDKafkaErrorCode::Authentication | RDKafkaErrorCode::SSL) => {
                let mut refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
                if *refusal != reason {
                    reason.clone_into(&mut refusal);
                    warn!(reason, "the broker refuses this client");
                }
            }
            _ => {}
        }
        debug!(%error, reason, "Kafka client");
    }
}

/// The client repeats what its errors say; its log is for whoever asks for it.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            warn!(facility, message, "Kafka client");
        }
        _ => debug!(facility, message, "Kafka client"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_clients_log_says_of_connections_and_offsets_is_noted_once() {
        let link = Link::default();
        link.on_log("FAIL", "127.0.0.1:9092/1: Disconnected (after 5ms in state UP)");
        link.on_log(
            "OFFSET",
            "coronaz [3]: offset reset (at offset 17 (leader epoch 0), broker 1) to BEGINNING",
        );
        link.on_log("GETSUBSCRIPTIONS", "[7]");
        assert_eq!((link.take_lost(), link.take_resets()), (true, BTreeSet::from([3])));
        assert_eq!((link.take_lost(), link.take_resets()), (false, BTreeSet::new()));
    }
}
