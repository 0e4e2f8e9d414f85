//! Output that goes away, or does not fit on the disk, ends nothing but the output.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use coronaz_testkit::{radio::free_radio, wait::wait_for};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../coronaz-store/tests/stores/schema-2.db");
/// How long a part may take for anything, on the slowest machine that tests should pass on.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sink {
    /// Somebody reads it.
    Read,
    /// Whoever read it is gone.
    Closed,
    /// A device without room.
    Full,
}

fn stdio(sink: Sink) -> Stdio {
    match sink {
        Sink::Read => Stdio::piped(),
        Sink::Closed => {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            drop(reader);
            writer.into()
        }
        Sink::Full => File::options().write(true).open("/dev/full").expect("a full device").into(),
    }
}

fn command(home: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coronaz"));
    command.args(line.split_whitespace()).current_dir(home).stdin(Stdio::null());
    command
}

fn run(home: &Path, line: &str, stdout: Sink, stderr: Sink) -> Output {
    let child = command(home, line).stdout(stdio(stdout)).stderr(stdio(stderr)).spawn().expect("it starts");
    child.wait_with_output().expect("it ends")
}

/// A folder with a store that holds a few runs, where `--data-dir lab` finds it.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join("lab")).expect("a folder");
    let store = home.path().join("lab/store.db");
    std::fs::copy(STORE, &store).expect("the store is checked in");
    coronaz_store::StoreLocation::from(store.as_path()).ingestion().prepare().expect("brought up to date");
    home
}

/// What needs no laboratory that runs: the command, without what makes its results new, and its exit code.
fn commands() -> Vec<(String, i32)> {
    let small =
        "simulate paper --people 60 --infected 3 --field-width 40 --field-height 40 --ticks 5 --seed 1";
    let mut commands: Vec<(String, i32)> = [
        ("--help", 0),
        ("--version", 0),
        ("chaos --dry-run --seed 1", 0),
        ("chaos --dry-run --seed 1 --json", 0),
        ("runs list --data-dir lab", 0),
        ("runs list --data-dir lab --json", 0),
        ("runs list --data-dir lab --deleted", 0),
        ("runs show newest --data-dir lab", 0),
        ("audit --all --data-dir lab", 1),
        ("audit --all --json --data-dir lab", 1),
    ]
    .map(|(line, code)| (line.to_owned(), code))
    .to_vec();
    commands.extend([
        (format!("{small} --out OUT"), 0),
        ("runs export newest --data-dir lab --out OUT".to_owned(), 0),
        ("init --yes --dir NEW".to_owned(), 0),
    ]);
    for name in [
        "up", "add", "node", "fleet", "parts", "ingest", "serve", "simulate", "runs", "audit", "chaos",
        "init", "health",
    ] {
        commands.push((format!("{name} --help"), 0));
    }
    commands
}

/// The command with a folder of its own for its results.
fn fresh(home: &Path, line: &str, number: usize) -> String {
    std::fs::create_dir_all(home.join(format!("new-{number}"))).expect("a folder");
    line.replace("OUT", &format!("out-{number}")).replace("NEW", &format!("new-{number}"))
}

#[test]
fn every_subcommand_is_tried_with_an_output_that_goes_away() {
    let help = run(Path::new("."), "--help", Sink::Read, Sink::Read);
    let help = String::from_utf8(help.stdout).expect("text");
    let list = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list");
    let names: Vec<&str> = (list.lines().filter_map(|line| line.strip_prefix("  ")))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(names.len() >= 13, "{names:?}");
    for name in names {
        let tried = commands().iter().any(|(line, _)| line.starts_with(name));
        assert!(tried, "`coronaz {name}` is not among the commands of this test");
    }
}

#[test]
fn a_reader_who_has_gone_changes_no_exit_code() {
    let home = home();
    for (number, (line, code)) in commands().into_iter().enumerate() {
        // What a command says of the store is the same whoever reads it.
        let line = fresh(home.path(), &line, number);
        let output = run(home.path(), &line, Sink::Closed, Sink::Read);
        let said = String::from_utf8_lossy(&output.stderr);
        let codes = if line.starts_with("audit") { vec![0, 1, 69] } else { vec![code] };
        let ended = output.status.code();
        assert!(ended.is_some_and(|ended| codes.contains(&ended)), "{line}: {ended:?} {said}");
        assert!(!said.contains("panicked") && !said.contains("Broken pipe"), "{line}: {said}");
    }
}

