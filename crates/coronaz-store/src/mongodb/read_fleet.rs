//! Questions about a fleet's people: their numbers are their slots, and where they are and whom they met stands in the
//! frames.

use super::codec::{Fields, count};
use super::frames::{id_of, tick_id};
use super::server::names;
use super::trouble::Trouble;
use super::view::RunView;
use crate::ledger::ShardKept;
use crate::view::{Crowd, Moment, Node, NodeDetail, NodeState};
use crate::{Health, StoreError};
use coronaz_model::identity::person_of;
use coronaz_wire::frame::{self, Frame, Mirror, Population};
use mongodb::bson::doc;
use std::ops::ControlFlow;
use uuid::Uuid;

/// A mirror at most so many ticks behind is rolled on; from further off a keyframe is nearer.
const NEAR_TICKS: u64 = 64;
/// So few ticks are looked up one by one: by their keys any server finds them at once.
const FEW_TICKS: u64 = 2;

/// A run that is a fleet's.
pub(super) struct Fleet<'a> {
    pub(super) view: &'a RunView,
    pub(super) population: Population,
}

impl RunView {
    /// The fleet of a run; `None` for a run of nodes.
    pub(super) fn fleet(&self) -> Option<Fleet<'_>> {
        self.head.fleet.map(|population| Fleet { view: self, population })
    }
}

