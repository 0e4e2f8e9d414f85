//! The command line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

const EXAMPLE: &str = "\
Example:
  coronaz-broker --listen 127.0.0.1:9092 --data ./coronaz-data/broker.db

It prints \"listening on 127.0.0.1:9092\" when it accepts connections, and ends on Ctrl-C or SIGTERM.
It has no passwords and no TLS, so it serves this machine only; across machines use Apache Kafka.
Logs go to stderr; CORONAZ_LOG=debug says more.";

/// A broker over the Kafka protocol, on one file, for one machine.
#[derive(Debug, Parser)]
#[command(name = "coronaz-broker", version, after_help = EXAMPLE)]
pub(crate) struct Options {
    /// Where to accept connections: an address of this machine itself (127.0.0.1 or ::1) and a port;
    /// port 0 takes a free one and says which
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9092", value_parser = parse_listen)]
    pub(crate) listen: SocketAddr,

    /// The file that holds the records; made if it is not there
    #[arg(long, value_name = "FILE", default_value = "./coronaz-data/broker.db", value_parser = parse_data)]
    pub(crate) data: PathBuf,

    /// The topic that is made if it is not there
    #[arg(long, value_name = "NAME", default_value = "coronaz", value_parser = parse_topic)]
    pub(crate) topic: String,

    /// Partitions of the topic when it is made; a topic that is there keeps its own
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=64))]
    pub(crate) partitions: i32,

    /// How long records are kept: a number and s, m, h or d (at least 1m)
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_retention)]
    pub(crate) retention: Duration,

    /// Stop when standard input ends: for a broker that `coronaz up` started
    #[arg(long, hide = true)]
    pub(crate) with_parent: bool,
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "write an IP address and a port, as 127.0.0.1:9092".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("it has no passwords, so it serves this machine only: write 127.0.0.1:PORT or [::1]:PORT"
            .to_owned())
    }
}

/// The file's name becomes part of a URL that the storage takes apart, so it is kept plain; the
/// directory may have any name.
fn parse_data(text: &str) -> Result<PathBuf, String> {
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    match Path::new(text).file_name().and_then(|name| name.to_str()) {
        Some(name) if plain(name) => Ok(PathBuf::from(text)),
        _ => Err("write a file whose name has only the characters a-z A-Z 0-9 . _ -".to_owned()),
    }
}

fn parse_topic(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if plain && (1..=249).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 249 of the characters a-z A-Z 0-9 . _ -".to_owned())
    }
}

fn parse_retention(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and its unit, as 90m, 12h or 7d, at least 1m, at most 3650d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let total = number.checked_mul(seconds).ok_or_else(wrong)?;
    if (60..=3650 * 86_400).contains(&total) { Ok(Duration::from_secs(total)) } else { Err(wrong()) }
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
        assert!(refused(&["--partitions", "0"]).contains("1..=64"));
        assert!(refused(&["--topic", "a b"]).contains("a-z"));
        assert!(refused(&["--data", "x/a b.db"]).contains("a-z"));
        for retention in ["7", "d", "30s", "ü", "99999999999999999999d", "4000d"] {
            assert!(refused(&["--retention", retention]).contains("7d"), "{retention}");
        }
    }

    #[test]
    fn the_defaults_are_right_and_so_are_the_values_that_the_help_names() {
        let options = Options::try_parse_from(["coronaz-broker", "--retention", "90m"]).expect("defaults");
        assert_eq!(options.listen.to_string(), "127.0.0.1:9092");
        assert_eq!(options.retention, Duration::from_secs(5400));
        assert!(Options::try_parse_from(["coronaz-broker", "--listen", "[::1]:0"]).is_ok());
    }
}
