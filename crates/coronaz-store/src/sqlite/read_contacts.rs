//! Questions about contacts and encounters of a person: one look-up for each window of time there is.

use super::contact_rows::RunKey;
use super::person_rows;
use super::pool::{Failure, Pool, run_id, slot};
use super::read_fleet::fleet;
use super::read_runs::{self, unsigned};
use crate::ENCOUNTER_GAP_US;
use crate::encounter::Chain;
use crate::queries::Span;
use crate::view::{Contact, Cursor, Encounter, Page};
use rusqlite::{Row, Transaction, params};
use std::collections::HashSet;
use std::ops::ControlFlow;
use uuid::Uuid;

/// The first window at or after this one that has rows of the run.
fn window_from(
    transaction: &Transaction<'_>,
    table: &str,
    run: i64,
    from: i64,
) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached(&format!("select min(window) from {table} where run = ? and window >= ?"))?
        .query_row((run, from), |row| row.get(0))
}

pub(super) fn contacts(
    transaction: &Transaction<'_>,
    run: Uuid,
    person: Uuid,
    span: Span,
    from: Option<Cursor>,
    limit: usize,
) -> Result<Page<Contact>, Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        return fleet.contacts(transaction, person, span, from, limit);
    }
    let (run, slot) = slot(transaction, run, person)?;
    let from = from.unwrap_or(Cursor { time_us: i64::MIN, slot: 0 });
    let first_us = span.from_us.max(from.time_us);
    let mut statement = transaction.prepare_cached(
        "select c.time_us, c.other, n.uuid, c.distance
         from contact c join node n on n.run = c.run and n.slot = c.other
         where c.run = ? and c.window = ? and c.person = ? and (c.time_us, c.other) >= (?, ?) and c.time_us <= ?
         order by c.time_us, c.other limit ?",
    )?;
    let mut page = Page { items: Vec::new(), next: None };
    let mut next_window = run.window(first_us);
    while let Some(at_window) = window_from(transaction, "contact", run.id, next_window)? {
        if at_window > run.window(span.to_us) {
            break;
        }
        let first_slot = if first_us == from.time_us { from.slot } else { 0 };
        let room = (limit - page.items.len() + 1).cast_signed();
        let mut rows =
            statement.query(params![run.id, at_window, slot, first_us, first_slot, span.to_us, room])?;
        while let Some(row) = rows.next()? {
            let time_us = row.get(0)?;
            if page.items.len() == limit {
                page.next = Some(Cursor { time_us, slot: row.get(1)? });
                return Ok(page);
            }
            let other = Uuid::from_bytes(row.get(2)?);
            page.items.push(Contact { person, time_us, other, distance: row.get(3)? });
        }
        next_window = at_window.saturating_add(1);
    }
    Ok(page)
}

pub(super) fn encounter_from(row: &Row<'_>, person: Uuid, open: bool) -> rusqlite::Result<(u32, Encounter)> {
    let encounter = Encounter {
        person,
        other: Uuid::from_bytes(row.get(1)?),
        from_us: row.get(2)?,
        to_us: row.get(3)?,
        nearest: row.get(4)?,
        contacts: unsigned(row, 5)?,
        open,
    };
    Ok((row.get(0)?, encounter))
}

pub(super) fn encounters(
    transaction: &Transaction<'_>,
    run: Uuid,
    person: Uuid,
    span: Span,
    from: Option<Cursor>,
    limit: usize,
) -> Result<Page<Encounter>, Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        let last_us = read_runs::run(transaction, run)?.last_us.unwrap_or(i64::MIN);
        return fleet.encounters(transaction, (person, last_us), span, from, limit);
    }
    let (run, slot) = slot(transaction, run, person)?;
    let from = from.unwrap_or(Cursor { time_us: i64::MIN, slot: 0 });
    let mut found = open_encounters(transaction, run, slot, person, span)?;
    if from.time_us < span.from_us {
        let open: HashSet<u32> = found.iter().map(|(other, _)| *other).collect();
        found.extend(begun_before(transaction, run, (slot, person), span.from_us, &open)?);
    }
    found.retain(|(other, encounter)| Cursor { time_us: encounter.from_us, slot: *other } >= from);
    let first_us = span.from_us.max(from.time_us);
    let mut statement = transaction.prepare_cached(
        "select e.other, n.uuid, e.from_us, e.to_us, e.nearest, e.contacts
         from encounter e join node n on n.run = e.run and n.slot = e.other
         where e.run = ? and e.window = ? and e.person = ? and (e.from_us, e.other) >= (?, ?) and e.from_us <= ?
         order by e.from_us, e.other limit ?",
    )?;
    let mut next_window = run.window(first_us);
    let mut closed = 0;
    while closed <= limit
        && let Some(at_window) = window_from(transaction, "encounter", run.id, next_window)?
        && at_window <= run.window(span.to_us)
    {
        let first_slot = if first_us == from.time_us { from.slot } else { 0 };
        let room = (limit - closed + 1).cast_signed();
        let mut rows =
            statement.query(params![run.id, at_window, slot, first_us, first_slot, span.to_us, room])?;
        while let Some(row) = rows.next()? {
            found.push(encounter_from(row, person, false)?);
            closed += 1;
        }
        next_window = at_window.saturating_add(1);
    }
    found.sort_unstable_by_key(|(other, encounter)| (encounter.from_us, *other));
    let next = found.get(limit).map(|(other, encounter)| Cursor { time_us: encounter.from_us, slot: *other });
    found.truncate(limit);
    Ok(Page { items: found.into_iter().map(|(_, encounter)| encounter).collect(), next })
}

