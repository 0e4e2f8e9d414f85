//! The connections' way in to the groups: one lock, and requests that wait.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tracing::{info, warn};

use super::committed::{Commit, Committed, Time};
use super::{Join, Member, Ms, OfGroup, Phase, Replies, Reply, Sync, Table, Ticket, Who};
use crate::protocol::ErrorCode;

/// How often a request that waits looks whether its client is still there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// All groups, shared by all connections.
#[derive(Debug)]
pub(crate) struct Groups {
    started: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    table: Table,
    committed: Committed,
    /// Requests that wait, at most one for each connection.
    waiting: HashMap<Ticket, Sender<Reply>>,
    ticket: Ticket,
}

impl Inner {
    /// Sends answers to those who wait for them.
    fn deliver(&mut self, replies: Replies) {
        for (ticket, reply) in replies {
            if let Some(waiting) = self.waiting.remove(&ticket) {
                // It may have given up just now.
                let _ = waiting.send(reply);
            }
        }
    }
}

/// A request that was taken and waits for its answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    group: String,
    ticket: Ticket,
    answer: Receiver<Reply>,
}

/// A group as others see it.
#[derive(Debug)]
pub(crate) struct Described {
    /// By Kafka's name.
    pub(crate) state: &'static str,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) members: Vec<Member>,
}

