//! Questions about nodes and infections.

use super::person_rows::{self, Latest};
use super::pool::{Failure, Pool, run_id, slot};
use super::read_fleet::fleet;
use super::read_runs::unsigned;
use super::read_states;
use crate::At;
use crate::view::{Claimed, Infection, Node, NodeDetail, NodeState, Session};
use rusqlite::{Row, Transaction, params};
use uuid::Uuid;

pub(super) fn nodes(
    transaction: &Transaction<'_>,
    run: Uuid,
    from_slot: u32,
    limit: usize,
) -> Result<Vec<Node>, Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        return Ok(fleet.nodes(from_slot, limit));
    }
    let run = run_id(transaction, run)?;
    let nodes = transaction
        .prepare_cached("select slot, uuid from node where run = ? and slot >= ? order by slot limit ?")?
        .query_map(params![run, from_slot, limit.cast_signed()], |row| {
            Ok(Node { slot: row.get(0)?, id: Uuid::from_bytes(row.get(1)?) })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(nodes)
}

/// Five columns: `start_us`, `next_seq`, gaps, `claimed_contacts`, `claimed_digest`.
fn session_from(row: &Row<'_>, at: usize) -> rusqlite::Result<Session> {
    let contacts: Option<i64> = row.get(at + 3)?;
    let digest: Option<i64> = row.get(at + 4)?;
    Ok(Session {
        start_us: row.get(at)?,
        next_seq: unsigned(row, at + 1)?,
        gaps: row.get(at + 2)?,
        claimed: contacts.zip(digest).map(|(contacts, digest)| Claimed {
            contacts: contacts.cast_unsigned(),
            digest: digest.cast_unsigned(),
        }),
    })
}

pub(super) fn node(
    pool: &Pool,
    transaction: &Transaction<'_>,
    run: Uuid,
    node: Uuid,
) -> Result<NodeDetail, Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        let contacts = fleet.contacts_count(transaction, node)?;
        let latest = read_states::crowd(pool, transaction, run, At::Latest)?;
        return fleet.node(transaction, node, latest.as_ref(), contacts);
    }
    let (key, slot) = slot(transaction, run, node)?;
    let run = key.id;
    let node = Node { slot, id: node };
    let reporter = person_rows::read(transaction, run, slot)?;
    let infections = transaction
        .prepare_cached(
            "select i.time_us, e.uuid, r.uuid, i.x, i.y
             from infection i join node e on e.run = i.run and e.slot = i.infectee
             left join node r on r.run = i.run and r.slot = i.infector
             where i.run = ? and i.infectee = ? order by i.time_us",
        )?
        .query_map(params![run, slot], infection_from)?
        .collect::<rusqlite::Result<_>>()?;
    let mut sessions = transaction
        .prepare_cached(
            "select start_us, next_seq, gaps, claimed_contacts, claimed_digest from node_session
             where run = ? and slot = ? order by start_us desc",
        )?
        .query_map(params![run, slot], |row| session_from(row, 0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let Some((person, latest)) = reporter.and_then(|person| person.latest.map(|latest| (person, latest)))
    else {
        return Ok(NodeDetail { node, latest: None, first_us: None, infections, contacts: 0, sessions });
    };
    let Latest { x, y, health, time_us, first_us, .. } = latest;
    let state = NodeState { slot, id: node.id, x, y, time_us, health };
    sessions.insert(0, person.session.view());
    let contacts = person.contacts;
    Ok(NodeDetail { node, latest: Some(state), first_us: Some(first_us), infections, contacts, sessions })
}

pub(super) fn infection_from(row: &Row<'_>) -> rusqlite::Result<Infection> {
    Ok(Infection {
        time_us: row.get(0)?,
        infectee: Uuid::from_bytes(row.get(1)?),
        infector: row.get::<_, Option<[u8; 16]>>(2)?.map(Uuid::from_bytes),
        x: row.get(3)?,
        y: row.get(4)?,
    })
}

pub(super) fn infections(
    transaction: &Transaction<'_>,
    run: Uuid,
    from_us: i64,
    limit: usize,
) -> Result<Vec<Infection>, Failure> {
    if let Some(fleet) = fleet(transaction, run)? {
        return fleet.infections(transaction, (from_us, i64::try_from(limit).unwrap_or(i64::MAX)), None);
    }
    let run = run_id(transaction, run)?;
    let infections = transaction
        .prepare_cached(
            "select i.time_us, e.uuid, r.uuid, i.x, i.y
             from infection i join node e on e.run = i.run and e.slot = i.infectee
             left join node r on r.run = i.run and r.slot = i.infector
             where i.run = ? and i.time_us >= ? order by i.time_us, i.infectee limit ?",
        )?
        .query_map(params![run, from_us, limit.cast_signed()], infection_from)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(infections)
}
