//! One group: its members, and how they agree on who reads what.
//!
//! Kafka's classic protocol: a change of the members begins a rebalance. Everybody joins again
//! (`Joining`); the leader is sent who the members are, and sends what each is to read (`Syncing`); then
//! the group is `Stable`. Each round is a generation, and what comes from an earlier one is refused.
//! The state machine of Kafka 3.9's `GroupCoordinator`; no clock, no socket: the time is passed in, and
//! the answers to requests that wait are put into a list.

mod join;
mod saved;

pub(super) use join::shortened;

use super::member::Member;
use super::{Ms, Replies, Reply, Sync, Ticket, Who};
use crate::protocol::ErrorCode;

/// Members of a group, those included that were given an id and have not joined.
pub(super) const MEMBERS_MAX: usize = 256;
/// What the members of one group hold in memory. The leader is sent all of it in one answer.
pub(super) const GROUP_BYTES_MAX: usize = 2 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Empty,
    /// Members join, until then at the latest.
    Joining(Ms),
    /// The leader assigns, until then at the latest.
    Syncing(Ms),
    Stable,
}

/// A group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) phase: Phase,
    pub(super) generation: i32,
    /// What kind of group it is: `consumer`, mostly.
    pub(crate) protocol_type: String,
    /// The assignor of this generation.
    pub(crate) protocol: String,
    leader: String,
    /// In the order in which they came.
    pub(crate) members: Vec<Member>,
    /// It became stable, or a member of a stable group was replaced, and that was not saved yet.
    pub(super) is_unsaved: bool,
    /// Ids that were given out and have not joined, each until when.
    expected: Vec<(String, Ms)>,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            phase: Phase::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: Vec::new(),
            is_unsaved: false,
            expected: Vec::new(),
        }
    }
}

impl Group {
    /// Nobody is in it or about to be.
    pub(super) fn is_deserted(&self) -> bool {
        self.members.is_empty() && self.expected.is_empty()
    }

    /// What it holds in memory.
    pub(super) fn bytes(&self) -> usize {
        let expected = self.expected.iter().map(|(id, _)| id.len() + size_of::<(String, Ms)>());
        self.members.iter().map(Member::bytes).chain(expected).sum()
    }

    /// When something changes by itself.
    pub(super) fn deadline(&self) -> Option<Ms> {
        let sessions = self.members.iter().filter(|member| member.waits.is_none()).map(|member| member.until);
        let expected = self.expected.iter().map(|(_, until)| *until);
        let phase = match self.phase {
            Phase::Joining(until) | Phase::Syncing(until) => Some(until),
            Phase::Empty | Phase::Stable => None,
        };
        sessions.chain(expected).chain(phase).min()
    }

    /// Takes a `SyncGroup`. The answer comes now or later.
    pub(super) fn sync(&mut self, now: Ms, ticket: Ticket, ask: &Sync<'_>, out: &mut Replies) {
        let at = match self.check(&ask.who) {
            Ok(at) => at,
            Err(error) => return refuse(ticket, error, ask.who.member, out),
        };
        self.members[at].renew(now);
        match self.phase {
            Phase::Empty => refuse(ticket, ErrorCode::UnknownMemberId, ask.who.member, out),
            Phase::Joining(_) => refuse(ticket, ErrorCode::RebalanceInProgress, ask.who.member, out),
            Phase::Stable => out.push((ticket, Reply::Synced(self.members[at].assignment.clone()))),
            Phase::Syncing(_) => {
                self.supersede(at, out);
                self.members[at].waits = Some(ticket);
                self.members[at].ready = true;
                if self.members[at].id == self.leader {
                    self.assign(now, ask.assignments, out);
                }
            }
        }
    }

    /// The leader said who reads what.
    fn assign(&mut self, now: Ms, assignments: &[(&str, &[u8])], out: &mut Replies) {
        let sum: usize = assignments.iter().map(|(_, assignment)| assignment.len()).sum();
        if self.bytes() + sum > GROUP_BYTES_MAX {
            let Some(at) = self.members.iter().position(|member| member.id == self.leader) else { return };
            if let Some(ticket) = self.members[at].waits.take() {
                refuse(ticket, ErrorCode::GroupMaxSizeReached, "", out);
            }
            return;
        }
        for member in &mut self.members {
            let found = assignments.iter().find(|(id, _)| *id == member.id);
            member.assignment = found.map_or_else(Vec::new, |(_, assignment)| assignment.to_vec());
            if let Some(ticket) = member.waits.take() {
                member.renew(now);
                out.push((ticket, Reply::Synced(member.assignment.clone())));
            }
        }
        self.phase = Phase::Stable;
        self.is_unsaved = true;
    }

    /// Takes a Heartbeat.
    pub(super) fn heartbeat(&mut self, now: Ms, who: &Who<'_>) -> ErrorCode {
        match self.check(who) {
            Err(error) => error,
            Ok(at) => {
                self.members[at].renew(now);
                let is_joining = matches!(self.phase, Phase::Joining(_));
                if is_joining { ErrorCode::RebalanceInProgress } else { ErrorCode::None }
            }
        }
    }

