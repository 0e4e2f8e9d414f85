//! The command line as a stranger meets it: help with an example, and errors that say what would be right.

use std::{
    net::TcpListener,
    process::{Command, Output},
};

fn coronaz(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coronaz")).args(arguments).output().expect("coronaz runs")
}

fn subcommands() -> Vec<String> {
    let help = String::from_utf8(coronaz(&["--help"]).stdout).expect("text");
    let list =
        help.split("Commands:").nth(1).expect("a list of commands").split("\n\n").next().expect("its end");
    // A name stands two spaces in; what stands further in goes on with a description.
    let names =
        (list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' ')))
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    names.filter(|name| name != "help").collect()
}

fn assert_refused(arguments: &[&str], says: &[&str]) {
    let output = coronaz(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{arguments:?}: {stderr}");
    for words in says {
        assert!(stderr.contains(words), "{arguments:?} should say {words:?}: {stderr}");
    }
}

#[test]
fn every_subcommand_has_help_with_an_example() {
    let names = subcommands();
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        let output = coronaz(&[&name, "--help"]);
        let help = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success() && help.contains("Example"), "{name}: {help}");
        assert!(help.contains(&format!("coronaz {name}")), "{name} shows how it is called");
    }
}

#[test]
fn a_wrong_value_says_what_would_be_right_and_exits_with_64() {
    assert_refused(&["up", "--listen", "nowhere"], &["--listen", "nowhere"]);
    assert_refused(&["up", "--nodes", "3", "--infected", "4"], &["--infected 4", "raise --nodes"]);
    assert_refused(&["up", "--scenario", "no-such-thing"], &["no-such-thing", "town"]);
    assert_refused(&["node", "--infection-radius", "-1"], &["infection_radius", "from 0 to 1000"]);
    assert_refused(&["node", "--field-width", "wide"], &["a whole number"]);
    assert_refused(&["add"], &["--safe"]);
    assert_refused(&["frobnicate"], &["frobnicate"]);
    assert_refused(&["ingest", "--store", "oracle://x"], &["oracle"]);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let data_dir = folder.path().join("data").display().to_string();
    let output = coronaz(&["up", "--listen", &address, "--data-dir", &data_dir, "--no-menu"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{stderr}");
    assert!(stderr.contains(&format!("{address} is in use")), "{stderr}");
}

#[test]
fn asking_a_laboratory_that_does_not_run_says_how_to_start_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = coronaz(&["add", "--safe", "1", "--data-dir", &folder.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(69));
    assert!(String::from_utf8_lossy(&output.stderr).contains("coronaz up"));
}
