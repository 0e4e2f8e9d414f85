//! Questions about moments.

use super::pool::{Failure, Pool, run_id};
use super::read_fleet::{Fleet, fleet};
use super::read_runs::{figures, unsigned};
use super::snapshot_rows;
use crate::At;
use crate::queries::{PAPER_PEOPLE_MAX, PaperState};
use crate::snapshot::Seats;
use crate::view::{Crowd, Moment, NodeState, State};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use std::ops::ControlFlow;
use uuid::Uuid;

const COLUMNS: &str =
    "k, time_us, total, zombies, deaths, dead_zombies, immune, contacts, infections, reports";

fn moment_from(row: &Row<'_>) -> rusqlite::Result<(Moment, u64)> {
    let moment = Moment {
        k: unsigned(row, 0)?,
        time_us: row.get(1)?,
        figures: figures(row, 2)?,
        contacts: unsigned(row, 7)?,
        infections: unsigned(row, 8)?,
    };
    Ok((moment, unsigned(row, 9)?))
}

/// A moment by number, and after how many reports it is.
fn moment(transaction: &Transaction<'_>, run: i64, k: u64) -> rusqlite::Result<Option<(Moment, u64)>> {
    transaction
        .prepare_cached(&format!("select {COLUMNS} from state where run = ? and k = ?"))?
        .query_row(params![run, k.cast_signed()], moment_from)
        .optional()
}

fn latest(transaction: &Transaction<'_>, run: i64) -> rusqlite::Result<Option<u64>> {
    let states = transaction
        .prepare_cached("select states from run where id = ?")?
        .query_row([run], |row| unsigned(row, 0))?;
    Ok(states.checked_sub(1))
}

pub(super) fn state(
    pool: &Pool,
    transaction: &Transaction<'_>,
    run: Uuid,
    at: At,
) -> Result<Option<State>, Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        let Some(crowd) = crowd(pool, transaction, run, at)? else { return Ok(None) };
        let (moment, latest) = (crowd.moment, crowd.latest);
        return Ok(Some(State { moment, latest, nodes: fleet.nodes_of(&crowd).collect() }));
    }
    let run = run_id(transaction, run)?;
    let Some(Found { moment, reports, latest }) = find(transaction, run, at)? else { return Ok(None) };
    let seats = snapshot_rows::seats_at(transaction, run, reports)?;
    let ids = pool.ids(transaction, run)?;
    Ok(Some(State { moment, latest, nodes: nodes_of(&seats, &ids).collect() }))
}

/// Everybody at a moment, in columns.
pub(super) fn crowd(
    pool: &Pool,
    transaction: &Transaction<'_>,
    run: Uuid,
    at: At,
) -> Result<Option<Crowd>, Failure> {
    let id = run_id(transaction, run)?;
    let Some(Found { moment, reports, latest }) = find(transaction, id, at)? else { return Ok(None) };
    if let Some(fleet) = fleet(transaction, run)? {
        return fleet.crowd(pool, transaction, (moment, latest));
    }
    let seats = snapshot_rows::seats_at(transaction, id, reports)?.0;
    Ok(Some(Crowd {
        moment,
        latest,
        x: seats.iter().map(|seat| seat.map_or(0, |seat| seat.x)).collect(),
        y: seats.iter().map(|seat| seat.map_or(0, |seat| seat.y)).collect(),
        health: seats.iter().map(|seat| seat.map(|seat| seat.health)).collect(),
    }))
}

/// A moment that was asked for.
struct Found {
    moment: Moment,
    reports: u64,
    latest: u64,
}

fn find(transaction: &Transaction<'_>, run: i64, at: At) -> Result<Option<Found>, Failure> {
    let Some(latest) = latest(transaction, run)? else { return Ok(None) };
    let k = match at {
        At::Latest => Some(latest),
        At::Moment(k) => Some(k),
        At::TimeUs(time_us) => transaction
            .prepare_cached(
                "select k from state where run = ? and time_us <= ? order by time_us desc, k desc limit 1",
            )?
            .query_row(params![run, time_us], |row| unsigned(row, 0))
            .optional()?,
    };
    let Some(k) = k else { return Ok(None) };
    let Some((moment, reports)) = moment(transaction, run, k)? else { return Ok(None) };
    Ok(Some(Found { moment, reports, latest }))
}

