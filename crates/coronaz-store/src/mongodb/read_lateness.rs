//! How late things came, by the clock of those who stored them.

use super::codec::Fields;
use super::history;
use super::server::names;
use super::trouble::Trouble;
use super::view::RunView;
use crate::ledger::Lateness;
use mongodb::bson::doc;

/// How many reports or ticks came later than `after_us` after their time. A report came at the latest when the next
/// moment was drawn, and before the one before it was not.
pub(super) fn lateness(view: &RunView, after_us: i64) -> Result<Lateness, Trouble> {
    let mut lateness = Lateness::default();
    let mut judge = |arrived_us: i64, time_us: i64| {
        let late_us = arrived_us.saturating_sub(time_us);
        lateness.judged += 1;
        lateness.late += u64::from(late_us > after_us);
        lateness.largest_us = lateness.largest_us.max(late_us);
    };
    let filter = view.filter(doc! {"n": {"$lte": view.head.n}});
    let collection = view.store.collection(names::STATES);
    let states = collection.find(filter).sort(doc! {"k": 1});
    let states = states.projection(doc! {"reports": 1, "arrived_us": 1, "time_us": 1}).run()?;
    if view.head.fleet.is_some() {
        for state in states {
            let state = state?;
            judge(state.int("arrived_us")?, state.int("time_us")?);
        }
        return Ok(lateness);
    }
    let mut drawn = Vec::new();
    for state in states {
        let state = state?;
        drawn.push((state.count("reports")?, state.int("arrived_us")?));
    }
    let last = drawn.last().map_or(0, |&(reports, _)| reports);
    let (mut number, mut next) = (0, drawn.into_iter().peekable());
    history::each(&view.store, view.run, (0, last), |row| {
        while next.next_if(|&(until, _)| until <= number).is_some() {}
        if let Some(&(_, arrived_us)) = next.peek() {
            judge(arrived_us, row.time_us);
        }
        number += 1;
    })?;
    Ok(lateness)
}
