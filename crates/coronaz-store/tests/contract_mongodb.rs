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
        // One that stays is known by its name.
        let _ = client.database(&self.name).drop().run();
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

#[test]
#[ignore = "measures"]
fn reports_a_second() {
    use coronaz_wire::Report;
    for (nodes, contacts, size) in
        [(20, 0, 10), (20, 5, 10), (20, 5, 500), (1000, 0, 1000), (10_000, 0, 2000)]
    {
        let database = Database::new();
        let mut ingestion = database.location.ingestion();
        let mut held = contract::take(&mut *ingestion, 0);
        let (began, mut reports) = (std::time::Instant::now(), 0_u32);
        while began.elapsed().as_secs() < 10 {
            let some = (reports..reports + size).map(|n| {
                let (who, second) = (n % nodes, i64::from(n / nodes));
                let met =
                    (1..=contacts).map(|k| contract::contact(contract::node((who + k) % nodes), second));
                let (start_us, seq) = (Some(1), Some(u64::from(n / nodes)));
                Report {
                    contacts: met.collect(),
                    start_us,
                    seq,
                    ..contract::report(contract::node(who), second)
                }
            });
            contract::commit(&mut *ingestion, &mut held, some);
            reports += size;
        }
        let rate = f64::from(reports) / began.elapsed().as_secs_f64();
        println!("{nodes} nodes, {contacts} contacts a report, batches of {size}: {rate:.0} reports/s");
    }
}
