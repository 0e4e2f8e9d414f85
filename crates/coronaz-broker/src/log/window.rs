//! A file of batches, read piece by piece.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::batch::{BATCH_BYTES_MAX, FORMAT, HEAD_BYTES, Head, PREFIX_BYTES};

/// Looks at a file through a piece of it that is held in memory.
pub(crate) struct Window<'a> {
    file: &'a File,
    /// Bytes of the file that count.
    end: u64,
    /// How much is read at once, at least.
    step: usize,
    held: Vec<u8>,
    held_from: u64,
}

impl<'a> Window<'a> {
    pub(crate) fn new(file: &'a File, end: u64, step: usize) -> Self {
        Self { file, end, step, held: Vec::new(), held_from: 0 }
    }

    /// The `count` bytes at `position`; `None` when the file ends before.
    pub(crate) fn bytes(&mut self, position: u64, count: usize) -> io::Result<Option<&[u8]>> {
        let left = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        if left < count {
            return Ok(None);
        }
        let inside = |held_from: u64, held: usize| {
            let start = usize::try_from(position.checked_sub(held_from)?).ok()?;
            (start.checked_add(count)? <= held).then_some(start)
        };
        let start = if let Some(start) = inside(self.held_from, self.held.len()) {
            start
        } else {
            self.held.resize(self.step.max(count).min(left), 0);
            self.file.read_exact_at(&mut self.held, position)?;
            self.held_from = position;
            0
        };
        Ok(self.held.get(start..start + count))
    }

    /// The file was changed: what is held of it does not count.
    pub(crate) fn forget(&mut self) {
        self.held.clear();
    }

    /// Whether a head could be at `position`, seen from two of its bytes: offsets have never been so large
    /// that their first byte is in use.
    pub(crate) fn may_be_head(&mut self, position: u64) -> io::Result<bool> {
        let head = self.bytes(position, HEAD_BYTES)?;
        Ok(head.is_some_and(|head| head[0] == 0 && head[PREFIX_BYTES] == FORMAT))
    }

    /// The head of the batch at `position`; `None` where no whole batch begins.
    pub(crate) fn head(&mut self, position: u64) -> io::Result<Option<Head>> {
        let head = self.bytes(position, HEAD_BYTES)?.and_then(Head::read);
        let end = self.end;
        Ok(head.filter(|head| head.bytes <= BATCH_BYTES_MAX && position + head.bytes as u64 <= end))
    }

    /// The same, having seen that the batch is as it was written.
    pub(crate) fn checked_head(&mut self, position: u64) -> io::Result<Option<Head>> {
        let Some(head) = self.head(position)? else { return Ok(None) };
        let batch = self.bytes(position, head.bytes)?;
        Ok(batch.is_some_and(|batch| head.matches(batch)).then_some(head))
    }
}
