//! Homes, work and leisure with a daily rhythm, so that contacts are not uniform.
//!
//! Nothing is stored for a person: home, workplace and where it goes in the evening are functions of
//! (seed, person, day), the place to be is one of the time of day. The map is cut into blocks of
//! `place_spacing`; each has one workplace and one place of leisure. People work in their home's block or a
//! neighbouring one, and go out in one of those, another every day.

use crate::{
    Draws, Field, Parameters, PersonId, Position, Stream, Tick,
    draw::{StreamDraws, scale},
};

/// Where the time of day says to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At home.
    Home,
    /// At work.
    Work,
    /// Out.
    Leisure,
}

/// Work begins after this many hundredths of a day.
const WORK_BEGINS: u64 = 30;
/// Leisure begins after this many hundredths of a day.
const LEISURE_BEGINS: u64 = 65;
/// Home begins again after this many hundredths of a day.
const HOME_BEGINS: u64 = 85;
/// People differ by up to this many hundredths of a day in when they go.
const SPREAD: u64 = 10;
/// How far people mill about a workplace or place of leisure, in units.
const ROOM: u32 = 4;
/// How far people mill about at home, in units.
const HOME_ROOM: u32 = 1;

/// What all people have in common at one time of the day: worked out once in a tick for everybody.
///
/// A person's day is the earliest one's, some ticks later: people are *late* by less than the time between two changes
/// of place. So at any tick at most one change is under way, and those of at most so late have made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    tick: Tick,
    /// Where those are to be who have not yet made the change.
    before: Place,
    /// Where the others are to be: everybody, if no change is under way.
    after: Place,
    /// Who is so late makes the change in this tick.
    turning: Option<u32>,
    /// People are late by less than this.
    late_max: u32,
    /// The number that keys where people go out today.
    evening: u64,
    field: Field,
    spacing: u32,
    rhythms: StreamDraws,
    homes: StreamDraws,
    sites: StreamDraws,
    rooms: StreamDraws,
}

impl Moment {
    /// That of a tick; those before 0 count in two's complement ([`super::start`]).
    #[must_use]
    pub fn of(parameters: &Parameters, draws: Draws, tick: Tick) -> Self {
        let day = u64::from(parameters.day_length);
        let late_max = (day * SPREAD / 100) as u32;
        let mut moment = Moment {
            tick,
            before: Place::Home,
            after: Place::Home,
            turning: None,
            late_max,
            evening: evening(parameters, tick),
            field: parameters.field(),
            spacing: parameters.place_spacing,
            rhythms: draws.of(Stream::Rhythm),
            homes: draws.of(Stream::Home),
            sites: draws.of(Stream::Site),
            rooms: draws.of(Stream::Room),
        };
        let time = (tick as i64).rem_euclid(i64::from(parameters.day_length)) as u64;
        let changes =
            [(WORK_BEGINS, Place::Work), (LEISURE_BEGINS, Place::Leisure), (HOME_BEGINS, Place::Home)];
        for (begins, place) in changes {
            let Some(since) = time.checked_sub((day * begins).div_ceil(100)) else { break };
            let under_way = since < u64::from(late_max);
            moment.before = if under_way { moment.after } else { place };
            moment.after = place;
            moment.turning = under_way.then_some(since as u32);
        }
        moment
    }

    /// Whether some people change place in this tick.
    #[inline]
    #[must_use]
    pub const fn has_a_turn(&self) -> bool {
        self.turning.is_some()
    }

    /// Whether a person changes place in this tick.
    #[inline]
    #[must_use]
    pub fn turns(&self, person: PersonId) -> bool {
        self.turning.is_some_and(|turning| self.late(person) == turning)
    }

    /// By how many ticks a person is late.
    #[inline]
    fn late(&self, person: PersonId) -> u32 {
        scale((self.rhythms.bits(person, 0) >> 32) as u32, self.late_max)
    }

    /// Where a person is to be.
    #[inline]
    fn place(&self, person: PersonId) -> Place {
        match self.turning {
            Some(turning) if self.late(person) > turning => self.before,
            _ => self.after,
        }
    }

