//! Waits until everything on the topic is in the store.

use std::time::{Duration, Instant};

use coronaz_bus::{BusConfig, TopicEnds, ensure_topic};
use coronaz_store::{Queries, StoreLocation};

/// One question to the broker takes no longer than this.
const ASK_WITHIN: Duration = Duration::from_secs(2);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Waits until the store's offsets are the topic's ends; blocks. How long it took, or what is missing after `within`.
pub(super) fn settle(bus: &BusConfig, store: &StoreLocation, within: Duration) -> Result<Duration, String> {
    let begun = Instant::now();
    let partitions = ensure_topic(bus, within).map_err(|error| error.to_string())?;
    let partitions: Vec<i32> = (0..i32::try_from(partitions).unwrap_or(i32::MAX)).collect();
    let topic = TopicEnds::new(bus).map_err(|error| error.to_string())?;
    let store = store.queries();
    loop {
        let missing = missing(&topic, &partitions, store.as_ref());
        if missing == Ok(0) {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > within {
            let seconds = within.as_secs();
            return Err(match missing {
                Ok(records) => {
                    format!("{records} records are on the topic and not in the store after {seconds} s")
                }
                Err(reason) => format!("not all is known to be in the store after {seconds} s: {reason}"),
            });
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Records on the topic that are not in the store.
fn missing(topic: &TopicEnds, partitions: &[i32], store: &dyn Queries) -> Result<u64, String> {
    let offsets = store.offsets().map_err(|error| error.to_string())?;
    let mut missing = 0;
    for (partition, ends) in topic.ask(partitions, ASK_WITHIN).map_err(|error| error.to_string())? {
        let next =
            offsets.iter().find(|stored| stored.partition == partition).map_or(0, |stored| stored.next);
        missing += ends.lag_records(next);
    }
    Ok(missing)
}
