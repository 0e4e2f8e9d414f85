//! A stable group as bytes, so that its members keep their places over a restart of the broker.

use super::{Group, Phase};
use crate::groups::Ms;
use crate::groups::member::Member;
use crate::protocol::reader::{DecodeError, Reader};
use crate::protocol::writer::Writer;

/// The form of what is written.
const VERSION: i8 = 1;

impl Group {
    /// What of a stable group outlives the broker.
    pub(in crate::groups) fn save(&self) -> Vec<u8> {
        let mut to = Writer::default();
        let ms = |ms: Ms| i64::try_from(ms).unwrap_or(i64::MAX);
        to.i8(VERSION);
        to.i32(self.generation);
        to.string(&self.protocol_type);
        to.string(&self.protocol);
        to.string(&self.leader);
        to.array(&self.members, |to, member| {
            to.string(&member.id);
            to.nullable_string(member.instance.as_deref());
            to.string(&member.client);
            to.string(&member.host);
            to.i64(ms(member.session_ms));
            to.i64(ms(member.rebalance_ms));
            to.array(&member.protocols, |to, (name, metadata)| {
                to.string(name);
                to.sized_bytes(metadata);
            });
            to.sized_bytes(&member.assignment);
        });
        to.bytes
    }

    /// The group again, stable, each member with a whole session to be heard of.
    ///
    /// # Errors
    /// When the bytes are of another form.
    pub(in crate::groups) fn restore(bytes: &[u8], now: Ms) -> Result<Self, DecodeError> {
        let mut from = Reader::new(bytes);
        let version = from.i8()?;
        if version != VERSION {
            return Err(DecodeError::Length(version.into()));
        }
        let mut group = Self { phase: Phase::Stable, generation: from.i32()?, ..Self::default() };
        from.string()?.clone_into(&mut group.protocol_type);
        from.string()?.clone_into(&mut group.protocol);
        from.string()?.clone_into(&mut group.leader);
        let ms = |from: &mut Reader<'_>| from.i64().map(|ms| Ms::try_from(ms).unwrap_or(0));
        let owned = |bytes: Option<&[u8]>| bytes.unwrap_or_default().to_vec();
        group.members = from.array(|from| {
            let mut member = Member {
                id: from.string()?.to_owned(),
                instance: from.nullable_string()?.map(str::to_owned),
                client: from.string()?.to_owned(),
                host: from.string()?.to_owned(),
                session_ms: ms(from)?,
                rebalance_ms: ms(from)?,
                protocols: from
                    .array(|from| Ok((from.string()?.to_owned(), owned(from.nullable_bytes()?))))?,
                assignment: owned(from.nullable_bytes()?),
                until: 0,
                waits: None,
                ready: true,
            };
            member.renew(now);
            Ok(member)
        })?;
        Ok(group)
    }
}
