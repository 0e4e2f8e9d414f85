//! The same laboratory over a real Apache Kafka, at the address in `CORONAZ_TEST_BROKERS`, and over that and the
//! MongoDB-compatible server of `MONGODB_URL`.

use std::{
    path::Path,
    process::{Command, id},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use coronaz_testkit::{laboratory::Laboratory, wait::wait_for};
use serde_json::Value;

fn brokers() -> String {
    std::env::var("CORONAZ_TEST_BROKERS").expect("make test-services sets CORONAZ_TEST_BROKERS")
}

/// The flag for a database of this name on the test's server.
fn database(name: &str) -> String {
    let url = std::env::var("MONGODB_URL").expect("make test-services sets MONGODB_URL");
    let server = url.strip_prefix("mongodb://").expect("a MongoDB's URL");
    let server = server.split('/').next().unwrap_or(server);
    format!("--store=mongodb://{server}/coronaz_{name}_{}", id())
}

/// What `coronaz` prints, which ends well.
fn told(arguments: &[&str]) -> String {
    let ended = Command::new(env!("CARGO_BIN_EXE_coronaz")).args(arguments).output().expect("coronaz runs");
    assert!(ended.status.success(), "{arguments:?}: {ended:?}");
    String::from_utf8(ended.stdout).expect("text")
}

#[test]
fn over_a_real_kafka_nothing_is_lost_when_ingest_and_devices_are_killed() {
    let coronaz = Path::new(env!("CARGO_BIN_EXE_coronaz"));
    let broker = format!("--broker={}", brokers());
    let mut laboratory =
        Laboratory::start(coronaz, &["--scenario=paper", "--nodes=40", "--infected=2", &broker]);
    std::thread::sleep(Duration::from_secs(20));
    laboratory.keep_down("ingest", Duration::from_secs(3));
    laboratory.keep_down("devices-1", Duration::from_secs(1));
    std::thread::sleep(Duration::from_secs(20));
    laboratory.stop();
    let (verdict, content) = laboratory.audit();
    assert!(content, "{verdict}");
    assert!(verdict["recorded"].as_u64() > Some(5), "people met: {verdict}");
}

#[test]
fn over_kafka_and_a_mongodb_nothing_is_lost_when_ingest_and_devices_are_killed() {
    let coronaz = Path::new(env!("CARGO_BIN_EXE_coronaz"));
    let (broker, store) = (format!("--broker={}", brokers()), database("laboratory"));
    let begun_ms = now_ms();
    let mut laboratory =
        Laboratory::start(coronaz, &["--scenario=paper", "--nodes=20", "--infected=2", &broker, &store]);
    std::thread::sleep(Duration::from_secs(15));
    laboratory.keep_down("ingest", Duration::from_secs(3));
    laboratory.keep_down("devices-1", Duration::from_secs(1));
    std::thread::sleep(Duration::from_secs(15));
    // The topic has the runs of other laboratories too, which this database takes in first.
    wait_for("the laboratory's own run", Duration::from_secs(120), || {
        let (_, runs) = laboratory.get("/api/v1/runs")?;
        let newest = &runs["runs"][0];
        let is_own = newest["started_ms"].as_u64()? >= begun_ms;
        (is_own && newest["last_ms"].as_u64()? + 5_000 > now_ms()).then_some(())
    });
    let (status, data) = laboratory.get("/data").expect("an answer");
    assert_eq!(status, 200);
    let states = data["result"].as_array().expect("the paper's states");
    assert!(states.len() > 10, "{} states", states.len());
    laboratory.stop();
    let audit = Command::new(coronaz)
        .args(["audit", "--ended", "--json", &store])
        .arg(format!("--journal={}", laboratory.data_dir().with_file_name("journal").display()))
        .output()
        .expect("coronaz runs");
    let (verdict, told) = (String::from_utf8_lossy(&audit.stdout), String::from_utf8_lossy(&audit.stderr));
    assert!(audit.status.success(), "{verdict}{told}");
    the_run_is_listed_exported_and_deleted(&store);
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    u64::try_from(since.as_millis()).expect("before the year 500,000,000")
}

fn the_run_is_listed_exported_and_deleted(store: &str) {
    let listed =
        || -> Value { serde_json::from_str(&told(&["runs", "list", "--json", store])).expect("JSON") };
    let before = listed()["runs"].as_array().expect("a list").len();
    assert!(before > 0, "the broker's topic has this run, and perhaps others'");
    assert!(told(&["runs", "show", "newest", store]).contains("contacts"));
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("results");
    told(&["runs", "export", "newest", store, &format!("--out={}", out.display())]);
    let contacts = std::fs::read_to_string(out.join("contacts.csv")).expect("a table");
    assert!(contacts.lines().count() > 5, "{contacts}");
    told(&["runs", "delete", "newest", "--yes", store]);
    assert_eq!(listed()["runs"].as_array().expect("a list").len(), before - 1);
}

#[test]
fn chaos_over_kafka_and_a_mongodb_finds_nothing_and_refuses_a_database_that_is_in_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let (broker, store) = (format!("--broker={}", brokers()), database("chaos"));
    let chaos = |out: &str| {
        let out = format!("--out={}", folder.path().join(out).display());
        let size = ["--seed=3", "--minutes=0.5", "--devices=500", "--nodes=20"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_coronaz"));
        command.args(["chaos", &out, &broker, &store]).args(size).output().expect("coronaz runs")
    };
    let ended = chaos("first");
    assert!(ended.status.success(), "{ended:?}");
    let report = std::fs::read_to_string(folder.path().join("first/report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    for audited in report["audits"].as_array().expect("two runs") {
        let verdict = &audited["verdict"];
        assert!(verdict["stored"].as_u64() > Some(0), "{audited:#}");
        for what in ["lost", "doubled", "wrong", "unknown"] {
            assert_eq!(verdict[what], 0, "{audited:#}");
        }
    }
    // Offsets of the first one's topic would hide the records of the second's.
    let again = chaos("second");
    let said = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(64), "{said}");
    assert!(said.contains("name a database that is not there yet"), "{said}");
}
