//! A stranger's bytes become a [`Frame`]: everything is checked first, nothing is allocated.

use super::{
    BLOCK_PEOPLE, FRAME_BYTES_MAX, Health, Mark, Pair, VERSION,
    header::{
        CHANGES, CHECKSUM_AT, COLUMNS, CONTACTS, HEADER_BYTES, Header, INFECTIONS, KEY_BYTES, ONE_WAY, TURNS,
        u32_at,
    },
    health, step,
};

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too short, the wrong magic, version or kind.
    #[error("not a frame of version {VERSION}")]
    NotAFrame,
    /// Longer than any frame.
    #[error("a frame of {actual} bytes is longer than {FRAME_BYTES_MAX}")]
    TooLong {
        /// Bytes there are.
        actual: usize,
    },
    /// The length is not what the header says.
    #[error("the header speaks of {expected} bytes, there are {actual}")]
    WrongLength {
        /// Bytes that the header's numbers take.
        expected: usize,
        /// Bytes there are.
        actual: usize,
    },
    /// The bytes were damaged on the way.
    #[error("the checksum is {actual:08x}, the header says {expected:08x}")]
    Damaged {
        /// What the header says.
        expected: u32,
        /// What it is.
        actual: u32,
    },
    /// A number is out of its range, or contradicts another.
    #[error("wrong {what}")]
    Wrong {
        /// Which.
        what: &'static str,
    },
}

/// A contact of a tick, each pair once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// Who heard; a number in the population.
    pub hearer: u32,
    /// Who was heard.
    pub heard: u32,
    /// Square of their distance, in square units.
    pub distance_squared: u32,
    /// Whether `heard` heard `hearer` too: always, but when it was heard with its last message.
    pub mutual: bool,
}

/// An infection of a tick. Its place is where the infectee stands after the tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Infection {
    /// Who was infected; a number in the population.
    pub infectee: u32,
    /// By whom; `None` when it was nobody of the fleet.
    pub infector: Option<u32>,
}

/// A record of a shard's tick, checked.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What it says of itself.
    pub header: Header,
    columns: [&'a [u8]; COLUMNS],
}

const X_LOW: usize = 0;
const Y_LOW: usize = 1;
const X_HIGH: usize = 2;
const Y_HIGH: usize = 3;
const STATES: usize = 4;
const STEPS: usize = 5;
/// The first column of each list.
const FIRST: [usize; 5] = [6, 8, 10, 14, 18];

