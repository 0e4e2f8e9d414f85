//! A broker, an ingest process and devices, as processes of their own, for tests to break.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use coronaz_store::StoreLocation;
use coronaz_testkit::wait::wait_for;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use uuid::Uuid;

pub(crate) const RUN: &str = "7c9f3f9e-0d3b-4f7e-9a55-0f4b8f6f2a10";
/// Nothing that is waited for takes longer, on the slowest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// As the laboratory finds it: `CORONAZ_BROKER_BIN`, else beside `coronaz`, where `cargo build -p coronaz-broker` puts it.
fn broker_program() -> PathBuf {
    let beside = || Path::new(env!("CARGO_BIN_EXE_coronaz")).with_file_name("coronaz-broker");
    std::env::var_os("CORONAZ_BROKER_BIN").map_or_else(beside, PathBuf::from)
}

/// A broker and an ingest process, and whoever else is started: all killed with it.
pub(crate) struct Town {
    folder: tempfile::TempDir,
    pub(crate) broker: SocketAddr,
    pub(crate) radio: String,
    pub(crate) processes: Vec<Process>,
}

pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("our child");
    }

    pub(crate) fn end(mut self, signal: Signal) {
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
    pub(crate) fn new() -> Town {
        let folder = tempfile::tempdir().expect("a folder");
        let broker = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let radio = coronaz_testkit::radio::free_radio();
        let mut town = Town { folder, broker, radio, processes: Vec::new() };
        let broker = town.start_broker();
        let ingest = town.coronaz(&["ingest", &town.store()]);
        town.processes.extend([broker, ingest]);
        town
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn store(&self) -> String {
        format!("--store=sqlite:{}", self.path("store.db").display())
    }

    fn start(&self, command: &mut Command) -> Process {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Process(started.unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program())))
    }

    /// The broker, at the address and with the data that it had before.
    pub(crate) fn start_broker(&self) -> Process {
        let mut command = Command::new(broker_program());
        command
            .arg(format!("--listen={}", self.broker))
            .arg(format!("--data={}", self.path("broker").display()));
        self.start(&mut command)
    }

    pub(crate) fn coronaz(&self, arguments: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coronaz"));
        self.start(command.args(arguments).arg(format!("--broker={}", self.broker)))
    }

    /// Devices in a small room, who meet all the time.
    pub(crate) fn nodes(&self, arguments: &[&str]) -> Process {
        let room =
            ["node", "--scenario=town", "--field-width=16", "--field-height=16", "--zombie-lifetime=0"];
        self.coronaz(&[&room[..], &["--radio", &self.radio], arguments].concat())
    }

    /// The auditor's verdict, and its exit code.
    pub(crate) fn audit(&self, run: Uuid, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = Command::new(env!("CARGO_BIN_EXE_coronaz"))
            .args(["audit", &run.to_string(), "--ended", "--json", &self.store()])
            .args(arguments)
            .output()
            .expect("coronaz runs");
        let said = String::from_utf8_lossy(&output.stderr);
        (serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}")), output.status.code())
    }

    /// Contacts of a run that are stored.
    pub(crate) fn contacts(&self, run: Uuid) -> u64 {
        let location: StoreLocation =
            format!("sqlite:{}", self.path("store.db").display()).parse().expect("a store");
        location.queries().run(run).map_or(0, |run| run.contacts)
    }

    /// What the store says of the topic: how often its partitions had another log, and whether that is among what is
    /// missing.
    #[allow(dead_code, reason = "for what happens to the topic")]
    pub(crate) fn replaced(&self) -> (u32, bool) {
        let location: StoreLocation =
            format!("sqlite:{}", self.path("store.db").display()).parse().expect("a store");
        let queries = location.queries();
        let lives = queries.offsets().map_or(0, |offsets| offsets.iter().map(|offset| offset.life).sum());
        let gaps = queries.gaps(100).unwrap_or_default();
        (lives, gaps.iter().any(|gap| gap.reason.starts_with("replaced")))
    }

    pub(crate) fn wait_for_contacts(&self, run: Uuid, enough: u64) {
        wait_for("contacts to be stored", PATIENCE, || (self.contacts(run) >= enough).then_some(()));
    }

    /// Waits until ingest has stored all that the broker holds: nothing has been added for a while.
    pub(crate) fn wait_until_stored(&self, run: Uuid) {
        let mut last = (0, 0);
        wait_for("the last contact to be stored", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(100));
            let now = self.contacts(run);
            last = if now == last.0 { (now, last.1 + 1) } else { (now, 0) };
            (last.1 > 20).then_some(())
        });
    }
}
