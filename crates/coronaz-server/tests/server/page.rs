//! The page: its files, their headers, and what is no file.

use std::{collections::HashSet, fs, path::Path};

use coronaz_server::{Config, ConfigError, PageError, Server};
use coronaz_store::StoreLocation;

use crate::stage::Stage;

const INDEX: &str =
    r#"<meta name="csp-nonce" content="__CSP_NONCE__" /><script nonce="__CSP_NONCE__"></script>"#;

fn build(folder: &Path) {
    fs::create_dir(folder.join("assets")).expect("a folder");
    fs::write(folder.join("index.html"), INDEX).expect("a file");
    fs::write(folder.join("favicon.svg"), "<svg/>").expect("a file");
    fs::write(folder.join("assets/main-1a2b3c.js"), "export const x = 1;\n".repeat(200)).expect("a file");
}

async fn stage_with_a_page() -> Stage {
    let folder = tempfile::tempdir().expect("a folder");
    build(folder.path());
    // The page is read at the start: the folder may go.
    Stage::open_with(Config { web_dir: Some(folder.path().to_owned()), ..Config::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_a_new_nonce_each_time_and_is_never_kept() {
    let stage = stage_with_a_page().await;
    let mut nonces = HashSet::new();
    for path in ["/", "/index.html", "/?page=runs", "/?moment=3"] {
        let answer = stage.get(path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{path}");
        assert!(answer.header("content-type").starts_with("text/html"));
        assert!(!answer.text().contains("__CSP_NONCE__"));
        let nonce = answer.text().split('"').nth(3).expect("a nonce").to_owned();
        let policy = answer.header("content-security-policy");
        assert!(policy.contains(&format!("style-src 'self' 'nonce-{nonce}'")), "{policy}");
        assert!(
            policy.contains("connect-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(nonce.len(), 32);
        nonces.insert(nonce);
    }
    assert_eq!(nonces.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_files_are_kept_for_ever_and_others_are_asked_for_again() {
    let stage = stage_with_a_page().await;
    let script = stage.get("/assets/main-1a2b3c.js").await;
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert!(script.header("cache-control").contains("immutable"));
    let zipped = stage.get_with("/assets/main-1a2b3c.js", &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(zipped.header("content-encoding"), "gzip");
    assert!(zipped.body.len() < script.body.len() / 4);
    let icon = stage.get("/favicon.svg").await;
    assert_eq!((icon.header("content-type"), icon.header("cache-control")), ("image/svg+xml", "no-cache"));
    let tag = icon.header("etag");
    let again = stage.get_with("/favicon.svg", &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_neither_the_page_nor_a_file_of_it_is_a_404() {
    let stage = stage_with_a_page().await;
    let html = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
    for path in [
        "/assets/",
        "/assets/old-9.js",
        "/robots.txt",
        "/main.js.map",
        "/assets/main",
        "/metrics",
        "/nosuch",
        "/runs/some/where",
        "/index.htm",
        "//",
        "/index.html/",
    ] {
        stage.get(path).await.problem(404);
        let page = stage.get_with(path, &html).await;
        assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
        assert!(page.text().contains("<main>") && page.text().contains("To the map"), "{path}");
        assert!(!page.text().contains("csp-nonce"), "{path}: this is not the page");
    }
    let below = stage.get_with("/runs/some/where", &html).await;
    assert!(
        below.text().contains("href=\"../../\""),
        "the way home is right below a prefix: {}",
        below.text()
    );
    // Programs get the same problem whatever the interface is asked for.
    stage.get_with("/api/v1/nosuch", &html).await.problem(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_page() {
    let stage = stage_with_a_page().await;
    for path in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../etc/passwd",
        "/assets/..%5c..%5cetc%5cpasswd",
        "/....//....//etc/passwd",
        "//etc/passwd",
        "/etc/passwd%00.js",
        "/file:///etc/passwd",
    ] {
        let answer = stage.get(path).await;
        assert!(!answer.text().contains("root:"), "{path}");
        assert!(answer.status == 404 || answer.text().contains("csp-nonce"), "{path}: {}", answer.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_a_page_is_refused_before_there_is_a_port() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = "sqlite:/nowhere".parse::<StoreLocation>().expect("a location").queries();
    let config = |web_dir: &Path| Config { web_dir: Some(web_dir.to_owned()), ..Config::default() };
    let empty = Server::new(store.clone(), config(folder.path()));
    assert!(matches!(empty, Err(ConfigError::Page(PageError::NoIndex { .. }))));
    let missing = Server::new(store, config(&folder.path().join("missing")));
    assert!(matches!(missing, Err(ConfigError::Page(PageError::Unreadable { .. }))));
}
