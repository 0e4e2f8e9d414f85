//! The reading side of the embedded store.

use super::pool::Pool;
use super::read_fleet::fleet;
use super::{lease, read_audit, read_back, read_contacts, read_nodes, read_runs, read_states};
use crate::ledger::{Lateness, Ledgers, ShardKept};
use crate::queries::{PaperState, Span, encounters_of_contacts};
use crate::view::{
    Contact, Crowd, Cursor, Encounter, Infection, MissingRecords, Moment, Node, NodeDetail, Page, Progress,
    RejectedRecord, Run, RunCursor, RunsPage, State,
};
use crate::{At, IngestStatus, Lease, PartitionOffset, Queries, StoreError};
use std::ops::ControlFlow;
use std::path::Path;
use uuid::Uuid;

/// Readers of one file, in this process; the writer may be another's.
pub(crate) struct SqliteQueries {
    pool: Pool,
}

impl SqliteQueries {
    pub(crate) fn new(path: &Path) -> Self {
        Self { pool: Pool::new(path) }
    }
}

impl Queries for SqliteQueries {
    fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.pool.ask(read_runs::runs)
    }

    fn run(&self, run: Uuid) -> Result<Run, StoreError> {
        self.pool.ask(|transaction| read_runs::run(transaction, run))
    }

    fn runs_page(&self, from: Option<RunCursor>, limit: usize) -> Result<RunsPage, StoreError> {
        self.pool.ask(|transaction| read_runs::runs_page(transaction, from, limit))
    }

    fn default_run(&self, now_us: i64) -> Result<Option<Uuid>, StoreError> {
        self.pool.ask(|transaction| read_runs::default(transaction, now_us))
    }

    fn progress(&self, run: Uuid) -> Result<Progress, StoreError> {
        self.pool.ask(|transaction| read_runs::progress(transaction, run))
    }

    fn state(&self, run: Uuid, at: At) -> Result<Option<State>, StoreError> {
        self.pool.ask(|transaction| read_states::state(&self.pool, transaction, run, at))
    }

    fn crowd(&self, run: Uuid, at: At) -> Result<Option<Crowd>, StoreError> {
        self.pool.ask(|transaction| read_states::crowd(&self.pool, transaction, run, at))
    }

    fn moments(&self, run: Uuid, from: u64, to: u64, points_max: usize) -> Result<Vec<Moment>, StoreError> {
        self.pool.ask(|transaction| read_states::moments(transaction, run, from, to, points_max))
    }

    fn paper_states(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.pool.ask(|transaction| read_states::paper_states(&self.pool, transaction, run, visit))
    }

    fn nodes(&self, run: Uuid, from_slot: u32, limit: usize) -> Result<Vec<Node>, StoreError> {
        self.pool.ask(|transaction| read_nodes::nodes(transaction, run, from_slot, limit))
    }

    fn node(&self, run: Uuid, node: Uuid) -> Result<NodeDetail, StoreError> {
        self.pool.ask(|transaction| read_nodes::node(&self.pool, transaction, run, node))
    }

    fn contacts(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, StoreError> {
        self.pool.ask(|transaction| read_contacts::contacts(transaction, run, node, span, from, limit))
    }

    fn encounters(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, StoreError> {
        self.pool.ask(|transaction| read_contacts::encounters(transaction, run, node, span, from, limit))
    }

    fn infections(&self, run: Uuid, from_us: i64, limit: usize) -> Result<Vec<Infection>, StoreError> {
        self.pool.ask(|transaction| read_nodes::infections(transaction, run, from_us, limit))
    }

    fn contacts_newest_first(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, StoreError> {
        self.pool.ask(|transaction| read_back::contacts(transaction, run, node, span, from, limit))
    }

    fn encounters_newest_first(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, StoreError> {
        self.pool.ask(|transaction| read_back::encounters(transaction, run, node, span, from, limit))
    }

    fn infections_by(
        &self,
        run: Uuid,
        infector: Uuid,
        from_us: i64,
        limit: usize,
    ) -> Result<Vec<Infection>, StoreError> {
        self.pool.ask(|transaction| read_back::infections_by(transaction, run, infector, from_us, limit))
    }

    fn each_encounter(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(Encounter) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let is_fleet = self.pool.ask(|transaction| Ok(fleet(transaction, run)?.is_some()))?;
        if !is_fleet {
            return self
                .pool
                .ask(|transaction| read_back::each_encounter(&self.pool, transaction, run, visit));
        }
        encounters_of_contacts(self, run, visit)
    }

    fn each_contact(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.pool.ask(|transaction| read_contacts::each_contact(&self.pool, transaction, run, visit))
    }

    fn fleet_frames(
        &self,
        run: Uuid,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.pool.ask(|transaction| read_audit::fleet_frames(transaction, run, (from, to), visit))
    }

    fn fleet_shards(&self, run: Uuid) -> Result<Vec<ShardKept>, StoreError> {
        self.pool.ask(|transaction| read_audit::fleet_shards(transaction, run))
    }

    fn ledgers(&self, run: Uuid) -> Result<Ledgers, StoreError> {
        self.pool.ask(|transaction| read_audit::ledgers(&self.pool, transaction, run))
    }

    fn lateness(&self, run: Uuid, after_us: i64) -> Result<Option<Lateness>, StoreError> {
        self.pool.ask(|transaction| read_audit::lateness(transaction, run, after_us)).map(Some)
    }

    fn rejected(&self, limit: usize) -> Result<Vec<RejectedRecord>, StoreError> {
        self.pool.ask(|transaction| read_runs::rejected(transaction, limit))
    }

    fn gaps(&self, limit: usize) -> Result<Vec<MissingRecords>, StoreError> {
        self.pool.ask(|transaction| read_runs::gaps(transaction, limit))
    }

    fn offsets(&self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.pool.ask(|transaction| Ok(lease::offsets(transaction)?))
    }

    fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        self.pool.ask(|transaction| Ok(lease::all(transaction)?))
    }

    fn ingest_status(&self) -> Result<Vec<IngestStatus>, StoreError> {
        self.pool.ask(read_runs::ingest_status)
    }
}
