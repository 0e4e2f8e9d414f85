//! `coronaz fleet` as its user meets it: checkpoints, forks, and what it refuses. The broker is away all the time.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const RUN: &str = "7c9f3f9e-0d3b-4f7e-9a55-0f4b8f6f2a10";
/// Nobody listens there.
const NO_BROKER: &str = "127.0.0.1:1";

fn fleet(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coronaz"))
        .args(["fleet", "--broker", NO_BROKER, "--speed", "max", "--spool", "spool"])
        .args(arguments)
        .current_dir(home)
        .env("NO_COLOR", "1")
        .output()
        .expect("coronaz runs")
}

/// The digest at the end of a run that went well.
fn digest(home: &Path, arguments: &[&str]) -> String {
    let output = fleet(home, arguments);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {log}");
    let last = log.lines().rfind(|line| line.contains("the fleet has ended")).expect("a last line");
    let digest = last.split("digest").nth(1).expect("a digest");
    let digits: String = digest.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    assert_eq!(digits.len(), 16, "{last}");
    digits
}

const CITY: &[&str] =
    &["--people", "300", "--infected", "9", "--density", "0.05", "--zombie-lifetime", "0", "--seed", "7"];

fn city<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [CITY, flags].concat()
}

#[test]
fn a_fleet_started_again_with_its_checkpoints_goes_on_as_if_it_had_never_stopped() {
    let home = tempfile::tempdir().expect("a folder");
    let through = digest(home.path(), &city(&["--ticks", "90"]));
    let kept = ["--run", RUN, "--checkpoint-dir", "kept", "--checkpoint-every", "20", "--resume", "kept"];
    let first = digest(home.path(), &city(&[&kept[..], &["--ticks", "50"]].concat()));
    assert_ne!(first, through);
    let newest = home.path().join("kept").join(format!("{RUN}-000000000050.checkpoint"));
    assert!(newest.is_file(), "a last one at the end");
    assert_eq!(digest(home.path(), &city(&[&kept[..], &["--ticks", "90"]].concat())), through);

    let file = newest.display().to_string();
    let same = digest(home.path(), &["--resume", &file, "--ticks", "90"]);
    assert_eq!(same, through, "of a file, whatever the other flags");
    let saved = digest(home.path(), &["--resume", &file, "--ticks", "90", "--change", "infection_radius=5"]);
    let fork = ["--fork-of", RUN, "--fork-at", "50", "--change", "infection-radius=5", "--ticks", "90"];
    let computed = digest(home.path(), &city(&fork));
    assert_eq!(computed, saved, "a fork is the same, computed again or from a file");
    assert_ne!(computed, through);
    let other = "7c9f3f9e-0d3b-4f7e-9a55-0f4b8f6f2a11";
    let again = [
        &fork[..4],
        &["--change", "infection-radius=5", "--run", other, "--checkpoint-dir", "kept", "--resume", "kept"],
    ];
    digest(home.path(), &city(&[&again.concat()[..], &["--ticks", "70"]].concat()));
    let goes_on = digest(home.path(), &city(&[&again.concat()[..], &["--ticks", "90"]].concat()));
    assert_eq!(goes_on, computed, "a fork goes on by the same line too");
}

/// The last tick of a run that went well.
fn last_tick(home: &Path, arguments: &[&str]) -> u64 {
    let output = fleet(home, arguments);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {log}");
    let last = log.lines().rfind(|line| line.contains("the fleet has ended")).expect("a last line");
    let digits: String =
        last.split("tick=").nth(1).expect("a tick").chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

#[test]
fn where_no_scenario_is_named_nobody_dies_of_age() {
    let home = tempfile::tempdir().expect("a folder");
    let city = ["--people", "50", "--infected", "2", "--density", "0.02", "--seed", "7", "--ticks", "700"];
    assert_eq!(last_tick(home.path(), &city), 700);
    assert_eq!(
        last_tick(home.path(), &["--scenario", "paper", "--ticks", "700"]),
        120,
        "the paper's lifetime"
    );
}

#[test]
fn a_fleet_may_end_with_its_last_infection() {
    let home = tempfile::tempdir().expect("a folder");
    let city = ["--people", "50", "--infected", "2", "--density", "0.0001", "--seed", "7", "--ticks", "5000"];
    assert_eq!(
        last_tick(home.path(), &[&city[..], &["--until-over"]].concat()),
        40,
        "nobody met the first two"
    );
    assert_eq!(last_tick(home.path(), &city), 5_000);
}

#[test]
fn wrong_futures_are_refused_with_what_would_be_right() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("notes.txt"), "no checkpoint").expect("written");
    let fork = ["--fork-of", RUN, "--fork-at", "5"];
    for (arguments, says) in [
        (&["--change", "infection_radius=1"][..], "--fork-at"),
        (&["--fork-at", "5"], "--fork-of"),
        (&[&fork[..], &["--change", "infection_radius=1"]].concat(), "--seed"),
        (&[&fork[..], &["--seed", "1", "--change", "radius"]].concat(), "NAME=VALUE"),
        (&[&fork[..], &["--seed", "1", "--change", "radius=1"]].concat(), "radius"),
        (&[&fork[..], &["--seed", "1", "--change", "infection_radius=-1"]].concat(), "from 0 to 1000"),
        (&[&fork[..], &["--seed", "1", "--change", "warm_up=9"]].concat(), "start and warm_up"),
        (&["--checkpoint-every", "5"], "--checkpoint-dir"),
        (&["--resume", "notes.txt"], "no checkpoint"),
        (&["--resume", "nowhere.checkpoint"], "no such file"),
        (&["--resume", "nowhere", "--fork-seed", "3"], "no checkpoint to fork"),
        (&["--radio", "127.255.255.255:4711"], "its speed must be 1"),
        (&["--radio-key", "notes.txt"], "--radio"),
    ] {
        let output = fleet(home.path(), arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {stderr}");
        assert!(stderr.contains(says), "{arguments:?} should say {says:?}: {stderr}");
    }
}
