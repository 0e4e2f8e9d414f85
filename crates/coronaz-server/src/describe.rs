//! What the store answers, in the words of `/api/v1`.

use std::collections::BTreeMap;

use coronaz_model::Parameters;
use coronaz_model::parameters::Value;
use coronaz_store::{Figures, IngestStatus, PartitionOffset, view};
use coronaz_wire::names;

use crate::rest;
use crate::rest::operator::Origin;
use crate::rest::{
    Contact, Encounter, Infection, IngestPart, MissingRecords, Node, NodeInfection, NodeName, NodeState,
    Parameter, PartitionPart, Run, State, Statistics,
};

/// The store's microseconds as the page's milliseconds, rounded down.
pub(crate) fn milliseconds(time_us: i64) -> i64 {
    time_us.div_euclid(1000)
}

/// Width and height of a run's field, in units.
pub(crate) fn field(run: &view::Run) -> [u32; 2] {
    let paper = Parameters::default();
    let side = |name: &str, default: u32| {
        let announced = run.parameters.get(name).and_then(serde_json::Value::as_f64);
        // A side of the field is at least 1; a cast from a float saturates.
        announced.map_or(default, |side| (side as u32).max(1))
    };
    [side("field_width", paper.field_width), side("field_height", paper.field_height)]
}

/// The number of a run's first moment: a fork's is the tick that it shares with the other run.
pub(crate) fn first_moment(run: &view::Run) -> u64 {
    run.forked_from.as_ref().map_or(0, |from| from.tick)
}

/// A value of the model's.
pub(crate) fn value(value: Value) -> Parameter {
    match value {
        Value::Integer(value) => Parameter::Integer(value),
        Value::Real(value) => Parameter::Real(value),
        Value::Switch(value) => Parameter::Switch(value),
        Value::Choice(word) => Parameter::Choice(word.to_owned()),
    }
}

/// The announced parameters over the paper's.
fn parameters(run: &view::Run) -> BTreeMap<String, Parameter> {
    let paper = Parameters::default();
    let paper = paper.values().map(|(name, of)| (name.to_owned(), value(of)));
    let announced = run.parameters.iter().filter_map(|(name, value)| {
        let value = (value.as_bool().map(Parameter::Switch))
            .or_else(|| value.as_i64().map(Parameter::Integer))
            .or_else(|| value.as_f64().map(Parameter::Real))
            .or_else(|| value.as_str().map(|word| Parameter::Choice(word.to_owned())))?;
        Some((name.clone(), value))
    });
    paper.chain(announced).collect()
}

impl From<view::Run> for Run {
    fn from(run: view::Run) -> Self {
        let parameters = parameters(&run);
        let started_us = run.started_us.or(run.last_us).unwrap_or_default();
        let first_moment = first_moment(&run);
        let forked_from = run.forked_from.map(|from| Origin { run: from.run, tick: from.tick });
        Run {
            id: run.id,
            name: names::shown(run.name.as_deref()).into_owned(),
            kind: run.kind,
            seed: run.seed.unwrap_or_default(),
            started_ms: milliseconds(started_us),
            last_ms: milliseconds(run.last_us.unwrap_or(started_us)),
            moments: run.moments,
            first_moment,
            forked_from,
            nodes: run.nodes,
            contacts: run.contacts,
            infections: run.infections,
            parameters,
        }
    }
}

impl From<Figures> for rest::Figures {
    fn from(figures: Figures) -> Self {
        let Figures { total, zombies, deaths, dead_zombies, immune } = figures;
        Self { total, zombies, deaths, dead_zombies, immune }
    }
}

impl From<view::State> for State {
    fn from(state: view::State) -> Self {
        State {
            moment: state.moment.k,
            time_ms: milliseconds(state.moment.time_us),
            figures: state.moment.figures.into(),
            nodes: state.nodes.into_iter().map(NodeState::from).collect(),
        }
    }
}

