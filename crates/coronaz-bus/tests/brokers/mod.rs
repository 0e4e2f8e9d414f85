//! Real brokers for the contract.
#![allow(dead_code, reason = "each test program uses one of them")]

use std::env;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use coronaz_bus::{BusConfig, KafkaSink, KafkaSource, RecordSink, RecordSource, ensure_topic};
use tempfile::TempDir;

use crate::contract::Bus;

const START_WAIT: Duration = Duration::from_secs(120);

/// The program, if it was built.
pub(crate) fn program() -> Option<PathBuf> {
    let found = env::var_os("CORONAZ_BROKER_BIN").map(PathBuf::from).or_else(|| {
        // This test runs as TARGET/PROFILE/deps/contract_embedded-HASH.
        let target = env::current_exe().ok()?.ancestors().nth(3)?.to_owned();
        Some(target.join("release/coronaz-broker"))
    });
    let found = found.filter(|program| program.is_file());
    if found.is_none() {
        assert!(env::var_os("CORONAZ_REQUIRE_BROKER").is_none(), "coronaz-broker was not built");
        eprintln!("not tested: build coronaz-broker or set CORONAZ_BROKER_BIN");
    }
    found
}

fn configuration(brokers: &str, topic: &str) -> BusConfig {
    let mut config = BusConfig::new(brokers);
    config.topic = topic.to_owned();
    config.stuck_after = Duration::from_secs(2);
    config
}

fn sink(config: &BusConfig) -> Box<dyn RecordSink> {
    let mut config = config.clone();
    config.stuck_after = Duration::from_secs(30);
    Box::new(KafkaSink::new(&config).expect("a sink"))
}

fn small_sink(config: &BusConfig, queue_records: usize) -> Box<dyn RecordSink> {
    let mut config = config.clone();
    config.queue_records = queue_records;
    sink(&config)
}

fn source(config: &BusConfig) -> Box<dyn RecordSource> {
    Box::new(KafkaSource::new(config).expect("a source"))
}

/// The embedded broker, with its data in a directory that goes with it.
pub(crate) struct Embedded {
    program: PathBuf,
    directory: TempDir,
    listen: String,
    config: BusConfig,
    child: Mutex<Child>,
}

