//! The broker's data is removed, or loses its last part, and nobody else loses anything by it: what is recorded afterwards
//! is stored, though the new log has offsets that the store has passed long ago.

mod town;

use std::path::Path;
use std::process::{Child, Command, Stdio};

use coronaz_store::StoreLocation;
use coronaz_testkit::wait::wait_for;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use uuid::Uuid;

use town::{PATIENCE, RUN, Town};

/// Devices that keep what they recorded in a spool and a journal.
fn devices(town: &Town) -> town::Process {
    let (journal, spool) =
        (town.path("journal").display().to_string(), town.path("spool").display().to_string());
    town.nodes(&["--count=12", "--run", RUN, "--seed=5", "--journal", &journal, "--spool", &spool])
}

/// Nothing that was recorded is missing.
fn assert_nothing_is_lost(town: &Town, run: Uuid) {
    let journal = town.path("journal").display().to_string();
    let (verdict, code) = town.audit(run, &["--journal", &journal]);
    assert_eq!((code, &verdict["lost"]), (Some(0), &Value::from(0)), "{verdict}");
    assert!(verdict["recorded"].as_u64() > Some(40), "{verdict}");
}

/// Some contacts are stored, all that were recorded; then the broker dies, `harm` is done to its data, and it comes back.
/// Some more contacts are stored.
fn harmed(ingest_runs: bool, harm: impl Fn(&Path)) {
    let run: Uuid = RUN.parse().expect("a UUID");
    let mut town = Town::new();
    let nodes = devices(&town);
    town.wait_for_contacts(run, 60);
    // Killed, they come back as the same, with what they had kept.
    nodes.end(Signal::KILL);
    town.wait_until_stored(run);
    let stored = town.contacts(run);
    if !ingest_runs {
        town.processes.pop().expect("the ingest process").end(Signal::TERM);
    }
    town.processes.remove(0).end(Signal::KILL);
    harm(&town.path("broker"));
    let broker = town.start_broker();
    town.processes.insert(0, broker);
    let nodes = devices(&town);
    if !ingest_runs {
        // What is sent meanwhile may well be more than there was before.
        std::thread::sleep(std::time::Duration::from_secs(3));
        let ingest = town.coronaz(&["ingest", &town.store()]);
        town.processes.push(ingest);
    }
    town.wait_for_contacts(run, stored + 40);
    nodes.end(Signal::TERM);
    town.wait_until_stored(run);
    assert_nothing_is_lost(&town, run);
    let (lives, is_told) = town.replaced();
    assert!(lives > 0 && is_told, "{lives} partitions had another log; told: {is_told}");
}

fn remove(broker: &Path) {
    std::fs::remove_dir_all(broker).expect("it was there");
}

/// The newest file of each partition loses two fifths.
fn cut(broker: &Path) {
    let topic = std::fs::read_dir(broker.join("topics/coronaz")).expect("the topic");
    for partition in topic.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()) {
        let files = std::fs::read_dir(partition).expect("its files");
        let logs = files.map(|file| file.expect("a file").path());
        let newest =
            logs.filter(|path| path.extension().is_some_and(|end| end == "log")).max().expect("a log");
        let file = std::fs::File::options().write(true).open(newest).expect("opened");
        file.set_len(file.metadata().expect("its length").len() * 6 / 10).expect("shortened");
    }
}

#[test]
fn what_is_recorded_after_the_brokers_data_was_removed_is_stored_by_a_process_that_runs() {
    harmed(true, remove);
}

#[test]
fn what_is_recorded_after_the_brokers_data_was_removed_is_stored_by_a_process_that_starts_later() {
    harmed(false, remove);
}

#[test]
fn what_is_recorded_after_the_broker_lost_its_last_part_is_stored() {
    harmed(true, cut);
    harmed(false, cut);
}

struct Laboratory(Child);

impl Laboratory {
    fn start(folder: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_coronaz"))
            .args(["up", "--no-menu", "--nodes=20", "--seed=5", "--listen=127.0.0.1:0"])
            .arg(format!("--radio={}", coronaz_testkit::radio::free_radio()))
            .arg(format!("--data-dir={}", folder.join("data").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("coronaz runs");
        Self(child)
    }

    fn stop(mut self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::INT).expect("our child");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Laboratory {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_laboratory_whose_brokers_folder_was_removed_between_two_starts_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store: StoreLocation =
        format!("sqlite:{}", folder.path().join("data/store.db").display()).parse().expect("a store");
    let reports = || {
        let runs = store.queries().runs().unwrap_or_default();
        runs.into_iter().map(|run| run.reports).sum::<u64>()
    };
    let laboratory = Laboratory::start(folder.path());
    wait_for("reports to be stored", PATIENCE, || (reports() > 300).then_some(()));
    laboratory.stop();
    let before = reports();
    remove(&folder.path().join("data/broker"));
    let laboratory = Laboratory::start(folder.path());
    wait_for("reports of the second start to be stored", PATIENCE, || {
        (reports() > before + 300).then_some(())
    });
    laboratory.stop();
    let output = Command::new(env!("CARGO_BIN_EXE_coronaz"))
        .args(["audit", "--ended", "--json"])
        .arg(format!("--store=sqlite:{}", folder.path().join("data/store.db").display()))
        .output()
        .expect("coronaz runs");
    let verdict: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((output.status.code(), &verdict["lost"]), (Some(0), &Value::from(0)), "{verdict}");
    let gaps = store.queries().gaps(100).expect("gaps");
    assert!(gaps.iter().any(|gap| gap.reason.starts_with("replaced")), "{gaps:?}");
}
