//! `coronaz serve` as a process: how it starts, refuses, and stops.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
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
}
