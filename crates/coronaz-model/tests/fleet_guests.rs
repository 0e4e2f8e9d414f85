//! Guests of a fleet are heard and infect by the rules of a person; without any, nothing is different.

use std::collections::BTreeSet;

use coronaz_model::fleet::{Diary, Serial, Standing};
use coronaz_model::identity::{base_of, identity_of};
use coronaz_model::{
    Draws, Emission, Fleet, Health, Identity, Movement, Parameters, Person, PersonId, Phase, Position, Reach,
    Spawn, Stream,
};
use proptest::prelude::*;

const SEED: u64 = 11;
/// The first of the guests' UUIDs; none is of the fleet.
const GUESTS: Identity = 0x5603_b252_36de_11eb_b339_0242_ac16_0009;

fn fleet_of(parameters: &Parameters, count: u32, infected: u32) -> Fleet {
    let spawns = (0..count).map(|number| Spawn { infected: number < infected, ..Spawn::default() });
    Fleet::new(parameters, Draws::new(SEED), base_of(SEED), spawns.collect::<Vec<_>>().into_iter())
}

/// Guests who are somewhere else in every tick; every other one is infectious.
fn guests(parameters: &Parameters, count: u32, tick: u64) -> Vec<Emission> {
    let guest = |number: u32| Emission {
        identity: GUESTS + Identity::from(number),
        position: Draws::new(99).place(Stream::Goal, PersonId(number), tick, parameters.field()),
        infectious: number.is_multiple_of(2),
        alive: true,
    };
    (0..count).map(guest).collect()
}

type Met = (Identity, Identity, u64);
type Caught = (Identity, Identity, Position);

/// One tick by [`Person`]'s rules: contacts with people, contacts with guests, infections.
fn tick_of_people(
    people: &mut [Person],
    guests: &[Emission],
    parameters: &Parameters,
    tick: u64,
) -> [BTreeSet<Met>; 2] {
    let draws = Draws::new(SEED);
    let phases: Vec<Phase> =
        people.iter_mut().map(|person| person.begin_tick(parameters, draws, tick)).collect();
    let own = people.iter().zip(&phases).filter(|(_, phase)| **phase != Phase::Gone);
    let own: Vec<Emission> = own.map(|(person, _)| person.emission()).collect();
    let mut contacts = [BTreeSet::new(), BTreeSet::new()];
    for person in people.iter_mut().zip(&phases).filter(|(_, phase)| **phase == Phase::Alive) {
        let person = person.0;
        let mut infectious = Vec::new();
        for (kind, beacons) in [&own[..], guests].into_iter().enumerate() {
            for beacon in beacons {
                person.notice(parameters, beacon);
                if let Some(distance_squared) = person.hears(parameters, beacon) {
                    contacts[kind].insert((person.identity, beacon.identity, distance_squared));
                    infectious.extend(beacon.infectious.then_some(beacon.identity));
                }
            }
        }
        person.end_tick(parameters, draws, tick, infectious);
    }
    contacts
}

fn tick_of_fleet(fleet: &mut Fleet, guests: &[Emission]) -> ([BTreeSet<Met>; 2], BTreeSet<Caught>) {
    let base = fleet.base();
    let mut diaries = vec![Diary::default(); fleet.shards()];
    fleet.begin_tick(&Serial);
    fleet.end_tick(&Serial, &mut diaries, guests);
    let mut contacts = [BTreeSet::new(), BTreeSet::new()];
    let mut infections = BTreeSet::new();
    for diary in diaries {
        let own = diary.contacts.iter().map(|&(a, b, d)| (identity_of(base, a), identity_of(base, b), d));
        contacts[0].extend(own);
        let guests =
            diary.guest_contacts.iter().map(|&(hearer, guest, d)| (identity_of(base, hearer), guest, d));
        contacts[1].extend(guests);
        infections
            .extend(diary.infections.iter().map(|caught| (caught.infector, caught.infectee, caught.place)));
    }
    (contacts, infections)
}

