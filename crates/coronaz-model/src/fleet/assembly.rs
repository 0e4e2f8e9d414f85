//! How a fleet comes to be: from spawns, from people, or from another fleet.

use super::{
    Census, Fleet,
    axes::Axes,
    layout::Layout,
    meeting::Meetings,
    migrate::Crossing,
    state::State,
    strip::{Extra, Row, Strip},
    sweep::Range,
};
use crate::{Draws, Identity, Parameters, Person, PersonId, Position, RunDigest, Spawn, Tick};

/// Why a run cannot go on with other parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// Somebody stands outside the new field.
    #[error("person {} stands at ({}, {}), off the new field of {field_width} x {field_height}", person.0, position.x, position.y)]
    OffTheField {
        /// One of those.
        person: PersonId,
        /// Where it stands.
        position: Position,
        /// The new field's largest x.
        field_width: u32,
        /// The new field's largest y.
        field_height: u32,
    },
    /// They are to appear in another way.
    #[error("start and warm_up say how people appear; these have long been there, so both stay as they are")]
    Appeared,
}

/// What a fleet consists of, beside its people.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) parameters: Parameters,
    pub(super) draws: Draws,
    pub(super) base: Identity,
    pub(super) tick: Tick,
    pub(super) digest: RunDigest,
}

impl Fleet {
    /// People 0, 1, 2, … at tick 0, whose devices' UUIDs count up from `base`
    /// (a version-1 UUID; see [`crate::identity`]).
    ///
    /// # Panics
    /// When there are more than 2^32 - 1 spawns.
    pub fn new(
        parameters: &Parameters,
        draws: Draws,
        base: Identity,
        spawns: impl ExactSizeIterator<Item = Spawn> + Clone,
    ) -> Self {
        let people = spawns.enumerate().map(|(number, spawn)| {
            let id = PersonId(u32::try_from(number).expect("a fleet has at most 2^32 - 1 people"));
            Person::spawn(parameters, draws, id, 0, spawn, 0)
        });
        if parameters.warm_up == 0 {
            return Self::of_people(parameters.clone(), draws, base, 0, people);
        }
        // A warm-up is not to be walked twice.
        let rows: Vec<Row> = people.map(|person| row_of(&person)).collect();
        let parameters = parameters.clone();
        let frame = Frame { parameters, draws, base, tick: 0, digest: RunDigest::default() };
        Self::assemble(frame, rows.len(), rows.iter().copied())
    }

    /// These people at `tick`; their identities follow from their numbers and `base`.
    ///
    /// The iterator is gone through twice, so that nothing is allocated but what stays.
    pub fn of_people(
        parameters: Parameters,
        draws: Draws,
        base: Identity,
        tick: Tick,
        people: impl ExactSizeIterator<Item = Person> + Clone,
    ) -> Self {
        let frame = Frame { parameters, draws, base, tick, digest: RunDigest::default() };
        let count = people.len();
        Self::assemble(frame, count, people.map(|person| row_of(&person)))
    }

    /// Another future of the same people from here on: with other parameters, other chance, or both.
    ///
    /// With the same parameters and draws it is the same future. Whose goal is off a smaller field picks another.
    ///
    /// # Errors
    /// [`ForkError::OffTheField`] when the new field is too small; [`ForkError::Appeared`] when people are to have
    /// appeared in another way.
    pub fn fork(&self, parameters: &Parameters, draws: Draws) -> Result<Fleet, ForkError> {
        let appeared = |parameters: &Parameters| (parameters.start, parameters.warm_up);
        if appeared(parameters) != appeared(&self.parameters) {
            return Err(ForkError::Appeared);
        }
        let field = parameters.field();
        let off = |row: &Row| !field.contains(Position { x: row.x, y: row.y });
        if let Some(row) = self.rows().find(off) {
            return Err(ForkError::OffTheField {
                person: PersonId(row.id),
                position: Position { x: row.x, y: row.y },
                field_width: field.width,
                field_height: field.height,
            });
        }
        let onto_the_field = |mut row: Row| {
            if !field.contains(Position { x: row.goal_x, y: row.goal_y }) {
                (row.goal_x, row.goal_y) = (row.x, row.y);
            }
            row
        };
        let parameters = parameters.clone();
        let frame = Frame { parameters, draws, base: self.base, tick: self.tick, digest: self.digest };
        Ok(Self::assemble(frame, self.count as usize, self.rows().map(onto_the_field)))
    }

    /// A fleet of `count` rows, all of them on the field.
    pub(super) fn assemble(frame: Frame, count: usize, rows: impl Iterator<Item = Row> + Clone) -> Self {
        let Frame { parameters, draws, base, tick, digest } = frame;
        let (contact, sensing) = (parameters.reach(), parameters.sensing());
        let range = Range::of(sensing.map_or(contact, |sensing| sensing.max(contact)));
        let axes = Axes::of(parameters.field());
        let layout = Layout::of(axes.field(parameters.field()), count, range.span);
        let rows = rows.map(move |row| axes.turn(row));
        let mut counts = vec![0; layout.strips];
        let mut with_extra = parameters.hides_illness();
        for row in rows.clone() {
            counts[layout.strip_of(row.y)] += 1;
            with_extra |= row.extra != Extra::default();
        }
        let mut strips = vec![Strip::default(); layout.strips];
        for (strip, count) in strips.iter_mut().zip(&mut counts) {
            strip.resize(std::mem::take(count), with_extra);
        }
        let mut census = Census::default();
        for mut row in rows {
            let ill_stand = !parameters.move_when_infected && tick >= row.extra.onset.into();
            row.state = row.state.with_illness(row.state.illness(), ill_stand);
            census.count(row.state);
            let number = layout.strip_of(row.y);
            strips[number].put(counts[number], &row);
            counts[number] += 1;
        }
        for strip in &mut strips {
            strip.dying = strip.state.iter().filter(|&&state| State(state).is_dead()).count();
            strip.bury();
            strip.sort();
        }
        Fleet {
            parameters,
            draws,
            base,
            tick,
            count: count as u32,
            with_extra,
            census,
            digest,
            axes,
            layout,
            range,
            strips,
            crossings: vec![Crossing::default(); layout.strips],
            meetings: vec![Meetings::default(); layout.strips],
            settled_ticks: 0,
            begun: None,
        }
    }
}

fn row_of(person: &Person) -> Row {
    Row {
        x: person.position.x,
        y: person.position.y,
        goal_x: person.goal.x,
        goal_y: person.goal.y,
        id: person.id.0,
        // Whether it stands still is decided when it is put into its strip.
        state: State::new(person.illness, person.died_infectious, false).fleeing(person.flees),
        extra: Extra {
            born: u32::try_from(person.born).unwrap_or(u32::MAX),
            onset: u32::try_from(person.onset).unwrap_or(u32::MAX),
        },
    }
}
