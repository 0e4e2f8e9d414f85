//! The fleet has the history of the plain world: same positions, health, contacts and infections (I-1).

use coronaz_model::fleet::{Diary, Pool, Serial};
use coronaz_model::identity::identity_of;
use coronaz_model::world::Happenings;
use coronaz_model::{
    Contact, Draws, Fleet, Health, Identity, Movement, Parameters, Person, PersonId, Spawn, Start, World,
};
use proptest::prelude::*;

const BASE: Identity = 0xff0a_1bda_34b9_11eb_b339_0242_ac16_0009;

/// A thread for each job.
struct Threads;

impl Pool for Threads {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        let work = &work;
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(move || work(job));
            }
        });
    }
}

fn people(parameters: &Parameters, draws: Draws, count: u32, infected: u32) -> Vec<Person> {
    let spawn = |number| {
        let spawn = Spawn { infected: number < infected, ..Spawn::default() };
        Person::spawn(parameters, draws, PersonId(number), identity_of(BASE, PersonId(number)), spawn, 0)
    };
    (0..count).map(spawn).collect()
}

fn step_fleet(fleet: &mut Fleet, pool: &impl Pool) -> Happenings {
    let mut diaries = vec![Diary::default(); fleet.shards()];
    fleet.step(pool, &mut diaries);
    let mut happenings = Happenings::default();
    for diary in diaries {
        happenings.infections.extend(diary.infections);
        happenings.contacts.extend(diary.contacts.into_iter().map(|(hearer, heard, distance_squared)| {
            Contact {
                tick: fleet.tick(),
                hearer: identity_of(BASE, hearer),
                heard: identity_of(BASE, heard),
                distance_squared,
            }
        }));
    }
    happenings.contacts.sort_unstable();
    happenings.infections.sort_unstable_by_key(|infection| infection.infectee);
    happenings
}

/// Steps both and compares everything; returns how many contacts and infections there were.
fn assert_parity(world: &mut World, fleet: &mut Fleet, pool: &impl Pool, ticks: u64) -> (usize, usize) {
    let (mut contacts, mut infections) = (0, 0);
    let mut digest = fleet.digest();
    for _ in 0..ticks {
        let (truth, found) = (world.step(), step_fleet(fleet, pool));
        let differ = found.contacts.iter().zip(&truth.contacts).find(|(found, truth)| found != truth);
        assert_eq!(differ, None, "contacts (fleet, world) of tick {}", world.tick);
        assert_eq!(found.contacts.len(), truth.contacts.len(), "contacts of tick {}", world.tick);
        assert_eq!(found.infections, truth.infections, "infections of tick {}", world.tick);
        let people = fleet.people();
        let differ = people.iter().zip(&world.people).find(|(found, truth)| found != truth);
        assert_eq!(differ, None, "people (fleet, world) at tick {}", world.tick);
        digest.end_tick_of(world, &truth);
        assert_eq!(fleet.digest(), digest, "digest at tick {}", world.tick);
        for health in
            [Health::Susceptible, Health::Latent, Health::Infectious, Health::Immune, Health::Deceased]
        {
            let truth = world.people.iter().filter(|person| person.illness.health == health).count();
            assert_eq!(fleet.census().of(health), truth as u64, "{health:?} at tick {}", world.tick);
        }
        contacts += truth.contacts.len();
        infections += truth.infections.len();
    }
    let zombies = world.people.iter().filter(|person| person.died_infectious).count();
    assert_eq!(fleet.census().died_infectious(), zombies as u64);
    (contacts, infections)
}

fn both(parameters: &Parameters, seed: u64, count: u32, infected: u32) -> (World, Fleet) {
    let draws = Draws::new(seed);
    let people = people(parameters, draws, count, infected);
    let spawns = (0..count).map(|number| Spawn { infected: number < infected, ..Spawn::default() });
    let fleet = Fleet::new(parameters, draws, BASE, spawns.collect::<Vec<_>>().into_iter());
    assert_eq!(fleet.people(), people);
    (World::new(parameters.clone(), draws, people), fleet)
}

