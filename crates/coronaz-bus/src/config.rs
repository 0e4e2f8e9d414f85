//! Where the brokers are, the topic, and everything that can be set.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// The most that key and payload of a record may have together: 256 KiB. Kafka by default and the
/// embedded broker take no batch above 1 MiB; a quarter of that leaves room for headers and keeps every
/// buffer on the way small.
pub const RECORD_BYTES_MAX: usize = 256 * 1024;

/// Bytes that wait in a sink, 64 MiB: minutes of a town's reports, seconds of a city's frames; what
/// goes beyond belongs on the sender's disk.
const QUEUE_KBYTES: u32 = 64 * 1024;

/// What an answer has beside the records: the client asks for 512 bytes, and a batch larger than the limit is sent whole.
const RECEIVE_SLACK_BYTES: u64 = 2 << 20;

/// Settings of the client that the bus's promises rest on; they cannot be passed through.
const OWN_SETTINGS: [&str; 20] = [
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.wait.max.ms",
    "group.id",
    "linger.ms",
    "log.connection.close",
    "max.partition.fetch.bytes",
    "metadata.broker.list",
    "partitioner",
    "receive.message.max.bytes",
    "request.required.acks",
    "statistics.interval.ms",
    "transactional.id",
];

/// How to reach the topic. Start with [`BusConfig::new`] and change what differs.
#[derive(Clone, PartialEq, Eq)]
pub struct BusConfig {
    /// Addresses to find the brokers by, `host:port`, separated by commas. No default.
    pub bootstrap_servers: String,
    /// The topic. Default `coronaz`.
    pub topic: String,
    /// Partitions of the topic if it has to be made; of one that is there, its own number counts.
    /// Default 4. More than one reader can share them; one record's order is kept within its own.
    pub partitions: u32,
    /// Copies of each partition, on as many brokers, if the topic has to be made. Default 1; the
    /// embedded broker takes no notice of it.
    pub replication: u16,
    /// How long the broker keeps a record, if the topic has to be made. Default 7 days.
    pub retention: Duration,
    /// How long a sink waits for more records to send together. Default 5 ms.
    pub linger: Duration,
    /// Records pending in a sink at most, sent and not yet taken back as a delivery. Default 100,000.
    pub queue_records: usize,
    /// How long the broker may wait for a record before it answers a reader that there is none.
    /// Default 100 ms. It answers as soon as there is one; until it answers, the reader cannot ask for
    /// a partition that it has just been assigned.
    pub fetch_wait: Duration,
    /// KiB that a source reads ahead at most. Default 16,384.
    pub prefetch_kbytes: u32,
    /// After how long without a record from a partition that has some the source asks anew; after
    /// the third time in vain it looks for the next record that can be read and gives up what lies before it. (What the
    /// client says it cannot read is passed within seconds.) And after how long without a word about any
    /// pending record, from a broker that is there, the sink starts its session anew. Default 30 s.
    pub stuck_after: Duration,
    /// How often a source looks whether a record that it has read is still where it was, for a log that was replaced
    /// without a word. Default 60 s.
    pub compare_every: Duration,
    settings: BTreeMap<String, String>,
}

