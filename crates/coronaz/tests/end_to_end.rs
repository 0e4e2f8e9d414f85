//! The product's claim, end to end with real processes: every contact that any device recorded is in
//! the store, once, whatever was killed on the way (I-3).

use std::{path::Path, time::Duration};

use coronaz_testkit::{laboratory::Laboratory, wait::wait_for};

/// The paper's run: 20 devices, who die after 120 seconds.
const PAPER: &[&str] = &["--scenario=paper", "--nodes=20", "--infected=2"];
/// A smaller town, in which people meet all the time.
const TOWN: &[&str] = &["--scenario=town", "--nodes=40", "--infected=2"];

fn coronaz() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_coronaz"))
}

fn start(run: &[&str], arguments: &[&str]) -> Laboratory {
    Laboratory::start(coronaz(), &[run, arguments].concat())
}

fn assert_clean(laboratory: &Laboratory) {
    let (verdict, content) = laboratory.audit();
    assert!(content, "{verdict}");
    assert!(verdict["recorded"].as_u64() > Some(9), "people met: {verdict}");
    assert_eq!(verdict["recorded"], verdict["stored"], "{verdict}");
}

#[test]
fn what_20_nodes_recorded_in_120_s_is_what_is_stored() {
    let mut laboratory = start(PAPER, &["--for=125"]);
    wait_for("the first states", Duration::from_secs(30), || {
        let (status, data) = laboratory.get("/data")?;
        (status == 200 && data["result"].as_array()?.len() > 2).then_some(())
    });
    laboratory.wait(Duration::from_secs(200));
    assert_clean(&laboratory);
}

#[test]
fn nothing_is_lost_when_broker_ingest_and_serve_are_killed_for_10_s_each() {
    let mut laboratory = start(TOWN, &[]);
    for part in ["broker", "ingest", "serve"] {
        laboratory.keep_down(part, Duration::from_secs(10));
        // Each is well again before the next goes down.
        let before = wait_for("the page", Duration::from_secs(40), || moments(&laboratory));
        wait_for("the run to go on", Duration::from_secs(40), || {
            moments(&laboratory).filter(|&now| now > before)
        });
    }
    laboratory.stop();
    assert_clean(&laboratory);
}

#[test]
fn a_killed_group_of_devices_comes_back_with_what_it_had_recorded() {
    let mut laboratory = start(TOWN, &[]);
    wait_for("the first states", Duration::from_secs(40), || moments(&laboratory).filter(|&now| now > 10));
    // The devices die while the broker is away: what they recorded is in their spool alone.
    laboratory.keep_down("broker", Duration::from_secs(5));
    laboratory.keep_down("devices-1", Duration::from_secs(1));
    let before = wait_for("the page", Duration::from_secs(40), || moments(&laboratory));
    wait_for("the run to go on", Duration::from_secs(40), || {
        moments(&laboratory).filter(|&now| now > before + 5)
    });
    assert_eq!(people(&laboratory), Some(40), "they are the same devices");
    wait_for_people_to_meet(&laboratory);
    laboratory.stop();
    assert_clean(&laboratory);
}

#[test]
fn devices_live_on_after_the_laboratory_was_killed_and_after_it_was_stopped() {
    let mut laboratory = start(TOWN, &[]);
    let run = || newest_run(&laboratory, "id").and_then(|id| Some(id.as_str()?.to_owned()));
    let first = wait_for("the run", Duration::from_secs(40), run);
    let lived = |laboratory: &Laboratory, more: u64| {
        let before = wait_for("the page", Duration::from_secs(40), || moments(laboratory));
        wait_for("the run to go on", Duration::from_secs(40), || {
            moments(laboratory).filter(|&now| now > before + more)
        });
    };
    lived(&laboratory, 5);
    laboratory.kill_and_start_again(TOWN);
    lived(&laboratory, 5);
    laboratory.stop();
    laboratory.start_again(TOWN);
    lived(&laboratory, 5);
    let (_, runs) = laboratory.get("/api/v1/runs").expect("an answer");
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "no other run began: {runs}");
    assert_eq!((runs["runs"][0]["id"].as_str(), people(&laboratory)), (Some(&*first), Some(40)));
    wait_for_people_to_meet(&laboratory);
    laboratory.stop();
    assert_clean(&laboratory);
    // Other people are another run, beside it.
    laboratory.start_again(&["--scenario=town", "--nodes=5", "--infected=1"]);
    wait_for("two runs", Duration::from_secs(40), || {
        let (_, runs) = laboratory.get("/api/v1/runs")?;
        (runs["runs"].as_array()?.len() == 2).then_some(())
    });
}

#[test]
fn people_added_from_another_shell_join_the_run() {
    let mut laboratory = start(TOWN, &[]);
    let output = laboratory.command(["add", "--safe=3", "--infected=1"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "added 3 safe and 1 infected\n");
    wait_for("44 people", Duration::from_secs(40), || people(&laboratory).filter(|&people| people == 44));
    wait_for_people_to_meet(&laboratory);
    laboratory.stop();
    let output = laboratory.command(["add", "--safe=1"]);
    assert_eq!(output.status.code(), Some(69), "{output:?}");
    assert_clean(&laboratory);
}

/// As many contacts as [`assert_clean`] wants.
fn wait_for_people_to_meet(laboratory: &Laboratory) {
    wait_for("people to meet", Duration::from_secs(60), || {
        of_newest_run(laboratory, "contacts").filter(|&contacts| contacts > 9)
    });
}

/// How many moments the newest run has; `None` while the page is away.
fn moments(laboratory: &Laboratory) -> Option<u64> {
    of_newest_run(laboratory, "moments")
}

/// How many people the newest run has; `None` while the page is away.
fn people(laboratory: &Laboratory) -> Option<u64> {
    of_newest_run(laboratory, "nodes")
}

/// A figure of the newest run; `None` while the page is away.
fn of_newest_run(laboratory: &Laboratory, figure: &str) -> Option<u64> {
    newest_run(laboratory, figure)?.as_u64()
}

/// A member of the newest run; `None` while the page is away.
fn newest_run(laboratory: &Laboratory, member: &str) -> Option<serde_json::Value> {
    let (_, runs) = laboratory.get("/api/v1/runs")?;
    runs["runs"].get(0)?.get(member).cloned()
}
