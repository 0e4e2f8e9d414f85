//! A fleet's frames: kept as they came, followed in memory, and counted into moments.
//!
//! Frames are written before their commit: their key says all, and one that no commit tells of yet is known by its
//! place on the topic, which is not below what the head says is in. A shard's records come in order in one partition, so
//! its owner alone follows it.

use super::cache::CachedRun;
use super::codec::{Fields, bytes, count, uuid};
use super::head::{Head, Place, put_figures, read_figures};
use super::redo::{Redo, insert_all};
use super::reports::{infection, state};
use super::server::{Store, names};
use super::trouble::Trouble;
use crate::view::Moment;
use crate::{Figures, FrameRecord, validity};
use coronaz_model::PersonId;
use coronaz_model::identity::identity_of;
use coronaz_wire::frame::{Applied, Frame, Kind, Mirror, Population, Stamp};
use mongodb::bson::{Document, doc};
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// The largest count of contacts or infections kept of a shard: a liar's figures must not make a sum overflow.
const COUNT_MAX: u64 = 1 << 48;
/// Ticks whose shards a writer remembers; for older ones it asks.
const TICKS_KEPT: u64 = 512;

/// A shard as this writer follows it.
pub(super) struct ShardFollowed {
    mirror: Mirror,
    key_tick: u64,
    /// Partition and epoch under which it was read: another owner may have written under any other.
    owned: (i32, i64),
}

/// A shard that is whole at a tick.
#[derive(Debug, Clone)]
pub(super) struct ShardTick {
    pub(super) tick: u64,
    pub(super) shard: u32,
    key_tick: u64,
    time_us: i64,
    figures: Figures,
    contacts: u64,
    infections: u64,
}

/// An infection, and where the shard shows the infectee.
struct Infected {
    time_us: i64,
    infectee: u32,
    infector: Option<u32>,
    place: (i32, i32),
}

/// What frames say that depends on their shards alone: it holds whichever commit comes first.
#[derive(Default)]
pub(super) struct FrameFacts {
    pub(super) new: u64,
    ticks: Vec<ShardTick>,
    infections: Vec<Infected>,
}

