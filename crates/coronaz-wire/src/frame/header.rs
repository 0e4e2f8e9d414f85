//! What a record says of itself, in its first [`HEADER_BYTES`] bytes.

use uuid::Uuid;

use super::{
    BLOCK_PEOPLE, BLOCKS, FRAME_BYTES_MAX, Health, MAGIC, PARTS_MAX, PEOPLE_MAX, SHARD_PEOPLE_MAX,
    SHARD_PEOPLE_MIN, VERSION, decode::FrameError, health, step,
};
use crate::{json::TICK_MAX, page_frame::Figures, timestamp};

/// Bytes before the body.
pub const HEADER_BYTES: usize = 216;
/// How many lists follow the columns: turns, changes, contacts, one-way contacts, infections.
pub(super) const LISTS: usize = 5;
pub(super) const TURNS: usize = 0;
pub(super) const CHANGES: usize = 1;
pub(super) const CONTACTS: usize = 2;
pub(super) const ONE_WAY: usize = 3;
pub(super) const INFECTIONS: usize = 4;
pub(super) const CHECKSUM_AT: usize = 8;
pub(super) const PARTS_AT: usize = 86;
const COUNTS_AT: usize = 136;
const FLAG_WIDE_PLACES: u16 = 1;
const FLAG_WIDE_DISTANCES: u16 = 2;

/// What a record says about movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A keyframe: place, health and last two steps of everybody.
    Key = 0,
    /// A delta: who does not make the step of two ticks before.
    Turns = 1,
    /// A delta for a tick in which many turn: everybody's step.
    Steps = 2,
}

/// The people of a run, and how they are cut into shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    /// The run.
    pub run: Uuid,
    /// The UUID of person 0's device; those of the others count up from it (version 1, by timestamp).
    pub base: Uuid,
    /// How many people there are.
    pub people: u32,
    /// How many people a shard has; the last one has the rest.
    pub shard_people: u32,
}

impl Population {
    /// How many shards there are.
    #[must_use]
    pub const fn shards(&self) -> u32 {
        self.people.div_ceil(self.shard_people)
    }

    /// The number of a shard's first person.
    #[must_use]
    pub const fn first_of(&self, shard: u32) -> u32 {
        shard * self.shard_people
    }

    /// How many people a shard has.
    #[must_use]
    pub fn people_of(&self, shard: u32) -> u32 {
        self.people.saturating_sub(self.first_of(shard)).min(self.shard_people)
    }

    /// Whether sizes are within the limits.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let smallest = SHARD_PEOPLE_MIN.min(self.people);
        (1..=PEOPLE_MAX).contains(&self.people) && (smallest..=SHARD_PEOPLE_MAX).contains(&self.shard_people)
    }
}

/// How many people of a shard have each health, and what happened to them so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// The page's figures.
    pub figures: Figures,
    /// Contacts that the shard's people recorded since the run began (each direction counts).
    pub contacts: u64,
    /// Infections of the shard's people since the run began.
    pub infections: u64,
}

impl Census {
    /// Counts `people` more (or, below 0, fewer) with this health.
    pub(super) fn count(&mut self, health: Health, people: i32) {
        let figures = &mut self.figures;
        let mut add = |figure: fn(&mut Figures) -> &mut u32| {
            let figure = figure(figures);
            *figure = figure.saturating_add_signed(people);
        };
        add(|figures| &mut figures.total);
        match health {
            Health::Susceptible | Health::Latent => {}
            Health::Infectious => add(|figures| &mut figures.zombies),
            Health::Immune => add(|figures| &mut figures.immune),
            Health::Deceased => add(|figures| &mut figures.deaths),
            Health::DeceasedInfectious => {
                add(|figures| &mut figures.deaths);
                add(|figures| &mut figures.dead_zombies);
            }
        }
    }
}

/// What all records of a shard's tick have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Whose they are.
    pub population: Population,
    /// Which shard.
    pub shard: u32,
    /// The tick.
    pub tick: u64,
    /// Its time, microseconds since 1970.
    pub time_us: i64,
    /// The shard's figures after this tick.
    pub census: Census,
}

