//! What meeting leads to: contacts, and infections.

use super::{
    Outcome, Rules,
    state::State,
    strip::Strip,
    sweep::{self, Borders, Range},
    witness::Witness,
};
use crate::{
    Emission, Identity, Illness, Infection, PersonId, Position, Stream,
    digest::Facts,
    identity::identity_of,
    illness,
    movement::avoid::{Alarm, flight},
    person::infects,
};

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

/// A susceptible person noticed an infectious one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Notice {
    /// Whose place in its strip this is.
    at: u32,
    /// The smallest is the nearest.
    alarm: Alarm,
}

/// What people of one strip have to decide at the end of the tick.
#[derive(Debug, Clone, Default)]
struct Pending {
    exposures: Vec<Exposure>,
    notices: Vec<Notice>,
}

impl Pending {
    fn clear(&mut self) {
        self.exposures.clear();
        self.notices.clear();
    }

    fn is_empty(&self) -> bool {
        self.exposures.is_empty() && self.notices.is_empty()
    }

    fn bytes(&self) -> usize {
        self.exposures.capacity() * size_of::<Exposure>() + self.notices.capacity() * size_of::<Notice>()
    }
}

/// What was found by looking at a strip and the one above it.
#[derive(Debug, Clone, Default)]
pub(super) struct Meetings {
    own: Pending,
    above: Pending,
    facts: Facts,
}

impl Meetings {
    /// Whether anybody may have been infected or will flee.
    pub(super) fn matter(&self) -> bool {
        !self.own.is_empty() || !self.above.is_empty()
    }

    /// The contacts, for the digest.
    pub(super) const fn facts(&self) -> Facts {
        self.facts
    }

    /// Notes whom of this strip a guest exposed, and who noticed it, and tells `witness` who heard it. To be
    /// called after the strip has met itself.
    pub(super) fn hear_guest(
        &mut self,
        (strip, at): (&Strip, usize),
        guest: &Emission,
        distance_squared: u64,
        rules: &Rules<'_>,
        witness: &mut impl Witness,
    ) {
        let hearer = Party::of(strip, at);
        if hearer.state.is_dead() {
            return;
        }
        let is_contact = distance_squared <= rules.contact_max;
        if is_contact {
            witness.guest_contact(hearer.id, guest.identity, distance_squared);
        }
        if hearer.state.is_susceptible() && guest.infectious {
            let source = Source { id: GUEST, identity: guest.identity, position: guest.position };
            expose(rules, hearer, source, distance_squared, is_contact, &mut self.own);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.own.bytes() + self.above.bytes() + size_of::<Self>()
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
        scene.hear(one, other, distance_squared, own);
        scene.hear(other, one, distance_squared, own);
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
        scene.hear(one, other, distance_squared, own);
        scene.hear(other, one, distance_squared, above);
    });
}

/// One of two in range.
#[derive(Clone, Copy)]
struct Party<'a> {
    strip: &'a Strip,
    at: usize,
    id: PersonId,
    state: State,
}

impl<'a> Party<'a> {
    #[inline]
    fn of(strip: &'a Strip, at: usize) -> Self {
        Party { strip, at, id: PersonId(strip.id[at]), state: State(strip.state[at]) }
    }
}

struct Scene<'a, W> {
    rules: &'a Rules<'a>,
    facts: &'a mut Facts,
    witness: &'a mut W,
}

impl<W: Witness> Scene<'_, W> {
    /// The same rules as [`Person::hears`](crate::Person::hears) and
    /// [`Person::notice`](crate::Person::notice).
    #[inline]
    fn hear(&mut self, hearer: Party<'_>, heard: Party<'_>, distance_squared: u64, pending: &mut Pending) {
        if hearer.state.is_dead() {
            return;
        }
        let is_contact = distance_squared <= self.rules.contact_max;
        if is_contact {
            self.facts.contact(hearer.id, heard.id, distance_squared);
            self.witness.contact(hearer.id, heard.id, distance_squared);
        }
        if hearer.state.is_susceptible() && heard.state.is_infectious() {
            let position = self.rules.axes.place(heard.strip.x[heard.at], heard.strip.y[heard.at]);
            let identity = identity_of(self.rules.base, heard.id);
            let source = Source { id: heard.id, identity, position };
            expose(self.rules, hearer, source, distance_squared, is_contact, pending);
        }
    }
}

