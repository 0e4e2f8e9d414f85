//! How long answers take over a large store. Measures, so it is run by hand:
//! `cargo test -p coronaz-server --test server measure -- --ignored --nocapture`.

use std::{num::NonZeroU32, time::Instant};

use coronaz_wire::Report;

use crate::stage::{Stage, contact, node, report, run};

const NODES: u128 = 1_000;
const SECONDS: i64 = 300;
const NODES_OF_THE_DATA_RUN: u128 = 20;

fn second(stage: &mut Stage, number: u128, nodes: u128, second: i64) {
    let reports = (0..nodes).map(|person| {
        let heard = (1..=3).map(|other| contact((person + other) % nodes, second)).collect();
        let place =
            [i32::try_from(person % 200).expect("small"), i32::try_from(second % 100).expect("small")];
        Report {
            contacts: heard,
            infected: person % 9 == 0,
            run: Some(run(number)),
            ..report(person, second, place)
        }
    });
    stage.desk.store(reports.collect());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; run by hand"]
async fn answers_over_a_large_store() {
    let mut stage = Stage::open().await;
    stage.desk.state_every = NonZeroU32::new(10).expect("ten");
    stage.desk.announce(1);
    stage.desk.announce(2);
    let began = Instant::now();
    for at in 0..SECONDS {
        second(&mut stage, 1, NODES, at);
    }
    println!("{NODES} nodes, {SECONDS} s: stored in {:?}", began.elapsed());
    for at in 0..120 {
        second(&mut stage, 2, NODES_OF_THE_DATA_RUN, at);
    }
    let last =
        stage.get(&format!("/api/v1/runs/{}", run(1))).await.json()["moments"].as_u64().expect("moments") - 1;
    let person = node(7);
    for rest in [
        String::new(),
        "/state".to_owned(),
        "/state?moment=0".to_owned(),
        format!("/state?moment={}", last / 2),
        format!("/state?moment={}", last / 3),
        format!("/state?moment={}", last - 1),
        "/statistics?points=1500".to_owned(),
        "/nodes".to_owned(),
        "/infections".to_owned(),
        format!("/nodes/{person}"),
        format!("/nodes/{person}/contacts?limit=1000"),
        format!("/nodes/{person}/encounters?limit=1000"),
    ] {
        let path = format!("/api/v1/runs/{}{rest}", run(1));
        measure(&stage, &path, &[]).await;
    }
    let frame = [("accept", "application/vnd.coronaz.frame")];
    measure(&stage, &format!("/api/v1/runs/{}/state?moment={}", run(1), last / 2), &frame).await;
    measure(&stage, &format!("/data?run={}", run(2)), &[]).await;
}

async fn measure(stage: &Stage, path: &str, headers: &[(&str, &str)]) {
    let began = Instant::now();
    let answer = stage.get_with(path, headers).await;
    println!(
        "{:>8.1} ms {:>10} B {} {path}",
        began.elapsed().as_secs_f64() * 1e3,
        answer.body.len(),
        answer.status
    );
}
