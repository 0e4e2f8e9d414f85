//! A segment's seal: a small file beside it, written once nothing is appended to it any more and the
//! disk has it, so that the next start need not read it again. Without one, or with one that does not
//! fit, the segment is read; so a seal may be lost at any time.
//!
//! ```text
//! 8 bytes "CZSEAL01" · i64 offset after the last record · i64 bytes · i64 latest time of a record
//! u32 producers, each: i64 id · i16 epoch · i32 next number, -1 for any · u8 batches, each: i32 number · i32 records · i64 offset
//! u32 CRC-32C of all that
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::producers::{Kept, Producers, Session};
use crate::disk;
use crate::protocol::reader::{DecodeError, Reader};
use crate::protocol::writer::Writer;

const MAGIC: &[u8; 8] = b"CZSEAL01";
const CHECKSUM_BYTES: usize = 4;

/// What a seal says about its segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) next: i64,
    pub(crate) bytes: u64,
    pub(crate) timestamp_ms_max: i64,
    /// The partition's producers after the segment's last batch.
    pub(crate) producers: Producers,
}

/// Where the seal of a segment is.
pub(crate) fn path_of(segment: &Path) -> PathBuf {
    segment.with_extension("seal")
}

impl Seal {
    /// Writes it so that it is there in whole or not at all.
    pub(crate) fn write(&self, segment: &Path) -> io::Result<()> {
        disk::write_whole(&path_of(segment), &self.encode())
    }

    /// Reads a segment's seal, if there is one that fits a file of so many bytes. One that cannot be read
    /// is set aside.
    ///
    /// # Errors
    /// When the system does not let it be read or set aside.
    pub(crate) fn read(segment: &Path, bytes: u64) -> io::Result<Option<Self>> {
        let path = path_of(segment);
        let read = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => None,
            read => Self::decode(&read?),
        };
        if read.is_none() {
            disk::set_aside(&path, "a damaged seal is of no use: its segment is read instead")?;
        }
        Ok(read.filter(|seal| seal.bytes == bytes))
    }

    fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.bytes.extend(MAGIC);
        to.i64(self.next);
        to.i64(self.bytes.cast_signed());
        to.i64(self.timestamp_ms_max);
        to.count(self.producers.sessions().len());
        for session in self.producers.sessions() {
            to.i64(session.id);
            to.i16(session.epoch);
            to.i32(self.producers.next_sequence_of(session));
            to.i8(i8::try_from(session.batches.len()).unwrap_or(i8::MAX));
            for kept in &session.batches {
                to.i32(kept.sequence);
                to.i32(kept.records);
                to.i64(kept.offset);
            }
        }
        let checksum = crc32c::crc32c(&to.bytes);
        to.bytes.extend(checksum.to_be_bytes());
        to.bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>()?;
        if u32::from_be_bytes(*checksum) != crc32c::crc32c(body) {
            return None;
        }
        let fields = body.strip_prefix(MAGIC)?;
        Self::decode_fields(&mut Reader::new(fields)).ok()
    }

    fn decode_fields(from: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (next, bytes, timestamp_ms_max) = (from.i64()?, from.i64()?.cast_unsigned(), from.i64()?);
        let mut sessions = Vec::new();
        for _ in 0..from.u32()? {
            let (id, epoch, next_sequence) = (from.i64()?, from.i16()?, from.i32()?);
            let mut batches = std::collections::VecDeque::new();
            for _ in 0..from.i8()? {
                batches.push_back(Kept { sequence: from.i32()?, records: from.i32()?, offset: from.i64()? });
            }
            sessions.push(Session::new(id, epoch, next_sequence, batches));
        }
        Ok(Self { next, bytes, timestamp_ms_max, producers: Producers::from_sessions(sessions) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::batch::Producer;

    fn seal() -> Seal {
        let mut producers = Producers::default();
        for sequence in 0..8 {
            producers.stored(&Producer { id: 3, epoch: 1, sequence }, 1, sequence.into());
            producers.stored(&Producer { id: 4, epoch: 0, sequence }, 1, sequence.into());
        }
        Seal { next: 16, bytes: 1000, timestamp_ms_max: 5, producers }
    }

    #[test]
    fn a_seal_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let segment = folder.path().join("00.log");
        seal().write(&segment).expect("written");
        let read = |bytes| Seal::read(&segment, bytes).expect("readable");
        assert_eq!(read(1000), Some(seal()));
        assert_eq!(read(999), None, "of another length");
    }

    #[test]
    fn a_damaged_seal_is_none() {
        let good = seal().encode();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x10;
            assert_eq!(Seal::decode(&bad), None, "byte {at}");
            assert_eq!(Seal::decode(&good[..at]), None, "cut at {at}");
        }
    }
}
