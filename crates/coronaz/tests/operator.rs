//! The operator's interface over HTTP, with the real laboratory behind it: runs started, joined, stopped, forked and
//! deleted while it goes on, parts killed, paused and restarted.

use std::{path::Path, time::Duration};

use coronaz_testkit::{laboratory::Laboratory, wait::wait_for};
use serde_json::{Value, json};

/// Nothing that is waited for takes longer, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Operator {
    laboratory: Laboratory,
    token: String,
}

impl Operator {
    fn start(arguments: &[&str]) -> Operator {
        let laboratory = Laboratory::start(Path::new(env!("CARGO_BIN_EXE_coronaz")), arguments);
        let token = std::fs::read_to_string(laboratory.data_dir().join("operator-token")).expect("a token");
        Operator { laboratory, token: token.trim().to_owned() }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str())];
        self.laboratory.ask(method, path, &headers, body).expect("an answer")
    }

    fn laboratory(&self) -> Option<Value> {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("authorization", bearer.as_str())];
        let (status, body) = self.laboratory.ask("GET", "/api/v1/laboratory", &headers, &Value::Null)?;
        (status == 200).then_some(body)
    }

    fn started(&self, form: &Value) -> String {
        let (status, body) = self.ask("POST", "/api/v1/runs", form);
        assert_eq!(status, 201, "{body}");
        body["run"].as_str().expect("a run").to_owned()
    }

    /// What the store has of a run, once `enough` says so.
    fn stored(&self, run: &str, what: &str, enough: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, PATIENCE, || {
            let (status, about) = self.laboratory.get(&format!("/api/v1/runs/{run}"))?;
            (status == 200 && enough(&about)).then_some(about)
        })
    }

    /// The laboratory's word for a run, once it is in this state.
    fn in_state(&self, run: &str, state: &str) -> Value {
        wait_for(&format!("{run} to be {state}"), PATIENCE, || {
            let laboratory = self.laboratory()?;
            let runs = laboratory["runs"].as_array()?;
            runs.iter().find(|known| known["run"] == *run && known["state"] == state).cloned()
        })
    }

    fn part(&self, name: &str) -> Option<Value> {
        self.laboratory()?["parts"].as_array()?.iter().find(|part| part["name"] == name).cloned()
    }
}

#[test]
fn runs_go_on_side_by_side_and_are_stopped_and_deleted_over_http() {
    let operator = Operator::start(&["--scenario=town", "--nodes=6", "--infected=1"]);
    let town = json!({"kind": "nodes", "name": "second", "scenario": "town", "people": 5, "infected": 1, "seed": 4,
        "parameters": {"field_width": 12, "field_height": 12}});
    let second = operator.started(&town);
    let moving = |about: &Value| about["moments"].as_u64() > Some(2);
    let about = operator.stored(&second, "the second run", moving);
    assert_eq!(
        (&about["name"], &about["kind"], &about["seed"]),
        (&json!("second"), &json!("nodes"), &json!(4))
    );
    assert_eq!(about["parameters"]["field_width"], 12);

    let people = json!({"run": second, "count": 3, "infected": 0});
    assert_eq!(operator.ask("POST", "/api/v1/laboratory/people", &people).0, 204);
    operator.stored(&second, "8 people", |about| about["nodes"] == 8);
    let laboratory = operator.laboratory().expect("an answer");
    let runs = laboratory["runs"].as_array().expect("runs");
    assert_eq!((runs.len(), &runs[0]["people"], &runs[0]["name"]), (2, &json!(8), &json!("second")));
    assert_eq!(operator.ask("DELETE", &format!("/api/v1/runs/{second}"), &Value::Null).0, 409);

    assert_eq!(operator.ask("POST", &format!("/api/v1/runs/{second}/stop"), &Value::Null).0, 204);
    let ended = operator.in_state(&second, "ended");
    assert_eq!(ended["why"], "the operator stopped it");
    assert_eq!(operator.ask("POST", &format!("/api/v1/runs/{second}/stop"), &Value::Null).0, 409);
    assert_eq!(operator.ask("POST", "/api/v1/laboratory/people", &people).0, 409);
    let first = runs[1]["run"].as_str().expect("a run");
    let before = operator.stored(first, "the first run", moving)["moments"].as_u64();
    operator.stored(first, "the first run to go on", |about| about["moments"].as_u64() > before);

    assert_eq!(operator.ask("DELETE", &format!("/api/v1/runs/{second}"), &Value::Null).0, 204);
    let (status, _) = operator.laboratory.get(&format!("/api/v1/runs/{second}")).expect("an answer");
    assert_eq!(status, 404);
    assert_eq!(operator.laboratory().expect("an answer")["runs"].as_array().map(Vec::len), Some(1));
    assert!(!operator.laboratory.data_dir().join("runs").join(format!("{second}.toml")).exists());
}

