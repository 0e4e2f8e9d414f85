//! Devices of one process, in real time: each with its own UUID, carrier and radio.
//!
//! A thread for each core holds a share of the devices ([`group`]); one more hands deliveries from
//! the bus to them. The process ends when the last device has told its last message, or when it is
//! asked to ([`Stop`]), which is a death too, or to leave off, which is none.

mod carried;
pub(crate) mod clock;
mod group;
mod hearing;
mod hearing_log;
mod people;
mod refused;

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use coronaz_bus::{ContentType, Delivery, Record, RecordSink};
use coronaz_model::{Draws, Parameters, Spawn};
use coronaz_radio::{Ear, Expectations, UdpConfig, UdpError, UdpRadio};
use coronaz_wire::{Scenario, announcement::RunKind, seal::RadioKey};
use uuid::Uuid;

use clock::{Clock, ClockWatch, SystemClock};
pub use group::Figures;
use group::{Group, Shared};
use hearing::Hearing;
use hearing_log::HearingLog;
pub(crate) use refused::Refused;

use crate::{
    device::{Circumstances, beacon_times_us},
    identity::NoRandomness,
    journal::JournalError,
    outbox::Encoding,
    scenario,
    spool::{Entry, Place, Spool, SpoolError},
};

/// Devices for which one thread is enough, so that a small process stays small.
const DEVICES_A_THREAD_MIN: usize = 50;
/// Open files of a device, besides its journal: the socket that it sends from. A thread has one to hear by.
const FILES_A_DEVICE: u64 = 1;
const FILES_BESIDES: u64 = 100;
/// How long one wait for deliveries lasts.
const DELIVERIES_WAIT: Duration = Duration::from_millis(50);
/// Contacts of a process that wait in memory for the broker at most: some 100 MB.
const PENDING_CONTACTS_MAX: usize = 1_000_000;
/// How long the first contact with the broker may take before it is called away.
const BROKER_NEWS_AFTER: Duration = Duration::from_secs(3);
/// How often the system is asked for datagrams it threw away.
const OVERFLOW_LOOK_EVERY: Duration = Duration::from_secs(5);
/// The token of the announcement; no device has it.
const ANNOUNCEMENT: u64 = u64::MAX;

/// What a process of nodes does.
pub struct NodesConfig {
    /// The run its beacons and reports belong to. `None`: the paper's, which knows no runs.
    pub run: Option<Uuid>,
    /// The scenario it came from, for the announcement.
    pub scenario: Scenario,
    /// The parameters in force.
    pub parameters: Parameters,
    /// The seed of its chance.
    pub seed: u64,
    /// Where each device's carrier appears, and how.
    pub spawns: Vec<Spawn>,
    /// Where beacons go.
    pub radio: UdpConfig,
    /// With a key, only sealed beacons are sent and heard.
    pub radio_key: Option<RadioKey>,
    /// Folder and limit in bytes of the spool.
    pub spool: Option<(PathBuf, u64)>,
    /// Folder of the journals.
    pub journal: Option<PathBuf>,
    /// After this time the process is stopped as if it had been asked to.
    pub live_for: Option<Duration>,
    /// How reports are written.
    pub encoding: Encoding,
    /// Whether the topic is told what the run is. The paper's own readers take reports and nothing else.
    pub announces: bool,
    /// Lines typed for the first device.
    pub console: Option<Console>,
}

/// Where commands for an interactive device come from, and where answers go.
pub struct Console {
    /// Lines typed; its end is `quit`.
    pub lines: mpsc::Receiver<String>,
    /// Shows an answer.
    pub say: Box<dyn FnMut(&str) + Send>,
}

/// Asks a process of nodes to stop. Clones ask the same one.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    leaving: Arc<AtomicBool>,
}

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Release);
    }

    /// Asks, but nobody is to die of it: the next process with the same spool carries the devices on. Without a
    /// spool there is none, and it is a death; a fleet does the same in either case.
    pub fn ask_to_leave(&self) {
        self.leaving.store(true, Ordering::Release);
        self.ask();
    }

    /// Whether nobody is to die of it.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

/// Why the devices could not start.
#[derive(Debug, thiserror::Error)]
pub enum NodesError {
    /// No radio.
    #[error(transparent)]
    Radio(#[from] UdpError),
    /// The system allows too few open files.
    #[error(
        "{devices} devices need {needed} open files, the system allows {allowed}; raise the limit (ulimit -n) or start fewer"
    )]
    Files {
        /// Devices asked for.
        devices: usize,
        /// Files they need.
        needed: u64,
        /// Files allowed.
        allowed: u64,
    },
    /// No spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// No journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// No UUIDs.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// No thread.
    #[error("no thread for the devices: {0}")]
    Thread(std::io::Error),
}