    /// Whether somebody may commit offsets now. Who is no member may while nobody is.
    pub(super) fn may_commit(&mut self, now: Ms, who: &Who<'_>) -> ErrorCode {
        if who.generation < 0 && who.member.is_empty() && who.instance.is_none() {
            let nobody = self.members.is_empty();
            return if nobody { ErrorCode::None } else { ErrorCode::UnknownMemberId };
        }
        match self.check(who) {
            Err(error) => error,
            Ok(at) => {
                self.members[at].renew(now);
                // Its partitions are about to be somebody else's.
                let is_syncing = matches!(self.phase, Phase::Syncing(_));
                if is_syncing { ErrorCode::RebalanceInProgress } else { ErrorCode::None }
            }
        }
    }

    /// Takes a `LeaveGroup` of one member. An administrator names it by its instance alone.
    pub(super) fn leave(
        &mut self,
        now: Ms,
        id: &str,
        instance: Option<&str>,
        out: &mut Replies,
    ) -> ErrorCode {
        if let Some(at) = self.expected.iter().position(|(expected, _)| expected == id) {
            self.expected.swap_remove(at);
            self.complete_if_all_joined(now, out);
            return ErrorCode::None;
        }
        let by_instance = |member: &Member| instance.is_some() && member.instance.as_deref() == instance;
        let found = if id.is_empty() {
            self.members.iter().position(by_instance).ok_or(ErrorCode::UnknownMemberId)
        } else {
            self.find(id, instance)
        };
        match found {
            Err(error) => error,
            Ok(at) => {
                self.remove(now, at, out);
                ErrorCode::None
            }
        }
    }

    /// What time has done: sessions that ended, a rebalance that waits for nobody any more.
    pub(super) fn advance(&mut self, now: Ms, out: &mut Replies) {
        self.expected.retain(|(_, until)| *until > now);
        while let Some(at) = self.members.iter().position(|member| member.is_expired(now)) {
            self.remove(now, at, out);
        }
        match self.phase {
            Phase::Joining(until) if until <= now => {
                if self.members.iter().any(|member| member.ready) {
                    // Static members keep their place until their sessions end.
                    self.members.retain(|member| member.ready || member.instance.is_some());
                    self.complete_join(now, out);
                } else {
                    // Sessions decide who is left.
                    self.phase = Phase::Joining(now + self.rebalance_ms().max(1));
                }
            }
            Phase::Syncing(until) if until <= now => {
                while let Some(at) = self.members.iter().position(|member| !member.ready) {
                    self.drop_member(at, out);
                }
                self.begin_rebalance(now, out);
            }
            _ => {}
        }
        self.complete_if_all_joined(now, out);
    }

    /// An earlier request of a member waits no longer: its connection broke, or it asks twice.
    fn supersede(&mut self, at: usize, out: &mut Replies) {
        if let Some(earlier) = self.members[at].waits.take() {
            refuse(earlier, ErrorCode::RebalanceInProgress, &self.members[at].id, out);
        }
    }

    fn begin_rebalance(&mut self, now: Ms, out: &mut Replies) {
        for at in 0..self.members.len() {
            // In this phase only a `SyncGroup` can wait.
            self.supersede(at, out);
            let member = &mut self.members[at];
            member.ready = false;
            if matches!(self.phase, Phase::Syncing(_)) {
                member.renew(now);
            }
        }
        self.phase = Phase::Joining(now + self.rebalance_ms());
    }

    fn rebalance_ms(&self) -> Ms {
        self.members.iter().map(|member| member.rebalance_ms).max().unwrap_or(0)
    }

    /// The connection of a request that waits is gone. Its member stays until its session ends.
    pub(super) fn abandon(&mut self, now: Ms, ticket: Ticket) {
        if let Some(member) = self.members.iter_mut().find(|member| member.waits == Some(ticket)) {
            member.waits = None;
            member.renew(now);
        }
    }

    fn remove(&mut self, now: Ms, at: usize, out: &mut Replies) {
        self.drop_member(at, out);
        if matches!(self.phase, Phase::Stable | Phase::Syncing(_)) {
            self.begin_rebalance(now, out);
        }
        self.complete_if_all_joined(now, out);
    }

    fn drop_member(&mut self, at: usize, out: &mut Replies) {
        let member = self.members.remove(at);
        if let Some(ticket) = member.waits {
            refuse(ticket, ErrorCode::UnknownMemberId, &member.id, out);
        }
        if self.leader == member.id {
            self.leader = self.members.first().map_or_else(String::new, |first| first.id.clone());
        }
    }

    fn find(&self, id: &str, instance: Option<&str>) -> Result<usize, ErrorCode> {
        let position =
            |is: &dyn Fn(&Member) -> bool| self.members.iter().position(is).ok_or(ErrorCode::UnknownMemberId);
        match instance {
            None => position(&|member| member.id == id),
            Some(_) => {
                let at = position(&|member| member.instance.as_deref() == instance)?;
                if self.members[at].id == id { Ok(at) } else { Err(ErrorCode::FencedInstanceId) }
            }
        }
    }

    fn check(&self, who: &Who<'_>) -> Result<usize, ErrorCode> {
        let at = self.find(who.member, who.instance)?;
        if who.generation == self.generation { Ok(at) } else { Err(ErrorCode::IllegalGeneration) }
    }
}

fn refuse(ticket: Ticket, error: ErrorCode, member: &str, out: &mut Replies) {
    out.push((ticket, Reply::Refused { error, member: member.to_owned() }));
}
