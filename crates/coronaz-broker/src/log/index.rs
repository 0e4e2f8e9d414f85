//! Where in a file some of the batches begin, and where there are none.

/// An entry for so many bytes of batches: what has to be read to find an offset.
const STEP_BYTES: u64 = 16 * 1024;

/// Where some of the batches begin, and the bytes that are none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// (offset, position), both rising.
    entries: Vec<(i64, u64)>,
    gaps: Vec<Gap>,
}

/// Damaged bytes between batches, or behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) position: u64,
    pub(crate) end: u64,
}

impl Index {
    /// A batch begins here.
    pub(crate) fn add(&mut self, offset: i64, position: u64) {
        let is_due = self.entries.last().is_none_or(|(_, last)| position >= last + STEP_BYTES);
        // A gap cannot be walked over, so there is an entry behind each.
        if is_due || self.gaps.last().is_some_and(|gap| gap.end == position) {
            self.entries.push((offset, position));
        }
    }

    /// No batches are here.
    pub(crate) fn add_gap(&mut self, gap: Gap) {
        if gap.end > gap.position {
            self.gaps.push(gap);
        }
    }

    /// The position of the last entry with this offset or a lower one.
    pub(crate) fn before_offset(&self, offset: i64) -> u64 {
        self.last(|(base, _)| *base <= offset)
    }

    /// The position of the last entry at this position or a lower one.
    pub(crate) fn before_position(&self, position: u64) -> u64 {
        self.last(|(_, at)| *at <= position)
    }

    fn last(&self, is_before: impl Fn(&(i64, u64)) -> bool) -> u64 {
        let after = self.entries.partition_point(is_before);
        after.checked_sub(1).map_or(0, |at| self.entries[at].1)
    }

    /// Where batches continue, if a gap begins at `position`: behind it.
    pub(crate) fn skip(&self, position: u64) -> u64 {
        self.gaps.iter().find(|gap| gap.position == position).map_or(position, |gap| gap.end)
    }

    /// Where the first gap after `position` begins, or `end`.
    pub(crate) fn run_end(&self, position: u64, end: u64) -> u64 {
        self.gaps.iter().map(|gap| gap.position).find(|gap| *gap > position).unwrap_or(end)
    }
}