    /// The next goal of a person who has reached the last, or changes place: a spot where it is to be.
    #[inline]
    #[must_use]
    pub fn next_goal(&self, person: PersonId) -> Position {
        self.spot_in(self.place(person), person)
    }

    /// [`Moment::next_goal`] of some people: given to `put` with the number by which `who` says who it is.
    #[inline(always)]
    pub(crate) fn next_goals(
        &self,
        numbers: &[usize],
        who: impl Fn(usize) -> PersonId,
        mut put: impl FnMut(usize, Position),
    ) {
        // At home, where people spend half of the day, they have a new goal every other tick: that loop has no branches.
        if self.turning.is_none() && self.after == Place::Home {
            for &number in numbers {
                let person = who(number);
                put(number, self.spot_around(self.home(person), HOME_ROOM, person));
            }
        } else {
            for &number in numbers {
                put(number, self.next_goal(who(number)));
            }
        }
    }

    /// A spot in a place of a person.
    fn spot_in(&self, place: Place, person: PersonId) -> Position {
        match place {
            Place::Home => self.spot_around(self.home(person), HOME_ROOM, person),
            Place::Work => self.spot_around(self.site(Place::Work, person, 0), ROOM, person),
            Place::Leisure => self.spot_around(self.site(Place::Leisure, person, self.evening), ROOM, person),
        }
    }

    #[inline(always)]
    fn spot_around(&self, centre: Position, room: u32, person: PersonId) -> Position {
        let chance = self.rooms.bits(person, self.tick);
        let around = |middle: i32, chance: u64, max: u32| {
            let offset = scale(chance as u32, 2 * room + 1) as i32 - room as i32;
            (middle + offset).clamp(0, max as i32)
        };
        Position {
            x: around(centre.x, chance >> 32, self.field.width),
            y: around(centre.y, chance, self.field.height),
        }
    }

    /// Where a person lives.
    #[inline]
    fn home(&self, person: PersonId) -> Position {
        self.homes.place(person, 0, self.field)
    }

    /// The workplace, or the place of leisure of an evening, of a person.
    fn site(&self, place: Place, person: PersonId, evening: u64) -> Position {
        let home = self.home(person);
        let chance = self.sites.bits(person, evening);
        let spacing = self.spacing;
        let block = |home: i32, chance: u64, side: u32| {
            let neighbour = scale(chance as u32, 3) as i32 - 1;
            ((home as u32 / spacing) as i32 + neighbour).clamp(0, (side / spacing) as i32) as u32
        };
        let (column, row) =
            (block(home.x, chance >> 32, self.field.width), block(home.y, chance, self.field.height));
        // A block's number keys its sites; at most 500,000 a side, so the row shifted by 20 bits stays apart.
        let number = (u64::from(row) << 20) | u64::from(column);
        // No person has these numbers.
        let kind = PersonId(if place == Place::Leisure { u32::MAX - 1 } else { u32::MAX });
        let spot = self.sites.bits(kind, number);
        let within = |block: u32, chance: u64, side: u32| {
            let low = block * spacing;
            (low + scale(chance as u32, spacing.min(side + 1 - low))) as i32
        };
        Position { x: within(column, spot >> 32, self.field.width), y: within(row, spot, self.field.height) }
    }
}

/// The next step's goal: another when the time of day says so, or when the last is reached.
#[must_use]
pub fn goal(
    at: Position,
    goal: Position,
    parameters: &Parameters,
    draws: Draws,
    person: PersonId,
    tick: Tick,
) -> Position {
    let moment = Moment::of(parameters, draws, tick);
    if at == goal || moment.turns(person) { moment.next_goal(person) } else { goal }
}

/// Where a person is that has been for a while where the time of day says.
#[must_use]
pub fn whereabouts(parameters: &Parameters, draws: Draws, person: PersonId, tick: Tick) -> Position {
    Moment::of(parameters, draws, tick).next_goal(person)
}

/// The number that keys where people go out on the day of a tick: 1, 2, … from the start on; before it, where ticks are
/// below 0, those of -1, -2, …, so that no day has the number 0, which is work's.
fn evening(parameters: &Parameters, tick: Tick) -> u64 {
    let day = (tick as i64).div_euclid(i64::from(parameters.day_length));
    if day >= 0 { day as u64 + 1 } else { day as u64 }
}