impl Embedded {
    pub(crate) fn start(program: PathBuf) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (child, listen) = Self::spawn(&program, directory.path(), "127.0.0.1:0");
        let config = configuration(&listen, "coronaz");
        let partitions = ensure_topic(&config, START_WAIT).expect("a topic");
        assert_eq!(partitions, config.partitions);
        Self { program, directory, listen, config, child: Mutex::new(child) }
    }

    /// Its address.
    pub(crate) fn listen(&self) -> &str {
        &self.listen
    }

    /// A sink that starts its session anew soon.
    pub(crate) fn impatient_sink(&self) -> Box<dyn RecordSink> {
        Box::new(KafkaSink::new(&self.config).expect("a sink"))
    }

    /// Its data is gone. Only while it is dead.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.directory.path().join("broker")).expect("it was there");
    }

    /// The newest file of each partition loses its last part, as after a loss of power. Only while it is dead.
    pub(crate) fn lose_tail(&self) {
        let topic = self.directory.path().join("broker/topics").join(&self.config.topic);
        let partitions =
            std::fs::read_dir(topic).expect("the topic").map(|entry| entry.expect("an entry").path());
        for partition in partitions.filter(|path| path.is_dir()) {
            let files = std::fs::read_dir(partition).expect("its files");
            let logs = files.map(|file| file.expect("a file").path());
            let newest = logs.filter(|path| path.extension().is_some_and(|end| end == "log")).max();
            let file = std::fs::File::options().write(true).open(newest.expect("a log")).expect("opened");
            let length = file.metadata().expect("its length").len();
            file.set_len(length * 6 / 10).expect("shortened");
        }
    }

    /// One bit in the middle of a partition's oldest file is another one; the file is closed. Only while it is dead.
    pub(crate) fn flip_a_bit(&self, partition: i32) {
        let topic = self.directory.path().join("broker/topics").join(&self.config.topic);
        let files = std::fs::read_dir(topic.join(partition.to_string())).expect("the partition");
        let mut logs: Vec<PathBuf> = files
            .map(|file| file.expect("a file").path())
            .filter(|path| path.extension().is_some_and(|end| end == "log"))
            .collect();
        logs.sort();
        assert!(logs.len() > 1, "the first file is closed: {logs:?}");
        let mut bytes = std::fs::read(&logs[0]).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&logs[0], bytes).expect("written");
    }

    fn spawn(program: &Path, directory: &Path, listen: &str) -> (Child, String) {
        let mut child = Command::new(program)
            .args(["--listen", listen, "--data"])
            .arg(directory.join("broker"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the broker starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let listen = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        (child, listen)
    }
}

impl Bus for Embedded {
    fn sink(&self) -> Box<dyn RecordSink> {
        sink(&self.config)
    }
    fn small_sink(&self, queue_records: usize) -> Box<dyn RecordSink> {
        small_sink(&self.config, queue_records)
    }
    fn source(&self) -> Box<dyn RecordSource> {
        source(&self.config)
    }
    fn partitions(&self) -> u32 {
        self.config.partitions
    }
    fn kill(&self) {
        let mut child = self.child.lock().expect("one test");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }
    fn revive(&self) {
        let (child, _) = Self::spawn(&self.program, self.directory.path(), &self.listen);
        *self.child.lock().expect("one test") = child;
    }
    fn forget_all(&self) -> bool {
        self.forget();
        true
    }
    fn can_die(&self) -> bool {
        true
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let mut child = self.child.lock().expect("one test");
        // It may be dead already, which is as good.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Apache Kafka: somebody's, or one that is started and killed here.
pub(crate) struct Kafka {
    config: BusConfig,
    own: Option<Own>,
}

struct Own {
    directory: TempDir,
    ports: [u16; 2],
}

impl Kafka {
    pub(crate) fn from_environment() -> Option<Self> {
        let (brokers, own) = if let Ok(brokers) = env::var("CORONAZ_TEST_BROKERS") {
            (brokers, None)
        } else {
            let own = Own::start();
            (format!("127.0.0.1:{}", own.ports[0]), Some(own))
        };
        let topic = format!("coronaz-{}", uuid::Uuid::new_v4());
        let mut config = configuration(&brokers, &topic);
        for line in env::var("CORONAZ_TEST_SETTINGS").unwrap_or_default().lines() {
            config.set_pair(line).expect("a setting");
        }
        assert_eq!(ensure_topic(&config, START_WAIT), Ok(config.partitions));
        assert_eq!(ensure_topic(&config, START_WAIT), Ok(config.partitions), "and once more");
        Some(Self { config, own })
    }
}

impl Own {
    fn start() -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let ports = [free().expect("a port").port(), free().expect("a port").port()];
        let own = Self { directory: tempfile::tempdir().expect("a directory"), ports };
        own.script(&["start", own.path(), &own.ports[0].to_string(), &own.ports[1].to_string()]);
        own
    }

    fn path(&self) -> &str {
        self.directory.path().to_str().expect("a plain name")
    }

    fn script(&self, arguments: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka.sh");
        // Its output to nowhere: the broker would keep a pipe open.
        let status = Command::new(script).args(arguments).stdout(Stdio::null()).status();
        assert!(status.expect("kafka.sh runs").success(), "kafka.sh {arguments:?} failed");
    }
}

impl Bus for Kafka {
    fn sink(&self) -> Box<dyn RecordSink> {
        sink(&self.config)
    }
    fn small_sink(&self, queue_records: usize) -> Box<dyn RecordSink> {
        small_sink(&self.config, queue_records)
    }
    fn source(&self) -> Box<dyn RecordSource> {
        source(&self.config)
    }
    fn partitions(&self) -> u32 {
        self.config.partitions
    }
    fn kill(&self) {
        if let Some(own) = &self.own {
            own.script(&["kill", own.path()]);
        }
    }
    fn revive(&self) {
        if let Some(own) = &self.own {
            own.script(&["start", own.path(), &own.ports[0].to_string(), &own.ports[1].to_string()]);
        }
    }
    fn can_die(&self) -> bool {
        self.own.is_some()
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            own.script(&["kill", own.path()]);
        }
    }
}
