//! Two sorted lists, and how they differ.

use std::cmp::Ordering;

/// How many things differ, by kind of difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) wrong: u64,
    pub(super) unknown: u64,
}

/// One thing that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference<'a, T> {
    Lost(&'a T),
    Doubled(&'a T),
    /// As it should be, and as it is.
    Wrong(&'a T, &'a T),
    Unknown(&'a T),
}

/// Compares two lists that are sorted by `key`; the first has each key once.
pub(super) fn merge<T: PartialEq, K: Ord>(
    expected: &[T],
    stored: &[T],
    key: impl Fn(&T) -> K,
    mut tell: impl FnMut(Difference<'_, T>),
) -> Tally {
    let mut tally = Tally::default();
    let (mut left, mut right) = (expected.iter().peekable(), stored.iter().peekable());
    // What stood last in `stored`, if its key is one of `expected`.
    let mut met: Option<&T> = None;
    while let Some(found) = right.peek().copied() {
        if met.is_some_and(|met| key(met) == key(found)) {
            tally.doubled += 1;
            tell(Difference::Doubled(found));
            right.next();
            continue;
        }
        let order = left.peek().map_or(Ordering::Greater, |wanted| key(wanted).cmp(&key(found)));
        match (order, left.peek().copied()) {
            (Ordering::Less, Some(wanted)) => {
                tally.lost += 1;
                tell(Difference::Lost(wanted));
                left.next();
            }
            (Ordering::Equal, Some(wanted)) => {
                if wanted != found {
                    tally.wrong += 1;
                    tell(Difference::Wrong(wanted, found));
                }
                met = Some(found);
                left.next();
                right.next();
            }
            _ => {
                tally.unknown += 1;
                tell(Difference::Unknown(found));
                right.next();
            }
        }
    }
    for wanted in left {
        tally.lost += 1;
        tell(Difference::Lost(wanted));
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(expected: &[(u32, u32)], stored: &[(u32, u32)]) -> Tally {
        let mut told = 0;
        let tally = merge(expected, stored, |pair| pair.0, |_| told += 1);
        assert_eq!(told, tally.lost + tally.doubled + tally.wrong + tally.unknown);
        tally
    }

    #[test]
    fn equal_lists_do_not_differ() {
        assert_eq!(tally(&[], &[]), Tally::default());
        assert_eq!(tally(&[(1, 5), (2, 5)], &[(1, 5), (2, 5)]), Tally::default());
    }

    #[test]
    fn each_difference_is_counted_as_what_it_is() {
        let expected = [(1, 0), (2, 0), (3, 0), (5, 0), (9, 0)];
        let stored = [(0, 0), (1, 0), (1, 0), (2, 7), (4, 0), (5, 0), (5, 1), (6, 0), (6, 0)];
        assert_eq!(tally(&expected, &stored), Tally { lost: 2, doubled: 2, wrong: 1, unknown: 4 });
    }
}