/// Who stands for every guest in the digest: nobody of the fleet.
const GUEST: PersonId = PersonId(u32::MAX);

/// An infectious person.
#[derive(Clone, Copy)]
struct Source {
    id: PersonId,
    identity: Identity,
    position: Position,
}

fn expose(
    rules: &Rules<'_>,
    hearer: Party<'_>,
    source: Source,
    distance_squared: u64,
    is_contact: bool,
    pending: &mut Pending,
) {
    let Rules { parameters, draws, tick, alarm_max, .. } = *rules;
    let Source { id, identity, position } = source;
    let at = hearer.at as u32;
    if is_contact && infects(parameters, draws, hearer.id, tick, identity) {
        let rank = draws.rank(Stream::Infector, hearer.id, tick, identity);
        pending.exposures.push(Exposure { at, rank, identity, infector: id });
    }
    if alarm_max.is_some_and(|max| distance_squared <= max) {
        pending.notices.push(Notice { at, alarm: Alarm { distance_squared, identity, position } });
    }
}

/// Infects who was exposed in strip `number`; the others turn to flight where they noticed somebody.
pub(super) fn conclude(
    strip: &mut Strip,
    number: usize,
    meetings: &[Meetings],
    rules: &Rules<'_>,
    witness: &mut impl Witness,
    outcome: &mut Outcome,
) {
    let (own, none) = (&meetings[number].own, Pending::default());
    let from_below = number.checked_sub(1).map_or(&none, |below| &meetings[below].above);
    let mut exposures = [&own.exposures[..], &from_below.exposures].concat();
    exposures.sort_unstable();
    exposures.dedup_by_key(|exposure| exposure.at);
    for exposure in exposures {
        infect(strip, &exposure, rules, witness, outcome);
    }
    let mut notices = [&own.notices[..], &from_below.notices].concat();
    notices.sort_unstable();
    notices.dedup_by_key(|notice| notice.at);
    for Notice { at, alarm } in notices {
        let at = at as usize;
        let state = State(strip.state[at]);
        if state.is_susceptible() {
            let (id, here) = (PersonId(strip.id[at]), rules.axes.place(strip.x[at], strip.y[at]));
            let way = flight(here, alarm.position, rules.draws, id, rules.tick, rules.field);
            strip.state[at] = state.fleeing(way).0;
        }
    }
}

/// The same rules as [`Person::end_tick`](crate::Person::end_tick).
fn infect(
    strip: &mut Strip,
    exposure: &Exposure,
    rules: &Rules<'_>,
    witness: &mut impl Witness,
    outcome: &mut Outcome,
) {
    let Rules { parameters, draws, tick, base, .. } = *rules;
    let at = exposure.at as usize;
    let (id, place) = (PersonId(strip.id[at]), rules.axes.place(strip.x[at], strip.y[at]));
    let onset = u32::try_from(illness::onset(parameters, draws, id, tick)).unwrap_or(u32::MAX);
    if let Some(extra) = strip.extra.get_mut(at) {
        extra.onset = onset;
    }
    let before = State(strip.state[at]);
    let after = before.with_illness(Illness::caught(parameters, draws, id, tick), rules.ill_stand(onset));
    strip.state[at] = after.0;
    outcome.changes.count_change(before, after);
    outcome.facts.infection(exposure.infector, id, place);
    let infectee = identity_of(base, id);
    witness.infection(&Infection { infector: exposure.identity, infectee, tick, place });
}
