//! One child process: started, watched, restarted with a growing pause, stopped.

use std::{
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};
use tokio::{
    process::{Child, Command},
    sync::watch,
};

use crate::logs::{self, Show};

/// The pause before the first restart.
const RESTART_PAUSE_MIN: Duration = Duration::from_millis(200);
/// The longest pause between restarts.
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(5);
/// A part that ran this long was well: the next pause is a short one again.
const WELL_AFTER: Duration = Duration::from_secs(10);
/// What a part ends with that cannot do what it was told (`EX_USAGE`).
const EXIT_USAGE: i32 = 64;

/// How to start a part.
#[derive(Debug, Clone)]
pub struct Specification {
    /// Its name in logs and to the operator.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where its output is kept.
    pub log_file: PathBuf,
    /// Whether an exit with 0 means that its work is done (devices), or that something is wrong (servers).
    pub may_finish: bool,
    /// How long it may take to stop before it is killed.
    pub stop_within: Duration,
}

/// What a part is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its process runs.
    Running,
    /// Its process ended; the next start is near.
    Restarting,
    /// Its process found its arguments or files wrong: starting it again would not help.
    Refused,
    /// Its process did its work.
    Finished,
    /// It was stopped with the laboratory.
    Stopped,
}

/// A part as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The part.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// Its process, while it runs.
    pub pid: Option<u32>,
    /// How often it was started again.
    pub restarts: u32,
}

/// A running part. Dropping it closes the child's standard input, which stops the child.
#[derive(Debug)]
pub struct Part {
    specification: Specification,
    status: Arc<Mutex<Status>>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Part {
    /// Starts the part and the watch over it.
    #[must_use]
    pub fn start(specification: Specification, show: Show) -> Part {
        let status =
            Status { name: specification.name.clone(), state: State::Restarting, pid: None, restarts: 0 };
        let status = Arc::new(Mutex::new(status));
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(watch_over(specification.clone(), Arc::clone(&status), stopping, show));
        Part { specification, status, stop, task }
    }

    /// How the part is.
    #[must_use]
    pub fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    /// Sends a signal to the part's process; false when it has none.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> bool {
        let pid = lock(&self.status).pid;
        pid.is_some_and(|pid| send(pid, signal))
    }

    /// Asks the part to stop, kills it when it does not within its time, and waits for its end.
    pub async fn stop(self) {
        // No receiver left: the part has finished already.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(part = self.specification.name, %error, "the watch over a part ended badly");
        }
    }
}

fn lock(status: &Mutex<Status>) -> MutexGuard<'_, Status> {
    // The status is a plain value: it is whole even when a holder of the lock panicked.
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

fn send(pid: u32, signal: Signal) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
}

async fn watch_over(
    specification: Specification,
    status: Arc<Mutex<Status>>,
    mut stopping: watch::Receiver<bool>,
    show: Show,
) {
    let name = specification.name.as_str();
    let mut pause = RESTART_PAUSE_MIN;
    loop {
        let started = Instant::now();
        match spawn(&specification, show) {
            Ok(mut child) => {
                set(&status, State::Running, child.id());
                // Held until the child has ended: waiting for a child that has it would close it.
                let _lifeline = child.stdin.take();
                let outcome = tokio::select! {
                    outcome = child.wait() => Some(outcome),
                    _ = stopping.wait_for(|&stop| stop) => None,
                };
                let Some(outcome) = outcome else {
                    end(&mut child, &specification).await;
                    return set(&status, State::Stopped, None);
                };
                match outcome {
                    Ok(exit) if exit.success() && specification.may_finish => {
                        tracing::info!(part = name, "finished");
                        return set(&status, State::Finished, None);
                    }
                    Ok(exit) if exit.code() == Some(EXIT_USAGE) => {
                        tracing::error!(part = name, "refuses its arguments; not starting it again");
                        return set(&status, State::Refused, None);
                    }
                    Ok(exit) => tracing::warn!(part = name, "{}; starting it again", describe(exit)),
                    Err(error) => tracing::error!(part = name, %error, "cannot wait for the process"),
                }
            }
            Err(error) => {
                let program = specification.program.display();
                tracing::error!(part = name, %error, %program, "cannot be started");
            }
        }
        set(&status, State::Restarting, None);
        pause = if started.elapsed() > WELL_AFTER { RESTART_PAUSE_MIN } else { pause };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopping.wait_for(|&stop| stop) => return set(&status, State::Stopped, None),
        }
        pause = (pause * 2).min(RESTART_PAUSE_MAX);
        lock(&status).restarts += 1;
    }
}

fn set(status: &Mutex<Status>, state: State, pid: Option<u32>) {
    let mut status = lock(status);
    status.state = state;
    status.pid = pid;
}

fn spawn(specification: &Specification, show: Show) -> std::io::Result<Child> {
    let mut child = Command::new(&specification.program)
        .args(&specification.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C in the terminal is for us alone: we stop the parts in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (name, path) = (&specification.name, &specification.log_file);
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(logs::follow(name.clone(), stdout, path.clone(), show));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(logs::follow(name.clone(), stderr, path.clone(), show));
    }
    Ok(child)
}

/// Asks a child to stop, and kills it when it does not.
async fn end(child: &mut Child, specification: &Specification) {
    if let Some(pid) = child.id() {
        // A part that the operator has paused must hear the request, too.
        let _ = send(pid, Signal::CONT);
        let _ = send(pid, Signal::TERM);
    }
    if tokio::time::timeout(specification.stop_within, child.wait()).await.is_err() {
        let seconds = specification.stop_within.as_secs();
        tracing::warn!(part = specification.name, "did not stop within {seconds} s; killing it");
        if let Err(error) = child.kill().await {
            tracing::error!(part = specification.name, %error, "cannot be killed");
        }
    }
}

fn describe(exit: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (exit.code(), exit.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
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
        let hellos =
            || std::fs::read_to_string(folder.path().join("part.log")).map_or(0, |t| t.lines().count());
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
}
