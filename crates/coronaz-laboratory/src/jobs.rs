//! Audits and schedules of faults: processes of their own, whose words are kept for whoever asks.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use coronaz_wire::{
    control::{Answer, Audit, AuditVerdict, Chaos, Fault, JobState, Reason, Refusal, StartChaos},
    wall_clock,
};
use rustix::process::Signal;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
};
use uuid::Uuid;

use crate::{
    Laboratory,
    logs::{self, Repeats, Show},
    part::send,
};

/// A verdict with its examples, or a fault, is a line; a longer one is not ours.
const LINE_BYTES_MAX: u64 = 256 * 1024;
/// Faults kept of a schedule: the first ones.
const FAULTS_MAX: usize = 2_000;

/// The newest audit and the newest schedule of faults.
#[derive(Debug, Default)]
pub struct Jobs {
    audit: Arc<Mutex<Audit>>,
    chaos: Arc<Mutex<Chaos>>,
    chaos_pid: Option<u32>,
}

/// A line of `coronaz chaos --json`.
#[derive(Debug, Deserialize)]
struct ChaosLine {
    fault: Option<Fault>,
    verdict: Option<AuditVerdict>,
}

impl Jobs {
    /// How the newest audit is.
    #[must_use]
    pub fn audit(&self) -> Audit {
        lock(&self.audit).clone()
    }

    /// How the newest schedule of faults is.
    #[must_use]
    pub fn chaos(&self) -> Chaos {
        lock(&self.chaos).clone()
    }

    /// Ends the schedule of faults that goes on.
    ///
    /// # Errors
    /// None goes on.
    pub fn stop_chaos(&mut self) -> Result<Answer, Refusal> {
        let goes_on = lock(&self.chaos).state == JobState::Running;
        match self.chaos_pid.filter(|_| goes_on) {
            Some(pid) if send(pid, Signal::TERM) => Ok(Answer::Done("ending the faults".to_owned())),
            Some(_) | None => Err(Refusal::new(Reason::Conflict, "no schedule of faults goes on")),
        }
    }
}

impl Laboratory {
    pub(crate) fn start_audit(&mut self, run: Uuid) -> Result<Answer, Refusal> {
        if lock(&self.jobs.audit).state == JobState::Running {
            return Err(Refusal::new(Reason::Conflict, "another audit goes on"));
        }
        let mut arguments = vec![
            "audit".to_owned(),
            "--with-parent".to_owned(),
            run.to_string(),
            "--json".to_owned(),
            format!("--store={}", self.plan.store_url(&self.data_dir)),
        ];
        arguments.extend(self.plan.journal.iter().map(|path| format!("--journal={}", path.display())));
        let job = self.spawn("audit", &arguments)?;
        let (state, started_ms) = (JobState::Running, Some(now_ms()));
        *lock(&self.jobs.audit) = Audit { state, run: Some(run), started_ms, ..Audit::default() };
        let (shared, words) = (Arc::clone(&self.jobs.audit), Arc::clone(&job.says));
        let heard = Arc::clone(&self.jobs.audit);
        let on_line = move |line: &str| {
            if let Ok(verdict) = serde_json::from_str(line) {
                lock(&heard).verdict = Some(verdict);
            }
        };
        tokio::spawn(async move {
            attend(job, on_line).await;
            let mut audit = lock(&shared);
            audit.ended_ms = Some(now_ms());
            audit.state = if audit.verdict.is_some() { JobState::Done } else { JobState::Failed };
            if audit.state == JobState::Failed {
                audit.why.clone_from(&lock(&words));
            }
        });
        Ok(Answer::Done(format!("auditing {run}")))
    }

    pub(crate) fn start_chaos(&mut self, order: &StartChaos) -> Result<Answer, Refusal> {
        if lock(&self.jobs.chaos).state == JobState::Running {
            return Err(Refusal::new(Reason::Conflict, "another schedule of faults goes on"));
        }
        let out = self.data_dir.path().join(format!("chaos-{}-{}", order.seed, now_ms()));
        let mut arguments = vec![
            "chaos".to_owned(),
            "--with-parent".to_owned(),
            "--json".to_owned(),
            format!("--data-dir={}", self.data_dir.path().display()),
            format!("--store={}", self.plan.store_url(&self.data_dir)),
            format!("--listen={}", self.plan.listen),
            format!("--seed={}", order.seed),
            format!("--minutes={}", order.minutes),
            format!("--out={}", out.display()),
        ];
        arguments.extend(order.scenario.iter().map(|name| format!("--scenario={name}")));
        let job = self.spawn("chaos", &arguments)?;
        self.jobs.chaos_pid = job.child.id();
        *lock(&self.jobs.chaos) = Chaos {
            state: JobState::Running,
            scenario: order.scenario.clone(),
            seed: Some(order.seed),
            started_ms: Some(now_ms()),
            ..Chaos::default()
        };
        let (shared, words) = (Arc::clone(&self.jobs.chaos), Arc::clone(&job.says));
        let heard = Arc::clone(&self.jobs.chaos);
        tokio::spawn(async move {
            let ended_by = attend(job, move |line| hear(&mut lock(&heard), line)).await;
            let mut chaos = lock(&shared);
            chaos.ended_ms = Some(now_ms());
            chaos.state = match (ended_by, chaos.verdict.is_some()) {
                (Some(_), _) => JobState::Stopped,
                (None, true) => JobState::Done,
                (None, false) => JobState::Failed,
            };
            if chaos.state == JobState::Failed {
                chaos.why.clone_from(&lock(&words));
            }
        });
        Ok(Answer::Done(format!("faults of seed {} for {} min", order.seed, order.minutes)))
    }