/// What the devices did, all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// The sum over all.
    pub figures: Figures,
    /// Whether contacts that were not told stay in a spool.
    pub spooled: bool,
    /// Whether the devices live on in it.
    pub left: bool,
}

/// Lives until every device has told its last message, or `stop` asks.
///
/// # Errors
/// See [`NodesError`]; nothing was sent then.
pub fn run(mut config: NodesConfig, sink: &Arc<dyn RecordSink>, stop: &Stop) -> Result<Summary, NodesError> {
    allow_files(config.spawns.len(), config.journal.is_some())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let started_us = clock.wall_us();
    // Before anything else: where the address is another program's, nothing was begun.
    let radio = UdpRadio::new(config.radio)?;
    let spool = config.spool.as_ref().map(|(dir, limit)| Spool::open(dir, *limit)).transpose()?;
    let (spool, spooled) = spool.map_or((None, Vec::new()), |(spool, devices)| (Some(spool), devices));
    let circumstances = Arc::new(Circumstances {
        run: config.run,
        parameters: config.parameters.clone(),
        draws: Draws::new(config.seed),
        beacon_times_us: beacon_times_us(config.spawns.len()),
    });
    let people = people::people(&config, &circumstances, spooled, started_us)?;
    let mut spool = spool;
    if let Some(spool) = &mut spool {
        spool.append(&people.entries)?;
    }
    let shared = Arc::new(Shared {
        sink: Arc::clone(sink),
        spool: spool.map(Mutex::new),
        radio_key: config.radio_key.clone(),
        refused: refused::Refused::default(),
        stop: stop.clone(),
        die_at_us: config.live_for.map(|time| {
            clock.steady_us().saturating_add(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
        }),
        clock,
    });
    let all: Vec<Place> = people.carried.iter().map(|carried| carried.place).collect();
    let radios = radios(radio, people.carried.len())?;
    let sockets = radios.iter().filter_map(UdpRadio::inode).collect();
    let (groups, inboxes) = groups(&mut config, &shared, people.carried, radios);
    let announcement = config.announces.then(|| announcement(&config, started_us));
    let (figures, finished) = play(groups, &inboxes, sink, announcement.as_ref(), &sockets)?;
    let spooled = shared.spool.is_some();
    if let (Some(spool), true) = (&shared.spool, finished.len() == all.len()) {
        let entries: Vec<Entry> = all.into_iter().map(|place| Entry::Finished { place }).collect();
        spool.lock().unwrap_or_else(PoisonError::into_inner).append(&entries)?;
    }
    Ok(Summary { figures, spooled, left: spooled && stop.is_leaving() })
}

/// Raises the limit of open files as far as the devices need it.
fn allow_files(devices: usize, journals: bool) -> Result<(), NodesError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let each = FILES_A_DEVICE + u64::from(journals);
    let needed = devices as u64 * each + threads_for(devices) as u64 + FILES_BESIDES;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let allowed = maximum.unwrap_or(u64::MAX);
    let raised = Rlimit { current: Some(needed.min(allowed)), maximum };
    if allowed < needed || setrlimit(Resource::Nofile, raised).is_err() {
        return Err(NodesError::Files { devices, needed, allowed });
    }
    Ok(())
}

/// The deliveries for each group.
type Inboxes = Vec<Arc<Mutex<Vec<Delivery>>>>;

/// The threads that so many devices are shared out over.
fn threads_for(devices: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.min(devices.div_ceil(DEVICES_A_THREAD_MIN)).max(1)
}

/// The radios that the devices hear by: one for each thread.
fn radios(first: UdpRadio, devices: usize) -> Result<Vec<UdpRadio>, UdpError> {
    let config = first.config();
    let others = (1..threads_for(devices)).map(|_| UdpRadio::new(config));
    std::iter::once(Ok(first)).chain(others).collect()
}

/// Shares the devices out over threads, one for each radio: device i goes to group i mod groups.
fn groups(
    config: &mut NodesConfig,
    shared: &Arc<Shared>,
    mut carried: Vec<carried::Carried>,
    radios: Vec<UdpRadio>,
) -> (Vec<Group>, Inboxes) {
    if let (Some(_), Some(first)) = (&config.console, carried.first_mut()) {
        // It stands until it is told to go.
        first.device.as_mut().map(crate::device::Device::steer);
    }
    let (devices, count) = (carried.len(), radios.len());
    let mut shares: Vec<Vec<carried::Carried>> = (0..count).map(|_| Vec::new()).collect();
    for (place, carried) in carried.into_iter().enumerate() {
        shares[place % count].push(carried);
    }
    let inboxes: Inboxes = (0..count).map(|_| Arc::default()).collect();
    let expectations =
        Expectations { run: config.run, field: config.parameters.field(), key: config.radio_key.clone() };
    let groups = shares
        .into_iter()
        .zip(radios)
        .zip(&inboxes)
        .map(|((carried, radio), inbox)| Group {
            carried,
            hearing: Hearing::new(Box::new(radio), Ear::new(expectations.clone()), HearingLog::new(devices)),
            watch: ClockWatch::new(&*shared.clock),
            shared: Arc::clone(shared),
            deliveries: Arc::clone(inbox),
            figures: Figures::default(),
            console: config.console.take(),
            spool_warned: false,
        })
        .collect();
    (groups, inboxes)
}

