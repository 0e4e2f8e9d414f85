use super::*;
use coronaz_model::{Draws, Health, Person, PersonId, Spawn, World};

#[test]
fn every_built_in_scenario_is_sound_and_called_what_it_is_called() {
    for (name, _) in BUILT_IN {
        assert_eq!(find(name).expect(name).name, name);
    }
    let paper = parameters(&find("paper").expect("built in")).expect("sound");
    assert_eq!(paper, Parameters::default());
}

#[test]
fn a_scenario_that_is_none_is_refused_with_what_would_be_right() {
    let said = |name: &str| find(name).expect_err("refused").to_string();
    assert!(said("vilage").contains("town, paper, or the path"), "{}", said("vilage"));
    assert!(said("no/such.toml").contains("no/such.toml cannot be read"));
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("mine.toml");
    let of = |text: &str| {
        fs::write(&path, text).expect("written");
        find(path.to_str().expect("a plain path")).map_err(|error| error.to_string())
    };
    assert_eq!(of("name = \"mine\"\nnodes = 3\ninfected = 0").expect("good").nodes, 3);
    let wrong = of("name = \"mine\"\n[parameters]\ninfection_radius = \"far\"").expect_err("no number");
    assert!(wrong.contains("mine") && wrong.contains("infection_radius must be a number"), "{wrong}");
    let unknown = of("name = \"mine\"\n[parameters]\nradius = 3").expect_err("unknown");
    assert!(unknown.contains("infection_radius"), "it names those there are: {unknown}");
    let many = of("name = \"mine\"\nnodes = 4000000000\ninfected = 4000000000").expect_err("too many");
    assert!(many.contains("from 1 to 10000"), "{many}");
    assert!(of("nodes =").expect_err("no TOML").contains("line 1"));
    assert!(of(&"#".repeat(70_000)).expect_err("too long").contains("65536"));
}

#[test]
fn an_announcement_holds_every_parameter_and_a_file_that_plays_the_same() {
    let scenario = find("town").expect("built in");
    let changed = Parameters { infection_radius: 4.5, ..parameters(&scenario).expect("sound") };
    let announcement = announcement(Uuid::nil(), RunKind::Nodes, 7, 1, &scenario, &changed);
    assert_eq!(announcement.parameters.len(), Parameters::TABLE.len());
    let again = Scenario::parse(&announcement.scenario).expect("its own file");
    assert_eq!((parameters(&again).expect("sound"), again.seed), (changed, Some(7)));
}

/// Infected people second by second, and infections in all.
fn course(scenario: &Scenario, seed: u64, seconds: usize) -> (Vec<usize>, usize) {
    let parameters = parameters(scenario).expect("sound");
    let draws = Draws::new(seed);
    let people = (0..scenario.nodes + scenario.infected)
        .map(|number| {
            let spawn = Spawn { infected: number < scenario.infected, ..Spawn::default() };
            Person::spawn(&parameters, draws, PersonId(number), u128::from(number) + 1, spawn, 0)
        })
        .collect();
    let mut world = World::new(parameters, draws, people);
    let mut infections = 0;
    let infected = (0..seconds).map(|_| {
        infections += world.step().infections.len();
        world.people.iter().filter(|person| person.illness.health == Health::Infectious).count()
    });
    (infected.collect(), infections)
}

#[test]
fn in_the_town_the_epidemic_lives_on() {
    let town = find("town").expect("built in");
    let seeds = 40;
    let lived_on = (0..seeds).filter(|&seed| course(&town, seed, 900).0[899] > 0).count();
    assert!(
        lived_on >= seeds as usize * 9 / 10,
        "in {lived_on} of {seeds} it lived for a quarter of an hour"
    );
}

#[test]
#[ignore = "measures: prints the town's course, to choose its numbers by"]
fn print_the_towns_course() {
    let town = find("town").expect("built in");
    for seed in 0..10 {
        let (infected, infections) = course(&town, seed, 1_800);
        let every_minute: Vec<_> = infected.iter().step_by(60).collect();
        println!("seed {seed}: {infections} infections; each minute {every_minute:?}");
    }
}
