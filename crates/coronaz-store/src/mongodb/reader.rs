//! The reading side.

use super::codec::Fields;
use super::history;
use super::partitions;
use super::read_nodes::Order;
use super::rejected;
use super::server::{Server, Store, names};
use super::trouble::Trouble;
use super::url::MongoUrl;
use super::view::{self, Found, RunView, read_moment};
use crate::ledger::{Lateness, ShardKept};
use crate::paging::{PAGE_ITEMS, every_page, newest_first};
use crate::queries::{PAPER_PEOPLE_MAX, PaperState, Span};
use crate::snapshot::Seats;
use crate::view::{
    Contact, Crowd, Cursor, Encounter, Infection, MissingRecords, Moment, Node, NodeDetail, NodeState, Page,
    Progress, RejectedRecord, Run, RunCursor, RunsPage, State,
};
use crate::{At, IngestStatus, Lease, PartitionOffset, Queries, StoreError};
use coronaz_wire::frame::Mirror;
use mongodb::bson::{Document, doc};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Runs whose UUIDs are kept by slot: those that are being looked at.
const RUNS_KEPT: usize = 8;
/// Fleets kept as they were asked for last: what is shown live, and what somebody seeks beside it. 12 bytes a person
/// each.
const MIRRORS_KEPT: usize = 2;

/// A run, and when it began here: one that was deleted and came back is another.
type Which = (Uuid, i64);

/// Readers of one database, in this process.
pub(crate) struct MongoQueries {
    server: Server,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Index = slot. Slots never change, so a longer list only goes on.
    ids: HashMap<Which, Arc<Vec<Uuid>>>,
    /// Fleets as they were asked for last, oldest first.
    mirrors: Vec<(Which, Mirror)>,
}

impl MongoQueries {
    pub(crate) fn new(url: &MongoUrl) -> Self {
        Self { server: Server::new(url), kept: Mutex::default() }
    }

    fn ask<T>(&self, question: impl FnOnce(Arc<Store>) -> Result<T, Trouble>) -> Result<T, StoreError> {
        let answer = self.server.for_reading().and_then(question);
        answer.map_err(|trouble| trouble.of_store(self.server.url()))
    }