pub(super) fn open_encounters(
    transaction: &Transaction<'_>,
    run: RunKey,
    slot: u32,
    person: Uuid,
    span: Span,
) -> rusqlite::Result<Vec<(u32, Encounter)>> {
    let Some(reporter) = person_rows::read(transaction, run.id, slot)? else { return Ok(Vec::new()) };
    let mut name = transaction.prepare_cached("select uuid from node where run = ? and slot = ?")?;
    let mut open = Vec::new();
    for &(slot, chain) in reporter.meetings.open() {
        let Chain { from_us, to_us, nearest, contacts } = chain;
        if to_us >= span.from_us && from_us <= span.to_us {
            let other = name.query_row((run.id, slot), |row| row.get(0).map(Uuid::from_bytes))?;
            open.push((slot, Encounter { person, other, from_us, to_us, nearest, contacts, open: true }));
        }
    }
    Ok(open)
}

/// Closed encounters that began before `time_us` and were not over by then. Each has a contact in the
/// gap before that time, so these name whom to look for, and going back ends when all are found. Those in
/// `open` are in an open one, which is known.
pub(super) fn begun_before(
    transaction: &Transaction<'_>,
    run: RunKey,
    (slot, person): (u32, Uuid),
    time_us: i64,
    open: &HashSet<u32>,
) -> rusqlite::Result<Vec<(u32, Encounter)>> {
    let gap_us = time_us.saturating_sub(ENCOUNTER_GAP_US);
    let mut wanted: HashSet<u32> = HashSet::new();
    let mut near = transaction.prepare_cached(
        "select distinct other from contact
         where run = ? and window = ? and person = ? and time_us >= ? and time_us < ?",
    )?;
    for at_window in run.window(gap_us)..=run.window(time_us) {
        for other in near.query_map(params![run.id, at_window, slot, gap_us, time_us], |row| row.get(0))? {
            wanted.insert(other?);
        }
    }
    wanted.retain(|other| !open.contains(other));
    let mut previous =
        transaction.prepare_cached("select max(window) from encounter where run = ? and window <= ?")?;
    let mut statement = transaction.prepare_cached(
        "select e.other, n.uuid, e.from_us, e.to_us, e.nearest, e.contacts
         from encounter e join node n on n.run = e.run and n.slot = e.other
         where e.run = ? and e.window = ? and e.person = ? and e.from_us < ?",
    )?;
    let mut found = Vec::new();
    let mut from_window = run.window(time_us);
    while !wanted.is_empty()
        && let Some(at_window) =
            previous.query_row((run.id, from_window), |row| row.get::<_, Option<i64>>(0))?
    {
        let mut rows = statement.query(params![run.id, at_window, slot, time_us])?;
        while let Some(row) = rows.next()? {
            let (other, encounter) = encounter_from(row, person, false)?;
            // Those that ended before are the candidates' earlier encounters; no older one can reach further.
            let candidate = encounter.to_us >= gap_us && wanted.remove(&other);
            if candidate && encounter.to_us >= time_us {
                found.push((other, encounter));
            }
        }
        from_window = at_window.saturating_sub(1);
    }
    Ok(found)
}

pub(super) fn each_contact(
    pool: &Pool,
    transaction: &Transaction<'_>,
    run: Uuid,
    visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
) -> Result<(), Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        return fleet.each_contact(transaction, visit);
    }
    let run = run_id(transaction, run)?;
    let ids = pool.ids(transaction, run)?;
    let mut statement = transaction.prepare_cached(
        "select person, time_us, other, distance from contact where run = ?
         order by window, person, time_us, other",
    )?;
    let mut rows = statement.query([run])?;
    while let Some(row) = rows.next()? {
        let (person, other): (u32, u32) = (row.get(0)?, row.get(2)?);
        let (Some(&person), Some(&other)) = (ids.get(person as usize), ids.get(other as usize)) else {
            continue;
        };
        let contact = Contact { person, time_us: row.get(1)?, other, distance: row.get(3)? };
        if visit(contact).is_break() {
            break;
        }
    }
    Ok(())
}
