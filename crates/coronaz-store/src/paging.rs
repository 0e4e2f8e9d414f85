//! Lists the other way round, and whole, for stores that only know them page by page from the oldest on.

use crate::view::{Cursor, Page};
use std::collections::HashMap;
use uuid::Uuid;

/// Items asked for at a time when all are wanted: enough that a page's price does not count, few enough to stay small.
pub(crate) const PAGE_ITEMS: usize = 10_000;

/// All items of a list that is given in pages.
pub(crate) fn every_page<T, E>(
    mut page: impl FnMut(Option<Cursor>) -> Result<Page<T>, E>,
) -> Result<Vec<T>, E> {
    let (mut all, mut next) = (Vec::new(), None);
    loop {
        let Page { items, next: more } = page(next)?;
        all.extend(items);
        next = more;
        if next.is_none() {
            return Ok(all);
        }
    }
}

/// A page of a list of which all items are there, newest first. `place` says an item's time and the other person,
/// `slot` that person's slot.
pub(crate) fn newest_first<T, E>(
    all: Vec<T>,
    place: impl Fn(&T) -> (i64, Uuid),
    mut slot: impl FnMut(Uuid) -> Result<u32, E>,
    (from, limit): (Option<Cursor>, usize),
) -> Result<Page<T>, E> {
    let mut slots: HashMap<Uuid, u32> = HashMap::new();
    let mut placed = Vec::with_capacity(all.len());
    for item in all {
        let (time_us, other) = place(&item);
        let slot = match slots.get(&other) {
            Some(&slot) => slot,
            None => *slots.entry(other).or_insert(slot(other)?),
        };
        placed.push((Cursor { time_us, slot }, item));
    }
    Ok(page_back(placed, from, limit))
}

/// A page of items with their places, newest first.
pub(crate) fn page_back<T>(mut placed: Vec<(Cursor, T)>, from: Option<Cursor>, limit: usize) -> Page<T> {
    placed.retain(|(at, _)| from.is_none_or(|from| *at <= from));
    placed.sort_by_key(|&(at, _)| std::cmp::Reverse(at));
    let next = placed.get(limit).map(|&(at, _)| at);
    placed.truncate(limit);
    Page { items: placed.into_iter().map(|(_, item)| item).collect(), next }
}