/// Whether a frame is of this run; the first one says which people it has.
pub(super) fn admit(head: &mut Head, frame: &Frame<'_>) -> Result<(), &'static str> {
    let Stamp { population, .. } = frame.header.stamp;
    validity::check_frame(&frame.header.stamp, head.states)?;
    match head.fleet {
        Some(known) if known == population => return Ok(()),
        Some(_) => return Err("a frame of another population than the run's"),
        None => {}
    }
    if head.nodes > 0 || head.reports > 0 {
        return Err("a frame of a run that has nodes of its own");
    }
    head.fleet = Some(population);
    head.nodes = population.people;
    Ok(())
}

fn frame_id(run: Uuid, stamp: &Stamp, part: u16) -> String {
    format!("{run}/{}/{}/{part}", stamp.shard, stamp.tick)
}

/// Writes frames, and follows those that are new.
pub(super) fn take(
    store: &Store,
    (run, known): (Uuid, &mut CachedRun),
    (owned, life): ((i32, i64), u32),
    records: &[&FrameRecord],
) -> Result<FrameFacts, Trouble> {
    let mut facts = FrameFacts::default();
    let frames: Vec<(i64, Frame<'_>, &[u8])> = records
        .iter()
        .filter_map(|record| Some((record.offset(), Frame::decode(record.bytes()).ok()?, record.bytes())))
        .collect();
    let documents: Vec<Document> = frames
        .iter()
        .map(|(offset, frame, raw)| {
            let stamp = &frame.header.stamp;
            let mut document = doc! {
                "_id": frame_id(run, stamp, frame.header.part), "run": uuid(run), "shard": i64::from(stamp.shard),
                "tick": count(stamp.tick), "part": i64::from(frame.header.part),
                "kind": i64::from(frame.header.kind as u8), "partition": owned.0, "offset": *offset,
                "bytes": bytes(raw.to_vec()),
            };
            if life > 0 {
                document.insert("life", i64::from(life));
            }
            document
        })
        .collect();
    let mut repeated = HashSet::new();
    for at in insert_all(store, names::FRAMES, &documents)? {
        let collection = store.collection(names::FRAMES);
        let stored = collection.find_one(doc! {"_id": documents[at].get("_id").cloned()});
        let Some(stored) = stored.projection(doc! {"partition": 1, "life": 1, "offset": 1}).run()? else {
            continue;
        };
        // Ours from a commit that did not happen is new; any other came before.
        let place = Place { life, offset: frames[at].0 };
        if (stored.place("partition")?, Place::of(&stored)?) != (owned.0, place) {
            repeated.insert(at);
        }
    }
    for (at, (_, frame, _)) in frames.iter().enumerate() {
        if repeated.contains(&at) {
            continue;
        }
        facts.new += 1;
        let stamp = &frame.header.stamp;
        let shard = follow(store, (run, known), owned, stamp)?;
        if shard.follow(frame).is_none() {
            continue;
        }
        facts.ticks.push(shard_tick(shard.key_tick, stamp));
        if frame.header.parts == 1 {
            infections(shard, frame, &mut facts.infections);
        } else {
            let filter = doc! {"run": uuid(run), "shard": i64::from(stamp.shard), "tick": count(stamp.tick)};
            for part in store.collection(names::FRAMES).find(filter).sort(doc! {"part": 1}).run()? {
                if let Ok(part) = Frame::decode(part?.blob("bytes")?) {
                    infections(shard, &part, &mut facts.infections);
                }
            }
        }
    }
    Ok(facts)
}

/// The shard of a frame as the records that are in tell.
fn follow<'a>(
    store: &Store,
    (run, known): (Uuid, &'a mut CachedRun),
    owned: (i32, i64),
    stamp: &Stamp,
) -> Result<&'a mut ShardFollowed, Trouble> {
    let shard = stamp.shard;
    if known.shards.get(&shard).is_none_or(|followed| followed.owned != owned) {
        let mirror = Mirror::new(stamp.population.people);
        let mut followed = ShardFollowed { mirror, key_tick: 0, owned };
        if let Some(key_tick) = last_key(store, run, &known.head, shard)? {
            each_in(store, run, &known.head, shard, key_tick, |frame| {
                followed.follow(frame);
            })?;
        }
        known.shards.insert(shard, followed);
    }
    known.shards.get_mut(&shard).ok_or(Trouble::Damaged("shard"))
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

/// Whether the head says that the record of a document is in.
fn is_in(head: &Head, document: &Document) -> Result<bool, Trouble> {
    Ok(Place::of(document)? < head.next(document.place("partition")?))
}

/// The newest keyframe of a shard that is in.
fn last_key(store: &Store, run: Uuid, head: &Head, shard: u32) -> Result<Option<u64>, Trouble> {
    let filter = doc! {"run": uuid(run), "shard": i64::from(shard), "kind": 0_i64, "part": 0_i64};
    let collection = store.collection(names::FRAMES);
    let keys = collection.find(filter).sort(doc! {"tick": -1}).batch_size(8);
    for key in keys.projection(doc! {"tick": 1, "partition": 1, "life": 1, "offset": 1}).run()? {
        let key = key?;
        if is_in(head, &key)? {
            return key.count("tick").map(Some);
        }
    }
    Ok(None)
}

fn each_in(
    store: &Store,
    run: Uuid,
    head: &Head,
    shard: u32,
    from: u64,
    mut visit: impl FnMut(&Frame<'_>),
) -> Result<(), Trouble> {
    let filter = doc! {"run": uuid(run), "shard": i64::from(shard), "tick": {"$gte": count(from)}};
    for document in store.collection(names::FRAMES).find(filter).sort(doc! {"tick": 1, "part": 1}).run()? {
        let document = document?;
        if is_in(head, &document)?
            && let Ok(frame) = Frame::decode(document.blob("bytes")?)
        {
            visit(&frame);
        }
    }
    Ok(())
}

fn shard_tick(key_tick: u64, stamp: &Stamp) -> ShardTick {
    let figures = &stamp.census.figures;
    ShardTick {
        tick: stamp.tick,
        shard: stamp.shard,
        key_tick,
        time_us: stamp.time_us,
        figures: Figures {
            total: figures.total,
            zombies: figures.zombies,
            deaths: figures.deaths,
            dead_zombies: figures.dead_zombies,
            immune: figures.immune,
        },
        contacts: stamp.census.contacts.min(COUNT_MAX),
        infections: stamp.census.infections.min(COUNT_MAX),
    }
}

/// Infections of a tick at which the shard is whole: now it is known where they happened.
fn infections(shard: &ShardFollowed, frame: &Frame<'_>, into: &mut Vec<Infected>) {
    let stamp = &frame.header.stamp;
    let Some(people) = shard.mirror.shard(stamp.shard) else { return };
    let (first, columns) = (stamp.population.first_of(stamp.shard), people.columns());
    into.extend(frame.infections().filter_map(|infection| {
        let at = infection.infectee.checked_sub(first)? as usize;
        let place = (*columns.x.get(at)?, *columns.y.get(at)?);
        let (infectee, infector) = (infection.infectee, infection.infector);
        Some(Infected { time_us: stamp.time_us, infectee, infector, place })
    }));
}

/// The UUID of a fleet's person.
pub(super) fn id_of(population: &Population, slot: u32) -> Uuid {
    Uuid::from_u128(identity_of(population.base.as_u128(), PersonId(slot)))
}

/// Puts what frames say into a commit; says how many moments there are by it.
pub(super) fn write(
    store: &Store,
    (run, known): (Uuid, &mut CachedRun),
    head: &mut Head,
    facts: &FrameFacts,
    redo: &mut Redo,
    now_us: i64,
) -> Result<u64, Trouble> {
    let Some(population) = head.fleet else { return Ok(0) };
    for infected in &facts.infections {
        let Infected { time_us, infectee, infector, place } = *infected;
        let who = (infectee, id_of(&population, infectee));
        let infector = infector.map(|slot| id_of(&population, slot));
        redo.insert(names::INFECTIONS, infection((run, head.n), time_us, who, infector, place));
    }
    for tick in &facts.ticks {
        redo.insert(names::TICKS, tick_document((run, head.n), tick));
        head.started_us =
            Some(head.started_us.map_or(tick.time_us, |started_us| started_us.min(tick.time_us)));
    }
    let mut drawn = 0;
    for (tick, shards) in shards_by_tick(store, (run, known), head, &facts.ticks)? {
        if shards.len() != population.shards() as usize {
            continue;
        }
        let moment = sum(tick, shards.values());
        redo.insert(names::STATES, state((run, head.n), &moment, 0, now_us));
        drawn += 1;
        if tick >= head.states {
            head.states = tick + 1;
            head.figures = moment.figures;
            head.last_us = Some(moment.time_us);
            (head.contacts, head.infections) = (moment.contacts, moment.infections);
        }
    }
    Ok(drawn)
}

fn sum<'a>(k: u64, shards: impl Iterator<Item = &'a ShardTick>) -> Moment {
    let mut moment = Moment { k, time_us: i64::MIN, figures: Figures::default(), contacts: 0, infections: 0 };
    for shard in shards {
        let (sum, more) = (&mut moment.figures, &shard.figures);
        sum.total = sum.total.saturating_add(more.total);
        sum.zombies = sum.zombies.saturating_add(more.zombies);
        sum.deaths = sum.deaths.saturating_add(more.deaths);
        sum.dead_zombies = sum.dead_zombies.saturating_add(more.dead_zombies);
        sum.immune = sum.immune.saturating_add(more.immune);
        moment.time_us = moment.time_us.max(shard.time_us);
        moment.contacts = moment.contacts.saturating_add(shard.contacts);
        moment.infections = moment.infections.saturating_add(shard.infections);
    }
    moment
}

/// The shards that are whole at these ticks, those of other partitions too.
fn shards_by_tick(
    store: &Store,
    (run, known): (Uuid, &mut CachedRun),
    head: &Head,
    new: &[ShardTick],
) -> Result<BTreeMap<u64, HashMap<u32, ShardTick>>, Trouble> {
    let mut ticks: BTreeMap<u64, HashMap<u32, ShardTick>> = BTreeMap::new();
    for tick in new {
        ticks.entry(tick.tick).or_default().insert(tick.shard, tick.clone());
    }
    let Some((&first, _)) = ticks.first_key_value() else { return Ok(ticks) };
    if known.ticks_from.is_none_or(|from| from > first) {
        // All from there on are in memory afterwards.
        let from = first.min(head.states.saturating_sub(TICKS_KEPT));
        known.ticks.clear();
        let filter = doc! {"run": uuid(run), "tick": {"$gte": count(from)}};
        for document in store.collection(names::TICKS).find(filter).run()? {
            let tick = read_tick(&document?)?;
            known.ticks.entry(tick.tick).or_default().insert(tick.shard, tick);
        }
        known.ticks_from = Some(from);
    }
    for (tick, shards) in &mut ticks {
        for (shard, there) in known.ticks.get(tick).into_iter().flatten() {
            shards.entry(*shard).or_insert_with(|| there.clone());
        }
    }
    Ok(ticks)
}

/// Remembers what a commit that happened says.
pub(super) fn remember(known: &mut CachedRun, facts: &FrameFacts) {
    let Some(from) = known.ticks_from else { return };
    for tick in &facts.ticks {
        known.ticks.entry(tick.tick).or_default().insert(tick.shard, tick.clone());
    }
    let keep_from = known.head.states.saturating_sub(TICKS_KEPT);
    if keep_from > from + TICKS_KEPT {
        known.ticks = known.ticks.split_off(&keep_from);
        known.ticks_from = Some(keep_from);
    }
}

fn tick_document((run, n): (Uuid, i64), tick: &ShardTick) -> Document {
    let mut document = doc! {
        "_id": tick_id(run, tick.tick, tick.shard), "run": uuid(run), "tick": count(tick.tick),
        "shard": i64::from(tick.shard), "key_tick": count(tick.key_tick), "time_us": tick.time_us,
        "contacts": count(tick.contacts), "infections": count(tick.infections), "n": n,
    };
    put_figures(&mut document, &tick.figures);
    document
}

/// The key of a shard's document of a tick.
pub(super) fn tick_id(run: Uuid, tick: u64, shard: u32) -> String {
    format!("{run}/{tick}/{shard}")
}

fn read_tick(document: &Document) -> Result<ShardTick, Trouble> {
    Ok(ShardTick {
        tick: document.count("tick")?,
        shard: document.small("shard")?,
        key_tick: document.count("key_tick")?,
        time_us: document.int("time_us")?,
        figures: read_figures(document)?,
        contacts: document.count("contacts")?,
        infections: document.count("infections")?,
    })
}
