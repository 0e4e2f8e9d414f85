//! One member of a group: a client that joined, and what it brought.

use super::{Ms, Ticket};

/// A member.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: String,
    /// The name that a static member keeps over its restarts (`group.instance.id`).
    pub(crate) instance: Option<String>,
    /// What the client calls itself, and the address it connects from: for those who describe the group.
    pub(crate) client: String,
    pub(crate) host: String,
    /// Without a request for so long it is removed.
    pub(crate) session_ms: Ms,
    /// How long it may take to join a rebalance.
    pub(crate) rebalance_ms: Ms,
    /// The assignors that it offers, the preferred first, each with opaque metadata.
    pub(crate) protocols: Vec<(String, Vec<u8>)>,
    /// What the leader assigned to it, opaque.
    pub(crate) assignment: Vec<u8>,
    /// Removed then, unless a request of it comes before, or waits.
    pub(super) until: Ms,
    /// Its request that waits: a `JoinGroup` while the group joins, a `SyncGroup` while it synchronises.
    pub(super) waits: Option<Ticket>,
    /// Whether it did what this phase asks of every member: joined, or synchronised.
    pub(super) ready: bool,
}

impl Member {
    /// The bytes that it holds in memory.
    pub(super) fn bytes(&self) -> usize {
        let protocols = self.protocols.iter().map(|(name, metadata)| name.len() + metadata.len());
        let names = self.id.len() + self.instance.as_ref().map_or(0, String::len);
        let texts = names + self.client.len() + self.host.len();
        size_of::<Self>() + protocols.sum::<usize>() + texts + self.assignment.len()
    }

    pub(super) fn offers(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    /// What it says about itself to one assignor.
    pub(crate) fn metadata(&self, protocol: &str) -> &[u8] {
        let found = self.protocols.iter().find(|(name, _)| name == protocol);
        found.map_or(&[], |(_, metadata)| metadata)
    }

    /// Its session starts again.
    pub(super) fn renew(&mut self, now: Ms) {
        self.until = now.saturating_add(self.session_ms);
    }

    /// Whether it has to be removed.
    pub(super) fn is_expired(&self, now: Ms) -> bool {
        self.waits.is_none() && self.until <= now
    }
}
