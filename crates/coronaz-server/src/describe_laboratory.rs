//! What the laboratory answers, in the words of `/api/v1`.

use coronaz_wire::control;

use crate::rest::{
    jobs::{Audit, Chaos, Fault, JobState, Verdict},
    operator::{Action, LaboratoryPart, LaboratoryRun, Origin, PartState, RunState, Station},
};

/// A part of the laboratory's.
pub(crate) fn part(part: &control::Part) -> LaboratoryPart {
    let state = state(part.state);
    let mut actions = actions(state);
    // A page that has paused its own server could not let it go on.
    actions.retain(|action| !(part.kind == control::PartKind::Serve && *action == Action::Pause));
    LaboratoryPart {
        name: part.name.clone(),
        kind: match part.kind {
            control::PartKind::Devices => Station::Devices,
            control::PartKind::Broker => Station::Broker,
            control::PartKind::Ingest => Station::Ingest,
            control::PartKind::Serve => Station::Serve,
        },
        state,
        actions,
        pid: part.pid,
        restarts: part.restarts,
        address: part.address.clone(),
        since_ms: Some(part.since_ms),
        run: part.run,
        memory_bytes: part.memory_bytes,
        cpu_seconds: part.cpu_seconds,
        says: part.says.clone(),
        says_at_ms: part.says_at_ms,
    }
}

/// A station that is no process of the laboratory's.
pub(crate) fn foreign(name: &str, kind: Station, state: PartState) -> LaboratoryPart {
    LaboratoryPart {
        name: name.to_owned(),
        kind,
        state,
        actions: Vec::new(),
        pid: None,
        restarts: 0,
        address: None,
        since_ms: None,
        run: None,
        memory_bytes: None,
        cpu_seconds: None,
        says: None,
        says_at_ms: None,
    }
}

fn state(state: control::PartState) -> PartState {
    match state {
        control::PartState::Running => PartState::Running,
        control::PartState::Paused => PartState::Paused,
        control::PartState::Restarting => PartState::Waiting,
        control::PartState::Refused => PartState::Refused,
        control::PartState::Finished => PartState::Finished,
        control::PartState::Stopped => PartState::Stopped,
    }
}

/// What can be done with a part in this state.
fn actions(state: PartState) -> Vec<Action> {
    match state {
        PartState::Running => vec![Action::Kill, Action::Pause, Action::Restart],
        PartState::Paused => vec![Action::Kill, Action::Resume, Action::Restart],
        PartState::Waiting | PartState::Refused => vec![Action::Restart],
        PartState::Finished | PartState::Stopped | PartState::Elsewhere => Vec::new(),
    }
}

impl From<control::Run> for LaboratoryRun {
    fn from(run: control::Run) -> Self {
        Self {
            run: run.run,
            name: run.name,
            kind: run.kind.into(),
            people: run.people,
            infected: run.infected,
            seed: run.seed,
            state: match run.state {
                control::RunState::Running => RunState::Running,
                control::RunState::Ended => RunState::Ended,
                control::RunState::Failed => RunState::Failed,
            },
            parts: run.parts,
            started_ms: run.started_ms,
            ended_ms: run.ended_ms,
            forked_from: run.forked_from.map(|origin| Origin { run: origin.run, tick: origin.tick }),
            why: run.why,
        }
    }
}

impl From<control::JobState> for JobState {
    fn from(state: control::JobState) -> Self {
        match state {
            control::JobState::None => JobState::None,
            control::JobState::Running => JobState::Running,
            control::JobState::Done => JobState::Done,
            control::JobState::Stopped => JobState::Stopped,
            control::JobState::Failed => JobState::Failed,
        }
    }
}

impl From<control::AuditVerdict> for Verdict {
    fn from(verdict: control::AuditVerdict) -> Self {
        let ok = verdict.is_clean();
        let control::AuditVerdict { recorded, stored, lost, doubled, wrong, unknown, .. } = verdict;
        let control::AuditVerdict { waiting, late, unchecked, examples, .. } = verdict;
        Self { recorded, stored, lost, doubled, wrong, unknown, waiting, late, unchecked, examples, ok }
    }
}

impl From<control::Audit> for Audit {
    fn from(audit: control::Audit) -> Self {
        Self {
            state: audit.state.into(),
            run: audit.run,
            started_ms: audit.started_ms,
            ended_ms: audit.ended_ms,
            verdict: audit.verdict.map(Verdict::from),
            why: audit.why,
        }
    }
}

/// A schedule of faults, at this time.
pub(crate) fn chaos(chaos: control::Chaos, now_ms: i64) -> Chaos {
    let until_ms = chaos.ended_ms.unwrap_or(now_ms);
    Chaos {
        state: chaos.state.into(),
        scenario: chaos.scenario,
        seed: chaos.seed,
        started_ms: chaos.started_ms,
        elapsed_ms: chaos.started_ms.map(|started_ms| until_ms.saturating_sub(started_ms).max(0)),
        faults: chaos.faults.into_iter().map(Fault::from).collect(),
        verdict: chaos.verdict.map(Verdict::from),
        why: chaos.why,
    }
}

impl From<control::Fault> for Fault {
    fn from(fault: control::Fault) -> Self {
        let control::Fault { at_ms, kind, part, until_ms } = fault;
        Self { at_ms, kind, part, until_ms }
    }
}
