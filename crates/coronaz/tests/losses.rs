//! The auditor against real processes: what is lost for good must be seen, and the guests of a fleet are audited like
//! any devices.

use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use coronaz_laboratory::journal;
use coronaz_store::StoreLocation;
use coronaz_testkit::wait::wait_for;
use coronaz_wire::guests;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use uuid::Uuid;

const RUN: &str = "7c9f3f9e-0d3b-4f7e-9a55-0f4b8f6f2a10";
/// Nothing that is waited for takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// As the laboratory finds it: `CORONAZ_BROKER_BIN`, else beside `coronaz`, where `cargo build -p coronaz-broker` puts it.
fn broker_program() -> PathBuf {
    let beside = || Path::new(env!("CARGO_BIN_EXE_coronaz")).with_file_name("coronaz-broker");
    std::env::var_os("CORONAZ_BROKER_BIN").map_or_else(beside, PathBuf::from)
}

/// A broker and an ingest process, and whoever else is started: all killed with it.
struct Town {
    folder: tempfile::TempDir,
    broker: SocketAddr,
    radio: String,
    processes: Vec<Process>,
}

struct Process(Child);

impl Process {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("our child");
    }

    fn end(mut self, signal: Signal) {
        self.signal(signal);
        self.0.wait().expect("our child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Town {
    /// Its first process is the broker.
    fn new() -> Town {
        let folder = tempfile::tempdir().expect("a folder");
        let broker = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let port = UdpSocket::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let radio = format!("127.255.255.255:{port}");
        let mut town = Town { folder, broker, radio, processes: Vec::new() };
        let mut command = Command::new(broker_program());
        command.arg(format!("--listen={broker}")).arg(format!("--data={}", town.path("broker").display()));
        let broker = town.start(&mut command);
        let ingest = town.coronaz(&["ingest", &town.store()]);
        town.processes.extend([broker, ingest]);
        town
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> String {
        format!("--store=sqlite:{}", self.path("store.db").display())
    }

    fn start(&self, command: &mut Command) -> Process {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Process(started.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program())))
    }

    fn coronaz(&self, arguments: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coronaz"));
        self.start(command.args(arguments).arg(format!("--broker={}", self.broker)))
    }

    /// Devices in a small room, who meet all the time.
    fn nodes(&self, arguments: &[&str]) -> Process {
        let room =
            ["node", "--scenario=town", "--field-width=16", "--field-height=16", "--zombie-lifetime=0"];
        self.coronaz(&[&room[..], &["--radio", &self.radio], arguments].concat())
    }

    /// The auditor's verdict, and its exit code.
    fn audit(&self, run: Uuid, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = Command::new(env!("CARGO_BIN_EXE_coronaz"))
            .args(["audit", &run.to_string(), "--ended", "--json", &self.store()])
            .args(arguments)
            .output()
            .expect("coronaz runs");
        let said = String::from_utf8_lossy(&output.stderr);
        (serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}")), output.status.code())
    }

    /// Contacts of a run that are stored.
    fn contacts(&self, run: Uuid) -> u64 {
        let location: StoreLocation =
            format!("sqlite:{}", self.path("store.db").display()).parse().expect("a store");
        location.queries().run(run).map_or(0, |run| run.contacts)
    }

    fn wait_for_contacts(&self, run: Uuid, enough: u64) {
        wait_for("contacts to be stored", PATIENCE, || (self.contacts(run) >= enough).then_some(()));
    }

    /// Waits until ingest has stored all that the broker holds: nothing has been added for a while.
    fn wait_until_stored(&self, run: Uuid) {
        let mut last = (0, 0);
        wait_for("the last contact to be stored", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.contacts(run);
            last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
            (last.1 > 20).then_some(())
        });
    }
}

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
