//! Questions about a fleet's contacts. They stay in the frames: a question reads those of the shards that can know,
//! from the time asked for on. A pair stands in the shard of its smaller number.

use super::fleet_rows::each_frame;
use super::pool::Failure;
use super::read_fleet::Fleet;
use crate::encounter::Chain;
use crate::paging::page_back;
use crate::queries::Span;
use crate::view::{Contact, Cursor, Encounter, Page};
use crate::{ENCOUNTER_GAP_US, FLEET_WINDOW_US};
use coronaz_wire::frame::{self, Frame};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use uuid::Uuid;

/// Hearer, time, heard, distance. In this order within a window.
type Row = (u32, i64, u32, f64);

impl Fleet {
    /// Hands over frames of a stretch of time, shard by shard, each shard's by tick; a break ends the shard.
    fn each_frame(
        &self,
        transaction: &Transaction<'_>,
        shards: Range<u32>,
        span: Span,
        mut visit: impl FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let from: Option<i64> = transaction
            .prepare_cached("select max(k) from state where run = ? and time_us < ?")?
            .query_row(params![self.run, span.from_us], |row| row.get(0))?;
        for shard in shards {
            each_frame(transaction, self.run, shard, (from.unwrap_or(0), i64::MAX), |bytes| {
                let Ok(frame) = Frame::decode(bytes) else { return ControlFlow::Continue(()) };
                let time_us = frame.header.stamp.time_us;
                if time_us > span.to_us {
                    return ControlFlow::Break(());
                }
                if time_us < span.from_us {
                    return ControlFlow::Continue(());
                }
                visit(&frame)
            })?;
        }
        Ok(())
    }

    /// The contacts that a person recorded, by time and other; of each shard at least the first `enough`.
    fn contacts_of(
        &self,
        transaction: &Transaction<'_>,
        slot: u32,
        span: Span,
        from: Cursor,
        enough: usize,
    ) -> Result<Vec<(i64, u32, f64)>, Failure> {
        let mut all = Vec::new();
        for shard in 0..=slot / self.population.shard_people {
            let (mut found, mut tick) = (Vec::new(), None);
            self.each_frame(transaction, shard..shard + 1, span, |frame| {
                let stamp = &frame.header.stamp;
                if tick.replace(stamp.tick) != Some(stamp.tick) && found.len() >= enough {
                    return ControlFlow::Break(());
                }
                for (_, time_us, other, distance) in rows_of(frame).filter(|row| row.0 == slot) {
                    if (Cursor { time_us, slot: other }) >= from {
                        found.push((time_us, other, distance));
                    }
                }
                ControlFlow::Continue(())
            })?;
            all.append(&mut found);
        }
        all.sort_unstable_by_key(|&(time_us, other, _)| (time_us, other));
        all.dedup_by_key(|&mut (time_us, other, _)| (time_us, other));
        Ok(all)
    }

    /// How many contacts a person recorded.
    pub(super) fn contacts_count(&self, transaction: &Transaction<'_>, person: Uuid) -> Result<u64, Failure> {
        let slot = self.slot_of(person)?;
        Ok(self.contacts_of(transaction, slot, Span::ALL, FIRST, usize::MAX)?.len() as u64)
    }

