//! Consumer groups: joined, synchronised, left, described.

use std::collections::BTreeSet;

use super::{Asker, Broker, Later};
use crate::groups::{Described, Join, Joined, Member, Ms, Reply, Sync};
use crate::protocol::ErrorCode;
use crate::protocol::groups::{GroupQuestion, JoinGroup};
use crate::protocol::writer::Writer;

/// What everybody may do with a group, by the bits of the protocol: read, delete, describe.
const OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8;
/// For a client that did not ask.
const OPERATIONS_UNKNOWN: i32 = i32::MIN;
/// From this version on a client that has no id is sent one, and joins with it.
const JOIN_WITH_ID: i16 = 4;

impl Broker {
    /// Answers a request about a group, or says what the answer waits for.
    pub(super) fn group(
        &self,
        version: i16,
        client: &str,
        asked: &GroupQuestion<'_>,
        asker: &Asker<'_>,
        to: &mut Writer,
    ) -> Option<Later> {
        match asked {
            GroupQuestion::Join(join) => {
                let waiting = self.groups.join(&whole(version, join, client, &asker.host()));
                return Some(Later { version, is_join: true, waiting });
            }
            GroupQuestion::Sync { group, who, assignments } => {
                let waiting = self.groups.sync(&Sync { group, who: *who, assignments });
                return Some(Later { version, is_join: false, waiting });
            }
            GroupQuestion::Heartbeat { group, who } => {
                not_slowed(version >= 1, to);
                to.error(self.groups.heartbeat(group, who));
            }
            GroupQuestion::Leave { group, members } => self.leave(version, group, members, to),
            GroupQuestion::Commit { group, who, topics } => self.commit(version, group, who, topics, to),
            GroupQuestion::Committed { group, topics } => {
                self.committed(version, group, topics.as_deref(), to);
            }
            GroupQuestion::List => {
                not_slowed(version >= 1, to);
                to.error(ErrorCode::None);
                to.array(&self.groups.list(), |to, (group, kind)| {
                    to.string(group);
                    to.string(kind);
                });
            }
            GroupQuestion::Describe { groups, operations } => {
                not_slowed(version >= 1, to);
                to.array(&once_each(groups), |to, group| {
                    self.describe_group(version, group, to);
                    if version >= 3 {
                        to.i32(if *operations { OPERATIONS } else { OPERATIONS_UNKNOWN });
                    }
                });
            }
            GroupQuestion::Delete { groups } => {
                to.i32(0);
                to.array(&once_each(groups), |to, group| {
                    to.string(group);
                    to.error(self.groups.delete(group));
                });
            }
            GroupQuestion::DeleteOffsets { group, topics } => self.delete_offsets(group, topics, to),
        }
        None
    }

    fn leave(&self, version: i16, group: &str, members: &[(&str, Option<&str>)], to: &mut Writer) {
        let left: Vec<_> = members
            .iter()
            .map(|(member, instance)| (*member, *instance, self.groups.leave(group, member, *instance)))
            .collect();
        not_slowed(version >= 1, to);
        if version < 3 {
            to.error(left.first().map_or(ErrorCode::None, |(.., error)| *error));
            return;
        }
        to.error(ErrorCode::None);
        to.array(&left, |to, (member, instance, error)| {
            to.string(member);
            to.nullable_string(*instance);
            to.error(*error);
        });
    }

    fn describe_group(&self, version: i16, name: &str, to: &mut Writer) {
        let described = self.groups.describe(name).unwrap_or_else(|| Described {
            state: "Dead",
            protocol_type: String::new(),
            protocol: String::new(),
            members: Vec::new(),
        });
        to.error(ErrorCode::None);
        to.string(name);
        to.string(described.state);
        to.string(&described.protocol_type);
        // While members join, nothing of it is decided.
        let is_stable = described.state == "Stable";
        to.string(if is_stable { &described.protocol } else { "" });
        to.array(&described.members, |to, member: &Member| {
            to.string(&member.id);
            if version >= 4 {
                to.nullable_string(member.instance.as_deref());
            }
            to.string(&member.client);
            to.string(&member.host);
            to.sized_bytes(if is_stable { member.metadata(&described.protocol) } else { &[] });
            to.sized_bytes(if is_stable { &member.assignment } else { &[] });
        });
    }
}

/// Each name once, or a small question could have an answer of any size.
fn once_each<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// How long the client should wait before its next request: nobody is slowed down.
pub(super) fn not_slowed(is_said: bool, to: &mut Writer) {
    if is_said {
        to.i32(0);
    }
}

fn whole<'a>(version: i16, join: &'a JoinGroup<'a>, client: &'a str, host: &'a str) -> Join<'a> {
    let ms = |value: i32| Ms::try_from(value).unwrap_or(0);
    Join {
        group: join.group,
        member: join.member,
        instance: join.instance,
        client,
        host,
        session_ms: ms(join.session_ms),
        rebalance_ms: ms(join.rebalance_ms),
        protocol_type: join.protocol_type,
        protocols: &join.protocols,
        needs_id: version >= JOIN_WITH_ID,
    }
}

/// Writes the answer that a request waited for.
pub(super) fn replied(version: i16, is_join: bool, reply: &Reply, to: &mut Writer) {
    if is_join { joined(version, reply, to) } else { synced(version, reply, to) }
}

fn joined(version: i16, reply: &Reply, to: &mut Writer) {
    let nobody;
    let (error, joined) = match reply {
        Reply::Joined(joined) => (ErrorCode::None, joined),
        Reply::Refused { error, member } => {
            let member = member.clone();
            nobody = Joined { generation: -1, member, ..Joined::default() };
            (*error, &nobody)
        }
        Reply::Synced(_) => {
            nobody = Joined { generation: -1, ..Joined::default() };
            (ErrorCode::InvalidRequest, &nobody)
        }
    };
    not_slowed(version >= 2, to);
    to.error(error);
    to.i32(joined.generation);
    to.string(&joined.protocol);
    to.string(&joined.leader);
    to.string(&joined.member);
    to.array(&joined.members, |to, member| {
        to.string(&member.id);
        if version >= 5 {
            to.nullable_string(member.instance.as_deref());
        }
        to.sized_bytes(&member.metadata);
    });
}

fn synced(version: i16, reply: &Reply, to: &mut Writer) {
    let (error, assignment): (ErrorCode, &[u8]) = match reply {
        Reply::Synced(assignment) => (ErrorCode::None, assignment),
        Reply::Refused { error, .. } => (*error, &[]),
        Reply::Joined(_) => (ErrorCode::RebalanceInProgress, &[]),
    };
    not_slowed(version >= 1, to);
    to.error(error);
    to.sized_bytes(assignment);
}
