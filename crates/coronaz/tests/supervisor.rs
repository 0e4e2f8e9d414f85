//! `coronaz up` says plainly when something of the laboratory is not there.

use std::{
    io::{BufRead, BufReader},
    net::{TcpListener, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use coronaz_testkit::radio::free_radio;

const PATIENCE: Duration = Duration::from_secs(60);

/// A `coronaz up` whose lines, of both outputs, are read as they come. Dropping it kills it, and its parts with it.
struct Up {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Up {
    fn start(command: &mut Command) -> Up {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (send, lines) = mpsc::channel();
        let read = |output: Box<dyn std::io::Read + Send>| {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // The test may have all it wants to know.
                    let _ = send.send(line);
                }
            });
        };
        read(Box::new(child.stdout.take().expect("a pipe")));
        read(Box::new(child.stderr.take().expect("a pipe")));
        Up { child, lines }
    }

    /// Reads on to a line that contains these words.
    fn until(&self, words: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut read = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            let found = line.contains(words);
            read.push(line);
            if found {
                return read;
            }
        }
        panic!("no line with {words:?} in:\n{}", read.join("\n"));
    }

    /// All lines of the next while.
    fn during(&self, time: Duration) -> Vec<String> {
        let deadline = Instant::now() + time;
        let mut read = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            read.push(line);
        }
        read
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen() -> String {
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    free.local_addr().expect("its address").to_string()
}

fn arguments(home: &Path, nodes: u32, radio: &str) -> Vec<String> {
    vec![
        "up".to_owned(),
        "--no-menu".to_owned(),
        format!("--nodes={nodes}"),
        "--infected=1".to_owned(),
        format!("--listen={}", listen()),
        format!("--radio={radio}"),
        format!("--data-dir={}", home.join("lab").display()),
    ]
}

#[test]
fn a_laboratory_whose_devices_cannot_start_says_so_once_and_that_they_run_later() {
    let home = tempfile::tempdir().expect("a folder");
    // Without sharing it: nobody else gets the port.
    let held = UdpSocket::bind(("0.0.0.0", 0)).expect("a free port");
    let port = held.local_addr().expect("its address").port();
    let radio = format!("127.255.255.255:{port}");
    let up = Up::start(Command::new(env!("CARGO_BIN_EXE_coronaz")).args(arguments(home.path(), 3, &radio)));
    up.until("CoronaZ is at");
    let said = up.until("! devices-1 cannot run: ").pop().expect("a line");
    assert!(said.contains(&port.to_string()) && said.contains("started again"), "{said}");
    let repeated = up.during(Duration::from_secs(12));
    let again =
        repeated.iter().filter(|line| line.contains("cannot run") || line.contains("ended with exit code"));
    assert!(again.count() <= 1, "said once: {repeated:#?}");
    drop(held);
    up.until("! devices-1 runs now");
}

#[test]
fn devices_for_which_there_are_not_enough_open_files_are_named_once_and_not_started_again() {
    let home = tempfile::tempdir().expect("a folder");
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -n 1000 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_coronaz")]);
    let up = Up::start(limited.args(arguments(home.path(), 1_000, &free_radio())));
    let mut read = up.until("! devices-1 cannot run: ");
    let said = read.last().expect("a line");
    assert!(said.contains("open files") && said.contains("not started again"), "{said}");
    read.extend(up.during(Duration::from_secs(8)));
    let said = read.iter().filter(|line| line.starts_with("! "));
    assert_eq!(said.count(), 1, "{read:#?}");
    assert!(!read.iter().any(|line| line.contains("; starting it again")), "{read:#?}");
}

#[test]
fn a_run_that_a_new_start_ends_names_where_its_unsent_contacts_are() {
    let home = tempfile::tempdir().expect("a folder");
    let start = |more: &[&str]| {
        let arguments = arguments(home.path(), 3, &free_radio());
        Up::start(Command::new(env!("CARGO_BIN_EXE_coronaz")).args(arguments).args(more))
    };
    let first = start(&[]);
    first.until("Operator: ");
    drop(first);
    let spools = home.path().join("lab/spool");
    let said = start(&["--new"]).until("what its devices had not sent").pop().expect("a line");
    let run = std::fs::read_dir(spools).expect("spools").next().expect("a run's").expect("readable").path();
    assert!(said.contains(&*run.to_string_lossy()), "{said}");
}

#[test]
fn a_first_start_prints_no_warning() {
    let home = tempfile::tempdir().expect("a folder");
    let up =
        Up::start(Command::new(env!("CARGO_BIN_EXE_coronaz")).args(arguments(home.path(), 5, &free_radio())));
    let mut read = up.until("Operator: ");
    read.extend(up.during(Duration::from_secs(3)));
    let warned: Vec<_> =
        read.iter().filter(|line| line.contains(" WARN") || line.contains(" ERROR")).collect();
    assert!(warned.is_empty(), "{read:#?}");
}

#[test]
fn what_a_laboratory_writes_is_its_owners_alone() {
    let home = tempfile::tempdir().expect("a folder");
    let lab = home.path().join("lab");
    std::fs::create_dir(&lab).expect("a folder");
    std::fs::set_permissions(&lab, std::fs::Permissions::from_mode(0o755)).expect("ours");
    let mut open = Command::new("/bin/sh");
    open.args(["-c", "umask 0 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_coronaz")]);
    let up = Up::start(open.args(arguments(home.path(), 5, &free_radio())));
    up.until("Operator: ");
    let mut folders = vec![lab];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            // A part may remove what it has just made.
            let Ok(entry) = entry else { continue };
            let Ok(metadata) = entry.metadata() else { continue };
            seen += 1;
            assert_eq!(metadata.permissions().mode() & 0o077, 0, "{}", entry.path().display());
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert!(seen > 15, "the files of all parts: {seen}");
}
