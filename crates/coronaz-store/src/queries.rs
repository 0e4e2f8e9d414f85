//! The reading side.

use crate::chains::Chains;
use crate::ledger::{self, Lateness, Ledgers, ShardKept};
use crate::paging::{PAGE_ITEMS, every_page, newest_first};
use crate::view::{
    Contact, Crowd, Cursor, Encounter, Infection, MissingRecords, Moment, Node, NodeDetail, NodeState, Page,
    Progress, RejectedRecord, Run, RunCursor, RunsPage, State,
};
use crate::{IngestStatus, Lease, PartitionOffset, StoreError};
use std::ops::ControlFlow;
use uuid::Uuid;

/// Which moment of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// The newest.
    Latest,
    /// By number.
    Moment(u64),
    /// The newest that is not after this time (microseconds since the Unix epoch).
    TimeUs(i64),
}

/// The largest fleet whose moments are given as the paper's states, each with all people by name.
pub const PAPER_PEOPLE_MAX: u32 = 10_000;

/// A stretch of time, both ends included (microseconds since the Unix epoch).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first microsecond.
    pub from_us: i64,
    /// The last microsecond.
    pub to_us: i64,
}

impl Span {
    /// All of time.
    pub const ALL: Self = Self { from_us: i64::MIN, to_us: i64::MAX };
}

/// One of the paper's states while they are read in turn: all nodes seen so far.
pub struct PaperState<'a> {
    /// Its number: `_id`.
    pub k: u64,
    pub(crate) nodes: &'a mut dyn Iterator<Item = NodeState>,
}

impl PaperState<'_> {
    /// Its nodes, ascending by slot.
    pub fn nodes(&mut self) -> &mut dyn Iterator<Item = NodeState> {
        self.nodes
    }
}

/// The store as those see it who ask. Calls block; any number of threads may share one value. Each answer
/// is of one moment of the store, whatever is being written beside it.
///
/// # Errors
/// [`StoreError::Unavailable`] from each of them while the store is away, also before it is first made;
/// [`StoreError::NoSuchRun`] where a run is named that is not there.
pub trait Queries: Send + Sync {
    /// All runs, newest first.
    fn runs(&self) -> Result<Vec<Run>, StoreError>;

    /// One run.
    fn run(&self, run: Uuid) -> Result<Run, StoreError>;

    /// Runs, newest first, at most `limit` of them: from the newest, or from where the page before ended.
    fn runs_page(&self, from: Option<RunCursor>, limit: usize) -> Result<RunsPage, StoreError>;

    /// The run to show when none is named, at this time (microseconds since the Unix epoch): one that is being written
    /// and has a moment; else the one that began last of those that have a moment; else the newest. `None` in a store
    /// without any.
    fn default_run(&self, now_us: i64) -> Result<Option<Uuid>, StoreError>;

    /// How far a run is: cheap, to be asked often.
    fn progress(&self, run: Uuid) -> Result<Progress, StoreError>;

    /// All nodes at a moment; `None` when the run has no such moment.
    fn state(&self, run: Uuid, at: At) -> Result<Option<State>, StoreError>;

    /// The same in columns, for any number of nodes.
    fn crowd(&self, run: Uuid, at: At) -> Result<Option<Crowd>, StoreError>;

    /// The moments `from` to `to`, both included, at most `points_max` of them evenly picked, always with the
    /// first and the last that there are.
    fn moments(&self, run: Uuid, from: u64, to: u64, points_max: usize) -> Result<Vec<Moment>, StoreError>;

