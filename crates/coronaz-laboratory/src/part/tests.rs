use super::*;

fn specification(script: &str, may_finish: bool) -> (tempfile::TempDir, Specification) {
    let folder = tempfile::tempdir().expect("a folder");
    let specification = Specification {
        name: "part".to_owned(),
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        log_file: folder.path().join("part.log"),
        may_finish,
        stop_within: Duration::from_millis(500),
        address: None,
    };
    (folder, specification)
}

async fn wait_for(part: &Part, what: impl Fn(&Status) -> bool) -> Status {
    for _ in 0..500 {
        let status = part.status();
        if what(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("still {:?} after 10 s", part.status());
}

#[tokio::test]
async fn a_killed_part_is_started_again_and_its_output_kept() {
    let (folder, specification) = specification("echo hello; exec sleep 60", false);
    let part = Part::start(specification, Show::Problems);
    let first = wait_for(&part, |s| s.pid.is_some()).await;
    assert!(part.signal(Signal::KILL));
    let second = wait_for(&part, |s| s.pid.is_some() && s.pid != first.pid).await;
    assert_eq!(second.restarts, 1);
    let hellos = || std::fs::read_to_string(folder.path().join("part.log")).map_or(0, |t| t.lines().count());
    for _ in 0..500 {
        if hellos() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(hellos(), 2);
    part.stop().await;
}

#[tokio::test]
async fn a_part_that_is_to_be_restarted_ends_in_order_and_is_back_at_once() {
    let (folder, specification) =
        specification("trap 'echo bye; exit 0' TERM; while true; do sleep 0.02; done", false);
    let mut part = Part::start(specification, Show::Nothing);
    let first = wait_for(&part, |s| s.pid.is_some()).await;
    part.restart();
    let second = wait_for(&part, |s| s.pid.is_some() && s.pid != first.pid).await;
    assert_eq!(second.restarts, 1);
    let text = std::fs::read_to_string(folder.path().join("part.log")).unwrap_or_default();
    assert_eq!(text, "bye\n");
    part.stop().await;
}

#[tokio::test]
async fn a_part_that_has_given_up_can_be_started_again_and_says_why_it_did() {
    let (folder, specification) =
        specification("test -e go && exec sleep 60; echo 'coronaz: no go'; exit 64", false);
    let go = folder.path().join("go");
    let script = format!("cd '{}'; {}", folder.path().display(), specification.arguments[1]);
    let specification = Specification { arguments: vec!["-c".to_owned(), script], ..specification };
    let mut part = Part::start(specification, Show::Nothing);
    wait_for(&part, |s| s.state == State::Refused && s.says.as_deref() == Some("no go")).await;
    std::fs::write(go, "").expect("a file");
    part.restart();
    assert_eq!(wait_for(&part, |s| s.state == State::Running).await.restarts, 1);
    part.stop().await;
}

#[tokio::test]
async fn a_paused_process_is_seen_as_such_with_its_memory() {
    let (_folder, specification) = specification("exec sleep 60", false);
    let part = Part::start(specification, Show::Nothing);
    wait_for(&part, |s| s.pid.is_some()).await;
    assert!(part.signal(Signal::STOP));
    for _ in 0..500 {
        if part.measured().state == State::Paused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = part.measured();
    assert_eq!(status.state, State::Paused);
    assert!(status.memory_bytes > Some(0) && status.cpu_seconds.is_some(), "{status:?}");
    part.stop().await;
}

#[tokio::test]
async fn a_part_whose_work_is_done_stays_finished() {
    let (_folder, specification) = specification("exit 0", true);
    let part = Part::start(specification, Show::Problems);
    assert_eq!(wait_for(&part, |s| s.state == State::Finished).await.restarts, 0);
    part.stop().await;
}

#[tokio::test]
async fn a_part_that_refuses_its_arguments_is_not_started_again() {
    let (_folder, specification) = specification("exit 64", false);
    let part = Part::start(specification, Show::Problems);
    assert_eq!(wait_for(&part, |s| s.state == State::Refused).await.restarts, 0);
    part.stop().await;
}

#[tokio::test]
async fn a_part_that_fails_at_each_start_says_why_and_one_that_runs_again_does_not() {
    let (folder, specification) =
        specification("cd \"$0\"; test -e go && exec sleep 60; echo 'coronaz: no port'; exit 69", false);
    let mut arguments = specification.arguments.clone();
    arguments.push(folder.path().display().to_string());
    let mut part = Part::start(Specification { arguments, ..specification }, Show::Nothing);
    for _ in 0..500 {
        if part.trouble().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let trouble = part.trouble().expect("it cannot run");
    assert!(trouble.starts_with("part cannot run: no port"), "{trouble}");
    std::fs::write(folder.path().join("go"), "").expect("a file");
    part.restart();
    wait_for(&part, |s| s.state == State::Running).await;
    for _ in 0..1_500 {
        if part.trouble().is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(part.trouble(), None, "well for a while");
    part.stop().await;
}

#[tokio::test]
async fn a_part_keeps_its_lifeline_for_as_long_as_it_is_watched() {
    let (folder, specification) = specification("echo up; cat > /dev/null; echo cut", false);
    let part = Part::start(specification, Show::Problems);
    let text = || std::fs::read_to_string(folder.path().join("part.log")).unwrap_or_default();
    for _ in 0..500 {
        if text() == "up\n" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((text().as_str(), part.status().restarts), ("up\n", 0));
    part.stop().await;
}

#[tokio::test]
async fn a_part_that_will_not_stop_is_killed() {
    let (_folder, specification) = specification("trap '' TERM; while true; do sleep 1; done", false);
    let part = Part::start(specification, Show::Problems);
    let pid = wait_for(&part, |s| s.pid.is_some()).await.pid.expect("running");
    part.stop().await;
    assert!(!send(pid, Signal::CONT), "the process is gone");
}
