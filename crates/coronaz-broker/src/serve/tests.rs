//! The broker over its socket, asked by hand: what the client library never does.

mod compressed;
mod damaged;
mod groups;
mod strangers;

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::log::batch::tests::batch;
use crate::protocol::writer::Writer;

const PATIENCE: Duration = Duration::from_secs(30);

/// A broker in threads of this process, its data in a folder that goes with it.
struct Running {
    started: Started,
    folder: tempfile::TempDir,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), arguments)
    }

    /// On data that may be there already, in the folder's `broker`.
    fn start_in(folder: tempfile::TempDir, arguments: &[&str]) -> Self {
        let data = folder.path().join("broker");
        let data = data.to_str().expect("a plain name");
        let fixed = [
            "coronaz-broker",
            "--listen",
            "127.0.0.1:0",
            "--topic",
            "t",
            "--partitions",
            "2",
            "--data",
            data,
        ];
        let options = Options::try_parse_from(fixed.iter().chain(arguments)).expect("options");
        Self { started: start(&options).expect("started"), folder }
    }

    /// Where a partition of its topic is.
    fn partition(&self, number: i32) -> std::path::PathBuf {
        self.folder.path().join("broker/topics/t").join(number.to_string())
    }

    fn connect(&self) -> Client {
        Client::connect(self.started.address)
    }
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        Self { stream }
    }
}

struct Client {
    stream: TcpStream,
}

impl Client {
    fn send(&mut self, api: i16, version: i16, body: &[u8]) {
        let mut to = Writer::default();
        to.i32(i32::try_from(8 + 2 + body.len()).expect("small"));
        to.i16(api);
        to.i16(version);
        to.i32(7);
        to.i16(-1);
        to.bytes.extend(body);
        self.stream.write_all(&to.bytes).expect("sent");
    }

    /// The next answer, without its length and correlation.
    fn receive(&mut self) -> Vec<u8> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).expect("an answer");
        let mut answer = vec![0; usize::try_from(i32::from_be_bytes(length)).expect("a length")];
        self.stream.read_exact(&mut answer).expect("a whole answer");
        assert_eq!(answer[..4], 7_i32.to_be_bytes());
        answer.split_off(4)
    }

    fn ask(&mut self, api: i16, version: i16, body: &[u8]) -> Vec<u8> {
        self.send(api, version, body);
        self.receive()
    }

    /// Produces and returns the error and the offset.
    fn produce(&mut self, partition: i32, records: &[u8]) -> (i16, i64) {
        let answer = self.ask(0, 8, &produce(partition, records));
        // The topic's name and two counts are before it.
        let at = 4 + 3 + 4 + 4;
        (number16(&answer[at..]), number64(&answer[at + 2..]))
    }

    fn is_closed(&mut self) -> bool {
        // What was sent may have been cut off by a reset, which is a close too.
        !matches!(self.stream.read(&mut [0]), Ok(1))
    }
}

fn number16(bytes: &[u8]) -> i16 {
    i16::from_be_bytes(*bytes.first_chunk().expect("two bytes"))
}

fn number64(bytes: &[u8]) -> i64 {
    i64::from_be_bytes(*bytes.first_chunk().expect("eight bytes"))
}

fn produce(partition: i32, records: &[u8]) -> Vec<u8> {
    let mut to = Writer::default();
    to.nullable_string(None);
    to.i16(-1);
    to.i32(1000);
    to.count(1);
    to.string("t");
    to.count(1);
    to.i32(partition);
    to.count(records.len());
    to.bytes.extend(records);
    to.bytes
}

fn fetch(partition: i32, offset: i64, wait_ms: i32, bytes_max: i32) -> Vec<u8> {
    let mut to = Writer::default();
    to.i32(-1);
    to.i32(wait_ms);
    to.i32(1);
    to.i32(bytes_max);
    to.i8(0);
    to.count(1);
    to.string("t");
    to.count(1);
    to.i32(partition);
    to.i64(offset);
    to.i32(bytes_max);
    to.bytes
}

