//! The live connection: what is pushed, what is answered, and what is refused.

use std::{
    sync::atomic::Ordering::SeqCst,
    time::{Duration, Instant},
};

use coronaz_wire::{
    Report,
    page_frame::{self, Drawn, FLAG_SEEK, Header},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

use crate::{
    http,
    stage::{Stage, eventually, limits, report, run},
};

const PATIENCE: Duration = Duration::from_secs(20);
/// Long enough that what should not come would have come: ten polls and two pushes.
const QUIET: Duration = Duration::from_millis(150);

pub(crate) struct Visitor(WebSocketStream<MaybeTlsStream<TcpStream>>);

enum Heard {
    Text(Value),
    Frame(Header, Vec<Drawn>),
    Closed(Option<CloseCode>),
}

impl Visitor {
    pub(crate) async fn come(stage: &Stage) -> Visitor {
        let (socket, _) = connect_async(url(stage)).await.expect("a live connection");
        let mut visitor = Visitor(socket);
        let hello = visitor.text().await;
        assert_eq!((&hello["type"], &hello["run"]["id"]), (&json!("hello"), &json!(run(1))));
        visitor
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("the server hears");
    }

    async fn hear(&mut self) -> Heard {
        let message = tokio::time::timeout(PATIENCE, self.next()).await;
        message.expect("something to hear")
    }

    async fn next(&mut self) -> Heard {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Text(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    let flags = u16::from_le_bytes([bytes[6], bytes[7]]);
                    let (header, people) = page_frame::decode(&bytes).expect("a frame");
                    assert_eq!(flags & FLAG_SEEK != 0, header.request != 0);
                    return Heard::Frame(header, people);
                }
                Some(Ok(Message::Close(close))) => return Heard::Closed(close.map(|close| close.code)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(None),
            }
        }
    }

    async fn text(&mut self) -> Value {
        match self.hear().await {
            Heard::Text(text) => text,
            Heard::Frame(header, _) => panic!("a frame of moment {}", header.moment),
            Heard::Closed(code) => panic!("closed: {code:?}"),
        }
    }

    async fn frame(&mut self) -> Header {
        match self.hear().await {
            Heard::Frame(header, _) => header,
            Heard::Text(text) => panic!("a text: {text}"),
            Heard::Closed(code) => panic!("closed: {code:?}"),
        }
    }

    /// The next frame of whichever kind, acknowledged.
    pub(crate) async fn bytes(&mut self) -> Vec<u8> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something to hear");
            if let Message::Binary(bytes) = message.expect("still connected").expect("well") {
                self.ack(u32::from_le_bytes([bytes[56], bytes[57], bytes[58], bytes[59]])).await;
                return bytes.to_vec();
            }
        }
    }

    pub(crate) async fn closed(&mut self) -> Option<CloseCode> {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }

    async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(QUIET, self.next()).await.is_err()
    }

    async fn ack(&mut self, seq: u32) {
        self.say(json!({"type": "ack", "seq": seq})).await;
    }
}

fn url(stage: &Stage) -> String {
    format!("ws://{}/api/v1/runs/{}/live", stage.address, run(1))
}

fn grow(stage: &mut Stage, second: i64) {
    stage.desk.store(vec![report(1, second, [1, 1])]);
}

