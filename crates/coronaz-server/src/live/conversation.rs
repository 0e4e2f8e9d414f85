//! What a visitor gets next: a pure state machine, with the time handed in.
//!
//! At most [`IN_FLIGHT_MAX`] frames are on the way. What is pushed is always the newest picture there is
//! when there is room for it, never one that waited. Of several seeks only the newest is answered.

use std::time::{Duration, Instant};

use super::message::FromVisitor;

/// Frames on the way: one that is being drawn, and one behind it.
pub(crate) const IN_FLIGHT_MAX: u32 = 2;
/// Between two frames that are pushed: 20 a second.
pub(crate) const PUSH_EVERY: Duration = Duration::from_millis(50);

/// A moment that a visitor asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seek {
    /// Which moment.
    pub(crate) moment: u64,
    /// The visitor's number of the question.
    pub(crate) request: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// What is new; the number is the moment that was pushed last.
    Live { pushed: Option<u64> },
    /// An answer.
    Answer(Seek),
    /// Nothing: it has its answer, to this seek if there was such a moment.
    Nothing { answered: Option<Seek> },
}

/// One visitor's side of a live connection.
#[derive(Debug)]
pub(crate) struct Conversation {
    wants: Wants,
    sent: u32,
    acknowledged: u32,
    pushed_at: Option<Instant>,
}

impl Conversation {
    /// A visitor who has just come: live.
    pub(crate) fn new() -> Self {
        Self { wants: Wants::Live { pushed: None }, sent: 0, acknowledged: 0, pushed_at: None }
    }

    /// Takes note of what the visitor says.
    pub(crate) fn hear(&mut self, message: &FromVisitor) {
        match *message {
            FromVisitor::Ack { seq } => self.acknowledged = self.acknowledged.max(seq.min(self.sent)),
            FromVisitor::Seek { moment, request } => self.wants = Wants::Answer(Seek { moment, request }),
            FromVisitor::Live => self.wants = Wants::Live { pushed: None },
            FromVisitor::View { .. } => self.look_again(),
        }
    }

    /// The visitor looks elsewhere: what he has seen last he gets once more.
    fn look_again(&mut self) {
        self.wants = match self.wants {
            Wants::Live { .. } => Wants::Live { pushed: None },
            Wants::Nothing { answered: Some(seek) } => Wants::Answer(seek),
            other => other,
        };
    }

    /// The seek to be answered, if there is one and room for its answer.
    pub(crate) fn seek(&self) -> Option<Seek> {
        match self.wants {
            Wants::Answer(seek) if self.has_room() => Some(seek),
            _ => None,
        }
    }

    /// Whether this is still what the visitor waits for.
    pub(crate) fn awaits(&self, seek: Seek) -> bool {
        self.wants == Wants::Answer(seek)
    }

    /// When the picture of `moment` may be pushed; `None`: not now, something else has to happen first.
    pub(crate) fn push_at(&self, moment: u64, now: Instant) -> Option<Instant> {
        match self.wants {
            Wants::Live { pushed } if pushed != Some(moment) && self.has_room() => {
                Some(self.pushed_at.map_or(now, |at| now.max(at + PUSH_EVERY)))
            }
            _ => None,
        }
    }

    /// The picture of `moment` is being pushed; returns the frame's number.
    pub(crate) fn push(&mut self, moment: u64, now: Instant) -> u32 {
        self.wants = Wants::Live { pushed: Some(moment) };
        self.pushed_at = Some(now);
        self.next_number()
    }

    /// The seek is being answered with a frame; returns its number.
    pub(crate) fn answer(&mut self, seek: Seek) -> u32 {
        self.wants = Wants::Nothing { answered: Some(seek) };
        self.next_number()
    }

    /// The seek is being answered with the word that there is no such moment.
    pub(crate) fn answer_missing(&mut self) {
        self.wants = Wants::Nothing { answered: None };
    }

    fn has_room(&self) -> bool {
        self.sent - self.acknowledged < IN_FLIGHT_MAX
    }

