//! What comes next in each partition. Pure, shared by the Kafka client and the memory bus.

use std::collections::BTreeMap;

use crate::mark::Mark;
use crate::record::Message;
use crate::source::{GapReason, Incoming, SourceFigures};

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It comes next, or is the first after a gap, and is handed out.
    Taken,
    /// It lies before the position: it was handed out already, or never will be.
    Repeat,
    /// Its partition is not assigned.
    NotOurs,
    /// It is the record that the offset was kept with: reading goes on after it, at the position.
    Recognised,
    /// Another record stands where the one that the offset was kept with should: the log is another one, and the
    /// partition begins again with its first record.
    Replaced,
}

/// The next offset of each assigned partition: drops what came before, tells what was left out, and compares the record
/// before the position with the one that was there.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    places: BTreeMap<i32, Position>,
    pub(crate) figures: SourceFigures,
}

#[derive(Debug, Clone, Copy)]
struct Position {
    next: i64,
    /// The last record that was handed out, or the one that the caller kept.
    mark: Option<Mark>,
    /// The mark is to be compared before anything after it is handed out.
    checking: bool,
}

impl Positions {
    /// Goes on at `next`; `mark` is of a record before it, and is compared first.
    pub(crate) fn set(&mut self, partition: i32, next: i64, mark: Option<Mark>) {
        let mark = mark.filter(|mark| mark.offset() < next);
        self.places.insert(partition, Position { next, mark, checking: mark.is_some() });
    }

    pub(crate) fn remove(&mut self, partition: i32) -> bool {
        self.places.remove(&partition).is_some()
    }

    pub(crate) fn get(&self, partition: i32) -> Option<i64> {
        self.places.get(&partition).map(|place| place.next)
    }

    pub(crate) fn partitions(&self) -> impl Iterator<Item = i32> {
        self.places.keys().copied()
    }

    pub(crate) fn mark(&self, partition: i32) -> Option<Mark> {
        self.places.get(&partition).and_then(|place| place.mark)
    }

    /// The mark that is still to be compared.
    pub(crate) fn checking(&self, partition: i32) -> Option<Mark> {
        self.places.get(&partition).filter(|place| place.checking).and_then(|place| place.mark)
    }

    /// Where the broker has to be asked from: the position, or the record before it that is to be compared.
    pub(crate) fn fetch_from(&self, partition: i32) -> Option<i64> {
        let place = self.places.get(&partition)?;
        Some(self.checking(partition).map_or(place.next, |mark| mark.offset()))
    }

    /// From now on nothing is handed out before the last record was compared; says whether that is news.
    pub(crate) fn check(&mut self, partition: i32) -> bool {
        let Some(place) = self.places.get_mut(&partition) else { return false };
        place.mark.is_some() && !std::mem::replace(&mut place.checking, true)
    }

