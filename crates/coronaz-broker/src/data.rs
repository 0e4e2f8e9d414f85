//! The data file: one broker at a time, its schema completed, the topic made.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tansu_sans_io::ErrorCode;
use tansu_sans_io::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use tansu_storage::{Storage, StorageContainer};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};
use url::Url;

use crate::options::Options;

pub(crate) const CLUSTER: &str = "coronaz";
const NODE: i32 = 1;

/// How long another process may still hold the file: a broker that was just killed, a backup.
const BUSY_WAIT: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// The data file, locked against a second broker as long as this lives.
pub(crate) struct Data {
    pub(crate) storage: StorageContainer,
    _lock: File,
}

/// Why the data file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataError {
    #[error("cannot use the directory of {}: {source}", path.display())]
    Directory { path: PathBuf, source: io::Error },
    #[error("{} is in use by another broker", path.display())]
    InUse { path: PathBuf },
    #[error("cannot open {}: {reason}", path.display())]
    Open { path: PathBuf, reason: String },
}

impl Data {
    /// Opens the file, waiting a little while another process holds it.
    pub(crate) async fn open(options: &Options, address: &Url) -> Result<Self, DataError> {
        let directory = |source| DataError::Directory { path: options.data.clone(), source };
        let parent = options.data.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(directory)?;
        let lock = lock(options).await?;
        // The storage takes its path from a URL, relative to where it runs: so run there, and give it
        // the plain name alone.
        std::env::set_current_dir(parent).map_err(directory)?;
        let until = Instant::now() + BUSY_WAIT;
        loop {
            match prepare(options, address).await {
                Ok(storage) => return Ok(Self { storage, _lock: lock }),
                Err(reason) if Instant::now() < until && reason.contains("locked") => {
                    info!(reason, "waiting for the data file");
                    sleep(BUSY_PAUSE).await;
                }
                Err(reason) => return Err(DataError::Open { path: options.data.clone(), reason }),
            }
        }
    }
}

async fn lock(options: &Options) -> Result<File, DataError> {
    let mut name = options.data.clone().into_os_string();
    name.push(".lock");
    let failed = |source| DataError::Directory { path: options.data.clone(), source };
    let file = File::create(&name).map_err(failed)?;
    let until = Instant::now() + BUSY_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(BUSY_PAUSE).await,
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { path: options.data.clone() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

async fn prepare(options: &Options, address: &Url) -> Result<StorageContainer, String> {
    let name = options.data.file_name().and_then(|name| name.to_str()).unwrap_or("broker.db");
    let file = Url::parse(&format!("sqlite:///{name}")).map_err(|error| error.to_string())?;
    let storage = StorageContainer::builder()
        .cluster_id(CLUSTER)
        .node_id(NODE)
        .advertised_listener(address.clone())
        .storage(file)
        .silent(true)
        .build()
        .await
        .map_err(|error| error.to_string())?;
    add_index(name).await.map_err(|error| error.to_string())?;
    make_topic(&storage, options).await?;
    Ok(storage)
}

/// Headers are looked up record by record, and the broker's schema has no index to do so: each
/// look-up would read every header there is.
async fn add_index(name: &str) -> Result<(), libsql::Error> {
    let connection = libsql::Builder::new_local(name).build().await?.connect()?;
    connection.busy_timeout(BUSY_WAIT)?;
    let sql = "create index if not exists coronaz_header_record on header (topition, offset_id)";
    connection.execute(sql, ()).await.map(|_| ())
}

async fn make_topic(storage: &StorageContainer, options: &Options) -> Result<(), String> {
    // The storage needs its own entry for this broker before it takes a topic.
    storage
        .register_broker(tansu_storage::BrokerRegistrationRequest {
            broker_id: NODE,
            cluster_id: CLUSTER.to_owned(),
            incarnation_id: uuid::Uuid::new_v4(),
            rack: None,
        })
        .await
        .map_err(|error| error.to_string())?;
    let setting =
        |name: &str, value: String| CreatableTopicConfig::default().name(name.to_owned()).value(Some(value));
    let topic = CreatableTopic::default()
        .name(options.topic.clone())
        .num_partitions(options.partitions)
        .replication_factor(1)
        .assignments(Some(Vec::new()))
        .configs(Some(vec![
            setting("cleanup.policy", "delete".to_owned()),
            setting("retention.ms", options.retention.as_millis().to_string()),
        ]));
    match storage.create_topic(topic, false).await {
        Ok(_) => info!(topic = options.topic, partitions = options.partitions, "topic made"),
        Err(tansu_storage::Error::Api(ErrorCode::TopicAlreadyExists)) => {}
        Err(error) => return Err(error.to_string()),
    }
    Ok(())
}

/// Removes what has outlived the retention.
pub(crate) async fn expire(storage: &StorageContainer) {
    if let Err(error) = storage.maintain(std::time::SystemTime::now()).await {
        warn!(%error, "expired records were not removed");
    }
}
