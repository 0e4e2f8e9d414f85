//! Offsets of groups, committed and looked up.

use std::collections::{BTreeMap, BTreeSet};

use super::Broker;
use super::groups::not_slowed;
use crate::groups::{Commit, METADATA_BYTES_MAX, OfGroup, Who};
use crate::protocol::ErrorCode;
use crate::protocol::groups::ToCommit;
use crate::protocol::request::Of;
use crate::protocol::writer::Writer;

impl Broker {
    /// Commits what can be; what cannot is said for each partition.
    pub(super) fn commit(
        &self,
        version: i16,
        group: &str,
        who: &Who<'_>,
        topics: &[Of<'_, ToCommit<'_>>],
        to: &mut Writer,
    ) {
        // Of a partition that is named twice, the last counts.
        let mut commits = BTreeMap::new();
        for of in topics {
            for (partition, commit) in &of.partitions {
                if self.commit_error(of.topic, *partition, commit) == ErrorCode::None {
                    let commit = Commit {
                        topic: of.topic,
                        partition: *partition,
                        offset: commit.offset,
                        epoch: commit.epoch,
                        metadata: commit.metadata,
                    };
                    commits.insert((of.topic, *partition), commit);
                }
            }
        }
        let done = self.groups.commit(group, who, commits.into_values().collect());
        not_slowed(version >= 3, to);
        to.array(topics, |to, of| {
            to.string(of.topic);
            to.array(&of.partitions, |to, (partition, commit)| {
                to.i32(*partition);
                let own = self.commit_error(of.topic, *partition, commit);
                to.error(if own == ErrorCode::None { done } else { own });
            });
        });
    }

    fn commit_error(&self, topic: &str, partition: i32, commit: &ToCommit<'_>) -> ErrorCode {
        let is_partition = self.data.topic(topic).is_some_and(|topic| topic.partition(partition).is_some());
        match () {
            () if !is_partition => ErrorCode::UnknownTopicOrPartition,
            () if commit.metadata.len() > METADATA_BYTES_MAX => ErrorCode::OffsetMetadataTooLarge,
            () => ErrorCode::None,
        }
    }

    /// What a group committed, of the partitions asked for or of all.
    pub(super) fn committed(&self, version: i16, group: &str, asked: Option<&[Of<'_, ()>]>, to: &mut Writer) {
        self.groups.committed(group, |of_group| {
            // Each once, or a small question could have an answer of any size.
            let mut wanted: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
            // Before version 2 nobody asked for all.
            match asked.filter(|asked| version >= 2 || !asked.is_empty()) {
                Some(asked) => {
                    for of in asked {
                        let partitions = of.partitions.iter().map(|(partition, ())| *partition);
                        wanted.entry(of.topic).or_default().extend(partitions);
                    }
                }
                None => {
                    for (topic, partition, _) in of_group.iter().flat_map(|of_group| of_group.all()) {
                        wanted.entry(topic).or_default().insert(partition);
                    }
                }
            }
            not_slowed(version >= 3, to);
            write(version, &wanted, of_group, to);
        });
        if version >= 2 {
            to.error(ErrorCode::None);
        }
    }

    /// Forgets single offsets of a group that nobody is a member of.
    pub(super) fn delete_offsets(&self, group: &str, topics: &[Of<'_, ()>], to: &mut Writer) {
        let described = self.groups.describe(group);
        to.error(if described.is_some() { ErrorCode::None } else { ErrorCode::GroupIdNotFound });
        to.i32(0);
        let topics = if described.is_some() { topics } else { &[] };
        to.array(topics, |to, of| {
            to.string(of.topic);
            to.array(&of.partitions, |to, (partition, ())| {
                to.i32(*partition);
                to.error(self.groups.forget_offset(group, of.topic, *partition));
            });
        });
    }
}

fn write(version: i16, wanted: &BTreeMap<&str, BTreeSet<i32>>, of_group: Option<&OfGroup>, to: &mut Writer) {
    to.count(wanted.len());
    for (topic, partitions) in wanted {
        to.string(topic);
        to.count(partitions.len());
        for partition in partitions {
            let found = of_group.and_then(|of_group| of_group.get(topic, *partition));
            to.i32(*partition);
            to.i64(found.map_or(-1, |found| found.offset));
            if version >= 5 {
                to.i32(found.map_or(-1, |found| found.epoch));
            }
            to.string(found.map_or("", |found| &found.metadata));
            to.error(ErrorCode::None);
        }
    }
}
