//! Every part of a laboratory that runs for a while takes no more memory after a while than before: what is put into a
//! queue is also taken out of it.
//!
//! `CORONAZ_SOAK_S` says for how many seconds (default 120), `CORONAZ_SOAK_KIB_A_MINUTE` by how much a part may grow
//! (default 700 KiB a minute: over two minutes an allocator's habits are larger than a slow leak). `scripts/soak.sh` runs it
//! for an hour, with a bound of 60.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coronaz_store::StoreLocation;
use coronaz_testkit::wait::wait_for;
use rustix::process::{Pid, Signal, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// So much of the time is for caches to fill: the slope is that of the rest.
const WARM_UP: f64 = 0.4;

struct Laboratory(Child);

impl Laboratory {
    fn start(folder: &Path) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_coronaz"))
            .args(["up", "--no-menu", "--nodes=20", "--seed=5", "--listen=127.0.0.1:0"])
            .arg(format!("--radio={}", coronaz_testkit::radio::free_radio()))
            .arg(format!("--data-dir={}", folder.join("data").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("coronaz runs");
        Self(child)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn stop(mut self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, Signal::INT).expect("our child");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Laboratory {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn setting(name: &str, default: f64) -> f64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

/// The laboratory's process and its children, by what they are.
fn parts(supervisor: u32) -> BTreeMap<u32, String> {
    let mut parts = BTreeMap::from([(supervisor, "up".to_owned())]);
    for entry in std::fs::read_dir("/proc").expect("Linux").flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let read = |name: &str| std::fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        let stat = read("stat");
        // "pid (name) state parent …": the name may hold anything.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if parent == Some(supervisor) {
            let arguments = read("cmdline");
            let mut words = arguments.split('\0');
            let program = words.next().unwrap_or_default();
            let is_broker = program.ends_with("coronaz-broker");
            let name = if is_broker { "broker" } else { words.next().unwrap_or_default() };
            parts.insert(pid, name.to_owned());
        }
    }
    parts
}

/// Memory that is its own, in KiB: files that are mapped, as the store's is, come and go with the system's cache.
fn anonymous_kib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The slope of a line through the points, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let up: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let over: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    up / over.max(f64::MIN_POSITIVE)
}

#[test]
fn no_part_grows_while_the_laboratory_runs() {
    let length = Duration::from_secs_f64(setting("CORONAZ_SOAK_S", 120.0));
    let bound = setting("CORONAZ_SOAK_KIB_A_MINUTE", 700.0);
    let folder = tempfile::tempdir().expect("a folder");
    let laboratory = Laboratory::start(folder.path());
    let store: StoreLocation =
        format!("sqlite:{}", folder.path().join("data/store.db").display()).parse().expect("a store");
    wait_for("reports to be stored", PATIENCE, || {
        let runs = store.queries().runs().unwrap_or_default();
        runs.iter().any(|run| run.reports > 20).then_some(())
    });
    let parts = parts(laboratory.pid());
    let names: Vec<&str> = parts.values().map(String::as_str).collect();
    for part in ["up", "broker", "ingest", "serve", "node"] {
        assert!(names.contains(&part), "there is no {part} among {names:?}");
    }
    let mut looks: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
    let begun = Instant::now();
    while begun.elapsed() < length {
        for &pid in parts.keys() {
            let kib = anonymous_kib(pid).unwrap_or_else(|| panic!("{} has ended", parts[&pid]));
            looks.entry(pid).or_default().push((begun.elapsed().as_secs_f64() / 60.0, kib));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    laboratory.stop();
    let from = length.as_secs_f64() / 60.0 * WARM_UP;
    let mut grown = Vec::new();
    for (pid, points) in looks {
        let warm: Vec<(f64, f64)> = points.into_iter().filter(|point| point.0 >= from).collect();
        let (grows, last) = (slope(&warm), warm.last().map_or(0.0, |point| point.1));
        println!("{}: {last:.0} KiB, {grows:.0} KiB a minute", parts[&pid]);
        if grows > bound {
            grown.push(format!("{} by {grows:.0} KiB a minute", parts[&pid]));
        }
    }
    assert!(grown.is_empty(), "{grown:?} and may by {bound}");
}