impl Fleet<'_> {
    /// The UUID of a person.
    pub(super) fn id_of(&self, slot: u32) -> Uuid {
        id_of(&self.population, slot)
    }

    /// The slot of a UUID.
    pub(super) fn slot_of(&self, node: Uuid) -> Result<u32, Trouble> {
        let person = person_of(self.population.base.as_u128(), node.as_u128());
        let slot = person.map(|person| person.0).filter(|&slot| slot < self.population.people);
        slot.ok_or(Trouble::Store(StoreError::NoSuchNode { run: self.population.run, node }))
    }

    /// Hands over the records of a shard from one tick to another, both included; says whether the visitor broke.
    pub(super) fn each_frame(
        &self,
        shard: u32,
        (from, to): (u64, u64),
        visit: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Trouble> {
        let collection = self.view.store.collection(names::FRAMES);
        if to.saturating_sub(from) < FEW_TICKS {
            for tick in from..=to {
                let (mut part, mut parts) = (0, 1);
                while part < parts {
                    let key = format!("{}/{shard}/{tick}/{part}", self.view.run);
                    let Some(found) = self.view.store.one(names::FRAMES, doc! {"_id": key})? else { break };
                    let raw = found.blob("bytes")?;
                    parts = Frame::decode(raw).map_or(1, |frame| frame.header.parts);
                    if visit(raw).is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                    part += 1;
                }
            }
            return Ok(ControlFlow::Continue(()));
        }
        let ticks = doc! {"$gte": count(from), "$lte": count(to.min(i64::MAX as u64))};
        let filter = self.view.filter(doc! {"shard": i64::from(shard), "tick": ticks});
        for found in collection.find(filter).sort(doc! {"tick": 1, "part": 1}).run()? {
            if visit(found?.blob("bytes")?).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Everybody after a tick that is a moment, from `mirror` if that is near, else from keyframes.
    pub(super) fn mirror_at(&self, mirror: Option<Mirror>, tick: u64) -> Result<Option<Mirror>, Trouble> {
        if let Some(mut mirror) = mirror
            && let Some(at) = mirror.whole_at()
            && at <= tick
            && tick - at <= NEAR_TICKS
        {
            if at < tick {
                for shard in 0..self.population.shards() {
                    self.apply(&mut mirror, shard, (at + 1, tick))?;
                }
            }
            if mirror.whole_at() == Some(tick) {
                return Ok(Some(mirror));
            }
        }
        let mut mirror = Mirror::new(self.population.people);
        for shard in 0..self.population.shards() {
            let key = tick_id(self.view.run, tick, shard);
            let Some(known) = self.view.store.one(names::TICKS, doc! {"_id": key})? else { return Ok(None) };
            self.apply(&mut mirror, shard, (known.count("key_tick")?, tick))?;
        }
        Ok((mirror.whole_at() == Some(tick)).then_some(mirror))
    }

    fn apply(&self, mirror: &mut Mirror, shard: u32, ticks: (u64, u64)) -> Result<(), Trouble> {
        // Nobody breaks this off.
        let _ = self.each_frame(shard, ticks, &mut |raw| {
            // What does not fit leaves the shard not whole, which the caller sees.
            if let Ok(frame) = Frame::decode(raw) {
                let _ = mirror.apply(&frame);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// What a mirror that is whole shows.
    pub(super) fn crowd_of(&self, mirror: &Mirror, moment: Moment, latest: u64) -> Crowd {
        let people = self.population.people as usize;
        let mut crowd = Crowd {
            moment,
            latest,
            x: Vec::with_capacity(people),
            y: Vec::with_capacity(people),
            health: Vec::with_capacity(people),
        };
        for shard in (0..self.population.shards()).filter_map(|shard| mirror.shard(shard)) {
            let columns = shard.columns();
            crowd.x.extend_from_slice(&columns.x);
            crowd.y.extend_from_slice(&columns.y);
            crowd.health.extend(columns.health.iter().map(|&code| Some(health(code))));
        }
        crowd
    }

    /// The people of a crowd as nodes, by slot.
    pub(super) fn nodes_of<'a>(&'a self, crowd: &'a Crowd) -> impl Iterator<Item = NodeState> + 'a {
        let places = crowd.x.iter().zip(&crowd.y);
        (0..).zip(places.zip(&crowd.health)).filter_map(|(slot, ((&x, &y), &health))| {
            let time_us = crowd.moment.time_us;
            Some(NodeState { slot, id: self.id_of(slot), x, y, time_us, health: health? })
        })
    }

    /// Names from a slot on.
    pub(super) fn nodes(&self, from_slot: u32, limit: usize) -> Vec<Node> {
        let slots = from_slot..self.population.people;
        slots.take(limit).map(|slot| Node { slot, id: self.id_of(slot) }).collect()
    }

    /// One person; `latest` is everybody at the newest moment.
    pub(super) fn node(&self, id: Uuid, latest: Option<&Crowd>) -> Result<NodeDetail, Trouble> {
        let slot = self.slot_of(id)?;
        let collection = self.view.store.collection(names::STATES);
        let first = collection.find_one(self.view.filter(doc! {}));
        let first = first.sort(doc! {"k": 1}).projection(doc! {"time_us": 1}).run()?;
        let first_us = first.map(|first| first.int("time_us")).transpose()?;
        let at = slot as usize;
        let state = latest.and_then(|crowd| {
            let (x, y, health) = (*crowd.x.get(at)?, *crowd.y.get(at)?, (*crowd.health.get(at)?)?);
            Some(NodeState { slot, id, x, y, time_us: crowd.moment.time_us, health })
        });
        let of = doc! {"infectee": super::codec::uuid(id)};
        let infections = self.view.infections(of, usize::MAX)?;
        let contacts = self.contacts_count(slot)?;
        let node = Node { slot, id };
        Ok(NodeDetail { node, latest: state, first_us, infections, contacts, sessions: Vec::new() })
    }

    /// How far each shard is in; those of which nothing is there are missing.
    pub(super) fn shards_kept(&self) -> Result<Vec<ShardKept>, Trouble> {
        let mut kept = Vec::new();
        for shard in 0..self.population.shards() {
            let end = |order: i32| -> Result<Option<u64>, Trouble> {
                let filter = self.view.filter(doc! {"shard": i64::from(shard)});
                let collection = self.view.store.collection(names::FRAMES);
                let frame = collection.find_one(filter).sort(doc! {"tick": order});
                frame.projection(doc! {"tick": 1}).run()?.map(|frame| frame.count("tick")).transpose()
            };
            if let (Some(first), Some(last)) = (end(1)?, end(-1)?) {
                let filter = self.view.filter(doc! {"shard": i64::from(shard), "part": 0});
                let ticks = self.view.store.collection(names::FRAMES).count_documents(filter).run()?;
                kept.push(ShardKept { shard, first, last, ticks });
            }
        }
        Ok(kept)
    }
}

/// The three facts of a report behind a frame's code.
fn health(code: u8) -> Health {
    let health = frame::Health::of_code(code).unwrap_or_default();
    Health {
        infected: health.is_infectious(),
        immune: health == frame::Health::Immune,
        alive: health.is_alive(),
    }
}
