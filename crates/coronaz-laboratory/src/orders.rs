//! What an operator asks for, carried out.

use std::time::{Duration, Instant};

use coronaz_wire::control::{Answer, Overview, PartKind, Reason, Refusal, Request};
use rustix::process::Signal;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    Laboratory,
    part::{Part, State, Status},
    plan::{People, SERVE},
};

/// A part that refuses its arguments does so at once; whoever starts a run is told, if it is within this time.
const REFUSAL_WITHIN: Duration = Duration::from_millis(700);
/// The server that asks for its own end is left so long to say that it asked.
const LAST_WORDS: Duration = Duration::from_millis(150);

/// What is done with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Kill,
    Pause,
    Resume,
    Restart,
}

impl Laboratory {
    /// Carries out what was asked for. The answer is sent now or, where something has to be seen first, soon.
    /// [`Request::Stop`] is for whoever holds the laboratory; here it is only acknowledged.
    pub fn carry_out(&mut self, request: Request, answer: oneshot::Sender<Answer>) {
        let answered = match request {
            Request::StartRun(order) => return self.answer_started(|this| this.start_run(&order), answer),
            Request::ForkRun(order) => return self.answer_started(|this| this.fork_run(&order), answer),
            Request::Add { safe, infected, run } => self
                .add(People { safe, infected }, run)
                .map(|()| format!("added {safe} safe and {infected} infected"))
                .map(Answer::Done),
            Request::Status => Ok(Answer::Parts(self.measured())),
            Request::Overview => Ok(Answer::Overview(self.overview())),
            Request::Kill { part } => self.act(&part, Act::Kill),
            Request::Pause { part } => self.act(&part, Act::Pause),
            Request::Resume { part } => self.act(&part, Act::Resume),
            Request::Restart { part } => self.act(&part, Act::Restart),
            Request::StopRun { run } => self.stop_run(run).map(|()| Answer::Done(format!("stopping {run}"))),
            Request::ForgetRun { run } => {
                self.forget_run(run).map(|()| Answer::Done(format!("forgot {run}")))
            }
            Request::StartAudit { run } => self.start_audit(run),
            Request::Audit => Ok(Answer::Audit(self.jobs.audit())),
            Request::StartChaos(order) => self.start_chaos(&order),
            Request::Chaos => Ok(Answer::Chaos(self.jobs.chaos())),
            Request::StopChaos => self.jobs.stop_chaos(),
            Request::Stop => Ok(Answer::Done("stopping".to_owned())),
        };
        // The asker may have gone.
        let _ = answer.send(answered.unwrap_or_else(Answer::from));
    }

    /// All that the operator sees.
    #[must_use]
    pub fn overview(&mut self) -> Overview {
        self.look();
        let written_records = *self.written.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Overview {
            parts: self.measured(),
            runs: self.register.runs().cloned().collect(),
            own_broker: self.plan.broker.is_none(),
            own_store: self.plan.store.is_none(),
            written_records,
        }
    }

    /// How every part is, with what it takes of the machine.
    fn measured(&self) -> Vec<Status> {
        let servers = self.servers.iter().map(Part::measured);
        let of_run = |run: Uuid| move |part: &Part| Status { run: Some(run), ..part.measured() };
        let played = self.played.iter();
        let played =
            played.flat_map(|played| played.parts.iter().map(|(_, part)| part).map(of_run(played.run)));
        servers.chain(played).collect()
    }

    fn act(&mut self, name: &str, act: Act) -> Result<Answer, Refusal> {
        let known = self.status().into_iter().map(|status| status.name).collect::<Vec<_>>().join(", ");
        let part = self.part_mut(name).ok_or_else(|| {
            Refusal::new(Reason::Unknown, format!("there is no part {name:?}; there are: {known}"))
        })?;
        let status = part.measured();
        // What its people know is in the spool; asked to end, they would die with a last message and not come back.
        let by_killing = status.kind == PartKind::Devices && status.pid.is_some();
        let (word, signal) = match act {
            Act::Kill => ("killed", Signal::KILL),
            Act::Pause => ("paused", Signal::STOP),
            Act::Resume => ("resumed", Signal::CONT),
            Act::Restart if by_killing => ("restarted", Signal::KILL),
            Act::Restart if matches!(status.state, State::Finished | State::Stopped) => {
                return Err(Refusal::new(Reason::Conflict, format!("the part {name:?} has done its work")));
            }
            Act::Restart => {
                self.restart(name);
                return Ok(Answer::Done(format!("restarted {name}")));
            }
        };
        let Some(pid) = status.pid else {
            return Err(Refusal::new(Reason::Conflict, format!("the part {name:?} does not run now")));
        };
        if act == Act::Kill && name == SERVE {
            tokio::spawn(async move {
                tokio::time::sleep(LAST_WORDS).await;
                // It may have ended by itself.
                let _ = crate::part::send(pid, Signal::KILL);
            });
        } else if !part.signal(signal) {
            return Err(Refusal::new(Reason::Conflict, format!("the part {name:?} does not run now")));
        }
        Ok(Answer::Done(format!("{word} {name}")))
    }

    fn part_mut(&mut self, name: &str) -> Option<&mut Part> {
        let played = self.played.iter_mut().flat_map(|played| &mut played.parts).map(|(_, part)| part);
        self.servers.iter_mut().chain(played).find(|part| part.status().name == name)
    }

    /// Starts a part's process anew; the server, after its last words.
    fn restart(&mut self, name: &str) {
        let Some(part) = self.part_mut(name) else { return };
        if name == SERVE {
            part.restart_after(LAST_WORDS);
        } else {
            part.restart();
        }
    }

    /// Starts a run, and answers when its part has not refused its arguments for a while.
    fn answer_started(
        &mut self,
        start: impl FnOnce(&mut Self) -> Result<Uuid, Refusal>,
        answer: oneshot::Sender<Answer>,
    ) {
        let run = match start(self) {
            Ok(run) => run,
            Err(refusal) => {
                // The asker may have gone.
                let _ = answer.send(refusal.into());
                return;
            }
        };
        let played = self.played.iter().find(|played| played.run == run);
        let seen = played.and_then(|played| played.parts.first()).map(|(_, part)| part.seen());
        tokio::spawn(async move {
            let until = Instant::now() + REFUSAL_WITHIN;
            while let Some(status) = seen.as_ref().map(|seen| seen()) {
                if status.state == State::Refused && (status.says.is_some() || Instant::now() >= until) {
                    let why = status.says.unwrap_or_else(|| format!("{} refuses its arguments", status.name));
                    let _ = answer.send(Refusal::new(Reason::Wrong, why).into());
                    return;
                }
                if Instant::now() >= until {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let _ = answer.send(Answer::Run(run));
        });
    }
}
