//! The offsets in memory, as the entries of the journal make them.

use std::collections::BTreeMap;

use super::Time;
use crate::groups::Ms;
use crate::groups::journal::Entry;

/// Offsets of a group are kept for so long after its last commit and its last member, as with Kafka.
pub(super) const KEPT_MS: Ms = 7 * 24 * 3600 * 1000;
/// After a start nothing expires before this, whatever the clock says: members come back first.
const GRACE_MS: Ms = 3600 * 1000;
/// How often it is noted on disk that a group has members.
pub(super) const SEEN_EVERY_MS: Ms = 3600 * 1000;
/// Offsets in one entry of a file that is written again.
const CHUNK: usize = 64;

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offset {
    /// The next record to read.
    pub(crate) offset: i64,
    /// The leader's epoch that the client knew; -1 for none.
    pub(crate) epoch: i32,
    pub(crate) metadata: Box<str>,
}

/// An offset to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) epoch: i32,
    pub(crate) metadata: &'a str,
}

/// What one group committed.
#[derive(Debug, Default)]
pub(crate) struct OfGroup {
    topics: BTreeMap<String, BTreeMap<i32, Offset>>,
    /// When it last committed or had members, by the clock of this process; before its start, less than 0.
    pub(super) seen: i64,
    /// The same, as noted on disk.
    pub(super) noted: i64,
}

impl OfGroup {
    pub(crate) fn get(&self, topic: &str, partition: i32) -> Option<&Offset> {
        self.topics.get(topic)?.get(&partition)
    }

    pub(crate) fn topics(&self) -> impl Iterator<Item = &str> {
        self.topics.keys().map(String::as_str)
    }

    /// All, by topic and partition.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, i32, &Offset)> {
        self.topics.iter().flat_map(|(topic, partitions)| {
            partitions.iter().map(|(partition, offset)| (topic.as_str(), *partition, offset))
        })
    }
}

/// The offsets of all groups.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    pub(super) groups: BTreeMap<String, OfGroup>,
    /// The members of groups, as those save them.
    pub(super) members: BTreeMap<String, Box<[u8]>>,
    /// Offsets of all, and the bytes of their texts.
    pub(super) count: usize,
    pub(super) metadata_bytes: usize,
}

/// As a signed number; times of a process are far from the end of either.
pub(super) fn signed(ms: Ms) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

impl Offsets {
    /// Does what an entry says, at this time.
    pub(super) fn apply(&mut self, entry: &Entry<'_>, time: Time) {
        // A time of day that makes no sense is bounded: nothing expires at once for it.
        let at = |unix_ms: i64| {
            let idle = time.unix_ms.saturating_sub(unix_ms).clamp(0, signed(KEPT_MS - GRACE_MS));
            signed(time.now) - idle
        };
        match entry {
            Entry::Commit { group, unix_ms, commits } => {
                for commit in commits {
                    self.put(group, commit);
                }
                self.see(group, at(*unix_ms));
            }
            Entry::Seen { group, unix_ms } => self.see(group, at(*unix_ms)),
            Entry::ForgetGroup { group } => self.retain(|name, _, _| name != *group),
            Entry::ForgetTopic { topic } => self.retain(|_, of, _| of != *topic),
            Entry::Members { group, saved: [] } => {
                self.members.remove(*group);
            }
            Entry::Members { group, saved } => {
                self.members.insert((*group).to_owned(), (*saved).into());
            }
            Entry::ForgetOffset { group, topic, partition } => {
                self.retain(|name, of, number| (name, of, number) != (*group, *topic, *partition));
            }
        }
    }

    fn put(&mut self, group: &str, commit: &Commit<'_>) {
        let of_group = self.groups.entry(group.to_owned()).or_default();
        let partitions = of_group.topics.entry(commit.topic.to_owned()).or_default();
        let offset = Offset { offset: commit.offset, epoch: commit.epoch, metadata: commit.metadata.into() };
        self.metadata_bytes += offset.metadata.len();
        match partitions.insert(commit.partition, offset) {
            Some(earlier) => self.metadata_bytes -= earlier.metadata.len(),
            None => self.count += 1,
        }
    }

    fn see(&mut self, group: &str, at: i64) {
        if let Some(group) = self.groups.get_mut(group) {
            (group.seen, group.noted) = (at, at);
        }
    }

    fn retain(&mut self, stays: impl Fn(&str, &str, i32) -> bool) {
        let (count, metadata_bytes) = (&mut self.count, &mut self.metadata_bytes);
        self.groups.retain(|group, of_group| {
            of_group.topics.retain(|topic, partitions| {
                partitions.retain(|partition, offset| {
                    let stays = stays(group, topic, *partition);
                    if !stays {
                        *count -= 1;
                        *metadata_bytes -= offset.metadata.len();
                    }
                    stays
                });
                !partitions.is_empty()
            });
            !of_group.topics.is_empty()
        });
    }

    /// The entries that make what there is now.
    pub(super) fn entries(&self, time: Time) -> impl Iterator<Item = Entry<'_>> {
        let members = self.members.iter().map(|(group, saved)| Entry::Members { group, saved });
        let offsets = self.groups.iter().flat_map(move |(group, of_group)| {
            let unix_ms = time.unix_ms.saturating_add(of_group.seen - signed(time.now));
            let commits: Vec<Commit<'_>> = of_group
                .all()
                .map(|(topic, partition, offset)| Commit {
                    topic,
                    partition,
                    offset: offset.offset,
                    epoch: offset.epoch,
                    metadata: &offset.metadata,
                })
                .collect();
            let chunks: Vec<Entry<'_>> = commits
                .chunks(CHUNK)
                .map(|commits| Entry::Commit { group, unix_ms, commits: commits.to_vec() })
                .collect();
            chunks
        });
        offsets.chain(members)
    }
}