#[test]
fn a_fleet_is_started_and_forked_over_http_and_what_makes_no_sense_is_said_by_field() {
    let operator = Operator::start(&["--nodes=0", "--infected=0"]);
    let (status, problem) =
        operator.ask("POST", "/api/v1/runs", &json!({"kind": "fleet", "people": 0, "infected": 1}));
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("people")));

    let city = json!({"kind": "fleet", "name": "city", "scenario": "town", "people": 400, "infected": 20, "seed": 11,
        "parameters": {"field_width": 100, "field_height": 100}, "speed": 10});
    let run = operator.started(&city);
    let about = operator.stored(&run, "the fleet", |about| about["moments"].as_u64() > Some(20));
    assert_eq!((&about["kind"], &about["nodes"]), (&json!("fleet"), &json!(400)));
    let (status, problem) =
        operator.ask("POST", "/api/v1/laboratory/people", &json!({"run": run, "count": 1}));
    assert_eq!(status, 409, "{problem}");

    let fork =
        json!({"tick": 10, "name": "city, apart", "parameters": {"infection_radius": 0.5}, "speed": 10});
    let (status, body) = operator.ask("POST", &format!("/api/v1/runs/{run}/fork"), &fork);
    assert_eq!(status, 201, "{body}");
    let forked = body["run"].as_str().expect("a run").to_owned();
    let about = operator.stored(&forked, "the fork", |about| about["moments"].as_u64() > Some(15));
    assert_eq!(about["parameters"]["infection_radius"], 0.5);
    let known = operator.in_state(&forked, "running");
    assert_eq!(known["forked_from"], json!({"run": run, "tick": 10}));
    let at = |run: &str| {
        let (_, state) =
            operator.laboratory.get(&format!("/api/v1/runs/{run}/state?moment=10")).expect("an answer");
        let people = state["nodes"].as_array().expect("people").clone();
        people.into_iter().map(|person| (person["x"].clone(), person["y"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(at(&run), at(&forked), "at the tick where they part they are the same");
    let late = json!({"tick": 100_000_000});
    let (status, problem) = operator.ask("POST", &format!("/api/v1/runs/{run}/fork"), &late);
    assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("tick")));
    let (status, problem) =
        operator.ask("POST", &format!("/api/v1/runs/{forked}/fork"), &json!({"tick": 12}));
    assert_eq!(status, 409, "{problem}");
    for run in [&run, &forked] {
        assert_eq!(operator.ask("POST", &format!("/api/v1/runs/{run}/stop"), &Value::Null).0, 204);
        operator.in_state(run, "ended");
    }
}

#[test]
fn parts_are_killed_paused_and_restarted_over_http_and_the_lag_is_seen_to_grow_and_drain() {
    let operator = Operator::start(&["--scenario=town", "--nodes=30", "--infected=2"]);
    let act = |part: &str, action: &str| {
        operator.ask("POST", &format!("/api/v1/laboratory/parts/{part}/{action}"), &Value::Null).0
    };
    let pid = |part: &str| wait_for(part, PATIENCE, || operator.part(part)?["pid"].as_u64());
    for (part, action) in
        [("broker", "kill"), ("devices-1", "restart"), ("ingest", "restart"), ("serve", "kill")]
    {
        let before = pid(part);
        assert_eq!(act(part, action), 204, "{action} {part}");
        wait_for(&format!("{part} after {action}"), PATIENCE, || {
            operator.part(part)?["pid"].as_u64().filter(|now| *now != before)
        });
    }
    assert_eq!(act("ingest", "pause"), 204);
    wait_for("ingest to stand still", PATIENCE, || {
        operator.part("ingest").filter(|part| part["state"] == "paused")
    });
    let lag = || operator.laboratory()?["flows"][1]["lag_records"].as_u64();
    wait_for("records to wait", PATIENCE, || lag().filter(|lag| *lag > 100));
    assert_eq!(act("ingest", "resume"), 204);
    wait_for("records to be stored", PATIENCE, || lag().filter(|lag| *lag < 50));
    assert_eq!(act("serve", "pause"), 409);
    assert_eq!(act("nobody", "kill"), 404);
    // A visitor who asks for the same learns nothing, and changes nothing.
    let nobody = operator.laboratory.ask("POST", "/api/v1/laboratory/parts/broker/kill", &[], &Value::Null);
    assert_eq!(nobody.map(|(status, _)| status), Some(401));
}

#[test]
fn runs_go_on_after_the_laboratory_was_killed_or_stopped_and_what_has_ended_stays_ended() {
    let nobody = ["--nodes=0", "--infected=0"];
    let mut operator = Operator::start(&nobody);
    let form = |form: Value| operator.started(&form);
    let nodes = form(json!({"kind": "nodes", "people": 3, "infected": 1}));
    let city = json!({"kind": "fleet", "people": 300, "infected": 9, "seed": 11, "speed": 10,
        "parameters": {"zombie_lifetime": 0}});
    let fleet = form(city);
    let over = form(json!({"kind": "nodes", "people": 2, "infected": 0}));
    operator.stored(&fleet, "the fleet", |about| about["moments"].as_u64() > Some(20));
    let fork = json!({"tick": 10, "parameters": {"infection_radius": 0.5}, "speed": 10});
    let (status, body) = operator.ask("POST", &format!("/api/v1/runs/{fleet}/fork"), &fork);
    assert_eq!(status, 201, "{body}");
    let forked = body["run"].as_str().expect("a run").to_owned();
    assert_eq!(operator.ask("POST", &format!("/api/v1/runs/{over}/stop"), &Value::Null).0, 204);
    operator.in_state(&over, "ended");

    let going = [&nodes, &fleet, &forked];
    let moments = |about: &Value| about["moments"].as_u64().unwrap_or(0);
    for kills in [true, false] {
        let before = going.map(|run| moments(&operator.stored(run, "the run", |about| moments(about) > 12)));
        if kills {
            operator.laboratory.kill_and_start_again(&nobody);
        } else {
            operator.laboratory.stop();
            operator.laboratory.start_again(&nobody);
        }
        for (run, before) in going.iter().zip(before) {
            operator.in_state(run, "running");
            operator.stored(run, "it to go on", |about| moments(about) > before + 5);
        }
        assert_eq!(operator.in_state(&over, "ended")["why"], "the operator stopped it");
    }
    assert_eq!(operator.stored(&nodes, "the same devices", |_| true)["nodes"], 3);
    assert_eq!(operator.stored(&forked, "the fork", |_| true)["parameters"]["infection_radius"], 0.5);

    operator.laboratory.stop();
    operator.laboratory.start_again(&["--nodes=0", "--infected=0", "--new"]);
    for run in going {
        assert_eq!(operator.in_state(run, "ended")["why"], "the laboratory ended while it ran");
    }
}
