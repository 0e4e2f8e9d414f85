//! Committed offsets: how far each group is, and when that expires.

mod offsets;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tracing::{info, warn};

use super::Ms;
use super::journal::{Entry, Journal};
use super::table::{GROUPS_MAX, is_name};
use crate::protocol::ErrorCode;
pub(crate) use offsets::{Commit, OfGroup};
use offsets::{KEPT_MS, Offsets, SEEN_EVERY_MS, signed};

/// Offsets of all groups together: a hundred groups that read ten topics of 64 partitions.
const OFFSETS_MAX: usize = 65_536;
/// Offsets committed by one request, which are one entry of the file.
const COMMITS_MAX: usize = 10_000;
/// The text that a client may put beside an offset: Kafka's limit.
pub(crate) const METADATA_BYTES_MAX: usize = 4096;
/// All those texts together.
const METADATA_BYTES_ALL: usize = 8 << 20;

/// The offsets of all groups, in memory and on disk.
#[derive(Debug)]
pub(crate) struct Committed {
    offsets: Offsets,
    journal: Journal,
    /// A failure to write was logged, and nothing was written since.
    is_failing: bool,
    /// A refusal for want of room was logged, and nothing was committed since.
    is_full: bool,
}

/// The time, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    /// Since this process began, never going back.
    pub(crate) now: Ms,
    /// The time of day, since 1970.
    pub(crate) unix_ms: i64,
}

impl Committed {
    /// Opens the offsets in a folder, which is made if it is missing.
    ///
    /// # Errors
    /// What the system says. Damage is none: what is whole is used, the file set aside.
    pub(crate) fn open(folder: &Path, time: Time) -> io::Result<Self> {
        let mut offsets = Offsets::default();
        let journal = Journal::open(folder, |entry| offsets.apply(entry, time))?;
        let mut opened = Self { offsets, journal, is_failing: false, is_full: false };
        opened.compact_if_due(time);
        Ok(opened)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.offsets.groups.keys().map(String::as_str)
    }

    /// What a group committed, by topic and partition.
    pub(crate) fn of_group(&self, group: &str) -> Option<&OfGroup> {
        self.offsets.groups.get(group)
    }

    /// Commits offsets, all or none. They are with the system when this returns.
    ///
    /// # Errors
    /// `InvalidCommitOffsetSize` when there is no room, `CoordinatorNotAvailable`, which clients try
    /// again, when they cannot be written.
    pub(crate) fn commit(
        &mut self,
        time: Time,
        group: &str,
        commits: Vec<Commit<'_>>,
    ) -> Result<(), ErrorCode> {
        if commits.is_empty() {
            return Ok(());
        }
        let of_group = self.of_group(group);
        let earlier = |commit: &Commit<'_>| of_group?.get(commit.topic, commit.partition);
        let added = commits.iter().filter(|commit| earlier(commit).is_none()).count();
        let metadata: usize = commits.iter().map(|commit| commit.metadata.len()).sum();
        let replaced: usize = commits.iter().filter_map(earlier).map(|earlier| earlier.metadata.len()).sum();
        let (groups, offsets) = (self.offsets.groups.len(), self.offsets.count);
        let is_too_much = !is_name(group)
            || (of_group.is_none() && groups >= GROUPS_MAX)
            || commits.len() > COMMITS_MAX
            || offsets + added > OFFSETS_MAX
            || self.offsets.metadata_bytes + metadata > METADATA_BYTES_ALL + replaced;
        if is_too_much {
            if !std::mem::replace(&mut self.is_full, true) {
                warn!(group, groups, offsets, "no room for more committed offsets");
            }
            return Err(ErrorCode::InvalidCommitOffsetSize);
        }
        self.is_full = false;
        self.change(time, &Entry::Commit { group, unix_ms: time.unix_ms, commits })
    }

