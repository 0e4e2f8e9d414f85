//! Measures devices of one process on a real radio: how much they hear, and what they cost.
//!
//! `cargo run --release -p coronaz-devices --example hearing -- [SECONDS] [DEVICES…]` prints a table.
//! Each row is a process of its own, so that memory and processor time are its own.

use std::{process::Command, sync::Arc, time::Duration};

use coronaz_bus::{MemoryBus, RecordSink};
use coronaz_devices::{NodesConfig, Stop, nodes, scenario};
use coronaz_model::{Parameters, Spawn};
use coronaz_radio::{UdpConfig, udp::THIS_MACHINE};

/// Set for the process of one row.
const ROW: &str = "CORONAZ_HEARING_ROW";

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let seconds = numbers.next().unwrap_or(20);
    let mut devices: Vec<u64> = numbers.collect();
    if devices.is_empty() {
        devices = vec![100, 500, 1_000];
    }
    if std::env::var_os(ROW).is_some() {
        return row(devices[0], seconds);
    }
    println!(
        "| devices | seconds | share heard | beacons heard a second | seconds skipped | cores | CPU a device | memory | memory a device |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for count in devices {
        let this = std::env::current_exe().expect("this program");
        let arguments = [seconds.to_string(), count.to_string()];
        let status = Command::new(this).args(arguments).env(ROW, "1").status().expect("started");
        assert!(status.success(), "{count} devices: {status}");
    }
}

fn row(devices: u64, seconds: u64) {
    let bus = MemoryBus::new(4);
    let sink: Arc<dyn RecordSink> = Arc::new(bus.sink());
    let config = NodesConfig {
        run: None,
        scenario: scenario::find("paper").expect("built in"),
        parameters: Parameters { zombie_lifetime: 0, ..Parameters::default() },
        seed: 1,
        spawns: (0..devices).map(|number| Spawn { infected: number == 0, ..Spawn::default() }).collect(),
        // Its own port: nothing else is heard.
        radio: UdpConfig { destination: std::net::SocketAddrV4::new(*THIS_MACHINE.ip(), 47_301) },
        radio_key: None,
        spool: None,
        journal: None,
        live_for: Some(Duration::from_secs(seconds + 1)),
        encoding: coronaz_devices::outbox::Encoding::Json,
        announces: true,
        console: None,
    };
    let before_s = processor_s();
    let summary = nodes::run(config, &sink, &Stop::default()).expect("the devices start");
    let figures = summary.figures;
    // Every beacon is for everybody else. Of the last, broken second some are sent and not heard.
    let share = figures.beacons_heard as f64 / (figures.beacons_sent * (devices - 1)) as f64;
    let lived_s = figures.device_seconds as f64 / devices as f64;
    let processor = (processor_s() - before_s) / lived_s;
    let memory_kib = memory_peak_kib();
    println!(
        "| {devices} | {lived_s:.0} | {:.2}% | {:.0} | {} | {processor:.2} | {:.2}% of a core | {:.0} MiB | {:.0} KiB |",
        100.0 * share.min(1.0),
        figures.beacons_heard as f64 / lived_s,
        figures.seconds_skipped,
        100.0 * processor / devices as f64,
        memory_kib as f64 / 1024.0,
        memory_kib as f64 / devices as f64,
    );
}

/// Processor time of this process so far, in seconds, the kernel's share included.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks = |place: usize| fields[place].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

/// The most memory this process had at once, in KiB.
fn memory_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}
