//! `/data`, as the paper has it.

use serde_json::json;

use crate::stage::{Stage, node, report, run};

#[tokio::test(flavor = "multi_thread")]
async fn data_is_every_state_with_every_node_seen_so_far() {
    let stage = Stage::open_with_a_story().await;
    let answer = stage.get("/data").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    let (first, second) = (node(1).to_string(), node(2).to_string());
    let expected = json!({"result": [
        {"_id": 0,
         &*first: {"position": [99, 50], "timestamp": "2020-12-02 16:19:05.123456", "infected": false, "alive": true}},
        {"_id": 1,
         &*first: {"position": [100, 50], "timestamp": "2020-12-02 16:19:07.123456", "infected": false, "alive": true}},
        {"_id": 2,
         &*first: {"position": [100, 50], "timestamp": "2020-12-02 16:19:07.123456", "infected": false, "alive": true},
         &*second: {"position": [200, 100], "timestamp": "2020-12-02 16:19:08.123456", "infected": true, "alive": false}},
    ]});
    assert_eq!(answer.json(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_of_the_run_that_the_page_shows_or_of_the_one_asked_for() {
    let mut stage = Stage::open_with_a_story().await;
    let before = stage.get("/data").await.json();
    stage.desk.announce(2);
    assert_eq!(stage.get("/data").await.json(), before, "a run without a moment takes nothing over");
    let states = stage.get(&format!("/data?run={}", run(1))).await.json();
    assert_eq!(states["result"].as_array().map(Vec::len), Some(3));
    stage.get(&format!("/data?run={}", run(9))).await.problem(404);
    stage.get("/data?run=nobody").await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_an_empty_store_is_an_empty_result() {
    let stage = Stage::open().await;
    assert_eq!(stage.get("/data").await.json(), json!({"result": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_500_and_an_empty_object_while_the_store_is_away() {
    let stage = Stage::open_with_a_story().await;
    stage.switch.take_away(true);
    let answer = stage.get("/data").await;
    assert_eq!((answer.status, answer.text()), (500, "{}"));
    assert_eq!(answer.header("content-type"), "application/json");
    stage.switch.take_away(false);
    assert_eq!(stage.get("/data").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_comes_in_pieces_and_whole() {
    let mut stage = Stage::open().await;
    for step in 0..20 {
        stage.desk.store((0..50).map(|number| report(number, step, [1, 2])).collect());
    }
    let answer = stage.get("/data").await;
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    let states = answer.json();
    let states = states["result"].as_array().expect("states");
    assert_eq!(states.len(), 1000);
    assert_eq!(states[999]["_id"], 999);
    assert_eq!(states[999].as_object().map(serde_json::Map::len), Some(51));
}
