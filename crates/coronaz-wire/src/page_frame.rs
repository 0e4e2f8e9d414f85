//! The page's frame: everybody at one moment, as columns that a browser maps without copying.
//!
//! Little-endian, every block at a multiple of 4. A header of [`HEADER_BYTES`] bytes, then positions
//! as interleaved `u16` pairs scaled to the field (0 is the west or south edge, 65535 the east or
//! north one), then one state byte a person, padded to a multiple of 4. A person's index is its slot.
//!
//! That is everybody. [`part`] has the frame of a part of them, who name their slots, and beside them, where
//! there are too many to be told apart, how many are in each cell of the field.

pub mod part;

/// The first four bytes: `CZF1`.
pub const MAGIC: [u8; 4] = *b"CZF1";
/// The version of the layout.
pub const VERSION: u8 = 1;
/// Bytes before the body.
pub const HEADER_BYTES: usize = 64;
/// Most people in one frame: more than any run has.
pub const PEOPLE_MAX: u32 = 16_000_000;
/// State bits 0 and 1: what is drawn.
pub const DRAWN_MASK: u8 = 0b11;
/// Drawn as safe.
pub const SAFE: u8 = 0;
/// Drawn as infected.
pub const INFECTED: u8 = 1;
/// Drawn as dead.
pub const DEAD: u8 = 2;
/// Not there yet at this moment: not drawn.
pub const ABSENT: u8 = 3;
/// State bit 2: immune.
pub const IMMUNE_BIT: u8 = 1 << 2;
/// State bit 3: died infected.
pub const DIED_INFECTED_BIT: u8 = 1 << 3;
/// Header flag: this frame answers a seek.
pub const FLAG_SEEK: u16 = 1;
const KIND_EVERYBODY: u8 = 0;

/// The figures of a moment, counted over the whole population.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// People seen so far.
    pub total: u32,
    /// Alive and infected.
    pub zombies: u32,
    /// Dead.
    pub deaths: u32,
    /// Died infected.
    pub dead_zombies: u32,
    /// Alive and immune.
    pub immune: u32,
}

/// The header's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header {
    /// Which moment this is.
    pub moment: u64,
    /// Its time, in milliseconds since 1970.
    pub time_ms: i64,
    /// The seek that this frame answers, or 0.
    pub request: u32,
    /// Slots are stable within an epoch.
    pub epoch: u32,
    /// The figures of the whole.
    pub figures: Figures,
    /// Counts the frames of a connection, from 1.
    pub seq: u32,
    /// The newest moment the server knows.
    pub latest: u32,
}

/// One person as drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// Position scaled to the field.
    pub xy: [u16; 2],
    /// The state byte.
    pub state: u8,
}

impl Drawn {
    /// A slot whose person is not there yet.
    pub const ABSENT: Drawn = Drawn { xy: [0, 0], state: ABSENT };
}

/// Scales a coordinate (0 to `side`) to 0 to 65535, rounding to the nearest.
#[must_use]
pub fn scale(coordinate: i32, side: u32) -> u16 {
    let side = u64::from(side.max(1));
    let coordinate = u64::try_from(coordinate).unwrap_or_default().min(side);
    u16::try_from((coordinate * 65_535 + side / 2) / side).unwrap_or(u16::MAX)
}

