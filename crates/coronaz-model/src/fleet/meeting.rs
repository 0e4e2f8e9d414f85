//! What meeting leads to: contacts, and infections.

use super::{
    Census, Rules,
    state::State,
    strip::Strip,
    sweep::{self, Borders, Range},
    witness::Witness,
};
use crate::{Identity, Illness, Infection, PersonId, Position, Stream, identity::identity_of};

/// Where people meet.
pub(super) struct Place<'a> {
    pub(super) strips: &'a [Strip],
    pub(super) range: Range,
    /// Height of a strip.
    pub(super) height: i32,
    /// How far people may be outside their strip.
    pub(super) drift: i32,
}

/// A susceptible person heard an infectious one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Exposure {
    /// Whose place in its strip this is.
    at: u32,
    /// The candidate of the smallest rank is the infector.
    rank: u64,
    infector: Identity,
}

/// The exposures found by looking at a strip and the one above it.
#[derive(Debug, Clone, Default)]
pub(super) struct Meetings {
    own: Vec<Exposure>,
    above: Vec<Exposure>,
}

impl Meetings {
    pub(super) fn exposed(&self) -> bool {
        !self.own.is_empty() || !self.above.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        (self.own.capacity() + self.above.capacity()) * size_of::<Exposure>() + size_of::<Self>()
    }
}

/// Tells `witness` the contacts of the strips from `first` on, one for each of `meetings`, among
/// themselves and with the strip above each, and notes the exposures.
pub(super) fn meet(
    place: &Place<'_>,
    first: usize,
    meetings: &mut [Meetings],
    rules: &Rules<'_>,
    witness: &mut impl Witness,
) {
    let borders_of = |number: usize, borders: &mut Borders| {
        let reach = place.range.span + place.drift;
        let bottom = number as i32 * place.height;
        borders.find(&place.strips[number], bottom - 1 + reach, bottom + place.height - reach);
    };
    let (mut here, mut next) = (Borders::default(), Borders::default());
    borders_of(first, &mut here);
    for (number, meetings) in (first..).zip(meetings) {
        let Meetings { own, above } = meetings;
        own.clear();
        above.clear();
        let strip = &place.strips[number];
        let mut scene = Scene { rules, witness };
        sweep::within(strip, place.range, |a, b, distance_squared| {
            let (one, other) = (Party::of(strip, a), Party::of(strip, b));
            own.extend(scene.hear(one, other, distance_squared));
            own.extend(scene.hear(other, one, distance_squared));
        });
        if let Some(upper) = place.strips.get(number + 1) {
            borders_of(number + 1, &mut next);
            sweep::across((strip, &here.high), (upper, &next.low), place.range, |a, b, distance_squared| {
                let (one, other) = (Party::of(strip, a), Party::of(upper, b));
                own.extend(scene.hear(one, other, distance_squared));
                above.extend(scene.hear(other, one, distance_squared));
            });
            std::mem::swap(&mut here, &mut next);
        }
    }
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
        self.witness.contact(hearer.id, heard.id, distance_squared);
        if !hearer.state.is_susceptible() || !heard.state.is_infectious() {
            return None;
        }
        let infector = identity_of(self.rules.base, heard.id);
        let rank = self.rules.draws.rank(Stream::Infector, hearer.id, self.rules.tick, infector);
        Some(Exposure { at: hearer.at, rank, infector })
    }
}

/// Infects who was exposed in strip `number`.
pub(super) fn infect(
    strip: &mut Strip,
    number: usize,
    meetings: &[Meetings],
    rules: &Rules<'_>,
    witness: &mut impl Witness,
    changes: &mut Census,
) {
    let from_below = number.checked_sub(1).map_or(&[][..], |below| &meetings[below].above);
    let mut exposures = [&meetings[number].own, from_below].concat();
    exposures.sort_unstable();
    exposures.dedup_by_key(|exposure| exposure.at);
    for Exposure { at, infector, .. } in exposures {
        let at = at as usize;
        let before = State(strip.state[at]);
        let after = before.with_illness(Illness::infected(rules.parameters), rules.stand_when_infectious);
        strip.state[at] = after.0;
        changes.count_change(before, after);
        witness.infection(&Infection {
            infector,
            infectee: identity_of(rules.base, PersonId(strip.id[at])),
            tick: rules.tick,
            place: Position { x: strip.x[at], y: strip.y[at] },
        });
    }
}
