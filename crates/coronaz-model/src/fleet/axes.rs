//! Which way strips lie: across the longer side of the map, so that there are many of them.
//!
//! A strip's columns hold places by *axes*: on a map wider than it is high, x and y are changed for each
//! other in them. The rules know the map's x and y alone; here one becomes the other.

use super::strip::Row;
use crate::{Field, Position};

/// Which of the map's axes a column is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Axes {
    /// The column x holds the map's y, and y its x.
    pub(super) turned: bool,
}

impl Axes {
    /// Those of a map.
    pub(super) const fn of(field: Field) -> Self {
        Axes { turned: field.width > field.height }
    }

    /// The map as the columns see it.
    pub(super) const fn field(self, field: Field) -> Field {
        if self.turned { Field::new(field.height, field.width) } else { field }
    }

    /// The place on the map of an entry of the columns.
    #[inline]
    pub(super) const fn place(self, x: i32, y: i32) -> Position {
        if self.turned { Position { x: y, y: x } } else { Position { x, y } }
    }

    /// What the columns hold for a place on the map: their x and y.
    #[inline]
    pub(super) const fn columns(self, place: Position) -> (i32, i32) {
        if self.turned { (place.y, place.x) } else { (place.x, place.y) }
    }

    /// A row of the columns for one of the map, and the other way round.
    #[inline]
    pub(super) const fn turn(self, row: Row) -> Row {
        if self.turned {
            Row { x: row.y, y: row.x, goal_x: row.goal_y, goal_y: row.goal_x, ..row }
        } else {
            row
        }
    }
}