/// The header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whose tick it is.
    pub stamp: Stamp,
    /// What it says about movement.
    pub kind: Kind,
    /// Counts the shard's records, from 0 when its sender started: what is missing shows.
    pub seq: u64,
    /// Which part of the shard's tick, from 0.
    pub part: u16,
    /// How many parts the tick has.
    pub parts: u16,
    /// The first person in the columns of a keyframe or of steps, from the shard's first.
    pub first: u32,
    /// How many people are in the columns.
    pub count: u32,
    pub(super) wide_places: bool,
    pub(super) wide_distances: bool,
    /// Entries of each list in each block of people.
    pub(super) counts: [[u32; BLOCKS]; LISTS],
}

impl Header {
    /// Entries of a list.
    pub(super) fn entries(&self, list: usize) -> usize {
        self.counts[list].iter().map(|&count| count as usize).sum()
    }

    /// How many people of the shard are in a block.
    pub(super) fn block_people(&self, block: usize) -> u32 {
        let people = self.stamp.population.people_of(self.stamp.shard);
        people.saturating_sub(block as u32 * BLOCK_PEOPLE).min(BLOCK_PEOPLE)
    }

    /// The lengths in bytes of the columns that follow the header, in their order, without padding.
    pub(super) fn columns(&self) -> [usize; COLUMNS] {
        let people = self.count as usize;
        let [key, wide, steps] = match self.kind {
            Kind::Key => [people, if self.wide_places { people } else { 0 }, 0],
            Kind::Turns => [0; 3],
            Kind::Steps => [0, 0, step::packed_bytes(people)],
        };
        let distance = if self.wide_distances { 4 } else { 1 };
        let [turns, changes, contacts, one_way, infections] = std::array::from_fn(|list| self.entries(list));
        #[rustfmt::skip] // A row for the people, a row for each list.
        let columns = [
            2 * key, 2 * key, wide, wide, key, steps,
            2 * turns, turns,
            2 * changes, changes,
            2 * contacts, 2 * contacts, contacts, distance * contacts,
            2 * one_way, 2 * one_way, one_way, distance * one_way,
            2 * infections, 2 * infections, infections,
        ];
        columns
    }

    /// The record's length in bytes.
    pub(super) fn bytes(&self) -> usize {
        HEADER_BYTES + self.columns().iter().map(|bytes| bytes.next_multiple_of(4)).sum::<usize>()
    }

    /// Writes the header; checksum and number of parts are filled in later.
    pub(super) fn write(&self, into: &mut Vec<u8>) {
        let Stamp { population, shard, tick, time_us, census } = &self.stamp;
        let flags = if self.wide_places { FLAG_WIDE_PLACES } else { 0 }
            | if self.wide_distances { FLAG_WIDE_DISTANCES } else { 0 };
        let figures = &census.figures;
        into.extend_from_slice(&MAGIC);
        into.extend_from_slice(&[VERSION, self.kind as u8]);
        into.extend_from_slice(&flags.to_le_bytes());
        into.extend_from_slice(&[0; 4]);
        into.extend_from_slice(&u32::try_from(self.bytes()).unwrap_or(u32::MAX).to_le_bytes());
        into.extend_from_slice(population.run.as_bytes());
        into.extend_from_slice(population.base.as_bytes());
        into.extend_from_slice(&tick.to_le_bytes());
        into.extend_from_slice(&time_us.to_le_bytes());
        into.extend_from_slice(&self.seq.to_le_bytes());
        put_u32s(into, &[population.people, population.shard_people, *shard]);
        into.extend_from_slice(&self.part.to_le_bytes());
        into.extend_from_slice(&self.parts.to_le_bytes());
        put_u32s(into, &[self.first, self.count]);
        put_u32s(into, &[figures.total, figures.zombies, figures.deaths, figures.dead_zombies]);
        put_u32s(into, &[figures.immune, 0]);
        into.extend_from_slice(&census.contacts.to_le_bytes());
        into.extend_from_slice(&census.infections.to_le_bytes());
        put_u32s(into, self.counts.as_flattened());
    }

