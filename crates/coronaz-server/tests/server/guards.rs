//! Who is let in, how much at once, and how the server stops.

use std::time::Duration;

use coronaz_server::{Config, ConfigError, ServeError, Server};
use serde_json::json;
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpListener, net::TcpStream};

use crate::{
    http,
    stage::{Stage, eventually, limits, run},
};

const TOKEN: &str = "a-token-for-tests-alone";

fn with_token() -> Config {
    Config { token: Some(TOKEN.parse().expect("a token")), ..Config::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_another_name_is_refused_on_loopback() {
    let stage = Stage::open_with_a_story().await;
    let port = stage.address.port();
    for host in
        ["evil.example".to_owned(), format!("evil.example:{port}"), "192.168.0.1".to_owned(), String::new()]
    {
        for path in ["/", "/data", "/api/v1/runs", "/healthz", "/api/v1/nowhere"] {
            stage.get_with(path, &[("host", &host)]).await.problem(421);
        }
    }
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), "[::1]:8080".to_owned()] {
        assert_eq!(stage.get_with("/data", &[("host", &host)]).await.status, 200, "{host}");
    }
    let nameless = http::raw(stage.address, b"GET /data HTTP/1.0\r\n\r\n").await;
    nameless.problem(421);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_part_is_the_operators() {
    let closed = Stage::open().await;
    assert!(closed.get("/api/v1/parts").await.problem(403).contains("--token-file"));
    let stage = Stage::open_with(with_token()).await;
    let refused = stage.get("/api/v1/parts").await;
    refused.problem(401);
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    for wrong in [
        "Bearer ",
        "Bearer a-token-for-tests-alon",
        "Basic a-token-for-tests-alone",
        "a-token-for-tests-alone",
    ] {
        stage.get_with("/api/v1/parts", &[("authorization", wrong)]).await.problem(401);
    }
    let bearer = format!("Bearer {TOKEN}");
    let parts = stage.get_with("/api/v1/parts", &[("authorization", &bearer)]).await.json();
    assert_eq!((&parts["store"], &parts["server"]["live_connections"]), (&json!(true), &json!(0)));
    stage.switch.take_away(true);
    let parts = stage.get_with("/api/v1/parts", &[("authorization", &bearer)]).await.json();
    assert_eq!(parts["store"], false);
    // Reading stays open on loopback.
    stage.switch.take_away(false);
    assert_eq!(stage.get("/data").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_names_two_servers_is_refused() {
    let stage = Stage::open_with_a_story().await;
    let address = stage.address;
    for head in [
        format!("GET /data HTTP/1.1\r\nhost: {address}\r\nhost: evil.example\r\nconnection: close\r\n\r\n"),
        format!("GET /data HTTP/1.1\r\nhost: {address}\r\nHost: {address}\r\nconnection: close\r\n\r\n"),
        format!("GET http://evil.example/data HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"),
    ] {
        http::raw(address, head.as_bytes()).await.problem(400);
    }
    let absolute =
        format!("GET http://{address}/data HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    assert_eq!(http::raw(address, absolute.as_bytes()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn off_loopback_nothing_is_open() {
    let store = "sqlite:/nowhere".parse::<coronaz_store::StoreLocation>().expect("a location").queries();
    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
    let server = Server::new(store.clone(), Config::default()).expect("a page");
    let refused = server.run(listener, std::future::pending()).await;
    assert!(matches!(refused, Err(ServeError::Config(ConfigError::OpenToOthers(_)))));

    let listener = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
    let address = (std::net::Ipv4Addr::LOCALHOST, listener.local_addr().expect("an address").port()).into();
    let server = Server::new(store, with_token()).expect("a page");
    tokio::spawn(server.run(listener, std::future::pending()));
    let live = format!("/api/v1/runs/{}/live", run(1));
    for path in ["/", "/data", "/api/v1/runs", "/api/v1/openapi.json", "/api/v1/parts", "/favicon.svg", &live]
    {
        http::get(address, path, &[("host", "laboratory.example")]).await.problem(401);
    }
    assert_eq!(http::get(address, "/healthz", &[]).await.status, 200);
    let browser = http::get(address, "/map", &[("accept", "text/html")]).await;
    assert_eq!((browser.status, browser.header("location")), (303, "./login?next=/map"));
    let bearer = format!("Bearer {TOKEN}");
    let index = http::get(address, "/", &[("authorization", &bearer), ("host", "laboratory.example")]).await;
    assert_eq!(index.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_keep_a_browser_safe() {
    let stage = Stage::open_with_a_story().await;
    for path in ["/", "/data", "/api/v1/runs", "/api/v1/nowhere", "/healthz", "/no/such/file.js"] {
        let answer = stage.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
    }
    let elsewhere = stage.get_with("/data", &[("host", "evil.example")]).await;
    assert_eq!(elsewhere.header("x-content-type-options"), "nosniff");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_unread() {
    let stage = Stage::open_with(with_token()).await;
    let body = "x".repeat(9000);
    let length = body.len().to_string();
    for (method, path) in [("POST", "/login"), ("GET", "/data")] {
        http::send(stage.address, method, path, &[("content-length", &length)], &body).await.problem(413);
    }
    let kind = [("content-type", "application/x-www-form-urlencoded"), ("transfer-encoding", "chunked")];
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    http::send(stage.address, "POST", "/login", &kind, &chunked).await.problem(413);
    stage.get(&format!("/data?{}", "x".repeat(5000))).await.problem(414);
    let head = http::send(stage.address, "GET", "/data", &[("x-long", &"x".repeat(40_000))], "").await;
    assert_eq!(head.status, 431);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_are_refused_and_harm_nothing() {
    let stage = Stage::open_with_a_story().await;
    for bytes in [&b"\0\x01\x02\x03\r\n\r\n"[..], b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"stop\r\n\r\n"]
    {
        assert_eq!(http::raw(stage.address, bytes).await.status, 400);
    }
    for path in ["/%", "/%00", "/%ff%fe", "/data?run=%ff", "//evil.example/", "/api/v1/runs/%00"] {
        let status = stage.get(path).await.status;
        assert!((200..500).contains(&status), "{path}: {status}");
    }
    assert_eq!(stage.get("/data").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_finishes_a_request_is_cut_off() {
    let stage = Stage::open_with(limits(|limits| limits.head_time_max = Duration::from_millis(100))).await;
    let mut slow = TcpStream::connect(stage.address).await.expect("a connection");
    slow.write_all(b"GET /data HTT").await.expect("half a request");
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), slow.read_to_end(&mut rest)).await;
    assert!(read.is_ok(), "the connection stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let stage = Stage::open_with(limits(|limits| limits.connections_max = 2)).await;
    let idle = [
        TcpStream::connect(stage.address).await.expect("a connection"),
        TcpStream::connect(stage.address).await.expect("a connection"),
    ];
    let waits = tokio::time::timeout(Duration::from_millis(200), stage.get("/healthz")).await;
    assert!(waits.is_err(), "a third connection is answered");
    drop(idle);
    eventually("an answer", async || (stage.get("/healthz").await.status == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_told_to_stop_closes_its_idle_connections_at_once() {
    let stage = Stage::open_with_a_story().await;
    let address = stage.address;
    let mut idle = TcpStream::connect(address).await.expect("a connection");
    idle.write_all(format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes())
        .await
        .expect("a request");
    let mut some = [0; 64];
    assert!(idle.read(&mut some).await.expect("an answer") > 0);
    let took = stage.stop().await;
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert!(TcpStream::connect(address).await.is_err(), "somebody still listens");
}