impl BusConfig {
    /// The defaults, with the brokers at `bootstrap_servers` (`host:port`, separated by commas).
    pub fn new(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers.into(),
            topic: "coronaz".to_owned(),
            partitions: 4,
            replication: 1,
            retention: Duration::from_secs(7 * 24 * 3600),
            linger: Duration::from_millis(5),
            queue_records: 100_000,
            fetch_wait: Duration::from_millis(100),
            prefetch_kbytes: 16 * 1024,
            stuck_after: Duration::from_secs(30),
            compare_every: Duration::from_secs(60),
            settings: BTreeMap::new(),
        }
    }

    /// Passes a setting through to the client, librdkafka, by its name there. For Kafka with TLS and
    /// a password, `security.protocol` (`ssl`, `sasl_ssl`), `ssl.ca.location`,
    /// `ssl.certificate.location`, `ssl.key.location`, `sasl.mechanism` (`SCRAM-SHA-512`, `PLAIN`),
    /// `sasl.username`, `sasl.password`; also `compression.type`, `client.id`, `debug`. TLS and SCRAM
    /// need a build with the feature `tls`. What the bus sets itself is refused here; a name or a
    /// value that the client does not know, when a sink or a source is made.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        if OWN_SETTINGS.contains(&name) {
            return Err(ConfigError::Own { name: name.to_owned() });
        }
        self.settings.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Passes a setting through that is written `name=value`, as on a command line.
    pub fn set_pair(&mut self, pair: &str) -> Result<(), ConfigError> {
        match pair.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => self.set(name.trim(), value),
            _ => Err(ConfigError::NoPair { text: pair.to_owned() }),
        }
    }

    /// Checks what can be checked without a broker. Sinks and sources check it themselves.
    pub fn check(&self) -> Result<(), ConfigError> {
        let servers = self.bootstrap_servers.split(',').map(str::trim);
        for server in servers {
            let port = server.rsplit_once(':').and_then(|(host, port)| {
                let port = port.parse::<u16>().ok()?;
                (!host.is_empty() && port > 0).then_some(port)
            });
            if port.is_none() {
                return Err(ConfigError::Server { text: server.to_owned() });
            }
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if self.topic.is_empty() || self.topic.len() > 249 || !self.topic.bytes().all(legal) {
            return Err(ConfigError::Topic { text: self.topic.clone() });
        }
        if !(1..=1024).contains(&self.partitions) {
            return Err(ConfigError::Partitions { value: self.partitions });
        }
        if !(1..=32).contains(&self.replication) {
            return Err(ConfigError::Replication { value: self.replication });
        }
        Ok(())
    }

    /// What sinks, sources and the topic's creation have in common.
    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client
            .set("client.id", "coronaz")
            .set("allow.auto.create.topics", "false")
            // A broker that was restarted is found again within a second, not within ten.
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "1000")
            // A broker that hangs (stopped, or cut off without a word) is given up after this.
            .set("socket.timeout.ms", "20000")
            .set("socket.keepalive.enable", "true")
            .set("log.connection.close", "false");
        for (name, value) in &self.settings {
            client.set(name, value);
        }
        client.set("bootstrap.servers", &self.bootstrap_servers);
        client
    }

    pub(crate) fn admin(&self) -> ClientConfig {
        self.client()
    }

    pub(crate) fn producer(&self) -> ClientConfig {
        let mut client = self.client();
        client
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", self.linger.as_millis().to_string())
            // Records wait for the broker as long as the process lives; the queue is what is bounded.
            .set("message.timeout.ms", "0")
            .set("queue.buffering.max.messages", self.queue_records.max(1).to_string())
            .set("queue.buffering.max.kbytes", QUEUE_KBYTES.to_string())
            .set("retry.backoff.max.ms", "1000")
            .set("statistics.interval.ms", "500");
        client
    }

    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut client = self.client();
        let prefetch_kbytes = self.prefetch_kbytes.max(1024);
        let fetch_bytes = u64::from(prefetch_kbytes) * 1024;
        client
            // Partitions are assigned by hand; the client wants a name to do so and joins no group.
            .set("group.id", "coronaz")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset that is not there any more: what that means is for the source to find out, which hears of it by
            // a log line. (After `error` the client does not fetch the partition again, not even after a seek.)
            .set("auto.offset.reset", "earliest")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", self.fetch_wait.as_millis().to_string())
            .set("fetch.error.backoff.ms", "100")
            // The pause after the read-ahead was full; the default of a second would be the latency
            // of everything behind it.
            .set("fetch.queue.backoff.ms", "20")
            .set("queued.max.messages.kbytes", prefetch_kbytes.to_string())
            // One answer is no larger than the read-ahead, whatever the number of partitions.
            .set("fetch.max.bytes", fetch_bytes.to_string())
            .set("receive.message.max.bytes", (fetch_bytes + RECEIVE_SLACK_BYTES).to_string())
            // A lost connection is a log line too, which arrives in order with the records: what comes after it is compared
            // with what came before.
            .set("log.connection.close", "true")
            .set_log_level(RDKafkaLogLevel::Info);
        client
    }

    /// A client that only asks where partitions end. It has no statistics, which somebody would have to take.
    pub(crate) fn ends(&self) -> ClientConfig {
        self.client()
    }

    /// A client that looks at single records.
    pub(crate) fn scout(&self) -> ClientConfig {
        let mut client = self.consumer();
        client
            .set("queued.min.messages", "1")
            .set("fetch.message.max.bytes", "1024")
            .set("log.connection.close", "false");
        client
    }
}

