//! The real `coronaz up`, started in a folder of its own, and taken apart by tests.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::wait::wait_for;

/// A laboratory under test. Dropping it stops it.
#[derive(Debug)]
pub struct Laboratory {
    coronaz: PathBuf,
    child: Child,
    folder: tempfile::TempDir,
    /// Where its page answers.
    pub address: SocketAddr,
}

/// How long a page may take to answer, on the slowest machine that tests should pass on.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a part may take to come back.
const BACK_WITHIN: Duration = Duration::from_secs(30);

impl Laboratory {
    /// Starts `coronaz up` with these arguments, a free port for the page and a radio address of its own, so that
    /// laboratories of tests that run side by side do not hear each other; waits for the page's address.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(coronaz: &Path, arguments: &[&str]) -> Laboratory {
        let folder = tempfile::tempdir().expect("a folder");
        let (child, address) = spawn(coronaz, folder.path(), arguments);
        Laboratory { coronaz: coronaz.to_owned(), child, folder, address }
    }

    /// Kills the supervisor with SIGKILL, and starts another on the same folder once its parts are gone.
    ///
    /// # Panics
    /// When it does not start.
    pub fn kill_and_start_again(&mut self, arguments: &[&str]) {
        self.child.kill().expect("our child");
        self.start_again(arguments);
    }

    /// Starts another on the same folder, when this one has ended.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&mut self, arguments: &[&str]) {
        self.child.wait().expect("our child");
        (self.child, self.address) = spawn(&self.coronaz, self.folder.path(), arguments);
    }

    /// Runs `coronaz` with these arguments and the laboratory's data folder.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Output {
        let mut command = Command::new(&self.coronaz);
        command.args(arguments).arg(format!("--data-dir={}", self.data_dir().display()));
        command.output().expect("coronaz runs")
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process of a part, once it runs.
    ///
    /// # Panics
    /// When it does not come back in time.
    #[must_use]
    pub fn pid_of(&self, part: &str) -> u32 {
        wait_for(&format!("the process of {part}"), BACK_WITHIN, || {
            let output = self.command(["parts", "--format=json"]);
            let parts: Value = serde_json::from_slice(&output.stdout).ok()?;
            let part = parts.as_array()?.iter().find(|p| p["name"] == part)?;
            u32::try_from(part["pid"].as_u64()?).ok()
        })
    }

    /// Kills a part with SIGKILL, and again whenever it comes back, until `for_how_long` is over.
    ///
    /// # Panics
    /// When it does not come back in between.
    pub fn keep_down(&self, part: &str, for_how_long: Duration) {
        let until = std::time::Instant::now() + for_how_long;
        while std::time::Instant::now() < until {
            kill(self.pid_of(part), Signal::KILL);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `GET` of a path; the status and the body as JSON (null when it is none).
    #[must_use]
    pub fn get(&self, path: &str) -> Option<(u16, Value)> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            .build()
            .into();
        let mut response = agent.get(format!("http://{}{path}", self.address)).call().ok()?;
        let status = response.status().as_u16();
        Some((status, response.body_mut().read_json().unwrap_or(Value::Null)))
    }

    /// A request with headers and, unless it is null, a JSON body; the status and the body as JSON (null when it is none).
    #[must_use]
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Option<(u16, Value)> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(15)))
            .build()
            .into();
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answered = if body.is_null() {
            agent.run(request.body(()).ok()?)
        } else {
            let request = request.header("content-type", "application/json");
            agent.run(request.body(body.to_string()).ok()?)
        };
        let mut response = answered.ok()?;
        let status = response.status().as_u16();
        Some((status, response.body_mut().read_json().unwrap_or(Value::Null)))
    }

    /// Stops the laboratory as Ctrl-C does, and waits for its end.
    ///
    /// # Panics
    /// When it does not stop, or stops with a failure.
    pub fn stop(&mut self) {
        kill(self.child.id(), Signal::INT);
        let status =
            wait_for("the laboratory to stop", BACK_WITHIN, || self.child.try_wait().expect("our child"));
        assert!(status.success(), "coronaz up ended with {status}");
    }

    /// Waits for the end of a laboratory that was started with `--for`.
    ///
    /// # Panics
    /// When it does not end in time, or ends with a failure.
    pub fn wait(&mut self, within: Duration) {
        let status = wait_for("the laboratory to end", within, || self.child.try_wait().expect("our child"));
        assert!(status.success(), "coronaz up ended with {status}");
    }

    /// The auditor's verdict as JSON, and whether it is content.
    ///
    /// # Panics
    /// When the auditor prints no verdict.
    #[must_use]
    pub fn audit(&self) -> (Value, bool) {
        let output = Command::new(&self.coronaz)
            .args(["audit", "--ended", "--json"])
            .arg(format!("--store=sqlite:{}", self.data_dir().join("store.db").display()))
            .arg(format!("--journal={}", self.folder.path().join("journal").display()))
            .output()
            .expect("coronaz runs");
        let verdict = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("no verdict: {}", String::from_utf8_lossy(&output.stderr)));
        (verdict, output.status.success())
    }
}

impl Drop for Laboratory {
    fn drop(&mut self) {
        // Its parts stop with it: their standard input ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    // It may have ended by itself in the meantime.
    let _ = kill_process(pid, signal);
}

/// Starts `coronaz up` in a folder, and waits for the page's address.
fn spawn(coronaz: &Path, folder: &Path, arguments: &[&str]) -> (Child, SocketAddr) {
    let listen = free_loopback();
    let radio = crate::radio::free_radio();
    let mut child = Command::new(coronaz)
        .args(["up", "--no-menu", "--radio", &radio])
        .arg(format!("--listen={listen}"))
        .arg(format!("--data-dir={}", folder.join("data").display()))
        .arg(format!("--journal={}", folder.join("journal").display()))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("coronaz starts");
    let stdout = child.stdout.take().expect("its output is a pipe");
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // The test may have all it wants to know.
            let _ = send.send(line);
        }
    });
    let first = receive.recv_timeout(READY_WITHIN).expect("a first line: the page's address");
    assert_eq!(first, format!("CoronaZ is at http://{listen}/"));
    (child, listen)
}

/// A loopback address that nobody listens on now.
fn free_loopback() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address")
}