impl From<view::NodeState> for NodeState {
    fn from(node: view::NodeState) -> Self {
        let view::NodeState { slot, id, x, y, time_us: _, health } = node;
        Self { slot, id, x, y, infected: health.infected, immune: health.immune, alive: health.alive }
    }
}

impl From<Vec<view::Moment>> for Statistics {
    fn from(moments: Vec<view::Moment>) -> Self {
        let mut columns = Statistics::default();
        for moment in moments {
            columns.moment.push(moment.k);
            columns.time_ms.push(milliseconds(moment.time_us));
            columns.total.push(moment.figures.total);
            columns.zombies.push(moment.figures.zombies);
            columns.deaths.push(moment.figures.deaths);
            columns.dead_zombies.push(moment.figures.dead_zombies);
            columns.immune.push(moment.figures.immune);
            columns.contacts.push(moment.contacts);
            columns.infections.push(moment.infections);
        }
        columns
    }
}

impl From<view::Node> for NodeName {
    fn from(node: view::Node) -> Self {
        Self { slot: node.slot, id: node.id }
    }
}

impl From<view::NodeDetail> for Node {
    fn from(detail: view::NodeDetail) -> Self {
        let latest = detail.latest;
        let last_us = latest.map(|state| state.time_us).or(detail.first_us).unwrap_or_default();
        Node {
            slot: detail.node.slot,
            id: detail.node.id,
            reported: latest.is_some(),
            x: latest.map_or(0, |state| state.x),
            y: latest.map_or(0, |state| state.y),
            infected: latest.is_some_and(|state| state.health.infected),
            immune: latest.is_some_and(|state| state.health.immune),
            alive: latest.is_none_or(|state| state.health.alive),
            first_ms: milliseconds(detail.first_us.unwrap_or(last_us)),
            last_ms: milliseconds(last_us),
            infections: detail.infections.into_iter().map(NodeInfection::from).collect(),
            contacts_count: detail.contacts,
        }
    }
}

impl From<view::Infection> for NodeInfection {
    fn from(infection: view::Infection) -> Self {
        let view::Infection { time_us, infectee: _, infector, x, y } = infection;
        Self { time_ms: milliseconds(time_us), infector, x, y }
    }
}

impl From<view::Infection> for Infection {
    fn from(infection: view::Infection) -> Self {
        let view::Infection { time_us, infectee, infector, x, y } = infection;
        Self { time_ms: milliseconds(time_us), infectee, infector, x, y }
    }
}

impl From<view::Contact> for Contact {
    fn from(contact: view::Contact) -> Self {
        Self { time_ms: milliseconds(contact.time_us), with: contact.other, distance: contact.distance }
    }
}

impl From<view::Encounter> for Encounter {
    fn from(encounter: view::Encounter) -> Self {
        Self {
            with: encounter.other,
            from_ms: milliseconds(encounter.from_us),
            to_ms: milliseconds(encounter.to_us),
            nearest: encounter.nearest,
            contacts: encounter.contacts,
            open: encounter.open,
        }
    }
}

impl From<IngestStatus> for IngestPart {
    fn from(status: IngestStatus) -> Self {
        Self {
            state: status.state.as_str().to_owned(),
            updated_ms: milliseconds(status.updated_us),
            started_ms: milliseconds(status.started_us),
            newest_record_ms: status.newest_record_us.map(milliseconds),
            owner: status.owner,
            partitions: status.partitions,
            lag_records: status.lag_records,
            records: status.records,
            rejected: status.rejected,
        }
    }
}

impl From<view::MissingRecords> for MissingRecords {
    fn from(missing: view::MissingRecords) -> Self {
        let view::MissingRecords { partition, from, to, reason, .. } = missing;
        Self { partition, from, to, reason }
    }
}

impl From<PartitionOffset> for PartitionPart {
    fn from(offset: PartitionOffset) -> Self {
        let PartitionOffset { partition, next, replaced_us, records, rejected, .. } = offset;
        let replaced_ms = replaced_us.map(milliseconds);
        Self { partition, next, replaced_ms, records, rejected }
    }
}