/// Where a person lives.
#[must_use]
pub fn home(parameters: &Parameters, draws: Draws, person: PersonId) -> Position {
    draws.place(Stream::Home, person, 0, parameters.field())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::movement::Movement;

    fn town() -> Parameters {
        Parameters {
            movement: Movement::Places,
            field_width: 200,
            field_height: 170,
            ..Parameters::default()
        }
    }

    /// Where the definition says to be: by the hundredths of the person's own day.
    fn place_at(parameters: &Parameters, late: u32, tick: i64) -> Place {
        let day = i64::from(parameters.day_length);
        match ((tick - i64::from(late)).rem_euclid(day) * 100 / day) as u64 {
            WORK_BEGINS..LEISURE_BEGINS => Place::Work,
            LEISURE_BEGINS..HOME_BEGINS => Place::Leisure,
            _ => Place::Home,
        }
    }

    #[test]
    fn what_is_worked_out_once_for_all_is_what_the_hundredths_of_each_ones_day_say() {
        let draws = Draws::new(6);
        for day_length in [20, 21, 33, 99, 150, 600, 86_400] {
            let parameters = Parameters { day_length, ..town() };
            let length = i64::from(day_length);
            let step = (length / 700).max(1) as usize;
            for tick in (-length - 1..2 * length + 2).step_by(step) {
                let moment = Moment::of(&parameters, draws, tick as Tick);
                for person in (0..40).map(PersonId) {
                    let late = moment.late(person);
                    let here = place_at(&parameters, late, tick);
                    assert_eq!(moment.place(person), here, "{late} late at {tick} of {day_length}");
                    let turns = here != place_at(&parameters, late, tick - 1);
                    assert_eq!(moment.turns(person), turns, "{late} late at {tick} of {day_length}");
                }
            }
        }
    }

    #[test]
    fn a_day_has_home_work_leisure_and_home_again() {
        let parameters = town();
        let mut phases: Vec<Place> = (0..600).map(|tick| place_at(&parameters, 0, tick)).collect();
        let at_work = phases.iter().filter(|&&place| place == Place::Work).count();
        assert_eq!(at_work, 600 * 35 / 100);
        phases.dedup();
        assert_eq!(phases, [Place::Home, Place::Work, Place::Leisure, Place::Home]);
    }

    #[test]
    fn people_do_not_all_leave_at_once_but_all_within_the_spread() {
        let parameters = town();
        let leaving = |late| (0..600).find(|&tick| place_at(&parameters, late, tick) == Place::Work);
        let late_max = Moment::of(&parameters, Draws::new(1), 0).late_max;
        assert_eq!((leaving(0), leaving(late_max - 1)), (Some(180), Some(239)));
    }

    #[test]
    fn everywhere_is_on_the_field_and_work_is_near_home() {
        let draws = Draws::new(3);
        for (field_width, field_height, place_spacing) in
            [(200, 170, 50), (1, 1, 2), (7, 999, 1_000), (99, 99, 2)]
        {
            let parameters = Parameters { field_width, field_height, place_spacing, ..town() };
            let moment = Moment::of(&parameters, draws, 4_000);
            for number in 0..500 {
                let person = PersonId(number);
                let home = home(&parameters, draws, person);
                for place in [Place::Home, Place::Work, Place::Leisure] {
                    let spot = moment.spot_in(place, person);
                    assert!(parameters.field().contains(spot), "{place:?} of {person:?} at {spot:?}");
                }
                let work = moment.site(Place::Work, person, 0);
                assert!(
                    work.x.abs_diff(home.x) < 2 * place_spacing
                        && work.y.abs_diff(home.y) < 2 * place_spacing
                );
            }
        }
    }

    #[test]
    fn people_of_one_block_share_workplaces() {
        let (parameters, draws) = (town(), Draws::new(3));
        let moment = Moment::of(&parameters, draws, 0);
        let sites: std::collections::BTreeSet<_> =
            (0..2_000).map(|number| moment.site(Place::Work, PersonId(number), 0)).collect();
        assert!(sites.len() <= 5 * 4, "{} workplaces", sites.len());
        assert!(sites.len() >= 15);
    }
}
