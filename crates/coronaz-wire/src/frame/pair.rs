//! Two people who met, packed into 64 bits so that a tick's contacts are sorted as numbers.

const OTHER_BITS: u32 = 24;
const DISTANCE_BITS: u32 = 22;
const PERSON_SHIFT: u32 = OTHER_BITS + DISTANCE_BITS;

/// A person of the shard and somebody of the population. In a contact the square of their distance stands
/// beside; in an infection the first was infected by the second.
///
/// The order is that of the first, then the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair(u64);

impl Pair {
    /// Stands for somebody who is not of the fleet.
    pub const STRANGER: u32 = (1 << OTHER_BITS) - 1;
    /// The largest squared distance: 1,000 units, the largest radius, and more.
    pub const DISTANCE_SQUARED_MAX: u32 = (1 << DISTANCE_BITS) - 1;

    /// A contact. `person` counts from the shard's first (below [`SHARD_PEOPLE_MAX`](super::SHARD_PEOPLE_MAX)),
    /// `other` from the population's; a larger distance than
    /// [`Pair::DISTANCE_SQUARED_MAX`] is written as that.
    #[inline]
    #[must_use]
    pub fn new(person: u32, other: u32, distance_squared: u64) -> Self {
        debug_assert!(person < super::SHARD_PEOPLE_MAX && other <= Self::STRANGER);
        let distance_squared = distance_squared.min(u64::from(Self::DISTANCE_SQUARED_MAX));
        Pair(u64::from(person) << PERSON_SHIFT | u64::from(other) << DISTANCE_BITS | distance_squared)
    }

    /// An infection.
    #[inline]
    #[must_use]
    pub fn infection(infectee: u32, infector: Option<u32>) -> Self {
        Pair::new(infectee, infector.unwrap_or(Self::STRANGER), 0)
    }

    /// The person of the shard, from its first.
    #[inline]
    #[must_use]
    pub const fn person(self) -> u32 {
        (self.0 >> PERSON_SHIFT) as u32
    }

    /// The other's number in the population.
    #[inline]
    #[must_use]
    pub const fn other(self) -> u32 {
        (self.0 >> DISTANCE_BITS) as u32 & Self::STRANGER
    }

    /// Square of their distance.
    #[inline]
    #[must_use]
    pub const fn distance_squared(self) -> u32 {
        self.0 as u32 & Self::DISTANCE_SQUARED_MAX
    }
}
