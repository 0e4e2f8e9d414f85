//! `coronaz health`: for health checks of containers and units: is a part well, as an exit code.

use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::ArgGroup;
use coronaz_laboratory::ready;
use coronaz_store::{IngestStatus, StoreLocation};

use crate::{
    failure::{Failure, chain},
    store_args::StoreArgs,
};

/// Say whether a part is well: exit code 0, or 69 and why not
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  coronaz health --serve 127.0.0.1:3000\n  \
    coronaz health --ingest ingest-1 --store sqlite:coronaz-data/store.db")]
#[group(skip)]
#[command(group(ArgGroup::new("part").required(true)))]
pub(crate) struct Args {
    /// The page's server, and with it the store: does /readyz answer?
    #[arg(long, value_name = "ADDR:PORT", group = "part")]
    serve: Option<SocketAddr>,

    /// An ingest process, by its name in the store: did it say lately that it works?
    #[arg(long, value_name = "NAME", group = "part")]
    ingest: Option<String>,

    /// A broker: can it be connected to?
    #[arg(long, value_name = "HOST:PORT", group = "part")]
    broker: Option<String>,

    #[command(flatten)]
    place: StoreArgs,
}

/// How long a part may take to answer.
const WITHIN: Duration = Duration::from_secs(3);
/// An ingest process writes its status at least once a second, while the store takes it.
const FRESH: Duration = Duration::from_secs(10);

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match (args.serve, &args.ingest, &args.broker) {
        (Some(address), ..) => serve(address),
        (_, Some(name), _) => ingest(name, &args.place.location()?),
        (.., Some(broker)) => connect(broker),
        (None, None, None) => Err(Failure::usage("name a part: --serve, --ingest or --broker")),
    }
}

fn serve(address: SocketAddr) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(chain(&error)))?;
    if runtime.block_on(ready::is_ready(address)) {
        return Ok(());
    }
    Err(Failure::unavailable(format!("http://{address}/readyz does not answer that it is ready")))
}

fn ingest(name: &str, store: &StoreLocation) -> Result<(), Failure> {
    let all = store.queries().ingest_status().map_err(|error| Failure::unavailable(chain(&error)))?;
    let now_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64);
    judge(name, all.iter().find(|status| status.owner == name), now_us).map_err(Failure::unavailable)
}

fn judge(name: &str, status: Option<&IngestStatus>, now_us: i64) -> Result<(), String> {
    let Some(status) = status else {
        return Err(format!("no ingest process named {name} has written to this store"));
    };
    let silent_us = now_us.saturating_sub(status.updated_us);
    if silent_us > FRESH.as_micros() as i64 {
        return Err(format!("{name} has not been heard of for {} s", silent_us / 1_000_000));
    }
    Ok(())
}

fn connect(broker: &str) -> Result<(), Failure> {
    let unreachable = |why: String| Failure::unavailable(format!("{broker} cannot be connected to: {why}"));
    let addresses = broker.to_socket_addrs().map_err(|error| unreachable(error.to_string()))?;
    let mut why = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, WITHIN) {
            Ok(_) => return Ok(()),
            Err(error) => why = error.to_string(),
        }
    }
    Err(unreachable(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_store::IngestState;

    #[test]
    fn an_ingest_process_is_well_while_it_is_heard_of() {
        let status = IngestStatus {
            owner: "one".to_owned(),
            state: IngestState::Running,
            updated_us: 50_000_000,
            started_us: 0,
            partitions: vec![0],
            lag_records: 0,
            newest_record_us: None,
            records: 0,
            rejected: 0,
        };
        assert_eq!(judge("one", Some(&status), 59_000_000), Ok(()));
        assert!(judge("one", Some(&status), 61_000_000).unwrap_err().contains("11 s"));
        assert!(judge("one", None, 0).unwrap_err().contains("no ingest process named one"));
    }

    #[test]
    fn a_broker_that_is_not_there_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        assert!(connect(&address).is_ok());
        drop(listener);
        assert!(format!("{:?}", connect(&address).unwrap_err()).contains(&address));
    }
}
