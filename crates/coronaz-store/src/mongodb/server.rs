//! The connection: made when it is first needed, kept, and made again by the driver when the server comes back.

use super::codec::Fields;
use super::trouble::Trouble;
use super::url::MongoUrl;
use crate::StoreError;
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, ReadConcern, WriteConcern};
use mongodb::sync::{Client, Collection, Database};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The form of the documents that this program writes.
pub(super) const VERSION: i64 = 2;

/// How long a call waits for a server that can take it, when the URL says nothing: shorter than a lease lasts.
const SELECT_WITHIN: Duration = Duration::from_secs(3);
/// How long a call waits for a connection, when the URL says nothing.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// The collections, each once.
pub(super) mod names {
    pub(crate) const META: &str = "meta";
    pub(crate) const RUNS: &str = "runs";
    pub(crate) const COMMITS: &str = "commits";
    pub(crate) const NODES: &str = "nodes";
    pub(crate) const SESSIONS: &str = "sessions";
    pub(crate) const CONTACTS: &str = "contacts";
    pub(crate) const ENCOUNTERS: &str = "encounters";
    pub(crate) const INFECTIONS: &str = "infections";
    pub(crate) const STATES: &str = "states";
    pub(crate) const HISTORY: &str = "history";
    pub(crate) const SNAPSHOTS: &str = "snapshots";
    pub(crate) const FRAMES: &str = "frames";
    pub(crate) const TICKS: &str = "ticks";
    pub(crate) const PARTITIONS: &str = "partitions";
    pub(crate) const REJECTED: &str = "rejected";
    pub(crate) const GAPS: &str = "gaps";
    pub(crate) const INGEST: &str = "ingest_status";

    /// Those whose documents belong to a run, in the order in which they are deleted.
    pub(crate) const OF_RUNS: [&str; 12] = [
        REJECTED, CONTACTS, ENCOUNTERS, INFECTIONS, STATES, HISTORY, SNAPSHOTS, FRAMES, TICKS, SESSIONS,
        NODES, COMMITS,
    ];
}

/// What the API and the writers ask for, beside `_id`.
fn indexes() -> [(&'static str, Document); 20] {
    use names::*;
    [
        (NODES, doc! {"run": 1, "slot": 1}),
        (SESSIONS, doc! {"run": 1, "slot": 1, "start_us": -1}),
        (CONTACTS, doc! {"run": 1, "person": 1, "time_us": 1, "slot": 1}),
        (ENCOUNTERS, doc! {"run": 1, "person": 1, "from_us": 1, "slot": 1}),
        (INFECTIONS, doc! {"run": 1, "time_us": 1, "slot": 1}),
        (INFECTIONS, doc! {"run": 1, "infectee": 1, "time_us": 1}),
        (INFECTIONS, doc! {"run": 1, "infector": 1, "time_us": 1}),
        (STATES, doc! {"run": 1, "k": 1}),
        (STATES, doc! {"run": 1, "time_us": 1, "k": 1}),
        (HISTORY, doc! {"run": 1, "first": 1}),
        (SNAPSHOTS, doc! {"run": 1, "reports": 1, "part": 1}),
        (FRAMES, doc! {"run": 1, "shard": 1, "tick": 1, "part": 1}),
        (FRAMES, doc! {"run": 1, "shard": 1, "kind": 1, "part": 1, "tick": 1}),
        (TICKS, doc! {"run": 1, "tick": 1, "shard": 1}),
        (TICKS, doc! {"run": 1, "time_us": 1}),
        (COMMITS, doc! {"run": 1}),
        (RUNS, doc! {"head.stored_us": -1}),
        (RUNS, doc! {"head.started_us": -1, "began": -1}),
        (REJECTED, doc! {"run": 1}),
        (REJECTED, doc! {"at_us": -1, "partition": -1, "offset": -1}),
    ]
}

/// A MongoDB, or what speaks its protocol.
pub(crate) struct Server {
    url: MongoUrl,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    database: Option<Arc<Store>>,
    /// It was looked at: it is ours, and of our version.
    checked: bool,
}

/// Changes sent in one command.
const CHANGES_A_COMMAND: usize = 1000;
/// The same for FerretDB, which holds one of its 100 connections to SQLite for each until the command ends, and waits for
/// ever when there is none left: several writers at once must stay below.
const CHANGES_A_COMMAND_FERRETDB: usize = 16;

/// The database, open.
pub(super) struct Store {
    database: Database,
    /// It is FerretDB before its second version.
    ferretdb: bool,
}

impl Store {
    pub(super) fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }

    /// Changes to be sent in one command.
    pub(super) fn changes_a_command(&self) -> usize {
        if self.ferretdb { CHANGES_A_COMMAND_FERRETDB } else { CHANGES_A_COMMAND }
    }

    /// Whether it answers questions by indexes. FerretDB makes them, computes them at each write from the document's whole
    /// text, and asks by none.
    fn has_use_for_indexes(&self) -> bool {
        !self.ferretdb
    }

    pub(super) fn command(&self, command: Document) -> Result<Document, Trouble> {
        Ok(self.database.run_command(command).run()?)
    }

    /// The first document of a collection that matches.
    pub(super) fn one(&self, name: &str, filter: Document) -> Result<Option<Document>, Trouble> {
        Ok(self.collection(name).find_one(filter).run()?)
    }
}