fn assert_by_the_rules(
    parameters: &Parameters,
    people: u32,
    infected: u32,
    visitors: u32,
    ticks: u64,
) -> u32 {
    let mut fleet = fleet_of(parameters, people, infected);
    let mut alone = fleet.people();
    let mut caught_from_guests = 0;
    for tick in 1..=ticks {
        let guests = guests(parameters, visitors, tick);
        let truth = tick_of_people(&mut alone, &guests, parameters, tick);
        let (contacts, infections) = tick_of_fleet(&mut fleet, &guests);
        assert_eq!(contacts, truth, "contacts of tick {tick}");
        assert_eq!(fleet.people(), alone, "people at tick {tick}");
        caught_from_guests +=
            infections.iter().filter(|(infector, ..)| *infector >> 96 == GUESTS >> 96).count();
    }
    caught_from_guests as u32
}

#[test]
fn guests_are_heard_and_infect_by_the_rules_of_a_person() {
    let parameters = Parameters { zombie_lifetime: 90, ..Parameters::default() };
    assert!(assert_by_the_rules(&parameters, 400, 5, 30, 100) > 10);
}

#[test]
fn without_guests_the_two_halves_of_a_tick_are_a_step() {
    let parameters = Parameters { field_height: 900, zombie_lifetime: 60, ..Parameters::default() };
    let (mut halves, mut whole) = (fleet_of(&parameters, 900, 90), fleet_of(&parameters, 900, 90));
    let mut witnesses = vec![(); whole.shards()];
    for _ in 0..70 {
        whole.step(&Serial, &mut witnesses);
        halves.begin_tick(&Serial);
        halves.end_tick(&Serial, &mut witnesses, &[]);
        assert_eq!(halves.digest(), whole.digest());
    }
    assert_eq!(halves.people(), whole.people());
    assert_eq!(halves.census().of(Health::Deceased), 900);
}

#[test]
fn who_says_to_be_of_the_fleet_is_no_guest() {
    let parameters = Parameters::default();
    let mut fleet = fleet_of(&parameters, 50, 0);
    let at = fleet.people()[3].position;
    let impostor = Emission {
        identity: identity_of(fleet.base(), PersonId(7)),
        position: at,
        infectious: true,
        alive: true,
    };
    let (contacts, infections) = tick_of_fleet(&mut fleet, &[impostor]);
    assert!(contacts[1].is_empty() && infections.is_empty());
    assert_eq!(fleet.census().of(Health::Infectious), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_any_map_guests_are_heard_and_feared_by_the_rules_of_a_person(
        field_width in 1u32..400,
        field_height in 1u32..400,
        people in 1u32..300,
        visitors in 0u32..20,
        infection_radius in 0.0f64..12.0,
        sensing_radius in 0.0f64..20.0,
        transmission_probability in prop_oneof![Just(1.0), 0.0f64..1.0],
        move_when_infected: bool,
    ) {
        let parameters = Parameters {
            field_width, field_height, infection_radius, sensing_radius, transmission_probability, move_when_infected,
            movement: Movement::Avoid,
            zombie_lifetime: 30,
            ..Parameters::default()
        };
        assert_by_the_rules(&parameters, people, people / 10, visitors, 35);
    }

    #[test]
    fn near_a_place_are_those_within_reach_of_it_and_nobody_else(
        field_width in 1u32..3_000,
        field_height in 1u32..3_000,
        people in 0u32..2_000,
        ticks in 0u64..40,
        radius in 0.0f64..60.0,
        (at_x, at_y) in (0.0f64..=1.0, 0.0f64..=1.0),
    ) {
        let parameters = Parameters { field_width, field_height, zombie_lifetime: 0, ..Parameters::default() };
        let mut fleet = fleet_of(&parameters, people, people / 3);
        let mut witnesses = vec![(); fleet.shards()];
        (0..ticks).for_each(|_| fleet.step(&Serial, &mut witnesses));
        let side = |share: f64, length: u32| (share * f64::from(length)).round() as i32;
        let (place, reach) =
            (Position { x: side(at_x, field_width), y: side(at_y, field_height) }, Reach::of_radius(radius));
        let standing = |person: &Person| Standing {
            id: person.id,
            position: person.position,
            health: person.illness.health,
            died_infectious: person.died_infectious,
        };
        let mut found: Vec<Standing> = fleet.near(place, reach).collect();
        found.sort_by_key(|standing| standing.id);
        let all = fleet.people();
        let truth: Vec<Standing> =
            all.iter().filter(|person| reach.covers(person.position, place)).map(standing).collect();
        prop_assert_eq!(found, truth);
    }
}
