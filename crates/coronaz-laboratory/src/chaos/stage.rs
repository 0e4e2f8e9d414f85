//! The parts of a laboratory that is to be broken, with a proxy in each link between them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use coronaz_bus::BusConfig;
use coronaz_store::{StoreError, StoreLocation};
use uuid::Uuid;

use super::{
    air::{Air, AirError},
    proxy::Proxy,
    schedule::{Cast, is_devices},
};
use crate::{
    address,
    data_dir::{DataDir, DataDirError},
    part::{Part, Status},
    plan::{BROKER, INGEST, People, Plan, SERVE},
};

mod parts;

/// The name of the fleet's part.
pub const FLEET: &str = "fleet";

/// What is to be started.
#[derive(Debug, Clone)]
pub struct StageOrder {
    /// A folder of its own.
    pub data_dir: PathBuf,
    /// Where the page answers; port 0: a free one.
    pub listen: SocketAddr,
    /// A Kafka to use, an address of this machine; without it, the embedded broker.
    pub broker: Option<SocketAddr>,
    /// A database to use (`mongodb://…`); without it, the embedded one.
    pub store: Option<String>,
    /// The seed of the people's chance.
    pub seed: u64,
    /// People of the fleet; 0: no fleet.
    pub devices: u32,
    /// Devices with a radio, in two groups; 0: none.
    pub nodes: u32,
    /// The runs of the nodes and of the fleet.
    pub runs: Runs,
    /// The program `coronaz`.
    pub coronaz: PathBuf,
    /// The program `coronaz-broker`.
    pub coronaz_broker: PathBuf,
}

/// Whose runs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runs {
    /// Of the devices with a radio.
    pub nodes: Uuid,
    /// Of the fleet.
    pub fleet: Uuid,
}

