//! The contract over the MongoDB, or what speaks its protocol, at the address in `MONGODB_URL`; each test has a database
//! of its own there. `make test-services` starts one.

mod contract;

use contract::Stores;
use coronaz_store::{Administration, Ingestion, Queries, StoreLocation};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database of its own, dropped at the end.
struct Database {
    location: StoreLocation,
    name: String,
}

/// The address that tests use, with another database.
fn url_of(name: &str) -> String {
    let url = std::env::var("MONGODB_URL").expect("make test-services sets MONGODB_URL");
    let rest = url.strip_prefix("mongodb://").expect("a MongoDB's URL");
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let options = path.split_once('?').map(|(_, options)| format!("?{options}")).unwrap_or_default();
    format!("mongodb://{hosts}/{name}{options}")
}

impl Database {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("coronaz_test_{}_{count}", std::process::id());
        Self { location: url_of(&name).parse().expect("a location"), name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let client = mongodb::sync::Client::with_uri_str(url_of(&self.name)).expect("a client");
        client.database(&self.name).drop().run().expect("dropped");
    }
}

impl Stores for Database {
    fn ingestion(&self) -> Box<dyn Ingestion> {
        self.location.ingestion()
    }

    fn queries(&self) -> Arc<dyn Queries> {
        self.location.queries()
    }

    fn administration(&self) -> Box<dyn Administration> {
        self.location.administration()
    }

    fn cases(&self) -> u32 {
        // Each takes a second or two over a server that looks through whole collections.
        12
    }
}

contract!(Box::new(Database::new()));
