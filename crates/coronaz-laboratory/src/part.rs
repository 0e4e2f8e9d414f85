//! One child process: started, watched, restarted with a growing pause, stopped.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

pub use coronaz_wire::control::{Part as Status, PartState as State};
use coronaz_wire::{control::PartKind, wall_clock};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    sync::watch,
};

use crate::{
    logs::{self, Repeats, Show},
    usage,
};

/// The pause before the first restart.
const RESTART_PAUSE_MIN: Duration = Duration::from_millis(200);
/// The longest pause between restarts.
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(5);
/// A part that ran this long was well: the next pause is a short one again.
const WELL_AFTER: Duration = Duration::from_secs(10);
/// A part that has failed so often soon after its start cannot run: the first time may be a race of starts.
const FAILURES_SHOWN: u32 = 2;
/// The last words of a part that has ended are read a moment later.
const LAST_WORDS_WITHIN_MS: i64 = 1_000;
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
    /// Where it accepts connections, if it does.
    pub address: Option<SocketAddr>,
}

/// What the watch over a part is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Orders {
    /// It is to end.
    stop: bool,
    /// It is to end because the laboratory does, as if that had been killed: its standard input ends.
    leave: bool,
    /// So often its process was to be started anew.
    restarts: u32,
}

/// A running part. Dropping it closes the child's standard input, which stops the child.
#[derive(Debug)]
pub struct Part {
    specification: Specification,
    status: Arc<Mutex<Status>>,
    orders: watch::Sender<Orders>,
    failures: Arc<AtomicU32>,
    show: Show,
    task: tokio::task::JoinHandle<()>,
}

impl Part {
    /// Starts the part and the watch over it.
    #[must_use]
    pub fn start(specification: Specification, show: Show) -> Part {
        let status = Status {
            name: specification.name.clone(),
            kind: kind(&specification.name),
            state: State::Restarting,
            since_ms: now_ms(),
            pid: None,
            restarts: 0,
            address: specification.address.map(|address| address.to_string()),
            run: None,
            memory_bytes: None,
            cpu_seconds: None,
            read_bytes: None,
            written_bytes: None,
            says: None,
            says_at_ms: None,
        };
        Part::watched(specification, Arc::new(Mutex::new(status)), show)
    }

    fn watched(specification: Specification, status: Arc<Mutex<Status>>, show: Show) -> Part {
        let (orders, ordered) = watch::channel(Orders::default());
        let failures = Arc::new(AtomicU32::new(0));
        let watched = (specification.clone(), Arc::clone(&status), Arc::clone(&failures));
        let task = tokio::spawn(watch_over(watched, ordered, show));
        Part { specification, status, orders, failures, show, task }
    }

