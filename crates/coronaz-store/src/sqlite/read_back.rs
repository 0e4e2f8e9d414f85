//! Contacts, encounters and infections as people look at them: the newest first, or by who caused them.

use super::people_log;
use super::pool::{Failure, Pool, run_id, slot};
use super::read_contacts::{begun_before, encounter_from, open_encounters};
use super::read_fleet::fleet;
use super::read_nodes::infection_from;
use super::read_runs;
use crate::paging::page_back;
use crate::queries::Span;
use crate::view::{Contact, Cursor, Encounter, Infection, Page};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;
use uuid::Uuid;

/// After every item.
const LAST: Cursor = Cursor { time_us: i64::MAX, slot: u32::MAX };

/// The last window at or before this one that has rows of the run.
fn window_to(transaction: &Transaction<'_>, table: &str, run: i64, to: i64) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached(&format!("select max(window) from {table} where run = ? and window <= ?"))?
        .query_row((run, to), |row| row.get(0))
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
        return fleet.contacts_back(transaction, person, span, from, limit);
    }
    let (run, slot) = slot(transaction, run, person)?;
    let from = from.unwrap_or(LAST);
    let last = if from.time_us > span.to_us { Cursor { time_us: span.to_us, ..LAST } } else { from };
    let mut statement = transaction.prepare_cached(
        "select c.time_us, c.other, n.uuid, c.distance
         from contact c join node n on n.run = c.run and n.slot = c.other
         where c.run = ? and c.window = ? and c.person = ? and (c.time_us, c.other) <= (?, ?) and c.time_us >= ?
         order by c.time_us desc, c.other desc limit ?",
    )?;
    let mut page = Page { items: Vec::new(), next: None };
    let mut from_window = run.window(last.time_us);
    while let Some(at_window) = window_to(transaction, "contact", run.id, from_window)? {
        if at_window < run.window(span.from_us) {
            break;
        }
        let room = (limit - page.items.len() + 1).cast_signed();
        let mut rows =
            statement.query(params![run.id, at_window, slot, last.time_us, last.slot, span.from_us, room])?;
        while let Some(row) = rows.next()? {
            let time_us = row.get(0)?;
            if page.items.len() == limit {
                page.next = Some(Cursor { time_us, slot: row.get(1)? });
                return Ok(page);
            }
            let other = Uuid::from_bytes(row.get(2)?);
            page.items.push(Contact { person, time_us, other, distance: row.get(3)? });
        }
        let Some(before) = at_window.checked_sub(1) else { break };
        from_window = before;
    }
    Ok(page)
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
        return fleet.encounters_back(transaction, (person, last_us), span, from, limit);
    }
    let (run, slot) = slot(transaction, run, person)?;
    let from = from.unwrap_or(LAST);
    let last = if from.time_us > span.to_us { Cursor { time_us: span.to_us, ..LAST } } else { from };
    let mut found = open_encounters(transaction, run, slot, person, span)?;
    let mut statement = transaction.prepare_cached(
        "select e.other, n.uuid, e.from_us, e.to_us, e.nearest, e.contacts
         from encounter e join node n on n.run = e.run and n.slot = e.other
         where e.run = ? and e.window = ? and e.person = ? and (e.from_us, e.other) <= (?, ?) and e.from_us >= ?
         order by e.from_us desc, e.other desc limit ?",
    )?;
    let mut from_window = run.window(last.time_us);
    let (mut closed, mut all) = (0, false);
    while closed <= limit {
        let at_window = window_to(transaction, "encounter", run.id, from_window)?;
        let Some(at_window) = at_window.filter(|&at| at >= run.window(span.from_us)) else {
            all = true;
            break;
        };
        let room = (limit - closed + 1).cast_signed();
        let mut rows =
            statement.query(params![run.id, at_window, slot, last.time_us, last.slot, span.from_us, room])?;
        while let Some(row) = rows.next()? {
            found.push(encounter_from(row, person, false)?);
            closed += 1;
        }
        let Some(before) = at_window.checked_sub(1) else {
            all = true;
            break;
        };
        from_window = before;
    }
    if all {
        // The oldest ones began before the time asked for, and were not over by then.
        let open: HashSet<u32> = found.iter().filter(|(_, e)| e.open).map(|(other, _)| *other).collect();
        found.extend(begun_before(transaction, run, (slot, person), span.from_us, &open)?);
    }
    let place =
        |(slot, encounter): (u32, Encounter)| (Cursor { time_us: encounter.from_us, slot }, encounter);
    Ok(page_back(found.into_iter().map(place).collect(), Some(from), limit))
}

/// Whom a person infected.
pub(super) fn infections_by(
    transaction: &Transaction<'_>,
    run: Uuid,
    infector: Uuid,
    from_us: i64,
    limit: usize,
) -> Result<Vec<Infection>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    if let Some(fleet) = fleet(transaction, run)? {
        return fleet.infections_by(transaction, infector, (from_us, limit));
    }
    let (run, slot) = slot(transaction, run, infector)?;
    let infections = transaction
        .prepare_cached(
            "select i.time_us, e.uuid, r.uuid, i.x, i.y
             from infection i join node e on e.run = i.run and e.slot = i.infectee
             join node r on r.run = i.run and r.slot = i.infector
             where i.run = ? and i.infector = ? and i.time_us >= ? order by i.time_us, i.infectee limit ?",
        )?
        .query_map(params![run.id, slot, from_us, limit], infection_from)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(infections)
}

/// Every encounter of a run: those that are over by window, person and beginning, then those that may go on.
pub(super) fn each_encounter(
    pool: &Pool,
    transaction: &Transaction<'_>,
    run: Uuid,
    visit: &mut dyn FnMut(Encounter) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let id = run_id(transaction, run)?;
    let ids = pool.ids(transaction, id)?;
    let name = |slot: u32| ids.get(slot as usize).copied();
    let mut statement = transaction.prepare_cached(
        "select person, other, from_us, to_us, nearest, contacts from encounter where run = ?
         order by window, person, from_us, other",
    )?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        let (Some(person), Some(other)) = (name(row.get(0)?), name(row.get(1)?)) else { continue };
        let (from_us, to_us, nearest) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let contacts = read_runs::unsigned(row, 5)?;
        let encounter = Encounter { person, other, from_us, to_us, nearest, contacts, open: false };
        if visit(encounter).is_break() {
            return Ok(());
        }
    }
    let run = transaction
        .prepare_cached("select window_us from run where id = ?")?
        .query_row([id], |row| Ok(super::contact_rows::RunKey { id, window_us: row.get(0)? }))
        .optional()?;
    let Some(run) = run else { return Ok(()) };
    let mut meeting =
        transaction.prepare_cached("select slot from node_latest where run = ? and open is not null")?;
    let mut slots: BTreeSet<u32> =
        meeting.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    people_log::each_entry(transaction, id, |slot, _| {
        slots.insert(slot);
    })?;
    for slot in slots {
        let Some(person) = name(slot) else { continue };
        for (_, encounter) in open_encounters(transaction, run, slot, person, Span::ALL)? {
            if visit(encounter).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}
