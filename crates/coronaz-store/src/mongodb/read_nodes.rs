//! Questions about nodes, their infections, contacts and encounters.

use super::cache::node_id;
use super::codec::{Fields, uuid};
use super::log;
use super::person::{Person, Start, read_chain, read_open, read_state};
use super::server::names;
use super::trouble::Trouble;
use super::view::RunView;
use crate::StoreError;
use crate::encounter::Chain;
use crate::queries::Span;
use crate::view::{Contact, Cursor, Encounter, Infection, Node, NodeDetail, NodeState, Page};
use mongodb::bson::{Bson, Document, doc};
use std::ops::ControlFlow;
use uuid::Uuid;

/// How often a question is asked again whose answer was being changed meanwhile. A commit takes some milliseconds.
const TRIES: u32 = 8;

/// Which way a list goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

impl Order {
    fn sign(self) -> i32 {
        if self == Self::OldestFirst { 1 } else { -1 }
    }
}

fn limited(limit: usize) -> i64 {
    i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX)
}

impl RunView {
    /// Nodes from a slot on.
    pub(super) fn nodes(&self, from_slot: u32, limit: usize) -> Result<Vec<Node>, Trouble> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let slots = doc! {"slot": {"$gte": i64::from(from_slot), "$lt": i64::from(self.head.nodes)}};
        let collection = self.store.collection(names::NODES);
        let found = collection.find(self.filter(slots)).sort(doc! {"slot": 1});
        let found =
            found.limit(i64::try_from(limit).unwrap_or(i64::MAX)).projection(doc! {"slot": 1, "node": 1});
        found.run()?.map(|node| read_node(&node?)).collect()
    }

    /// The document of a node, and which it is.
    fn stored(&self, node: Uuid) -> Result<(Node, Document), Trouble> {
        let stored = self.store.one(names::NODES, doc! {"_id": node_id(self.run, node)})?;
        match stored {
            Some(document) if document.small("slot")? < self.head.nodes => {
                Ok((read_node(&document)?, document))
            }
            _ => Err(Trouble::Store(StoreError::NoSuchNode { run: self.run, node })),
        }
    }

    pub(super) fn node(&self, id: Uuid) -> Result<NodeDetail, Trouble> {
        let (node, document) = self.stored(id)?;
        let of = doc! {"infectee": uuid(id)};
        let infections = self.infections(of, usize::MAX)?;
        let mut sessions = Vec::new();
        let filter = self.filter(doc! {"slot": i64::from(node.slot)});
        for earlier in
            self.store.collection(names::SESSIONS).find(filter).sort(doc! {"start_us": -1}).run()?
        {
            sessions.push(Start::read(earlier?.part("start")?)?.view());
        }
        let Some(state) = document.get("state").and_then(Bson::as_document) else {
            return Ok(NodeDetail { node, latest: None, first_us: None, infections, contacts: 0, sessions });
        };
        let person = Person::read(state)?;
        sessions.insert(0, person.start.view());
        let latest = Some(NodeState { slot: node.slot, id, ..read_state(state)? });
        let first_us = person.latest.map(|latest| latest.first_us);
        Ok(NodeDetail { node, latest, first_us, infections, contacts: person.contacts, sessions })
    }

    /// Infections that match, by time.
    pub(super) fn infections(&self, of: Document, limit: usize) -> Result<Vec<Infection>, Trouble> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut filter = self.filter(of);
        filter.insert("n", doc! {"$lte": self.head.n});
        let collection = self.store.collection(names::INFECTIONS);
        let found = collection.find(filter).sort(doc! {"time_us": 1, "slot": 1});
        let found = found.limit(i64::try_from(limit).unwrap_or(i64::MAX)).run()?;
        found.map(|infection| read_infection(&infection?)).collect()
    }

    /// Whom a node infected.
    pub(super) fn infections_by(
        &self,
        infector: Uuid,
        from_us: i64,
        limit: usize,
    ) -> Result<Vec<Infection>, Trouble> {
        self.stored(infector)?;
        self.infections(doc! {"infector": uuid(infector), "time_us": {"$gte": from_us}}, limit)
    }

    /// A page of a node's contacts.
    pub(super) fn contacts(
        &self,
        person: Uuid,
        span: Span,
        from: Option<Cursor>,
        (limit, order): (usize, Order),
    ) -> Result<Page<Contact>, Trouble> {
        self.stored(person)?;
        let mut filter = self.filter(doc! {"person": uuid(person)});
        let (mut from_us, mut to_us) = (span.from_us, span.to_us);
        if let Some(Cursor { time_us, slot }) = from {
            let slot = i64::from(slot);
            let (beyond, at) = match order {
                Order::OldestFirst => ("$gt", "$gte"),
                Order::NewestFirst => ("$lt", "$lte"),
            };
            match order {
                Order::OldestFirst => from_us = from_us.max(time_us),
                Order::NewestFirst => to_us = to_us.min(time_us),
            }
            let here = doc! {"time_us": time_us, "slot": {at: slot}};
            filter.insert("$or", [doc! {"time_us": {beyond: time_us}}, here].map(Bson::Document).to_vec());
        }
        filter.insert("time_us", doc! {"$gte": from_us, "$lte": to_us});
        filter.insert("n", doc! {"$lte": self.head.n});
        let sign = order.sign();
        let collection = self.store.collection(names::CONTACTS);
        let found = collection.find(filter);
        let found = found.sort(doc! {"time_us": sign, "slot": sign}).limit(limited(limit)).run()?;
        let mut page = Page { items: Vec::new(), next: None };
        for contact in found {
            let contact = contact?;
            if page.items.len() == limit {
                page.next = Some(Cursor { time_us: contact.int("time_us")?, slot: contact.small("slot")? });
                break;
            }
            page.items.push(read_contact(&contact)?);
        }
        Ok(page)
    }

    /// Hands over every contact, by window of time, person, time.
    pub(super) fn each_contact(
        &self,
        visit: &mut dyn FnMut(Contact) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let filter = self.filter(doc! {"n": {"$lte": self.head.n}});
        for contact in self.store.collection(names::CONTACTS).find(filter).sort(doc! {"_id": 1}).run()? {
            if visit(read_contact(&contact?)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// A closed encounter, if the head says that it is one.
    fn closed(&self, document: &Document) -> Result<Option<(u32, Encounter)>, Trouble> {
        let gone = document.optional_int("gone").is_some_and(|gone| gone <= self.head.n);
        if gone || !self.is_in(document)? {
            return Ok(None);
        }
        let (person, other) = (document.uuid("person")?, document.uuid("other")?);
        let encounter = encounter(person, other, &read_chain(document)?, false);
        Ok(Some((document.small("slot")?, encounter)))
    }

    /// A page of a node's encounters, as of this head if nobody writes meanwhile; `None`: somebody does.
    fn encounters_now(
        &self,
        person: Uuid,
        span: Span,
        from: Option<Cursor>,
        (limit, order): (usize, Order),
    ) -> Result<Page<Encounter>, Trouble> {
        let (_, document) = self.stored(person)?;
        let mut found: Vec<(u32, Encounter)> = Vec::new();
        if let Some(state) = document.get("state").and_then(Bson::as_document) {
            for (slot, other, chain) in read_open(state)? {
                if chain.to_us >= span.from_us && chain.from_us <= span.to_us {
                    found.push((slot, encounter(person, other, &chain, true)));
                }
            }
        }
        let (mut from_us, mut to_us) = (i64::MIN, span.to_us);
        match (from, order) {
            (Some(from), Order::OldestFirst) => from_us = from.time_us,
            (Some(from), Order::NewestFirst) => to_us = to_us.min(from.time_us),
            (None, _) => {}
        }
        let within = |(other, encounter): &(u32, Encounter)| {
            let at = Cursor { time_us: encounter.from_us, slot: *other };
            match order {
                Order::OldestFirst => from.is_none_or(|from| at >= from),
                Order::NewestFirst => from.is_none_or(|from| at <= from),
            }
        };
        found.retain(within);
        let filter = self.filter(doc! {
            "person": uuid(person), "from_us": {"$gte": from_us, "$lte": to_us}, "to_us": {"$gte": span.from_us},
        });
        let sign = order.sign();
        let collection = self.store.collection(names::ENCOUNTERS);
        let stored = collection.find(filter);
        let mut closed = 0;
        for document in stored.sort(doc! {"from_us": sign, "slot": sign}).run()? {
            if let Some(row) = self.closed(&document?)?.filter(within) {
                found.push(row);
                closed += 1;
                if closed > limit {
                    break;
                }
            }
        }
        found.sort_unstable_by_key(|(other, encounter)| (encounter.from_us, *other));
        if order == Order::NewestFirst {
            found.reverse();
        }
        let next =
            found.get(limit).map(|(other, encounter)| Cursor { time_us: encounter.from_us, slot: *other });
        found.truncate(limit);
        Ok(Page { items: found.into_iter().map(|(_, encounter)| encounter).collect(), next })
    }

    /// A page of a node's encounters. Those that go on stand in the node's document and those that are over in their own,
    /// so the question is asked again when a commit was carried out meanwhile.
    pub(super) fn encounters(
        self,
        person: Uuid,
        span: Span,
        from: Option<Cursor>,
        how: (usize, Order),
    ) -> Result<Page<Encounter>, Trouble> {
        let mut view = self;
        for _ in 1..TRIES {
            let page = view.encounters_now(person, span, from, how)?;
            if log::is_quiet(&view.store, view.run, view.head.n)? {
                return Ok(page);
            }
            view = Self::open(view.store, view.run)?;
        }
        view.encounters_now(person, span, from, how)
    }

    /// Hands over every encounter: those that are over, by their beginning, and then those that go on.
    pub(super) fn each_encounter(
        &self,
        visit: &mut dyn FnMut(Encounter) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let filter = self.filter(doc! {});
        for document in self.store.collection(names::ENCOUNTERS).find(filter).sort(doc! {"_id": 1}).run()? {
            if let Some((_, encounter)) = self.closed(&document?)?
                && visit(encounter).is_break()
            {
                return Ok(());
            }
        }
        for node in
            self.store.collection(names::NODES).find(self.filter(doc! {})).sort(doc! {"slot": 1}).run()?
        {
            let node = node?;
            let Some(state) = node.get("state").and_then(Bson::as_document) else { continue };
            for (_, other, chain) in read_open(state)? {
                if visit(encounter(node.uuid("node")?, other, &chain, true)).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn encounter(person: Uuid, other: Uuid, chain: &Chain, open: bool) -> Encounter {
    let Chain { from_us, to_us, nearest, contacts } = *chain;
    Encounter { person, other, from_us, to_us, nearest, contacts, open }
}

fn read_node(document: &Document) -> Result<Node, Trouble> {
    Ok(Node { slot: document.small("slot")?, id: document.uuid("node")? })
}

fn read_contact(document: &Document) -> Result<Contact, Trouble> {
    Ok(Contact {
        person: document.uuid("person")?,
        time_us: document.int("time_us")?,
        other: document.uuid("other")?,
        distance: document.optional_float("distance"),
    })
}

fn read_infection(document: &Document) -> Result<Infection, Trouble> {
    let position = document.get("position").and_then(Bson::as_array).map(Vec::as_slice);
    let Some([Bson::Int32(x), Bson::Int32(y)]) = position else { return Err(Trouble::Damaged("position")) };
    Ok(Infection {
        time_us: document.int("time_us")?,
        infectee: document.uuid("infectee")?,
        infector: document.optional_uuid("infector"),
        x: *x,
        y: *y,
    })
}