    fn next_number(&mut self) -> u32 {
        // Four thousand million frames are six years of a connection at twenty a second.
        self.sent = self.sent.saturating_add(1);
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seek(moment: u64, request: u32) -> FromVisitor {
        FromVisitor::Seek { moment, request }
    }

    /// Pushes as the socket would.
    fn push(conversation: &mut Conversation, moment: u64, now: Instant) -> Option<u32> {
        let due = conversation.push_at(moment, now).is_some_and(|at| at <= now);
        due.then(|| conversation.push(moment, now))
    }

    #[test]
    fn a_third_frame_waits_for_an_acknowledgement_and_is_then_the_newest() {
        let (mut visitor, start) = (Conversation::new(), Instant::now());
        let at = |frames: u32| start + PUSH_EVERY * frames;
        assert_eq!(push(&mut visitor, 10, at(0)), Some(1));
        assert_eq!(push(&mut visitor, 11, at(1)), Some(2));
        assert_eq!(push(&mut visitor, 12, at(2)), None);
        assert_eq!(push(&mut visitor, 13, at(3)), None);
        visitor.hear(&FromVisitor::Ack { seq: 1 });
        assert_eq!(push(&mut visitor, 14, at(4)), Some(3));
        assert_eq!(push(&mut visitor, 15, at(5)), None);
    }

    #[test]
    fn a_moment_is_pushed_once_and_not_too_soon_after_the_last() {
        let (mut visitor, now) = (Conversation::new(), Instant::now());
        assert_eq!(push(&mut visitor, 1, now), Some(1));
        visitor.hear(&FromVisitor::Ack { seq: 1 });
        assert_eq!(visitor.push_at(1, now), None);
        assert_eq!(visitor.push_at(2, now), Some(now + PUSH_EVERY));
        assert_eq!(push(&mut visitor, 2, now + PUSH_EVERY), Some(2));
    }

    #[test]
    fn a_seek_ends_pushing_until_the_visitor_is_live_again() {
        let (mut visitor, now) = (Conversation::new(), Instant::now());
        visitor.hear(&seek(3, 1));
        assert_eq!(visitor.push_at(9, now), None);
        assert_eq!(visitor.seek(), Some(Seek { moment: 3, request: 1 }));
        assert_eq!(visitor.answer(Seek { moment: 3, request: 1 }), 1);
        assert_eq!((visitor.seek(), visitor.push_at(9, now)), (None, None));
        visitor.hear(&FromVisitor::Live);
        assert_eq!(push(&mut visitor, 9, now), Some(2));
    }

    #[test]
    fn whoever_looks_elsewhere_gets_what_he_saw_once_more() {
        let (mut visitor, now) = (Conversation::new(), Instant::now());
        let look = || FromVisitor::View { window: None };
        assert_eq!(push(&mut visitor, 9, now), Some(1));
        visitor.hear(&look());
        assert_eq!(push(&mut visitor, 9, now + PUSH_EVERY), Some(2));
        visitor.hear(&FromVisitor::Ack { seq: 2 });
        visitor.hear(&seek(3, 1));
        visitor.hear(&look());
        assert_eq!(visitor.answer(visitor.seek().expect("still wanted")), 3);
        assert_eq!(visitor.seek(), None);
        visitor.hear(&look());
        assert_eq!(visitor.seek(), Some(Seek { moment: 3, request: 1 }));
        visitor.answer_missing();
        visitor.hear(&look());
        assert_eq!(visitor.seek(), None);
    }

    #[test]
    fn only_the_newest_seek_is_awaited() {
        let mut visitor = Conversation::new();
        visitor.hear(&seek(3, 1));
        let first = visitor.seek().expect("a seek");
        visitor.hear(&seek(4, 2));
        assert!(!visitor.awaits(first));
        assert!(visitor.awaits(Seek { moment: 4, request: 2 }));
        visitor.answer_missing();
        assert!(!visitor.awaits(Seek { moment: 4, request: 2 }));
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_makes_no_room() {
        let (mut visitor, start) = (Conversation::new(), Instant::now());
        visitor.hear(&FromVisitor::Ack { seq: u32::MAX });
        assert_eq!(push(&mut visitor, 1, start), Some(1));
        assert_eq!(push(&mut visitor, 2, start + PUSH_EVERY), Some(2));
        assert_eq!(push(&mut visitor, 3, start + PUSH_EVERY * 2), None);
        visitor.hear(&FromVisitor::Ack { seq: 0 });
        assert_eq!(visitor.push_at(3, start + PUSH_EVERY * 2), None);
    }
}
