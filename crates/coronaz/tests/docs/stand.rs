//! What examples are run against: a small laboratory, and files of the names that they use.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use coronaz_testkit::wait::wait_for;
use serde_json::Value;

pub(crate) const CORONAZ: &str = env!("CARGO_BIN_EXE_coronaz");
/// How long anything may take on the slowest machine that tests should pass on.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A laboratory with a run of devices and a fleet. Dropping it stops it.
pub(crate) struct Stand {
    child: Child,
    pub(crate) home: tempfile::TempDir,
    pub(crate) page: String,
    pub(crate) broker: String,
    pub(crate) nodes: String,
    pub(crate) fleet: String,
    /// The data folder, the journals and the run of a laboratory that has ended.
    pub(crate) ended: (PathBuf, PathBuf, String),
}

impl Stand {
    pub(crate) fn start() -> Stand {
        let home = tempfile::tempdir().expect("a folder");
        let page = free_port();
        let child = Command::new(CORONAZ)
            .args(["up", "--no-menu", "--nodes=6", "--infected=1", "--journal=journal"])
            .args([format!("--listen={page}"), format!("--radio={}", radio())])
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("coronaz starts");
        let (broker, nodes, fleet) = (String::new(), String::new(), String::new());
        let ended = end_one(home.path());
        let mut stand = Stand { child, home, page, broker, nodes, fleet, ended };
        let log = stand.home.path().join("coronaz-data/logs/broker.log");
        stand.broker = wait_for("the broker's address", PATIENCE, || {
            let text = fs::read_to_string(&log).ok()?;
            Some(text.lines().find_map(|line| line.strip_prefix("listening on "))?.to_owned())
        });
        stand.nodes = stand.stored("a run of devices", |run| run["kind"] == "nodes");
        let fleet = "runs start --kind fleet --people 300 --infected 3 --density 0.2 --zombie-lifetime 0 --speed 20 \
                     --seed 7";
        stand.fleet = stand.started(fleet);
        let fleet = stand.fleet.clone();
        stand.stored("a fleet", |run| run["id"] == fleet.as_str() && run["moments"].as_u64() > Some(60));
        stand
    }

    /// A run that may be stopped or deleted.
    pub(crate) fn expendable(&self) -> String {
        let run = self.started("runs start --kind nodes --people 2 --infected 1");
        self.stored("an expendable run", |about| about["id"] == run.as_str())
    }

    fn started(&self, line: &str) -> String {
        let output = self.command(self.home.path(), &line.split_whitespace().collect::<Vec<_>>()).output();
        let output = output.expect("coronaz runs");
        assert!(output.status.success(), "{line}: {}", said(&output));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    fn stored(&self, what: &str, is: impl Fn(&Value) -> bool) -> String {
        wait_for(what, PATIENCE, || {
            let output = self.command(self.home.path(), &["runs", "list", "--json"]).output().ok()?;
            let list: Value = serde_json::from_slice(&output.stdout).ok()?;
            let run = list["runs"].as_array()?.iter().find(|run| is(run))?;
            Some(run["id"].as_str()?.to_owned())
        })
    }

    /// A command in a folder, which finds this laboratory's broker by the environment.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, folder: &Path, arguments: &[S]) -> Command {
        let mut command = Command::new(CORONAZ);
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        command.env("CORONAZ_BROKER", &self.broker).env_remove("CORONAZ_STORE");
        command
    }

    /// A folder for the examples of one place, with everything in it that they name.
    pub(crate) fn folder(&self, number: usize) -> PathBuf {
        let folder = self.home.path().join(format!("examples-{number}"));
        fs::create_dir(&folder).expect("a folder");
        std::os::unix::fs::symlink(self.home.path().join("coronaz-data"), folder.join("coronaz-data"))
            .expect("a link");
        let town = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/town.toml");
        fs::copy(town, folder.join("my-town.toml")).expect("a scenario");
        let faults =
            "name = 'mine'\n[[fault]]\nat_ms = 1000\nlasts_ms = 500\nkind = 'pause'\ntarget = 'serve'\n";
        fs::write(folder.join("faults.toml"), faults).expect("a schedule");
        folder
    }

    /// The fleet's newest checkpoint.
    pub(crate) fn checkpoint(&self) -> String {
        let folder = self.home.path().join("coronaz-data/checkpoints");
        let entries = fs::read_dir(folder).expect("checkpoints").map(|entry| entry.expect("readable").path());
        let newest = entries.filter(|path| path.to_string_lossy().contains(&self.fleet)).max();
        newest.expect("the fleet's").display().to_string()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        // Its parts stop with it: their standard input ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a laboratory to its end, for the auditor: nobody else's examples are in its store.
fn end_one(home: &Path) -> (PathBuf, PathBuf, String) {
    let (data, journal) = (home.join("ended"), home.join("ended-journal"));
    let output = Command::new(CORONAZ)
        .args(["up", "--no-menu", "--nodes=6", "--infected=1", "--for=3"])
        .args([format!("--listen={}", free_port()), format!("--radio={}", radio())])
        .args([format!("--data-dir={}", data.display()), format!("--journal={}", journal.display())])
        .output()
        .expect("coronaz runs");
    assert!(output.status.success(), "{}", said(&output));
    let register = fs::read_to_string(data.join("runs.json")).expect("a register");
    let runs: Value = serde_json::from_str(&register).expect("JSON");
    let run = runs[0]["run"].as_str().expect("a run").to_owned();
    (data, journal, run)
}

/// What a command wrote to its outputs.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

pub(crate) fn free_port() -> String {
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    free.local_addr().expect("its address").to_string()
}

/// A radio address of its own, which stays on this machine.
pub(crate) fn radio() -> String {
    coronaz_testkit::radio::free_radio()
}