    /// The members of groups as they were saved last.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.offsets.members.iter().map(|(group, saved)| (group.as_str(), &**saved))
    }

    /// Saves the members of a group; no bytes when it has none any more. What cannot be written is logged:
    /// they would join again after a restart.
    pub(crate) fn save_members(&mut self, time: Time, group: &str, saved: &[u8]) {
        if !saved.is_empty() || self.offsets.members.contains_key(group) {
            let _ = self.change(time, &Entry::Members { group, saved });
        }
    }

    /// Forgets the offsets of a group.
    ///
    /// # Errors
    /// `CoordinatorNotAvailable` when that cannot be written.
    pub(crate) fn forget_group(&mut self, time: Time, group: &str) -> Result<(), ErrorCode> {
        self.change(time, &Entry::ForgetGroup { group })
    }

    /// Forgets one offset of a group.
    ///
    /// # Errors
    /// `CoordinatorNotAvailable` when that cannot be written.
    pub(crate) fn forget(
        &mut self,
        time: Time,
        group: &str,
        topic: &str,
        partition: i32,
    ) -> Result<(), ErrorCode> {
        let found = self.of_group(group).and_then(|of_group| of_group.get(topic, partition));
        if found.is_none() {
            return Ok(());
        }
        self.change(time, &Entry::ForgetOffset { group, topic, partition })
    }

    /// Forgets what all groups committed of a topic: one of the same name is another topic.
    pub(crate) fn forget_topic(&mut self, time: Time, topic: &str) {
        if self.offsets.groups.values().any(|of_group| of_group.topics().any(|name| name == topic)) {
            // A failure is logged, and repaired by the next start: the topic is missing then.
            let _ = self.change(time, &Entry::ForgetTopic { topic });
        }
    }

    /// Topics of which something was committed.
    pub(crate) fn topics(&self) -> std::collections::BTreeSet<String> {
        self.offsets.groups.values().flat_map(OfGroup::topics).map(str::to_owned).collect()
    }

    /// Forgets groups that nobody used for long; those that have members are in use.
    pub(crate) fn expire(&mut self, time: Time, has_members: impl Fn(&str) -> bool) {
        let now = signed(time.now);
        let (mut expired, mut seen) = (Vec::new(), Vec::new());
        for (name, group) in &mut self.offsets.groups {
            if has_members(name) {
                group.seen = now;
            }
            if now - group.seen > signed(KEPT_MS) {
                expired.push(name.clone());
            } else if group.seen - group.noted > signed(SEEN_EVERY_MS) {
                seen.push(name.clone());
            }
        }
        // What cannot be written is logged, and tried again the next time.
        for group in seen {
            let _ = self.change(time, &Entry::Seen { group: &group, unix_ms: time.unix_ms });
        }
        for group in expired {
            if self.forget_group(time, &group).is_ok() {
                info!(group, "the committed offsets of a group expired");
            }
        }
    }

    /// The file, if something was appended that the disk was not asked to hold.
    pub(crate) fn unsynced(&mut self) -> Option<Arc<File>> {
        self.journal.unsynced()
    }

    /// Writes an entry and does what it says.
    fn change(&mut self, time: Time, entry: &Entry<'_>) -> Result<(), ErrorCode> {
        if let Err(error) = self.journal.append(entry) {
            if !std::mem::replace(&mut self.is_failing, true) {
                warn!(%error, "cannot write committed offsets: clients are asked to try again");
            }
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        if std::mem::take(&mut self.is_failing) {
            info!("committed offsets are written again");
        }
        self.offsets.apply(entry, time);
        self.compact_if_due(time);
        Ok(())
    }

    /// Writes the file again when most of it is out of date.
    fn compact_if_due(&mut self, time: Time) {
        if !self.journal.is_compaction_due() {
            return;
        }
        if let Err(error) = self.journal.rewrite(self.offsets.entries(time)) {
            warn!(%error, "the file of committed offsets was not compacted");
        }
    }
}

#[cfg(test)]
mod tests;