#[test]
fn ten_and_two_hundred_people_of_the_paper_live_the_same_five_hundred_ticks() {
    let parameters = Parameters { zombie_lifetime: 0, ..Parameters::default() };
    for (count, seed) in [(10, 1), (200, 2), (200, 3)] {
        let (mut world, mut fleet) = both(&parameters, seed, count, 2);
        let (contacts, _) = assert_parity(&mut world, &mut fleet, &Serial, 500);
        assert!(contacts > 0);
    }
}

#[test]
fn many_strips_on_many_threads_have_the_history_of_the_world() {
    let parameters =
        Parameters { field_width: 80, field_height: 3_000, zombie_lifetime: 0, ..Parameters::default() };
    let (mut world, mut fleet) = both(&parameters, 7, 1_500, 300);
    assert!(fleet.shards() > 2, "{} shards", fleet.shards());
    let (contacts, infections) = assert_parity(&mut world, &mut fleet, &Threads, 120);
    assert!(contacts > 1_000 && infections > 10, "{contacts} contacts, {infections} infections");
}

#[test]
fn a_wide_low_map_is_cut_into_strips_too_and_has_the_history_of_the_world() {
    for movement in [Movement::Waypoint, Movement::Avoid, Movement::Places] {
        let parameters = Parameters {
            field_width: 20_000,
            field_height: 10,
            zombie_lifetime: 0,
            movement,
            ..Parameters::default()
        };
        let (mut world, mut fleet) = both(&parameters, 7, 2_000, 300);
        assert!(fleet.shards() > 2, "{} shards", fleet.shards());
        let (contacts, infections) = assert_parity(&mut world, &mut fleet, &Threads, 120);
        assert!(contacts > 1_000 && infections > 10, "{contacts} contacts, {infections} infections");
    }
}

#[test]
fn everybody_dies_of_age_at_the_same_tick_as_in_the_world() {
    let parameters = Parameters { zombie_lifetime: 20, ..Parameters::default() };
    let (mut world, mut fleet) = both(&parameters, 5, 200, 100);
    assert_parity(&mut world, &mut fleet, &Serial, 25);
    assert_eq!(fleet.census().of(Health::Deceased), 200);
    assert!(fleet.census().died_infectious() > 0);
}

#[test]
fn people_of_different_age_die_one_after_the_other() {
    let parameters = Parameters { zombie_lifetime: 30, ..Parameters::default() };
    let draws = Draws::new(9);
    let mut people = people(&parameters, draws, 300, 60);
    for (number, person) in (0..).zip(&mut people) {
        person.born = number % 40;
    }
    let mut fleet = Fleet::of_people(parameters.clone(), draws, BASE, 0, people.iter().cloned());
    let mut world = World::new(parameters, draws, people);
    assert_parity(&mut world, &mut fleet, &Serial, 80);
    assert_eq!(fleet.census().of(Health::Deceased), 300);
}

fn arb_start() -> impl Strategy<Value = Start> {
    prop_oneof![Just(Start::Auto), Just(Start::Uniform), Just(Start::Settled)]
}

fn arb_movement() -> impl Strategy<Value = Movement> {
    prop_oneof![Just(Movement::Waypoint), Just(Movement::Avoid), Just(Movement::Places)]
}

