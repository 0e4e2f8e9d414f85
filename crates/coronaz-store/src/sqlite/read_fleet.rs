//! Questions about a fleet's people: their numbers are their slots, and where they are stands in the frames.

use super::fleet_rows::each_frame;
use super::pool::{Failure, Pool, run_id};
use super::run_row;
use crate::view::{Crowd, Infection, Moment, Node, NodeDetail, NodeState};
use crate::{Health, StoreError};
use coronaz_model::identity::{identity_of, person_of};
use coronaz_wire::frame::{self, Frame, Mirror, Population};
use rusqlite::{OptionalExtension, Transaction, params};
use std::ops::ControlFlow;
use uuid::Uuid;

/// A mirror at most so many ticks behind is rolled on; from further off a keyframe is nearer.
const NEAR_TICKS: u64 = 64;

/// A run that is a fleet's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fleet {
    /// `run.id`.
    pub(super) run: i64,
    pub(super) population: Population,
}

/// The fleet of a run; `None` for a run of nodes.
pub(super) fn fleet(transaction: &Transaction<'_>, run: Uuid) -> Result<Option<Fleet>, Failure> {
    let id = run_id(transaction, run)?;
    let population = run_row::population(transaction, id, run)?;
    Ok(population.map(|population| Fleet { run: id, population }))
}

impl Fleet {
    /// The UUID of a person.
    pub(super) fn id_of(&self, slot: u32) -> Uuid {
        Uuid::from_u128(identity_of(self.population.base.as_u128(), coronaz_model::PersonId(slot)))
    }

    /// The slot of a UUID.
    pub(super) fn slot_of(&self, node: Uuid) -> Result<u32, Failure> {
        let person = person_of(self.population.base.as_u128(), node.as_u128());
        let slot = person.map(|person| person.0).filter(|&slot| slot < self.population.people);
        slot.ok_or(Failure::Store(StoreError::NoSuchNode { run: self.population.run, node }))
    }

    /// Everybody after a tick that is a moment, from `mirror` if that is near, else from keyframes.
    pub(super) fn mirror_at(
        &self,
        transaction: &Transaction<'_>,
        mirror: Option<Mirror>,
        tick: u64,
    ) -> Result<Option<Mirror>, Failure> {
        if let Some(mut mirror) = mirror
            && let Some(at) = mirror.whole_at()
            && at <= tick
            && tick - at <= NEAR_TICKS
        {
            if at < tick {
                for shard in 0..self.population.shards() {
                    self.apply(transaction, &mut mirror, shard, at + 1, tick)?;
                }
            }
            if mirror.whole_at() == Some(tick) {
                return Ok(Some(mirror));
            }
        }
        let mut mirror = Mirror::new(self.population.people);
        for shard in 0..self.population.shards() {
            let key_tick = transaction
                .prepare_cached("select key_tick from fleet_tick where run = ? and tick = ? and shard = ?")?
                .query_row(params![self.run, tick.cast_signed(), shard], |row| row.get::<_, i64>(0))
                .optional()?;
            let Some(key_tick) = key_tick else { return Ok(None) };
            self.apply(transaction, &mut mirror, shard, key_tick.cast_unsigned(), tick)?;
        }
        Ok((mirror.whole_at() == Some(tick)).then_some(mirror))
    }

    fn apply(
        &self,
        transaction: &Transaction<'_>,
        mirror: &mut Mirror,
        shard: u32,
        from: u64,
        to: u64,
    ) -> Result<(), Failure> {
        each_frame(transaction, self.run, shard, (from.cast_signed(), to.cast_signed()), |bytes| {
            // What does not fit leaves the shard not whole, which the caller sees.
            if let Ok(frame) = Frame::decode(bytes) {
                let _ = mirror.apply(&frame);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// Everybody at a moment.
    pub(super) fn crowd(
        &self,
        pool: &Pool,
        transaction: &Transaction<'_>,
        (moment, latest): (Moment, u64),
    ) -> Result<Option<Crowd>, Failure> {
        let near = pool.take_mirror(self.run, moment.k);
        let Some(mirror) = self.mirror_at(transaction, near, moment.k)? else { return Ok(None) };
        let crowd = self.crowd_of(&mirror, moment, latest);
        pool.keep_mirror(self.run, mirror);
        Ok(Some(crowd))
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
    pub(super) fn node(
        &self,
        transaction: &Transaction<'_>,
        id: Uuid,
        latest: Option<&Crowd>,
        contacts: u64,
    ) -> Result<NodeDetail, Failure> {
        let slot = self.slot_of(id)?;
        let first_us = transaction
            .prepare_cached("select time_us from state where run = ? order by k limit 1")?
            .query_row([self.run], |row| row.get(0))
            .optional()?;
        let at = slot as usize;
        let state = latest.and_then(|crowd| {
            let (x, y, health) = (*crowd.x.get(at)?, *crowd.y.get(at)?, (*crowd.health.get(at)?)?);
            Some(NodeState { slot, id, x, y, time_us: crowd.moment.time_us, health })
        });
        let infections = self.infections(transaction, (i64::MIN, i64::MAX), Some(slot))?;
        let node = Node { slot, id };
        Ok(NodeDetail { node, latest: state, first_us, infections, contacts, sessions: Vec::new() })
    }

    /// Whom a person infected, from a time on, at most so many.
    pub(super) fn infections_by(
        &self,
        transaction: &Transaction<'_>,
        infector: Uuid,
        (from_us, limit): (i64, i64),
    ) -> Result<Vec<Infection>, Failure> {
        let slot = self.slot_of(infector)?;
        let infections = transaction
            .prepare_cached(
                "select time_us, infectee, infector, x, y from infection
                 where run = ? and infector = ? and time_us >= ? order by time_us, infectee limit ?",
            )?
            .query_map(params![self.run, slot, from_us, limit], |row| self.infection_from(row))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(infections)
    }

    fn infection_from(&self, row: &rusqlite::Row<'_>) -> rusqlite::Result<Infection> {
        Ok(Infection {
            time_us: row.get(0)?,
            infectee: self.id_of(row.get(1)?),
            infector: row.get::<_, Option<u32>>(2)?.map(|slot| self.id_of(slot)),
            x: row.get(3)?,
            y: row.get(4)?,
        })
    }

    /// Infections from a time on, at most so many; of one person or of all.
    pub(super) fn infections(
        &self,
        transaction: &Transaction<'_>,
        (from_us, limit): (i64, i64),
        of: Option<u32>,
    ) -> Result<Vec<Infection>, Failure> {
        let sql = match of {
            Some(_) => {
                "select time_us, infectee, infector, x, y from infection
                 where run = ?1 and time_us >= ?2 and infectee = ?4 order by time_us limit ?3"
            }
            None => {
                "select time_us, infectee, infector, x, y from infection
                 where run = ?1 and time_us >= ?2 and ?4 is null order by time_us, infectee limit ?3"
            }
        };
        let infections = transaction
            .prepare_cached(sql)?
            .query_map(params![self.run, from_us, limit, of], |row| self.infection_from(row))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(infections)
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
