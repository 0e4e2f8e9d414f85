//! `coronaz simulate` as its user meets it: what it prints, what is in the folder afterwards, and how it refuses.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Output},
};

/// A run small enough for a second.
const SMALL: &str = "paper --people 120 --infected 6 --field-width 50 --field-height 40 --zombie-lifetime 0";

/// The same with more flags.
fn small(flags: &str) -> Vec<String> {
    SMALL.split_whitespace().chain(flags.split_whitespace()).map(str::to_owned).collect()
}

fn words(flags: &str) -> Vec<String> {
    flags.split_whitespace().map(str::to_owned).collect()
}

fn simulate(home: &Path, arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coronaz"))
        .arg("simulate")
        .args(arguments)
        .current_dir(home)
        .output()
        .expect("coronaz runs")
}

/// What it printed; it must have gone well.
fn printed(home: &Path, arguments: &[String]) -> String {
    let output = simulate(home, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).expect("text")
}

/// The word after this one at the beginning of a line.
fn word_after<'a>(printed: &'a str, before: &str) -> &'a str {
    let line = printed.lines().find_map(|line| line.strip_prefix(before));
    line.unwrap_or_else(|| panic!("no line {before:?} in {printed}")).trim()
}

fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the results");
    entries.map(|entry| entry.expect("readable").file_name().into_string().expect("a name")).collect()
}

#[test]
fn seed_first_digest_last_and_every_file_in_the_folder() {
    let home = tempfile::tempdir().expect("a folder");
    let printed = printed(home.path(), &small("--seed 7 --ticks 60 --contacts all --out results"));
    assert_eq!(printed.lines().next(), Some("seed 7"), "{printed}");
    assert_eq!(word_after(&printed, "digest ").len(), 16, "{printed}");
    assert!(printed.trim_end().ends_with("results in results"), "{printed}");
    let folder = home.path().join("results");
    let found = files(&folder);
    let tables = ["statistics", "infections", "contacts", "encounters"];
    for name in tables.into_iter().flat_map(|table| [format!("{table}.csv"), format!("{table}.parquet")]) {
        assert!(found.contains(&name), "{name} is not among {found:?}");
    }
    let begins = |name: &str| fs::read(folder.join(name)).expect("there").get(..4).map(<[u8]>::to_vec);
    for (ending, magic) in [("png", b"\x89PNG"), ("svg", b"<svg"), ("parquet", b"PAR1")] {
        let names: Vec<&String> = found.iter().filter(|name| name.ends_with(ending)).collect();
        assert!(!names.is_empty(), "no .{ending} among {found:?}");
        for name in names {
            assert_eq!(begins(name).as_deref(), Some(&magic[..]), "{name}");
        }
    }
    let statistics = fs::read_to_string(folder.join("statistics.csv")).expect("text");
    assert_eq!(statistics.lines().count(), 1 + 61, "a heading and ticks 0 to 60");
}

#[test]
fn the_same_seed_gives_the_same_digest_on_any_number_of_threads_and_another_seed_another() {
    let home = tempfile::tempdir().expect("a folder");
    let digest = |seed: &str, threads: &str| {
        let flags = format!("--seed {seed} --threads {threads} --ticks 40 --out {seed}-{threads}");
        word_after(&printed(home.path(), &small(&flags)), "digest ").to_owned()
    };
    let first = digest("3", "1");
    assert_eq!(digest("3", "2"), first);
    assert_ne!(digest("4", "1"), first);
}

#[test]
fn replicates_have_seeds_of_their_own_and_stand_in_one_table() {
    let home = tempfile::tempdir().expect("a folder");
    let flags = "--seed 3 --replicates 3 --ticks 30 --format csv --out results";
    let printed = printed(home.path(), &small(flags));
    for number in 0..3 {
        assert!(printed.contains(&format!("replicate {number}:")), "{printed}");
    }
    let statistics = fs::read_to_string(home.path().join("results/statistics.csv")).expect("text");
    assert_eq!(statistics.lines().count(), 1 + 3 * 31);
    assert!(!files(&home.path().join("results")).iter().any(|name| name.ends_with("parquet")));
}

#[test]
fn a_resumed_run_has_the_digest_of_one_that_never_stopped_and_a_changed_one_has_not() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |flags: &[String]| word_after(&printed(home.path(), flags), "digest ").to_owned();
    let through = run(&small("--seed 9 --ticks 70 --out through"));
    run(&small("--seed 9 --ticks 30 --out first --checkpoint half"));
    assert_eq!(run(&words("--resume half --ticks 70 --out second")), through);
    assert_ne!(run(&words("--resume half --ticks 70 --infection-radius 6 --out third")), through);
}

