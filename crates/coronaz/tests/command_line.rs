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

#[test]
fn a_radio_port_that_another_program_holds_ends_node_and_fleet_at_once_with_74_and_its_address() {
    let taken = std::net::UdpSocket::bind(("0.0.0.0", 0)).expect("a free port");
    let address = format!("127.255.255.255:{}", taken.local_addr().expect("its address").port());
    let folder = tempfile::tempdir().expect("a folder");
    let spool = folder.path().join("spool");
    let spool = spool.to_str().expect("text");
    for arguments in [
        &["node", "--broker=127.0.0.1:9", "--spool", spool, "--radio"][..],
        &["fleet", "--people=10", "--infected=0", "--broker=127.0.0.1:9", "--radio"][..],
    ] {
        let output = coronaz(&[arguments, &[&address]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(74), "{stderr}");
        let named: Vec<&str> = stderr.lines().filter(|line| line.starts_with("coronaz: ")).collect();
        assert_eq!(named.len(), 1, "{stderr}");
        assert!(named[0].contains(&address) && named[0].contains("--radio"), "{stderr}");
    }
    assert!(!folder.path().join("spool").exists(), "nothing was begun");
}

#[test]
fn more_devices_than_the_system_allows_files_for_are_refused_for_good() {
    let line =
        "ulimit -n 200 && exec \"$0\" node --broker 127.0.0.1:9 --count 5000 --radio 127.255.255.255:27399";
    let output =
        Command::new("sh").args(["-c", line, env!("CARGO_BIN_EXE_coronaz")]).output().expect("a shell");
    let stderr = String::from_utf8_lossy(&output.stderr);
    // 64: whoever watches over it does not start it again.
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(stderr.contains("5000 devices need 51") && stderr.contains("the system allows 200"), "{stderr}");
}
