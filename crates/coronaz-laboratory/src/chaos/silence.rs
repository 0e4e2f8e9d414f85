//! Who reports, and who has stopped: a group of devices, or a fleet, whose records stop arriving at the topic for longer
//! than a fault explains.
//!
//! The topic is watched from behind all proxies, so what consumer, store and back-end do changes nothing here. A fault
//! explains the silence of those whose records it stops (`fault.rs` says which) from its beginning to its end; a clock that
//! was set explains none.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use coronaz_bus::{ContentType, Message};
use coronaz_wire::Report;
use serde::Serialize;
use uuid::Uuid;

use super::{
    fault::{Event, Silences},
    report::Done,
    schedule::is_devices,
    stage::FLEET,
};
use crate::plan::BROKER;

/// A group that is silent for longer, beyond what faults explain, is a finding.
pub const SILENT_LIMIT_MS: u64 = 5_000;
/// Devices and fleets report once a second: shorter silences are not worth keeping.
const KEPT_FROM_MS: u64 = 2_500;
/// Payloads remembered, to tell copies that chaos itself sends: more than it sends at a time.
const REMEMBERED_MAX: usize = 20_000;
/// What the devices of no known group are called: all of them have ended.
const NO_GROUP: &str = "devices that are gone";

/// Who sends: a device, or a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sender {
    Device(Uuid),
    Fleet,
}

/// When records of one sender arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Times {
    last_ms: u64,
    /// Stretches without a record, from one to the next.
    silent: Vec<(u64, u64)>,
}

impl Times {
    fn heard(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.last_ms) >= KEPT_FROM_MS {
            self.silent.push((self.last_ms, now_ms));
        }
        self.last_ms = now_ms;
    }
}

/// Arrivals at the topic, by sender. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Arrivals {
    begun: Instant,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    senders: BTreeMap<Sender, Times>,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Arrivals {
    /// None yet; times count from `begun`.
    pub(super) fn new(begun: Instant) -> Arrivals {
        Arrivals { begun, shared: Arc::default() }
    }

    /// Takes note of a record that has just arrived.
    pub(super) fn note(&self, message: &Message) {
        let Some(sender) = sender_of(message) else { return };
        let mut hasher = DefaultHasher::new();
        (&message.key, &message.payload).hash(&mut hasher);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = hasher.finish();
        if !shared.seen.insert(hash) {
            return;
        }
        shared.order.push_back(hash);
        if shared.order.len() > REMEMBERED_MAX
            && let Some(oldest) = shared.order.pop_front()
        {
            shared.seen.remove(&oldest);
        }
        let now_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let fresh = || Times { last_ms: now_ms, silent: Vec::new() };
        shared.senders.entry(sender).or_insert_with(fresh).heard(now_ms);
    }

    /// What there was from `zero_ms` to `end_ms`, with times counted from `zero_ms`.
    pub(super) fn between(&self, zero_ms: u64, end_ms: u64) -> BTreeMap<Sender, Times> {
        let mut senders = self.shared.lock().unwrap_or_else(PoisonError::into_inner).senders.clone();
        for times in senders.values_mut() {
            times.heard(end_ms);
            times.silent.retain(|(_, until_ms)| *until_ms > zero_ms);
            for (from_ms, until_ms) in &mut times.silent {
                (*from_ms, *until_ms) = (from_ms.saturating_sub(zero_ms), *until_ms - zero_ms);
            }
        }
        senders
    }
}

/// Who sent a record; `None` of an announcement, and of what is none of ours.
fn sender_of(message: &Message) -> Option<Sender> {
    if message.content_type == ContentType::FRAME {
        return Some(Sender::Fleet);
    }
    if message.content_type != ContentType::JSON {
        return None;
    }
    let report = Report::decode(&message.payload).ok()?;
    Some(Sender::Device(report.uuid))
}

/// A group of devices, or a fleet, and its longest silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupFigures {
    /// Its name.
    pub name: String,
    /// Devices that reported; a fleet counts as one.
    pub devices: usize,
    /// Of these, how many were silent for longer than the limit beyond what faults explain.
    pub silent: usize,
    /// The longest silence of any of them that no fault explains.
    pub silent_ms: u64,
    /// When it began, in milliseconds after the first picture.
    pub from_ms: u64,
}

