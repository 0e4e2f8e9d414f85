//! `coronaz chaos` with real processes, small: what it breaks comes back and nothing is lost; and a laboratory that
//! does lose something is found out.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use coronaz_testkit::{laboratory::Laboratory, wait::wait_for};
use serde_json::Value;

fn chaos(out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coronaz"));
    command.args(["chaos", "--json"]).arg(format!("--out={}", out.display())).args(arguments);
    command.stdin(Stdio::null());
    command
}

fn report(out: &Path) -> Value {
    let text = fs::read_to_string(out.join("report.json")).expect("a report");
    serde_json::from_str(&text).expect("JSON")
}

/// A chaos whose lines are read as they come.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(command: &mut Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("coronaz starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Running { child, lines }
    }

    /// Reads on to the beginning of a fault of this kind.
    fn until(&mut self, kind: &str) {
        let found = self.lines.by_ref().map_while(Result::ok).any(|line| {
            let line: Value = serde_json::from_str(&line).expect("a line of JSON");
            line["fault"]["kind"] == kind
        });
        assert!(found, "{kind} began");
    }

    /// Reads to the end; its exit code.
    fn end(mut self) -> Option<i32> {
        self.lines.by_ref().map_while(Result::ok).for_each(drop);
        self.child.wait().expect("our child").code()
    }
}

#[test]
fn what_is_broken_comes_back_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let schedule = folder.path().join("faults.toml");
    // One of each that takes little time, on every kind of target.
    let faults = [
        ("kill", 1_000, 0, "broker", 0),
        ("air-loss", 1_500, 2_000, "", 50),
        ("stall", 3_000, 1_500, "ingest-broker", 0),
        ("poison", 5_000, 0, "", 60),
        ("shuffled", 5_500, 0, "", 200),
        ("clock", 6_000, 1_500, "ingest", 3_600),
        ("disk-full", 8_500, 1_500, "ingest", 0),
        ("store-away", 10_500, 1_500, "", 0),
        ("down", 12_500, 1_000, "devices-1", 0),
        ("half-open", 14_000, 1_000, "nodes-broker", 0),
        ("pause", 15_500, 1_000, "fleet", 0),
        ("restart-all", 17_500, 0, "", 0),
    ];
    self::schedule(&schedule, &faults);
    let out = folder.path().join("out");
    let scenario = format!("--scenario={}", schedule.display());
    let ended =
        chaos(&out, &["--seed=1", "--devices=300", "--nodes=12", &scenario]).output().expect("coronaz");
    let report = report(&out);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{:#}\n{said}", report["findings"]);
    assert_all_done(&report, faults.len());
    for audited in report["audits"].as_array().expect("audits") {
        assert!(audited["verdict"]["recorded"].as_u64() > Some(9), "people met: {audited}");
    }
    assert!(report["rejected"].as_u64() > Some(9), "the poison was set aside");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("All is well") && page.contains("<svg") && !page.contains("http"));
}

#[test]
fn a_laboratory_that_loses_what_its_devices_kept_is_found_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let schedule = folder.path().join("faults.toml");
    // The devices keep what they cannot send; while they do, somebody deletes what they keep, and then they are killed.
    let text = "name = 'loss'\n[[fault]]\nkind = 'cut'\nat_ms = 500\nlasts_ms = 10000\ntarget = 'nodes-broker'\n\
                [[fault]]\nkind = 'pause'\nat_ms = 6000\nlasts_ms = 10\ntarget = 'serve'\n\
                [[fault]]\nkind = 'kill'\nat_ms = 9500\ntarget = 'devices-1'\n";
    fs::write(&schedule, text).expect("written");
    let out = folder.path().join("out");
    let scenario = format!("--scenario={}", schedule.display());
    let mut running = Running::start(&mut chaos(&out, &["--seed=1", "--devices=0", "--nodes=20", &scenario]));
    running.until("pause");
    let runs =
        fs::read_dir(out.join("data/spool")).expect("spools").map(|entry| entry.expect("readable").path());
    for run in runs {
        fs::remove_dir_all(run.join("devices-1")).expect("what the devices keep");
        fs::create_dir_all(run.join("devices-1")).expect("an empty folder");
    }
    assert_eq!(running.end(), Some(1));
    let report = report(&out);
    assert!(report["audits"][0]["verdict"]["lost"].as_u64() > Some(0), "{:#}", report["audits"]);
    let findings = report["findings"].to_string();
    assert!(findings.contains("lost"), "{findings}");
    let page = fs::read_to_string(out.join("report.html")).expect("a page");
    assert!(page.contains("Something was found"));
}

/// A schedule file of these faults: kind, beginning, length, target, amount.
fn schedule(path: &Path, faults: &[(&str, u64, u64, &str, i64)]) {
    let mut text = "name = 'mine'\n".to_owned();
    for (kind, at_ms, lasts_ms, target, amount) in faults {
        text += &format!("[[fault]]\nkind = '{kind}'\nat_ms = {at_ms}\n");
        for (name, value) in [("lasts_ms", lasts_ms.to_string()), ("amount", amount.to_string())] {
            if value != "0" {
                text += &format!("{name} = {value}\n");
            }
        }
        if !target.is_empty() {
            text += &format!("target = '{target}'\n");
        }
    }
    fs::write(path, text).expect("written");
}

fn assert_all_done(report: &Value, faults: usize) {
    let done = report["faults"].as_array().expect("faults");
    assert_eq!(done.len(), faults);
    for fault in done {
        assert_eq!(fault["failed"], Value::Null, "{fault}");
    }
}

