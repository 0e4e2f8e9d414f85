//! Compressed records, opened: what a producer compressed is checked like everything else, and how
//! much comes out of it is bounded.
//!
//! | codec | how Kafka's clients write it |
//! |---|---|
//! | 1 gzip | one member |
//! | 2 snappy | one raw block (librdkafka), or Xerial's framing: a head of 16 bytes, then blocks, each after its length (Java) |
//! | 3 lz4 | one frame |
//! | 4 zstd | one frame |

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, PoisonError};

use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::FrameDecoderError;

/// The most that the records of one batch may have once they are opened. A batch has at most 1 MiB as it
/// is sent, and JSON shrinks to a tenth at best; what grows more is there to fill a memory.
pub(crate) const OPENED_BYTES_MAX: usize = 16 << 20;
/// Batches that are opened at the same time, so that they take at most 64 MiB (and the codecs' own some
/// 20 MiB each) whatever the number of connections. Opening waits for nothing, so neither does this for long.
const OPENERS_MAX: usize = 4;
/// Emptied buffers up to this size are kept for the next batches.
const KEPT_BYTES_MAX: usize = 1 << 20;
/// How much is opened before it is seen whether that is too much.
const STEP_BYTES: usize = 64 * 1024;

const XERIAL_MAGIC: &[u8; 8] = b"\x82SNAPPY\0";
/// The magic, and two version numbers.
const XERIAL_HEAD_BYTES: usize = 16;
const LZ4_MAGIC: &[u8; 4] = &[0x04, 0x22, 0x4d, 0x18];

/// How records are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Why compressed records could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// They are not what the codec writes.
    Unreadable,
    /// More comes out of them than is allowed.
    TooLarge,
}

/// Opens compressed records, a few batches at a time.
#[derive(Debug)]
pub struct Opener {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    kept: Vec<Vec<u8>>,
}

impl Default for Opener {
    fn default() -> Self {
        Self { state: Mutex::new(State { free: OPENERS_MAX, kept: Vec::new() }), freed: Condvar::new() }
    }
}

/// The right to open one batch, and room for it. Given back when dropped, also by a panic.
struct Turn<'a> {
    opener: &'a Opener,
    room: Vec<u8>,
}

impl Opener {
    fn turn(&self) -> Turn<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.free == 0 {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.free -= 1;
        Turn { opener: self, room: state.kept.pop().unwrap_or_default() }
    }

    /// Opens `bytes` and has `look` see the records in them.
    pub(crate) fn open<T>(
        &self,
        codec: Codec,
        bytes: &[u8],
        look: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, OpenError> {
        let mut turn = self.turn();
        open(codec, bytes, &mut turn.room)?;
        Ok(look(&turn.room))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.opener.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.free += 1;
        if self.room.capacity() <= KEPT_BYTES_MAX {
            self.room.clear();
            state.kept.push(std::mem::take(&mut self.room));
        }
        drop(state);
        self.opener.freed.notify_one();
    }
}

fn open(codec: Codec, bytes: &[u8], into: &mut Vec<u8>) -> Result<(), OpenError> {
    match codec {
        Codec::Gzip => {
            let mut member = flate2::bufread::GzDecoder::new(bytes);
            read_bounded(&mut member, into)?;
            at_end(member.into_inner())
        }
        Codec::Snappy => open_snappy(bytes, into),
        Codec::Lz4 => {
            // Older frames without a head of their own no client of Kafka writes.
            if !bytes.starts_with(LZ4_MAGIC) {
                return Err(OpenError::Unreadable);
            }
            let mut frame = lz4_flex::frame::FrameDecoder::new(bytes);
            read_bounded(&mut frame, into)?;
            at_end(frame.into_inner())
        }
        // The library asserts in places what a stranger decides.
        Codec::Zstd => {
            catch_unwind(AssertUnwindSafe(|| open_zstd(bytes, into))).unwrap_or(Err(OpenError::Unreadable))
        }
    }
}

fn at_end(left: &[u8]) -> Result<(), OpenError> {
    if left.is_empty() { Ok(()) } else { Err(OpenError::Unreadable) }
}

/// Everything that comes, as long as it is not too much.
fn read_bounded(from: &mut impl Read, into: &mut Vec<u8>) -> Result<(), OpenError> {
    loop {
        let opened = into.len();
        if opened > OPENED_BYTES_MAX {
            return Err(OpenError::TooLarge);
        }
        if into.capacity() == opened {
            // Twice as much each time, and never more than may come.
            into.reserve_exact(opened.max(STEP_BYTES).min(OPENED_BYTES_MAX + 1 - opened));
        }
        let room = (into.capacity() - opened).min(STEP_BYTES);
        into.resize(opened + room, 0);
        match from.read(&mut into[opened..]) {
            Ok(count) => {
                into.truncate(opened + count);
                if count == 0 {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => into.truncate(opened),
            Err(_) => return Err(OpenError::Unreadable),
        }
    }
}

fn open_snappy(bytes: &[u8], into: &mut Vec<u8>) -> Result<(), OpenError> {
    if !bytes.starts_with(XERIAL_MAGIC) {
        return open_snappy_block(bytes, into);
    }
    let mut left = bytes.get(XERIAL_HEAD_BYTES..).ok_or(OpenError::Unreadable)?;
    while !left.is_empty() {
        let (length, rest) = left.split_first_chunk().ok_or(OpenError::Unreadable)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| OpenError::Unreadable)?;
        let (block, rest) = rest.split_at_checked(length).ok_or(OpenError::Unreadable)?;
        open_snappy_block(block, into)?;
        left = rest;
    }
    Ok(())
}

fn open_snappy_block(block: &[u8], into: &mut Vec<u8>) -> Result<(), OpenError> {
    let announced = snap::raw::decompress_len(block).map_err(|_| OpenError::Unreadable)?;
    // Three bytes stand for at most 64.
    if announced / 64 > block.len() {
        return Err(OpenError::Unreadable);
    }
    let opened = into.len();
    if announced > OPENED_BYTES_MAX - opened {
        return Err(OpenError::TooLarge);
    }
    into.resize(opened + announced, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut into[opened..]);
    if written == Ok(announced) { Ok(()) } else { Err(OpenError::Unreadable) }
}

fn open_zstd(bytes: &[u8], into: &mut Vec<u8>) -> Result<(), OpenError> {
    let window_max = OPENED_BYTES_MAX as u64;
    let frame = StreamingDecoder::new_with_max_window_size(bytes, window_max);
    let mut frame = frame.map_err(|error| match error {
        // A frame in one piece has a window as large as what is in it.
        FrameDecoderError::WindowSizeTooBig { .. } => OpenError::TooLarge,
        _ => OpenError::Unreadable,
    })?;
    read_bounded(&mut frame, into)?;
    let (left, decoder) = frame.into_parts();
    let announced = decoder.get_checksum_from_data();
    if announced.is_some() && announced != decoder.get_calculated_checksum() {
        return Err(OpenError::Unreadable);
    }
    at_end(left)
}

#[cfg(test)]
pub(crate) mod tests;
