//! Randomness keyed by (seed, stream, person, tick).
//!
//! A draw is a function of its key, never the next number of a shared sequence: it does not matter
//! in which order or on which thread people are visited, and a new use of chance (a new stream)
//! does not shift yesterday's epidemic.

use crate::{PersonId, Tick, field::Field, field::Position};

/// What a draw is for. The number is part of the key: never change or reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Where a person appears.
    Spawn = 1,
    /// The next place to walk to.
    Goal = 2,
    /// Which of several infectious people in range was the infector.
    Infector = 3,
    /// A person's steps in interactive mode.
    Stroll = 4,
    /// When in its second a device sends its beacon.
    SendDelay = 5,
    /// Whether an infectious person in range infects.
    Transmission = 6,
    /// From infection to being infectious.
    Latency = 7,
    /// From infection to symptoms.
    Incubation = 8,
    /// Who never has symptoms.
    Asymptomatic = 9,
    /// Who dies of the illness.
    Fatality = 10,
    /// Which way to flee from somebody at the same place.
    Flight = 11,
    /// Where a person lives.
    Home = 12,
    /// Where work and leisure are, and whose.
    Site = 13,
    /// A spot within a place.
    Room = 14,
    /// How much later than others a person lives its day.
    Rhythm = 15,
    /// Where on which way a person is that appears settled.
    Start = 16,
    /// The seed of a replicate.
    Replicate = 17,
}

impl Stream {
    /// All of them, by their numbers.
    pub const ALL: [Stream; 17] = [
        Stream::Spawn,
        Stream::Goal,
        Stream::Infector,
        Stream::Stroll,
        Stream::SendDelay,
        Stream::Transmission,
        Stream::Latency,
        Stream::Incubation,
        Stream::Asymptomatic,
        Stream::Fatality,
        Stream::Flight,
        Stream::Home,
        Stream::Site,
        Stream::Room,
        Stream::Rhythm,
        Stream::Start,
        Stream::Replicate,
    ];
}

/// The source of all chance of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    seed: u64,
}

