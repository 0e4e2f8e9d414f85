//! Which batches a producer has sent already, so that one sent again is not stored again.
//!
//! An idempotent producer numbers its records in each partition, and has at most five requests on
//! their way. So the last five batches of each are remembered: one of them again is answered with the
//! offset that it got, the next in the sequence is stored, and anything else is refused.

use std::collections::{HashMap, VecDeque};

use super::batch::Producer;

/// Batches that a producer may have on their way, by the protocol.
const BATCHES_MAX: usize = 5;
/// Producers remembered for a partition: every device of a large laboratory and its former lives. Whoever
/// has been silent for longest is forgotten first, and may then go on with any number.
const PRODUCERS_MAX: usize = 20_000;

/// What is to be done with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is new.
    Fresh,
    /// It is stored already, from this offset on.
    Stored(i64),
    /// One before it is missing.
    OutOfOrder,
    /// A later life of the same producer has been here.
    Outdated,
}

/// Stands for the number that a producer's next record has, where that is not known: batches of it may
/// have been lost by damage, so any number is taken once.
pub(crate) const ANY_SEQUENCE: i32 = -1;

/// The producers of one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Producers {
    sessions: HashMap<i64, Session>,
    /// How often records of unknown producers were found to be lost.
    losses: u32,
}

/// One life of a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    /// The number that its next record has to have.
    pub(crate) next_sequence: i32,
    /// The losses that there had been when it was stored last.
    losses: u32,
    /// The last batches, the oldest first.
    pub(crate) batches: VecDeque<Kept>,
}

/// A batch that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) sequence: i32,
    pub(crate) records: i32,
    pub(crate) offset: i64,
}

impl Session {
    pub(crate) fn new(id: i64, epoch: i16, next_sequence: i32, batches: VecDeque<Kept>) -> Self {
        Self { id, epoch, next_sequence, losses: 0, batches }
    }

    /// Where its last batch lies, which tells how long it has been silent.
    fn last_offset(&self) -> i64 {
        self.batches.back().map_or(-1, |kept| kept.offset)
    }
}

/// Numbers go up to the largest of 32 bits and start again at 0.
fn sequence_after(sequence: i32, records: i32) -> i32 {
    let after = (i64::from(sequence) + i64::from(records)) % (i64::from(i32::MAX) + 1);
    i32::try_from(after).unwrap_or(0)
}

impl Producers {
    pub(crate) fn judge(&self, producer: &Producer, records: i32) -> Verdict {
        // Of somebody unknown any number is taken: what it sent before may have expired, or be forgotten.
        let Some(session) = self.sessions.get(&producer.id) else { return Verdict::Fresh };
        if producer.epoch < session.epoch {
            return Verdict::Outdated;
        }
        if producer.epoch > session.epoch {
            return if producer.sequence == 0 { Verdict::Fresh } else { Verdict::OutOfOrder };
        }
        let same = |kept: &&Kept| kept.sequence == producer.sequence && kept.records == records;
        match session.batches.iter().find(same) {
            Some(kept) => Verdict::Stored(kept.offset),
            None if [producer.sequence, ANY_SEQUENCE].contains(&self.next_sequence_of(session)) => {
                Verdict::Fresh
            }
            None => Verdict::OutOfOrder,
        }
    }

    /// The number that the producer's next record has to have, or [`ANY_SEQUENCE`].
    pub(crate) fn next_sequence_of(&self, session: &Session) -> i32 {
        if session.losses == self.losses { session.next_sequence } else { ANY_SEQUENCE }
    }

    /// Whether this is exactly what the producer sends next.
    pub(crate) fn expects(&self, producer: &Producer) -> bool {
        self.sessions.get(&producer.id).is_some_and(|session| {
            session.epoch == producer.epoch && self.next_sequence_of(session) == producer.sequence
        })
    }

    /// Records of unknown producers were lost: the next batch of a producer may be further than what is
    /// known of it.
    pub(crate) fn lose_track(&mut self) {
        self.losses = self.losses.wrapping_add(1);
    }

    /// A batch was stored.
    pub(crate) fn stored(&mut self, producer: &Producer, records: i32, offset: i64) {
        let losses = self.losses;
        let session = self.session(producer);
        session.losses = losses;
        if session.batches.len() == BATCHES_MAX {
            session.batches.pop_front();
        }
        session.batches.push_back(Kept { sequence: producer.sequence, records, offset });
        session.next_sequence = sequence_after(producer.sequence, records);
        self.forget_some();
    }

    /// A batch could not be stored: of somebody unknown, exactly this one has to come first now, or
    /// those that are already on their way behind it would overtake it.
    pub(crate) fn failed(&mut self, producer: &Producer) {
        if !self.sessions.contains_key(&producer.id) {
            self.session(producer).next_sequence = producer.sequence;
            self.forget_some();
        }
    }

