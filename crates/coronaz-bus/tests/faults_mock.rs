//! Faults that no real broker can be made to have on order, over the broker that the client library brings for its own
//! tests: it keeps what it is given, unopened, and fails as it is told to.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use coronaz_bus::{
    BusConfig, ContentType, Delivery, Incoming, KafkaSink, KafkaSource, Limits, Record, RecordSink,
    RecordSource, SendError,
};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
const STEP: Duration = Duration::from_millis(50);

struct Mock {
    cluster: MockCluster<'static, DefaultProducerContext>,
    config: BusConfig,
}

fn mock() -> Mock {
    let cluster = MockCluster::new(1).expect("a broker in this process");
    let mut config = BusConfig::new(cluster.bootstrap_servers());
    config.partitions = 1;
    cluster.create_topic(&config.topic, 1, 1).expect("a topic");
    Mock { cluster, config }
}

impl Mock {
    fn send(&self, numbers: std::ops::Range<u64>) {
        let sink = KafkaSink::new(&self.config).expect("a sink");
        numbers.for_each(|number| send(&sink, number));
        assert!(sink.flush(PATIENCE));
    }

    /// Stores a batch as it is, of `count` records as it says.
    fn store(&self, batch: &[u8]) {
        let mut body = Vec::new();
        body.extend((-1_i16).to_be_bytes());
        body.extend((-1_i16).to_be_bytes());
        body.extend(5_000_i32.to_be_bytes());
        body.extend(1_i32.to_be_bytes());
        body.extend((self.config.topic.len() as i16).to_be_bytes());
        body.extend(self.config.topic.as_bytes());
        body.extend(1_i32.to_be_bytes());
        body.extend(0_i32.to_be_bytes());
        body.extend((batch.len() as i32).to_be_bytes());
        body.extend(batch);
        let mut request = Vec::new();
        request.extend((2 + 2 + 4 + 2 + body.len() as i32).to_be_bytes());
        request.extend(0_i16.to_be_bytes());
        request.extend(7_i16.to_be_bytes());
        request.extend(1_i32.to_be_bytes());
        request.extend(0_i16.to_be_bytes());
        request.extend(body);
        let address = self.config.bootstrap_servers.split(',').next().expect("a broker");
        let mut stream = TcpStream::connect(address).expect("connected");
        stream.write_all(&request).expect("sent");
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("an answer");
        let mut answer = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
        stream.read_exact(&mut answer).expect("the answer");
        let error_at = 4 + 4 + 2 + self.config.topic.len() + 4 + 4;
        assert_eq!(answer[error_at..error_at + 2], [0, 0], "the broker has it");
    }

    /// Reads until `numbers` and so many gaps have come; the gaps.
    fn read(&self, source: &mut KafkaSource, numbers: &BTreeSet<u64>, gaps: usize) -> Vec<(i64, i64)> {
        let (mut came, mut told, until) = (BTreeSet::new(), Vec::new(), Instant::now() + PATIENCE);
        while came != *numbers || told.len() < gaps {
            assert!(Instant::now() < until, "{} of {} came, {told:?}", came.len(), numbers.len());
            let mut incoming = Vec::new();
            source.poll(STEP, Limits::default(), &mut incoming).expect("polled");
            for incoming in incoming {
                match incoming {
                    Incoming::Record(message) => {
                        let text = std::str::from_utf8(&message.payload).expect("text");
                        assert!(came.insert(text.parse().expect("a number")), "{text} came twice");
                    }
                    Incoming::Gap { from, to, .. } => told.push((from, to)),
                    Incoming::Replaced { .. } => panic!("it is the same log"),
                }
            }
        }
        told
    }

    fn source(&self) -> KafkaSource {
        let mut source = KafkaSource::new(&self.config).expect("a source");
        source.assign(0, 0).expect("assigned");
        source
    }
}

fn send(sink: &KafkaSink, number: u64) {
    let payload = number.to_string();
    let record =
        Record { key: b"k", payload: payload.as_bytes(), content_type: ContentType::JSON, token: number };
    let (until, mut deliveries) = (Instant::now() + PATIENCE, Vec::new());
    while let Err(error) = sink.send(&record) {
        assert!(error == SendError::QueueFull && Instant::now() < until, "{error}");
        sink.deliveries(STEP, &mut deliveries);
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 & 0_u32.wrapping_sub(crc & 1)))
    })
}