    /// How the part is.
    #[must_use]
    pub fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    /// Why the part cannot do its work, in its own words: it has given up, or ends with a failure each time that it is
    /// started.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let Status { name, state, says, since_ms, .. } = self.status();
        if says.is_none() && now_ms().saturating_sub(since_ms) < LAST_WORDS_WITHIN_MS {
            return None;
        }
        let why = says.unwrap_or_else(|| format!("see {}", self.specification.log_file.display()));
        match state {
            State::Refused => Some(format!("{name} cannot run: {why} (it is not started again)")),
            _ if self.failures.load(Ordering::Relaxed) >= FAILURES_SHOWN => {
                Some(format!("{name} cannot run: {why} (it is started again every few seconds)"))
            }
            _ => None,
        }
    }

    /// Sends a signal to the part's process; false when it has none.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> bool {
        let pid = lock(&self.status).pid;
        pid.is_some_and(|pid| send(pid, signal))
    }

    /// How the part is, with what its process takes of the machine.
    #[must_use]
    pub fn measured(&self) -> Status {
        let mut status = self.status();
        if let Some(usage) = status.pid.and_then(usage::of) {
            status.memory_bytes = Some(usage.memory_bytes);
            status.cpu_seconds = Some(usage.cpu_seconds);
            (status.read_bytes, status.written_bytes) = (usage.read_bytes, usage.written_bytes);
            if usage.is_paused && status.state == State::Running {
                status.state = State::Paused;
            }
        }
        status
    }

    /// Ends the part's process in an orderly way and starts it again at once; one that waits for its next start, or
    /// has given up, is started now.
    pub fn restart(&mut self) {
        if self.task.is_finished() {
            let (specification, status) = (self.specification.clone(), Arc::clone(&self.status));
            lock(&status).restarts += 1;
            *self = Part::watched(specification, status, self.show);
        } else {
            self.orders.send_modify(|orders| orders.restarts += 1);
        }
    }

    /// The same, a while later: for the part that has to say first that it asked for it.
    pub fn restart_after(&mut self, pause: Duration) {
        if self.task.is_finished() {
            return self.restart();
        }
        let orders = self.orders.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            orders.send_modify(|orders| orders.restarts += 1);
        });
    }

    /// Asks the part to stop, without waiting for its end.
    pub fn ask_to_stop(&self) {
        self.orders.send_modify(|orders| orders.stop = true);
    }

    /// How the part is, for whoever waits for it to become so.
    pub(crate) fn seen(&self) -> impl Fn() -> Status + Send + use<> {
        let status = Arc::clone(&self.status);
        move || lock(&status).clone()
    }

    /// Ends the part as its laboratory's own end would: devices do not die of it, and can be carried on.
    pub async fn leave(self) {
        self.orders.send_modify(|orders| (orders.stop, orders.leave) = (true, true));
        self.ended().await;
    }

    async fn ended(self) {
        if let Err(error) = self.task.await {
            tracing::error!(part = self.specification.name, %error, "the watch over a part ended badly");
        }
    }

    /// Asks the part to stop, kills it when it does not within its time, and waits for its end.
    pub async fn stop(self) {
        self.ask_to_stop();
        self.ended().await;
    }
}

fn lock(status: &Mutex<Status>) -> MutexGuard<'_, Status> {
    // The status is a plain value: it is whole even when a holder of the lock panicked.
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now_ms() -> i64 {
    wall_clock::now_us() / 1000
}

/// Sends a signal to a process of ours; false when there is none.
pub(crate) fn send(pid: u32, signal: Signal) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, signal).is_ok())
}

/// How a process came to its end.
enum End {
    /// By itself.
    Itself(std::io::Result<ExitStatus>),
    /// It was told to stop.
    Stop,
    /// It is to be started anew.
    Restart,
}