    fn session(&mut self, producer: &Producer) -> &mut Session {
        let losses = self.losses;
        let new = || Session {
            losses,
            ..Session::new(
                producer.id,
                producer.epoch,
                producer.sequence,
                VecDeque::with_capacity(BATCHES_MAX),
            )
        };
        let session = self.sessions.entry(producer.id).or_insert_with(new);
        if session.epoch != producer.epoch {
            *session = new();
        }
        session
    }

    /// Forgets a tenth when there are too many, so that it is seldom done.
    fn forget_some(&mut self) {
        if self.sessions.len() <= PRODUCERS_MAX {
            return;
        }
        let mut last: Vec<i64> = self.sessions.values().map(Session::last_offset).collect();
        let (_, limit, _) = last.select_nth_unstable(PRODUCERS_MAX / 10);
        let limit = *limit;
        self.sessions.retain(|_, session| session.last_offset() > limit);
    }

    pub(crate) fn sessions(&self) -> impl ExactSizeIterator<Item = &Session> {
        self.sessions.values()
    }

    pub(crate) fn from_sessions(sessions: impl IntoIterator<Item = Session>) -> Self {
        Self { sessions: sessions.into_iter().map(|session| (session.id, session)).collect(), losses: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: i16, sequence: i32) -> Producer {
        Producer { id: 9, epoch, sequence }
    }

    #[test]
    fn a_batch_sent_again_gets_the_offset_that_it_had() {
        let mut producers = Producers::default();
        for turn in 0..7 {
            assert_eq!(producers.judge(&at(0, turn * 10), 10), Verdict::Fresh);
            producers.stored(&at(0, turn * 10), 10, i64::from(turn) * 100);
        }
        for turn in 2..7 {
            assert_eq!(producers.judge(&at(0, turn * 10), 10), Verdict::Stored(i64::from(turn) * 100));
        }
        assert_eq!(producers.judge(&at(0, 10), 10), Verdict::OutOfOrder, "too long ago");
        assert_eq!(producers.judge(&at(0, 60), 9), Verdict::OutOfOrder, "another batch of the same number");
        assert_eq!(producers.judge(&at(0, 80), 10), Verdict::OutOfOrder, "one is missing before it");
        assert_eq!(producers.judge(&at(0, 70), 10), Verdict::Fresh);
    }

    #[test]
    fn a_later_life_begins_at_0_and_ends_the_former() {
        let mut producers = Producers::default();
        producers.stored(&at(3, 0), 5, 0);
        assert_eq!(producers.judge(&at(4, 5), 1), Verdict::OutOfOrder);
        assert_eq!(producers.judge(&at(4, 0), 1), Verdict::Fresh);
        producers.stored(&at(4, 0), 1, 5);
        assert_eq!(producers.judge(&at(3, 5), 1), Verdict::Outdated);
    }

    #[test]
    fn numbers_start_again_after_the_largest() {
        let mut producers = Producers::default();
        producers.stored(&at(0, i32::MAX - 1), 3, 0);
        assert_eq!(producers.judge(&at(0, 1), 1), Verdict::Fresh);
    }

    #[test]
    fn what_follows_a_batch_that_could_not_be_stored_does_not_overtake_it() {
        let mut producers = Producers::default();
        producers.failed(&at(0, 0));
        assert_eq!(producers.judge(&at(0, 10), 10), Verdict::OutOfOrder);
        assert_eq!(producers.judge(&at(0, 0), 10), Verdict::Fresh);
    }

    #[test]
    fn after_a_loss_a_producer_may_be_further_than_what_is_known_of_it_once() {
        let mut producers = Producers::default();
        producers.stored(&at(0, 0), 10, 0);
        producers.lose_track();
        assert_eq!(producers.judge(&at(0, 0), 10), Verdict::Stored(0), "what is known is known");
        assert_eq!(producers.judge(&at(0, 70), 10), Verdict::Fresh);
        producers.stored(&at(0, 70), 10, 80);
        assert_eq!(producers.judge(&at(0, 90), 10), Verdict::OutOfOrder);
        assert_eq!(producers.judge(&at(0, 80), 10), Verdict::Fresh);
    }

    #[test]
    fn the_memory_for_producers_is_bounded() {
        let mut producers = Producers::default();
        for id in 0..i64::try_from(PRODUCERS_MAX).expect("small") * 2 {
            producers.stored(&Producer { id, epoch: 0, sequence: 0 }, 1, id);
        }
        assert!(producers.sessions().len() <= PRODUCERS_MAX);
        let newest = Producer { id: 2 * 20_000 - 1, epoch: 0, sequence: 0 };
        assert!(matches!(producers.judge(&newest, 1), Verdict::Stored(_)));
    }
}
