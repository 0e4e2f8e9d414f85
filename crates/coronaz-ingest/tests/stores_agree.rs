//! The same records into the embedded store and into the MongoDB of `MONGODB_URL`, by ingest processes that are stopped in
//! between: whatever is asked, both answer the same.

use coronaz_bus::MemoryBus;
use coronaz_devices::{
    fleet::{self, FleetConfig, pace::Speed},
    nodes::Stop,
    scenario,
};
use coronaz_ingest::IngestConfig;
use coronaz_model::Parameters;
use coronaz_store::queries::Span;
use coronaz_store::view::{Contact, Encounter};
use coronaz_store::{At, Queries, StoreLocation};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

const RUN: Uuid = Uuid::from_u128(0x7c9f_3f9e_0d3b_4f7e_9a55_0f4b_8f6f_2a11);
const TICKS: u64 = 20;
const PEOPLE: u32 = 9_000;

fn config() -> FleetConfig {
    let parameters = Parameters {
        field_width: 700,
        field_height: 700,
        infection_radius: 4.0,
        infection_cooldown: 20,
        zombie_lifetime: 25,
        ..Parameters::default()
    };
    FleetConfig {
        run: RUN,
        scenario: scenario::load("paper").expect("built in"),
        parameters,
        seed: 7,
        people: PEOPLE,
        infected: PEOPLE / 100,
        speed: Speed::Max,
        threads: 1,
        ticks: Some(TICKS),
        until_over: false,
        live_for: None,
        spool: None,
        origin: fleet::Origin::Beginning,
        checkpoints: None,
        bridge: None,
    }
}

/// Two processes at once that share the partitions; stopped and started again until everything is stored.
fn ingest(bus: &MemoryBus, store: &StoreLocation) {
    for drain in [Duration::ZERO, Duration::from_millis(100), Duration::from_secs(120)] {
        let stop = Arc::new(AtomicBool::new(false));
        let threads: Vec<_> = ["a", "b"]
            .into_iter()
            .map(|name| {
                let mut config = IngestConfig::new(name, bus.partitions());
                config.drain = drain;
                let (source, store, stopped) = (bus.source(), store.ingestion(), Arc::clone(&stop));
                std::thread::spawn(move || coronaz_ingest::run(source, store, &config, &stopped))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(700));
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().expect("no panic").expect("it ends when it is told to");
        }
    }
}

fn contacts(queries: &dyn Queries) -> Vec<Contact> {
    let mut all = Vec::new();
    let mut visit = |contact| {
        all.push(contact);
        ControlFlow::Continue(())
    };
    queries.each_contact(RUN, &mut visit).expect("an answer");
    all
}

fn encounters(queries: &dyn Queries) -> Vec<Encounter> {
    let mut all = Vec::new();
    let mut visit = |encounter| {
        all.push(encounter);
        ControlFlow::Continue(())
    };
    queries.each_encounter(RUN, &mut visit).expect("an answer");
    all
}

#[test]
fn a_fleet_is_the_same_in_both_stores() {
    let url = std::env::var("MONGODB_URL").expect("make test-services sets MONGODB_URL");
    let server = url.strip_prefix("mongodb://").expect("a MongoDB's URL");
    let server = server.split(['/', '?']).next().unwrap_or(server);
    let folder = tempfile::tempdir().expect("a folder");
    let embedded = StoreLocation::from(folder.path().join("store.db").as_path());
    let name = format!("mongodb://{server}/coronaz_agree_{}", std::process::id());
    let mongodb: StoreLocation = name.parse().expect("a location");
    let bus = MemoryBus::new(4);
    fleet::run(&config(), Arc::new(bus.sink()), &Stop::default()).expect("a fleet");
    ingest(&bus, &embedded);
    ingest(&bus, &mongodb);

    let (one, other) = (embedded.queries(), mongodb.queries());
    let (run, theirs) = (one.run(RUN).expect("there"), other.run(RUN).expect("there"));
    let same = coronaz_store::view::Run { written_us: run.written_us, ..theirs };
    assert_eq!((run.moments, &run), (TICKS + 1, &same));
    let moments = one.moments(RUN, 0, u64::MAX, 1_000).expect("an answer");
    assert_eq!(moments, other.moments(RUN, 0, u64::MAX, 1_000).expect("an answer"));
    assert_eq!(one.progress(RUN).expect("there"), other.progress(RUN).expect("there"));
    for k in [0, 1, 2, 17, TICKS] {
        assert_eq!(
            one.crowd(RUN, At::Moment(k)).expect("there"),
            other.crowd(RUN, At::Moment(k)).expect("there")
        );
    }
    assert_eq!(one.state(RUN, At::Latest).expect("there"), other.state(RUN, At::Latest).expect("there"));
    let infections = one.infections(RUN, i64::MIN, 100_000).expect("an answer");
    assert!(infections.len() > 10);
    assert_eq!(infections, other.infections(RUN, i64::MIN, 100_000).expect("an answer"));
    let met = contacts(&*one);
    assert!(met.len() > 100);
    assert!(met == contacts(&*other), "the same contacts in the same order");
    assert!(encounters(&*one) == encounters(&*other));
    for contact in met.iter().step_by(met.len() / 3) {
        let of = |store: &dyn Queries| {
            store.contacts(RUN, contact.person, Span::ALL, None, 50).expect("an answer")
        };
        assert_eq!(of(&*one), of(&*other));
        assert_eq!(
            one.node(RUN, contact.person).expect("there"),
            other.node(RUN, contact.person).expect("there")
        );
    }
    assert_eq!(one.fleet_shards(RUN).expect("there"), other.fleet_shards(RUN).expect("there"));
    // Nothing is left behind on a server that is not ours.
    mongodb.administration().delete_run(RUN, 0, &mut |_| ControlFlow::Continue(())).expect("deleted");
}
