//! `/api/v1`: each route, and each problem.

use std::time::Duration;

use coronaz_store::Health;
use coronaz_wire::{Report, page_frame};
use serde_json::json;

use crate::{
    http,
    stage::{START_US, Stage, contact, eventually, limits, node, report, run},
};

const START_MS: i64 = START_US / 1000;

fn path(rest: &str) -> String {
    format!("/api/v1/runs/{}{rest}", run(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_listed_newest_first_with_all_parameters() {
    let mut stage = Stage::open_with_a_story().await;
    stage.desk.announce(2);
    let runs = stage.get("/api/v1/runs").await.json();
    let ids: Vec<_> = runs["runs"].as_array().expect("runs").iter().map(|run| run["id"].clone()).collect();
    assert_eq!(ids, [json!(run(2)), json!(run(1))]);
    let first = stage.get(&path("")).await.json();
    assert_eq!(first, runs["runs"][1]);
    assert_eq!(
        (&first["name"], &first["kind"], &first["seed"]),
        (&json!("run 1"), &json!("nodes"), &json!(7))
    );
    assert_eq!((&first["moments"], &first["nodes"], &first["contacts"]), (&json!(3), &json!(2), &json!(2)));
    assert_eq!(first["last_ms"], START_MS + 3000);
    // Announced ones, and the paper's for the rest.
    assert_eq!(first["parameters"]["field_width"], 200);
    assert_eq!(first["parameters"]["field_height"], 100);
    assert_eq!(first["parameters"]["infection_radius"], 4.5);
    assert_eq!(first["parameters"]["move_when_infected"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_tells_its_first_moment_and_where_it_comes_from() {
    let mut stage = Stage::open_with_a_story().await;
    stage.desk.announce_fork(2, 1, 40);
    let runs = stage.get("/api/v1/runs").await.json();
    let [fork, first] = [&runs["runs"][0], &runs["runs"][1]];
    assert_eq!(fork["first_moment"], 40);
    assert_eq!(fork["forked_from"], json!({"run": run(1), "tick": 40}));
    assert_eq!((&first["first_moment"], first.get("forked_from")), (&json!(0), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_found_by_number_by_time_and_as_the_newest() {
    let stage = Stage::open_with_a_story().await;
    let newest = stage.get(&path("/state")).await.json();
    assert_eq!(newest["moment"], 2);
    let figures = json!({"total": 2, "zombies": 0, "deaths": 1, "dead_zombies": 1, "immune": 0});
    assert_eq!(newest["figures"], figures);
    let second = json!({"slot": 1, "id": node(2), "x": 200, "y": 100, "infected": true, "immune": false, "alive": false});
    assert_eq!(newest["nodes"][1], second);
    assert_eq!(stage.get(&path("/state?moment=2")).await.json(), newest);
    let by_time = stage.get(&path(&format!("/state?time_ms={}", START_MS + 2500))).await.json();
    assert_eq!((&by_time["moment"], &by_time["time_ms"]), (&json!(1), &json!(START_MS + 2000)));
    stage.get(&path("/state?moment=3")).await.problem(404);
    stage.get(&path("/state?time_ms=0")).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_given_as_a_frame_where_that_is_asked_for() {
    let stage = Stage::open_with_a_story().await;
    let accept = [("accept", "application/vnd.coronaz.frame")];
    let answer = stage.get_with(&path("/state"), &accept).await;
    assert_eq!(answer.header("content-type"), "application/vnd.coronaz.frame");
    let (header, people) = page_frame::decode(&answer.body).expect("a frame");
    assert_eq!((header.moment, header.latest, header.figures.dead_zombies), (2, 2, 1));
    assert_eq!(header.time_ms, START_MS + 3000);
    // The field is 200 by 100, and node 1 is in the middle of it.
    assert_eq!(people[0].xy, [32768, 32768]);
    assert_eq!(people[1].xy, [65535, 65535]);
    let dead = Health { infected: true, immune: false, alive: false };
    assert_eq!(people[1].state, page_frame::state(dead.infected, dead.immune, dead.alive));
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_are_columns_with_the_first_and_the_last_moment() {
    let stage = Stage::open_with_a_story().await;
    let all = stage.get(&path("/statistics")).await.json();
    assert_eq!(all["moment"], json!([0, 1, 2]));
    assert_eq!((&all["total"], &all["deaths"]), (&json!([1, 1, 2]), &json!([0, 0, 1])));
    assert_eq!(all["contacts"], json!([0, 2, 2]));
    assert_eq!(all["time_ms"], json!([START_MS, START_MS + 2000, START_MS + 3000]));
    let few = stage.get(&path("/statistics?points=2")).await.json();
    assert_eq!(few["moment"], json!([0, 2]));
    let some = stage.get(&path("/statistics?from=1&to=1")).await.json();
    assert_eq!(some["moment"], json!([1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_by_slot_in_pages() {
    let stage = Stage::open_with_a_story().await;
    let names = stage.get(&path("/nodes")).await.json();
    assert_eq!(names, json!({"nodes": [{"slot": 0, "id": node(1)}, {"slot": 1, "id": node(2)}]}));
    let rest = stage.get(&path("/nodes?after_slot=0&limit=1")).await.json();
    assert_eq!(rest, json!({"nodes": [{"slot": 1, "id": node(2)}]}));
    let none = stage.get(&path(&format!("/nodes?after_slot={}", u32::MAX))).await.json();
    assert_eq!(none, json!({"nodes": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_its_state_and_its_infections() {
    let mut stage = Stage::open_with_a_story().await;
    let infected = Report { infected: true, infected_by: Some(node(2)), ..report(1, 4, [101, 51]) };
    stage.desk.store(vec![infected]);
    let answer = stage.get(&path(&format!("/nodes/{}", node(1)))).await.json();
    assert_eq!((&answer["slot"], &answer["x"], &answer["y"]), (&json!(0), &json!(101), &json!(51)));
    assert_eq!((&answer["infected"], &answer["alive"]), (&json!(true), &json!(true)));
    assert_eq!((&answer["first_ms"], &answer["last_ms"]), (&json!(START_MS), &json!(START_MS + 4000)));
    assert_eq!(answer["contacts_count"], 2);
    let infection = json!({"time_ms": START_MS + 4000, "infector": node(2), "x": 101, "y": 51});
    assert_eq!(answer["infections"], json!([infection]));
    let all = stage.get(&path("/infections")).await.json();
    let theirs: Vec<_> = all["infections"].as_array().expect("infections").iter().collect();
    assert!(theirs.iter().any(|i| i["infectee"] == json!(node(1)) && i["infector"] == json!(node(2))));
    // Who came infected was infected by nobody known, and then there is no such member.
    assert!(theirs.iter().any(|i| i["infectee"] == json!(node(2)) && i.get("infector").is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_and_encounters_come_by_time_in_pages() {
    let stage = Stage::open_with_a_story().await;
    let contacts = path(&format!("/nodes/{}/contacts", node(1)));
    let first = stage.get(&format!("{contacts}?limit=1")).await.json();
    let expected = json!([{"time_ms": START_MS + 1000, "with": node(2), "distance": 1.5}]);
    assert_eq!(first["contacts"], expected);
    let next = first["next"].as_str().expect("a next page");
    let second = stage.get(&format!("{contacts}?limit=1&after={next}")).await.json();
    assert_eq!(second["contacts"][0]["time_ms"], START_MS + 2000);
    let early = stage.get(&format!("{contacts}?to_ms={}", START_MS + 1000)).await.json();
    assert_eq!(early["contacts"].as_array().map(Vec::len), Some(1));
    let encounters = stage.get(&path(&format!("/nodes/{}/encounters", node(1)))).await.json();
    let encounter = &encounters["encounters"][0];
    assert_eq!((&encounter["with"], &encounter["contacts"]), (&json!(node(2)), &json!(2)));
    assert_eq!(
        (&encounter["from_ms"], &encounter["to_ms"]),
        (&json!(START_MS + 1000), &json!(START_MS + 2000))
    );
    assert_eq!(encounter["nearest"], 1.5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_404_problem() {
    let stage = Stage::open_with_a_story().await;
    let nobody = node(99);
    for path in [
        format!("/api/v1/runs/{}", run(9)),
        format!("/api/v1/runs/{}/state", run(9)),
        format!("/api/v1/runs/{}/statistics", run(9)),
        format!("/api/v1/runs/{}/nodes", run(9)),
        format!("/api/v1/runs/{}/infections", run(9)),
        format!("/api/v1/runs/{}/nodes/{nobody}", run(1)),
        format!("/api/v1/runs/{}/nodes/{nobody}/contacts", run(1)),
        format!("/api/v1/runs/{}/nodes/{nobody}/encounters", run(1)),
        "/api".to_owned(),
        "/api/".to_owned(),
        "/api/v1".to_owned(),
        "/api/v1/".to_owned(),
        "/api/v2/runs".to_owned(),
        "/api/v1/runs/x/y/z".to_owned(),
        "/api/v1/%2e%2e/%2e%2e/etc/passwd".to_owned(),
    ] {
        stage.get(&path).await.problem(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_parameter_is_a_400_problem_that_says_what_would_be_right() {
    let stage = Stage::open_with_a_story().await;
    for (rest, hint) in [
        ("/state?moment=-1", "moment"),
        ("/state?moment=x", "moment"),
        ("/state?moment=99999999999999999999", "moment"),
        ("/state?moment=1&time_ms=1", "not both"),
        ("/state?colour=red", "colour"),
        ("/statistics?points=1", "2 to 20000"),
        ("/statistics?points=20001", "2 to 20000"),
        ("/statistics?from=2&to=1", "comes after"),
        ("/nodes?limit=0", "1 to 10000"),
        ("/nodes?after_slot=4294967296", "after_slot"),
        ("/infections?limit=100001", "1 to 100000"),
    ] {
        let detail = stage.get(&path(rest)).await.problem(400);
        assert!(detail.contains(hint), "{rest}: {detail}");
    }
    let contacts = path(&format!("/nodes/{}/contacts", node(1)));
    assert!(stage.get(&format!("{contacts}?after=1")).await.problem(400).contains("next"));
    assert!(stage.get(&format!("{contacts}?limit=10001")).await.problem(400).contains("1 to 10000"));
    assert!(stage.get("/api/v1/runs/everybody").await.problem(400).contains("UUID"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ends_of_every_range_are_harmless() {
    let stage = Stage::open_with_a_story().await;
    let (min, max) = (i64::MIN, i64::MAX);
    for rest in [
        format!("/state?moment={}", u64::MAX),
        format!("/state?time_ms={min}"),
        format!("/state?time_ms={max}"),
        format!("/statistics?from=0&to={}", u64::MAX),
        format!("/statistics?from={}&to={}", u64::MAX, u64::MAX),
        format!("/nodes?after_slot={}", u32::MAX - 1),
        format!("/infections?from_ms={min}"),
        format!("/infections?from_ms={max}"),
        format!("/nodes/{}/contacts?from_ms={min}&to_ms={max}", node(1)),
        format!("/nodes/{}/contacts?from_ms={max}&to_ms={min}", node(1)),
        format!("/nodes/{}/contacts?after={max}.{}", node(1), u32::MAX),
        format!("/nodes/{}/encounters?after={min}.0", node(1)),
        format!("/nodes/{}/encounters?from_ms={max}", node(1)),
    ] {
        let answer = stage.get(&path(&rest)).await;
        assert!(matches!(answer.status, 200 | 404), "{rest}: {} {}", answer.status, answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_a_405_problem() {
    let stage = Stage::open().await;
    for path in ["/data", "/api/v1/openapi.json", "/healthz", "/"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let answer = http::send(stage.address, method, path, &[], "").await;
            answer.problem(405);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_while_the_store_is_away_is_the_same_503_problem() {
    let stage = Stage::open_with_a_story().await;
    stage.switch.take_away(true);
    let one = stage.get("/api/v1/runs").await;
    one.problem(503);
    assert_eq!(one.header("retry-after"), "1");
    let expected = json!({"type": "about:blank", "title": "temporarily unavailable", "status": 503});
    assert_eq!(one.json(), expected);
    let node = format!("/nodes/{}", node(1));
    for rest in ["", "/state", "/statistics", "/nodes", "/infections", &node] {
        let other = stage.get(&path(rest)).await;
        assert_eq!((other.status, &other.body), (503, &one.body), "{rest}");
    }
    for rest in ["/contacts", "/encounters"] {
        let other = stage.get(&path(&format!("{node}{rest}"))).await;
        assert_eq!((other.status, &other.body), (503, &one.body), "{rest}");
    }
    let ready = stage.get("/readyz").await;
    assert_eq!((ready.status, &ready.body), (503, &one.body));
    assert_eq!(stage.get("/healthz").await.status, 200);
    stage.switch.take_away(false);
    assert_eq!(stage.get("/readyz").await.status, 200);
    assert_eq!(stage.get("/api/v1/runs").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_too_long_is_the_same_503_problem() {
    let mut config = limits(|limits| limits.question_time_max = Duration::from_millis(50));
    config.limits.questions_max = 2;
    let stage = Stage::open_with(config).await;
    stage.switch.delay(1_000);
    // The third finds both places taken by questions that nobody waits for any more.
    for _ in 0..3 {
        let answer = stage.get("/api/v1/runs").await;
        answer.problem(503);
        assert_eq!(answer.json()["title"], "temporarily unavailable");
    }
    assert_eq!(stage.get("/data").await.status, 500);
    assert_eq!(stage.get("/healthz").await.status, 200);
    stage.switch.delay(0);
    eventually("an answer", async || (stage.get("/api/v1/runs").await.status == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_and_every_path_in_it_is_a_route() {
    let mut stage = Stage::open_with_a_story().await;
    stage.desk.store(vec![Report { contacts: vec![contact(1, 4)], ..report(3, 4, [1, 1]) }]);
    let described = stage.get("/api/v1/openapi.json").await.json();
    assert_eq!(
        described,
        serde_json::from_str::<serde_json::Value>(&coronaz_server::openapi()).expect("JSON")
    );
    let paths = described["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 23);
    for (path, methods) in paths {
        let path = path.replace("{run}", &run(1).to_string()).replace("{id}", &node(1).to_string());
        let path = path.replace("{table}", "nodes").replace("{name}", "broker").replace("{action}", "kill");
        let expected = match &methods["get"] {
            serde_json::Value::Null => 405,
            // The operator's part is closed without a token.
            operation if operation.get("security").is_some() => 403,
            _ => 200,
        };
        assert_eq!(stage.get(&path).await.status, expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_compressed_for_who_takes_it_and_frames_never_are() {
    let mut stage = Stage::open_with_a_story().await;
    stage.desk.store((10..60).map(|number| report(number, 5, [1, 1])).collect());
    let gzip = ("accept-encoding", "gzip");
    let text = stage.get_with(&path("/state"), &[gzip]).await;
    assert_eq!(text.header("content-encoding"), "gzip");
    assert!(text.body.starts_with(&[0x1f, 0x8b]));
    let frame = stage.get_with(&path("/state"), &[gzip, ("accept", "application/vnd.coronaz.frame")]).await;
    assert_eq!(frame.header("content-encoding"), "");
    assert!(page_frame::decode(&frame.body).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_of_very_many_nodes_is_given_as_a_frame_only() {
    let stage = Stage::open_with_a_story().await;
    stage.switch.crowd(100_001);
    let detail = stage.get(&path("/state")).await.problem(406);
    assert!(detail.contains("application/vnd.coronaz.frame"), "{detail}");
    let frame = stage.get_with(&path("/state"), &[("accept", "application/vnd.coronaz.frame")]).await;
    let (_, people) = page_frame::decode(&frame.body).expect("a frame");
    assert_eq!(people.len(), 100_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_come_in_pages_and_the_default_is_one_that_can_be_shown() {
    let mut stage = Stage::open_with_a_story().await;
    for number in 2..=6 {
        stage.desk.announce(number);
    }
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = stage.get(&format!("/api/v1/runs?limit=4{after}")).await.json();
        assert_eq!(page["default_run"], json!(run(1)), "no other one has a moment");
        ids.extend(page["runs"].as_array().expect("runs").iter().map(|run| run["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(ids, (1..=6).rev().map(|number| json!(run(number))).collect::<Vec<_>>());
    for wrong in ["limit=0", "limit=1001", "after=here", "after=+1", "page=2"] {
        stage.get(&format!("/api/v1/runs?{wrong}")).await.problem(400);
    }
}
