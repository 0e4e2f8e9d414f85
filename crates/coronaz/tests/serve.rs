//! `coronaz serve` as a process: how it starts, refuses, and stops.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Output, Stdio},
};

/// A server that is stopped when the test ends, however it ends.
struct Serving {
    child: Child,
    first_line: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coronaz"));
    command.arg("serve").args(arguments).stdin(Stdio::null());
    command
}

fn begin(arguments: &[&str]) -> Serving {
    let spawned = serve(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = spawned.expect("the program starts");
    let out = child.stdout.take().expect("its output is a pipe");
    let mut first_line = String::new();
    BufReader::new(out).read_line(&mut first_line).expect("it says something");
    Serving { child, first_line }
}

fn refused(arguments: &[&str], code: i32) -> String {
    let Output { status, stderr, .. } = serve(arguments).output().expect("the program starts");
    let text = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(code), "{text}");
    text
}

#[test]
fn it_says_where_it_listens_and_ends_well_on_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = format!("--store=sqlite:{}", folder.path().join("store.db").display());
    let mut serving = begin(&[&store, "--listen=127.0.0.1:0"]);
    let port = serving.first_line.trim().strip_prefix("listening on http://127.0.0.1:").map(str::to_owned);
    assert!(port.is_some_and(|port| port.parse().is_ok_and(|port: u16| port > 0)), "{}", serving.first_line);
    let stopped = Command::new("kill").arg(serving.child.id().to_string()).status().expect("kill is there");
    assert!(stopped.success());
    assert_eq!(serving.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let text = refused(&["--listen", &address], 69);
    assert!(text.contains(&format!("{address} is in use")), "{text}");
}

#[test]
fn it_does_not_open_to_others_without_a_token() {
    let text = refused(&["--listen=0.0.0.0:0"], 64);
    assert!(text.contains("--token-file"), "{text}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "short").expect("a file");
    let text = refused(&["--listen=0.0.0.0:0", "--token-file", &file.display().to_string()], 64);
    assert!(text.contains("16 to 1024"), "{text}");
}

#[test]
fn a_wrong_value_says_what_would_be_right() {
    assert!(refused(&["--store=mysql://x"], 64).contains("sqlite:PATH"));
    assert!(refused(&["--listen=3000"], 64).contains("--listen"));
    assert!(refused(&["--web-dir=/no/such/folder"], 64).contains("/no/such/folder"));
    assert!(refused(&["--allow-origin=localhost:8080"], 64).contains("http://localhost:8080"));
}

/// A server whose log is a file.
struct Logging {
    serving: Serving,
    folder: tempfile::TempDir,
}

impl Logging {
    fn begin(arguments: &[&str]) -> Logging {
        let folder = tempfile::tempdir().expect("a folder");
        let store = format!("--store=sqlite:{}", folder.path().join("store.db").display());
        let log = std::fs::File::create(folder.path().join("log")).expect("a file");
        let mut command = serve(&[&[store.as_str(), "--listen=127.0.0.1:0"], arguments].concat());
        let spawned = command.env_remove("CORONAZ_LOG").stdout(Stdio::piped()).stderr(log).spawn();
        let mut child = spawned.expect("the program starts");
        let mut first_line = String::new();
        let out = child.stdout.take().expect("its output is a pipe");
        BufReader::new(out).read_line(&mut first_line).expect("it says something");
        Logging { serving: Serving { child, first_line }, folder }
    }

    /// Sends a request's head, without `Host`, and a body; gives the first line of the answer.
    fn ask(&self, head: &str, body: &str) -> String {
        let line = self.serving.first_line.trim();
        let address = line.strip_prefix("listening on http://").expect("an address");
        let mut stream = TcpStream::connect(address).expect("a connection");
        let request = format!("{head}\r\nhost: {address}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(request.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        answer
    }

    /// What it logged, when it has ended.
    fn said(self) -> String {
        drop(self.serving);
        std::fs::read_to_string(self.folder.path().join("log")).expect("text")
    }
}

#[test]
fn a_store_that_is_not_there_yet_is_waited_for_without_a_warning() {
    let serving = Logging::begin(&[]);
    for _ in 0..20 {
        assert!(serving.ask("GET /readyz HTTP/1.1", "").starts_with("HTTP/1.1 503"));
    }
    let said = serving.said();
    assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
    assert_eq!(said.matches("waiting for the store").count(), 1, "{said}");
}

#[test]
fn refused_live_connections_and_failed_sign_ins_are_logged_and_not_by_the_thousand() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, "0123456789abcdef\n").expect("a file");
    let serving = Logging::begin(&["--token-file", &file.display().to_string()]);
    let live = "GET /api/v1/runs/00000000-0000-0000-0000-000000000000/live HTTP/1.1\r\nupgrade: websocket\r\n\
        connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        origin: http://other.example";
    let form = "POST /login HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded";
    for _ in 0..8 {
        assert!(serving.ask(live, "").starts_with("HTTP/1.1 403"));
        assert!(serving.ask(form, "token=a-wrong-token-it-is").starts_with("HTTP/1.1 401"));
    }
    let said = serving.said();
    assert!(!said.contains("a-wrong-token"), "a token is in the log: {said}");
    for line in ["a live connection was refused", "a sign-in failed"] {
        let lines = said.matches(line).count();
        assert!((1..=8).contains(&lines), "{line}: {said}");
    }
    assert!(said.contains("http://other.example"), "{said}");
}
