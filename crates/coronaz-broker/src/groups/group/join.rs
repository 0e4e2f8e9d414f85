//! Joining: from the first `JoinGroup` of a round to the answers that begin a generation.

use super::{Group, MEMBERS_MAX, Phase, refuse};
use crate::groups::member::Member;
use crate::groups::{Join, Joined, JoinedMember, Ms, Replies, Reply, Ticket};
use crate::protocol::ErrorCode;

/// How much of a client's name is kept, for its member id and its description.
const CLIENT_BYTES_MAX: usize = 255;

impl Group {
    /// Takes a `JoinGroup`. `id` is for a member that has none. The answer comes now or later.
    pub(in crate::groups) fn join(
        &mut self,
        now: Ms,
        ticket: Ticket,
        ask: &Join<'_>,
        id: String,
        out: &mut Replies,
    ) {
        if !self.agrees(ask) {
            return refuse(ticket, ErrorCode::InconsistentGroupProtocol, ask.member, out);
        }
        let same_instance =
            |member: &Member| ask.instance.is_some() && member.instance.as_deref() == ask.instance;
        if !ask.member.is_empty() {
            return self.rejoin(now, ticket, ask, out);
        }
        if let Some(at) = self.members.iter().position(same_instance) {
            return self.replace(now, ticket, ask, at, id, out);
        }
        if self.members.len() + self.expected.len() >= MEMBERS_MAX {
            return refuse(ticket, ErrorCode::GroupMaxSizeReached, "", out);
        }
        if ask.needs_id && ask.instance.is_none() {
            refuse(ticket, ErrorCode::MemberIdRequired, &id, out);
            self.expected.push((id, now + ask.session_ms));
            return;
        }
        self.enter(now, ticket, ask, id, out);
    }

    /// Whether there is an assignor that all members offer.
    fn agrees(&self, ask: &Join<'_>) -> bool {
        if ask.protocol_type.is_empty() || ask.protocols.is_empty() {
            return false;
        }
        let is_other = |member: &&Member| {
            member.id != ask.member && (ask.instance.is_none() || member.instance.as_deref() != ask.instance)
        };
        let others = || self.members.iter().filter(is_other);
        let by_all = |name: &str| others().all(|member| member.offers(name));
        others().next().is_none()
            || (self.protocol_type == ask.protocol_type && ask.protocols.iter().any(|(name, _)| by_all(name)))
    }

    fn enter(&mut self, now: Ms, ticket: Ticket, ask: &Join<'_>, id: String, out: &mut Replies) {
        let mut member = Member {
            id,
            instance: ask.instance.map(str::to_owned),
            client: shortened(ask.client).to_owned(),
            host: ask.host.to_owned(),
            session_ms: ask.session_ms,
            rebalance_ms: ask.rebalance_ms,
            protocols: Vec::new(),
            assignment: Vec::new(),
            until: 0,
            waits: None,
            ready: false,
        };
        member.renew(now);
        if self.members.is_empty() {
            ask.protocol_type.clone_into(&mut self.protocol_type);
        }
        self.members.push(member);
        self.joins_rebalance(now, self.members.len() - 1, ticket, ask, out);
    }

    /// A `JoinGroup` of somebody who has an id.
    fn rejoin(&mut self, now: Ms, ticket: Ticket, ask: &Join<'_>, out: &mut Replies) {
        if let Some(at) = self.expected.iter().position(|(id, _)| id == ask.member) {
            let (id, _) = self.expected.swap_remove(at);
            return self.enter(now, ticket, ask, id, out);
        }
        let at = match self.find(ask.member, ask.instance) {
            Ok(at) => at,
            Err(error) => return refuse(ticket, error, ask.member, out),
        };
        let member = &self.members[at];
        let is_same = (member.protocols.iter().map(|(name, metadata)| (name.as_str(), metadata.as_slice())))
            .eq(ask.protocols.iter().copied());
        // It missed its answer, or asks without need: the round stands. A leader that asks has seen
        // something, new partitions perhaps, and wants to assign again.
        let is_repeat = match self.phase {
            Phase::Syncing(_) => is_same,
            Phase::Stable => is_same && member.id != self.leader,
            Phase::Joining(_) | Phase::Empty => false,
        };
        if is_repeat {
            self.supersede(at, out);
            self.members[at].renew(now);
            let joined = self.joined(&self.members[at], &self.leader);
            out.push((ticket, Reply::Joined(joined)));
        } else {
            self.joins_rebalance(now, at, ticket, ask, out);
        }
    }