#[test]
fn a_warm_up_and_a_settled_start_change_the_history_and_are_in_the_scenario_as_run() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |flags: &str| word_after(&printed(home.path(), &small(flags)), "digest ").to_owned();
    let plain = run("--seed 9 --ticks 30 --out plain");
    let warm = run("--seed 9 --ticks 30 --out warm --warm-up 200");
    let settled = run("--seed 9 --ticks 30 --out settled --start settled");
    assert_eq!(BTreeSet::from([&plain, &warm, &settled]).len(), 3);
    let scenario = fs::read_to_string(home.path().join("warm/scenario.toml")).expect("there");
    assert!(scenario.contains("warm_up = 200"), "{scenario}");
    let statistics = fs::read_to_string(home.path().join("warm/statistics.csv")).expect("text");
    assert_eq!(statistics.lines().count(), 1 + 31, "nothing of the warm-up is recorded");
    let again = words("warm/scenario.toml --ticks 30 --out again");
    assert_eq!(word_after(&printed(home.path(), &again), "digest "), warm);
}

#[test]
fn the_scenario_as_run_of_an_earlier_version_gives_the_history_that_it_gave() {
    let home = tempfile::tempdir().expect("a folder");
    let places = "--movement places --place-spacing 10 --day-length 40 --seed 9 --ticks 30 --format csv";
    let digest = |flags: &[String]| word_after(&printed(home.path(), flags), "digest ").to_owned();
    let uniform = digest(&small(&format!("{places} --start uniform --out uniform")));
    let default = digest(&small(&format!("{places} --out default")));
    assert_ne!(default, uniform, "people with places to go to appear where they are by the time of day");
    // That version knew neither of the two.
    let scenario = fs::read_to_string(home.path().join("uniform/scenario.toml")).expect("there");
    let earlier: Vec<&str> = scenario
        .lines()
        .filter(|line| !line.starts_with("start =") && !line.starts_with("warm_up"))
        .collect();
    assert_eq!(earlier.len() + 2, scenario.lines().count());
    fs::write(home.path().join("earlier.toml"), earlier.join("\n")).expect("written");
    assert_eq!(digest(&words("earlier.toml --ticks 30 --format csv --out again")), uniform);
}

#[test]
fn a_run_may_end_with_its_last_infection() {
    let home = tempfile::tempdir().expect("a folder");
    let flags = words("paper --seed 3 --zombie-lifetime 0 --ticks 5000 --until-over --out results");
    let printed = printed(home.path(), &flags);
    assert!(printed.contains(", over at tick "), "{printed}");
    let statistics = fs::read_to_string(home.path().join("results/statistics.csv")).expect("text");
    assert!(statistics.lines().count() < 5_000);
}

#[test]
fn how_people_appear_cannot_be_changed_when_they_are_there() {
    let home = tempfile::tempdir().expect("a folder");
    printed(home.path(), &small("--seed 9 --ticks 30 --out first --checkpoint half"));
    let output = simulate(home.path(), &words("--resume half --ticks 70 --warm-up 9 --out second"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(stderr.contains("start and warm_up"), "{stderr}");
}

#[test]
fn where_no_scenario_is_named_the_town_is_played() {
    let home = tempfile::tempdir().expect("a folder");
    let digest_of = |arguments: &str| {
        let output = simulate(home.path(), &words(arguments));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        stdout.lines().find(|line| line.starts_with("digest ")).expect("a digest").to_owned()
    };
    let unnamed = digest_of("--seed 7 --ticks 20 --out unnamed");
    assert_eq!(unnamed, digest_of("town --seed 7 --ticks 20 --out named"));
}

#[test]
fn what_cannot_be_is_refused_with_what_would_be_right_and_64() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("notes"), "no checkpoint").expect("written");
    fs::create_dir(home.path().join("taken")).expect("made");
    fs::write(home.path().join("taken/mine.txt"), "mine").expect("written");
    for (arguments, says) in [
        ("paper --ticks 0", "1.."),
        ("no-such-town", "no-such-town"),
        ("paper --people 5 --infected 6", "raise --people"),
        ("paper --replicates 0", "replicates"),
        ("paper --infection-radius -1", "from 0 to 1000"),
        ("paper --contacts some", "none|encounters|all"),
        ("paper --checkpoint here --checkpoint-at 9999", "9999"),
        ("--resume notes", "no checkpoint"),
        ("paper --out taken", "taken"),
        ("paper --people 100 --density 1e9", "--density must be from"),
        ("paper --infection-cooldown 1", "must be from 2 to 60000"),
        ("paper --warm-up 60001", "warm_up must be from 0 to 60000"),
        ("paper --start nowhere", "start must be auto, uniform or settled"),
    ] {
        let output = simulate(home.path(), &words(arguments));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments}: {stderr}");
        assert!(stderr.contains(says), "{arguments} should say {says:?}: {stderr}");
    }
    assert_eq!(fs::read_to_string(home.path().join("taken/mine.txt")).expect("still there"), "mine");
    let output = simulate(home.path(), &words("--resume nowhere"));
    assert_eq!(output.status.code(), Some(74), "what is not there cannot be read");
}
