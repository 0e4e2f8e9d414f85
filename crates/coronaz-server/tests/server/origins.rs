//! Pages of other origins: those that are named may read, and nothing more.

use coronaz_server::Config;

use crate::{
    http,
    stage::{Stage, run},
};

const FRONT_END: &str = "http://localhost:8080";

fn config() -> Config {
    Config {
        allow_origins: vec![FRONT_END.parse().expect("an origin")],
        token: Some(Stage::TOKEN.parse().expect("a token")),
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_origin_may_read_without_credentials_and_no_other_may() {
    let stage = Stage::open_with(config()).await;
    for path in ["/data", "/api/v1/runs", "/api/v1/openapi.json"] {
        let answer = stage.get_with(path, &[("origin", FRONT_END)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), FRONT_END, "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
        let varies = answer.headers.iter().any(|(name, value)| name == "vary" && value.contains("origin"));
        assert!(varies, "{path}: {:?}", answer.headers);
    }
    for origin in [
        "http://localhost:8081",
        "https://localhost:8080",
        "http://localhost",
        "null",
        "http://localhost:8080.evil.example",
    ] {
        let answer = stage.get_with("/data", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
    }
    let page = stage.get_with("/", &[("origin", FRONT_END)]).await;
    assert_eq!(page.header("access-control-allow-origin"), "", "the page is nobody's data");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_origin_is_asked_for_reading_only_and_changes_nothing() {
    let stage = Stage::open_with(config()).await;
    let ask = [("origin", FRONT_END), ("access-control-request-method", "DELETE")];
    let path = format!("/api/v1/runs/{}", run(1));
    let first = http::send(stage.address, "OPTIONS", &path, &ask, "").await;
    assert_eq!(first.header("access-control-allow-methods"), "GET,HEAD");
    assert_eq!(first.header("access-control-allow-headers"), "", "no token is sent along");
    let bearer = format!("Bearer {}", Stage::TOKEN);
    let change = [("origin", FRONT_END), ("authorization", bearer.as_str())];
    http::send(stage.address, "DELETE", &path, &change, "").await.problem(403);
    let live = format!(
        "GET {path}/live HTTP/1.1\r\nhost: {}\r\norigin: {FRONT_END}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        stage.address
    );
    let refused = http::head(stage.address, live.as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_named_origin_there_are_no_such_headers_at_all() {
    let stage = Stage::open().await;
    let answer = stage.get_with("/data", &[("origin", FRONT_END)]).await;
    assert!(
        answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")),
        "{:?}",
        answer.headers
    );
    http::send(stage.address, "OPTIONS", "/data", &[("origin", FRONT_END)], "").await.problem(405);
}