impl Groups {
    /// Opens the groups in a folder. What was committed of topics that are gone is forgotten; members have
    /// their places again.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn open(folder: &Path, is_topic: impl Fn(&str) -> bool) -> io::Result<Self> {
        let time = Time { now: 0, unix_ms: unix_ms() };
        let mut committed = Committed::open(folder, time)?;
        for topic in committed.topics().iter().filter(|topic| !is_topic(topic)) {
            info!(topic, "the offsets that were committed of a missing topic are forgotten");
            committed.forget_topic(time, topic);
        }
        let mut table = Table::default();
        for (group, saved) in committed.members() {
            table.restore(time.now, group, saved);
        }
        let of_no_use = committed.members().map(|(group, _)| group.to_owned());
        let of_no_use: Vec<String> = of_no_use.filter(|group| table.group(group).is_none()).collect();
        for group in of_no_use {
            committed.save_members(time, &group, &[]);
        }
        let inner = Inner { table, committed, waiting: HashMap::new(), ticket: 0 };
        Ok(Self { started: Instant::now(), inner: Mutex::new(inner) })
    }

    /// A panic with the lock held would be ours; groups are in order between any two of their steps.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Ms {
        self.started.elapsed().as_millis().try_into().unwrap_or(Ms::MAX)
    }

    fn time(&self) -> Time {
        Time { now: self.now(), unix_ms: unix_ms() }
    }

    /// Does something with the groups; whoever waits for what came of it is answered.
    fn with<T>(&self, work: impl FnOnce(&mut Inner, Time, &mut Replies) -> T) -> T {
        let mut inner = self.lock();
        let mut replies = Replies::new();
        // Taken with the lock held, so that it rises from one to the next.
        let time = self.time();
        let done = work(&mut inner, time, &mut replies);
        for (group, saved) in inner.table.take_unsaved() {
            inner.committed.save_members(time, &group, &saved);
        }
        inner.deliver(replies);
        done
    }

    /// A request whose answer may have to wait.
    fn ask(&self, group: &str, ask: impl FnOnce(&mut Table, Ms, Ticket, &mut Replies)) -> Waiting {
        let (sender, answer) = mpsc::channel();
        let ticket = self.with(|inner, time, replies| {
            inner.ticket += 1;
            inner.waiting.insert(inner.ticket, sender);
            ask(&mut inner.table, time.now, inner.ticket, replies);
            inner.ticket
        });
        Waiting { group: group.to_owned(), ticket, answer }
    }

    /// Waits for the answer; `None` when the client has gone meanwhile.
    pub(crate) fn wait(&self, waiting: Waiting, has_gone: &dyn Fn() -> bool) -> Option<Reply> {
        let Waiting { group, ticket, answer } = waiting;
        loop {
            let deadline = self.lock().table.deadline(&group);
            let left = deadline.map_or(LOOK_EVERY, |at| Duration::from_millis(at.saturating_sub(self.now())));
            match answer.recv_timeout(left.clamp(Duration::from_millis(1), LOOK_EVERY)) {
                Ok(reply) => return Some(reply),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if has_gone() => {
                    self.with(|inner, time, replies| {
                        inner.waiting.remove(&ticket);
                        inner.table.abandon(time.now, &group, ticket, replies);
                    });
                    return None;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.with(|inner, time, replies| inner.table.advance(time.now, &group, replies));
                }
            }
        }
    }

    /// Takes a `JoinGroup`, which is answered once everybody joined or had the time for it.
    pub(crate) fn join(&self, ask: &Join<'_>) -> Waiting {
        let mut bytes = [0; 16];
        let drawn = getrandom::fill(&mut bytes);
        let random = format!("{:032x}", u128::from_be_bytes(bytes));
        self.ask(ask.group, |table, now, ticket, out| match drawn {
            Ok(()) => table.join(now, ticket, ask, &random, out),
            Err(error) => {
                warn!(%error, "no random number for a member's id");
                let error = ErrorCode::CoordinatorNotAvailable;
                out.push((ticket, Reply::Refused { error, member: ask.member.to_owned() }));
            }
        })
    }

    /// Takes a `SyncGroup`, which is answered once the leader assigned.
    pub(crate) fn sync(&self, ask: &Sync<'_>) -> Waiting {
        self.ask(ask.group, |table, now, ticket, out| table.sync(now, ticket, ask, out))
    }

    pub(crate) fn heartbeat(&self, group: &str, who: &Who<'_>) -> ErrorCode {
        self.with(|inner, time, replies| inner.table.heartbeat(time.now, group, who, replies))
    }

    pub(crate) fn leave(&self, group: &str, member: &str, instance: Option<&str>) -> ErrorCode {
        self.with(|inner, time, replies| inner.table.leave(time.now, group, member, instance, replies))
    }

    /// Commits offsets for a member, or for a group that has none: all or none.
    pub(crate) fn commit(&self, group: &str, who: &Who<'_>, commits: Vec<Commit<'_>>) -> ErrorCode {
        self.with(|inner, time, replies| match inner.table.may_commit(time.now, group, who, replies) {
            ErrorCode::None => {
                let done = inner.committed.commit(time, group, commits);
                done.err().unwrap_or(ErrorCode::None)
            }
            error => error,
        })
    }

    /// Does something with what a group committed.
    pub(crate) fn committed<T>(&self, group: &str, work: impl FnOnce(Option<&OfGroup>) -> T) -> T {
        work(self.lock().committed.of_group(group))
    }

    /// All groups that have members or committed offsets, with the kind of each.
    pub(crate) fn list(&self) -> Vec<(String, String)> {
        self.with(|inner, time, replies| {
            inner.table.advance_all(time.now, replies);
            let names: BTreeSet<&str> = inner.table.names().chain(inner.committed.groups()).collect();
            let kind = |name: &str| inner.table.group(name).map(|group| group.protocol_type.clone());
            names.into_iter().map(|name| (name.to_owned(), kind(name).unwrap_or_default())).collect()
        })
    }

    /// How a group is; `None`: there is none of that name.
    pub(crate) fn describe(&self, name: &str) -> Option<Described> {
        self.with(|inner, time, replies| {
            inner.table.advance(time.now, name, replies);
            let group = inner.table.group(name);
            if group.is_none() && inner.committed.of_group(name).is_none() {
                return None;
            }
            let state = match group.map(|group| group.phase) {
                None | Some(Phase::Empty) => "Empty",
                Some(Phase::Joining(_)) => "PreparingRebalance",
                Some(Phase::Syncing(_)) => "CompletingRebalance",
                Some(Phase::Stable) => "Stable",
            };
            Some(Described {
                state,
                protocol_type: group.map_or_else(String::new, |group| group.protocol_type.clone()),
                protocol: group.map_or_else(String::new, |group| group.protocol.clone()),
                members: group.map_or_else(Vec::new, |group| group.members.clone()),
            })
        })
    }

    /// Forgets a group that has no members.
    pub(crate) fn delete(&self, name: &str) -> ErrorCode {
        self.with(|inner, time, replies| {
            inner.table.advance(time.now, name, replies);
            if inner.table.group(name).is_some_and(|group| !group.members.is_empty()) {
                ErrorCode::NonEmptyGroup
            } else if inner.committed.of_group(name).is_none() {
                ErrorCode::GroupIdNotFound
            } else {
                inner.committed.forget_group(time, name).err().unwrap_or(ErrorCode::None)
            }
        })
    }

    /// Forgets one offset of a group that has no members: they might be reading there.
    pub(crate) fn forget_offset(&self, name: &str, topic: &str, partition: i32) -> ErrorCode {
        self.with(|inner, time, _| {
            if inner.table.group(name).is_some() {
                return ErrorCode::GroupSubscribedToTopic;
            }
            inner.committed.forget(time, name, topic, partition).err().unwrap_or(ErrorCode::None)
        })
    }

    /// A topic was deleted: what was committed of it says nothing about one that comes after it.
    pub(crate) fn forget_topic(&self, topic: &str) {
        self.with(|inner, time, _| inner.committed.forget_topic(time, topic));
    }

    /// Sessions that ended while nobody asked, and offsets that expired.
    pub(crate) fn look_after(&self) {
        self.with(|inner, time, replies| {
            inner.table.advance_all(time.now, replies);
            let table = &inner.table;
            inner.committed.expire(time, |name| table.group(name).is_some());
        });
    }

    /// Has the disk hold what was committed.
    pub(crate) fn sync_to_disk(&self) {
        let file = self.lock().committed.unsynced();
        if let Some(Err(error)) = file.map(|file| file.sync_data()) {
            warn!(%error, "committed offsets were not written to the disk");
        }
    }
}

/// The time of day.
fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(i64::MAX)
}
