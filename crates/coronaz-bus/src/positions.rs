//! What comes next in each partition. Pure, shared by the Kafka client and the memory bus.

use std::collections::BTreeMap;

use crate::record::Message;
use crate::source::{GapReason, Incoming, SourceFigures};

/// Whether a record is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It comes next, or is the first after a gap.
    Taken,
    /// It lies before the position: it was handed out already, or never will be.
    Repeat,
    /// Its partition is not assigned.
    NotOurs,
}

/// The next offset of each assigned partition: drops what came before, tells what was left out.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    next: BTreeMap<i32, i64>,
    pub(crate) figures: SourceFigures,
}

impl Positions {
    pub(crate) fn set(&mut self, partition: i32, next: i64) {
        self.next.insert(partition, next);
    }

    pub(crate) fn remove(&mut self, partition: i32) -> bool {
        self.next.remove(&partition).is_some()
    }

    pub(crate) fn get(&self, partition: i32) -> Option<i64> {
        self.next.get(&partition).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, i64)> {
        self.next.iter().map(|(partition, next)| (*partition, *next))
    }

    /// What to do with a record. If it is to be taken, the position moves past it, and a gap before it
    /// is told.
    pub(crate) fn admit(&mut self, partition: i32, offset: i64, into: &mut Vec<Incoming>) -> Admission {
        let Some(next) = self.next.get_mut(&partition) else { return Admission::NotOurs };
        if offset < *next {
            self.figures.repeats += 1;
            return Admission::Repeat;
        }
        if offset > *next {
            self.figures.gaps += 1;
            into.push(Incoming::Gap { partition, from: *next, to: offset, reason: GapReason::Missing });
        }
        *next = offset + 1;
        Admission::Taken
    }

    /// Counts and appends an admitted record.
    pub(crate) fn push(&mut self, message: Message, into: &mut Vec<Incoming>) {
        self.figures.records += 1;
        self.figures.bytes += message.bytes() as u64;
        into.push(Incoming::Record(message));
    }

    /// Gives offsets up to `to` up.
    pub(crate) fn skip(&mut self, partition: i32, to: i64, reason: GapReason, into: &mut Vec<Incoming>) {
        if let Some(next) = self.next.get_mut(&partition)
            && to > *next
        {
            self.figures.gaps += 1;
            into.push(Incoming::Gap { partition, from: *next, to, reason });
            *next = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_dropped_a_gap_is_told_and_a_strange_partition_is_nobodys() {
        let mut positions = Positions::default();
        let mut told = Vec::new();
        positions.set(0, 5);
        assert_eq!(positions.admit(0, 4, &mut told), Admission::Repeat);
        assert_eq!(positions.admit(0, 5, &mut told), Admission::Taken);
        assert_eq!(positions.admit(0, 5, &mut told), Admission::Repeat);
        assert!(told.is_empty());
        assert_eq!(positions.admit(0, 9, &mut told), Admission::Taken);
        assert_eq!(told, [Incoming::Gap { partition: 0, from: 6, to: 9, reason: GapReason::Missing }]);
        assert_eq!(positions.get(0), Some(10));
        assert_eq!(positions.admit(1, 0, &mut told), Admission::NotOurs);
        assert_eq!((positions.figures.repeats, positions.figures.gaps), (2, 1));
    }
}