/// Of an answer to a fetch in version 4: error, next offset, batches.
fn fetched(answer: &[u8]) -> (i16, i64, &[u8]) {
    let at = 4 + 4 + 3 + 4 + 4;
    let records = at + 2 + 8 + 8 + 4 + 4;
    (number16(&answer[at..]), number64(&answer[at + 2..]), &answer[records..])
}

#[test]
fn what_is_produced_is_fetched_byte_for_byte_apart_from_its_offset() {
    let running = Running::start(&[]);
    let mut client = running.connect();
    let first = batch(&[b"one", b"two"], None);
    assert_eq!(client.produce(1, &first), (0, 0));
    assert_eq!(client.produce(1, &first), (0, 2));
    let answer = client.ask(1, 4, &fetch(1, 1, 0, 1 << 20));
    let (error, next, batches) = fetched(&answer);
    assert_eq!((error, next, batches.len()), (0, 4, 2 * first.len()));
    assert_eq!(batches[8..first.len()], first[8..]);
    assert_eq!(number64(&batches[first.len()..]), 2);
    let answer = client.ask(1, 4, &fetch(1, 1, 0, 10));
    assert_eq!(fetched(&answer).2.len(), first.len(), "at least one batch, however small the buffer");
    let answer = client.ask(1, 4, &fetch(1, 5, 0, 10));
    assert_eq!(fetched(&answer), (1, 4, &[][..]), "beyond the end");
    let answer = client.ask(1, 4, &fetch(9, 0, 0, 10));
    assert_eq!(fetched(&answer).0, 3, "no such partition");
}

#[test]
fn a_reader_that_waits_is_woken_by_what_is_produced() {
    let running = Running::start(&[]);
    let (mut reader, mut writer) = (running.connect(), running.connect());
    let begun = Instant::now();
    let body = fetch(0, 0, 20_000, 1 << 20);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || reader.ask(1, 4, &body));
        // What is produced elsewhere does not end the wait.
        assert_eq!(writer.produce(1, &batch(&[b"elsewhere"], None)), (0, 0));
        assert_eq!(writer.produce(0, &batch(&[b"here"], None)), (0, 0));
        let answer = reading.join().expect("an answer");
        assert_eq!(fetched(&answer).1, 1);
    });
    assert!(begun.elapsed() < Duration::from_secs(10), "not at the end of the wait");
    let begun = Instant::now();
    let answer = running.connect().ask(1, 4, &fetch(0, 1, 200, 1 << 20));
    assert_eq!(fetched(&answer), (0, 1, &[][..]));
    assert!(begun.elapsed() >= Duration::from_millis(200), "with nothing to tell, the whole wait");
}

#[test]
fn a_batch_that_is_none_is_refused_and_the_next_is_taken() {
    let running = Running::start(&[]);
    let mut client = running.connect();
    let good = batch(&[b"good"], None);
    let mut damaged = good.clone();
    *damaged.last_mut().expect("bytes") ^= 1;
    assert_eq!(client.produce(0, &damaged), (2, -1));
    assert_eq!(client.produce(0, b"nothing of the kind"), (2, -1));
    assert_eq!(client.produce(7, &good), (3, -1));
    assert_eq!(client.produce(0, &batch(&[&vec![0; 2 << 20]], None)), (10, -1));
    assert_eq!(client.produce(0, &batch(&[b"x"], Some((5, 0, 0)))), (0, 0));
    assert_eq!(client.produce(0, &batch(&[b"x"], Some((5, 0, 0)))), (0, 0), "sent again");
    assert_eq!(client.produce(0, &batch(&[b"x"], Some((5, 0, 9)))), (45, -1));
    assert_eq!(client.produce(0, &good), (0, 1));
}