/// Why the parts cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The embedded broker's program is missing.
    #[error("the program {0} is missing; `make build` builds it, or name a Kafka with --broker HOST:PORT")]
    NoBroker(String),
    /// No proxy can be put before this store.
    #[error(
        "no proxy can be put before the store {0:?}; write mongodb://ADDR:PORT/NAME with an address of this machine"
    )]
    Store(String),
    /// What is in it would be taken for this laboratory's.
    #[error("the store {0} holds what was read from another topic; name a database that is not there yet")]
    StoreInUse(String),
    /// The database does not answer.
    #[error(transparent)]
    StoreAway(#[from] StoreError),
    /// No relay between the groups.
    #[error(transparent)]
    Air(#[from] AirError),
    /// Ports or files cannot be had.
    #[error("cannot prepare the parts")]
    Io(#[from] io::Error),
}

/// A laboratory to break.
#[derive(Debug)]
pub struct Stage {
    order: StageOrder,
    plan: Plan,
    data_dir: DataDir,
    broker: SocketAddr,
    /// On a Kafka that others use too, a topic of its own; the embedded broker has one only.
    topic: Option<String>,
    location: StoreLocation,
    servers: Vec<Part>,
    senders: Vec<Part>,
    proxies: BTreeMap<&'static str, Proxy>,
    air: Option<Air>,
    groups: u32,
}

impl Stage {
    /// Starts everything: servers, fleet, two groups of devices.
    ///
    /// # Errors
    /// See [`StageError`]; what was started is stopped again.
    pub async fn start(mut order: StageOrder) -> Result<Stage, StageError> {
        let far = match &order.store {
            Some(url) => {
                let far = served_at(url).ok_or_else(|| StageError::Store(url.clone()))?;
                make_store(url).await?;
                Some(far)
            }
            None => None,
        };
        let data_dir = DataDir::open(&order.data_dir)?;
        for folder in ["held", "clocks", "checkpoints"] {
            fs::create_dir_all(data_dir.path().join(folder))?;
        }
        if order.broker.is_none() && !order.coronaz_broker.is_file() {
            return Err(StageError::NoBroker(order.coronaz_broker.display().to_string()));
        }
        if order.listen.port() == 0 {
            order.listen = address::free_loopback()?;
        }
        let broker = order.broker.map_or_else(address::free_loopback, Ok)?;
        let mut proxies = BTreeMap::new();
        for link in ["nodes-broker", "fleet-broker", "ingest-broker"] {
            let used = match link {
                "nodes-broker" => order.nodes > 0,
                "fleet-broker" => order.devices > 0,
                _ => true,
            };
            if used {
                proxies.insert(link, Proxy::start(broker, true).await?);
            }
        }
        if let Some(far) = far {
            for link in ["ingest-store", "serve-store"] {
                proxies.insert(link, Proxy::start(far, false).await?);
            }
        }
        let air = if order.nodes > 1 { Some(Air::start(order.seed)?) } else { None };
        let plan = plan(&order, &data_dir);
        fs::write(&plan.scenario_file, scenario(order.seed))?;
        let location =
            plan.store_url(&data_dir).parse().map_err(|_| StageError::Store(plan.store_url(&data_dir)))?;
        let (servers, senders) = (Vec::new(), Vec::new());
        let topic = order.broker.map(|_| format!("coronaz-chaos-{}", order.runs.nodes));
        let mut stage = Stage {
            order,
            plan,
            data_dir,
            broker,
            topic,
            location,
            servers,
            senders,
            proxies,
            air,
            groups: 0,
        };
        stage.start_parts()?;
        Ok(stage)
    }

    /// What there is to break.
    #[must_use]
    pub fn cast(&self) -> Cast {
        let parts: Vec<String> = self.status().into_iter().map(|status| status.name).collect();
        let links: Vec<String> = self.proxies.keys().map(|&link| link.to_owned()).collect();
        cast(parts, links, self.air.is_some())
    }

    /// Where the page answers.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.order.listen
    }

    /// The broker itself, behind all proxies, and the topic of this laboratory.
    #[must_use]
    pub fn bus(&self) -> BusConfig {
        let mut bus = BusConfig::new(self.broker.to_string());
        if let Some(topic) = &self.topic {
            bus.topic.clone_from(topic);
        }
        bus
    }

    /// The store itself, behind all proxies.
    #[must_use]
    pub fn store(&self) -> &StoreLocation {
        &self.location
    }

    /// The embedded store's file; `None` of a served one.
    #[must_use]
    pub fn store_file(&self) -> Option<PathBuf> {
        self.order.store.is_none().then(|| self.data_dir.store_file())
    }

    /// Where devices write down what they record.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.data_dir.path().join("journal")
    }

    /// The broker's own address, behind all proxies.
    #[must_use]
    pub fn broker(&self) -> SocketAddr {
        self.broker
    }

    /// The embedded broker's folder.
    #[must_use]
    pub fn broker_folder(&self) -> PathBuf {
        self.data_dir.broker_folder()
    }

    /// The devices of each group that has a process, by the journals that it has open.
    #[must_use]
    pub fn devices(&self) -> BTreeMap<String, BTreeSet<Uuid>> {
        let groups = self.senders.iter().map(Part::status).filter(|status| is_devices(&status.name));
        let devices = |pid: u32| {
            let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            let files = open.filter_map(|entry| fs::read_link(entry.path()).ok());
            let journals = files.filter(|path| path.starts_with(self.journal()));
            journals.filter_map(|path| Uuid::try_parse(path.file_stem()?.to_str()?).ok()).collect()
        };
        groups.filter_map(|status| Some((status.name, devices(status.pid?)))).collect()
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.data_dir.path()
    }

    /// How every part is.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        self.servers.iter().chain(&self.senders).map(Part::status).collect()
    }

    /// The proxy of a link.
    #[must_use]
    pub fn proxy(&self, link: &str) -> Option<&Proxy> {
        self.proxies.get(link)
    }

    /// All proxies, by link.
    pub fn proxies(&self) -> impl Iterator<Item = (&'static str, &Proxy)> {
        self.proxies.iter().map(|(&link, proxy)| (link, proxy))
    }

    /// The relay between the groups of devices.
    #[must_use]
    pub fn air(&self) -> Option<&Air> {
        self.air.as_ref()
    }

    /// A file that keeps a part from being started while it is there.
    #[must_use]
    pub fn held_file(&self, part: &str) -> PathBuf {
        self.data_dir.path().join("held").join(part)
    }

    /// A file with the offset of a part's clock.
    #[must_use]
    pub fn clock_file(&self, part: &str) -> PathBuf {
        self.data_dir.path().join("clocks").join(part)
    }

    /// How many ticks the fleet says that it has computed, in the last line of its log; `None` when it says nothing.
    #[must_use]
    pub fn fleet_ticks(&self) -> Option<u64> {
        let log = fs::read_to_string(self.data_dir.log_file(FLEET)).ok()?;
        let last = log.lines().rev().find(|line| line.contains("the fleet has ended"))?;
        last.split_whitespace().find_map(|word| word.strip_prefix("tick=")?.parse().ok())
    }

    /// Stops devices and fleet, who send their last messages.
    pub async fn stop_senders(&mut self) {
        stop_all(std::mem::take(&mut self.senders)).await;
    }

    /// Stops the servers, the broker last.
    pub async fn stop_servers(&mut self) {
        let (broker, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.servers).into_iter().partition(|part| part.status().name == BROKER);
        stop_all(others).await;
        stop_all(broker).await;
    }
}

