//! A server, a store behind it, and a switch that takes the store away.

use std::{
    future::Future,
    net::SocketAddr,
    num::NonZeroU32,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use coronaz_server::{Config, Limits, ServeError, Server};
use coronaz_store::{
    At, Batch, IngestStatus, Ingestion, Lease, PartitionOffset, Queries, ReportRecord, StoreError,
    StoreLocation,
    batch::AnnouncementRecord,
    queries::{PaperState, Span},
    view,
};
use coronaz_wire::{
    Announcement, Contact, Report, Setting,
    announcement::{ForkedFrom, RunKind},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use uuid::Uuid;

use crate::http::{self, Answer};

/// The time of the first report: 2020-12-02 16:19:05.123456.
pub(crate) const START_US: i64 = 1_606_925_945_123_456;
pub(crate) const SECOND_US: i64 = 1_000_000;
/// Nothing on this machine takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `found` gives something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut found: impl FnMut() -> F,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(thing) = found().await {
            return thing;
        }
        assert!(began.elapsed() < PATIENCE, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A node of a run, by a small number.
pub(crate) fn node(number: u128) -> Uuid {
    Uuid::from_u128(0x1111_0000_0000_1000_8000_0000_0000_0000 + number)
}

/// A run, by a small number.
pub(crate) fn run(number: u128) -> Uuid {
    Uuid::from_u128(0x2222_0000_0000_1000_8000_0000_0000_0000 + number)
}

/// A report of `node(number)` in `run(1)`, `second` seconds after the start.
pub(crate) fn report(number: u128, second: i64, position: [i32; 2]) -> Report {
    Report {
        uuid: node(number),
        position,
        infected: false,
        timestamp_us: START_US + second * SECOND_US,
        alive: true,
        contacts: Vec::new(),
        run: Some(run(1)),
        start_us: None,
        seq: None,
        tick: None,
        immune: None,
        infected_by: None,
        totals: None,
    }
}

/// A contact with `node(number)`, `second` seconds after the start.
pub(crate) fn contact(number: u128, second: i64) -> Contact {
    Contact { uuid: node(number), timestamp_us: START_US + second * SECOND_US, distance: Some(1.5) }
}

/// The writing side of the store.
pub(crate) struct Desk {
    ingestion: Box<dyn Ingestion>,
    epoch: i64,
    next: i64,
    /// A moment after so many reports.
    pub(crate) state_every: NonZeroU32,
}

impl Desk {
    fn open(location: &StoreLocation) -> Self {
        let mut ingestion = location.ingestion();
        ingestion.prepare().expect("a new store");
        let held = ingestion.take(0, "test", START_US, Duration::from_secs(3600)).expect("a store");
        let held = held.expect("nobody else has the partition");
        Self { ingestion, epoch: held.epoch, next: held.next, state_every: NonZeroU32::MIN }
    }

    /// Stores reports.
    pub(crate) fn store(&mut self, reports: Vec<Report>) {
        let mut batch = self.batch();
        for report in reports {
            batch.reports.push(ReportRecord { offset: batch.to, report });
            batch.to += 1;
        }
        self.commit(&batch);
    }

    /// Announces `run(number)`, on a field of 200 by 100.
    pub(crate) fn announce(&mut self, number: u128) {
        self.announce_from(number, None);
    }

    /// Announces `run(number)` as a fork of `run(of)` from `tick` on.
    pub(crate) fn announce_fork(&mut self, number: u128, of: u128, tick: u64) {
        let parameters = std::collections::BTreeMap::new();
        self.announce_from(
            number,
            Some(ForkedFrom { run: run(of), tick, seed: 7, parameters, forked_from: None }),
        );
    }

    fn announce_from(&mut self, number: u128, forked_from: Option<ForkedFrom>) {
        let mut batch = self.batch();
        let parameters = [("field_width", Setting::Integer(200)), ("infection_radius", Setting::Real(4.5))];
        let announcement = Announcement {
            run: run(number),
            name: format!("run {number}"),
            kind: RunKind::Nodes,
            seed: 7,
            started_us: START_US + i64::try_from(number).expect("a small number"),
            parameters: parameters.map(|(name, value)| (name.to_owned(), value)).into(),
            scenario: String::new(),
            forked_from,
            guests_of: None,
        };
        batch.announcements.push(AnnouncementRecord { offset: batch.to, announcement });
        batch.to += 1;
        self.commit(&batch);
    }

    fn batch(&self) -> Batch {
        let mut batch = Batch::new(0, self.epoch, self.next);
        batch.state_every = self.state_every;
        batch.now_us = START_US;
        batch
    }

    fn commit(&mut self, batch: &Batch) {
        self.ingestion.commit(batch).expect("the store takes the batch");
        self.next = batch.to;
    }
}

/// A server that runs, and everything behind it.
pub(crate) struct Stage {
    pub(crate) address: SocketAddr,
    pub(crate) desk: Desk,
    pub(crate) switch: Arc<Switch>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), ServeError>>,
    _folder: TempDir,
}

impl Stage {
    /// A server with defaults, apart from short times.
    pub(crate) async fn open() -> Stage {
        Self::open_with(Config::default()).await
    }

    pub(crate) async fn open_with(mut config: Config) -> Stage {
        config.limits.poll_every = Duration::from_millis(10);
        let folder = tempfile::tempdir().expect("a folder");
        let location: StoreLocation =
            format!("sqlite:{}", folder.path().join("store.db").display()).parse().expect("a location");
        let desk = Desk::open(&location);
        config.administered = Some(location.clone());
        let switch = Arc::new(Switch {
            store: location.queries(),
            away: AtomicBool::new(false),
            delay_ms: AtomicU64::new(0),
            crowd: AtomicU32::new(0),
            states_read: AtomicU64::new(0),
        });
        let server = Server::new(switch.clone(), config).expect("a page");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server.run(listener, async {
            // The other end is dropped with the stage, which is a stop too.
            let _ = stopped.await;
        }));
        Stage { address, desk, switch, stop: Some(stop), server, _folder: folder }
    }

    /// The operator's token, where there is one.
    pub(crate) const TOKEN: &str = "a-token-for-tests-alone";

    /// The same story on a server with a token.
    pub(crate) async fn open_with_a_story_and_a_token() -> Stage {
        let token = Some(Self::TOKEN.parse().expect("a token"));
        let mut stage = Self::open_with(Config { token, ..Config::default() }).await;
        stage.tell_a_story();
        stage
    }

    /// Three moments of two nodes: node 1 hears node 2, who dies infected.
    pub(crate) async fn open_with_a_story() -> Stage {
        let mut stage = Self::open().await;
        stage.tell_a_story();
        stage
    }

    fn tell_a_story(&mut self) {
        self.desk.announce(1);
        let heard = Report { contacts: vec![contact(2, 1), contact(2, 2)], ..report(1, 2, [100, 50]) };
        let dead = Report { infected: true, alive: false, ..report(2, 3, [200, 100]) };
        self.desk.store(vec![report(1, 0, [99, 50]), heard, dead]);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        http::get(self.address, path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        http::get(self.address, path, headers).await
    }

    /// Stops the server; returns how long that took.
    pub(crate) async fn stop(mut self) -> Duration {
        let began = Instant::now();
        drop(self.stop.take());
        let ended = tokio::time::timeout(PATIENCE, &mut self.server).await.expect("the server stops");
        ended.expect("the server does not panic").expect("the server ends well");
        began.elapsed()
    }
}

/// Limits for a test that waits for one of them.
pub(crate) fn limits(set: impl FnOnce(&mut Limits)) -> Config {
    let mut config = Config::default();
    set(&mut config.limits);
    config
}

/// The store, until it is away.
pub(crate) struct Switch {
    store: Arc<dyn Queries>,
    away: AtomicBool,
    /// Every answer takes so long.
    delay_ms: AtomicU64,
    /// When not 0, every state has so many nodes, whatever the store says.
    crowd: AtomicU32,
    pub(crate) states_read: AtomicU64,
}

impl Switch {
    pub(crate) fn take_away(&self, away: bool) {
        self.away.store(away, SeqCst);
    }

    pub(crate) fn delay(&self, delay_ms: u64) {
        self.delay_ms.store(delay_ms, SeqCst);
    }

    pub(crate) fn crowd(&self, people: u32) {
        self.crowd.store(people, SeqCst);
    }

    fn store(&self) -> Result<&dyn Queries, StoreError> {
        std::thread::sleep(Duration::from_millis(self.delay_ms.load(SeqCst)));
        if self.away.load(SeqCst) {
            let reason = "the disk of database-7 is full".to_owned();
            return Err(StoreError::Unavailable {
                location: "sqlite:/secret/path".into(),
                reason,
                source: None,
            });
        }
        Ok(self.store.as_ref())
    }
}

impl Queries for Switch {
    fn crowd(&self, run: Uuid, at: At) -> Result<Option<view::Crowd>, StoreError> {
        let crowd = self.store()?.crowd(run, at);
        self.states_read.fetch_add(1, SeqCst);
        Ok(crowd?.map(|mut crowd| {
            let people = self.crowd.load(SeqCst) as usize;
            if people > 0 {
                let (x, y, health) = (crowd.x[0], crowd.y[0], crowd.health[0]);
                (crowd.x, crowd.y, crowd.health) = (vec![x; people], vec![y; people], vec![health; people]);
            }
            crowd
        }))
    }

    fn runs(&self) -> Result<Vec<view::Run>, StoreError> {
        self.store()?.runs()
    }

    fn run(&self, run: Uuid) -> Result<view::Run, StoreError> {
        self.store()?.run(run)
    }

    fn runs_page(&self, from: Option<view::RunCursor>, limit: usize) -> Result<view::RunsPage, StoreError> {
        self.store()?.runs_page(from, limit)
    }

    fn default_run(&self, now_us: i64) -> Result<Option<Uuid>, StoreError> {
        self.store()?.default_run(now_us)
    }

    fn progress(&self, run: Uuid) -> Result<view::Progress, StoreError> {
        self.store()?.progress(run)
    }

    fn state(&self, run: Uuid, at: At) -> Result<Option<view::State>, StoreError> {
        self.store()?.state(run, at)
    }

    fn moments(&self, run: Uuid, from: u64, to: u64, points: usize) -> Result<Vec<view::Moment>, StoreError> {
        self.store()?.moments(run, from, to, points)
    }

    fn paper_states(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store()?.paper_states(run, visit)
    }

    fn nodes(&self, run: Uuid, from_slot: u32, limit: usize) -> Result<Vec<view::Node>, StoreError> {
        self.store()?.nodes(run, from_slot, limit)
    }

    fn node(&self, run: Uuid, node: Uuid) -> Result<view::NodeDetail, StoreError> {
        self.store()?.node(run, node)
    }

    fn contacts(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<view::Cursor>,
        limit: usize,
    ) -> Result<view::Page<view::Contact>, StoreError> {
        self.store()?.contacts(run, node, span, from, limit)
    }

    fn encounters(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<view::Cursor>,
        limit: usize,
    ) -> Result<view::Page<view::Encounter>, StoreError> {
        self.store()?.encounters(run, node, span, from, limit)
    }

    fn infections(&self, run: Uuid, from_us: i64, limit: usize) -> Result<Vec<view::Infection>, StoreError> {
        self.store()?.infections(run, from_us, limit)
    }

    fn each_contact(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(view::Contact) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store()?.each_contact(run, visit)
    }

    fn rejected(&self, limit: usize) -> Result<Vec<view::RejectedRecord>, StoreError> {
        self.store()?.rejected(limit)
    }

    fn gaps(&self, limit: usize) -> Result<Vec<view::MissingRecords>, StoreError> {
        self.store()?.gaps(limit)
    }

    fn offsets(&self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.store()?.offsets()
    }

    fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        self.store()?.leases()
    }

    fn ingest_status(&self) -> Result<Vec<IngestStatus>, StoreError> {
        self.store()?.ingest_status()
    }
}
