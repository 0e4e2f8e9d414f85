//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::topic;

const EXAMPLE: &str = "\
Example:
  coronaz-broker --listen 127.0.0.1:9092 --data ./coronaz-data/broker

It prints \"listening on 127.0.0.1:9092\" when it accepts connections, and ends on Ctrl-C or SIGTERM.
It has no passwords and no TLS, so it serves this machine only, or with --trust-network a network that
nobody else reaches; beyond that use Apache Kafka.
Logs go to stderr; CORONAZ_LOG=debug says more.";

/// A broker over the Kafka protocol, in a folder, for one machine.
#[derive(Debug, Clone, Parser)]
#[command(name = "coronaz-broker", version, after_help = EXAMPLE)]
pub struct Options {
    /// Where to accept connections: an address of this machine itself, as 127.0.0.1, and a port; port 0
    /// takes a free one and says which
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9092", value_parser = parse_listen)]
    pub(crate) listen: SocketAddr,

    /// Accept connections off this machine: for a private network, as that of containers, since everybody
    /// who reaches the port may read and write
    #[arg(long)]
    pub(crate) trust_network: bool,

    /// Where clients are told to connect to, if not where it listens: the name of a container, say
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_advertise)]
    pub(crate) advertise: Option<(String, u16)>,

    /// The folder that holds the records; made if it is not there
    #[arg(long, value_name = "FOLDER", default_value = "./coronaz-data/broker")]
    pub(crate) data: PathBuf,

    /// The topic that is made if it is not there
    #[arg(long, value_name = "NAME", default_value = "coronaz", value_parser = parse_topic)]
    pub(crate) topic: String,

    /// Partitions of the topic when it is made; a topic that is there keeps its own
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=i64::from(topic::PARTITIONS_MAX)))]
    pub(crate) partitions: i32,

    /// How long records of the topic are kept: a number and s, m, h or d (at least 1m)
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_retention)]
    pub(crate) retention: Duration,

    /// How much of each partition of the topic is kept: a number and K, M, G or T (at least 1M, to a file of 64M);
    /// without it only the time counts
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) retention_bytes: Option<u64>,

    /// Have the disk hold what is acknowledged after this time at the latest: a number and s, m or h. Without it
    /// the system writes when it likes, mostly within 30 s; only a loss of power tells the difference
    #[arg(long, value_name = "TIME", value_parser = parse_sync)]
    pub(crate) sync_every: Option<Duration>,

    /// Stop when standard input ends: for a broker that `coronaz up` started
    #[arg(long, hide = true)]
    pub(crate) with_parent: bool,
}

impl Options {
    /// Reads the command line and checks what belongs together.
    ///
    /// # Errors
    /// What is wrong, or the help that was asked for.
    pub fn try_parse() -> Result<Self, clap::Error> {
        Self::try_parse_from(std::env::args_os())
    }

    pub(crate) fn try_parse_from<I>(arguments: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator,
        I::Item: Into<std::ffi::OsString> + Clone,
    {
        let options = <Self as Parser>::try_parse_from(arguments)?;
        let refuse = |reason: &str| {
            let mut command = <Self as clap::CommandFactory>::command();
            Err(command.error(clap::error::ErrorKind::ValueValidation, reason))
        };
        if !options.listen.ip().is_loopback() && !options.trust_network {
            return refuse(
                "it has no passwords, so it serves this machine only: write --listen 127.0.0.1:PORT or [::1]:PORT, \
                 or add --trust-network if nobody else reaches the network",
            );
        }
        if options.listen.ip().is_unspecified() && options.advertise.is_none() {
            return refuse(
                "clients cannot connect to every address at once: say with --advertise which they reach",
            );
        }
        Ok(options)
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, as 127.0.0.1:9092".to_owned())
}

fn parse_advertise(text: &str) -> Result<(String, u16), String> {
    let parsed = text.rsplit_once(':').and_then(|(host, port)| {
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        let is_host = (1..=253).contains(&host.len()) && host.bytes().all(plain);
        let port = port.parse().ok().filter(|port| *port > 0)?;
        is_host.then(|| (host.to_owned(), port))
    });
    parsed.ok_or_else(|| "write a host and a port, as broker:9092".to_owned())
}

fn parse_topic(text: &str) -> Result<String, String> {
    if topic::is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 249 of the characters a-z A-Z 0-9 . _ -, not a dot first".to_owned())
    }
}

/// A whole number and one of these units.
fn parse_with_unit(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let (at, unit) = text.char_indices().last()?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    text[..at].parse::<u64>().ok()?.checked_mul(*factor)
}

const TIMES: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

fn parse_retention(text: &str) -> Result<Duration, String> {
    let seconds = parse_with_unit(text, &TIMES).filter(|seconds| (60..=3650 * 86_400).contains(seconds));
    let wrong = "write a number and its unit, as 90m, 12h or 7d, at least 1m, at most 3650d";
    seconds.map(Duration::from_secs).ok_or_else(|| wrong.to_owned())
}

fn parse_sync(text: &str) -> Result<Duration, String> {
    let seconds = parse_with_unit(text, &TIMES).filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "write a number and its unit, as 1s or 5m".to_owned())
}

fn parse_size(text: &str) -> Result<u64, String> {
    let units = [('K', 1 << 10), ('M', 1 << 20), ('G', 1 << 30), ('T', 1 << 40)];
    let bytes = parse_with_unit(text, &units).filter(|bytes| *bytes >= 1 << 20);
    bytes.ok_or_else(|| "write a number and its unit, as 500M or 10G, at least 1M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &[&str]) -> String {
        let arguments = ["coronaz-broker"].iter().chain(arguments);
        Options::try_parse_from(arguments).expect_err("a wrong value was taken").to_string()
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        assert!(refused(&["--listen", "localhost:9092"]).contains("127.0.0.1:9092"));
        assert!(refused(&["--listen", "0.0.0.0:9092"]).contains("this machine only"));
        assert!(refused(&["--listen", "[::]:9092"]).contains("this machine only"));
        assert!(refused(&["--listen", "0.0.0.0:9092", "--trust-network"]).contains("--advertise"));
        assert!(refused(&["--advertise", "broker"]).contains("broker:9092"));
        assert!(refused(&["--partitions", "0"]).contains("1..=64"));
        assert!(refused(&["--topic", "a b"]).contains("a-z"));
        for retention in ["7", "d", "30s", "ü", "99999999999999999999d", "4000d"] {
            assert!(refused(&["--retention", retention]).contains("7d"), "{retention}");
        }
        assert!(refused(&["--retention-bytes", "12"]).contains("10G"));
        assert!(refused(&["--sync-every", "0s"]).contains("1s"));
    }

    #[test]
    fn the_defaults_are_right_and_so_are_the_values_that_the_help_names() {
        let options = Options::try_parse_from(["coronaz-broker", "--retention", "90m"]).expect("defaults");
        assert_eq!(options.listen.to_string(), "127.0.0.1:9092");
        assert_eq!(options.retention, Duration::from_secs(5400));
        assert!(Options::try_parse_from(["coronaz-broker", "--listen", "[::1]:0"]).is_ok());
        let network = [
            "coronaz-broker",
            "--listen",
            "0.0.0.0:9092",
            "--trust-network",
            "--advertise",
            "[fe80::1]:9092",
        ];
        let options = Options::try_parse_from(network).expect("a private network");
        assert_eq!(options.advertise, Some(("fe80::1".to_owned(), 9092)));
    }
}