/// The state byte of a person.
#[must_use]
pub fn state(infected: bool, immune: bool, alive: bool) -> u8 {
    match (alive, infected) {
        (true, true) => INFECTED,
        (true, false) => SAFE | if immune { IMMUNE_BIT } else { 0 },
        (false, infected) => DEAD | if infected { DIED_INFECTED_BIT } else { 0 },
    }
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Too short, the wrong magic, version or kind.
    #[error("not a page frame of version {VERSION}")]
    NotAFrame,
    /// The density is not what its numbers say.
    #[error("a density that cannot be read: {0}")]
    Density(&'static str),
    /// The length does not fit the count.
    #[error("a frame of {count} people has {expected} bytes, not {actual}")]
    WrongLength {
        /// People the header names.
        count: u32,
        /// Bytes that takes.
        expected: usize,
        /// Bytes there are.
        actual: usize,
    },
}

/// The bytes of a frame of `count` people.
#[must_use]
pub fn frame_bytes(count: usize) -> usize {
    HEADER_BYTES + 4 * count + count.next_multiple_of(4)
}

/// Writes a frame.
#[must_use]
pub fn encode(header: &Header, people: &[Drawn]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(frame_bytes(people.len()));
    bytes.extend_from_slice(&encode_header(header, people.len()));
    for person in people {
        bytes.extend_from_slice(&person.xy[0].to_le_bytes());
        bytes.extend_from_slice(&person.xy[1].to_le_bytes());
    }
    bytes.extend(people.iter().map(|person| person.state));
    bytes.resize(frame_bytes(people.len()), 0);
    bytes
}

/// Writes the header of a frame of `count` people: for whoever sends one body under many headers.
#[must_use]
pub fn encode_header(header: &Header, count: usize) -> [u8; HEADER_BYTES] {
    header_of(KIND_EVERYBODY, header, count)
}

fn header_of(kind: u8, header: &Header, count: usize) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    let flags = if header.request > 0 { FLAG_SEEK } else { 0 };
    let figures = &header.figures;
    bytes[..4].copy_from_slice(&MAGIC);
    bytes[4..6].copy_from_slice(&[kind, VERSION]);
    bytes[6..8].copy_from_slice(&flags.to_le_bytes());
    bytes[8..16].copy_from_slice(&header.moment.to_le_bytes());
    bytes[16..24].copy_from_slice(&header.time_ms.to_le_bytes());
    let numbers = [
        u32::try_from(count).unwrap_or(u32::MAX),
        header.request,
        header.epoch,
        figures.total,
        figures.zombies,
        figures.deaths,
        figures.dead_zombies,
        figures.immune,
        header.seq,
        header.latest,
    ];
    for (place, number) in bytes[24..].chunks_exact_mut(4).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// Reads a frame.
///
/// # Errors
/// See [`FrameError`]. The length is compared before anything is allocated.
pub fn decode(bytes: &[u8]) -> Result<(Header, Vec<Drawn>), FrameError> {
    let (header, count) = decode_header(bytes, KIND_EVERYBODY)?;
    let expected = frame_bytes(count.min(PEOPLE_MAX) as usize);
    if count > PEOPLE_MAX || bytes.len() != expected {
        return Err(FrameError::WrongLength { count, expected, actual: bytes.len() });
    }
    let (positions, states) = bytes[HEADER_BYTES..].split_at(4 * count as usize);
    let people = (positions.chunks_exact(4).zip(states))
        .map(|(p, &state)| Drawn {
            xy: [u16::from_le_bytes([p[0], p[1]]), u16::from_le_bytes([p[2], p[3]])],
            state,
        })
        .collect();
    Ok((header, people))
}

/// The header of a frame of this kind, and how many people are in the body.
fn decode_header(bytes: &[u8], kind: u8) -> Result<(Header, u32), FrameError> {
    let known = bytes.len() >= HEADER_BYTES && bytes[..4] == MAGIC && bytes[4] == kind && bytes[5] == VERSION;
    if !known {
        return Err(FrameError::NotAFrame);
    }
    let header = Header {
        moment: u64::from(u32_at(bytes, 8)) | u64::from(u32_at(bytes, 12)) << 32,
        time_ms: (u64::from(u32_at(bytes, 16)) | u64::from(u32_at(bytes, 20)) << 32) as i64,
        request: u32_at(bytes, 28),
        epoch: u32_at(bytes, 32),
        figures: Figures {
            total: u32_at(bytes, 36),
            zombies: u32_at(bytes, 40),
            deaths: u32_at(bytes, 44),
            dead_zombies: u32_at(bytes, 48),
            immune: u32_at(bytes, 52),
        },
        seq: u32_at(bytes, 56),
        latest: u32_at(bytes, 60),
    };
    Ok((header, u32_at(bytes, 24)))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}
