//! Versions, metadata, coordinators: a cluster of this broker alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Broker, NODE};
use crate::protocol::request::Coordinates;
use crate::protocol::writer::Writer;
use crate::protocol::{APIS, ErrorCode};
use crate::topic::Topic;

const CLUSTER: &str = "coronaz";
/// What everybody may do, by the bits of the protocol. With a topic: read, write, create, delete, describe
/// it and its settings. With the cluster: create, describe it and its settings, write idempotently.
const TOPIC_OPERATIONS: i32 = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10;
const CLUSTER_OPERATIONS: i32 = 1 << 5 | 1 << 8 | 1 << 10 | 1 << 12;
/// For a client that did not ask.
const OPERATIONS_UNKNOWN: i32 = i32::MIN;

/// What is spoken. Whoever asks in a version that is not gets the answer of the first.
pub(super) fn versions(version: i16, spoken: bool, to: &mut Writer) {
    to.error(if spoken { ErrorCode::None } else { ErrorCode::UnsupportedVersion });
    let is_flexible = spoken && version >= 3;
    if is_flexible {
        // A count of one more in a byte, which is enough for a hundred.
        to.bytes.push(APIS.len() as u8 + 1);
    } else {
        to.count(APIS.len());
    }
    for (api, first, last) in APIS {
        to.i16(api as i16);
        to.i16(first);
        to.i16(last);
        if is_flexible {
            to.bytes.push(0);
        }
    }
    if spoken && version >= 1 {
        // Nobody is slowed down.
        to.i32(0);
    }
    if is_flexible {
        to.bytes.push(0);
    }
}

impl Broker {
    pub(super) fn metadata(
        &self,
        version: i16,
        asked: Option<&[&str]>,
        [of_cluster, of_topics]: [bool; 2],
        to: &mut Writer,
    ) {
        if version >= 3 {
            to.i32(0);
        }
        to.count(1);
        to.i32(NODE);
        to.string(&self.host);
        to.i32(self.port.into());
        if version >= 1 {
            to.nullable_string(None);
        }
        if version >= 2 {
            to.nullable_string(Some(CLUSTER));
        }
        if version >= 1 {
            to.i32(NODE);
        }
        let topics: Vec<(String, Option<Arc<Topic>>)> = match asked {
            None => self.data.topics().into_iter().map(|(name, topic)| (name, Some(topic))).collect(),
            // Each once, or a small question could have an answer of any size.
            Some(names) => {
                let names: BTreeSet<&str> = names.iter().copied().collect();
                names.into_iter().map(|name| (name.to_owned(), self.data.topic(name))).collect()
            }
        };
        to.array(&topics, |to, (name, topic)| {
            topic_metadata(version, name, topic.as_deref(), to);
            if version >= 8 {
                to.i32(if of_topics { TOPIC_OPERATIONS } else { OPERATIONS_UNKNOWN });
            }
        });
        if version >= 8 {
            to.i32(if of_cluster { CLUSTER_OPERATIONS } else { OPERATIONS_UNKNOWN });
        }
    }

    /// Who looks after a group: this broker, the only one. It is named for transactions too: what a
    /// client asks it for then is refused with a reason, which clients do not show of this question.
    pub(super) fn coordinator(&self, version: i16, of: Coordinates, to: &mut Writer) {
        let is_found = of != Coordinates::Other;
        if version >= 1 {
            to.i32(0);
        }
        to.error(if is_found { ErrorCode::None } else { ErrorCode::InvalidRequest });
        if version >= 1 {
            to.nullable_string((!is_found).then_some("only groups have a coordinator here"));
        }
        to.i32(if is_found { NODE } else { -1 });
        to.string(if is_found { &self.host } else { "" });
        to.i32(if is_found { self.port.into() } else { -1 });
    }
}

fn topic_metadata(version: i16, name: &str, topic: Option<&Topic>, to: &mut Writer) {
    to.error(if topic.is_some() { ErrorCode::None } else { ErrorCode::UnknownTopicOrPartition });
    to.string(name);
    if version >= 1 {
        to.bool(false);
    }
    let count = topic.map_or(0, |topic| topic.partitions.len());
    to.count(count);
    for number in 0..count {
        to.error(ErrorCode::None);
        to.count(number);
        to.i32(NODE);
        if version >= 7 {
            // The leader's epoch is not kept: there never is another leader.
            to.i32(-1);
        }
        // The copies, and those in step: one.
        for _ in 0..2 {
            to.array(&[NODE], |to, node| to.i32(*node));
        }
        if version >= 5 {
            to.count(0);
        }
    }
}