/// The record that says what the reports belong to.
fn announcement(config: &NodesConfig, started_us: i64) -> (String, Vec<u8>) {
    let run = config.run.unwrap_or_default();
    let announcement = scenario::announcement(
        run,
        RunKind::Nodes,
        config.seed,
        started_us,
        &config.scenario,
        &config.parameters,
    );
    (run.to_string(), announcement.encode())
}

/// Runs the groups and hands deliveries out until the last has ended.
fn play(
    groups: Vec<Group>,
    inboxes: &Inboxes,
    sink: &Arc<dyn RecordSink>,
    announcement: Option<&(String, Vec<u8>)>,
    sockets: &HashSet<u64>,
) -> Result<(Figures, Vec<Place>), NodesError> {
    let mut threads = Vec::with_capacity(groups.len());
    for (number, group) in groups.into_iter().enumerate() {
        let builder = thread::Builder::new().name(format!("devices-{number}"));
        threads.push(builder.spawn(move || group.live()).map_err(NodesError::Thread)?);
    }
    let announce = || announcement.is_none_or(|announcement| announce(&**sink, announcement));
    let mut announced = announce();
    let (mut reachable, started) = (None, Instant::now());
    let mut overflow = Overflow { sockets, looked: started, dropped: 0 };
    let mut deliveries = Vec::new();
    while threads.iter().any(|thread| !thread.is_finished()) {
        let waiting = Instant::now();
        sink.deliveries(DELIVERIES_WAIT, &mut deliveries);
        if deliveries.is_empty() {
            // A sink on which nothing is pending may answer at once.
            thread::sleep(DELIVERIES_WAIT.saturating_sub(waiting.elapsed()));
        }
        for delivery in deliveries.drain(..) {
            if delivery.token == ANNOUNCEMENT {
                announced = delivery.result.is_ok();
                continue;
            }
            let group = usize::try_from(delivery.token >> 32).unwrap_or_default() % inboxes.len();
            inboxes[group].lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
        }
        if !announced {
            announced = announce();
        }
        overflow.tell(Instant::now());
        let now_reachable = sink.is_reachable();
        // At the start it is not known to be there; that is no news yet.
        let settled = reachable.is_some() || started.elapsed() > BROKER_NEWS_AFTER;
        if reachable != Some(now_reachable) && (now_reachable || settled) {
            tell_of_broker(now_reachable);
            reachable = Some(now_reachable);
        }
    }
    let mut figures = Figures::default();
    let mut finished = Vec::new();
    for thread in threads {
        let (own, places) = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        figures.add(&own);
        finished.extend(places);
    }
    Ok((figures, finished))
}

/// Watches for datagrams that the system threw away because nobody fetched them in time.
struct Overflow<'a> {
    sockets: &'a HashSet<u64>,
    looked: Instant,
    dropped: u64,
}

impl Overflow<'_> {
    fn tell(&mut self, now: Instant) {
        if now.duration_since(self.looked) < OVERFLOW_LOOK_EVERY {
            return;
        }
        self.looked = now;
        // Sockets of the dead are gone from the sum.
        let dropped = coronaz_radio::udp::datagrams_dropped(self.sockets).unwrap_or(0);
        if dropped > self.dropped {
            tracing::warn!(
                datagrams = dropped - self.dropped,
                "behind: datagrams were lost because they were not fetched in time"
            );
        }
        self.dropped = dropped;
    }
}

fn tell_of_broker(reachable: bool) {
    if reachable {
        tracing::info!("the broker is there");
    } else {
        tracing::warn!("the broker is away; contacts are kept until it is back");
    }
}

/// Hands the announcement over; says whether its fate has to be waited for.
fn announce(sink: &dyn RecordSink, (key, payload): &(String, Vec<u8>)) -> bool {
    let record = Record { key: key.as_bytes(), payload, content_type: ContentType::RUN, token: ANNOUNCEMENT };
    sink.send(&record).is_ok()
}
