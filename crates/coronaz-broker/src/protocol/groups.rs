//! Requests about consumer groups, taken apart.

use super::Api;
use super::reader::{DecodeError, Reader};
use super::request::{Of, by_topic, nullable_by_topic};
use crate::groups::Who;

/// Retention that old clients ask for with each commit: not used, the broker has one for all.
const RETENTION_VERSIONS: std::ops::RangeInclusive<i16> = 2..=4;

/// What is asked about a group.
#[derive(Debug)]
pub(crate) enum GroupQuestion<'a> {
    Join(JoinGroup<'a>),
    Sync {
        group: &'a str,
        who: Who<'a>,
        assignments: Vec<(&'a str, &'a [u8])>,
    },
    Heartbeat {
        group: &'a str,
        who: Who<'a>,
    },
    /// Members, each by its id and its instance.
    Leave {
        group: &'a str,
        members: Vec<(&'a str, Option<&'a str>)>,
    },
    Commit {
        group: &'a str,
        who: Who<'a>,
        topics: Vec<Of<'a, ToCommit<'a>>>,
    },
    /// `None` asks for everything that the group committed.
    Committed {
        group: &'a str,
        topics: Option<Vec<Of<'a, ()>>>,
    },
    List,
    Describe {
        groups: Vec<&'a str>,
        /// Say also what the client may do.
        operations: bool,
    },
    Delete {
        groups: Vec<&'a str>,
    },
    DeleteOffsets {
        group: &'a str,
        topics: Vec<Of<'a, ()>>,
    },
}

#[derive(Debug)]
pub(crate) struct JoinGroup<'a> {
    pub(crate) group: &'a str,
    pub(crate) session_ms: i32,
    pub(crate) rebalance_ms: i32,
    pub(crate) member: &'a str,
    pub(crate) instance: Option<&'a str>,
    pub(crate) protocol_type: &'a str,
    pub(crate) protocols: Vec<(&'a str, &'a [u8])>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ToCommit<'a> {
    pub(crate) offset: i64,
    pub(crate) epoch: i32,
    pub(crate) metadata: &'a str,
}

impl<'a> GroupQuestion<'a> {
    pub(super) fn decode(api: Api, version: i16, from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match api {
            Api::JoinGroup => Self::Join(JoinGroup::decode(version, from)?),
            Api::SyncGroup => {
                let group = from.string()?;
                let who = member(from, version >= 3)?;
                let assignments = from.array(|from| Ok((from.string()?, bytes(from)?)))?;
                Self::Sync { group, who, assignments }
            }
            Api::Heartbeat => Self::Heartbeat { group: from.string()?, who: member(from, version >= 3)? },
            Api::LeaveGroup => {
                let group = from.string()?;
                let members = if version >= 3 {
                    from.array(|from| Ok((from.string()?, from.nullable_string()?)))?
                } else {
                    vec![(from.string()?, None)]
                };
                Self::Leave { group, members }
            }
            Api::OffsetCommit => {
                let group = from.string()?;
                let who = member(from, version >= 7)?;
                if RETENTION_VERSIONS.contains(&version) {
                    from.i64()?;
                }
                let topics = by_topic(from, |from| {
                    let offset = from.i64()?;
                    let epoch = if version >= 6 { from.i32()? } else { -1 };
                    Ok(ToCommit { offset, epoch, metadata: from.nullable_string()?.unwrap_or_default() })
                })?;
                Self::Commit { group, who, topics }
            }
            Api::OffsetFetch => {
                let group = from.string()?;
                Self::Committed { group, topics: nullable_by_topic(from, |_| Ok(()))? }
            }
            Api::ListGroups => Self::List,
            Api::DescribeGroups => {
                let groups = from.array(Reader::string)?;
                Self::Describe { groups, operations: version >= 3 && from.bool()? }
            }
            Api::DeleteGroups => Self::Delete { groups: from.array(Reader::string)? },
            Api::OffsetDelete => {
                let group = from.string()?;
                Self::DeleteOffsets { group, topics: by_topic(from, |_| Ok(()))? }
            }
            other => return Err(DecodeError::Unknown { key: other as i16, version }),
        })
    }
}

impl<'a> JoinGroup<'a> {
    fn decode(version: i16, from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let group = from.string()?;
        let session_ms = from.i32()?;
        Ok(Self {
            group,
            session_ms,
            rebalance_ms: if version >= 1 { from.i32()? } else { session_ms },
            member: from.string()?,
            instance: if version >= 5 { from.nullable_string()? } else { None },
            protocol_type: from.string()?,
            protocols: from.array(|from| Ok((from.string()?, bytes(from)?)))?,
        })
    }
}

fn member<'a>(from: &mut Reader<'a>, has_instance: bool) -> Result<Who<'a>, DecodeError> {
    let (generation, member) = (from.i32()?, from.string()?);
    let instance = if has_instance { from.nullable_string()? } else { None };
    Ok(Who { generation, member, instance })
}

fn bytes<'a>(from: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    from.nullable_bytes().map(Option::unwrap_or_default)
}
