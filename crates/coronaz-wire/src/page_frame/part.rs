//! A part of the people: those in a window of the field, and those that the visitor keeps an eye on.
//!
//! After the header, whose count is of the people in the body: their slots (u32, ascending), their positions, where
//! they were in the frame that the visitor had before (so that a glide needs no search), their states, padded.
//! A density goes on with a block of 20 bytes, [`Grid`], and its cells: four planes of u16 counts (safe, infected, dead,
//! immune), each row by row from the south-west corner, as one zlib stream, padded to a multiple of 4.

use std::io::{Read, Write};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::{FrameError, HEADER_BYTES, Header, PEOPLE_MAX, decode_header, header_of, u16_at, u32_at};

const KIND_PART: u8 = 1;
const KIND_DENSITY: u8 = 2;
/// Planes of a density: safe, infected, dead, immune.
pub const PLANES: usize = 4;
/// The finest grid has 2 to this power cells on an axis.
pub const LEVEL_MAX: u8 = 12;
/// Most cells in one frame.
pub const CELLS_MAX: usize = 1 << 20;
const PERSON_BYTES: usize = 4 + 4 + 4;
const GRID_BYTES: usize = 20;

/// One person of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Whose number in the run this is.
    pub slot: u32,
    /// Position scaled to the field.
    pub xy: [u16; 2],
    /// The position in the frame before.
    pub from: [u16; 2],
    /// The state byte.
    pub state: u8,
}

/// Which cells a density has: the field is divided into 2^level cells on each axis, of which these are a rectangle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Grid {
    /// Level of each axis, at most [`LEVEL_MAX`].
    pub levels: [u8; 2],
    /// The cell in the south-west corner: column and row.
    pub first: [u16; 2],
    /// How many columns and rows.
    pub size: [u16; 2],
}

impl Grid {
    /// The cells that a window touches: west, south, east, north as positions scaled to the field, all included.
    #[must_use]
    pub fn around([west, south, east, north]: [u16; 4], levels: [u8; 2]) -> Grid {
        let axis = |low: u16, high: u16, level: u8| {
            let shift = 16 - u32::from(level.min(LEVEL_MAX));
            let cell = |at: u16| (u32::from(at) >> shift) as u16;
            (cell(low), cell(high.max(low)) - cell(low) + 1)
        };
        let (column, columns) = axis(west, east, levels[0]);
        let (row, rows) = axis(south, north, levels[1]);
        Grid { levels: levels.map(|level| level.min(LEVEL_MAX)), first: [column, row], size: [columns, rows] }
    }

    /// How many cells there are.
    #[must_use]
    pub fn cells(&self) -> usize {
        usize::from(self.size[0]) * usize::from(self.size[1])
    }

    /// The number of the cell in which a position lies; `None` outside of the grid.
    #[inline]
    #[must_use]
    pub fn cell(&self, [x, y]: [u16; 2]) -> Option<usize> {
        let column = (u32::from(x) >> (16 - u32::from(self.levels[0]))).wrapping_sub(self.first[0].into());
        let row = (u32::from(y) >> (16 - u32::from(self.levels[1]))).wrapping_sub(self.first[1].into());
        let inside = column < u32::from(self.size[0]) && row < u32::from(self.size[1]);
        inside.then(|| row as usize * usize::from(self.size[0]) + column as usize)
    }
}

/// Writes the frame of a part.
#[must_use]
pub fn encode(header: &Header, people: &[Seen]) -> Vec<u8> {
    body(KIND_PART, header, people, 0)
}

/// Reads the frame of a part.
///
/// # Errors
/// See [`FrameError`]. The length is compared before anything is allocated.
pub fn decode(bytes: &[u8]) -> Result<(Header, Vec<Seen>), FrameError> {
    let (header, people, end) = people_of(bytes, KIND_PART)?;
    if end != bytes.len() {
        return Err(FrameError::WrongLength {
            count: people.len() as u32,
            expected: end,
            actual: bytes.len(),
        });
    }
    Ok((header, people))
}