    fn spawn(&self, name: &str, arguments: &[String]) -> Result<Job, Refusal> {
        let mut command = Command::new(&self.plan.coronaz);
        // Its standard input is a lifeline: it ends with the laboratory.
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = command.process_group(0).kill_on_drop(true).spawn();
        let child =
            spawned.map_err(|error| Refusal::new(Reason::Failed, format!("cannot start it: {error}")))?;
        Ok(Job { name: name.to_owned(), child, log_file: self.data_dir.log_file(name), says: Arc::default() })
    }
}

struct Job {
    name: String,
    child: Child,
    log_file: PathBuf,
    /// Its last warning or error.
    says: Arc<Mutex<Option<String>>>,
}

/// Takes a job's lines until it ends; gives the signal that ended it, if one did.
async fn attend(mut job: Job, mut on_line: impl FnMut(&str)) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    let _lifeline = job.child.stdin.take();
    let says = Arc::clone(&job.says);
    let words = job.child.stderr.take().map(|stderr| {
        let says = move |problem: &str| *lock(&says) = Some(problem.to_owned());
        tokio::spawn(logs::follow(
            job.name.clone(),
            stderr,
            job.log_file.clone(),
            Show::Nothing,
            Repeats::default(),
            says,
        ))
    });
    if let Some(stdout) = job.child.stdout.take() {
        let mut lines = BufReader::new(stdout);
        loop {
            let mut line = Vec::new();
            match (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => break,
                Ok(_) => on_line(&String::from_utf8_lossy(&line)),
            }
        }
    }
    let ended = job.child.wait().await;
    if let Some(words) = words {
        // Its last words have been read, or cannot be.
        let _ = words.await;
    }
    ended.ok().and_then(|exit| exit.signal())
}

/// Takes a line of a schedule of faults: a fault that is told again has come to its end.
fn hear(chaos: &mut Chaos, line: &str) {
    let Ok(line) = serde_json::from_str::<ChaosLine>(line) else { return };
    if let Some(fault) = line.fault {
        let same = |known: &&mut Fault| {
            (known.at_ms, &known.kind, &known.part) == (fault.at_ms, &fault.kind, &fault.part)
        };
        if let Some(known) = chaos.faults.iter_mut().find(same) {
            *known = fault;
        } else if chaos.faults.len() < FAULTS_MAX {
            chaos.faults.push(fault);
        }
    }
    if let Some(verdict) = line.verdict {
        chaos.verdict = Some(verdict);
    }
}

fn now_ms() -> i64 {
    wall_clock::now_us() / 1000
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // The values are plain: they are whole even when a holder of the lock panicked.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_told_again_has_ended_and_other_words_are_passed_over() {
        let mut chaos = Chaos::default();
        hear(&mut chaos, r#"{"schedule":{"name":"random"}}"#);
        hear(&mut chaos, r#"{"fault":{"at_ms":10,"kind":"pause","part":"ingest","text":"pause ingest"}}"#);
        assert_eq!((chaos.faults.len(), chaos.faults[0].until_ms), (1, None));
        hear(&mut chaos, r#"{"fault":{"at_ms":10,"kind":"pause","part":"ingest","until_ms":900}}"#);
        hear(&mut chaos, r#"{"fault":{"at_ms":20,"kind":"kill","part":"broker"}}"#);
        hear(&mut chaos, "not JSON");
        hear(&mut chaos, r#"{"verdict":{"recorded":5,"stored":5,"lost":0}}"#);
        assert_eq!((chaos.faults.len(), chaos.faults[0].until_ms), (2, Some(900)));
        assert_eq!(chaos.verdict.map(|verdict| (verdict.stored, verdict.is_clean())), Some((5, true)));
    }
}