    /// A page of a person's contacts.
    pub(super) fn contacts(
        &self,
        transaction: &Transaction<'_>,
        person: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, Failure> {
        let slot = self.slot_of(person)?;
        let from = from.unwrap_or(FIRST);
        let asked = Span { from_us: span.from_us.max(from.time_us), ..span };
        let found = self.contacts_of(transaction, slot, asked, from, limit.saturating_add(1))?;
        let next = found.get(limit).map(|&(time_us, slot, _)| Cursor { time_us, slot });
        let items = found.into_iter().take(limit).map(|(time_us, other, distance)| Contact {
            person,
            time_us,
            other: self.id_of(other),
            distance: Some(distance),
        });
        Ok(Page { items: items.collect(), next })
    }

    /// The same newest first: looks back from the end, further each time, until the page is full.
    pub(super) fn contacts_back(
        &self,
        transaction: &Transaction<'_>,
        person: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, Failure> {
        let slot = self.slot_of(person)?;
        let ends = |sql: &str| -> rusqlite::Result<Option<i64>> {
            transaction.prepare_cached(sql)?.query_row([self.run], |row| row.get(0)).optional()
        };
        let first_us = ends("select time_us from state where run = ? order by k limit 1")?;
        let newest_us = ends("select max(time_us) from fleet_tick where run = ?")?;
        let (Some(first_us), Some(newest_us)) = (first_us, newest_us) else {
            return Ok(Page { items: Vec::new(), next: None });
        };
        let last_us = span.to_us.min(from.map_or(i64::MAX, |from| from.time_us)).min(newest_us);
        let mut back_us = FLEET_WINDOW_US;
        let found = loop {
            let from_us = last_us.saturating_sub(back_us).max(span.from_us);
            let asked = Span { from_us, to_us: last_us };
            let mut found = self.contacts_of(transaction, slot, asked, FIRST, usize::MAX)?;
            found.retain(|&(time_us, slot, _)| from.is_none_or(|from| Cursor { time_us, slot } <= from));
            if found.len() > limit || from_us <= span.from_us || from_us < first_us {
                break found;
            }
            back_us = back_us.saturating_mul(4);
        };
        let placed = found.into_iter().map(|(time_us, slot, distance)| {
            let (other, distance) = (self.id_of(slot), Some(distance));
            (Cursor { time_us, slot }, Contact { person, time_us, other, distance })
        });
        Ok(page_back(placed.collect(), from, limit))
    }

    /// A person's encounters that overlap a stretch of time; `last_us` is the time of the newest moment.
    fn meetings_of(
        &self,
        transaction: &Transaction<'_>,
        (person, last_us): (Uuid, i64),
        span: Span,
    ) -> Result<Vec<(Cursor, Encounter)>, Failure> {
        let slot = self.slot_of(person)?;
        let mut chains: Vec<(u32, Chain)> = Vec::new();
        let mut newest: HashMap<u32, usize> = HashMap::new();
        for (time_us, other, distance) in self.contacts_of(transaction, slot, Span::ALL, FIRST, usize::MAX)? {
            match newest.get(&other).map(|&at| &mut chains[at].1) {
                Some(chain) if chain.reaches(time_us) => chain.add(time_us, Some(distance)),
                _ => {
                    newest.insert(other, chains.len());
                    chains.push((other, Chain::at(time_us, Some(distance))));
                }
            }
        }
        chains.retain(|(_, chain)| chain.from_us <= span.to_us && chain.to_us >= span.from_us);
        let placed = chains.into_iter().map(|(slot, chain)| {
            let Chain { from_us, to_us, nearest, contacts } = chain;
            let (other, open) = (self.id_of(slot), to_us.saturating_add(ENCOUNTER_GAP_US) >= last_us);
            let encounter = Encounter { person, other, from_us, to_us, nearest, contacts, open };
            (Cursor { time_us: from_us, slot }, encounter)
        });
        Ok(placed.collect())
    }

    /// A page of a person's encounters; `last_us` is the time of the newest moment.
    pub(super) fn encounters(
        &self,
        transaction: &Transaction<'_>,
        of: (Uuid, i64),
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, Failure> {
        let mut placed = self.meetings_of(transaction, of, span)?;
        placed.retain(|(at, _)| *at >= from.unwrap_or(FIRST));
        placed.sort_unstable_by_key(|&(at, _)| at);
        let next = placed.get(limit).map(|&(at, _)| at);
        let items = placed.into_iter().take(limit).map(|(_, encounter)| encounter);
        Ok(Page { items: items.collect(), next })
    }

    /// The same newest first.
    pub(super) fn encounters_back(
        &self,
        transaction: &Transaction<'_>,
        of: (Uuid, i64),
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, Failure> {
        Ok(page_back(self.meetings_of(transaction, of, span)?, from, limit))
    }

    /// Every contact, by window, person, time, other.
    pub(super) fn each_contact(
        &self,
        transaction: &Transaction<'_>,
        visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let mut from_us = i64::MIN;
        loop {
            let first_us: Option<i64> = transaction
                .prepare_cached("select min(time_us) from fleet_tick where run = ? and time_us >= ?")?
                .query_row(params![self.run, from_us], |row| row.get(0))?;
            let Some(first_us) = first_us else { return Ok(()) };
            let start_us = first_us.div_euclid(FLEET_WINDOW_US).saturating_mul(FLEET_WINDOW_US);
            let span = Span { from_us: start_us, to_us: start_us.saturating_add(FLEET_WINDOW_US - 1) };
            let mut rows: Vec<Row> = Vec::new();
            self.each_frame(transaction, 0..self.population.shards(), span, |frame| {
                rows.extend(rows_of(frame));
                ControlFlow::Continue(())
            })?;
            rows.sort_unstable_by_key(|&(person, time_us, other, _)| (person, time_us, other));
            rows.dedup_by_key(|&mut (person, time_us, other, _)| (person, time_us, other));
            for (person, time_us, other, distance) in rows {
                let (person, other) = (self.id_of(person), self.id_of(other));
                if visit(Contact { person, time_us, other, distance: Some(distance) }).is_break() {
                    return Ok(());
                }
            }
            let Some(next_us) = span.to_us.checked_add(1) else { return Ok(()) };
            from_us = next_us;
        }
    }
}

/// Before every contact.
const FIRST: Cursor = Cursor { time_us: i64::MIN, slot: 0 };

/// The contacts of a frame, each direction for itself.
fn rows_of<'a>(frame: &Frame<'a>) -> impl Iterator<Item = Row> + use<'a> {
    let time_us = frame.header.stamp.time_us;
    frame.contacts().flat_map(move |contact| {
        let frame::Contact { hearer, heard, distance_squared, mutual } = contact;
        let distance = f64::from(distance_squared).sqrt();
        let back = mutual.then_some((heard, time_us, hearer, distance));
        [Some((hearer, time_us, heard, distance)), back].into_iter().flatten()
    })
}
