//! All groups, and how many there may be.

use std::collections::BTreeMap;

use tracing::{info, warn};

use super::group::{GROUP_BYTES_MAX, Group, shortened};
use super::{Join, Ms, Replies, Reply, Sync, Ticket, Who};
use crate::protocol::ErrorCode;

/// Groups with members at a time: a laboratory has a handful.
pub(crate) const GROUPS_MAX: usize = 1000;
/// What the members of all groups hold in memory.
const BYTES_MAX: usize = 16 << 20;
/// The name of a group, and of a static member. Kafka's limit for the latter.
const NAME_BYTES_MAX: usize = 249;
/// Kafka's limits of a session (`group.min.session.timeout.ms` and `max`), so that a client that is
/// right here is right there.
const SESSION_MS_MIN: Ms = 6_000;
const SESSION_MS_MAX: Ms = 30 * 60 * 1_000;

/// The groups that have members.
#[derive(Debug, Default)]
pub(crate) struct Table {
    groups: BTreeMap<String, Group>,
    /// What their members hold.
    pub(super) bytes: usize,
    /// Groups to be saved, as bytes; no bytes for one that is gone.
    unsaved: Vec<(String, Vec<u8>)>,
    /// A refusal for want of room was logged, and nothing was admitted since.
    is_full: bool,
}

/// Whether a group may have this name.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
}

impl Table {
    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.keys().map(String::as_str)
    }

    /// What changed since this was last asked, to be saved.
    pub(crate) fn take_unsaved(&mut self) -> Vec<(String, Vec<u8>)> {
        std::mem::take(&mut self.unsaved)
    }

    /// A group that was saved before a restart, if there is room. One of another form is none: its
    /// members join again.
    pub(crate) fn restore(&mut self, now: Ms, name: &str, saved: &[u8]) {
        let Ok(group) = Group::restore(saved, now) else { return };
        if self.groups.len() < GROUPS_MAX && self.bytes + group.bytes() <= BYTES_MAX && !group.is_deserted() {
            self.bytes += group.bytes();
            self.groups.insert(name.to_owned(), group);
        }
    }

    /// Does something with a group as it is at this time; with nobody in it, it is gone afterwards.
    fn with<T>(
        &mut self,
        now: Ms,
        name: &str,
        out: &mut Replies,
        work: impl FnOnce(&mut Group, &mut Replies) -> T,
    ) -> Option<T> {
        let group = self.groups.get_mut(name)?;
        let before = (group.bytes(), group.generation);
        group.advance(now, out);
        let done = work(group, out);
        self.bytes = (self.bytes + group.bytes()).saturating_sub(before.0);
        if group.generation != before.1 {
            let (generation, members) = (group.generation, group.members.len());
            info!(group = name, generation, members, "rebalanced");
        }
        if group.is_deserted() {
            self.groups.remove(name);
            self.unsaved.push((name.to_owned(), Vec::new()));
        } else if std::mem::take(&mut group.is_unsaved) {
            self.unsaved.push((name.to_owned(), group.save()));
        }
        Some(done)
    }

    /// Takes a `JoinGroup`; `random` is for the id of a member that has none.
    pub(crate) fn join(&mut self, now: Ms, ticket: Ticket, ask: &Join<'_>, random: &str, out: &mut Replies) {
        let refused = self.refusal(ask);
        if let Some(error) = refused {
            out.push((ticket, Reply::Refused { error, member: ask.member.to_owned() }));
            return;
        }
        self.groups.entry(ask.group.to_owned()).or_default();
        let called = ask.instance.unwrap_or_else(|| shortened(ask.client));
        let id = format!("{called}-{random}");
        self.with(now, ask.group, out, |group, out| group.join(now, ticket, ask, id, out));
    }

    fn refusal(&mut self, ask: &Join<'_>) -> Option<ErrorCode> {
        if !is_name(ask.group) {
            return Some(ErrorCode::InvalidGroupId);
        }
        if !(SESSION_MS_MIN..=SESSION_MS_MAX).contains(&ask.session_ms) {
            return Some(ErrorCode::InvalidSessionTimeout);
        }
        if ask.instance.is_some_and(|instance| !is_name(instance)) {
            return Some(ErrorCode::InvalidRequest);
        }
        let bytes: usize = ask.protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum();
        let group = self.groups.get(ask.group);
        if group.is_none() && !ask.member.is_empty() {
            return Some(ErrorCode::UnknownMemberId);
        }
        let is_too_much = (group.is_none() && self.groups.len() >= GROUPS_MAX)
            || group.map_or(0, Group::bytes) + bytes > GROUP_BYTES_MAX
            || self.bytes + bytes > BYTES_MAX;
        if is_too_much {
            if !std::mem::replace(&mut self.is_full, true) {
                warn!(
                    groups = self.groups.len(),
                    bytes = self.bytes,
                    "no room for another member of a group"
                );
            }
            return Some(ErrorCode::GroupMaxSizeReached);
        }
        self.is_full = false;
        None
    }

    pub(crate) fn sync(&mut self, now: Ms, ticket: Ticket, ask: &Sync<'_>, out: &mut Replies) {
        if self.with(now, ask.group, out, |group, out| group.sync(now, ticket, ask, out)).is_none() {
            let member = ask.who.member.to_owned();
            out.push((ticket, Reply::Refused { error: ErrorCode::UnknownMemberId, member }));
        }
    }

    pub(crate) fn heartbeat(&mut self, now: Ms, name: &str, who: &Who<'_>, out: &mut Replies) -> ErrorCode {
        let done = self.with(now, name, out, |group, _| group.heartbeat(now, who));
        done.unwrap_or(ErrorCode::UnknownMemberId)
    }

    pub(crate) fn leave(
        &mut self,
        now: Ms,
        name: &str,
        member: &str,
        instance: Option<&str>,
        out: &mut Replies,
    ) -> ErrorCode {
        let done = self.with(now, name, out, |group, out| group.leave(now, member, instance, out));
        done.unwrap_or(ErrorCode::UnknownMemberId)
    }

    /// Whether somebody may commit offsets for a group now. Where nobody is a member, who claims to be
    /// one may not, and a reader without a group protocol may.
    pub(crate) fn may_commit(&mut self, now: Ms, name: &str, who: &Who<'_>, out: &mut Replies) -> ErrorCode {
        if !is_name(name) {
            return ErrorCode::InvalidGroupId;
        }
        let done = self.with(now, name, out, |group, _| group.may_commit(now, who));
        done.unwrap_or_else(|| Group::default().may_commit(now, who))
    }

    /// What time has done to one group.
    pub(crate) fn advance(&mut self, now: Ms, name: &str, out: &mut Replies) {
        self.with(now, name, out, |_, _| ());
    }

    /// What time has done to all.
    pub(crate) fn advance_all(&mut self, now: Ms, out: &mut Replies) {
        let names: Vec<String> = self.groups.keys().cloned().collect();
        for name in names {
            self.advance(now, &name, out);
        }
    }

    /// The connection of a request that waits is gone.
    pub(crate) fn abandon(&mut self, now: Ms, name: &str, ticket: Ticket, out: &mut Replies) {
        self.with(now, name, out, |group, _| group.abandon(now, ticket));
    }

    /// When something changes by itself in a group.
    pub(crate) fn deadline(&self, name: &str) -> Option<Ms> {
        self.groups.get(name)?.deadline()
    }
}
