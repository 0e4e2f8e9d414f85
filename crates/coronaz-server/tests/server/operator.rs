//! The operator's part: who is let in, what is asked of the laboratory, and what comes back.

use coronaz_server::{Config, Limits};
use coronaz_wire::{
    Scenario, Setting,
    announcement::RunKind,
    control::{Answer, Audit, Chaos, JobState, Origin, Reason, Refusal, Request, Run, RunState, StartChaos},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    fake::Fake,
    http::{self, Answer as Response},
    stage::{Stage, node, run},
};

const TOKEN: &str = "a-token-for-tests-alone";

fn config(fake: &Fake) -> Config {
    Config {
        token: Some(TOKEN.parse().expect("a token")),
        control: Some(fake.socket.clone()),
        // Wrong tokens are no test of patience here.
        limits: Limits { sign_in_failures_free: u32::MAX / 2, ..Limits::default() },
        scenarios: vec![Scenario::parse("name = \"town\"\nnodes = 94\ninfected = 6\n").expect("a scenario")],
        ..Config::default()
    }
}

/// Asks as the operator.
async fn ask(stage: &Stage, method: &str, path: &str, body: &str) -> Response {
    let (bearer, length) = (format!("Bearer {TOKEN}"), body.len().to_string());
    let mut headers = vec![("authorization", bearer.as_str())];
    if !body.is_empty() {
        headers.extend([("content-type", "application/json"), ("content-length", length.as_str())]);
    }
    http::send(stage.address, method, path, &headers, body).await
}

fn played(state: RunState) -> Run {
    Run {
        run: run(1),
        name: "town".to_owned(),
        kind: RunKind::Fleet,
        people: 100,
        infected: 6,
        seed: 7,
        state,
        parts: vec!["fleet-1".to_owned()],
        started_ms: 10,
        ended_ms: None,
        forked_from: Some(Origin { run: run(2), tick: 3 }),
        why: None,
    }
}