    /// Reads and checks the header of a record whose length it must fit. The checksum is not looked at.
    pub(super) fn read(bytes: &[u8]) -> Result<Header, FrameError> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else { return Err(FrameError::NotAFrame) };
        if head[..4] != MAGIC || head[4] != VERSION {
            return Err(FrameError::NotAFrame);
        }
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameError::TooLong { actual: bytes.len() });
        }
        let kind = match head[5] {
            0 => Kind::Key,
            1 => Kind::Turns,
            2 => Kind::Steps,
            _ => return Err(FrameError::NotAFrame),
        };
        let header = Header::fields(head, kind);
        header.check()?;
        let expected = header.bytes();
        if u32_at(head, 12) as usize != bytes.len() || expected != bytes.len() {
            return Err(FrameError::WrongLength { expected, actual: bytes.len() });
        }
        Ok(header)
    }

    fn fields(head: &[u8; HEADER_BYTES], kind: Kind) -> Header {
        let flags = u16_at(head, 6);
        let uuid = |at: usize| Uuid::from_bytes(std::array::from_fn(|i| head[at + i]));
        let counts = std::array::from_fn(|list| {
            std::array::from_fn(|block| u32_at(head, COUNTS_AT + 4 * (list * BLOCKS + block)))
        });
        let [total, zombies, deaths, dead_zombies, immune] =
            std::array::from_fn(|i| u32_at(head, 96 + 4 * i));
        Header {
            stamp: Stamp {
                population: Population {
                    run: uuid(16),
                    base: uuid(32),
                    people: u32_at(head, 72),
                    shard_people: u32_at(head, 76),
                },
                shard: u32_at(head, 80),
                tick: u64_at(head, 48),
                time_us: u64_at(head, 56).cast_signed(),
                census: Census {
                    figures: Figures { total, zombies, deaths, dead_zombies, immune },
                    contacts: u64_at(head, 120),
                    infections: u64_at(head, 128),
                },
            },
            kind,
            seq: u64_at(head, 64),
            part: u16_at(head, 84),
            parts: u16_at(head, PARTS_AT),
            first: u32_at(head, 88),
            count: u32_at(head, 92),
            wide_places: flags & FLAG_WIDE_PLACES != 0,
            wide_distances: flags & FLAG_WIDE_DISTANCES != 0,
            counts,
        }
    }

    fn check(&self) -> Result<(), FrameError> {
        let wrong = |what| Err(FrameError::Wrong { what });
        let population = &self.stamp.population;
        if !population.is_valid() || self.stamp.shard >= population.shards() {
            return wrong("sizes of population and shard");
        }
        let people = population.people_of(self.stamp.shard);
        if self.first > people || self.count > people - self.first {
            return wrong("range of people");
        }
        if self.part >= self.parts || self.parts > PARTS_MAX {
            return wrong("number of parts");
        }
        let listed = |list: usize| self.counts[list].iter().any(|&count| count > 0);
        let idle = match self.kind {
            Kind::Key => listed(TURNS) || listed(CHANGES),
            Kind::Turns => self.count > 0,
            Kind::Steps => listed(TURNS),
        };
        if idle {
            return wrong("members for its kind");
        }
        let entries = (0..LISTS).flat_map(|list| (0..BLOCKS).map(move |block| (list, block)));
        for (list, block) in entries {
            // No list has an entry of less than 3 bytes; more would not fit, and sums must not overflow.
            let count = self.counts[list][block];
            if count as usize > FRAME_BYTES_MAX || (count > 0 && self.block_people(block) == 0) {
                return wrong("length of a list");
            }
        }
        if self.stamp.tick > TICK_MAX || !timestamp::is_sane(self.stamp.time_us) {
            return wrong("tick or time");
        }
        if self.stamp.census.figures.total > people {
            return wrong("figures");
        }
        Ok(())
    }
}

/// Columns after the header.
pub(super) const COLUMNS: usize = 6 + 2 + 2 + 4 + 4 + 3;
/// In a keyframe's byte of health and steps: codes of the last step, and of the step before it.
pub(super) const KEY_BYTES: u8 = health::CODES * step::STEPS * step::STEPS;

fn put_u32s(into: &mut Vec<u8>, numbers: &[u32]) {
    for number in numbers {
        into.extend_from_slice(&number.to_le_bytes());
    }
}

fn u16_at(head: &[u8; HEADER_BYTES], at: usize) -> u16 {
    u16::from_le_bytes([head[at], head[at + 1]])
}

pub(super) fn u32_at(head: &[u8; HEADER_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]])
}

fn u64_at(head: &[u8; HEADER_BYTES], at: usize) -> u64 {
    u64::from(u32_at(head, at)) | u64::from(u32_at(head, at + 4)) << 32
}
