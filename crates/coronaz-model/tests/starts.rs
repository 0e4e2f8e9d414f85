//! What is counted from the start on is what the movement brings in the long run: `docs/model.md`, "The start".

use coronaz_model::fleet::{Columns, Diary, Serial};
use coronaz_model::identity::base_of;
use coronaz_model::movement::places;
use coronaz_model::{Draws, Fleet, Movement, Parameters, Position, Spawn, Start};

fn fleet_of(parameters: &Parameters, seed: u64, people: u32) -> Fleet {
    let spawns = vec![Spawn::default(); people as usize];
    Fleet::new(parameters, Draws::new(seed), base_of(seed), spawns.into_iter())
}

/// Contacts, each direction, of so many ticks.
fn contacts(fleet: &mut Fleet, ticks: u64) -> f64 {
    let mut diaries = vec![Diary::default(); fleet.shards()];
    let mut contacts = 0;
    for _ in 0..ticks {
        diaries.iter_mut().for_each(Diary::clear);
        fleet.step(&Serial, &mut diaries);
        contacts += diaries.iter().map(|diary| diary.contacts.len()).sum::<usize>();
    }
    contacts as f64
}

/// Share of people within this many units of their home, along each axis.
fn share_near_home(fleet: &Fleet, units: u32, seed: u64) -> f64 {
    let near = |position: Position, home: Position| {
        position.x.abs_diff(home.x) <= units && position.y.abs_diff(home.y) <= units
    };
    let people = fleet.columns().flat_map(Columns::present);
    let at_home = people.filter(|person| {
        near(person.position, places::home(fleet.parameters(), Draws::new(seed), person.id))
    });
    at_home.count() as f64 / f64::from(fleet.count())
}

/// A city with places to go to, which it would take days to reach from anywhere.
fn city(start: Start) -> Parameters {
    Parameters {
        field_width: 2_499,
        field_height: 2_499,
        zombie_lifetime: 0,
        movement: Movement::Places,
        start,
        ..Parameters::default()
    }
}

#[test]
fn at_midnight_and_in_the_morning_most_people_are_near_home_from_the_first_day_on() {
    let mut fleet = fleet_of(&city(Start::Auto), 3, 20_000);
    let day = u64::from(fleet.parameters().day_length);
    assert!(share_near_home(&fleet, 1, 3) >= 1.0, "everybody is at home at the start");
    for number in 1..=3 {
        contacts(&mut fleet, day);
        let midnight = share_near_home(&fleet, 10, 3);
        // The others are still on the way: home begins at 85% to 95% of a day, and may be 200 units off.
        assert!((0.6..0.68).contains(&midnight), "at midnight {number}: {midnight}");
        let mut later = fleet.clone();
        contacts(&mut later, day * 29 / 100);
        let morning = share_near_home(&later, 10, 3);
        assert!(morning >= 1.0, "on morning {number}: {morning}");
    }
    let mut lost = fleet_of(&city(Start::Uniform), 3, 20_000);
    contacts(&mut lost, day);
    assert!(share_near_home(&lost, 10, 3) < 0.1, "who starts anywhere has not come home after a day");
}

#[test]
fn contacts_of_the_first_day_are_those_of_the_fourth_and_rise_where_people_start_anywhere() {
    let rise = |start| {
        let mut fleet = fleet_of(&city(start), 5, 10_000);
        let day = u64::from(fleet.parameters().day_length);
        let of_days: Vec<f64> = (0..4).map(|_| contacts(&mut fleet, day)).collect();
        of_days[3] / of_days[0]
    };
    let (settled, anywhere) = (rise(Start::Auto), rise(Start::Uniform));
    assert!((settled - 1.0).abs() < 0.02, "from day 1 to day 4 contacts are {settled} times as many");
    assert!(anywhere > 3.0, "from anywhere {anywhere} times");
}

/// A field on which people walk at random.
fn plain(start: Start, warm_up: u32) -> Parameters {
    Parameters {
        field_width: 299,
        field_height: 199,
        zombie_lifetime: 0,
        start,
        warm_up,
        ..Parameters::default()
    }
}

/// Contacts of 20 ticks from the start on, for each person and tick: mean over the seeds, and its standard error.
fn rate(parameters: &Parameters) -> (f64, f64) {
    const PEOPLE: u32 = 1_000;
    const TICKS: u64 = 20;
    let rates: Vec<f64> = (0..60)
        .map(|seed| {
            contacts(&mut fleet_of(parameters, seed, PEOPLE), TICKS) / (f64::from(PEOPLE) * TICKS as f64)
        })
        .collect();
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / (rates.len() - 1) as f64;
    (mean, (variance / rates.len() as f64).sqrt())
}

#[test]
fn walkers_who_appear_settled_meet_at_once_as_often_as_after_a_long_walk() {
    let (settled, error) = rate(&plain(Start::Settled, 0));
    let (walked, error_walked) = rate(&plain(Start::Uniform, 5_000));
    let (uniform, _) = rate(&plain(Start::Uniform, 0));
    let errors = error.hypot(error_walked);
    assert!((settled - walked).abs() < 3.0 * errors, "{settled} and {walked}, ± {errors}");
    assert!(settled > uniform + 10.0 * errors, "{settled} settled, {uniform} from anywhere, ± {errors}");
}

/// How many of the people stand in each of 36 cells, and head for each.
fn cells(fleet: &Fleet) -> [f64; 72] {
    let mut cells = [0.0; 72];
    let Parameters { field_width, field_height, .. } = *fleet.parameters();
    let cell = |at: Position| {
        (at.x as u32 * 6 / (field_width + 1) * 6 + at.y as u32 * 6 / (field_height + 1)) as usize
    };
    for person in fleet.people() {
        cells[cell(person.position)] += 1.0;
        cells[36 + cell(person.goal)] += 1.0;
    }
    cells
}

#[test]
fn walkers_who_appear_settled_stand_and_head_where_those_do_who_have_walked_for_long() {
    const PEOPLE: u32 = 60_000;
    let settled = cells(&fleet_of(&plain(Start::Settled, 0), 1, PEOPLE));
    let walked = cells(&fleet_of(&plain(Start::Uniform, 5_000), 2, PEOPLE));
    // Two samples of one distribution: chi squared, twice with 35 degrees of freedom; 99.9% quantile 66.6.
    for half in [0..36, 36..72] {
        let chi2: f64 = half
            .clone()
            .map(|cell| (settled[cell] - walked[cell]).powi(2) / (settled[cell] + walked[cell]))
            .sum();
        assert!(chi2 < 66.6, "chi squared {chi2} in {half:?}");
    }
    let edge_and_middle = (settled[0], settled[14]);
    assert!(edge_and_middle.1 > 2.0 * edge_and_middle.0, "people cross the middle: {edge_and_middle:?}");
}
