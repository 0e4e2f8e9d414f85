//! Reads a fleet's frames from a topic, as far as they go, and says what they add up to: how a program of
//! one's own follows a fleet.
//!
//! `cargo run -p coronaz-devices --example read_frames -- HOST:PORT RUN`

use std::{collections::BTreeMap, collections::BTreeSet, error::Error, time::Duration};

use coronaz_bus::{BusConfig, ContentType, Incoming, KafkaSource, Limits, RecordSource, ensure_topic};
use coronaz_wire::frame::{Applied, Frame, Mirror, PEOPLE_MAX};
use uuid::Uuid;

/// Nothing for so long: the end.
const QUIET: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
struct Sums {
    records: u64,
    bytes: u64,
    repeats: u64,
    gaps: u64,
    contacts: u64,
    infections: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let broker = arguments.next().unwrap_or_else(|| "127.0.0.1:9092".to_owned());
    let run: Uuid = arguments.next().ok_or("which run?")?.parse()?;
    let bus = BusConfig::new(broker);
    let mut source = KafkaSource::new(&bus)?;
    for partition in 0..ensure_topic(&bus, QUIET)? {
        source.assign(i32::try_from(partition)?, 0)?;
    }
    let mut mirror = Mirror::new(PEOPLE_MAX);
    let mut sums = Sums::default();
    // A record may be sent again; its identity is (shard, tick, part).
    let mut seen = BTreeSet::new();
    let mut ticks = BTreeMap::new();
    let mut incoming = Vec::new();
    loop {
        incoming.clear();
        source.poll(QUIET, Limits::default(), &mut incoming)?;
        if incoming.is_empty() {
            break;
        }
        for message in &incoming {
            let Incoming::Record(message) = message else { continue };
            if message.content_type != ContentType::FRAME {
                continue;
            }
            let frame = Frame::decode(&message.payload)?;
            let stamp = &frame.header.stamp;
            if stamp.population.run != run {
                continue;
            }
            sums.records += 1;
            sums.bytes += message.payload.len() as u64;
            if seen.insert((stamp.shard, stamp.tick, frame.header.part)) {
                sums.contacts += frame.contacts().map(|c| 1 + u64::from(c.mutual)).sum::<u64>();
                sums.infections += frame.infections().count() as u64;
            }
            match mirror.apply(&frame)? {
                Applied::Whole(tick) => *ticks.entry(tick).or_insert(0) += 1,
                Applied::Part => {}
                Applied::Repeat => sums.repeats += 1,
                Applied::Gap => sums.gaps += 1,
            }
        }
    }
    println!("{sums:?}");
    println!("whole at {:?}; {} ticks seen whole, {:?}", mirror.whole_at(), ticks.len(), mirror.census());
    Ok(())
}
