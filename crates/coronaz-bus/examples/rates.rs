//! Measures a broker: records a second in and out, and the time from one end to the other.
//!
//! ```sh
//! cargo run --release -p coronaz-bus --example rates -- 127.0.0.1:9092 1000000 200 json
//! ```
//!
//! Arguments: brokers, records, bytes each, `json` (no header) or `frame` (with one), and, if it is not
//! to be the default, how many milliseconds a broker with nothing to send may wait. The topic is
//! `coronaz-rates`; its records stay there.

use std::env;
use std::error::Error;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use coronaz_bus::{
    BusConfig, ContentType, Incoming, KafkaSink, KafkaSource, Limits, Record, RecordSink, RecordSource,
    SendError, TopicEnds, ensure_topic,
};

const WAIT: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(20);
/// Records of the latency part, one each 10 ms; the first ones, while the client connects, do not count.
const PROBES: u64 = 600;
const WARM_UP: usize = 100;
/// How long a reader with nothing to read is kept running, to see what that costs the broker.
const IDLE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut config = BusConfig::new(arguments.next().ok_or("brokers?")?);
    let records: u64 = arguments.next().ok_or("records?")?.parse()?;
    let bytes: usize = arguments.next().ok_or("bytes?")?.parse()?;
    let kind = match arguments.next().as_deref() {
        Some("frame") => ContentType::FRAME,
        _ => ContentType::JSON,
    };
    if let Some(wait_ms) = arguments.next() {
        config.fetch_wait = Duration::from_millis(wait_ms.parse()?);
    }
    "coronaz-rates".clone_into(&mut config.topic);
    let partitions = ensure_topic(&config, WAIT)?;
    let mut source = KafkaSource::new(&config)?;
    let all: Vec<i32> = (0..partitions.cast_signed()).collect();
    for (partition, ends) in TopicEnds::new(&config)?.ask(&all, WAIT)? {
        source.assign(partition, ends.high)?;
    }
    source.pause()?;
    produce(&config, records, bytes, &kind)?;
    source.resume()?;
    consume(&mut source, records)?;
    latency(&config, &mut source)?;
    println!("idle for {} s", IDLE.as_secs());
    let until = Instant::now() + IDLE;
    while Instant::now() < until {
        source.poll(STEP, Limits::default(), &mut Vec::new())?;
    }
    Ok(())
}

fn produce(config: &BusConfig, records: u64, bytes: usize, kind: &ContentType) -> Result<(), Box<dyn Error>> {
    let sink = KafkaSink::new(config)?;
    let payload = vec![b'x'; bytes];
    let mut delivered = Vec::new();
    let started = Instant::now();
    for token in 0..records {
        let key = format!("device-{:08}", token % 1000);
        let record = Record { key: key.as_bytes(), payload: &payload, content_type: kind.clone(), token };
        while let Err(error) = sink.send(&record) {
            if error != SendError::QueueFull {
                return Err(error.into());
            }
            sink.deliveries(STEP, &mut delivered);
        }
    }
    while sink.pending() > 0 {
        sink.deliveries(STEP, &mut delivered);
    }
    let failed = delivered.iter().filter(|delivery| delivery.result.is_err()).count();
    report("produced and acknowledged", records, bytes, started);
    println!("  not acknowledged: {failed}");
    Ok(())
}

fn consume(source: &mut KafkaSource, records: u64) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let (mut seen, mut bytes) = (0_u64, 0);
    let mut incoming = Vec::new();
    while seen < records {
        incoming.clear();
        source.poll(STEP, Limits::default(), &mut incoming)?;
        for incoming in &incoming {
            if let Incoming::Record(message) = incoming {
                seen += 1;
                bytes += message.payload.len();
            }
        }
    }
    report("consumed", seen, bytes / usize::try_from(seen.max(1))?, started);
    println!("  {:?}", source.figures());
    Ok(())
}

fn report(what: &str, records: u64, bytes: usize, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    let rate = records as f64 / seconds;
    println!(
        "{what}: {records} of {bytes} B in {seconds:.2} s: {rate:.0}/s, {:.1} MB/s",
        rate * bytes as f64 / 1e6
    );
}

fn now_us() -> Result<u64, Box<dyn Error>> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?)
}

fn latency(config: &BusConfig, source: &mut KafkaSource) -> Result<(), Box<dyn Error>> {
    let sink = KafkaSink::new(config)?;
    let (mut taken_us, mut incoming, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
    let mut next = Instant::now();
    let mut sent = 0;
    while (taken_us.len() as u64) < PROBES {
        if sent < PROBES && Instant::now() >= next {
            let payload = now_us()?.to_string();
            let key = sent.to_string();
            let record = Record {
                key: key.as_bytes(),
                payload: payload.as_bytes(),
                content_type: ContentType::JSON,
                token: sent,
            };
            sink.send(&record)?;
            sent += 1;
            next += Duration::from_millis(10);
            sink.deliveries(Duration::ZERO, &mut delivered);
        }
        incoming.clear();
        source.poll(Duration::from_millis(2), Limits::default(), &mut incoming)?;
        for incoming in &incoming {
            if let Incoming::Record(message) = incoming {
                let sent_us: u64 = std::str::from_utf8(&message.payload)?.parse()?;
                taken_us.push(now_us()?.saturating_sub(sent_us));
            }
        }
    }
    taken_us.drain(..WARM_UP);
    taken_us.sort_unstable();
    let at = |share: f64| taken_us[((taken_us.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
    println!("from send to poll: p50 {:.1} ms, p90 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.9), at(0.99));
    Ok(())
}
