//! The people as a fleet keeps them, for whoever follows it tick by tick.

use super::{Fleet, axes::Axes, state::State, strip::Strip};
use crate::{Health, PersonId, Position};

/// A person as it stands after a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Who.
    pub id: PersonId,
    /// Where.
    pub position: Position,
    /// How it fares.
    pub health: Health,
    /// Whether it was infectious when it died.
    pub died_infectious: bool,
}

/// People next to each other on the map.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    strip: &'a Strip,
    axes: Axes,
}

impl<'a> Columns<'a> {
    /// Those who live, and those who died in the last tick.
    #[inline]
    pub fn present(self) -> impl Iterator<Item = Standing> + use<'a> {
        let Strip { x, y, id, state, .. } = self.strip;
        let places = x.iter().zip(y).map(move |(&x, &y)| self.axes.place(x, y));
        let standing = |((position, &id), &state)| Standing {
            id: PersonId(id),
            position,
            health: State(state).health(),
            died_infectious: State(state).died_infectious(),
        };
        places.zip(id).zip(state).map(standing)
    }

    /// Those who died before: nothing about them changes.
    pub fn buried(self) -> impl Iterator<Item = Standing> + use<'a> {
        self.strip.graves.iter().map(move |row| Standing {
            id: PersonId(row.id),
            position: self.axes.place(row.x, row.y),
            health: row.state.health(),
            died_infectious: row.state.died_infectious(),
        })
    }
}

impl Fleet {
    /// Everybody, strip by strip, in no order of numbers.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = Columns<'_>> {
        self.strips.iter().map(|strip| Columns { strip, axes: self.axes })
    }
}