/// Values of settings that may be secrets are left out.
impl fmt::Debug for BusConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: BTreeMap<&str, &str> = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), if is_secret(name) { "…" } else { value.as_str() }))
            .collect();
        f.debug_struct("BusConfig")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .field("topic", &self.topic)
            .field("partitions", &self.partitions)
            .field("replication", &self.replication)
            .field("retention", &self.retention)
            .field("settings", &shown)
            .finish_non_exhaustive()
    }
}

fn is_secret(name: &str) -> bool {
    ["password", "secret", "pem", "jaas", "oauthbearer", "keystore"].iter().any(|word| name.contains(word))
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An address without a host or a port.
    #[error("'{text}' is no broker's address; write host:port, several separated by commas")]
    Server {
        /// What was given.
        text: String,
    },
    /// A name that is not allowed for a topic.
    #[error("'{text}' is no topic; write 1 to 249 of the characters a-z A-Z 0-9 . _ -")]
    Topic {
        /// What was given.
        text: String,
    },
    /// Too few or too many partitions.
    #[error("{value} partitions; write 1 to 1024")]
    Partitions {
        /// What was given.
        value: u32,
    },
    /// Too few or too many copies.
    #[error("{value} copies of each partition; write 1 to 32")]
    Replication {
        /// What was given.
        value: u16,
    },
    /// No `name=value`.
    #[error("'{text}' is no setting; write name=value")]
    NoPair {
        /// What was given.
        text: String,
    },
    /// A setting that cannot be changed.
    #[error("the setting '{name}' is the bus's own and cannot be changed")]
    Own {
        /// Its name.
        name: String,
    },
    /// The client does not know the setting or its value.
    #[error("the Kafka client refuses its settings: {reason}")]
    Client {
        /// What the client said.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_values_are_refused_with_what_would_be_right() {
        let good = BusConfig::new("127.0.0.1:9092, [::1]:9093");
        assert_eq!(good.check(), Ok(()));
        for servers in ["", "localhost", "localhost:", ":9092", "localhost:0", "a:1,,b:2", "a:99999"] {
            assert!(matches!(BusConfig::new(servers).check(), Err(ConfigError::Server { .. })), "{servers}");
        }
        for topic in ["", "two words", "a/b", &"x".repeat(250)] {
            let bad = BusConfig { topic: topic.to_owned(), ..good.clone() };
            assert!(matches!(bad.check(), Err(ConfigError::Topic { .. })), "{topic}");
        }
        assert!(BusConfig { partitions: 0, ..good.clone() }.check().is_err());
        assert!(BusConfig { replication: 0, ..good }.check().is_err());
    }

    #[test]
    fn settings_pass_through_but_not_those_the_promises_rest_on() {
        let mut config = BusConfig::new("a:1");
        assert_eq!(config.set_pair("sasl.password=a=b"), Ok(()));
        assert_eq!(config.producer().get("sasl.password"), Some("a=b"));
        assert!(matches!(config.set_pair("acks=0"), Err(ConfigError::Own { .. })));
        assert!(matches!(config.set_pair("compression.type"), Err(ConfigError::NoPair { .. })));
        assert!(!format!("{config:?}").contains("a=b"), "a password must not reach a log");
    }

    #[test]
    fn only_a_client_whose_events_a_thread_of_its_own_takes_has_statistics() {
        let config = BusConfig::new("a:1");
        for client in [config.consumer(), config.scout(), config.ends(), config.admin()] {
            assert_eq!(client.get("statistics.interval.ms"), None, "{client:?}");
        }
        assert!(config.producer().get("statistics.interval.ms").is_some());
    }

    #[test]
    fn an_answer_is_no_larger_than_the_read_ahead() {
        let config = BusConfig { prefetch_kbytes: 4096, ..BusConfig::new("a:1") };
        let bytes = |name: &str| config.consumer().get(name).and_then(|text| text.parse::<u64>().ok());
        assert_eq!(bytes("fetch.max.bytes"), Some(4 << 20));
        assert_eq!(bytes("receive.message.max.bytes"), Some(6 << 20));
    }
}