/// Every path and method of the description, filled in; and whether it is the operator's.
fn operations() -> Vec<(String, String, bool)> {
    let description: Value = serde_json::from_str(&coronaz_server::openapi()).expect("JSON");
    let paths = description["paths"].as_object().expect("paths").clone();
    let mut operations = Vec::new();
    for (path, methods) in paths {
        let path = path.replace("{run}", &run(1).to_string()).replace("{id}", &node(1).to_string());
        let path = path.replace("{name}", "broker").replace("{action}", "kill").replace("{table}", "nodes");
        for (method, operation) in methods.as_object().expect("methods") {
            operations.push((method.to_uppercase(), path.clone(), operation.get("security").is_some()));
        }
    }
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changes_and_no_part_is_told_without_the_operator() {
    let fake = Fake::open();
    let stage = Stage::open_with(config(&fake)).await;
    let closed = Stage::open().await;
    let mut changes = 0;
    for (method, path, is_operators) in operations() {
        assert!(is_operators || method == "GET", "{method} {path} changes something and is open");
        if !is_operators {
            continue;
        }
        let what = format!("{method} {path}");
        http::send(stage.address, &method, &path, &[], "").await.problem(401);
        for wrong in ["Bearer a-token-for-tests-alon", "Basic a-token-for-tests-alone"] {
            let refused = http::send(stage.address, &method, &path, &[("authorization", wrong)], "").await;
            assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"), "{what}");
        }
        let open = http::send(closed.address, &method, &path, &[], "").await;
        assert!(open.problem(403).contains("--token-file"), "{what}");
        if method == "GET" {
            continue;
        }
        changes += 1;
        let bearer = format!("Bearer {TOKEN}");
        let own = format!("http://{}", stage.address);
        for headers in [
            [("authorization", bearer.as_str()), ("origin", "http://evil.example")],
            [("authorization", bearer.as_str()), ("origin", "http://localhost:1")],
            [("authorization", bearer.as_str()), ("origin", "null")],
            [("authorization", bearer.as_str()), ("sec-fetch-site", "cross-site")],
        ] {
            http::send(stage.address, &method, &path, &headers, "").await.problem(403);
        }
        let headers = [("authorization", bearer.as_str()), ("origin", own.as_str())];
        let allowed = http::send(stage.address, &method, &path, &headers, "").await;
        assert!(allowed.status != 401 && allowed.status != 403, "{what}: {}", allowed.status);
    }
    assert!(changes >= 10, "{changes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_changes_something_from_this_servers_own_page_alone() {
    let fake = Fake::open();
    let stage = Stage::open_with(config(&fake)).await;
    fake.says(Answer::Done("killed broker".to_owned()));
    let form = format!("token={TOKEN}");
    let cookie = http::form(stage.address, "/login", &[], &form).await.cookie();
    let own = format!("http://{}", stage.address);
    let kill = async |headers: &[(&str, &str)]| {
        let path = "/api/v1/laboratory/parts/broker/kill";
        http::send(stage.address, "POST", path, &[&[("cookie", cookie.as_str())], headers].concat(), "").await
    };
    assert_eq!(kill(&[("origin", &own)]).await.status, 204);
    kill(&[]).await.problem(403);
    kill(&[("origin", "http://localhost:3001")]).await.problem(403);
    assert_eq!(fake.asked(), [Request::Kill { part: "broker".to_owned() }]);
    let session = stage.get_with("/api/v1/session", &[("cookie", &cookie)]).await.json();
    assert_eq!(session, json!({"operator": true, "can_sign_in": true, "laboratory": true}));
    assert_eq!(stage.get("/api/v1/session").await.json()["operator"], false);
    let out = ask(&stage, "DELETE", "/api/v1/session", "").await;
    assert!(out.status == 204 && out.header("set-cookie").contains("Max-Age=0"));
    let closed = Stage::open().await.get("/api/v1/session").await.json();
    assert_eq!(closed, json!({"operator": false, "can_sign_in": false, "laboratory": false}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_parts_flows_and_runs_and_a_visitor_never_does() {
    let fake = Fake::open();
    let stage = Stage::open_with(config(&fake)).await;
    fake.state.lock().expect("nobody panicked").runs = vec![played(RunState::Running)];
    let seen = ask(&stage, "GET", "/api/v1/laboratory", "").await.json();
    let names: Vec<_> =
        seen["parts"].as_array().expect("parts").iter().map(|part| part["name"].clone()).collect();
    assert_eq!(names, ["broker", "store", "serve"]);
    let broker = &seen["parts"][0];
    assert_eq!(
        (&broker["state"], &broker["pid"], &broker["memory_bytes"]),
        (&json!("running"), &json!(77), &json!(1 << 20))
    );
    assert_eq!(
        (&broker["says"], &broker["says_at_ms"]),
        (&json!("the disk of database-7 is full"), &json!(4))
    );
    assert_eq!(broker["actions"], json!(["kill", "pause", "restart"]));
    assert_eq!(
        seen["parts"][2]["actions"],
        json!(["kill", "restart"]),
        "a page does not pause its own server"
    );
    let flows: Vec<_> =
        seen["flows"].as_array().expect("flows").iter().map(|flow| flow["from"].clone()).collect();
    assert_eq!(flows, ["devices", "broker", "ingest", "store"]);
    assert_eq!(seen["runs"][0]["forked_from"], json!({"run": run(2), "tick": 3}));
    // Records wait although nobody is there to count them.
    fake.state.lock().expect("nobody panicked").written = Some(12);
    let seen = ask(&stage, "GET", "/api/v1/laboratory", "").await.json();
    assert_eq!(seen["flows"][1]["lag_records"], 12);
    stage.switch.take_away(true);
    let away = ask(&stage, "GET", "/api/v1/laboratory", "").await.json();
    assert_eq!(away["parts"][1]["state"], "waiting");
    let visitor = stage.get("/api/v1/runs").await;
    assert!(visitor.status == 503 && !visitor.text().contains("database-7"), "{}", visitor.text());
    ask(&stage, "POST", "/api/v1/laboratory/parts/serve/pause", "").await.problem(409);
    ask(&stage, "POST", "/api/v1/laboratory/parts/serve/burn", "").await.problem(400);
    assert!(fake.asked().is_empty());
    drop(fake);
    ask(&stage, "GET", "/api/v1/laboratory", "").await.problem(503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_made_of_the_models_table_and_checked_by_it() {
    let fake = Fake::open();
    let stage = Stage::open_with(config(&fake)).await;
    let form = ask(&stage, "GET", "/api/v1/scenarios", "").await.json();
    assert_eq!(
        (&form["scenarios"][0]["name"], &form["scenarios"][0]["people"]),
        (&json!("town"), &json!(100))
    );
    let radius =
        form["parameters"].as_array().expect("parameters").iter().find(|p| p["name"] == "infection_radius");
    let radius = radius.expect("a parameter");
    assert_eq!(
        (&radius["kind"], &radius["unit"], &radius["default"], &radius["max"]),
        (&json!("real"), &json!("units"), &json!(2.0), &json!(1000.0))
    );
    assert_eq!(form["people"]["nodes"]["max"], 10_000.0);

    fake.says(Answer::Run(run(9)));
    let good = r#"{"kind":"fleet","scenario":"town","people":50,"infected":2,"parameters":{"infection_radius":3},"speed":"max"}"#;
    let started = ask(&stage, "POST", "/api/v1/runs", good).await;
    assert_eq!((started.status, started.json()), (201, json!({"run": run(9)})));
    assert_eq!(started.header("location"), format!("/api/v1/runs/{}", run(9)));
    let asked = fake.asked();
    let [Request::StartRun(order)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((order.kind, order.speed.as_deref()), (RunKind::Fleet, Some("max")));
    let scenario = Scenario::parse(&order.scenario).expect("a scenario");
    assert_eq!((scenario.nodes, scenario.infected), (48, 2));
    assert_eq!(scenario.parameters["infection_radius"], Setting::Real(3.0));

    let bad = r#"{"kind":"nodes","people":0,"infected":1,"parameters":{"fatality":2}}"#;
    let refused = ask(&stage, "POST", "/api/v1/runs", bad).await;
    refused.problem(422);
    let fields: Vec<_> = refused.json()["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(fields, ["parameters.fatality", "people", "infected"]);
    for no_form in [
        "{",
        "[]",
        r#"{"kind":"swarm","people":1,"infected":0}"#,
        r#"{"kind":"nodes","people":1,"infected":0,"x":1}"#,
    ] {
        ask(&stage, "POST", "/api/v1/runs", no_form).await.problem(400);
    }
    let bearer = format!("Bearer {TOKEN}");
    let untyped = [("authorization", bearer.as_str()), ("content-length", "2")];
    http::send(stage.address, "POST", "/api/v1/runs", &untyped, "{}").await.problem(415);
    assert!(fake.asked().is_empty(), "what is wrong does not reach the laboratory");
    fake.says(Refusal::new(Reason::Conflict, "16 runs go on already").into());
    assert!(ask(&stage, "POST", "/api/v1/runs", good).await.problem(409).contains("16 runs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_join_runs_stop_and_faults_and_audits_go_through() {
    let fake = Fake::open();
    let mut stage = Stage::open_with(config(&fake)).await;
    stage.desk.announce(1);
    fake.says(Answer::Done("done".to_owned()));
    let people = format!(r#"{{"run":"{}","count":5,"infected":2}}"#, run(1));
    assert_eq!(ask(&stage, "POST", "/api/v1/laboratory/people", &people).await.status, 204);
    let too_many = people.replace("\"infected\":2", "\"infected\":6");
    ask(&stage, "POST", "/api/v1/laboratory/people", &too_many).await.problem(422);
    let stop = format!("/api/v1/runs/{}/stop", run(1));
    assert_eq!(ask(&stage, "POST", &stop, "").await.status, 204);
    let audit = format!(r#"{{"run":"{}"}}"#, run(1));
    assert_eq!(ask(&stage, "POST", "/api/v1/laboratory/audit", &audit).await.status, 202);
    let unknown = format!(r#"{{"run":"{}"}}"#, Uuid::from_u128(5));
    ask(&stage, "POST", "/api/v1/laboratory/audit", &unknown).await.problem(404);
    let chaos = r#"{"scenario":"paper","seed":3,"minutes":2}"#;
    assert_eq!(ask(&stage, "POST", "/api/v1/laboratory/chaos", chaos).await.status, 202);
    for wrong in
        [r#"{"minutes":0}"#, r#"{"minutes":1,"scenario":"../x"}"#, r#"{"minutes":1,"scenario":"--out"}"#]
    {
        ask(&stage, "POST", "/api/v1/laboratory/chaos", wrong).await.problem(422);
    }
    assert_eq!(ask(&stage, "DELETE", "/api/v1/laboratory/chaos", "").await.status, 204);
    let paper = StartChaos { scenario: Some("paper".to_owned()), seed: 3, minutes: 2 };
    assert_eq!(
        fake.asked(),
        [
            Request::Add { safe: 3, infected: 2, run: Some(run(1)) },
            Request::StopRun { run: run(1) },
            Request::StartAudit { run: run(1) },
            Request::StartChaos(paper),
            Request::StopChaos,
        ]
    );
    let verdict = serde_json::from_str(r#"{"recorded":5,"stored":4,"lost":1}"#).expect("a verdict");
    fake.says(Answer::Audit(Audit { state: JobState::Done, verdict: Some(verdict), ..Audit::default() }));
    let found = ask(&stage, "GET", "/api/v1/laboratory/audit", "").await.json();
    assert_eq!(
        (&found["state"], &found["verdict"]["lost"], &found["verdict"]["ok"]),
        (&json!("done"), &json!(1), &json!(false))
    );
    fake.says(Answer::Chaos(Chaos::default()));
    let none = ask(&stage, "GET", "/api/v1/laboratory/chaos", "").await.json();
    assert_eq!(none, json!({"state": "none", "faults": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_on_is_not_deleted_and_one_that_ended_is_gone() {
    let fake = Fake::open();
    let mut stage = Stage::open_with(config(&fake)).await;
    stage.desk.announce(1);
    fake.says(Answer::Done("forgot".to_owned()));
    let path = format!("/api/v1/runs/{}", run(1));
    fake.state.lock().expect("nobody panicked").runs = vec![played(RunState::Running)];
    ask(&stage, "DELETE", &path, "").await.problem(409);
    assert_eq!(stage.get(&path).await.status, 200);
    fake.state.lock().expect("nobody panicked").runs = vec![played(RunState::Ended)];
    assert_eq!(ask(&stage, "DELETE", &path, "").await.status, 204);
    stage.get(&path).await.problem(404);
    assert_eq!(fake.asked(), [Request::ForgetRun { run: run(1) }]);
    fake.state.lock().expect("nobody panicked").runs = Vec::new();
    ask(&stage, "DELETE", &path, "").await.problem(404);
    // Devices with a radio cannot be computed again; what was never there neither.
    stage.desk.announce(2);
    let fork = |number: u128| format!("/api/v1/runs/{}/fork", run(number));
    assert!(ask(&stage, "POST", &fork(2), r#"{"tick":0}"#).await.problem(409).contains("fleet"));
    ask(&stage, "POST", &fork(3), r#"{"tick":0}"#).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_open_to_readers_as_csv() {
    let stage = Stage::open_with_a_story().await;
    for (table, rows) in
        [("statistics", 3), ("contacts", 2), ("nodes", 2), ("infections", 1), ("encounters", 1)]
    {
        let file = stage.get(&format!("/api/v1/runs/{}/export/{table}.csv", run(1))).await;
        assert_eq!(file.status, 200, "{table}: {}", file.text());
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        assert!(file.header("content-disposition").contains(&format!("{table}-{}.csv", run(1))));
        assert_eq!(file.text().lines().count(), rows + 1, "{table}: {}", file.text());
        // A browser asks for it compressed; the last four bytes say how long it is.
        let path = format!("/api/v1/runs/{}/export/{table}.csv", run(1));
        let zipped = stage.get_with(&path, &[("accept-encoding", "gzip")]).await;
        assert_eq!(zipped.header("content-encoding"), "gzip");
        let length = zipped.body.last_chunk().map(|&last| u32::from_le_bytes(last) as usize);
        assert_eq!(length, Some(file.body.len()), "{table}");
    }
    stage.get(&format!("/api/v1/runs/{}/export/people.csv", run(1))).await.problem(404);
    stage.get(&format!("/api/v1/runs/{}/export/nodes", run(1))).await.problem(404);
    stage.get(&format!("/api/v1/runs/{}/export/nodes.csv", run(7))).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_given_newest_first_and_infections_by_infector() {
    let stage = Stage::open_with_a_story().await;
    let contacts = format!("/api/v1/runs/{}/nodes/{}/contacts", run(1), node(1));
    let oldest = stage.get(&contacts).await.json()["contacts"].clone();
    let newest = stage.get(&format!("{contacts}?order=newest&limit=1")).await.json();
    assert_eq!(newest["contacts"][0], oldest[1]);
    let next = newest["next"].as_str().expect("there is more").to_owned();
    let before = stage.get(&format!("{contacts}?order=newest&after={next}")).await.json();
    assert_eq!((&before["contacts"][0], &before["next"]), (&oldest[0], &Value::Null));
    stage.get(&format!("{contacts}?order=random")).await.problem(400);
    let encounters = contacts.replace("/contacts", "/encounters?order=newest");
    assert_eq!(stage.get(&encounters).await.json()["encounters"].as_array().map(Vec::len), Some(1));
    let by = format!("/api/v1/runs/{}/infections?infector={}", run(1), node(1));
    assert_eq!(stage.get(&by).await.json(), json!({"infections": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_its_name_is_known_and_needs_the_token() {
    let fake = Fake::open();
    let config = Config { allow_hosts: vec!["laboratory.example".to_owned()], ..config(&fake) };
    let stage = Stage::open_with(config).await;
    stage.get_with("/api/v1/runs", &[("host", "laboratory.example")]).await.problem(401);
    stage.get_with("/api/v1/runs", &[("host", "evil.example")]).await.problem(421);
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("host", "laboratory.example:443"), ("authorization", bearer.as_str())];
    assert_eq!(stage.get_with("/api/v1/runs", &headers).await.status, 200);
    assert_eq!(stage.get("/api/v1/runs").await.status, 200, "this machine reads as before");
}