    /// The record before the position was compared, and is the one that was read.
    pub(crate) fn recognise(&mut self, partition: i32) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.checking = false;
        }
    }

    /// The record to compare is not there any more.
    pub(crate) fn cannot_compare(&mut self, partition: i32) {
        if let Some(place) = self.places.get_mut(&partition) {
            (place.mark, place.checking) = (None, false);
        }
    }

    /// Takes a record: hands it out if it comes next, with the gap before it, or compares it.
    pub(crate) fn take(&mut self, message: Message, into: &mut Vec<Incoming>) -> Admission {
        let (partition, offset) = (message.partition, message.offset);
        let Some(place) = self.places.get_mut(&partition) else { return Admission::NotOurs };
        if let (true, Some(mark)) = (place.checking, place.mark) {
            if offset < mark.offset() {
                return Admission::Repeat;
            }
            place.checking = false;
            if mark.is_of(&message) {
                return Admission::Recognised;
            }
            if offset == mark.offset() {
                self.restart(partition, None, into);
                return Admission::Replaced;
            }
            // The record has expired, or was removed by compaction: what comes after it is read.
        }
        if offset < place.next {
            self.figures.repeats += 1;
            return Admission::Repeat;
        }
        if offset > place.next {
            self.figures.gaps += 1;
            into.push(Incoming::Gap { partition, from: place.next, to: offset, reason: GapReason::Missing });
        }
        place.next = offset + 1;
        place.mark = Some(Mark::of(&message));
        self.figures.records += 1;
        self.figures.bytes += message.bytes() as u64;
        into.push(Incoming::Record(message));
        Admission::Taken
    }

    /// Gives offsets up to `to` up.
    pub(crate) fn skip(&mut self, partition: i32, to: i64, reason: GapReason, into: &mut Vec<Incoming>) {
        if let Some(place) = self.places.get_mut(&partition)
            && to > place.next
        {
            self.figures.gaps += 1;
            into.push(Incoming::Gap { partition, from: place.next, to, reason });
            place.next = to;
        }
    }

    /// The log is another one: begins with its first record. `end` is how far the former one is known to have gone.
    pub(crate) fn restart(&mut self, partition: i32, end: Option<i64>, into: &mut Vec<Incoming>) {
        let Some(place) = self.places.get_mut(&partition) else { return };
        self.figures.replaced += 1;
        let next = place.next;
        into.push(Incoming::Replaced { partition, next, end: end.filter(|end| *end > next) });
        *place = Position { next: 0, mark: None, checking: false };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ContentType;

    fn message(partition: i32, offset: i64) -> Message {
        Message {
            partition,
            offset,
            key: Vec::new(),
            payload: offset.to_string().into_bytes(),
            content_type: ContentType::JSON,
            timestamp_ms: offset,
        }
    }

    #[test]
    fn a_repeat_is_dropped_a_gap_is_told_and_a_strange_partition_is_nobodys() {
        let mut positions = Positions::default();
        let mut told = Vec::new();
        positions.set(0, 5, None);
        assert_eq!(positions.take(message(0, 4), &mut told), Admission::Repeat);
        assert_eq!(positions.take(message(0, 5), &mut told), Admission::Taken);
        assert_eq!(positions.take(message(0, 5), &mut told), Admission::Repeat);
        told.clear();
        assert_eq!(positions.take(message(0, 9), &mut told), Admission::Taken);
        assert_eq!(told[0], Incoming::Gap { partition: 0, from: 6, to: 9, reason: GapReason::Missing });
        assert_eq!(positions.get(0), Some(10));
        assert_eq!(positions.take(message(1, 0), &mut told), Admission::NotOurs);
        assert_eq!((positions.figures.repeats, positions.figures.gaps), (2, 1));
    }

    #[test]
    fn the_record_before_the_position_is_compared_before_anything_is_handed_out() {
        let mut positions = Positions::default();
        let mut told = Vec::new();
        let kept = Mark::of(&message(0, 4));
        positions.set(0, 5, Some(kept));
        assert_eq!(positions.fetch_from(0), Some(4));
        assert_eq!(positions.take(message(0, 4), &mut told), Admission::Recognised);
        assert_eq!(positions.fetch_from(0), Some(5));

        let mut other = message(0, 4);
        other.timestamp_ms = 77;
        positions.set(0, 5, Some(kept));
        assert!(told.is_empty());
        assert_eq!(positions.take(other, &mut told), Admission::Replaced);
        assert_eq!(told, [Incoming::Replaced { partition: 0, next: 5, end: None }]);
        assert_eq!((positions.get(0), positions.mark(0)), (Some(0), None));

        // It has expired: nothing can be compared, and what was left out is a gap.
        told.clear();
        positions.set(0, 5, Some(kept));
        assert_eq!(positions.take(message(0, 7), &mut told), Admission::Taken);
        assert_eq!(told[0], Incoming::Gap { partition: 0, from: 5, to: 7, reason: GapReason::Missing });
        assert_eq!(positions.mark(0), Some(Mark::of(&message(0, 7))));
    }
}
