//! What expires, and what is secured on disk, from time to time.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::answer::Broker;
use crate::partition::Partition;
use crate::topic::Topic;

/// How often it is looked for what has expired, and closed segments are sealed.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks after the topics until the other end of `stop` is dropped. With `sync_every`, has the system
/// write to the disk what was appended, as often as that.
pub(crate) fn keep(broker: &Arc<Broker>, sync_every: Option<Duration>, stop: &Receiver<()>) {
    let pause = sync_every.map_or(LOOK_EVERY, |every| every.min(LOOK_EVERY));
    let mut looked = Instant::now();
    // Of the partitions, by name, what was on the disk when last seen to.
    let mut synced = HashMap::new();
    while stop.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        if sync_every.is_some() {
            broker.groups.sync_to_disk();
            for (name, topic) in broker.data.topics() {
                sync(&name, &topic, &mut synced);
            }
        }
        if looked.elapsed() >= LOOK_EVERY {
            looked = Instant::now();
            broker.groups.look_after();
            for (name, topic) in broker.data.topics() {
                look_after(&name, &topic);
            }
        }
    }
}

/// Has the disk hold what was appended since the last time.
fn sync(name: &str, topic: &Topic, synced: &mut HashMap<(String, usize), i64>) {
    for (number, partition) in topic.partitions.iter().enumerate() {
        // What was closed meanwhile, first.
        seal(name, number, partition);
        let (end, file) = partition.with(|log| (log.end(), log.active_file()));
        let before = synced.entry((name.to_owned(), number)).or_insert(-1);
        if *before != end {
            match file.and_then(|file| file.sync_data()) {
                Ok(()) => *before = end,
                Err(error) => warn!(topic = name, partition = number, %error, "not written to the disk"),
            }
        }
    }
}

fn look_after(name: &str, topic: &Topic) {
    let retention = topic.settings().retention;
    for (number, partition) in topic.partitions.iter().enumerate() {
        match partition.with(|log| log.expire(retention)) {
            Ok(0) => {}
            Ok(segments) => info!(topic = name, partition = number, segments, "expired"),
            Err(error) => warn!(topic = name, partition = number, %error, "expired records were not removed"),
        }
        seal(name, number, partition);
    }
}

/// Has the disk hold closed segments, and says so in their seals. Outside of the partition's lock: the disk
/// may take its time.
fn seal(name: &str, number: usize, partition: &Partition) {
    for (segment, seal) in partition.with(|log| log.unsealed()) {
        let on_disk = File::open(&segment).and_then(|file| file.sync_data());
        match on_disk.and_then(|()| seal.write(&segment)) {
            Ok(()) => partition.with(|log| log.is_sealed(&segment)),
            // Expired or deleted meanwhile, or no room: the next start reads the segment instead.
            Err(error) => info!(topic = name, partition = number, %error, "a segment was not sealed"),
        }
    }
}