#[test]
fn what_is_too_large_or_unknown_ends_the_connection_and_nothing_else() {
    let running = Running::start(&[]);
    for bytes in [
        i32::MAX.to_be_bytes().to_vec(),
        i32::MIN.to_be_bytes().to_vec(),
        [&i32::MAX.to_be_bytes()[..], &[0, 0]].concat(),
        [&5_000_000_i32.to_be_bytes()[..], &[0, 0]].concat(),
        [&300_000_i32.to_be_bytes()[..], &[0, 1]].concat(),
        [&10_i32.to_be_bytes()[..], &[0, 11, 0, 0, 0, 0, 0, 0, 0, 0]].concat(),
        b"GET / HTTP/1.1\r\nHost: broker\r\n\r\n".to_vec(),
    ] {
        let mut client = running.connect();
        client.stream.write_all(&bytes).expect("sent");
        // Also where more would have to come. What has ended already may refuse it.
        let _ = client.stream.write_all(&[0; 8]);
        assert!(client.is_closed(), "{bytes:?}");
    }
    assert_eq!(running.connect().produce(0, &batch(&[b"fine"], None)), (0, 0));
}

#[test]
fn clients_are_told_to_connect_to_the_advertised_name() {
    let running = Running::start(&["--advertise", "broker.test:29092"]);
    let told = running.connect().ask(3, 1, &(-1_i32).to_be_bytes());
    let mut expected = Writer::default();
    expected.count(1);
    expected.i32(1);
    expected.string("broker.test");
    expected.i32(29092);
    assert!(told.starts_with(&expected.bytes), "{told:?}");
}

#[test]
fn topics_are_made_described_and_deleted() {
    let running = Running::start(&[]);
    let mut client = running.connect();
    let create = |name: &str, settings: &[(&str, &str)]| {
        let mut to = Writer::default();
        to.count(1);
        to.string(name);
        to.i32(3);
        to.i16(1);
        to.count(0);
        to.array(settings, |to, (name, value)| {
            to.string(name);
            to.string(value);
        });
        to.i32(1000);
        to.bool(false);
        to.bytes
    };
    let error = |answer: &[u8], name: &str| number16(&answer[4 + 4 + 2 + name.len()..]);
    let created = client.ask(19, 2, &create("new", &[("retention.ms", "60000")]));
    assert_eq!(error(&created, "new"), 0);
    assert_eq!(error(&client.ask(19, 2, &create("new", &[])), "new"), 36);
    assert_eq!(error(&client.ask(19, 2, &create("../up", &[])), "../up"), 17);
    assert_eq!(error(&client.ask(19, 2, &create("c", &[("cleanup.policy", "compact")])), "c"), 40);
    let made = running.started.broker.data.topic("new").expect("made");
    assert_eq!((made.partitions.len(), made.settings().retention.time), (3, Some(Duration::from_secs(60))));
    let described = client.ask(32, 1, b"\0\0\0\x01\x02\0\x03new\xff\xff\xff\xff\0");
    assert!(described.windows(5).any(|bytes| bytes == b"60000"), "{described:?}");
    let deleted = client.ask(20, 1, b"\0\0\0\x01\0\x03new\0\0\0\0");
    assert_eq!(error(&deleted, "new"), 0);
    assert!(running.started.broker.data.topic("new").is_none());
}

#[test]
fn a_database_of_the_former_broker_is_named_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let former = folder.path().join("broker.db");
    std::fs::write(&former, "SQLite format 3").expect("written");
    for data in ["broker", "broker.db"] {
        let data = folder.path().join(data);
        let data = data.to_str().expect("a plain name");
        let options = Options::try_parse_from(["coronaz-broker", "--listen", "127.0.0.1:0", "--data", data]);
        let refused = start(&options.expect("options")).expect_err("refused").to_string();
        assert!(refused.contains("broker.db") && refused.contains("earlier version"), "{refused}");
    }
    assert_eq!(std::fs::read(former).expect("there"), b"SQLite format 3");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn no_bytes_in_the_place_of_a_request_harm_the_broker(
        api in prop_oneof![0..4_i16, 8..17_i16, 18..23_i16, Just(32), Just(42), Just(47)],
        version in 0..12_i16,
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        static RUNNING: std::sync::OnceLock<Running> = std::sync::OnceLock::new();
        let running = RUNNING.get_or_init(|| Running::start(&[]));
        let mut client = running.connect();
        client.send(api, version, &body);
        // Whatever comes, or nothing: but others are served.
        client.stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let _ = client.stream.read(&mut [0; 64]);
        let mut other = running.connect();
        prop_assert_eq!(number16(&other.ask(18, 0, &[])), 0);
    }
}
