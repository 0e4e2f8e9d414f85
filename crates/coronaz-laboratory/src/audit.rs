//! What the devices recorded against what is stored.

use serde::Serialize;

use crate::journal::Recorded;

/// The comparison's outcome, in contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// Different contacts that devices wrote down.
    pub recorded: u64,
    /// Rows in the store.
    pub stored: u64,
    /// Recorded, and not stored.
    pub lost: u64,
    /// Rows stored beside an equal one.
    pub doubled: u64,
    /// Stored, and recorded by nobody.
    pub unknown: u64,
}

impl Verdict {
    /// Whether the store holds what was recorded, each once, and nothing else.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.unknown == 0
    }
}

/// Compares two lists of contacts, in any order.
#[must_use]
pub fn compare(mut recorded: Vec<Recorded>, mut stored: Vec<Recorded>) -> Verdict {
    recorded.sort_unstable();
    recorded.dedup();
    stored.sort_unstable();
    let rows = stored.len();
    stored.dedup();
    let (mut lost, mut unknown) = (0, 0);
    let (mut left, mut right) = (recorded.iter().peekable(), stored.iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => {
                lost += 1;
                left.next();
            }
            std::cmp::Ordering::Greater => {
                unknown += 1;
                right.next();
            }
            std::cmp::Ordering::Equal => {
                left.next();
                right.next();
            }
        }
    }
    Verdict {
        recorded: recorded.len() as u64,
        stored: rows as u64,
        lost: lost + left.count() as u64,
        doubled: (rows - stored.len()) as u64,
        unknown: unknown + right.count() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn contact(hearer: u128, time_us: i64) -> Recorded {
        Recorded { hearer: Uuid::from_u128(hearer), time_us, heard: Uuid::from_u128(9) }
    }

    #[test]
    fn what_is_equal_is_clean_whatever_its_order() {
        let verdict = compare(vec![contact(1, 1), contact(2, 1)], vec![contact(2, 1), contact(1, 1)]);
        assert!(verdict.is_clean());
        assert_eq!((verdict.recorded, verdict.stored), (2, 2));
    }

    #[test]
    fn lost_doubled_and_unknown_rows_are_each_counted() {
        let recorded = vec![contact(1, 1), contact(1, 2), contact(1, 3), contact(9, 9)];
        let stored = vec![contact(1, 1), contact(1, 1), contact(1, 3), contact(0, 0), contact(5, 5)];
        let verdict = compare(recorded, stored);
        assert_eq!(verdict, Verdict { recorded: 4, stored: 5, lost: 2, doubled: 1, unknown: 2 });
        assert!(!verdict.is_clean());
    }
}
