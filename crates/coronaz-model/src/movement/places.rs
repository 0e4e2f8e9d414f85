//! Homes, work and leisure with a daily rhythm, so that contacts are not uniform.
//!
//! Nothing is stored for a person: home, workplace and where it goes in the evening are functions of
//! (seed, person, day), the place to be is one of the time of day. The map is cut into blocks of
//! `place_spacing`; each has one workplace and one place of leisure. People work in their home's block or a
//! neighbouring one, and go out in one of those, another every day.

use crate::{Draws, Parameters, PersonId, Position, Stream, Tick, draw::scale};

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

/// The next step's goal: another when the time of day says so, or when the last is reached.
#[inline]
#[must_use]
pub fn goal(
    at: Position,
    goal: Position,
    parameters: &Parameters,
    draws: Draws,
    person: PersonId,
    tick: Tick,
) -> Position {
    let late = draws.bits(Stream::Rhythm, person, 0);
    let place = place_at(parameters, late, tick);
    if at == goal || place != place_at(parameters, late, tick.saturating_sub(1)) {
        somewhere_in(place, parameters, draws, person, tick)
    } else {
        goal
    }
}

/// Where a person whose rhythm has this draw is to be.
fn place_at(parameters: &Parameters, late: u64, tick: Tick) -> Place {
    let day = u64::from(parameters.day_length);
    let late = u64::from(scale((late >> 32) as u32, (day * SPREAD / 100) as u32));
    let hundredths = (tick + day - late) % day * 100 / day;
    match hundredths {
        WORK_BEGINS..LEISURE_BEGINS => Place::Work,
        LEISURE_BEGINS..HOME_BEGINS => Place::Leisure,
        _ => Place::Home,
    }
}

/// A spot in the place where the person is to be.
fn somewhere_in(
    place: Place,
    parameters: &Parameters,
    draws: Draws,
    person: PersonId,
    tick: Tick,
) -> Position {
    let (centre, room) = match place {
        Place::Home => (home(parameters, draws, person), HOME_ROOM),
        Place::Work => (site(Place::Work, parameters, draws, person, 0), ROOM),
        Place::Leisure => {
            let day = 1 + tick / u64::from(parameters.day_length);
            (site(Place::Leisure, parameters, draws, person, day), ROOM)
        }
    };
    let chance = draws.bits(Stream::Room, person, tick);
    let around = |middle: i32, chance: u64, max: u32| {
        let offset = scale(chance as u32, 2 * room + 1) as i32 - room as i32;
        (middle + offset).clamp(0, max as i32)
    };
    Position {
        x: around(centre.x, chance >> 32, parameters.field_width),
        y: around(centre.y, chance, parameters.field_height),
    }
}

/// Where a person lives.
#[must_use]
pub fn home(parameters: &Parameters, draws: Draws, person: PersonId) -> Position {
    draws.place(Stream::Home, person, 0, parameters.field())
}

/// The workplace, or the place of leisure of a day (1, 2, …), of a person.
fn site(place: Place, parameters: &Parameters, draws: Draws, person: PersonId, day: u64) -> Position {
    let home = home(parameters, draws, person);
    let chance = draws.bits(Stream::Site, person, day);
    let spacing = parameters.place_spacing;
    let block = |home: i32, chance: u64, side: u32| {
        let neighbour = scale(chance as u32, 3) as i32 - 1;
        ((home as u32 / spacing) as i32 + neighbour).clamp(0, (side / spacing) as i32) as u32
    };
    let (column, row) =
        (block(home.x, chance >> 32, parameters.field_width), block(home.y, chance, parameters.field_height));
    // A block's number keys its sites; at most 500,000 a side, so the row shifted by 20 bits stays apart.
    let number = (u64::from(row) << 20) | u64::from(column);
    // No person has these numbers.
    let kind = PersonId(if place == Place::Leisure { u32::MAX - 1 } else { u32::MAX });
    let spot = draws.bits(Stream::Site, kind, number);
    let within = |block: u32, chance: u64, side: u32| {
        let low = block * spacing;
        (low + scale(chance as u32, spacing.min(side + 1 - low))) as i32
    };
    Position {
        x: within(column, spot >> 32, parameters.field_width),
        y: within(row, spot, parameters.field_height),
    }
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
        let leaving = |late: u64| (0..600).find(|&tick| place_at(&parameters, late, tick) == Place::Work);
        assert_eq!((leaving(0), leaving(u64::MAX)), (Some(180), Some(239)));
    }

    #[test]
    fn everywhere_is_on_the_field_and_work_is_near_home() {
        let draws = Draws::new(3);
        for (field_width, field_height, place_spacing) in
            [(200, 170, 50), (1, 1, 2), (7, 999, 1_000), (99, 99, 2)]
        {
            let parameters = Parameters { field_width, field_height, place_spacing, ..town() };
            for number in 0..500 {
                let person = PersonId(number);
                let home = home(&parameters, draws, person);
                for place in [Place::Home, Place::Work, Place::Leisure] {
                    let spot = somewhere_in(place, &parameters, draws, person, 4_000);
                    assert!(parameters.field().contains(spot), "{place:?} of {person:?} at {spot:?}");
                }
                let work = site(Place::Work, &parameters, draws, person, 0);
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
        let sites: std::collections::BTreeSet<_> =
            (0..2_000).map(|number| site(Place::Work, &parameters, draws, PersonId(number), 0)).collect();
        assert!(sites.len() <= 5 * 4, "{} workplaces", sites.len());
        assert!(sites.len() >= 15);
    }
}
