//! The auditor against real processes: what is lost for good must be seen, and the guests of a fleet are audited like
//! any devices.

mod town;

use coronaz_laboratory::journal;
use coronaz_testkit::wait::wait_for;
use coronaz_wire::guests;
use rustix::process::Signal;
use serde_json::Value;
use uuid::Uuid;

use town::{PATIENCE, RUN, Town};

/// Twenty devices meet while the broker stands still, and are killed. What they had kept is in the spool, or nowhere.
fn killed_while_the_broker_stood_still(with_spool: bool) -> (Value, Option<i32>) {
    let run = RUN.parse().expect("a UUID");
    let town = Town::new();
    let (journal, spool) =
        (town.path("journal").display().to_string(), town.path("spool").display().to_string());
    let mut arguments = vec!["--count=20", "--run", RUN, "--seed=5", "--journal", &journal];
    if with_spool {
        arguments.extend(["--spool", &spool]);
    }
    let nodes = town.nodes(&arguments);
    town.wait_for_contacts(run, 20);
    town.processes[0].signal(Signal::STOP);
    let recorded = || journal::read(&town.path("journal"), run).map_or(0, |journals| journals.recorded.len());
    let before = recorded();
    wait_for("people to meet", PATIENCE, || (recorded() > before + 60).then_some(()));
    nodes.end(Signal::KILL);
    town.processes[0].signal(Signal::CONT);
    if with_spool {
        let again = town.nodes(&arguments);
        town.wait_for_contacts(run, recorded() as u64);
        again.end(Signal::TERM);
    }
    town.wait_until_stored(run);
    town.audit(run, &["--journal", &journal])
}

#[test]
fn what_killed_devices_without_a_spool_had_kept_is_found_to_be_lost() {
    let (verdict, code) = killed_while_the_broker_stood_still(false);
    assert_eq!(code, Some(1), "{verdict}");
    assert!(verdict["lost"].as_u64() > Some(20), "{verdict}");
    assert_eq!(verdict["rows"][0]["lost"], verdict["lost"], "contacts, and nothing else: {verdict}");
    for other in ["doubled", "wrong", "unknown"] {
        assert_eq!(verdict[other], 0, "{verdict}");
    }
    let example = verdict["examples"][0].as_str().expect("an example");
    assert!(example.contains("is not stored"), "{example}");
}

#[test]
fn what_killed_devices_had_kept_in_their_spool_is_not_lost() {
    let (verdict, code) = killed_while_the_broker_stood_still(true);
    assert_eq!((code, &verdict["lost"]), (Some(0), &Value::from(0)), "{verdict}");
    assert!(verdict["recorded"].as_u64() > Some(80), "{verdict}");
}

#[test]
fn a_fleets_guests_are_audited_and_so_is_the_fleet_that_met_them() {
    let fleet: Uuid = RUN.parse().expect("a UUID");
    let run = guests::run_of(fleet);
    let town = Town::new();
    let room = ["--field-width=16", "--field-height=16", "--zombie-lifetime=0", "--scenario=town"];
    let people = ["fleet", "--people=30", "--infected=10", "--run", RUN, "--seed=3", "--radio", &town.radio];
    let city = town.coronaz(&[&people[..], &room].concat());
    let spool = town.path("spool").display().to_string();
    let joined = ["--count=6", "--join", RUN, "--seed=5", "--spool", &spool];
    let nodes = town.nodes(&joined);
    town.wait_for_contacts(run, 40);
    // Killed, they come back as the same.
    nodes.end(Signal::KILL);
    let nodes = town.nodes(&joined);
    town.wait_for_contacts(run, town.contacts(run) + 40);
    nodes.end(Signal::TERM);
    city.end(Signal::TERM);
    town.wait_until_stored(run);
    let (verdict, code) = town.audit(run, &[]);
    assert_eq!(code, Some(0), "{verdict}");
    assert_eq!(verdict["kind"], "nodes");
    assert!(verdict["recorded"].as_u64() > Some(80), "{verdict}");
    assert_eq!(verdict["recorded"], verdict["stored"], "{verdict}");
    // Guests report, and so do the fleet's people who heard them.
    assert!(verdict["watermark"]["devices"].as_u64() > Some(6), "{verdict}");
    let (verdict, code) = town.audit(fleet, &[]);
    assert_eq!((code, &verdict["kind"]), (Some(0), &Value::from("fleet")), "{verdict}");
}