impl<'a> Frame<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub fn decode(bytes: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        let header = Header::read(bytes)?;
        let (head, mut body) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(FrameError::NotAFrame)?;
        let (expected, actual) = (u32_at(head, CHECKSUM_AT), checksum(bytes));
        if expected != actual {
            return Err(FrameError::Damaged { expected, actual });
        }
        let mut columns = [&[][..]; COLUMNS];
        for (column, length) in columns.iter_mut().zip(header.columns()) {
            // Together they are as long as the body: the header's length was compared with the record's.
            let (padded, rest) = body.split_at(length.next_multiple_of(4));
            (*column, body) = (&padded[..length], rest);
        }
        let frame = Frame { header, columns };
        frame.check()?;
        Ok(frame)
    }

    fn check(&self) -> Result<(), FrameError> {
        let wrong = |what| Err(FrameError::Wrong { what });
        let at_most = |column: usize, max: u8| self.columns[column].iter().all(|&byte| byte <= max);
        if !at_most(STATES, KEY_BYTES - 1) || !at_most(STEPS, step::STEPS.pow(3) - 1) {
            return wrong("code of a person's state");
        }
        if !at_most(FIRST[TURNS] + 1, step::STEPS - 1) || !at_most(FIRST[CHANGES] + 1, health::CODES - 1) {
            return wrong("code of a turn or change");
        }
        for (list, &first) in FIRST.iter().enumerate() {
            let mut lows = u16s(self.columns[first]);
            for (block, &count) in self.header.counts[list].iter().enumerate() {
                let people = self.header.block_people(block);
                let largest = lows.by_ref().take(count as usize).fold(0, u16::max);
                if count > 0 && u32::from(largest) >= people {
                    return wrong("number of a person");
                }
            }
        }
        let people = self.header.stamp.population.people;
        for list in [CONTACTS, ONE_WAY, INFECTIONS] {
            let stranger = list == INFECTIONS;
            let known = |other: u32| other < people || (stranger && other == Pair::STRANGER);
            if !self.others(list).all(known) || self.pairs(list).any(|(person, other, _)| person == other) {
                return wrong("number of the other person");
            }
        }
        Ok(())
    }

    /// Who turned: everybody else makes the step of two ticks before. `person` counts from the shard's first.
    pub fn turns(&self) -> impl Iterator<Item = Mark> + use<'a> {
        self.marks(TURNS)
    }

    /// Whose health changed: [`Health::code`] by person, counted from the shard's first.
    pub fn changes(&self) -> impl Iterator<Item = Mark> + use<'a> {
        self.marks(CHANGES)
    }

    /// The tick's contacts whose hearer (of two who heard each other, the smaller number) is in the shard.
    pub fn contacts(&self) -> impl Iterator<Item = Contact> + use<'a> {
        let contacts = |frame: &Frame<'a>, list| {
            frame.pairs(list).map(move |(hearer, heard, distance_squared)| Contact {
                hearer,
                heard,
                distance_squared,
                mutual: list == CONTACTS,
            })
        };
        contacts(self, CONTACTS).chain(contacts(self, ONE_WAY))
    }

    /// The tick's infections of the shard's people.
    pub fn infections(&self) -> impl Iterator<Item = Infection> + use<'a> {
        self.pairs(INFECTIONS).map(|(infectee, infector, _)| Infection {
            infectee,
            infector: (infector != Pair::STRANGER).then_some(infector),
        })
    }

    /// In a keyframe, of each person in the columns: x, y, health and steps
    /// ([`state_of`]).
    pub(super) fn placed(&self) -> impl Iterator<Item = (u32, u32, u8)> + use<'a> {
        let wide = self.header.wide_places;
        let side = |low: &'a [u8], high: &'a [u8]| {
            let high = high.iter().map(|&byte| u32::from(byte) << 16).chain(std::iter::repeat(0));
            u16s(low).map(u32::from).zip(high).map(|(low, high)| high | low)
        };
        let high = |column: usize| if wide { self.columns[column] } else { &[] };
        let places = side(self.columns[X_LOW], high(X_HIGH)).zip(side(self.columns[Y_LOW], high(Y_HIGH)));
        places.zip(self.columns[STATES]).map(|((x, y), &state)| (x, y, state))
    }

    /// In a delta of kind [`Kind::Steps`](super::Kind::Steps): writes the steps of its people.
    pub(super) fn unpack_steps(&self, steps: &mut [u8]) {
        step::unpack(self.columns[STEPS], steps);
    }

    fn marks(&self, list: usize) -> impl Iterator<Item = Mark> + use<'a> {
        let codes = self.columns[FIRST[list] + 1];
        self.people(list).zip(codes).map(|(person, &code)| Mark { person, code })
    }

    /// Who a list's entries are about, counted from the shard's first.
    fn people(&self, list: usize) -> impl Iterator<Item = u32> + use<'a> {
        let counts = self.header.counts[list];
        let blocks = (counts.into_iter().zip(0..))
            .flat_map(|(count, block)| std::iter::repeat_n(block * BLOCK_PEOPLE, count as usize));
        blocks.zip(u16s(self.columns[FIRST[list]])).map(|(block, low)| block + u32::from(low))
    }

    fn others(&self, list: usize) -> impl Iterator<Item = u32> + use<'a> {
        let (low, high) = (self.columns[FIRST[list] + 1], self.columns[FIRST[list] + 2]);
        u16s(low).zip(high).map(|(low, &high)| u32::from(high) << 16 | u32::from(low))
    }

    /// Numbers in the population, and the square of the distance where there is one.
    fn pairs(&self, list: usize) -> impl Iterator<Item = (u32, u32, u32)> + use<'a> {
        let stamp = &self.header.stamp;
        let first = stamp.population.first_of(stamp.shard);
        let column = if list == INFECTIONS { &[][..] } else { self.columns[FIRST[list] + 3] };
        let wide = self.header.wide_distances;
        let distance = move |at: usize| {
            if wide {
                column.as_chunks().0.get(at).map_or(0, |&bytes| u32::from_le_bytes(bytes))
            } else {
                column.get(at).map_or(0, |&byte| u32::from(byte))
            }
        };
        (self.people(list).zip(self.others(list)).enumerate())
            .map(move |(at, (person, other))| (first + person, other, distance(at)))
    }
}

/// The checksum that a record with these bytes must have: CRC-32 (IEEE 802.3) of everything behind it.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes.get(CHECKSUM_AT + 4..).unwrap_or_default())
}

/// Health and the last two steps (of this tick, of the one before) from a keyframe's byte.
#[inline]
pub(super) const fn state_of(byte: u8) -> (u8, u8, u8) {
    (byte / 25, byte % 5, byte / 5 % 5)
}

/// A keyframe's byte.
#[inline]
pub(super) const fn state_byte(health: u8, last: u8, before: u8) -> u8 {
    health * 25 + before * 5 + last
}

/// The health with a code that [`Frame::decode`] has let through.
pub(super) fn health_of(code: u8) -> Health {
    Health::of_code(code).unwrap_or_default()
}

fn u16s(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.as_chunks().0.iter().map(|&pair| u16::from_le_bytes(pair))
}
