//! What the auditor asks of the store beside what everybody asks: what each device says it recorded, and what of it is in.

use crate::view::{Claimed, Node, Session};
use crate::{Queries, StoreError};
use coronaz_wire::report::contact_digest;
use std::collections::HashMap;
use std::ops::ControlFlow;
use uuid::Uuid;

/// Nodes asked for at once.
const NODES_A_PAGE: usize = 1_000;

/// How far a shard of a fleet is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardKept {
    /// Which shard.
    pub shard: u32,
    /// The first tick of which there is a frame.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// Ticks of which there is a frame.
    pub ticks: u64,
}

/// One device: its word, and the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Which device.
    pub node: Node,
    /// What its reports say of themselves, newest start first; empty when it was only heard of.
    pub sessions: Vec<Session>,
    /// The time of its newest report (microseconds since the Unix epoch).
    pub latest_us: Option<i64>,
    /// Contacts that the store counted for it as they came.
    pub counted: u64,
    /// How many rows of contacts there are, and their digest.
    pub kept: Claimed,
}

/// All devices of a run, as of one moment of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledgers {
    /// By slot.
    pub nodes: Vec<Ledger>,
    /// Reports that the store counted as they came.
    pub reports: u64,
    /// Rows of reports there are.
    pub report_rows: u64,
    /// Contacts that the store counted as they came.
    pub contacts: u64,
}

/// How late things came, by the clock of those who stored them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lateness {
    /// Reports (or ticks of a fleet) of which it is known.
    pub judged: u64,
    /// Of these, those that came later than asked for.
    pub late: u64,
    /// The latest of all, in microseconds.
    pub largest_us: i64,
}

/// The ledgers by the questions that every store answers.
pub(crate) fn gather<Q: Queries + ?Sized>(store: &Q, run: Uuid) -> Result<Ledgers, StoreError> {
    let mut nodes: Vec<Ledger> = Vec::new();
    loop {
        let from_slot = nodes.last().map_or(0, |last| last.node.slot + 1);
        let page = store.nodes(run, from_slot, NODES_A_PAGE)?;
        if page.is_empty() {
            break;
        }
        for node in page {
            let detail = store.node(run, node.id)?;
            let latest_us = detail.latest.map(|state| state.time_us);
            let kept = Claimed { contacts: 0, digest: 0 };
            let (sessions, counted) = (detail.sessions, detail.contacts);
            nodes.push(Ledger { node, sessions, latest_us, counted, kept });
        }
    }
    let places: HashMap<Uuid, usize> =
        nodes.iter().zip(0..).map(|(ledger, at)| (ledger.node.id, at)).collect();
    let before = store.run(run)?;
    store.each_contact(run, &mut |contact| {
        if let Some(&at) = places.get(&contact.person) {
            let kept = &mut nodes[at].kept;
            kept.contacts += 1;
            let digest = contact_digest(contact.person, contact.other, contact.time_us);
            kept.digest = kept.digest.wrapping_add(digest);
        }
        ControlFlow::Continue(())
    })?;
    Ok(Ledgers { nodes, reports: before.reports, report_rows: before.reports, contacts: before.contacts })
}