impl Server {
    pub(crate) fn new(url: &MongoUrl) -> Self {
        Self { url: url.clone(), open: Mutex::default() }
    }

    pub(super) fn url(&self) -> &MongoUrl {
        &self.url
    }

    /// The database for a writer: made if there is none.
    pub(super) fn for_writing(&self) -> Result<Arc<Store>, Trouble> {
        self.open(|store| self.prepare(store))
    }

    /// The database for a reader; it has to be there.
    pub(super) fn for_reading(&self) -> Result<Arc<Store>, Trouble> {
        self.open(|store| match self.version(store)? {
            Some(_) => Ok(()),
            None => Err(self.unavailable("an ingest process has to make the store first")),
        })
    }

    /// Looks again at the next call: the database may have been dropped.
    pub(super) fn doubt(&self) {
        self.lock().checked = false;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        // A panic while it was locked cannot have left half a change: each field is set by itself.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, check: impl FnOnce(&Store) -> Result<(), Trouble>) -> Result<Arc<Store>, Trouble> {
        let mut open = self.lock();
        let store = match &open.database {
            Some(store) => Arc::clone(store),
            None => Arc::clone(open.database.insert(Arc::new(self.connect()?))),
        };
        if !open.checked {
            check(&store)?;
            open.checked = true;
        }
        Ok(store)
    }

    fn connect(&self) -> Result<Store, Trouble> {
        let mut options = ClientOptions::parse(self.url.full()).run()?;
        options.app_name.get_or_insert_with(|| "coronaz".to_owned());
        options.server_selection_timeout.get_or_insert(SELECT_WITHIN);
        options.connect_timeout.get_or_insert(CONNECT_WITHIN);
        // What is answered as written must survive the loss of a server, whatever the URL says.
        options.write_concern = Some(WriteConcern::majority());
        let probe = Client::with_options(options.clone())?;
        let name = self.url.database();
        let hello = probe.database("admin").run_command(doc! {"hello": 1}).run()?;
        let build = probe.database("admin").run_command(doc! {"buildInfo": 1}).run()?;
        let sharded = hello.optional_text("msg") == Some("isdbgrid");
        let replicated = hello.contains_key("setName") || sharded;
        let ferretdb =
            build.optional_text("ferretdbVersion").is_some_and(|version| !version.starts_with("v2"));
        tracing::debug!(
            store = %self.url,
            database = name,
            version = build.optional_text("version"),
            ferretdb,
            replicated,
            sharded,
            "connected to the store"
        );
        if !replicated {
            return Ok(Store { database: probe.database(&name), ferretdb });
        }
        // A single server has no majority to ask; some refuse the question.
        options.read_concern = Some(ReadConcern::majority());
        Ok(Store { database: Client::with_options(options)?.database(&name), ferretdb })
    }

    /// The version of a database that is ours.
    fn version(&self, store: &Store) -> Result<Option<i64>, Trouble> {
        let Some(schema) = store.one(names::META, doc! {"_id": "schema"})? else { return Ok(None) };
        let (found, location) = (schema.int("version")?, self.url.to_string());
        if found > VERSION {
            return Err(StoreError::TooNew { location, found, supported: VERSION }.into());
        }
        Ok(Some(found))
    }

    fn prepare(&self, store: &Store) -> Result<(), Trouble> {
        let found = self.version(store)?;
        if found == Some(VERSION) {
            return Ok(());
        }
        let others = store.database.list_collection_names().run()?;
        if others.iter().any(|name| !indexes().iter().any(|(ours, _)| ours == name) && name != names::META) {
            let reason = format!("the database {:?} is another program's", self.url.database());
            return Err(StoreError::NotAStore { location: self.url.to_string(), reason }.into());
        }
        for (collection, keys) in indexes().into_iter().filter(|_| store.has_use_for_indexes()) {
            store.collection(collection).create_index(IndexModel::builder().keys(keys).build()).run()?;
        }
        if found.is_some() {
            // Later versions have more indexes, and documents that are read either way.
            let raise = doc! {"$max": {"version": VERSION}};
            store.collection(names::META).update_one(doc! {"_id": "schema"}, raise).run()?;
            return Ok(());
        }
        // Last: who sees it finds the indexes. Another process may have made it meanwhile.
        let schema = doc! {"_id": "schema", "program": "coronaz", "version": VERSION};
        match store.collection(names::META).insert_one(schema).run() {
            Ok(_) => {
                tracing::info!(store = %self.url, version = VERSION, "made the store's collections and indexes");
                Ok(())
            }
            Err(error) if super::trouble::is_duplicate(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn unavailable(&self, reason: &str) -> Trouble {
        let (location, reason) = (self.url.to_string(), reason.to_owned());
        StoreError::Unavailable { location, reason, source: None }.into()
    }
}