impl GroupFigures {
    /// What is wrong with it, in words.
    #[must_use]
    pub fn finding(&self) -> Option<String> {
        (self.silent_ms > SILENT_LIMIT_MS).then(|| {
            format!(
                "{} of {} senders of {} did not report for up to {:.1} s beyond what the faults explain, from {:.1} s on (limit {:.1} s)",
                self.silent,
                self.devices,
                self.name,
                self.silent_ms as f64 / 1e3,
                self.from_ms as f64 / 1e3,
                SILENT_LIMIT_MS as f64 / 1e3
            )
        })
    }

    fn of(name: &str) -> Self {
        GroupFigures { name: name.to_owned(), devices: 0, silent: 0, silent_ms: 0, from_ms: 0 }
    }

    /// Counts a sender that was silent in these stretches.
    fn add(&mut self, silent: &[(u64, u64)], explained: &[(u64, u64)]) {
        self.devices += 1;
        let longest = silent.iter().map(|&stretch| beyond(stretch, explained)).max_by_key(|&(_, ms)| ms);
        let Some((from_ms, ms)) = longest else { return };
        self.silent += usize::from(ms > SILENT_LIMIT_MS);
        if ms > self.silent_ms {
            (self.from_ms, self.silent_ms) = (from_ms, ms);
        }
    }
}

/// The groups, with what was silent of each: `groups` are the devices of each part that has any.
pub(super) fn figures(
    senders: &BTreeMap<Sender, Times>,
    groups: &BTreeMap<String, BTreeSet<Uuid>>,
    faults: &[Done],
) -> Vec<GroupFigures> {
    let mut figures: BTreeMap<&str, GroupFigures> = BTreeMap::new();
    for (sender, times) in senders {
        let name = match sender {
            Sender::Fleet => FLEET,
            Sender::Device(device) => {
                let group = groups.iter().find(|(_, devices)| devices.contains(device));
                group.map_or(NO_GROUP, |(name, _)| name.as_str())
            }
        };
        let explained = explained(faults, |event| stops(event, name));
        figures.entry(name).or_insert_with(|| GroupFigures::of(name)).add(&times.silent, &explained);
    }
    figures.into_values().collect()
}

/// The same of a laboratory whose topic is not watched: its picture is the group, and every fault that lasts explains that
/// it stands.
pub(super) fn of_picture(name: &str, still: &[(u64, u64)], faults: &[Done]) -> GroupFigures {
    let mut figures = GroupFigures::of(name);
    figures.add(still, &explained(faults, |_| true));
    figures
}

/// When faults were at work that explain a silence.
fn explained(faults: &[Done], explains: impl Fn(&Event) -> bool) -> Vec<(u64, u64)> {
    let done = faults.iter().filter(|done| explains(&done.event));
    let mut stretches: Vec<_> = done.map(|done| (done.began_ms, done.over_ms())).collect();
    stretches.sort_unstable();
    stretches
}

/// Whether a fault stops the records of a group while it lasts.
fn stops(event: &Event, group: &str) -> bool {
    let target = event.target.as_str();
    match event.kind.facts().silences {
        Silences::Nobody => false,
        Silences::Everybody => true,
        Silences::Broker => target == BROKER,
        Silences::Part => target == BROKER || target == group,
        Silences::Link => match target {
            "fleet-broker" => group == FLEET,
            "nodes-broker" => is_devices(group) || group == NO_GROUP,
            _ => false,
        },
    }
}

