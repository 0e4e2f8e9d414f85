//! `coronaz runs` as its users meet it, over a store that an earlier version wrote.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use coronaz_store::StoreLocation;
use tempfile::TempDir;

const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../coronaz-store/tests/stores/schema-2.db");

struct Store {
    folder: TempDir,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        std::fs::copy(STORE, &path).expect("the store is checked in");
        StoreLocation::from(path.as_path()).ingestion().prepare().expect("brought up to date");
        Store { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn runs(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_coronaz"))
            .arg("runs")
            .args(arguments)
            .arg(format!("--store=sqlite:{}", self.path("store.db").display()))
            .output()
            .expect("it starts")
    }

    fn told(&self, arguments: &[&str]) -> String {
        let output = self.runs(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn listed(&self) -> Vec<serde_json::Value> {
        let list: serde_json::Value = serde_json::from_str(&self.told(&["list", "--json"])).expect("JSON");
        list["runs"].as_array().expect("a list").clone()
    }
}

fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).expect("there").lines().count()
}

#[test]
fn runs_are_listed_and_shown_by_the_beginning_of_their_uuid() {
    let store = Store::new();
    let listed = store.listed();
    assert_eq!(listed.len(), 2);
    assert!(store.told(&["list"]).lines().count() == 3);
    let id = listed[1]["id"].as_str().expect("a UUID");
    let shown = store.told(&["show", &id[..8]]);
    assert!(shown.contains(id) && shown.contains("parameter   infection_radius"), "{shown}");
    let unknown = store.runs(&["show", "nobody"]);
    assert_eq!(unknown.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("nobody"));
}

#[test]
fn a_run_is_exported_whole_and_nothing_is_overwritten_unless_asked() {
    let store = Store::new();
    let out = store.path("out");
    let folder = out.to_str().expect("text");
    for run in store.listed() {
        let id = run["id"].as_str().expect("a UUID");
        let count = |name: &str| usize::try_from(run[name].as_u64().expect("a count")).expect("small");
        store.told(&["export", id, "--out", folder, "--force"]);
        assert_eq!(lines(&out.join("contacts.csv")), count("contacts") + 1);
        assert_eq!(lines(&out.join("infections.csv")), count("infections") + 1);
        assert_eq!(lines(&out.join("statistics.csv")), count("moments") + 1);
        assert_eq!(lines(&out.join("nodes.csv")), count("nodes") + 1);
        let encounters = lines(&out.join("encounters.csv"));
        assert!(encounters > 10 && encounters < count("contacts"));
        for table in ["statistics", "infections", "contacts", "encounters", "nodes"] {
            let bytes = std::fs::read(out.join(format!("{table}.parquet"))).expect("there");
            assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
        }
    }
    let again = store.runs(&["export", "newest", "--out", folder]);
    assert_eq!(again.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&again.stderr).contains("--force"));
}

#[test]
fn a_run_is_deleted_only_when_asked_for_twice() {
    let store = Store::new();
    let id = store.listed()[0]["id"].as_str().expect("a UUID").to_owned();
    // Nobody is at the terminal to say yes.
    assert_eq!(store.runs(&["delete", &id]).status.code(), Some(64));
    assert_eq!(store.listed().len(), 2);
    assert!(store.told(&["delete", &id, "--yes"]).contains("is deleted"));
    assert!(store.listed().iter().all(|run| run["id"] != id.as_str()));
    assert!(store.told(&["list", "--deleted"]).contains(&id));
    assert_eq!(store.runs(&["delete", &id, "--yes"]).status.code(), Some(64));
}
