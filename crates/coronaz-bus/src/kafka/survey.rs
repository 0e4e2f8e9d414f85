//! What a source wants to know of its partitions and must not wait for: asked on threads of its own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing::{debug, warn};

use super::ends::TopicEnds;
use super::link::Link;
use super::scout;
use crate::config::{BusConfig, ConfigError};
use crate::mark::Mark;
use crate::source::Watermarks;

/// From one question about the ends to the next, if nobody asks before.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Looks at a time: each is a client with threads of its own.
const SCOUTS_MAX: usize = 8;
/// How long the broker may take to answer it.
const ANSWER_WAIT: Duration = Duration::from_secs(2);

/// Answers that came since the last look.
#[derive(Default)]
pub(super) struct Answers {
    /// Where the partitions begin and end now.
    pub(super) ends: Option<BTreeMap<i32, Watermarks>>,
    /// Partitions that have another record where this one was.
    pub(super) strangers: Vec<(i32, Mark)>,
    /// Where reading can go on.
    pub(super) passes: Vec<Pass>,
}

/// A stretch that yields nothing, looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    pub(super) partition: i32,
    pub(super) from: i64,
    /// `None`: it could not be found out.
    pub(super) to: Option<i64>,
}

/// The asking side of a source.
pub(super) struct Survey {
    config: BusConfig,
    shared: Arc<Shared>,
    scouts: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
}

#[derive(Default)]
struct State {
    partitions: Vec<i32>,
    asked: bool,
    answers: Answers,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Survey {
    /// Begins to ask about partitions once there are some.
    pub(super) fn new(config: &BusConfig, link: &Arc<Link>) -> Result<Self, ConfigError> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let (ends, link, own) = (TopicEnds::new(config)?, Arc::clone(link), Arc::clone(&shared));
        thread::Builder::new()
            .name("topic-ends".to_owned())
            .spawn(move || ask(&ends, &link, &own))
            .map_err(|error| ConfigError::Client { reason: error.to_string() })?;
        Ok(Self { config: config.clone(), shared, scouts: Vec::new() })
    }

    /// From now on these partitions are asked about.
    pub(super) fn of(&self, partitions: Vec<i32>) {
        let mut state = self.shared.lock();
        state.partitions = partitions;
        state.asked = true;
        self.shared.changed.notify_all();
    }

    /// Asks now; an answer to an earlier question does not count any more.
    pub(super) fn ask_now(&self) {
        let mut state = self.shared.lock();
        state.answers.ends = None;
        state.asked = true;
        self.shared.changed.notify_all();
    }

    /// What has been answered since.
    pub(super) fn take(&self) -> Answers {
        std::mem::take(&mut self.shared.lock().answers)
    }

    /// Looks whether these records are still where they were. Says whether it was begun: there are only so many at a time.
    pub(super) fn compare(&mut self, marks: Vec<(i32, Mark)>) -> bool {
        self.scout(move |config, shared| {
            let found = scout::strangers(config, &marks, &shared.stop);
            let known = marks.into_iter().filter(|(partition, _)| found.contains(partition));
            shared.lock().answers.strangers.extend(known);
        })
    }

    /// Looks where reading can go on at or after `from`. Says whether it was begun: there are only so many at a time.
    pub(super) fn pass(&mut self, partition: i32, from: i64, high: i64) -> bool {
        self.scout(move |config, shared| {
            let to = scout::first_readable(config, (partition, from, high), &shared.stop);
            shared.lock().answers.passes.push(Pass { partition, from, to });
        })
    }

    fn scout(&mut self, look: impl FnOnce(&BusConfig, &Shared) + Send + 'static) -> bool {
        self.scouts.retain(|scout| !scout.is_finished());
        if self.scouts.len() >= SCOUTS_MAX {
            return false;
        }
        let (config, shared) = (self.config.clone(), Arc::clone(&self.shared));
        let begun = thread::Builder::new().name("scout".to_owned()).spawn(move || look(&config, &shared));
        match begun {
            Ok(scout) => {
                self.scouts.push(scout);
                true
            }
            Err(error) => {
                warn!(%error, "no thread to look at a partition with");
                false
            }
        }
    }
}

/// Its threads end by themselves, within the time that an answer may take: nobody needs to wait for them.
impl Drop for Survey {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

fn ask(ends: &TopicEnds, link: &Link, shared: &Shared) {
    loop {
        let mut state = shared.lock();
        if !state.asked {
            state = shared.changed.wait_timeout(state, ASK_EVERY).unwrap_or_else(PoisonError::into_inner).0;
        }
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        state.asked = false;
        let partitions = state.partitions.clone();
        drop(state);
        if partitions.is_empty() {
            continue;
        }
        match ends.ask(&partitions, ANSWER_WAIT) {
            Ok(ends) => {
                link.set_reachable(true);
                let mut state = shared.lock();
                // Asked once more meanwhile: the next answer is the one that is waited for.
                if !state.asked {
                    state.answers.ends = Some(ends);
                }
            }
            Err(error) => {
                link.set_reachable(false);
                debug!(%error, "where the partitions end is not known");
            }
        }
    }
}