/// The longest piece of a stretch that lies outside the explained ones, which are in order: its beginning and length.
fn beyond((from_ms, until_ms): (u64, u64), explained: &[(u64, u64)]) -> (u64, u64) {
    let mut at_ms = from_ms;
    let mut longest = (from_ms, 0);
    for &(begin_ms, end_ms) in explained.iter().chain([&(until_ms, until_ms)]) {
        let piece_ms = begin_ms.min(until_ms).saturating_sub(at_ms);
        if piece_ms > longest.1 {
            longest = (at_ms, piece_ms);
        }
        at_ms = at_ms.max(end_ms);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::fault::Kind;

    fn done(kind: Kind, target: &str, began_ms: u64, ended_ms: u64) -> Done {
        let lasts_ms = if kind.is_instant() { 0 } else { ended_ms - began_ms };
        let event = Event { at_ms: began_ms, lasts_ms, kind, target: target.to_owned(), amount: 0 };
        Done {
            event,
            began_ms,
            ended_ms: (lasts_ms > 0).then_some(ended_ms),
            note: String::new(),
            failed: None,
            page_back_ms: 0,
            picture_back_ms: 0,
        }
    }

    fn silence(stretch: (u64, u64), faults: &[Done]) -> GroupFigures {
        let device = Uuid::from_u128(1);
        let times = Times { last_ms: stretch.1, silent: vec![stretch] };
        let groups = BTreeMap::from([("devices-1".to_owned(), BTreeSet::from([device]))]);
        figures(&BTreeMap::from([(Sender::Device(device), times)]), &groups, faults).remove(0)
    }

    #[test]
    fn a_group_that_is_silent_for_longer_than_a_fault_explains_is_a_finding() {
        let down = [done(Kind::Down, "devices-1", 10_000, 18_000)];
        assert_eq!(silence((9_500, 22_900), &down).finding(), None, "4.9 s after its end");
        let late = silence((9_500, 23_100), &down);
        assert_eq!((late.from_ms, late.silent_ms, late.silent), (18_000, 5_100, 1));
        assert!(late.finding().expect("a finding").contains("1 of 1 senders of devices-1"));
        let other = [done(Kind::Down, "devices-2", 10_000, 18_000)];
        assert!(silence((9_500, 18_000), &other).finding().is_some(), "not its group");
        let broker = [done(Kind::Pause, "broker", 10_000, 18_000)];
        assert_eq!(silence((9_500, 18_500), &broker).finding(), None);
        let killed = [done(Kind::Kill, "devices-1", 10_000, 10_000)];
        assert!(silence((9_500, 16_000), &killed).finding().is_some(), "a kill is over at once");
    }

    #[test]
    fn a_clock_that_was_set_explains_no_silence() {
        let clock = [done(Kind::Clock, "devices-1", 10_000, 31_000)];
        let silent = silence((10_300, 31_000), &clock);
        assert_eq!((silent.from_ms, silent.silent_ms), (10_300, 20_700));
        assert!(silent.finding().is_some());
    }

    #[test]
    fn faults_that_overlap_explain_what_they_cover_together() {
        let faults =
            [done(Kind::Cut, "nodes-broker", 10_000, 18_000), done(Kind::Pause, "devices-1", 16_000, 21_000)];
        assert_eq!(silence((9_000, 25_000), &faults).silent_ms, 4_000);
        assert_eq!(beyond((5, 9), &[]), (5, 4));
        assert_eq!(beyond((5, 9), &[(0, 20)]), (5, 0));
    }

    #[test]
    fn a_copy_of_a_record_is_no_sign_of_life_and_a_silence_at_the_end_counts() {
        let arrivals = Arrivals::new(Instant::now());
        let frame = |payload: &[u8]| Message {
            partition: 0,
            offset: 0,
            key: b"shard".to_vec(),
            payload: payload.to_vec(),
            content_type: ContentType::FRAME,
            timestamp_ms: 0,
        };
        arrivals.note(&frame(b"one"));
        let first = arrivals.between(0, 0)[&Sender::Fleet].last_ms;
        std::thread::sleep(std::time::Duration::from_millis(5));
        arrivals.note(&frame(b"one"));
        assert_eq!(arrivals.shared.lock().expect("whole").senders[&Sender::Fleet].last_ms, first);
        let times = &arrivals.between(1_000, 9_000)[&Sender::Fleet];
        assert_eq!(times.silent.last().map(|stretch| stretch.1), Some(8_000));
        let poison = Message { content_type: ContentType::JSON, ..frame(b"{") };
        assert_eq!(sender_of(&poison), None);
    }
}
