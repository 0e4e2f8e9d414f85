//! A store of which somebody has changed what it answers, as if rows had been removed, changed or added.

use coronaz_store::ledger::{Lateness, ShardKept};
use coronaz_store::queries::{PaperState, Span};
use coronaz_store::view::{
    Contact, Crowd, Cursor, Encounter, Infection, MissingRecords, Moment, Node, NodeDetail, Page, Progress,
    RejectedRecord, Run, State,
};
use coronaz_store::{At, IngestStatus, Lease, PartitionOffset, Queries, StoreError};
use std::ops::ControlFlow;
use std::sync::Arc;
use uuid::Uuid;

/// What becomes of a thing: as many as are returned are there instead.
type Change<T> = Box<dyn Fn(T) -> Vec<T> + Send + Sync>;

pub(crate) struct Tampered {
    inner: Arc<dyn Queries>,
    pub(crate) frames: Change<Vec<u8>>,
    pub(crate) infections: Change<Infection>,
    pub(crate) moments: Change<Moment>,
    pub(crate) contacts: Change<Contact>,
}

impl Tampered {
    /// A store as it is: change what is to be changed.
    pub(crate) fn new(inner: Arc<dyn Queries>) -> Self {
        Tampered {
            inner,
            frames: Box::new(|bytes| vec![bytes]),
            infections: Box::new(|infection| vec![infection]),
            moments: Box::new(|moment| vec![moment]),
            contacts: Box::new(|contact| vec![contact]),
        }
    }
}

impl Queries for Tampered {
    fn fleet_frames(
        &self,
        run: Uuid,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.inner.fleet_frames(run, from, to, &mut |bytes| {
            for bytes in (self.frames)(bytes.to_vec()) {
                visit(&bytes)?;
            }
            ControlFlow::Continue(())
        })
    }

    fn infections(&self, run: Uuid, from_us: i64, limit: usize) -> Result<Vec<Infection>, StoreError> {
        let rows = self.inner.infections(run, from_us, limit)?;
        let mut rows: Vec<Infection> = rows.into_iter().flat_map(&self.infections).collect();
        rows.sort_by_key(|row| row.time_us);
        Ok(rows)
    }

    fn moments(&self, run: Uuid, from: u64, to: u64, points_max: usize) -> Result<Vec<Moment>, StoreError> {
        let rows = self.inner.moments(run, from, to, points_max)?;
        Ok(rows.into_iter().flat_map(&self.moments).collect())
    }

    fn each_contact(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.inner.each_contact(run, &mut |contact| {
            for contact in (self.contacts)(contact) {
                visit(contact)?;
            }
            ControlFlow::Continue(())
        })
    }

    fn fleet_shards(&self, run: Uuid) -> Result<Vec<ShardKept>, StoreError> {
        self.inner.fleet_shards(run)
    }

    fn lateness(&self, run: Uuid, after_us: i64) -> Result<Option<Lateness>, StoreError> {
        self.inner.lateness(run, after_us)
    }

    fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.inner.runs()
    }

    fn run(&self, run: Uuid) -> Result<Run, StoreError> {
        self.inner.run(run)
    }

    fn runs_page(
        &self,
        from: Option<coronaz_store::view::RunCursor>,
        limit: usize,
    ) -> Result<coronaz_store::view::RunsPage, StoreError> {
        self.inner.runs_page(from, limit)
    }

    fn default_run(&self, now_us: i64) -> Result<Option<Uuid>, StoreError> {
        self.inner.default_run(now_us)
    }

    fn progress(&self, run: Uuid) -> Result<Progress, StoreError> {
        self.inner.progress(run)
    }

    fn state(&self, run: Uuid, at: At) -> Result<Option<State>, StoreError> {
        self.inner.state(run, at)
    }

    fn crowd(&self, run: Uuid, at: At) -> Result<Option<Crowd>, StoreError> {
        self.inner.crowd(run, at)
    }

    fn paper_states(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.inner.paper_states(run, visit)
    }

    fn nodes(&self, run: Uuid, from_slot: u32, limit: usize) -> Result<Vec<Node>, StoreError> {
        self.inner.nodes(run, from_slot, limit)
    }

    fn node(&self, run: Uuid, node: Uuid) -> Result<NodeDetail, StoreError> {
        self.inner.node(run, node)
    }

    fn contacts(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, StoreError> {
        self.inner.contacts(run, node, span, from, limit)
    }

    fn encounters(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, StoreError> {
        self.inner.encounters(run, node, span, from, limit)
    }

    fn rejected(&self, limit: usize) -> Result<Vec<RejectedRecord>, StoreError> {
        self.inner.rejected(limit)
    }

    fn gaps(&self, limit: usize) -> Result<Vec<MissingRecords>, StoreError> {
        self.inner.gaps(limit)
    }

    fn offsets(&self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.inner.offsets()
    }

    fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        self.inner.leases()
    }

    fn ingest_status(&self) -> Result<Vec<IngestStatus>, StoreError> {
        self.inner.ingest_status()
    }
}
