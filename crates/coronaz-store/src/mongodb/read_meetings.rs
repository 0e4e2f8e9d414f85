//! Questions about a fleet's contacts. They stay in the frames: a question reads those of the shards that can know,
//! from the time asked for on. A pair stands in the shard of its smaller number.

use super::codec::Fields;
use super::read_fleet::Fleet;
use super::server::names;
use super::trouble::Trouble;
use crate::chains::Chains;
use crate::encounter::Chain;
use crate::queries::Span;
use crate::view::{Contact, Cursor, Encounter, Page};
use crate::{ENCOUNTER_GAP_US, FLEET_WINDOW_US};
use coronaz_wire::frame::{self, Frame};
use mongodb::bson::doc;
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use uuid::Uuid;

/// Hearer, time, heard, distance. In this order within a window.
type Row = (u32, i64, u32, f64);

/// Before every contact.
const FIRST: Cursor = Cursor { time_us: i64::MIN, slot: 0 };

impl Fleet<'_> {
    /// Hands over frames of a stretch of time, shard by shard, each shard's by tick; a break ends the shard.
    fn each_frame_of(
        &self,
        shards: Range<u32>,
        span: Span,
        mut visit: impl FnMut(&Frame<'_>) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let before = self.view.filter(doc! {"time_us": {"$lt": span.from_us}});
        let collection = self.view.store.collection(names::STATES);
        let from = collection.find_one(before).sort(doc! {"time_us": -1, "k": -1});
        let from = from.projection(doc! {"k": 1}).run()?.map_or(Ok(0), |state| state.count("k"))?;
        for shard in shards {
            // That the visitor breaks ends this shard alone.
            let _ = self.each_frame(shard, (from, i64::MAX as u64), &mut |raw| {
                let Ok(frame) = Frame::decode(raw) else { return ControlFlow::Continue(()) };
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
        slot: u32,
        span: Span,
        from: Cursor,
        enough: usize,
    ) -> Result<Vec<(i64, u32, f64)>, Trouble> {
        let mut all = Vec::new();
        for shard in 0..=slot / self.population.shard_people {
            let (mut found, mut tick) = (Vec::new(), None);
            self.each_frame_of(shard..shard + 1, span, |frame| {
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
    pub(super) fn contacts_count(&self, slot: u32) -> Result<u64, Trouble> {
        Ok(self.contacts_of(slot, Span::ALL, FIRST, usize::MAX)?.len() as u64)
    }

    /// A page of a person's contacts.
    pub(super) fn contacts(
        &self,
        person: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Contact>, Trouble> {
        let slot = self.slot_of(person)?;
        let from = from.unwrap_or(FIRST);
        let asked = Span { from_us: span.from_us.max(from.time_us), ..span };
        let found = self.contacts_of(slot, asked, from, limit.saturating_add(1))?;
        let next = found.get(limit).map(|&(time_us, slot, _)| Cursor { time_us, slot });
        let items = found.into_iter().take(limit).map(|(time_us, other, distance)| Contact {
            person,
            time_us,
            other: self.id_of(other),
            distance: Some(distance),
        });
        Ok(Page { items: items.collect(), next })
    }

    /// A page of a person's encounters.
    pub(super) fn encounters(
        &self,
        person: Uuid,
        span: Span,
        from: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<Encounter>, Trouble> {
        let slot = self.slot_of(person)?;
        let last_us = self.view.head.last_us.unwrap_or(i64::MIN);
        let mut chains: Vec<(u32, Chain)> = Vec::new();
        let mut newest: HashMap<u32, usize> = HashMap::new();
        for (time_us, other, distance) in self.contacts_of(slot, Span::ALL, FIRST, usize::MAX)? {
            match newest.get(&other).map(|&at| &mut chains[at].1) {
                Some(chain) if chain.reaches(time_us) => chain.add(time_us, Some(distance)),
                _ => {
                    newest.insert(other, chains.len());
                    chains.push((other, Chain::at(time_us, Some(distance))));
                }
            }
        }
        let from = from.unwrap_or(FIRST);
        chains.retain(|(other, chain)| {
            chain.from_us <= span.to_us
                && chain.to_us >= span.from_us
                && Cursor { time_us: chain.from_us, slot: *other } >= from
        });
        chains.sort_unstable_by_key(|(other, chain)| (chain.from_us, *other));
        let next = chains.get(limit).map(|(other, chain)| Cursor { time_us: chain.from_us, slot: *other });
        let items = chains.into_iter().take(limit).map(|(other, chain)| Encounter {
            person,
            other: self.id_of(other),
            from_us: chain.from_us,
            to_us: chain.to_us,
            nearest: chain.nearest,
            contacts: chain.contacts,
            open: chain.to_us.saturating_add(ENCOUNTER_GAP_US) >= last_us,
        });
        Ok(Page { items: items.collect(), next })
    }

    /// Every encounter, about in the order in which they ended.
    pub(super) fn each_encounter(
        &self,
        visit: &mut dyn FnMut(Encounter) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let mut chains = Chains::new(self.view.head.last_us.unwrap_or(i64::MIN));
        let mut broken = false;
        self.each_contact(&mut |contact| {
            let answer = chains.take(&contact, visit);
            broken = answer.is_break();
            answer
        })?;
        if !broken {
            // It was the last: whether the visitor wants more makes no difference.
            let _ = chains.finish(visit);
        }
        Ok(())
    }

    /// Every contact, by window, person, time, other.
    pub(super) fn each_contact(
        &self,
        visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let mut from_us = i64::MIN;
        loop {
            let later = self.view.filter(doc! {"time_us": {"$gte": from_us}});
            let collection = self.view.store.collection(names::TICKS);
            let first = collection.find_one(later).sort(doc! {"time_us": 1});
            let Some(first) = first.projection(doc! {"time_us": 1}).run()? else { return Ok(()) };
            let start_us = first.int("time_us")?.div_euclid(FLEET_WINDOW_US).saturating_mul(FLEET_WINDOW_US);
            let span = Span { from_us: start_us, to_us: start_us.saturating_add(FLEET_WINDOW_US - 1) };
            let mut rows: Vec<Row> = Vec::new();
            self.each_frame_of(0..self.population.shards(), span, |frame| {
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
