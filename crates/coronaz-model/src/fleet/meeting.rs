//! What meeting leads to: contacts, and infections.

use super::{
    Outcome, Rules,
    state::State,
    strip::Strip,
    sweep::{self, Borders, Range},
    witness::Witness,
};
use crate::{Identity, Illness, Infection, PersonId, Position, Stream, digest::Facts, identity::identity_of};

/// Where people meet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    pub(super) range: Range,
    /// Height of a strip.
    pub(super) height: i32,
    /// How far people may be outside their strip.
    pub(super) drift: i32,
}

impl Ground {
    /// Finds who is near the borders of strip `number`.
    pub(super) fn borders(self, number: usize, strip: &Strip, borders: &mut Borders) {
        let reach = self.range.span + self.drift;
        let bottom = number as i32 * self.height;
        borders.find(strip, bottom - 1 + reach, bottom + self.height - reach);
    }
}

/// A susceptible person heard an infectious one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Exposure {
    /// Whose place in its strip this is.
    at: u32,
    /// The candidate of the smallest rank is the infector.
    rank: u64,
    /// By identity when ranks are equal.
    identity: Identity,
    infector: PersonId,
}

/// The exposures found by looking at a strip and the one above it.
#[derive(Debug, Clone, Default)]
pub(super) struct Meetings {
    own: Vec<Exposure>,
    above: Vec<Exposure>,
    facts: Facts,
}

impl Meetings {
    pub(super) fn exposed(&self) -> bool {
        !self.own.is_empty() || !self.above.is_empty()
    }

    /// The contacts, for the digest.
    pub(super) const fn facts(&self) -> Facts {
        self.facts
    }

    pub(super) fn bytes(&self) -> usize {
        (self.own.capacity() + self.above.capacity()) * size_of::<Exposure>() + size_of::<Self>()
    }
}

/// Tells `witness` the contacts within a strip and notes the exposures, in place of those noted before.
pub(super) fn meet_within(
    strip: &Strip,
    meetings: &mut Meetings,
    rules: &Rules<'_>,
    ground: Ground,
    witness: &mut impl Witness,
) {
    let Meetings { own, above, facts } = meetings;
    own.clear();
    above.clear();
    *facts = Facts::default();
    let mut scene = Scene { rules, facts, witness };
    sweep::within(strip, ground.range, |a, b, distance_squared| {
        let (one, other) = (Party::of(strip, a), Party::of(strip, b));
        own.extend(scene.hear(one, other, distance_squared));
        own.extend(scene.hear(other, one, distance_squared));
    });
}

/// The same between a strip (whose people near the border are `high`) and the one above it (`low`).
pub(super) fn meet_across(
    (lower, high): (&Strip, &[u32]),
    (upper, low): (&Strip, &[u32]),
    meetings: &mut Meetings,
    rules: &Rules<'_>,
    ground: Ground,
    witness: &mut impl Witness,
) {
    let Meetings { own, above, facts } = meetings;
    let mut scene = Scene { rules, facts, witness };
    sweep::across((lower, high), (upper, low), ground.range, |a, b, distance_squared| {
        let (one, other) = (Party::of(lower, a), Party::of(upper, b));
        own.extend(scene.hear(one, other, distance_squared));
        above.extend(scene.hear(other, one, distance_squared));
    });
}

/// One of two in range.
#[derive(Clone, Copy)]
struct Party {
    at: u32,
    id: PersonId,
    state: State,
}

impl Party {
    #[inline]
    fn of(strip: &Strip, at: usize) -> Self {
        Party { at: at as u32, id: PersonId(strip.id[at]), state: State(strip.state[at]) }
    }
}

struct Scene<'a, W> {
    rules: &'a Rules<'a>,
    facts: &'a mut Facts,
    witness: &'a mut W,
}

impl<W: Witness> Scene<'_, W> {
    /// The same rules as [`Person::hears`](crate::Person::hears) and
    /// [`choose_infector`](crate::person::choose_infector).
    #[inline]
    fn hear(&mut self, hearer: Party, heard: Party, distance_squared: u64) -> Option<Exposure> {
        if hearer.state.is_dead() {
            return None;
        }
        self.facts.contact(hearer.id, heard.id, distance_squared);
        self.witness.contact(hearer.id, heard.id, distance_squared);
        if !hearer.state.is_susceptible() || !heard.state.is_infectious() {
            return None;
        }
        let identity = identity_of(self.rules.base, heard.id);
        let rank = self.rules.draws.rank(Stream::Infector, hearer.id, self.rules.tick, identity);
        Some(Exposure { at: hearer.at, rank, identity, infector: heard.id })
    }
}

/// Infects who was exposed in strip `number`.
pub(super) fn infect(
    strip: &mut Strip,
    number: usize,
    meetings: &[Meetings],
    rules: &Rules<'_>,
    witness: &mut impl Witness,
    outcome: &mut Outcome,
) {
    let from_below = number.checked_sub(1).map_or(&[][..], |below| &meetings[below].above);
    let mut exposures = [&meetings[number].own, from_below].concat();
    exposures.sort_unstable();
    exposures.dedup_by_key(|exposure| exposure.at);
    for Exposure { at, identity, infector, .. } in exposures {
        let at = at as usize;
        let before = State(strip.state[at]);
        let after = before.with_illness(Illness::infected(rules.parameters), rules.stand_when_infectious);
        strip.state[at] = after.0;
        outcome.changes.count_change(before, after);
        let (infectee, place) = (PersonId(strip.id[at]), Position { x: strip.x[at], y: strip.y[at] });
        outcome.facts.infection(infector, infectee, place);
        let infectee = identity_of(rules.base, infectee);
        witness.infection(&Infection { infector: identity, infectee, tick: rules.tick, place });
    }
}