async fn stop_all(parts: Vec<Part>) {
    let stopping: Vec<_> = parts.into_iter().map(|part| tokio::spawn(part.stop())).collect();
    for part in stopping {
        if let Err(error) = part.await {
            tracing::error!(%error, "stopping a part ended badly");
        }
    }
}

/// What an own laboratory with these parts and links has to break. Its fleet is killed too: it goes on from its
/// newest checkpoint.
#[must_use]
pub fn cast(parts: Vec<String>, links: Vec<String>, air: bool) -> Cast {
    // A served store is reached over links of its own.
    let own_store = !links.iter().any(|link| link.ends_with("-store"));
    let those = |with: fn(&str) -> bool| parts.iter().filter(|part| with(part)).cloned().collect();
    Cast {
        killable: parts.clone(),
        held: true,
        // The fleet counts its ticks from its start and asks no clock; the broker's only expires records.
        clocks: those(|part| part == INGEST || is_devices(part)),
        disks: those(|part| part != SERVE),
        join: parts.iter().any(|part| is_devices(part)),
        links,
        air,
        own: true,
        own_broker: parts.iter().any(|part| part == BROKER),
        own_store,
        store: true,
        topic: true,
        parts,
    }
}

/// The parts and links that [`Stage::start`] makes of an order: for a schedule that is only shown.
#[must_use]
pub fn cast_of(order: &StageOrder) -> Cast {
    let mut parts = Vec::new();
    let mut links = Vec::new();
    if order.broker.is_none() {
        parts.push(BROKER);
    }
    parts.extend([INGEST, SERVE]);
    if order.devices > 0 {
        parts.push(FLEET);
        links.push("fleet-broker");
    }
    links.push("ingest-broker");
    if order.store.is_some() {
        links.push("ingest-store");
    }
    if order.nodes > 0 {
        parts.push("devices-1");
        links.push("nodes-broker");
    }
    if order.nodes > 1 {
        parts.push("devices-2");
    }
    if order.store.is_some() {
        links.push("serve-store");
    }
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    cast(owned(parts), owned(links), order.nodes > 1)
}

/// Makes the database, which must be new: offsets in it are of another topic, and records below them would not be read.
async fn make_store(url: &str) -> Result<(), StageError> {
    let location: StoreLocation = url.parse().map_err(|_| StageError::Store(url.to_owned()))?;
    let mut ingestion = location.ingestion();
    let made = tokio::task::spawn_blocking(move || {
        ingestion.prepare()?;
        ingestion.offsets()
    });
    if made.await.map_err(io::Error::other)??.is_empty() {
        Ok(())
    } else {
        Err(StageError::StoreInUse(location.to_string()))
    }
}

/// Where a `mongodb://…` URL with one numeric address leads.
fn served_at(url: &str) -> Option<SocketAddr> {
    let rest = url.strip_prefix("mongodb://")?;
    let host = rest.split(['/', '?']).next()?;
    host.rsplit_once('@').map_or(host, |(_, host)| host).parse().ok()
}

/// The same URL, leading to a proxy.
fn by_way_of(url: &str, far: SocketAddr, proxy: SocketAddr) -> String {
    url.replacen(&far.to_string(), &proxy.to_string(), 1)
}

fn plan(order: &StageOrder, data_dir: &DataDir) -> Plan {
    Plan {
        listen: order.listen,
        broker: order.broker.map(|address| address.to_string()),
        broker_listen: None,
        store: order.store.clone(),
        run: order.runs.nodes,
        seed: order.seed,
        radio: None,
        radio_key: None,
        journal: Some(data_dir.path().join("journal")),
        scenario_file: data_dir.path().join("scenario.toml"),
        people: People { safe: 0, infected: 0 },
        coronaz: order.coronaz.clone(),
        coronaz_broker: order.coronaz_broker.clone(),
    }
}

/// Few people on a small field: each meets somebody every other second.
fn scenario(seed: u64) -> String {
    format!(
        "name = \"chaos\"\nabout = \"A small room in which everybody meets everybody.\"\nseed = {seed}\n\n\
         [parameters]\nfield_width = 16\nfield_height = 16\nzombie_lifetime = 0\n\
         infection_radius = 2.0\ninfection_cooldown = 20\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_behind_an_address_can_have_a_proxy_before_it() {
        let url = "mongodb://user:secret@127.0.0.1:27017/coronaz?retryWrites=true";
        let far = served_at(url).expect("an address");
        assert_eq!(far.port(), 27_017);
        let proxy = SocketAddr::from(([127, 0, 0, 1], 5));
        assert_eq!(by_way_of(url, far, proxy), "mongodb://user:secret@127.0.0.1:5/coronaz?retryWrites=true");
        assert_eq!(served_at("mongodb://a.example,b.example/x"), None);
        assert_eq!(served_at("sqlite:x"), None);
    }
}
