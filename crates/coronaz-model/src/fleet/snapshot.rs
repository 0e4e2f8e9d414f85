//! A fleet as bytes, to go on from later: a resumed run equals one that never stopped.
//!
//! Little-endian. Header: magic `CZFL`, version (u32), checksum of all that follows (u64); seed (u64),
//! UUID of person 0 (u128), tick (u64), digest so far (u64), people (u32), whether rows have the extra
//! columns (u32), parameters (count u32, then name and value as text, each after its length as u32). Then a row for
//! each person, in no particular order: x, y, goal x, goal y (i32), number, state (u32), and, if there are extras,
//! tick of birth and of onset (u32).

use super::{
    Fleet,
    assembly::Frame,
    state::State,
    strip::{Extra, Row},
};
use crate::{Draws, ParameterError, Parameters, PersonId, Position, RunDigest, draw::mix};

const MAGIC: [u8; 4] = *b"CZFL";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 16;
const WORD: usize = size_of::<u32>();
const ROW_WORDS: usize = 6;
const EXTRA_WORDS: usize = 2;

/// Why bytes are no fleet.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// It does not begin as a snapshot does.
    #[error("this is no snapshot of a fleet")]
    Foreign,
    /// A version that this program does not know.
    #[error("snapshot version {0}, this program reads {VERSION}")]
    Version(u32),
    /// Some of it is missing, or there is more than belongs to it.
    #[error("{actual} bytes where {expected} belong")]
    Length {
        /// Bytes that belong there.
        expected: usize,
        /// Bytes that are there.
        actual: usize,
    },
    /// Damaged.
    #[error("the checksum is wrong: the snapshot is damaged")]
    Damaged,
    /// A parameter that this program does not know or take.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// Somebody who cannot be.
    #[error("person {} cannot be: off the field, in no known state, or there twice", .0.0)]
    Person(PersonId),
}

impl Fleet {
    /// The fleet as it is now. It takes 24 to 32 bytes a person.
    ///
    /// # Panics
    /// Between the halves of a tick ([`Fleet::begin_tick`]).
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        assert!(self.begun.is_none(), "half a tick cannot be saved");
        let row_bytes = row_words(self.with_extra) * WORD;
        let mut bytes = Vec::with_capacity(1024 + self.count as usize * row_bytes);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&self.draws.seed().to_le_bytes());
        bytes.extend_from_slice(&self.base.to_le_bytes());
        bytes.extend_from_slice(&self.tick.to_le_bytes());
        bytes.extend_from_slice(&self.digest.value().to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&u32::from(self.with_extra).to_le_bytes());
        bytes.extend_from_slice(&(Parameters::TABLE.len() as u32).to_le_bytes());
        for (name, value) in self.parameters.values() {
            put_text(&mut bytes, name);
            put_text(&mut bytes, &value.to_string());
        }
        for row in self.rows() {
            let places = [row.x, row.y, row.goal_x, row.goal_y].map(|place| place as u32);
            let words = places.into_iter().chain([row.id, row.state.0]);
            words.for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
            if self.with_extra {
                bytes.extend_from_slice(&row.extra.born.to_le_bytes());
                bytes.extend_from_slice(&row.extra.onset.to_le_bytes());
            }
        }
        let checksum = checksum(&bytes[HEADER_BYTES..]);
        bytes[8..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The fleet of a snapshot.
    ///
    /// # Errors
    /// When the bytes are no snapshot, of another version, cut, damaged, or say what cannot be.
    pub fn restore(bytes: &[u8]) -> Result<Fleet, SnapshotError> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.array().ok() != Some(MAGIC) {
            return Err(SnapshotError::Foreign);
        }
        let version = reader.u32()?;
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        if u64::from_le_bytes(reader.array()?) != checksum(&bytes[HEADER_BYTES..]) {
            return Err(SnapshotError::Damaged);
        }
        let draws = Draws::new(u64::from_le_bytes(reader.array()?));
        let base = u128::from_le_bytes(reader.array()?);
        let tick = u64::from_le_bytes(reader.array()?);
        let digest = RunDigest::of_value(u64::from_le_bytes(reader.array()?));
        let count = reader.u32()? as usize;
        let with_extra = reader.u32()? != 0;
        let mut named = Vec::new();
        for _ in 0..reader.u32()? {
            named.push((reader.text()?, reader.text()?));
        }
        let mut parameters = Parameters::unnamed(named.iter().map(|(name, _)| *name));
        for (name, value) in named {
            parameters.set_text(name, value)?;
        }
        let row_bytes = row_words(with_extra) * WORD;
        let rest = &bytes[reader.at..];
        if rest.len() != count.saturating_mul(row_bytes) {
            return Err(SnapshotError::Length {
                expected: count.saturating_mul(row_bytes),
                actual: rest.len(),
            });
        }
        let rows = rest.chunks_exact(row_bytes).map(row_of);
        check(rows.clone(), count, &parameters)?;
        Ok(Self::assemble(Frame { parameters, draws, base, tick, digest }, count, rows))
    }
}

const fn row_words(with_extra: bool) -> usize {
    if with_extra { ROW_WORDS + EXTRA_WORDS } else { ROW_WORDS }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn row_of(bytes: &[u8]) -> Row {
    let (words, _) = bytes.as_chunks::<WORD>();
    let word = |at: usize| words.get(at).map_or(0, |word| u32::from_le_bytes(*word));
    Row {
        x: word(0) as i32,
        y: word(1) as i32,
        goal_x: word(2) as i32,
        goal_y: word(3) as i32,
        id: word(4),
        state: State(word(5)),
        extra: Extra { born: word(6), onset: word(7) },
    }
}

/// Whether all people can be.
fn check(
    rows: impl Iterator<Item = Row>,
    count: usize,
    parameters: &Parameters,
) -> Result<(), SnapshotError> {
    let field = parameters.field();
    let mut seen = vec![0u64; count.div_ceil(64)];
    for row in rows {
        let on_the_field = field.contains(Position { x: row.x, y: row.y })
            && field.contains(Position { x: row.goal_x, y: row.goal_y });
        let (word, bit) = (row.id as usize / 64, 1 << (row.id % 64));
        let is_new = (row.id as usize) < count && seen[word] & bit == 0;
        if !on_the_field || !is_new || !row.state.is_sound() {
            return Err(SnapshotError::Person(PersonId(row.id)));
        }
        seen[word] |= bit;
    }
    Ok(())
}

fn checksum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| mix(sum ^ u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, &byte| mix(sum ^ u64::from(byte)))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], SnapshotError> {
        let rest = &self.bytes[self.at..];
        let length = SnapshotError::Length { expected: count, actual: rest.len() };
        let taken = rest.get(..count).ok_or(length)?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], SnapshotError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u32(&mut self) -> Result<u32, SnapshotError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<&'a str, SnapshotError> {
        let length = self.u32()? as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| SnapshotError::Damaged)
    }
}