    /// A static member came back without its id: the new one takes its place, and the old one is fenced.
    fn replace(&mut self, now: Ms, ticket: Ticket, ask: &Join<'_>, at: usize, id: String, out: &mut Replies) {
        let old = std::mem::replace(&mut self.members[at].id, id);
        if let Some(waiting) = self.members[at].waits.take() {
            refuse(waiting, ErrorCode::FencedInstanceId, &old, out);
        }
        let was_leader = self.leader == old;
        if was_leader {
            self.leader.clone_from(&self.members[at].id);
        }
        let member = &mut self.members[at];
        shortened(ask.client).clone_into(&mut member.client);
        ask.host.clone_into(&mut member.host);
        if self.phase != Phase::Stable {
            return self.joins_rebalance(now, at, ticket, ask, out);
        }
        self.update(now, at, ask);
        if self.choose() != self.protocol {
            return self.joins_rebalance(now, at, ticket, ask, out);
        }
        self.is_unsaved = true;
        // It gets what it had, and nobody has to join again. Were it named as the leader, it would assign.
        let leader = if was_leader { &old } else { &self.leader };
        let joined = Joined { members: Vec::new(), ..self.joined(&self.members[at], leader) };
        out.push((ticket, Reply::Joined(joined)));
    }

    fn update(&mut self, now: Ms, at: usize, ask: &Join<'_>) {
        let member = &mut self.members[at];
        let owned = |(name, metadata): &(&str, &[u8])| ((*name).to_owned(), metadata.to_vec());
        member.protocols = ask.protocols.iter().map(owned).collect();
        (member.session_ms, member.rebalance_ms) = (ask.session_ms, ask.rebalance_ms);
        member.renew(now);
    }

    /// A member takes part in the rebalance, which begins if there is none.
    fn joins_rebalance(&mut self, now: Ms, at: usize, ticket: Ticket, ask: &Join<'_>, out: &mut Replies) {
        self.supersede(at, out);
        self.update(now, at, ask);
        if !matches!(self.phase, Phase::Joining(_)) {
            self.begin_rebalance(now, out);
        }
        self.members[at].waits = Some(ticket);
        self.members[at].ready = true;
        self.complete_if_all_joined(now, out);
    }

    pub(super) fn complete_if_all_joined(&mut self, now: Ms, out: &mut Replies) {
        let is_joining = matches!(self.phase, Phase::Joining(_));
        let all = self.members.iter().all(|member| member.ready) && self.expected.is_empty();
        if is_joining && (all || self.members.is_empty()) {
            self.complete_join(now, out);
        }
    }

    /// A new generation, of those who are there.
    pub(super) fn complete_join(&mut self, now: Ms, out: &mut Replies) {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        if self.members.is_empty() {
            self.phase = Phase::Empty;
            self.protocol.clear();
            return;
        }
        // The leader stays if it joined; else it is the first who did.
        if !self.members.iter().any(|member| member.ready && member.id == self.leader) {
            let first = self.members.iter().find(|member| member.ready).unwrap_or(&self.members[0]);
            self.leader.clone_from(&first.id);
        }
        self.protocol = self.choose();
        self.phase = Phase::Syncing(now + self.rebalance_ms());
        for at in 0..self.members.len() {
            self.members[at].ready = false;
            self.members[at].assignment.clear();
            if let Some(ticket) = self.members[at].waits.take() {
                self.members[at].renew(now);
                let joined = self.joined(&self.members[at], &self.leader);
                out.push((ticket, Reply::Joined(joined)));
            }
        }
    }

    /// Of the assignors that everybody offers, the one that most prefer.
    fn choose(&self) -> String {
        let Some(first) = self.members.first() else { return String::new() };
        let offered = first.protocols.iter().map(|(name, _)| name.as_str());
        let common: Vec<&str> =
            offered.filter(|name| self.members.iter().all(|member| member.offers(name))).collect();
        let prefers = |member: &Member, name: &str| {
            member.protocols.iter().map(|(name, _)| name.as_str()).find(|name| common.contains(name))
                == Some(name)
        };
        let votes = |name: &str| self.members.iter().filter(|member| prefers(member, name)).count();
        // The last of several maxima; so the first member's order decides.
        common.iter().rev().max_by_key(|name| votes(name)).map_or_else(String::new, |name| (*name).to_owned())
    }

    fn joined(&self, member: &Member, leader: &str) -> Joined {
        let of = |member: &Member| JoinedMember {
            id: member.id.clone(),
            instance: member.instance.clone(),
            metadata: member.metadata(&self.protocol).to_vec(),
        };
        let is_leader = member.id == leader;
        Joined {
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: leader.to_owned(),
            member: member.id.clone(),
            members: if is_leader { self.members.iter().map(of).collect() } else { Vec::new() },
        }
    }
}

/// A client's name, at most as long as is kept of it.
pub(in crate::groups) fn shortened(client: &str) -> &str {
    &client[..client.floor_char_boundary(client.len().min(CLIENT_BYTES_MAX))]
}