    fn of_run<T>(
        &self,
        run: Uuid,
        question: impl FnOnce(RunView) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        self.ask(|store| question(RunView::open(store, run)?))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic while it was locked cannot have left half a change: each is one call.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// UUIDs of a run by slot.
    fn ids(&self, view: &RunView) -> Result<Arc<Vec<Uuid>>, Trouble> {
        let which = (view.run, view.began);
        let known = self.kept().ids.get(&which).cloned().unwrap_or_default();
        if known.len() >= view.head.nodes as usize {
            return Ok(known);
        }
        let from = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let more = view.nodes(from, usize::MAX)?.into_iter().map(|node| node.id);
        let ids: Arc<Vec<Uuid>> = Arc::new(known.iter().copied().chain(more).collect());
        let mut kept = self.kept();
        if kept.ids.len() >= RUNS_KEPT && !kept.ids.contains_key(&which) {
            kept.ids.clear();
        }
        kept.ids.insert(which, Arc::clone(&ids));
        Ok(ids)
    }

    /// Takes out the kept fleet that is nearest before a tick.
    fn take_mirror(&self, which: Which, tick: u64) -> Option<Mirror> {
        let mirrors = &mut self.kept().mirrors;
        let (at, _) = (mirrors.iter().enumerate())
            .filter(|(_, (of, _))| *of == which)
            .filter_map(|(at, (_, mirror))| {
                mirror.whole_at().filter(|&known| known <= tick).map(|known| (at, known))
            })
            .max_by_key(|&(_, known)| known)?;
        Some(mirrors.remove(at).1)
    }

    fn keep_mirror(&self, which: Which, mirror: Mirror) {
        let mirrors = &mut self.kept().mirrors;
        if mirrors.len() >= MIRRORS_KEPT {
            mirrors.remove(0);
        }
        mirrors.push((which, mirror));
    }

    fn crowd_at(&self, view: &RunView, at: At) -> Result<Option<Crowd>, Trouble> {
        let Some(Found { moment, reports, latest }) = view.find(at)? else { return Ok(None) };
        if let Some(fleet) = view.fleet() {
            let which = (view.run, view.began);
            let near = self.take_mirror(which, moment.k);
            let Some(mirror) = fleet.mirror_at(near, moment.k)? else { return Ok(None) };
            let crowd = fleet.crowd_of(&mirror, moment, latest);
            self.keep_mirror(which, mirror);
            return Ok(Some(crowd));
        }
        let seats = view.seats(reports)?.0;
        Ok(Some(Crowd {
            moment,
            latest,
            x: seats.iter().map(|seat| seat.map_or(0, |seat| seat.x)).collect(),
            y: seats.iter().map(|seat| seat.map_or(0, |seat| seat.y)).collect(),
            health: seats.iter().map(|seat| seat.map(|seat| seat.health)).collect(),
        }))
    }

    fn state_at(&self, view: &RunView, at: At) -> Result<Option<State>, Trouble> {
        if let Some(fleet) = view.fleet() {
            let Some(crowd) = self.crowd_at(view, at)? else { return Ok(None) };
            let (moment, latest) = (crowd.moment, crowd.latest);
            return Ok(Some(State { moment, latest, nodes: fleet.nodes_of(&crowd).collect() }));
        }
        let Some(Found { moment, reports, latest }) = view.find(at)? else { return Ok(None) };
        let seats = view.seats(reports)?;
        let ids = self.ids(view)?;
        Ok(Some(State { moment, latest, nodes: nodes_of(&seats, &ids).collect() }))
    }

    /// Each state in turn: the rows between one and the next are rolled on.
    fn states(
        &self,
        view: &RunView,
        visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let filter = view.filter(doc! {"n": {"$lte": view.head.n}});
        let states = view.store.collection(names::STATES).find(filter).sort(doc! {"k": 1}).run()?;
        if let Some(fleet) = view.fleet() {
            if fleet.population.people > PAPER_PEOPLE_MAX {
                return Ok(());
            }
            let mut mirror = None;
            for document in states {
                let moment = read_moment(&document?)?;
                mirror = fleet.mirror_at(mirror, moment.k)?;
                let Some(whole) = &mirror else { continue };
                let crowd = fleet.crowd_of(whole, moment, moment.k);
                if visit(&mut PaperState { k: moment.k, nodes: &mut fleet.nodes_of(&crowd) }).is_break() {
                    break;
                }
            }
            return Ok(());
        }
        let ids = self.ids(view)?;
        let (mut seats, mut applied, mut ahead) = (Seats::default(), 0, Vec::new());
        for document in states {
            let document = document?;
            let (k, until) = (document.count("k")?, document.count("reports")?);
            if until > applied + ahead.len() as u64 {
                // Some thousand at a time, whatever the distance from state to state.
                ahead.clear();
                let to = until.max(applied + ROWS_AHEAD).min(view.head.reports);
                history::each(&view.store, view.run, (applied, to), |row| ahead.push(*row))?;
            }
            let due = usize::try_from(until.saturating_sub(applied)).unwrap_or(usize::MAX).min(ahead.len());
            for row in ahead.drain(..due) {
                seats.apply(row.slot, row.x, row.y, row.health, row.time_us);
            }
            applied += due as u64;
            if visit(&mut PaperState { k, nodes: &mut nodes_of(&seats, &ids) }).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Reports read at a time while states are handed over in turn.
const ROWS_AHEAD: u64 = 8192;

fn nodes_of<'a>(seats: &'a Seats, ids: &'a [Uuid]) -> impl Iterator<Item = NodeState> + 'a {
    (0..).zip(seats.0.iter().zip(ids)).filter_map(|(slot, (seat, &id))| {
        let seat = (*seat)?;
        Some(NodeState { slot, id, x: seat.x, y: seat.y, time_us: seat.time_us, health: seat.health })
    })
}

fn read_gap(document: &Document) -> Result<MissingRecords, Trouble> {
    Ok(MissingRecords {
        partition: document.place("partition")?,
        from: document.int("from")?,
        to: document.int("to")?,
        at_us: document.int("at_us")?,
        reason: document.text("reason")?.to_owned(),
    })
}

impl Queries for MongoQueries {
    fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.ask(|store| view::runs(&store))
    }

    fn run(&self, run: Uuid) -> Result<Run, StoreError> {
        self.ask(|store| view::run(&store, run))
    }

    fn runs_page(&self, from: Option<RunCursor>, limit: usize) -> Result<RunsPage, StoreError> {
        self.ask(|store| view::runs_page(&store, from, limit))
    }

    fn default_run(&self, now_us: i64) -> Result<Option<Uuid>, StoreError> {
        self.ask(|store| view::default(&store, now_us))
    }

    fn progress(&self, run: Uuid) -> Result<Progress, StoreError> {
        self.of_run(run, |view| Ok(view.progress()))
    }

    fn state(&self, run: Uuid, at: At) -> Result<Option<State>, StoreError> {
        self.of_run(run, |view| self.state_at(&view, at))
    }

    fn crowd(&self, run: Uuid, at: At) -> Result<Option<Crowd>, StoreError> {
        self.of_run(run, |view| self.crowd_at(&view, at))
    }

    fn moments(&self, run: Uuid, from: u64, to: u64, points_max: usize) -> Result<Vec<Moment>, StoreError> {
        self.of_run(run, |view| view.moments(from, to, points_max))
    }

    fn paper_states(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.of_run(run, |view| self.states(&view, visit))
    }

    fn nodes(&self, run: Uuid, from_slot: u32, limit: usize) -> Result<Vec<Node>, StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => Ok(fleet.nodes(from_slot, limit)),
            None => view.nodes(from_slot, limit),
        })
    }

