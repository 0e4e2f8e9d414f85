//! Positions on the map, and who is in range.

/// A whole-numbered place; east is +x, north is +y.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// From the west edge, in units.
    pub x: i32,
    /// From the south edge, in units.
    pub y: i32,
}

impl Position {
    /// The square of the Euclidean distance, in square units.
    #[inline]
    #[must_use]
    pub const fn distance_squared(self, other: Position) -> u64 {
        let dx = self.x.abs_diff(other.x) as u64;
        let dy = self.y.abs_diff(other.y) as u64;
        dx * dx + dy * dy
    }
}

/// The map: `0..=width` by `0..=height`, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Largest x.
    pub width: u32,
    /// Largest y.
    pub height: u32,
}

impl Field {
    /// A field of this size.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Field { width, height }
    }

    /// Whether a place lies on the field.
    #[inline]
    #[must_use]
    pub const fn contains(self, p: Position) -> bool {
        p.x >= 0 && p.y >= 0 && p.x as u32 <= self.width && p.y as u32 <= self.height
    }
}

/// How far a beacon counts: `distance <= radius`, compared in whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// Largest squared distance in range. Squared distances of whole-numbered places are whole
    /// numbers, so nothing is lost by rounding the squared radius down.
    pub distance_squared_max: u64,
}

impl Reach {
    /// The reach of this radius in units (0 or more).
    #[must_use]
    pub fn of_radius(radius: f64) -> Self {
        // 1e-9 keeps a radius such as sqrt(2), whose square rounds to just under 2, in range of it.
        Reach { distance_squared_max: (radius * radius * (1.0 + 1e-12) + 1e-9).floor() as u64 }
    }

    /// Whether two places are in contact.
    #[inline]
    #[must_use]
    pub const fn covers(self, a: Position, b: Position) -> bool {
        a.distance_squared(b) <= self.distance_squared_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rim_of_the_radius_is_in_range() {
        let reach = Reach::of_radius(2.0);
        let o = Position { x: 10, y: 10 };
        assert!(reach.covers(o, Position { x: 12, y: 10 }));
        assert!(reach.covers(o, Position { x: 11, y: 11 }));
        assert!(!reach.covers(o, Position { x: 12, y: 11 }));
        assert!(Reach::of_radius(2f64.sqrt()).covers(o, Position { x: 11, y: 11 }));
    }

    #[test]
    fn the_field_ends_are_on_the_field() {
        let field = Field::new(5, 3);
        assert!(field.contains(Position { x: 5, y: 3 }) && field.contains(Position { x: 0, y: 0 }));
        assert!(!field.contains(Position { x: 6, y: 3 }) && !field.contains(Position { x: 0, y: -1 }));
    }
}
