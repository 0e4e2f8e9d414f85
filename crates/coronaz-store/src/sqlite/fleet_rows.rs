//! A fleet's frames: kept as they came, followed in memory, and counted into moments.
//!
//! A shard's records come in order in one partition, so the partition's owner alone follows the shard. What the mirror
//! knows is what the stored records say: it is read from them again after a restart.

use super::run_row::RunRow;
use crate::{Figures, validity};
use coronaz_wire::frame::{Applied, Frame, Kind, Mirror, Stamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

/// People followed in memory by a writer, of all runs: 12 bytes each. Beyond that mirrors are made anew from the file.
const PEOPLE_FOLLOWED: usize = 20_000_000;

/// Shards that this writer follows, by run and shard.
#[derive(Default)]
pub(super) struct Mirrors(HashMap<(i64, u32), ShardFollowed>);

/// What a mirror keeps of a person.
const PERSON_BYTES: usize = 12;

pub(super) struct ShardFollowed {
    mirror: Mirror,
    key_tick: u64,
    people: usize,
    /// Partition and epoch under which it was read: another owner may have written under any other.
    owned: (i32, i64),
}

impl Mirrors {
    /// Bytes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.0.values().map(|known| known.people * PERSON_BYTES).sum()
    }

    /// Forgets a run.
    pub(super) fn forget(&mut self, run: i64) {
        self.0.retain(|&(of, _), _| of != run);
    }

    /// The shard of a frame as the stored records tell.
    pub(super) fn of(
        &mut self,
        transaction: &Transaction<'_>,
        run: i64,
        frame: &Frame<'_>,
        owned: (i32, i64),
    ) -> rusqlite::Result<&mut ShardFollowed> {
        let Stamp { population, shard, .. } = frame.header.stamp;
        let place = (run, shard);
        if self.0.get(&place).is_none_or(|known| known.owned != owned) {
            let people = population.people_of(shard) as usize;
            self.0.remove(&place);
            if self.0.values().map(|known| known.people).sum::<usize>() + people > PEOPLE_FOLLOWED {
                self.0.clear();
            }
            let mut known =
                ShardFollowed { mirror: Mirror::new(population.people), key_tick: 0, people, owned };
            if let Some(key_tick) = last_key(transaction, run, shard, i64::MAX)? {
                each_frame(transaction, run, shard, (key_tick, i64::MAX), |bytes| {
                    if let Ok(frame) = Frame::decode(bytes) {
                        known.follow(&frame);
                    }
                    ControlFlow::Continue(())
                })?;
            }
            self.0.insert(place, known);
        }
        let Some(known) = self.0.get_mut(&place) else { unreachable!("it was put in above") };
        Ok(known)
    }
}

impl ShardFollowed {
    /// Applies a frame; the tick at which the shard is whole by it.
    fn follow(&mut self, frame: &Frame<'_>) -> Option<u64> {
        let header = &frame.header;
        // What contradicts itself leaves the shard waiting for a keyframe, as a gap does.
        let applied = self.mirror.apply(frame).unwrap_or(Applied::Gap);
        if header.kind == Kind::Key
            && header.part == 0
            && matches!(applied, Applied::Whole(_) | Applied::Part)
        {
            self.key_tick = header.stamp.tick;
        }
        match applied {
            Applied::Whole(tick) => Some(tick),
            Applied::Part | Applied::Repeat | Applied::Gap => None,
        }
    }
}

/// The newest keyframe of a shard that is not after a tick.
pub(super) fn last_key(
    connection: &Connection,
    run: i64,
    shard: u32,
    tick: i64,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "select max(tick) from fleet_frame where run = ? and shard = ? and tick <= ? and kind = 0 and part = 0",
        )?
        .query_row(params![run, shard, tick], |row| row.get(0))
}

/// Hands over the records of a shard from one tick to another, both included.
pub(super) fn each_frame(
    connection: &Connection,
    run: i64,
    shard: u32,
    (from, to): (i64, i64),
    mut visit: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "select bytes from fleet_frame where run = ? and shard = ? and tick between ? and ? order by tick, part",
    )?;
    let mut rows = statement.query(params![run, shard, from, to])?;
    while let Some(row) = rows.next()? {
        if visit(row.get_ref(0)?.as_blob()?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Whether a frame is of this run; the first one says which people it has.
pub(super) fn admit(
    transaction: &Transaction<'_>,
    row: &mut RunRow,
    frame: &Frame<'_>,
) -> rusqlite::Result<Result<(), &'static str>> {
    let Stamp { population, .. } = frame.header.stamp;
    if let Err(reason) = validity::check_frame(&frame.header.stamp, row.states) {
        return Ok(Err(reason));
    }
    match row.fleet {
        Some(known) if known == population => return Ok(Ok(())),
        Some(_) => return Ok(Err("a frame of another population than the run's")),
        None => {}
    }
    if row.nodes > 0 || row.reports > 0 {
        return Ok(Err("a frame of a run that has nodes of its own"));
    }
    transaction
        .prepare_cached("insert into fleet (run, base, people, shard_people) values (?, ?, ?, ?)")?
        .execute(params![row.id, population.base.as_bytes(), population.people, population.shard_people])?;
    transaction.prepare_cached("update run set kind = 'fleet' where id = ?")?.execute([row.id])?;
    row.fleet = Some(population);
    row.nodes = population.people;
    Ok(Ok(()))
}

/// What became of a frame.
pub(super) struct Taken {
    /// It was not in before.
    pub(super) new: bool,
    /// The tick at which its shard is whole by it.
    pub(super) whole: Option<u64>,
}

/// Stores a frame, if it is new, with the infections of a tick that is whole by it.
pub(super) fn take(
    transaction: &Transaction<'_>,
    row: &mut RunRow,
    shard: &mut ShardFollowed,
    frame: &Frame<'_>,
    bytes: &[u8],
) -> rusqlite::Result<Taken> {
    let header = &frame.header;
    let stamp = &header.stamp;
    let new = transaction
        .prepare_cached(
            "insert or ignore into fleet_frame (run, shard, tick, part, kind, bytes) values (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            row.id,
            stamp.shard,
            stamp.tick.cast_signed(),
            header.part,
            header.kind as u8,
            bytes
        ])?
        > 0;
    if !new {
        return Ok(Taken { new, whole: None });
    }
    row.started_us.get_or_insert(stamp.time_us);
    let whole = shard.follow(frame);
    if whole.is_some() {
        insert_tick(transaction, row.id, shard.key_tick, stamp)?;
        if header.parts == 1 {
            insert_infections(transaction, row.id, shard, frame)?;
        } else {
            let tick = stamp.tick.cast_signed();
            let mut failed = Ok(());
            each_frame(transaction, row.id, stamp.shard, (tick, tick), |bytes| {
                if let (Ok(()), Ok(part)) = (&failed, Frame::decode(bytes)) {
                    failed = insert_infections(transaction, row.id, shard, &part);
                }
                ControlFlow::Continue(())
            })?;
            failed?;
        }
    }
    Ok(Taken { new, whole })
}