    fn node(&self, run: Uuid, node: Uuid) -> Result<NodeDetail, StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => fleet.node(node, self.crowd_at(&view, At::Latest)?.as_ref()),
            None => view.node(node),
        })
    }

    fn contacts(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => fleet.contacts(node, span, from, limit),
            None => view.contacts(node, span, from, (limit, Order::OldestFirst)),
        })
    }

    fn encounters(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => fleet.encounters(node, span, from, limit),
            None => view.encounters(node, span, from, (limit, Order::OldestFirst)),
        })
    }

    fn contacts_newest_first(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => {
                let all = every_page(|next| fleet.contacts(node, span, next, PAGE_ITEMS))?;
                let place = |contact: &Contact| (contact.time_us, contact.other);
                newest_first(all, place, |other| fleet.slot_of(other), (from, limit))
            }
            None => view.contacts(node, span, from, (limit, Order::NewestFirst)),
        })
    }

    fn encounters_newest_first(
        &self,
        run: Uuid,
        node: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => {
                let all = every_page(|next| fleet.encounters(node, span, next, PAGE_ITEMS))?;
                let place = |encounter: &Encounter| (encounter.from_us, encounter.other);
                newest_first(all, place, |other| fleet.slot_of(other), (from, limit))
            }
            None => view.encounters(node, span, from, (limit, Order::NewestFirst)),
        })
    }

    fn infections(&self, run: Uuid, from_us: i64, limit: usize) -> Result<Vec<Infection>, StoreError> {
        self.of_run(run, |view| view.infections(doc! {"time_us": {"$gte": from_us}}, limit))
    }

    fn infections_by(
        &self,
        run: Uuid,
        infector: Uuid,
        from_us: i64,
        limit: usize,
    ) -> Result<Vec<Infection>, StoreError> {
        self.of_run(run, |view| {
            if let Some(fleet) = view.fleet() {
                fleet.slot_of(infector)?;
                let by = doc! {"infector": super::codec::uuid(infector), "time_us": {"$gte": from_us}};
                return view.infections(by, limit);
            }
            view.infections_by(infector, from_us, limit)
        })
    }

    fn each_contact(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => fleet.each_contact(visit),
            None => view.each_contact(visit),
        })
    }

    fn each_encounter(
        &self,
        run: Uuid,
        visit: &mut dyn FnMut(Encounter) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.of_run(run, |view| match view.fleet() {
            Some(fleet) => fleet.each_encounter(visit),
            None => view.each_encounter(visit),
        })
    }

    fn fleet_frames(
        &self,
        run: Uuid,
        from: u64,
        to: u64,
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.of_run(run, |view| {
            let Some(fleet) = view.fleet() else { return Ok(()) };
            for tick in from..=to {
                for shard in 0..fleet.population.shards() {
                    if fleet.each_frame(shard, (tick, tick), visit)?.is_break() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        })
    }

    fn fleet_shards(&self, run: Uuid) -> Result<Vec<ShardKept>, StoreError> {
        self.of_run(run, |view| view.fleet().map_or(Ok(Vec::new()), |fleet| fleet.shards_kept()))
    }

    fn lateness(&self, run: Uuid, after_us: i64) -> Result<Option<Lateness>, StoreError> {
        self.of_run(run, |view| super::read_lateness::lateness(&view, after_us).map(Some))
    }

    fn rejected(&self, limit: usize) -> Result<Vec<RejectedRecord>, StoreError> {
        self.ask(|store| rejected::newest(&store, limit))
    }

    fn gaps(&self, limit: usize) -> Result<Vec<MissingRecords>, StoreError> {
        self.ask(|store| {
            let found = store
                .collection(names::GAPS)
                .find(doc! {})
                .sort(doc! {"partition": 1, "life": 1, "from": 1})
                .run()?;
            found.take(limit).map(|gap| read_gap(&gap?)).collect()
        })
    }

    fn offsets(&self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.ask(|store| Ok(partitions::all(&store)?.into_iter().map(|partition| partition.offset).collect()))
    }

    fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        self.ask(|store| Ok(partitions::all(&store)?.into_iter().map(|partition| partition.lease).collect()))
    }

    fn ingest_status(&self) -> Result<Vec<IngestStatus>, StoreError> {
        self.ask(|store| partitions::all_status(&store))
    }
}
