//! How many records the broker was ever given: asked now and then, so that the operator sees records wait also while
//! nobody takes them.

use std::{sync::PoisonError, thread, time::Duration};

use coronaz_bus::{BusConfig, TopicEnds, ensure_topic};
use coronaz_laboratory::laboratory::Written;

/// From one question to the next.
const ASKED_EVERY: Duration = Duration::from_secs(1);
/// A broker that is away is waited for this long; the figure is then unknown.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Begins to ask, on a thread of its own, for as long as the process lives.
pub(super) fn watch(brokers: &str, written: Written) {
    let config = BusConfig::new(brokers);
    thread::spawn(move || {
        let set = |records| *written.lock().unwrap_or_else(PoisonError::into_inner) = records;
        let mut partitions = None;
        let Ok(topic) = TopicEnds::new(&config) else { return };
        loop {
            partitions = partitions.or_else(|| ensure_topic(&config, ANSWER_WITHIN).ok());
            let ends = partitions.map_or(Some(Vec::new()), |partitions| ends(&topic, partitions));
            set(ends.filter(|ends| !ends.is_empty()).map(|ends| ends.into_iter().sum()));
            thread::sleep(ASKED_EVERY);
        }
    });
}

/// The end of each partition; `None` while the broker is away.
fn ends(topic: &TopicEnds, partitions: u32) -> Option<Vec<u64>> {
    let partitions: Vec<i32> = (0..i32::try_from(partitions).ok()?).collect();
    let ends = topic.ask(&partitions, ANSWER_WITHIN).ok()?;
    ends.into_values().map(|marks| u64::try_from(marks.high).ok()).collect()
}