fn insert_tick(
    transaction: &Transaction<'_>,
    run: i64,
    key_tick: u64,
    stamp: &Stamp,
) -> rusqlite::Result<usize> {
    let figures = &stamp.census.figures;
    transaction
        .prepare_cached(
            "insert or replace into fleet_tick (run, tick, shard, key_tick, time_us, total, zombies, deaths, dead_zombies,
                                                immune, contacts, infections)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            run,
            stamp.tick.cast_signed(),
            stamp.shard,
            key_tick.cast_signed(),
            stamp.time_us,
            figures.total,
            figures.zombies,
            figures.deaths,
            figures.dead_zombies,
            figures.immune,
            // Nobody counts so far; a liar's figures must not make a sum overflow.
            stamp.census.contacts.min(COUNT_MAX).cast_signed(),
            stamp.census.infections.min(COUNT_MAX).cast_signed(),
        ])
}

/// The largest count of contacts or infections kept of a shard.
const COUNT_MAX: u64 = 1 << 48;

/// Infections of a tick at which the shard is whole: now it is known where they happened.
fn insert_infections(
    transaction: &Transaction<'_>,
    run: i64,
    shard: &ShardFollowed,
    frame: &Frame<'_>,
) -> rusqlite::Result<()> {
    let stamp = &frame.header.stamp;
    let Some(people) = shard.mirror.shard(stamp.shard) else { return Ok(()) };
    let (first, columns) = (stamp.population.first_of(stamp.shard), people.columns());
    for infection in frame.infections() {
        let at = (infection.infectee - first) as usize;
        transaction
            .prepare_cached(
                "insert or ignore into infection (run, time_us, infectee, infector, x, y) values (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                run,
                stamp.time_us,
                infection.infectee,
                infection.infector,
                columns.x[at],
                columns.y[at]
            ])?;
    }
    Ok(())
}

/// Makes moments of the ticks at which all shards are whole by now; says how many.
pub(super) fn draw_moments(
    transaction: &Transaction<'_>,
    row: &mut RunRow,
    ticks: &BTreeSet<u64>,
    now_us: i64,
) -> rusqlite::Result<u64> {
    let Some(population) = row.fleet else { return Ok(0) };
    let mut drawn = 0;
    for &tick in ticks {
        let all = transaction
            .prepare_cached(
                "select max(time_us), sum(total), sum(zombies), sum(deaths), sum(dead_zombies), sum(immune),
                        sum(contacts), sum(infections)
                 from fleet_tick where run = ? and tick = ? having count(*) = ?",
            )?
            .query_row(params![row.id, tick.cast_signed(), population.shards()], |sums| {
                let sum = |at| sums.get::<_, i64>(at);
                let people = |at| sum(at).map(|sum| u32::try_from(sum).unwrap_or(u32::MAX));
                let figures = Figures {
                    total: people(1)?,
                    zombies: people(2)?,
                    deaths: people(3)?,
                    dead_zombies: people(4)?,
                    immune: people(5)?,
                };
                Ok((sum(0)?, figures, sum(6)?, sum(7)?))
            })
            .optional()?;
        let Some((time_us, figures, contacts, infections)) = all else { continue };
        let Figures { total, zombies, deaths, dead_zombies, immune } = figures;
        drawn += transaction
            .prepare_cached(
                "insert or ignore into state (run, k, reports, time_us, total, zombies, deaths, dead_zombies, immune,
                                              contacts, infections, arrived_us)
                 values (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                row.id,
                tick.cast_signed(),
                time_us,
                total,
                zombies,
                deaths,
                dead_zombies,
                immune,
                contacts,
                infections,
                now_us
            ])? as u64;
        if tick >= row.states {
            row.states = tick + 1;
            row.figures = figures;
            row.last_us = Some(time_us);
            (row.contacts, row.infections) = (contacts.cast_unsigned(), infections.cast_unsigned());
        }
    }
    Ok(drawn)
}
