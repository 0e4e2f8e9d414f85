//! Every command that reads a laboratory finds it by its folder.

use std::{
    path::Path,
    process::{Command, Output},
};

const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../coronaz-store/tests/stores/schema-2.db");

fn coronaz(home: &Path, line: &str, store: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coronaz"));
    command.args(line.split_whitespace()).current_dir(home).env_remove("CORONAZ_STORE");
    command.envs(store.map(|store| ("CORONAZ_STORE", store)));
    command.output().expect("coronaz runs")
}

/// A folder `lab` with a store that holds runs, and an empty store beside it.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join("lab")).expect("a folder");
    let full = home.path().join("lab/store.db");
    std::fs::copy(STORE, &full).expect("the store is checked in");
    for path in [full, home.path().join("empty.db")] {
        coronaz_store::StoreLocation::from(path.as_path()).ingestion().prepare().expect("brought up to date");
    }
    home
}

#[test]
fn the_folder_leads_to_its_store_and_a_store_that_is_named_wins() {
    let home = home();
    let shown = |line: &str, store: Option<&str>| {
        let output = coronaz(home.path(), line, store);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").lines().count()
    };
    let (heading, empty) = (1, Some("sqlite:empty.db"));
    assert!(shown("runs list --data-dir lab", None) > heading);
    assert!(shown("runs --data-dir lab list", None) > heading, "before the action, too");
    assert_eq!(shown("runs list --data-dir lab --store sqlite:empty.db", None), heading);
    assert!(
        shown("runs list --data-dir lab", empty) > heading,
        "the command line comes before the environment"
    );
    assert_eq!(shown("runs list", empty), heading);
    assert!(shown("runs list --store sqlite:lab/store.db --data-dir nowhere", empty) > heading);
    assert!(shown("runs show newest --data-dir lab", None) > 5);
    assert!(shown("runs export newest --data-dir lab --out results", None) > 1);
}

#[test]
fn every_command_that_reads_a_laboratory_takes_its_folder() {
    let home = home();
    for line in [
        "audit --all --data-dir lab",
        "health --ingest nobody --data-dir lab",
        "health --ingest nobody --store sqlite:lab/store.db",
        "runs delete newest --data-dir lab",
        "runs start --kind nodes --data-dir lab",
        "runs stop newest --data-dir lab",
        "runs fork newest --at 1 --data-dir lab",
        "add --safe 1 --data-dir lab",
        "parts --data-dir lab",
        "chaos --data-dir lab --dry-run",
        "serve --data-dir lab --listen 192.0.2.1:1",
        "ingest --data-dir lab --broker nowhere",
        "up --data-dir lab --scenario nowhere",
    ] {
        let output = coronaz(home.path(), line, None);
        let said = String::from_utf8_lossy(&output.stderr);
        // Whatever it ends with, it is not that the flag is unknown or fits no other.
        assert!(
            !said.contains("unexpected argument") && !said.contains("cannot be used with"),
            "{line}: {said}"
        );
        assert!(matches!(output.status.code(), Some(0 | 1 | 64 | 69)), "{line}: {said}");
        assert!(!said.contains("coronaz-data"), "{line} looks into its folder: {said}");
    }
}

#[test]
fn the_health_of_an_ingest_process_is_asked_of_a_store_by_its_address_or_its_folder() {
    let home = home();
    for place in ["--store sqlite:lab/store.db", "--data-dir lab"] {
        let output = coronaz(home.path(), &format!("health --ingest nobody {place}"), None);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(69), "{said}");
        assert!(said.contains("no ingest process named nobody"), "{said}");
    }
    for (line, right) in
        [("health", "--ingest <NAME>"), ("health --serve 127.0.0.1:1 --ingest x", "cannot be used with")]
    {
        let output = coronaz(home.path(), line, None);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(64) && said.contains(right), "{line}: {said}");
    }
}
