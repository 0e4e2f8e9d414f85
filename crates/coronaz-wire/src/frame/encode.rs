//! A shard's tick becomes records.

use super::{
    BLOCK_PEOPLE, BLOCKS, Columns, PART_BYTES_MAX, PARTS_MAX, Pair,
    decode::{checksum, state_byte},
    header::{
        CHANGES, CHECKSUM_AT, CONTACTS, HEADER_BYTES, Header, INFECTIONS, Kind, LISTS, ONE_WAY, PARTS_AT,
        Stamp, TURNS,
    },
    step,
};

/// Something about one person: a step's or a health's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// From the shard's first person.
    pub person: u32,
    /// What.
    pub code: u8,
}

/// What is said about movement and health.
#[derive(Debug, Clone, Copy)]
pub enum State<'a> {
    /// A keyframe.
    Key(&'a Columns),
    /// A delta: who turns, whose health changes, both by person.
    Turns {
        /// Steps that were not expected.
        turns: &'a [Mark],
        /// New healths.
        changes: &'a [Mark],
    },
    /// A delta with everybody's step.
    Steps {
        /// Codes of steps.
        steps: &'a [u8],
        /// New healths.
        changes: &'a [Mark],
    },
}

/// A shard's tick, ready to be written. All lists are in order of persons.
#[derive(Debug, Clone, Copy)]
pub struct ShardTick<'a> {
    /// Whose tick it is.
    pub stamp: Stamp,
    /// Movement and health.
    pub state: State<'a>,
    /// Who heard each other: of each pair the smaller number is the person.
    pub contacts: &'a [Pair],
    /// Who heard somebody's last message.
    pub one_way: &'a [Pair],
    /// Who was infected by whom.
    pub infections: &'a [Pair],
}

/// Room for the padding of all columns of a record.
const PADDING_BYTES: usize = 64;
/// Larger distances make the column wide.
const NARROW_DISTANCE_MAX: u32 = u8::MAX as u32;
const NARROW_PLACE_MAX: i32 = u16::MAX as i32;

impl ShardTick<'_> {
    /// Appends the records; the first has the sequence number `seq`, and each the next.
    ///
    /// A tick of more than [`PARTS_MAX`] parts loses its last contacts: its people would have met
    /// three hundred others each.
    pub fn encode(&self, seq: u64, records: &mut Vec<Vec<u8>>) {
        let first_record = records.len();
        let mut rest = Rest::of(self);
        loop {
            let part = (records.len() - first_record) as u16;
            records.push(self.part(&mut rest, part, seq + u64::from(part)));
            if rest.is_empty() || part + 1 == PARTS_MAX {
                break;
            }
        }
        let parts = (records.len() - first_record) as u16;
        for record in &mut records[first_record..] {
            record[PARTS_AT..PARTS_AT + 2].copy_from_slice(&parts.to_le_bytes());
            let sum = checksum(record);
            record[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&sum.to_le_bytes());
        }
    }

    fn part(&self, rest: &mut Rest<'_>, part: u16, seq: u64) -> Vec<u8> {
        let mut room = PART_BYTES_MAX - HEADER_BYTES - PADDING_BYTES;
        let count = rest.people.min(room * rest.people_per_room.0 / rest.people_per_room.1);
        let first = rest.first;
        room -= (count * rest.people_per_room.1).div_ceil(rest.people_per_room.0);
        let turns = take(&mut rest.turns, 3, &mut room);
        let changes = take(&mut rest.changes, 3, &mut room);
        let pair_bytes = if rest.wide_distances { 9 } else { 6 };
        let contacts = take(&mut rest.contacts, pair_bytes, &mut room);
        let one_way = take(&mut rest.one_way, pair_bytes, &mut room);
        let infections = take(&mut rest.infections, 5, &mut room);
        let mut counts = [[0; BLOCKS]; LISTS];
        counts[TURNS] = blocks(turns, |mark| mark.person);
        counts[CHANGES] = blocks(changes, |mark| mark.person);
        counts[CONTACTS] = blocks(contacts, |pair| pair.person());
        counts[ONE_WAY] = blocks(one_way, |pair| pair.person());
        counts[INFECTIONS] = blocks(infections, |pair| pair.person());
        let header = Header {
            stamp: self.stamp,
            kind: rest.kind,
            seq,
            part,
            parts: 1,
            first: first as u32,
            count: count as u32,
            wide_places: rest.wide_places,
            wide_distances: rest.wide_distances,
            counts,
        };
        let mut writer = Writer { bytes: Vec::with_capacity(header.bytes()) };
        header.write(&mut writer.bytes);
        match self.state {
            State::Key(columns) => {
                writer.key(columns, first..first + count, self.stamp.tick, rest.wide_places);
            }
            State::Turns { .. } => {}
            State::Steps { steps, .. } => {
                writer.column(|into| step::pack(&steps[first..first + count], into));
            }
        }
        writer.marks(turns);
        writer.marks(changes);
        let wide = rest.wide_distances;
        writer.pairs(contacts);
        writer.distances(contacts, wide);
        writer.pairs(one_way);
        writer.distances(one_way, wide);
        writer.pairs(infections);
        debug_assert_eq!(writer.bytes.len(), header.bytes());
        rest.first += count;
        rest.people -= count;
        writer.bytes
    }
}

