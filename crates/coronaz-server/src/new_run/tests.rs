use super::*;

fn town() -> Scenario {
    let text = "name = \"town\"\nnodes = 94\ninfected = 6\n[parameters]\nfield_height = 60\ninfection_cooldown = 40\n";
    Scenario::parse(text).expect("a scenario")
}

fn form(json: &str) -> NewRun {
    serde_json::from_str(json).expect("a form")
}

fn wrong(json: &str) -> Vec<(String, String)> {
    let errors = check(&form(json), &[town()]).expect_err("something is wrong");
    errors.into_iter().map(|error| (error.field, error.detail)).collect()
}

#[test]
fn a_form_becomes_a_whole_scenario() {
    let json = r#"{"kind":"fleet","name":" masks ","scenario":"town","people":1000,"infected":10,"seed":7,
        "parameters":{"infection_radius":1,"movement":"avoid","move_when_infected":true},"speed":20}"#;
    let start = check(&form(json), &[town()]).expect("a good form");
    assert_eq!((start.kind, start.speed.as_deref()), (RunKind::Fleet, Some("20")));
    let scenario = Scenario::parse(&start.scenario).expect("a scenario");
    assert_eq!((scenario.name.as_str(), scenario.nodes, scenario.infected), ("masks", 990, 10));
    assert_eq!(scenario.seed, Some(7));
    assert_eq!(scenario.parameters["infection_radius"], Setting::Real(1.0));
    assert_eq!(scenario.parameters["field_height"], Setting::Integer(60));
    assert_eq!(scenario.parameters["movement"], Setting::Choice("avoid".to_owned()));
    assert_eq!(scenario.parameters.len(), Parameters::TABLE.len());
}

#[test]
fn a_form_without_a_scenario_plays_what_every_command_plays() {
    let least = form(r#"{"kind":"nodes","people":1,"infected":0}"#);
    let played = |known: &[Scenario]| {
        let start = check(&least, known).expect("enough");
        Scenario::parse(&start.scenario).expect("a scenario")
    };
    let named = form(r#"{"kind":"nodes","scenario":"town","people":1,"infected":0}"#);
    let named = check(&named, &[town()]).expect("enough");
    assert_eq!(played(&[town()]), Scenario::parse(&named.scenario).expect("a scenario"));
    assert_eq!(played(&[]).name, "paper");
}

#[test]
fn everything_that_is_wrong_is_said_at_once_by_field() {
    let json = r#"{"kind":"nodes","name":"","scenario":"vilage","people":10001,"infected":10002,"seed":9007199254740992,
        "parameters":{"infection_radius":-1,"movement":"fly","speed_of_light":3,"field_width":"100","scale_factor":1.5},"speed":2}"#;
    let wrong = wrong(json);
    let fields: Vec<_> = wrong.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "scenario",
            "parameters.field_width",
            "parameters.infection_radius",
            "parameters.movement",
            "parameters.scale_factor",
            "parameters.speed_of_light",
            "people",
            "infected",
            "seed",
            "name",
            "speed",
        ]
    );
    let said = |field: &str| {
        wrong.iter().find(|(f, _)| f == field).map(|(_, detail)| detail.as_str()).unwrap_or_default()
    };
    assert!(said("scenario").contains("town"));
    assert!(said("parameters.infection_radius").contains("from 0 to 1000 units"));
    assert!(said("parameters.movement").contains("waypoint, avoid or places"));
    assert!(said("people").contains("from 1 to 10000"));
}

#[test]
fn a_fleet_goes_at_max_or_at_a_number_in_range() {
    let at = |speed: &str| {
        let json = format!(r#"{{"kind":"fleet","people":1,"infected":0,"speed":{speed}}}"#);
        check(&form(&json), &[]).map(|start| start.speed)
    };
    assert_eq!(at("\"max\"").expect("good").as_deref(), Some("max"));
    assert_eq!(at("0.5").expect("good").as_deref(), Some("0.5"));
    for speed in ["0", "-1", "1e9", "\"fast\"", "\"1\""] {
        assert_eq!(at(speed).expect_err(speed)[0].field, "speed");
    }
}

#[test]
fn changes_of_a_fork_are_those_that_were_named_and_no_more() {
    let mut errors = Vec::new();
    let changes = BTreeMap::from([
        ("infection_radius".to_owned(), Parameter::Integer(3)),
        ("nonsense".to_owned(), Parameter::Integer(3)),
    ]);
    let checked = check_changes(&changes, &mut errors);
    assert_eq!(checked, BTreeMap::from([("infection_radius".to_owned(), Setting::Real(3.0))]));
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].field, "parameters.nonsense");
}