/// The cells' counts as they go into a frame: once for all visitors who look at the same.
///
/// `counts` has [`PLANES`] planes of as many counts as the grid has cells.
#[must_use]
pub fn pack(counts: &[u16]) -> Vec<u8> {
    let bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    let mut packed = ZlibEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    packed.write_all(&bytes).and_then(|()| packed.finish()).expect("writing into memory does not fail")
}

/// Writes the frame of a density: `in_view` people in `grid`, of whom `packed` has the counts; `people` are those who
/// are shown all the same.
#[must_use]
pub fn encode_density(header: &Header, people: &[Seen], in_view: u32, grid: &Grid, packed: &[u8]) -> Vec<u8> {
    let mut bytes = body(KIND_DENSITY, header, people, GRID_BYTES + packed.len() + 3);
    bytes.extend_from_slice(&in_view.to_le_bytes());
    bytes.extend_from_slice(&[grid.levels[0], grid.levels[1], 0, 0]);
    for number in [grid.first[0], grid.first[1], grid.size[0], grid.size[1]] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&u32::try_from(packed.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(packed);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A density as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Density {
    /// Its moment.
    pub header: Header,
    /// Those who are shown all the same.
    pub people: Vec<Seen>,
    /// How many people are in the grid.
    pub in_view: u32,
    /// Which cells.
    pub grid: Grid,
    /// [`PLANES`] planes of counts, one a cell; 65535 stands for more too.
    pub counts: Vec<u16>,
}

/// Reads the frame of a density.
///
/// # Errors
/// See [`FrameError`]. No more is unpacked than the grid has cells, and no grid has more than [`CELLS_MAX`].
pub fn decode_density(bytes: &[u8]) -> Result<Density, FrameError> {
    let (header, people, at) = people_of(bytes, KIND_DENSITY)?;
    let Some(block) = bytes.get(at..at + GRID_BYTES) else {
        return Err(FrameError::Density("it ends before its numbers"));
    };
    let grid = Grid {
        levels: [block[4], block[5]],
        first: [u16_at(block, 8), u16_at(block, 10)],
        size: [u16_at(block, 12), u16_at(block, 14)],
    };
    if grid.levels.iter().any(|&level| level > LEVEL_MAX) || grid.cells() > CELLS_MAX {
        return Err(FrameError::Density("more cells than a frame may have"));
    }
    let packed_bytes = u32_at(block, 16) as usize;
    let packed = &bytes[at + GRID_BYTES..];
    if packed.len() != packed_bytes.next_multiple_of(4) {
        return Err(FrameError::Density("its length is another one than it says"));
    }
    let bytes_max = grid.cells() * PLANES * 2;
    let mut counts = Vec::new();
    let unpacked =
        ZlibDecoder::new(&packed[..packed_bytes]).take(bytes_max as u64 + 1).read_to_end(&mut counts);
    if unpacked.is_err() || counts.len() != bytes_max {
        return Err(FrameError::Density("the cells do not unpack to the grid"));
    }
    let counts = counts.chunks_exact(2).map(|pair| u16_at(pair, 0)).collect();
    Ok(Density { header, people, in_view: u32_at(block, 0), grid, counts })
}

fn body(kind: u8, header: &Header, people: &[Seen], more: usize) -> Vec<u8> {
    let count = people.len();
    let mut bytes =
        Vec::with_capacity(HEADER_BYTES + count * PERSON_BYTES + count.next_multiple_of(4) + more);
    bytes.extend_from_slice(&header_of(kind, header, count));
    bytes.extend(people.iter().flat_map(|person| person.slot.to_le_bytes()));
    bytes.extend(people.iter().flat_map(|person| pair(person.xy)));
    bytes.extend(people.iter().flat_map(|person| pair(person.from)));
    bytes.extend(people.iter().map(|person| person.state));
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn pair([x, y]: [u16; 2]) -> [u8; 4] {
    let ([a, b], [c, d]) = (x.to_le_bytes(), y.to_le_bytes());
    [a, b, c, d]
}

/// The people after the header, and where what follows them begins.
fn people_of(bytes: &[u8], kind: u8) -> Result<(Header, Vec<Seen>, usize), FrameError> {
    let (header, count) = decode_header(bytes, kind)?;
    let n = count.min(PEOPLE_MAX) as usize;
    let end = HEADER_BYTES + n * PERSON_BYTES + n.next_multiple_of(4);
    if count > PEOPLE_MAX || bytes.len() < end {
        return Err(FrameError::WrongLength { count, expected: end, actual: bytes.len() });
    }
    let (slots, rest) = bytes[HEADER_BYTES..end].split_at(4 * n);
    let (places, rest) = rest.split_at(4 * n);
    let (before, states) = rest.split_at(4 * n);
    let place = |bytes: &[u8], i: usize| [u16_at(bytes, 4 * i), u16_at(bytes, 4 * i + 2)];
    let person = |i: usize| Seen {
        slot: u32_at(slots, 4 * i),
        xy: place(places, i),
        from: place(before, i),
        state: states[i],
    };
    Ok((header, (0..n).map(person).collect(), end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen() -> impl Strategy<Value = Seen> {
        (any::<u32>(), any::<[u16; 2]>(), any::<[u16; 2]>(), 0u8..16)
            .prop_map(|(slot, xy, from, state)| Seen { slot, xy, from, state })
    }

    proptest! {
        #[test]
        fn a_part_is_read_as_it_was_written(people in prop::collection::vec(seen(), 0..40), moment: u64) {
            let header = Header { moment, time_ms: -5, request: 3, seq: 9, ..Header::default() };
            prop_assert_eq!(decode(&encode(&header, &people)), Ok((header, people)));
        }

        #[test]
        fn a_density_is_read_as_it_was_written(
            people in prop::collection::vec(seen(), 0..5),
            window: [u16; 4],
            levels in prop::array::uniform2(0u8..8),
            fill: u16,
        ) {
            let grid = Grid::around(window, levels);
            let counts: Vec<u16> = (0..grid.cells() * PLANES).map(|i| (i as u16).wrapping_mul(fill)).collect();
            let frame = encode_density(&Header::default(), &people, 77, &grid, &pack(&counts));
            let density = decode_density(&frame).expect("its own bytes");
            prop_assert_eq!((density.people, density.in_view, density.grid), (people, 77, grid));
            prop_assert_eq!(density.counts, counts);
        }

        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 64..400), kind in 0u8..4) {
            bytes[..6].copy_from_slice(&[b'C', b'Z', b'F', b'1', kind, 1]);
            let few = bytes[24] & 15;
            bytes[24..28].copy_from_slice(&[few, 0, 0, 0]);
            let _ = (decode(&bytes), decode_density(&bytes), super::super::decode(&bytes));
        }
    }

    #[test]
    fn a_stream_that_unpacks_to_more_than_its_grid_is_refused() {
        let grid = Grid { levels: [4, 4], first: [0, 0], size: [2, 2] };
        let bomb = pack(&vec![0; 1_000_000]);
        let frame = encode_density(&Header::default(), &[], 0, &grid, &bomb);
        assert!(matches!(decode_density(&frame), Err(FrameError::Density(_))));
    }

    #[test]
    fn a_grid_covers_its_window_and_no_more() {
        let grid = Grid::around([0x1000, 0x2000, 0x2fff, 0x2000], [4, 4]);
        assert_eq!(grid, Grid { levels: [4, 4], first: [1, 2], size: [2, 1] });
        assert_eq!(grid.cell([0x1000, 0x2fff]), Some(0));
        assert_eq!(grid.cell([0x2fff, 0x2000]), Some(1));
        assert_eq!(grid.cell([0x3000, 0x2000]), None);
        assert_eq!(grid.cell([0x0fff, 0x2000]), None);
        let whole = Grid::around([0, 0, u16::MAX, u16::MAX], [0, 0]);
        assert_eq!((whole.cells(), whole.cell([9, 9])), (1, Some(0)));
    }
}