fn nodes_of<'a>(seats: &'a Seats, ids: &'a [Uuid]) -> impl Iterator<Item = NodeState> + 'a {
    (0..).zip(seats.0.iter().zip(ids)).filter_map(|(slot, (seat, &id))| {
        let seat = (*seat)?;
        Some(NodeState { slot, id, x: seat.x, y: seat.y, time_us: seat.time_us, health: seat.health })
    })
}

pub(super) fn moments(
    transaction: &Transaction<'_>,
    run: Uuid,
    from: u64,
    to: u64,
    points_max: usize,
) -> Result<Vec<Moment>, Failure> {
    let run = run_id(transaction, run)?;
    let Some(latest) = latest(transaction, run)? else { return Ok(Vec::new()) };
    let to = to.min(latest);
    if from > to || points_max == 0 {
        return Ok(Vec::new());
    }
    let count = to - from + 1;
    if count <= points_max as u64 {
        let moments = transaction
            .prepare_cached(&format!(
                "select {COLUMNS} from state where run = ? and k between ? and ? order by k"
            ))?
            .query_map(params![run, from.cast_signed(), to.cast_signed()], |row| {
                moment_from(row).map(|(moment, _)| moment)
            })?
            .collect::<rusqlite::Result<_>>()?;
        return Ok(moments);
    }
    let mut moments = Vec::with_capacity(points_max);
    let last_point = points_max as u64 - 1;
    for point in 0..=last_point {
        // One point alone is the last moment; otherwise the first and the last are among them.
        let step = u128::from(count - 1) * u128::from(point) / u128::from(last_point.max(1));
        let k = if last_point == 0 { to } else { from + u64::try_from(step).unwrap_or(count - 1) };
        moments.extend(moment(transaction, run, k)?.map(|(moment, _)| moment));
    }
    Ok(moments)
}

pub(super) fn paper_states(
    pool: &Pool,
    transaction: &Transaction<'_>,
    run: Uuid,
    visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        return fleet_states(transaction, &fleet, visit);
    }
    let run = run_id(transaction, run)?;
    let ids = pool.ids(transaction, run)?;
    let mut seats = Seats::default();
    let mut states = transaction.prepare_cached("select k, reports from state where run = ? order by k")?;
    let mut states = states.query([run])?;
    let mut reports = transaction
        .prepare_cached("select slot, x, y, health, time_us from node_state where run = ? order by report")?;
    let mut reports = reports.query([run])?;
    let mut applied = 0;
    while let Some(state) = states.next()? {
        let (k, until) = (unsigned(state, 0)?, unsigned(state, 1)?);
        while applied < until
            && let Some(row) = reports.next()?
        {
            seats.apply(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
            applied += 1;
        }
        let mut state = PaperState { k, nodes: &mut nodes_of(&seats, &ids) };
        if visit(&mut state).is_break() {
            break;
        }
    }
    Ok(())
}

fn fleet_states(
    transaction: &Transaction<'_>,
    fleet: &Fleet,
    visit: &mut dyn FnMut(&mut PaperState<'_>) -> ControlFlow<()>,
) -> Result<(), Failure> {
    if fleet.population.people > PAPER_PEOPLE_MAX {
        return Ok(());
    }
    let mut mirror = None;
    let mut states =
        transaction.prepare_cached(&format!("select {COLUMNS} from state where run = ? order by k"))?;
    let mut states = states.query([fleet.run])?;
    while let Some(row) = states.next()? {
        let (moment, _) = moment_from(row)?;
        mirror = fleet.mirror_at(transaction, mirror, moment.k)?;
        let Some(whole) = &mirror else { continue };
        let crowd = fleet.crowd_of(whole, moment, moment.k);
        let mut state = PaperState { k: moment.k, nodes: &mut fleet.nodes_of(&crowd) };
        if visit(&mut state).is_break() {
            break;
        }
    }
    Ok(())
}