/// A batch that says it has `count` records, gzip, and is none.
fn no_gzip(count: i32, checksum_is_right: bool) -> Vec<u8> {
    let mut tail = Vec::new();
    tail.extend(1_i16.to_be_bytes());
    tail.extend((count - 1).to_be_bytes());
    tail.extend(0_i64.to_be_bytes());
    tail.extend(0_i64.to_be_bytes());
    tail.extend((-1_i64).to_be_bytes());
    tail.extend((-1_i16).to_be_bytes());
    tail.extend((-1_i32).to_be_bytes());
    tail.extend(count.to_be_bytes());
    tail.extend(b"this is no compressed stream");
    let mut batch = Vec::new();
    batch.extend(0_i64.to_be_bytes());
    batch.extend((4 + 1 + 4 + tail.len() as i32).to_be_bytes());
    batch.extend(0_i32.to_be_bytes());
    batch.push(2);
    batch.extend((crc32c(&tail) ^ u32::from(!checksum_is_right)).to_be_bytes());
    batch.extend(tail);
    batch
}

fn is_passed(batch: &[u8], count: i64, is_last: bool) {
    let mock = mock();
    mock.send(0..10);
    mock.store(batch);
    let mut numbers: BTreeSet<u64> = (0..10).collect();
    if !is_last {
        mock.send(10..20);
        numbers.extend(10..20);
    }
    assert_eq!(mock.read(&mut mock.source(), &numbers, 1), [(10, 10 + count)]);
}

#[test]
fn a_batch_that_nothing_comes_out_of_is_passed_as_a_whole_and_what_follows_is_read() {
    is_passed(&no_gzip(1_000, true), 1_000, false);
}

#[test]
fn a_batch_that_nothing_comes_out_of_is_passed_when_it_is_the_last_one() {
    is_passed(&no_gzip(1_000, true), 1_000, true);
}

#[test]
fn a_batch_that_says_it_has_as_many_records_as_can_be_said_is_passed_as_a_whole() {
    is_passed(&no_gzip(i32::MAX, true), i64::from(i32::MAX), false);
}

#[test]
fn a_batch_with_a_flipped_bit_is_passed_as_a_whole() {
    is_passed(&no_gzip(50, false), 50, false);
    is_passed(&no_gzip(50, false), 50, true);
}

#[test]
fn a_broker_that_says_for_a_while_that_there_is_no_such_offset_is_asked_again_and_nothing_is_skipped() {
    let mock = mock();
    mock.send(0..100);
    let mut source = mock.source();
    mock.read(&mut source, &(0..100).collect(), 0);
    mock.cluster
        .request_errors(RDKafkaApiKey::Fetch, &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE; 3]);
    // What the client reads meanwhile, from the beginning, was handed out before.
    let (until, mut incoming) = (Instant::now() + PATIENCE, Vec::new());
    while source.figures().refetches == 0 {
        assert!(Instant::now() < until, "it goes on by itself");
        source.poll(STEP, Limits::default(), &mut incoming).expect("polled");
    }
    assert_eq!(incoming, []);
    mock.send(100..120);
    assert_eq!(mock.read(&mut source, &(100..120).collect(), 0), []);
    assert_eq!((source.figures().records, source.figures().replaced), (120, 0));
}

#[test]
fn a_client_that_fails_for_good_is_replaced_and_nothing_that_it_had_is_forgotten() {
    let mock = mock();
    let sink = KafkaSink::new(&mock.config).expect("a sink");
    let (mut deliveries, until): (Vec<Delivery>, _) = (Vec::new(), Instant::now() + PATIENCE);
    (0..10).for_each(|number| send(&sink, number));
    assert!(sink.flush(PATIENCE));
    // The broker has forgotten what it had of this producer, as after the loss of its last part.
    mock.cluster.request_errors(
        RDKafkaApiKey::Produce,
        &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER],
    );
    (10..30).for_each(|number| send(&sink, number));
    let mut stored = BTreeSet::new();
    while stored.len() < 30 {
        assert!(Instant::now() < until, "{} of 30 are stored", stored.len());
        sink.deliveries(STEP, &mut deliveries);
        for Delivery { token, result } in deliveries.drain(..) {
            match result {
                Ok(_) => assert!(stored.insert(token), "{token} has two fates"),
                Err(_) => send(&sink, token),
            }
        }
    }
    assert_eq!(sink.pending(), 0);
    assert_eq!(mock.read(&mut mock.source(), &(0..30).collect(), 0), []);
}
