//! The control socket's questions and answers, as they stand on the wire.

use std::collections::BTreeMap;

use coronaz_wire::{
    DecodeError, Setting,
    announcement::RunKind,
    control::{
        Answer, Audit, AuditVerdict, Chaos, Fault, ForkRun, JobState, Origin, Overview, Part, PartKind,
        PartState, REQUEST_BYTES_MAX, Reason, Refusal, Request, Run, RunState, StartChaos, StartRun,
    },
};
use uuid::Uuid;

const RUN: Uuid = Uuid::from_u128(0x1111_0000_0000_4000_8000_0000_0000_0001);

fn requests() -> Vec<Request> {
    let part = || "ingest".to_owned();
    let fork = ForkRun {
        from: RUN,
        scenario: "name = \"town\"\n".to_owned(),
        tick: 60,
        changes: BTreeMap::from([("infection_radius".to_owned(), Setting::Real(1.5))]),
        name: Some("masks".to_owned()),
        seed: None,
        speed: Some("max".to_owned()),
    };
    vec![
        Request::Add { safe: 3, infected: 1, run: Some(RUN) },
        Request::Status,
        Request::Overview,
        Request::Kill { part: part() },
        Request::Pause { part: part() },
        Request::Resume { part: part() },
        Request::Restart { part: part() },
        Request::StartRun(StartRun {
            kind: RunKind::Fleet,
            scenario: "name = \"a\"".to_owned(),
            speed: None,
        }),
        Request::StopRun { run: RUN },
        Request::ForkRun(fork),
        Request::ForgetRun { run: RUN },
        Request::StartAudit { run: RUN },
        Request::Audit,
        Request::StartChaos(StartChaos { scenario: None, seed: 7, minutes: 3 }),
        Request::Chaos,
        Request::StopChaos,
        Request::Stop,
    ]
}

fn overview() -> Overview {
    let part = Part {
        name: "fleet-2".to_owned(),
        kind: PartKind::Devices,
        state: PartState::Paused,
        since_ms: 1_606_925_945_123,
        pid: Some(77),
        restarts: 2,
        address: Some("127.0.0.1:9092".to_owned()),
        run: Some(RUN),
        memory_bytes: Some(1 << 20),
        cpu_seconds: Some(1.25),
        read_bytes: Some(300),
        written_bytes: Some(20),
        says: Some("the broker is away".to_owned()),
        says_at_ms: Some(1_606_925_945_100),
    };
    let run = Run {
        run: RUN,
        name: "town".to_owned(),
        kind: RunKind::Fleet,
        people: 100,
        infected: 6,
        seed: u64::MAX,
        state: RunState::Running,
        parts: vec!["fleet-2".to_owned()],
        started_ms: 1_606_925_945_000,
        ended_ms: None,
        forked_from: Some(Origin { run: RUN, tick: 60 }),
        why: None,
    };
    Overview {
        parts: vec![part],
        runs: vec![run],
        own_broker: true,
        own_store: false,
        written_records: Some(5),
    }
}

fn answers() -> Vec<Answer> {
    let verdict = AuditVerdict { recorded: 9, stored: 8, late: Some(1), ..AuditVerdict::default() };
    let fault = Fault { at_ms: 10, kind: "kill".to_owned(), part: "broker".to_owned(), until_ms: None };
    vec![
        Answer::Done("added 3 safe and 1 infected".to_owned()),
        Answer::Parts(overview().parts),
        Answer::Overview(overview()),
        Answer::Run(RUN),
        Answer::Audit(Audit {
            state: JobState::Done,
            run: Some(RUN),
            verdict: Some(verdict),
            ..Audit::default()
        }),
        Answer::Chaos(Chaos {
            state: JobState::Running,
            seed: Some(7),
            faults: vec![fault],
            ..Chaos::default()
        }),
        Answer::Refused(Refusal::new(Reason::Conflict, "it runs")),
    ]
}

#[test]
fn questions_and_answers_come_back_as_they_went_each_in_one_line() {
    for request in requests() {
        let line = request.encode();
        assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1, "{request:?}");
        assert_eq!(Request::decode(&line).expect("its own line"), request);
    }
    for answer in answers() {
        let line = answer.encode();
        assert_eq!(line.iter().filter(|&&byte| byte == b'\n').count(), 1, "{answer:?}");
        assert_eq!(Answer::decode(&line).expect("its own line"), answer);
    }
}

#[test]
fn a_question_says_what_to_do_by_one_word() {
    let read = |text: &str| Request::decode(text.as_bytes()).map_err(|error| error.to_string());
    assert_eq!(read(r#"{"do":"status"}"#), Ok(Request::Status));
    assert_eq!(
        read(r#"{"do":"add","safe":1,"infected":0}"#),
        Ok(Request::Add { safe: 1, infected: 0, run: None })
    );
    assert_eq!(read(r#"{"do":"kill","part":"broker"}"#), Ok(Request::Kill { part: "broker".to_owned() }));
    let unknown = read(r#"{"do":"burn"}"#).expect_err("no such word");
    assert!(unknown.contains("burn") && unknown.contains("start_run"), "{unknown}");
}

#[test]
fn a_scenario_of_the_longest_size_fits_into_a_question_and_more_is_refused_unread() {
    let scenario = "\"".repeat(coronaz_wire::scenario::SCENARIO_BYTES_MAX);
    let request = Request::StartRun(StartRun { kind: RunKind::Nodes, scenario, speed: None });
    assert_eq!(Request::decode(&request.encode()).expect("within the limit"), request);
    let long = vec![b' '; REQUEST_BYTES_MAX + 1];
    assert!(matches!(Request::decode(&long), Err(DecodeError::TooLong { .. })));
}

#[test]
fn a_verdict_of_an_auditor_who_says_less_is_read_and_losses_are_not_clean() {
    let verdict: AuditVerdict =
        serde_json::from_str(r#"{"recorded":4,"stored":4,"rest":1,"late":null}"#).expect("a verdict");
    assert!(verdict.is_clean());
    for broken in [
        AuditVerdict { lost: 1, ..verdict.clone() },
        AuditVerdict { doubled: 1, ..verdict.clone() },
        AuditVerdict { wrong: 1, ..verdict.clone() },
        AuditVerdict { unknown: 1, ..verdict.clone() },
    ] {
        assert!(!broken.is_clean(), "{broken:?}");
    }
    assert!(AuditVerdict { late: Some(5), ..verdict }.is_clean());
}