/// Stores a report and waits until the moment it makes has been read for whoever watches.
async fn grow_and_wait(stage: &mut Stage, second: i64) {
    let before = stage.switch.states_read.load(SeqCst);
    grow(stage, second);
    eventually("a poll", async || (stage.switch.states_read.load(SeqCst) > before).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_gets_the_newest_moment_and_then_each_new_one() {
    let mut stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    let Heard::Frame(first, people) = visitor.hear().await else { panic!("a frame comes first") };
    assert_eq!((first.moment, first.latest, first.seq, first.request), (2, 2, 1, 0));
    assert_eq!((first.figures.total, first.figures.dead_zombies), (2, 1));
    assert_eq!(people[1].xy, [65535, 65535]);
    visitor.ack(1).await;
    assert!(visitor.is_quiet().await);
    grow(&mut stage, 4);
    let second = visitor.frame().await;
    assert_eq!((second.moment, second.seq, second.epoch), (3, 2, first.epoch));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_no_moment_yet_says_hello_and_pushes_its_first() {
    let mut stage = Stage::open().await;
    stage.desk.announce(1);
    let mut visitor = Visitor::come(&stage).await;
    assert!(visitor.is_quiet().await);
    grow(&mut stage, 1);
    assert_eq!(visitor.frame().await.moment, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_acknowledge_gets_two_frames_and_later_only_the_newest() {
    let mut stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    assert_eq!(visitor.frame().await.seq, 1);
    grow(&mut stage, 4);
    assert_eq!(visitor.frame().await.seq, 2);
    for second in 5..9 {
        grow_and_wait(&mut stage, second).await;
    }
    assert!(visitor.is_quiet().await);
    visitor.ack(1).await;
    let newest = visitor.frame().await;
    assert_eq!((newest.moment, newest.seq), (7, 3));
    assert!(visitor.is_quiet().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_is_answered_and_nothing_is_pushed_until_live_again() {
    let mut stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    visitor.ack(1).await;
    visitor.say(json!({"type": "seek", "moment": 0, "request": 7})).await;
    let answer = visitor.frame().await;
    assert_eq!((answer.moment, answer.request, answer.seq, answer.latest), (0, 7, 2, 2));
    visitor.ack(2).await;
    grow(&mut stage, 4);
    assert!(visitor.is_quiet().await);
    visitor.say(json!({"type": "live"})).await;
    let pushed = visitor.frame().await;
    assert_eq!((pushed.moment, pushed.request), (3, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_for_what_is_not_there_is_answered_with_missing() {
    let stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    visitor.say(json!({"type": "seek", "moment": u64::MAX, "request": 4})).await;
    assert_eq!(visitor.text().await, json!({"type": "missing", "request": 4}));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_seeks_the_newest_is_answered_and_few_are_read() {
    let stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    visitor.ack(1).await;
    for request in 1..=200 {
        visitor.say(json!({"type": "seek", "moment": request % 3, "request": request})).await;
    }
    let mut answered = 0;
    loop {
        let answer = visitor.frame().await;
        answered += 1;
        visitor.ack(answer.seq).await;
        if answer.request == 200 {
            break;
        }
    }
    assert!(visitor.is_quiet().await);
    assert!(answered < 200, "every one of 200 seeks was answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seek_is_answered_when_the_store_is_back() {
    let stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    stage.switch.take_away(true);
    visitor.say(json!({"type": "seek", "moment": 1, "request": 1})).await;
    assert!(visitor.is_quiet().await);
    stage.switch.take_away(false);
    let answer = visitor.frame().await;
    assert_eq!((answer.moment, answer.request), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn pushing_goes_on_by_itself_after_the_store_was_away() {
    let mut stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    stage.switch.take_away(true);
    grow(&mut stage, 4);
    assert!(visitor.is_quiet().await);
    stage.switch.take_away(false);
    assert_eq!(visitor.frame().await.moment, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_run_is_told_to_who_watches_an_older_one_once_it_can_be_shown() {
    let mut stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    stage.desk.announce(2);
    assert!(visitor.is_quiet().await);
    stage.desk.store(vec![Report { run: Some(run(2)), ..report(1, 9, [1, 2]) }]);
    assert_eq!(visitor.text().await, json!({"type": "runs-changed"}));
    assert!(visitor.is_quiet().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_visitors_of_a_run_share_one_reading_of_each_moment() {
    let mut stage = Stage::open_with_a_story().await;
    let mut visitors = Vec::new();
    for _ in 0..20 {
        visitors.push(Visitor::come(&stage).await);
    }
    for visitor in &mut visitors {
        visitor.frame().await;
    }
    let before = stage.switch.states_read.load(SeqCst);
    grow(&mut stage, 4);
    for visitor in &mut visitors {
        assert_eq!(visitor.frame().await.moment, 3);
    }
    assert_eq!(stage.switch.states_read.load(SeqCst), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_left_alone_when_nobody_watches() {
    let mut stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    drop(visitor);
    tokio::time::sleep(QUIET).await;
    let before = stage.switch.states_read.load(SeqCst);
    grow(&mut stage, 4);
    tokio::time::sleep(QUIET).await;
    assert_eq!(stage.switch.states_read.load(SeqCst), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_understands_ends_the_connection_and_harms_no_other() {
    let mut stage = Stage::open_with_a_story().await;
    let mut other = Visitor::come(&stage).await;
    other.frame().await;
    let long = "x".repeat(10_000);
    for text in ["", "stop", "{}", r#"{"type":"ack"}"#, r#"{"type":"ack","seq":1e99}"#, &long] {
        let mut visitor = Visitor::come(&stage).await;
        visitor.0.send(Message::text(text)).await.expect("the server hears");
        let code = visitor.closed().await;
        assert!(matches!(code, Some(CloseCode::Policy | CloseCode::Size) | None), "{text}: {code:?}");
    }
    let mut visitor = Visitor::come(&stage).await;
    visitor.0.send(Message::binary(vec![0; 100])).await.expect("the server hears");
    assert_eq!(visitor.closed().await, Some(CloseCode::Unsupported));
    grow(&mut stage, 4);
    assert_eq!(other.frame().await.moment, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_cannot_connect() {
    let stage = Stage::open_with_a_story().await;
    let own = format!("http://{}", stage.address);
    for (origin, status) in
        [("http://evil.example", 403), ("null", 403), ("http://localhost:1", 403), (&own, 101)]
    {
        let mut request = url(&stage).into_client_request().expect("a request");
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
        let answered = match connect_async(request).await {
            Ok((_, response)) => response.status().as_u16(),
            Err(tungstenite::Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("{origin}: {error}"),
        };
        assert_eq!(answered, status, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_live_connection_is_a_problem() {
    let stage = Stage::open_with_a_story().await;
    let live = format!("/api/v1/runs/{}/live", run(1));
    stage.get(&live).await.problem(426);
    http::send(stage.address, "POST", &live, &[], "").await.problem(426);
    let missing = url(&stage).replace(&run(1).to_string(), &run(9).to_string());
    let Err(tungstenite::Error::Http(answer)) = connect_async(missing).await else { panic!("it is there") };
    assert_eq!(answer.status(), 404);
    stage.switch.take_away(true);
    let Err(tungstenite::Error::Http(answer)) = connect_async(url(&stage)).await else {
        panic!("it is there")
    };
    assert_eq!(answer.status(), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_live_connections() {
    let mut stage = Stage::open_with(limits(|limits| limits.sockets_max = 2)).await;
    stage.desk.announce(1);
    let first = Visitor::come(&stage).await;
    let _second = Visitor::come(&stage).await;
    let Err(tungstenite::Error::Http(answer)) = connect_async(url(&stage)).await else {
        panic!("a third one")
    };
    assert_eq!(answer.status(), 503);
    drop(first);
    eventually("a free place", async || connect_async(url(&stage)).await.ok().map(drop)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_silent_for_long_is_gone() {
    let mut stage = Stage::open_with(limits(|limits| limits.silence_max = Duration::from_millis(150))).await;
    stage.desk.announce(1);
    // This visitor answers no ping, because it reads nothing.
    let (silent, _) = connect_async(url(&stage)).await.expect("a live connection");
    tokio::time::sleep(Duration::from_millis(400)).await;
    // Its late answers to the pings may reset the connection before it has read the farewell.
    assert!(matches!(Visitor(silent).closed().await, Some(CloseCode::Policy) | None));
    // This one does, and stays.
    let mut visitor = Visitor::come(&stage).await;
    let stays = tokio::time::timeout(Duration::from_millis(500), visitor.next()).await;
    assert!(stays.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn live_connections_are_closed_when_the_server_stops() {
    let stage = Stage::open_with_a_story().await;
    let mut visitor = Visitor::come(&stage).await;
    visitor.frame().await;
    let stopping = tokio::spawn(stage.stop());
    assert_eq!(visitor.closed().await, Some(CloseCode::Away));
    let took = stopping.await.expect("it stops");
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_people_are_found_and_sent_in_time() {
    const PEOPLE: u32 = 1_000_000;
    let stage = Stage::open_with_a_story().await;
    stage.switch.crowd(PEOPLE);
    let mut visitor = Visitor::come(&stage).await;
    let Heard::Frame(first, people) = visitor.hear().await else { panic!("a frame comes first") };
    assert_eq!((first.seq, people.len()), (1, PEOPLE as usize));
    visitor.ack(1).await;
    let mut took_ms = Vec::new();
    for request in 1..=5 {
        let asked = Instant::now();
        visitor.say(json!({"type": "seek", "moment": request % 3, "request": request})).await;
        let answer = visitor.frame().await;
        took_ms.push(asked.elapsed().as_millis());
        visitor.ack(answer.seq).await;
    }
    println!("a seek among {PEOPLE} people took {took_ms:?} ms, with the decoding here");
    // Far above what it takes; what it takes is printed.
    assert!(took_ms.iter().all(|ms| *ms < 5_000), "{took_ms:?}");
}