prop_compose! {
    fn arb_course()(
        transmission_probability in prop_oneof![Just(1.0), 0.0f64..1.0],
        latent_period in prop_oneof![Just(0.0), 0.0f64..20.0],
        incubation_period in prop_oneof![Just(0.0), 0.0f64..20.0],
        period_shape in 0u32..5,
        asymptomatic_share in prop_oneof![Just(0.0), 0.0f64..1.0],
        fatality in prop_oneof![Just(0.0), 0.0f64..1.0],
        immunity_period in 0u32..20,
    ) -> Parameters {
        Parameters {
            transmission_probability, latent_period, incubation_period, period_shape, asymptomatic_share, fatality,
            immunity_period,
            ..Parameters::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_parameters_the_fleet_has_the_history_of_the_world(
        seed: u64,
        count in 0u32..220,
        infected in 0u32..40,
        field_width in 1u32..130,
        field_height in 1u32..130,
        infection_radius in prop_oneof![Just(0.0), Just(1.0), Just(1.5), Just(2.0), 2.0f64..12.0, Just(200.0)],
        infection_cooldown in 2u32..30,
        zombie_lifetime in prop_oneof![Just(0u32), 1u32..60],
        move_when_infected: bool,
        movement in arb_movement(),
        sensing_radius in 0.0f64..20.0,
        day_length in 20u32..80,
        place_spacing in 2u32..60,
        (start, warm_up) in (arb_start(), prop_oneof![Just(0u32), 1u32..200]),
        course in prop_oneof![Just(Parameters::default()), arb_course()],
    ) {
        let parameters = Parameters {
            field_width, field_height, zombie_lifetime, infection_radius, infection_cooldown, move_when_infected,
            movement, sensing_radius, day_length, place_spacing, start, warm_up,
            ..course
        };
        let (mut world, mut fleet) = both(&parameters, seed, count, infected);
        assert_parity(&mut world, &mut fleet, &Serial, 50);
    }
}

#[test]
fn who_dies_outside_its_strip_is_dead_although_the_others_migrate() {
    let parameters = Parameters {
        field_height: 400,
        zombie_lifetime: 0,
        infection_cooldown: 9,
        move_when_infected: true,
        fatality: 0.5,
        ..Parameters::default()
    };
    let (mut world, mut fleet) = both(&parameters, 2, 900, 400);
    assert_parity(&mut world, &mut fleet, &Serial, 60);
    assert!(fleet.census().of(Health::Deceased) > 100);
}

#[test]
fn people_who_avoid_the_infectious_live_the_same_in_both_and_are_infected_less() {
    let parameters = Parameters { zombie_lifetime: 0, sensing_radius: 8.0, ..Parameters::default() };
    let infections_with = |movement| {
        let parameters = Parameters { movement, ..parameters.clone() };
        let (mut world, mut fleet) = both(&parameters, 4, 200, 20);
        assert_parity(&mut world, &mut fleet, &Serial, 150).1
    };
    let (reckless, careful) = (infections_with(Movement::Waypoint), infections_with(Movement::Avoid));
    assert!(careful * 2 < reckless, "{careful} infections of the careful, {reckless} of the reckless");
}

#[test]
fn a_rich_illness_runs_the_same_in_both() {
    let parameters = Parameters {
        zombie_lifetime: 0,
        transmission_probability: 0.5,
        latent_period: 6.0,
        incubation_period: 10.0,
        period_shape: 3,
        asymptomatic_share: 0.3,
        fatality: 0.2,
        immunity_period: 40,
        ..Parameters::default()
    };
    let (mut world, mut fleet) = both(&parameters, 8, 300, 30);
    let (_, infections) = assert_parity(&mut world, &mut fleet, &Serial, 200);
    let dead = fleet.census().of(Health::Deceased);
    assert!(infections > 100 && dead > 10, "{infections} infections, {dead} deaths");
    assert_eq!(fleet.census().died_infectious(), dead);
}

#[test]
fn a_day_of_home_work_and_leisure_is_the_same_in_both() {
    let parameters = Parameters {
        zombie_lifetime: 0,
        movement: Movement::Places,
        day_length: 200,
        place_spacing: 25,
        ..Parameters::default()
    };
    let (mut world, mut fleet) = both(&parameters, 6, 200, 2);
    let (contacts, _) = assert_parity(&mut world, &mut fleet, &Serial, 300);
    let (mut uniform, mut walkers) =
        both(&Parameters { movement: Movement::Waypoint, ..parameters }, 6, 200, 2);
    let (contacts_of_walkers, _) = assert_parity(&mut uniform, &mut walkers, &Serial, 300);
    assert!(
        4 * contacts > 5 * contacts_of_walkers,
        "{contacts} contacts in places, {contacts_of_walkers} at random"
    );
}