/// What is not written yet.
struct Rest<'a> {
    kind: Kind,
    wide_places: bool,
    wide_distances: bool,
    /// So many people take so many bytes in the columns.
    people_per_room: (usize, usize),
    first: usize,
    people: usize,
    turns: &'a [Mark],
    changes: &'a [Mark],
    contacts: &'a [Pair],
    one_way: &'a [Pair],
    infections: &'a [Pair],
}

impl<'a> Rest<'a> {
    fn of(tick: &ShardTick<'a>) -> Self {
        let wide = |pairs: &[Pair]| pairs.iter().any(|pair| pair.distance_squared() > NARROW_DISTANCE_MAX);
        let mut rest = Rest {
            kind: Kind::Turns,
            wide_places: false,
            wide_distances: wide(tick.contacts) || wide(tick.one_way),
            people_per_room: (1, 1),
            first: 0,
            people: 0,
            turns: &[],
            changes: &[],
            contacts: tick.contacts,
            one_way: tick.one_way,
            infections: tick.infections,
        };
        match tick.state {
            State::Key(columns) => {
                let far = |side: &[i32]| side.iter().any(|&place| place > NARROW_PLACE_MAX);
                rest.wide_places = far(&columns.x) || far(&columns.y);
                rest.people_per_room = (1, if rest.wide_places { 7 } else { 5 });
                (rest.kind, rest.people) = (Kind::Key, columns.len());
            }
            State::Turns { turns, changes } => (rest.turns, rest.changes) = (turns, changes),
            State::Steps { steps, changes } => {
                rest.people_per_room = (3, 1);
                (rest.kind, rest.people, rest.changes) = (Kind::Steps, steps.len(), changes);
            }
        }
        rest
    }

    fn is_empty(&self) -> bool {
        let marks = self.turns.len() + self.changes.len();
        self.people + marks + self.contacts.len() + self.one_way.len() + self.infections.len() == 0
    }
}

/// Takes as many entries as there is room for.
fn take<'a, T>(entries: &mut &'a [T], entry_bytes: usize, room: &mut usize) -> &'a [T] {
    let (taken, rest) = entries.split_at(entries.len().min(*room / entry_bytes));
    *room -= taken.len() * entry_bytes;
    *entries = rest;
    taken
}

/// How many entries, in order of persons, are about each block.
fn blocks<T>(entries: &[T], person: impl Fn(&T) -> u32) -> [u32; BLOCKS] {
    debug_assert!(entries.is_sorted_by_key(&person), "in order of persons");
    let mut before = 0;
    std::array::from_fn(|block| {
        let end = (block as u32 + 1) * BLOCK_PEOPLE;
        let upto = entries.partition_point(|entry| person(entry) < end);
        let count = upto - before;
        before = upto;
        count as u32
    })
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Writes a column and pads it.
    fn column(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn key(&mut self, columns: &Columns, range: std::ops::Range<usize>, tick: u64, wide: bool) {
        let sides = [&columns.x[range.clone()], &columns.y[range.clone()]];
        for side in sides {
            self.column(|into| u16s(into, side.iter().map(|&place| place as u16)));
        }
        for side in sides.into_iter().take(if wide { 2 } else { 0 }) {
            self.column(|into| into.extend(side.iter().map(|&place| (place >> 16) as u8)));
        }
        let (last, before) = columns.steps(tick);
        let steps = last[range.clone()].iter().zip(&before[range.clone()]);
        let states = columns.health[range].iter().zip(steps);
        self.column(|into| {
            into.extend(states.map(|(&health, (&last, &before))| state_byte(health, last, before)));
        });
    }

    fn marks(&mut self, marks: &[Mark]) {
        self.column(|into| u16s(into, marks.iter().map(|mark| mark.person as u16)));
        self.column(|into| into.extend(marks.iter().map(|mark| mark.code)));
    }

    fn pairs(&mut self, pairs: &[Pair]) {
        self.column(|into| u16s(into, pairs.iter().map(|pair| pair.person() as u16)));
        self.column(|into| u16s(into, pairs.iter().map(|pair| pair.other() as u16)));
        self.column(|into| into.extend(pairs.iter().map(|pair| (pair.other() >> 16) as u8)));
    }

    fn distances(&mut self, pairs: &[Pair], wide: bool) {
        let distances = pairs.iter().map(|pair| pair.distance_squared());
        self.column(|into| {
            if wide {
                into.extend(distances.flat_map(u32::to_le_bytes));
            } else {
                into.extend(distances.map(|distance| distance as u8));
            }
        });
    }
}

fn u16s(into: &mut Vec<u8>, numbers: impl ExactSizeIterator<Item = u16>) {
    let start = into.len();
    into.resize(start + 2 * numbers.len(), 0);
    for (bytes, number) in into[start..].as_chunks_mut().0.iter_mut().zip(numbers) {
        *bytes = number.to_le_bytes();
    }
}
