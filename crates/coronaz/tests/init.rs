//! `coronaz init`, as a stranger would call it.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

fn init(dir: &Path, flags: &[&str], answers: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_coronaz"))
        .args(["init", "--dir"])
        .arg(dir)
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that asks nothing may have ended already.
    let _ = stdin.write_all(answers.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_papers_questions_are_asked_and_the_answers_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let said =
        init(dir.path(), &["--nodes", "20", "--infected", "2", "--port", "3456"], "50\n\n\nno\n60\n\n\n");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let asked = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(asked.contains("field_width (units) [100]"), "{asked}");

    let scenario = read(dir.path(), "scenario.toml");
    for line in
        ["nodes = 18", "infected = 2", "field_width = 50", "field_height = 100", "zombie_lifetime = 60"]
    {
        assert!(scenario.contains(line), "{line} is missing:\n{scenario}");
    }
    let environment = read(dir.path(), ".env");
    for line in ["CORONAZ_SAFE=18", "CORONAZ_INFECTED=2", "CORONAZ_PORT=3456"] {
        assert!(environment.contains(line), "{line} is missing:\n{environment}");
    }
    let seed = environment.lines().find_map(|line| line.strip_prefix("CORONAZ_SEED=")).expect("a seed");
    assert!(scenario.contains(&format!("seed = {seed}")), "{scenario}");
}

#[test]
fn secrets_are_drawn_once_and_nobody_else_can_enter_their_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(init(dir.path(), &["--yes"], "").status.success());
    let mode = fs::metadata(dir.path().join("secrets")).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let token = read(dir.path(), "secrets/operator-token");
    assert_eq!(token.len(), 64);
    assert_ne!(token, read(dir.path(), "secrets/mongodb-password"));
    assert!(!read(dir.path(), ".env").contains(&token), "a secret stands in .env");

    assert!(init(dir.path(), &["--yes", "--force"], "").status.success());
    assert_eq!(read(dir.path(), "secrets/operator-token"), token, "a database would not know the new one");
}

#[test]
fn what_is_there_is_not_written_over_unless_asked() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join(".env"), "MINE=1\n").expect("written");
    let said = init(dir.path(), &["--yes"], "");
    assert_eq!(said.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&said.stderr).contains("--force"));
    assert_eq!(read(dir.path(), ".env"), "MINE=1\n");
    assert!(!dir.path().join("scenario.toml").exists(), "nothing half done");
}

#[test]
fn questions_without_answers_write_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let said = init(dir.path(), &[], "50\n");
    assert_eq!(said.status.code(), Some(64));
    assert!(fs::read_dir(dir.path()).expect("a folder").next().is_none());
}
