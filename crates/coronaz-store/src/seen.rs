//! Which reports of one start of a node are in: all below a number, except a few gaps.

/// Gaps remembered for one start of a node. A node that sends in order has none; a lost or overtaken
/// record makes one until it comes. Beyond this many the oldest is forgotten: its reports then count as
/// repeated, which costs a state and never a contact (contacts are stored by key, whatever the report is).
const GAPS_MAX: usize = 64;

/// The sequence numbers seen from one start of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// One above the highest number seen.
    next: u64,
    /// Numbers below `next` that were not seen: inclusive ranges, ascending, not touching.
    gaps: Vec<(u64, u64)>,
}

impl Seen {
    /// As stored; gaps that make no sense are dropped (their reports count as seen).
    pub(crate) fn from_stored(next: u64, gaps: Option<&str>) -> Self {
        let mut gaps: Vec<(u64, u64)> =
            gaps.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        gaps.retain(|&(first, last)| first <= last && last < next);
        gaps.sort_unstable();
        Self { next, gaps }
    }

    /// One above the highest number seen.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// The gaps as JSON; `None` without any.
    pub(crate) fn gaps_json(&self) -> Option<String> {
        if self.gaps.is_empty() { None } else { serde_json::to_string(&self.gaps).ok() }
    }

    /// Takes note of `seq`; false when it was seen before.
    pub(crate) fn insert(&mut self, seq: u64) -> bool {
        // There is no number above the highest one: it is seen once `next` is there.
        if seq == u64::MAX && self.next == u64::MAX {
            return false;
        }
        if seq >= self.next {
            if seq > self.next {
                self.gaps.push((self.next, seq - 1));
            }
            self.next = seq.saturating_add(1);
        } else {
            let Some(at) = self.gaps.iter().position(|&(first, last)| first <= seq && seq <= last) else {
                return false;
            };
            let (first, last) = self.gaps.remove(at);
            if seq < last {
                self.gaps.insert(at, (seq + 1, last));
            }
            if first < seq {
                self.gaps.insert(at, (first, seq - 1));
            }
        }
        if self.gaps.len() > GAPS_MAX {
            self.gaps.remove(0);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_in_order_leave_no_gap() {
        let mut seen = Seen::default();
        assert!((0..1000).all(|seq| seen.insert(seq)));
        assert_eq!((seen.next(), seen.gaps_json()), (1000, None));
        assert!((0..1000).all(|seq| !seen.insert(seq)));
    }

    #[test]
    fn a_number_that_was_overtaken_is_new_once() {
        let mut seen = Seen::default();
        assert!(seen.insert(0) && seen.insert(5));
        assert_eq!(seen.gaps_json().as_deref(), Some("[[1,4]]"));
        assert!(seen.insert(2) && !seen.insert(2));
        assert_eq!(seen.gaps_json().as_deref(), Some("[[1,1],[3,4]]"));
        assert_eq!(Seen::from_stored(seen.next(), seen.gaps_json().as_deref()), seen);
    }

    #[test]
    fn damaged_gaps_count_as_seen() {
        assert_eq!(Seen::from_stored(5, Some("not json")), Seen { next: 5, gaps: vec![] });
        assert_eq!(Seen::from_stored(5, Some("[[3,9],[2,1],[1,1]]")), Seen { next: 5, gaps: vec![(1, 1)] });
    }

    #[test]
    fn the_largest_number_is_taken_once() {
        let mut seen = Seen::default();
        assert!(seen.insert(u64::MAX) && !seen.insert(u64::MAX));
        assert!(seen.insert(3));
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_set_of_all_numbers(order in proptest::collection::vec(0u64..100, 0..200)) {
            let (mut seen, mut set) = (Seen::default(), HashSet::new());
            for seq in order {
                // 100 numbers make at most 50 gaps, so none is forgotten.
                prop_assert_eq!(seen.insert(seq), set.insert(seq));
            }
        }
    }
}