async fn watch_over(
    (specification, status, failures): (Specification, Arc<Mutex<Status>>, Arc<AtomicU32>),
    mut orders: watch::Receiver<Orders>,
    show: Show,
) {
    let repeats = Repeats::default();
    let name = specification.name.as_str();
    let mut pause = RESTART_PAUSE_MIN;
    loop {
        let started = Instant::now();
        let mut at_once = false;
        match spawn(&specification, &status, show, &repeats) {
            Ok(mut child) => {
                set(&status, State::Running, child.id());
                let well = async {
                    tokio::time::sleep(WELL_AFTER).await;
                    failures.store(0, Ordering::Relaxed);
                    std::future::pending().await
                };
                let ended = tokio::select! {
                    ended = live(&mut child, &specification, &mut orders) => ended,
                    ended = well => ended,
                };
                match ended {
                    End::Stop => return set(&status, State::Stopped, None),
                    End::Restart => at_once = true,
                    End::Itself(Ok(exit)) if exit.success() && specification.may_finish => {
                        tracing::info!(part = name, "finished");
                        return set(&status, State::Finished, None);
                    }
                    End::Itself(Ok(exit)) if exit.code() == Some(EXIT_USAGE) => {
                        // Whoever started the laboratory is told by `Part::trouble`.
                        tracing::debug!(part = name, "cannot do what it was asked to; not starting it again");
                        return set(&status, State::Refused, None);
                    }
                    End::Itself(Ok(exit)) => {
                        let what = format!("{}; starting it again", describe(exit));
                        // Killed by somebody it is no failure of its own.
                        if exit.code().is_some() && started.elapsed() < WELL_AFTER {
                            failures.fetch_add(1, Ordering::Relaxed);
                        }
                        if repeats.show(&what, Instant::now()).is_some() {
                            tracing::warn!(part = name, "{what}");
                        }
                    }
                    End::Itself(Err(error)) => {
                        tracing::error!(part = name, %error, "cannot wait for the process");
                    }
                }
            }
            Err(error) => {
                let program = specification.program.display();
                tracing::error!(part = name, %error, %program, "cannot be started");
                say(&status, format!("{program} cannot be started: {error}"));
            }
        }
        set(&status, State::Restarting, None);
        pause = if at_once || started.elapsed() > WELL_AFTER { RESTART_PAUSE_MIN } else { pause };
        if !at_once {
            let before = orders.borrow().restarts;
            let stop = tokio::select! {
                () = tokio::time::sleep(pause) => false,
                ordered = orders.wait_for(|orders| orders.stop || orders.restarts != before) => {
                    ordered.map_or(true, |orders| orders.stop)
                }
            };
            if stop {
                return set(&status, State::Stopped, None);
            }
            pause = (pause * 2).min(RESTART_PAUSE_MAX);
        }
        lock(&status).restarts += 1;
    }
}

/// Stays with a process until its end.
async fn live(child: &mut Child, specification: &Specification, orders: &mut watch::Receiver<Orders>) -> End {
    // Held until the child has ended: waiting for a child that has it would close it.
    let lifeline = child.stdin.take();
    let before = orders.borrow().restarts;
    let stop = tokio::select! {
        outcome = child.wait() => return End::Itself(outcome),
        ordered = orders.wait_for(|orders| orders.stop || orders.restarts != before) => {
            // An error: whoever could order is gone, and the part with it.
            ordered.map_or(true, |orders| orders.stop)
        }
    };
    let leave = orders.borrow().leave;
    let _lifeline = lifeline.filter(|_| !leave);
    end(child, specification, leave).await;
    if stop { End::Stop } else { End::Restart }
}

/// What a part of this name does.
fn kind(name: &str) -> PartKind {
    match name {
        crate::plan::BROKER => PartKind::Broker,
        crate::plan::INGEST => PartKind::Ingest,
        crate::plan::SERVE => PartKind::Serve,
        _ => PartKind::Devices,
    }
}

fn say(status: &Mutex<Status>, problem: String) {
    let mut status = lock(status);
    (status.says, status.says_at_ms) = (Some(problem), Some(now_ms()));
}

fn set(status: &Mutex<Status>, state: State, pid: Option<u32>) {
    let mut status = lock(status);
    if status.state != state {
        status.since_ms = now_ms();
    }
    status.state = state;
    status.pid = pid;
}

fn spawn(
    specification: &Specification,
    status: &Arc<Mutex<Status>>,
    show: Show,
    repeats: &Repeats,
) -> std::io::Result<Child> {
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
    let says = || {
        let status = Arc::clone(status);
        move |problem: &str| say(&status, problem.to_owned())
    };
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(logs::follow(name.clone(), stdout, path.clone(), show, repeats.clone(), says()));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(logs::follow(name.clone(), stderr, path.clone(), show, repeats.clone(), says()));
    }
    Ok(child)
}

/// Asks a child to stop, unless the end of its standard input has, and kills it when it does not.
async fn end(child: &mut Child, specification: &Specification, was_asked: bool) {
    if let Some(pid) = child.id() {
        // A part that the operator has paused must hear the request, too.
        let _ = send(pid, Signal::CONT);
        let _ = was_asked || send(pid, Signal::TERM);
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
mod tests;