#[test]
fn a_full_device_is_an_input_output_error_that_is_named() {
    let home = home();
    for (number, (line, _)) in commands().into_iter().enumerate() {
        let line = fresh(home.path(), &line, 100 + number);
        let output = run(home.path(), &line, Sink::Full, Sink::Read);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{line}: {said}");
        // A verdict is an answer of its own, and its exit code says it.
        if line.starts_with("audit") && output.status.code() != Some(74) {
            assert!(matches!(output.status.code(), Some(1 | 69)), "{line}: {said}");
            continue;
        }
        assert_eq!(output.status.code(), Some(74), "{line}: {said}");
        assert!(said.contains("standard output cannot be written"), "{line}: {said}");
    }
    for number in [100 + 10, 100 + 11] {
        let results = home.path().join(format!("out-{number}"));
        assert!(results.is_dir(), "the work was done: {}", results.display());
    }
}

#[test]
fn a_standard_error_that_is_closed_or_full_changes_no_exit_code() {
    let home = home();
    for stderr in [Sink::Closed, Sink::Full] {
        for (line, code) in [
            ("frobnicate", 64),
            ("runs list --data-dir nowhere", 69),
            ("add --safe 1 --data-dir nowhere", 69),
            ("serve --listen 192.0.2.1:1 --token-file nowhere", 64),
        ] {
            let output = run(home.path(), line, Sink::Read, stderr);
            assert_eq!(output.status.code(), Some(code), "{line} with {stderr:?}");
        }
    }
}

/// Ends a process as Ctrl-C or a supervisor does.
fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("it still runs");
}

#[test]
fn a_part_whose_outputs_go_away_goes_on_and_stops_in_order() {
    let home = home();
    let broker = free_loopback();
    let radio = free_radio();
    let topic = format!("--broker {broker}");
    for (line, codes) in [
        (format!("ingest {topic} --data-dir lab"), &[0][..]),
        ("serve --data-dir lab --listen 127.0.0.1:0".to_owned(), &[0]),
        // Nobody takes their reports: that is what their exit code says.
        (format!("node {topic} --count 2 --radio {radio}"), &[69]),
        (format!("fleet {topic} --people 50 --speed max --ticks 50"), &[0, 69]),
    ] {
        let mut child = command(home.path(), &format!("{line} --log debug"))
            .stdout(stdio(Sink::Closed))
            .stderr(stdio(Sink::Closed))
            .spawn()
            .expect("it starts");
        // Long enough for its first words; then it is asked to end, as a supervisor does.
        std::thread::sleep(Duration::from_millis(1_500));
        if child.try_wait().expect("our child").is_none() {
            signal(child.id(), Signal::TERM);
        }
        let status = wait_for(&line, PATIENCE, || child.try_wait().expect("our child"));
        assert!(status.code().is_some_and(|code| codes.contains(&code)), "{line}: {status}");
    }
}

fn free_loopback() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

#[test]
fn a_laboratory_whose_reader_has_gone_goes_on_and_is_stopped_in_order() {
    let home = tempfile::tempdir().expect("a folder");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let radio = free_radio();
    let line = format!(
        "up --no-menu --nodes 3 --infected 1 --data-dir lab --listen {} --radio {radio}",
        free_loopback()
    );
    // As `coronaz up 2>&1 | head -3` does.
    let mut child = command(home.path(), &line)
        .stdout(writer.try_clone().expect("another end"))
        .stderr(writer)
        .spawn()
        .expect("it starts");
    let lines: Vec<String> = BufReader::new(reader).lines().take(3).map_while(Result::ok).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let parts = || -> Option<Vec<Value>> {
        let output = run(home.path(), "parts --format json --data-dir lab", Sink::Read, Sink::Read);
        serde_json::from_slice(&output.stdout).ok()
    };
    let of = |name: &str| parts()?.into_iter().find(|part| part["name"] == name);
    let running =
        || parts().filter(|parts| parts.len() == 4 && parts.iter().all(|part| part["pid"].is_u64()));
    let before = wait_for("all parts", PATIENCE, running);
    // A kill is a line of the supervisor's, and the part that comes back has lines of its own.
    let killed = run(home.path(), "parts --kill ingest --data-dir lab", Sink::Read, Sink::Read);
    assert!(killed.status.success(), "{killed:?}");
    wait_for("ingest to be back", PATIENCE, || {
        of("ingest").filter(|part| part["restarts"].as_u64() > Some(0) && part["pid"].is_u64())
    });
    assert!(child.try_wait().expect("our child").is_none(), "it still runs");
    signal(child.id(), Signal::INT);
    let status = wait_for("it to stop", PATIENCE, || child.try_wait().expect("our child"));
    assert_eq!(status.code(), Some(0), "{status}");
    for part in before {
        let pid = part["pid"].as_u64().expect("it ran");
        assert!(!Path::new(&format!("/proc/{pid}/exe")).exists(), "{part} is left");
    }
    let register = std::fs::read_to_string(home.path().join("lab/runs.json")).expect("a register");
    assert!(register.contains("\"running\""), "nobody died of it: {register}");
}