#[test]
fn logs_are_replaced_stores_restored_and_clocks_set_and_all_of_it_is_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("faults.toml");
    let faults = [
        ("clock", 1_000, 3_000, "devices-1", -60),
        ("clock-all", 6_000, 3_000, "", -60),
        ("clock-ahead", 11_000, 4_000, "", 365),
        ("store-restored", 17_000, 4_000, "", 0),
        ("broker-replaced", 27_000, 2_000, "", 0),
    ];
    schedule(&file, &faults);
    let out = folder.path().join("out");
    let scenario = format!("--scenario={}", file.display());
    let ended =
        chaos(&out, &["--seed=1", "--devices=200", "--nodes=8", &scenario]).output().expect("coronaz");
    let said = String::from_utf8_lossy(&ended.stderr);
    let report = report(&out);
    assert_eq!(ended.status.code(), Some(0), "{:#}\n{said}", report["findings"]);
    assert_all_done(&report, faults.len());
    let groups = report["groups"].as_array().expect("groups");
    let names: Vec<_> = groups.iter().filter_map(|group| group["name"].as_str()).collect();
    for name in ["devices-1", "devices-2", "devices-3", "fleet"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
    let ahead = groups.iter().find(|group| group["name"] == "devices-3").expect("one device joined");
    assert_eq!(ahead["devices"], 1, "{groups:?}");
    let stopped = fs::read_dir(out.join("data/held")).expect("a folder").count();
    assert_eq!(stopped, 0, "every part was let back");
    assert!(out.join("data/broker").is_dir(), "the broker has a new log");
}

#[test]
fn a_running_laboratory_has_its_parts_kept_down_for_as_long_as_asked_and_people_join_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("faults.toml");
    let faults = [
        ("down", 500, 2_500, "ingest", 0),
        ("join", 4_500, 0, "", 2),
        ("store-away", 5_500, 1_000, "", 0),
        ("down", 8_000, 1_500, "serve", 0),
        ("down", 12_000, 1_500, "broker", 0),
        ("down", 16_000, 1_500, "devices-1", 0),
    ];
    schedule(&file, &faults);
    let coronaz = Path::new(env!("CARGO_BIN_EXE_coronaz"));
    let laboratory =
        Laboratory::start(coronaz, &["--scenario=town", "--nodes=20", "--infected=2", "--seed=3"]);
    let out = folder.path().join("out");
    let place = [
        format!("--data-dir={}", laboratory.data_dir().display()),
        format!("--listen={}", laboratory.address),
        format!("--scenario={}", file.display()),
    ];
    wait_for("a run in the store", Duration::from_secs(60), || {
        let (_, runs) = laboratory.get("/api/v1/runs")?;
        runs["runs"].as_array().filter(|runs| !runs.is_empty()).map(Vec::len)
    });
    let ended = chaos(&out, &place.iter().map(String::as_str).collect::<Vec<_>>()).output().expect("coronaz");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(matches!(ended.status.code(), Some(0 | 1)), "{said}");
    let report = report(&out);
    assert_all_done(&report, faults.len());
    for (number, lasts_ms) in [(0, 2_500), (3, 1_500), (4, 1_500), (5, 1_500)] {
        let fault = &report["faults"][number];
        let lasted =
            fault["ended_ms"].as_u64().zip(fault["began_ms"].as_u64()).map(|(end, begin)| end - begin);
        assert!(lasted >= Some(lasts_ms - 500), "{fault}");
    }
    let restarts = |part: &str| {
        let parts = report["parts"].as_array().expect("parts");
        parts.iter().find(|found| found["name"] == part).map(|found| found["restarts"].as_u64().unwrap_or(0))
    };
    assert!(restarts("ingest") > Some(0) && restarts("devices-1") > Some(0), "{}", report["parts"]);
    assert_eq!(restarts("devices-2"), Some(0), "those who joined: {}", report["parts"]);
    for audited in report["audits"].as_array().expect("audits") {
        for what in ["lost", "doubled", "wrong", "unknown"] {
            assert_eq!(audited["verdict"][what], 0, "{audited:#}");
        }
    }
}

#[test]
fn a_dry_run_starts_nothing_and_shows_the_same_schedule_each_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let show = |seed: &str| {
        let ended = chaos(&out, &["--dry-run", "--minutes=3", seed]).output().expect("coronaz");
        assert!(ended.status.success(), "{ended:?}");
        serde_json::from_slice::<Value>(&ended.stdout).expect("JSON")
    };
    assert_eq!(show("--seed=5"), show("--seed=5"));
    assert_ne!(show("--seed=5"), show("--seed=6"));
    assert!(!out.exists());
}

#[test]
fn wrong_arguments_say_what_would_be_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let used = folder.path().join("used");
    fs::create_dir_all(used.join("data")).expect("made");
    let new = folder.path().join("new");
    for (out, arguments, right) in [
        (&new, &["--minutes=0"][..], "from 0.1 to 1440"),
        (&new, &["--devices=0", "--nodes=0"], "raise --devices or --nodes"),
        (&new, &["--scenario=/no/such/file"], "/no/such/file"),
        (&new, &["--data-dir=/no/such/folder"], "/no/such/folder"),
        (&new, &["--store=mongodb://db.example/x"], "ADDR:PORT"),
        (&used, &[], "holds an earlier laboratory"),
    ] {
        let ended = chaos(out, arguments).output().expect("coronaz");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && said.contains(right), "{arguments:?}: {said}");
    }
}
