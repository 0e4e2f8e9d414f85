//! A fleet or reports, through a bus in memory and ingest, into a store.

use coronaz_bus::MemoryBus;
use coronaz_devices::{
    fleet::{self, FleetConfig, Summary, pace::Speed},
    nodes::Stop,
    scenario,
};
use coronaz_ingest::IngestConfig;
use coronaz_laboratory::audit::{AuditError, AuditOptions, Until, Verdict, audit};
use coronaz_model::Parameters;
use coronaz_store::{Ingestion, Queries, StoreLocation};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

pub(crate) const RUN: Uuid = Uuid::from_u128(0x7c9f_3f9e_0d3b_4f7e_9a55_0f4b_8f6f_2a10);

/// A store in a folder of its own.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Stage { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn location(&self) -> StoreLocation {
        StoreLocation::from(self.folder.path().join("store.db").as_path())
    }

    pub(crate) fn queries(&self) -> Arc<dyn Queries> {
        self.location().queries()
    }

    /// Stores everything that is on the bus.
    pub(crate) fn ingest(&self, bus: &MemoryBus) {
        self.ingest_with(bus, self.location().ingestion());
    }

    /// The same with a store of one's own making.
    pub(crate) fn ingest_with(&self, bus: &MemoryBus, store: Box<dyn Ingestion>) {
        let mut config = IngestConfig::new("ingest", bus.partitions());
        config.drain = Duration::from_secs(60);
        config.batch_wait = Duration::from_millis(1);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ingest = scope.spawn(|| coronaz_ingest::run(bus.source(), store, &config, &stop));
            stop.store(true, Ordering::Relaxed);
            ingest.join().expect("no panic").expect("it ends when all is stored");
        });
    }

    pub(crate) fn audit(&self, until: Until) -> Verdict {
        audit_of(self.queries().as_ref(), &AuditOptions { until, ..AuditOptions::default() })
            .expect("a verdict")
    }
}

pub(crate) fn audit_of(store: &dyn Queries, options: &AuditOptions) -> Result<Verdict, AuditError> {
    let options = AuditOptions { threads: 1, ..options.clone() };
    audit(store, RUN, &options, &mut |_| ControlFlow::Continue(()))
}

/// A crowded fleet in which people meet, infect each other, die of age in the last tick.
pub(crate) fn fleet_config(people: u32, ticks: u64) -> FleetConfig {
    let side = (f64::from(people) / 0.02).sqrt() as u32;
    let parameters = Parameters {
        field_width: side,
        field_height: side,
        infection_radius: 4.0,
        infection_cooldown: 20,
        zombie_lifetime: 70,
        ..Parameters::default()
    };
    FleetConfig {
        run: RUN,
        scenario: scenario::load("paper").expect("built in"),
        parameters,
        seed: 7,
        people,
        infected: people / 100,
        speed: Speed::Max,
        threads: 1,
        ticks: Some(ticks),
        until_over: false,
        live_for: None,
        spool: None,
        origin: fleet::Origin::default(),
        checkpoints: None,
        bridge: None,
    }
}

pub(crate) fn play(config: &FleetConfig, bus: &MemoryBus) -> Summary {
    fleet::run(config, Arc::new(bus.sink()), &Stop::default()).expect("a fleet")
}

/// Lost, doubled, wrong, unknown of one kind of thing.
pub(crate) fn row(verdict: &Verdict, what: &str) -> [u64; 4] {
    let row = verdict.rows.iter().find(|row| row.what == what).unwrap_or_else(|| panic!("no row {what}"));
    [row.lost, row.doubled, row.wrong, row.unknown]
}

#[track_caller]
pub(crate) fn assert_clean(verdict: &Verdict) {
    assert!(verdict.is_clean(), "{verdict:#?}");
    assert!(verdict.examples.is_empty(), "{verdict:#?}");
}
