//! The fleet's frame: many people at one tick, on the topic (`docs/protocol.md`, "Frame").
//!
//! The population is cut into *shards*, ranges of people next to each other by number. A shard's tick is
//! one record, or several *parts* when it is larger than a record may be. A *keyframe* says where
//! everybody stands; a *delta* says what is different from the prediction that everybody makes the step
//! of two ticks before: that is how people walk who go to a goal, straight or as on a staircase, or who stand
//! still, so most ticks of most people cost nothing. Beside it stand the tick's contacts and infections, which
//! need no other record to be understood. All is in columns, little-endian, in blocks at multiples of 4.
//!
//! - [`header`]: what a record says of itself; [`Header`], its limits
//! - [`health`]: the codes of health; [`step`]: the codes of steps
//! - [`pair`]: contacts and infections, packed
//! - [`encode`]: a shard's tick becomes records
//! - [`decode`]: a stranger's bytes become a [`Frame`], checked, without an allocation
//! - [`columns`]: where a shard's people are, and which step they will make
//! - [`recorder`]: the sender's side: finds out what a delta has to say
//! - [`mirror`]: the receiver's side: applies frames, tells gaps and repeats

pub mod columns;
pub mod decode;
pub mod encode;
pub mod header;
pub mod health;
pub mod mirror;
pub mod pair;
pub mod recorder;
pub mod step;

pub use columns::Columns;
pub use decode::{Contact, Frame, FrameError, Infection};
pub use encode::{Mark, ShardTick, State};
pub use header::{Census, HEADER_BYTES, Header, Kind, Population, Stamp};
pub use health::Health;
pub use mirror::{Applied, Mirror, MirrorError, ShardMirror};
pub use pair::Pair;
pub use recorder::{Jump, Memory, NoMemory, Recorder};

/// The first four bytes: `CZTF`.
pub const MAGIC: [u8; 4] = *b"CZTF";
/// The version of the layout.
pub const VERSION: u8 = 1;
/// The longest record read, in bytes: what the topic takes (256 KiB), less room for the key.
pub const FRAME_BYTES_MAX: usize = 256 * 1024 - 256;
/// The longest record made, in bytes: few and large records, and far enough from the limit.
pub const PART_BYTES_MAX: usize = 200_000;
/// Most people in a population: a number has 24 bits, and the highest are kept for other uses.
pub const PEOPLE_MAX: u32 = 16_000_000;
/// Most people in a shard: a delta of them fits into one record even when everybody turns.
pub const SHARD_PEOPLE_MAX: u32 = 1 << 18;
/// Fewest people in a shard, unless it is the only one: it bounds how many shards there are.
pub const SHARD_PEOPLE_MIN: u32 = 1 << 12;
/// Most parts of a shard's tick: a keyframe has 10, a very crowded tick some dozens.
pub const PARTS_MAX: u16 = 1024;
/// People in a block: within one, a person's number has 16 bits.
pub const BLOCK_PEOPLE: u32 = 1 << 16;
/// Blocks in a shard.
pub const BLOCKS: usize = (SHARD_PEOPLE_MAX / BLOCK_PEOPLE) as usize;

/// The key of a shard's records: they stay in order.
#[must_use]
pub fn key(run: uuid::Uuid, shard: u32) -> String {
    format!("{run}/{shard}")
}