impl Draws {
    /// The draws of a run with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Draws { seed }
    }

    /// The seed.
    #[must_use]
    pub const fn seed(self) -> u64 {
        self.seed
    }

    /// The seed of replicate `number` of a run with this seed: replicate 0 is that run.
    ///
    /// Drawn, so that replicates of neighbouring seeds share nothing. 53 bits, as all seeds that are drawn: a
    /// page or a spreadsheet shows it without rounding.
    #[must_use]
    pub const fn replicate_seed(self, number: u32) -> u64 {
        match number {
            0 => self.seed,
            number => self.bits(Stream::Replicate, PersonId(number), 0) >> 11,
        }
    }

    /// 64 uniform bits for this key.
    #[inline]
    #[must_use]
    pub const fn bits(self, stream: Stream, person: PersonId, tick: Tick) -> u64 {
        self.of(stream).bits(person, tick)
    }

    /// The draws of one stream, for who takes many.
    #[inline]
    #[must_use]
    pub(crate) const fn of(self, stream: Stream) -> StreamDraws {
        StreamDraws(mix(self.seed ^ (stream as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// A whole number from 0 to `below` - 1.
    #[inline]
    #[must_use]
    pub const fn below(self, stream: Stream, person: PersonId, tick: Tick, below: u32) -> u32 {
        scale((self.bits(stream, person, tick) >> 32) as u32, below)
    }

    /// A uniform place on the field.
    #[inline]
    #[must_use]
    pub const fn place(self, stream: Stream, person: PersonId, tick: Tick, field: Field) -> Position {
        self.of(stream).place(person, tick, field)
    }

    /// Whether something of this probability happens.
    #[inline]
    #[must_use]
    pub fn chance(self, stream: Stream, person: PersonId, tick: Tick, probability: f64) -> bool {
        happens(self.bits(stream, person, tick), probability)
    }

    /// Whether something of this probability happens between a person and `other`.
    #[inline]
    #[must_use]
    pub fn chance_between(
        self,
        stream: Stream,
        person: PersonId,
        tick: Tick,
        other: u128,
        probability: f64,
    ) -> bool {
        happens(self.rank(stream, person, tick, other), probability)
    }

    /// The rank of one candidate among several: the one with the smallest is chosen, so the choice
    /// depends neither on the order in which candidates were met nor on how they are numbered here.
    #[inline]
    #[must_use]
    pub const fn rank(self, stream: Stream, person: PersonId, tick: Tick, candidate: u128) -> u64 {
        let bits = self.bits(stream, person, tick);
        mix(mix(bits ^ candidate as u64) ^ (candidate >> 64) as u64)
    }
}

/// The draws of one stream, with what does not depend on person and tick worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StreamDraws(u64);

impl StreamDraws {
    /// [`Draws::bits`].
    #[inline]
    pub(crate) const fn bits(self, person: PersonId, tick: Tick) -> u64 {
        mix(mix(self.0 ^ person.0 as u64) ^ tick.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// [`Draws::place`].
    #[inline]
    pub(crate) const fn place(self, person: PersonId, tick: Tick, field: Field) -> Position {
        let bits = self.bits(person, tick);
        Position {
            x: scale((bits >> 32) as u32, field.width + 1) as i32,
            y: scale(bits as u32, field.height + 1) as i32,
        }
    }
}

/// Whether something of this probability happens, given uniform bits. Certain at 1, impossible at 0.
#[inline]
fn happens(bits: u64, probability: f64) -> bool {
    uniform(bits) < probability
}

/// Uniform bits as a number from 0 to just below 1, in steps of 2^-53.
#[inline]
#[must_use]
pub fn uniform(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// `bits` (uniform over 32 bits) scaled to `0..below`; the bias is at most `below` / 2^32
/// (Lemire, "Fast random integer generation in an interval", 2019, without the rejection step).
#[inline]
pub(crate) const fn scale(bits: u32, below: u32) -> u32 {
    ((bits as u64 * below as u64) >> 32) as u32
}

/// `SplitMix64`'s finaliser in David Stafford's variant 13: every bit of the result depends on every bit of `x`.
#[inline]
pub(crate) const fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_a_function_of_its_key() {
        let draws = Draws::new(7);
        assert_eq!(draws.bits(Stream::Goal, PersonId(3), 9), draws.bits(Stream::Goal, PersonId(3), 9));
        assert_ne!(draws.bits(Stream::Goal, PersonId(3), 9), draws.bits(Stream::Spawn, PersonId(3), 9));
        assert_ne!(draws.bits(Stream::Goal, PersonId(3), 9), draws.bits(Stream::Goal, PersonId(4), 9));
        assert_ne!(draws.bits(Stream::Goal, PersonId(3), 9), draws.bits(Stream::Goal, PersonId(3), 10));
        assert_ne!(
            draws.bits(Stream::Goal, PersonId(3), 9),
            Draws::new(8).bits(Stream::Goal, PersonId(3), 9)
        );
    }

    #[test]
    fn the_keyed_draws_of_today_are_those_of_yesterday() {
        // A change here changes every seeded history: it needs a new major version.
        let draws = Draws::new(1);
        assert_eq!(draws.bits(Stream::Spawn, PersonId(0), 0), GOLDEN_SPAWN);
        assert_eq!(draws.bits(Stream::Goal, PersonId(12_345), 678), GOLDEN_GOAL);
    }

    #[test]
    fn replicates_of_neighbouring_seeds_share_nothing_and_the_first_is_the_seeds_own_run() {
        let seeds = |seed| (0..1_000).map(move |number| Draws::new(seed).replicate_seed(number));
        assert_eq!((seeds(1).next(), seeds(u64::MAX).next()), (Some(1), Some(u64::MAX)));
        let all: std::collections::BTreeSet<u64> = (1..=10).flat_map(seeds).collect();
        assert_eq!(all.len(), 10_000);
        assert!(seeds(7).skip(1).all(|seed| seed < 1 << 53));
    }

    const GOLDEN_SPAWN: u64 = 3_866_941_929_181_508_109;
    const GOLDEN_GOAL: u64 = 15_013_745_098_158_365_056;

    #[test]
    fn places_fill_the_field_evenly_ends_included() {
        let (draws, field) = (Draws::new(3), Field::new(9, 4));
        let mut seen = [[0u32; 5]; 10];
        for person in 0..50_000 {
            let p = draws.place(Stream::Spawn, PersonId(person), 0, field);
            seen[p.x as usize][p.y as usize] += 1;
        }
        // Chi-squared over 50 cells: 49 degrees of freedom, 99.9% quantile 85.4.
        let chi2: f64 = seen.iter().flatten().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi2 < 85.4, "chi squared {chi2}");
    }
}
