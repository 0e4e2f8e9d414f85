//! The embedded broker at an address that the user chose, and where that is shown.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

fn coronaz() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_coronaz"))
}

fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").to_string()
}

struct Up {
    child: Child,
    data_dir: PathBuf,
    /// What it printed first.
    first_lines: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Up {
    fn start(broker: &str) -> Up {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = folder.path().join("data");
        let mut child = Command::new(coronaz())
            .args(["up", "--no-menu", "--nodes=0", "--infected=0", "--listen=127.0.0.1:0"])
            .arg(format!("--broker-listen={broker}"))
            .arg(format!("--data-dir={}", data_dir.display()))
            .arg(format!("--radio={}", coronaz_testkit::radio::free_radio()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("coronaz starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let mut first_lines: Vec<String> = Vec::new();
        while !first_lines.last().is_some_and(|line| line.starts_with("Operator")) {
            first_lines.push(lines.next().expect("it says where it is"));
        }
        std::thread::spawn(move || lines.for_each(drop));
        Up { child, data_dir, first_lines, _folder: folder }
    }

    fn parts(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(coronaz());
        let data_dir = format!("--data-dir={}", self.data_dir.display());
        let output = command.arg("parts").args(arguments).arg(data_dir).output().expect("coronaz runs");
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Its parts end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_broker_listens_where_the_user_says_and_up_and_parts_show_it() {
    let broker = free();
    let up = Up::start(&broker);
    let line = format!("Kafka clients connect to {broker}.");
    assert!(up.first_lines.contains(&line), "{:?}", up.first_lines);
    let parts: Value = serde_json::from_str(&up.parts(&["--format=json"])).expect("JSON");
    let parts = parts.as_array().expect("parts");
    let shown = parts.iter().find(|part| part["name"] == "broker").expect("a broker");
    assert_eq!(shown["address"], broker.as_str());
    let ingest = parts.iter().find(|part| part["name"] == "ingest").expect("a consumer");
    assert_eq!(ingest["address"], Value::Null, "nobody connects to it");
    let table = up.parts(&[]);
    let row = table.lines().find(|line| line.starts_with("broker ")).expect("a row");
    assert!(row.ends_with(&broker), "{table}");
    std::net::TcpStream::connect(&broker).expect("the broker accepts connections there");
}

#[test]
fn an_address_that_is_taken_or_off_this_machine_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let up = |arguments: &[&str]| -> Output {
        let data_dir = format!("--data-dir={}", folder.path().join("data").display());
        let common = ["up", "--no-menu", "--listen=127.0.0.1:0", &data_dir];
        Command::new(coronaz()).args(common).args(arguments).output().expect("coronaz runs")
    };
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = holder.local_addr().expect("its address").to_string();
    let refused = up(&["--broker-listen", &taken]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(69), "{said}");
    assert!(said.contains(&taken) && said.contains("--broker-listen ADDR:PORT"), "{said}");
    drop(holder);
    for (wrong, right) in [("0.0.0.0:9092", "127.0.0.1:9092"), ("9092", "127.0.0.1:9092")] {
        let refused = up(&["--broker-listen", wrong]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(64), "{said}");
        assert!(said.contains(right), "{said}");
    }
    let both = up(&["--broker-listen", "127.0.0.1:9092", "--broker", "127.0.0.1:9092"]);
    assert_eq!(both.status.code(), Some(64), "one broker or the other");
    assert!(!folder.path().join("data").join("broker").exists());
}