    /// Hands over each of the paper's states in turn, until the visitor breaks. A fleet of more than
    /// [`PAPER_PEOPLE_MAX`] has none.
    fn paper_states(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Nodes from slot `from_slot` on.
    fn nodes(&self, run: Uuid, from_slot: u32, limit: usize) -> Result<Vec<Node>, StoreError>;

    /// One node; [`StoreError::NoSuchNode`] if the run has none of this UUID.
    fn node(&self, run: Uuid, node: Uuid) -> Result<NodeDetail, StoreError>;

    /// The contacts that a node recorded in a stretch of time, by time.
    fn contacts(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, StoreError>;

    /// The encounters of a node that overlap a stretch of time, by their beginning.
    fn encounters(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, StoreError>;

    /// The same contacts the other way round, newest first; [`Page::next`] is the first item of the next page, at or
    /// before which that begins.
    fn contacts_newest_first(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, StoreError> {
        let all = every_page(|next| self.contacts(run, node, span, next, PAGE_ITEMS))?;
        let slot = |other| Ok(self.node(run, other)?.node.slot);
        newest_first(all, |contact| (contact.time_us, contact.other), slot, (from, limit))
    }

    /// The same encounters the other way round, by their beginning, newest first.
    fn encounters_newest_first(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, StoreError> {
        let all = every_page(|next| self.encounters(run, node, span, next, PAGE_ITEMS))?;
        let slot = |other| Ok(self.node(run, other)?.node.slot);
        newest_first(all, |encounter| (encounter.from_us, encounter.other), slot, (from, limit))
    }

    /// Infections by time, those at or after `from_us`.
    fn infections(&self, run: Uuid, from_us: i64, limit: usize) -> Result<Vec<Infection>, StoreError>;

    /// Whom a node infected, by time, those at or after `from_us`; [`StoreError::NoSuchNode`] if the run has none of
    /// this UUID.
    fn infections_by(
        &self,
        run: Uuid,
        infector: Uuid,
        from_us: i64,
        limit: usize,
    ) -> Result<Vec<Infection>, StoreError> {
        self.node(run, infector)?;
        let mut infections = self.infections(run, from_us, usize::MAX)?;
        infections.retain(|infection| infection.infector == Some(infector));
        infections.truncate(limit);
        Ok(infections)
    }

    /// Hands over every contact of a run, by window of time, person, time: for the audit and exports.
    fn each_contact(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Hands over every encounter of a run, about in the order in which they ended: for exports.
    fn each_encounter(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(Encounter) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        encounters_of_contacts(self, run, visit)
    }

    /// Hands over the stored frames of a fleet's ticks `from` to `to`, both included, by tick, shard, part. A run of
    /// nodes has none.
    fn fleet_frames(
        &self,
        run: Uuid,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let _ = (from, to, visit);
        Err(no_frames(run))
    }

    /// How far each shard of a fleet is in; a shard of which nothing is there is missing.
    fn fleet_shards(&self, run: Uuid) -> Result<Vec<ShardKept>, StoreError> {
        Err(no_frames(run))
    }

    /// What each device of a run of nodes says it recorded, and what of it is there. An adapter that can do better
    /// answers as of one moment; this default reads one thing after the other.
    fn ledgers(&self, run: Uuid) -> Result<Ledgers, StoreError> {
        ledger::gather(self, run)
    }

    /// How many reports (or ticks of a fleet) came later than `after_us` (microseconds) after their time; `None`: the
    /// store does not keep when they came.
    fn lateness(&self, run: Uuid, after_us: i64) -> Result<Option<Lateness>, StoreError> {
        let _ = (run, after_us);
        Ok(None)
    }

    /// Records that could not be read, newest first.
    fn rejected(&self, limit: usize) -> Result<Vec<RejectedRecord>, StoreError>;

    /// Offsets that the topic did not hand out, the first `limit` by partition.
    fn gaps(&self, limit: usize) -> Result<Vec<MissingRecords>, StoreError>;

    /// Which records are in.
    fn offsets(&self) -> Result<Vec<PartitionOffset>, StoreError>;

    /// Who owns which partition.
    fn leases(&self) -> Result<Vec<Lease>, StoreError>;

    /// What the ingest processes say of themselves, newest first.
    fn ingest_status(&self) -> Result<Vec<IngestStatus>, StoreError>;
}

fn no_frames(run: Uuid) -> StoreError {
    StoreError::Unavailable {
        location: format!("run {run}"),
        reason: "this kind of store does not hand out frames".to_owned(),
        source: None,
    }
}

/// Every encounter of a run, made from all its contacts.
pub(crate) fn encounters_of_contacts<Q: Queries + ?Sized>(
    queries: &Q,
    run: Uuid,
    visit: &mut dyn FnMut(Encounter) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let last_us = queries.run(run)?.last_us.unwrap_or(i64::MIN);
    let mut chains = Chains::new(last_us);
    let mut broken = false;
    queries.each_contact(run, &mut |contact| {
        let answer = chains.take(&contact, visit);
        broken = answer.is_break();
        answer
    })?;
    if !broken {
        // It was the last: whether the visitor wants more makes no difference.
        let _ = chains.finish(visit);
    }
    Ok(())
}
