//! A process of devices, and somebody who listens to all they broadcast.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddrV4,
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use coronaz_bus::{ContentType, MemoryBus, RecordSink};
use coronaz_devices::{NodesConfig, Stop, Summary, nodes, scenario};
use coronaz_model::{Parameters, Spawn};
use coronaz_radio::{Radio, UdpConfig, UdpRadio, udp::THIS_MACHINE};
use coronaz_wire::{Beacon, Report, timestamp::SECOND_US};
use uuid::Uuid;

pub(crate) const RUN: Uuid = Uuid::from_u128(0x0c04_0a2a);

/// A radio port of a test's own.
pub(crate) fn on_port(port: u16) -> UdpConfig {
    UdpConfig { destination: SocketAddrV4::new(*THIS_MACHINE.ip(), port) }
}

/// So many devices, the first of them infected.
pub(crate) fn config(count: usize, infected: usize, parameters: Parameters, port: u16) -> NodesConfig {
    NodesConfig {
        run: Some(RUN),
        scenario: scenario::find("paper").expect("built in"),
        parameters,
        seed: 7,
        spawns: (0..count).map(|i| Spawn { infected: i < infected, ..Spawn::default() }).collect(),
        radio: on_port(port),
        radio_key: None,
        spool: None,
        journal: None,
        live_for: None,
        encoding: coronaz_devices::outbox::Encoding::Json,
        announces: true,
        console: None,
    }
}

/// A process of devices in a thread.
pub(crate) struct Process {
    pub(crate) stop: Stop,
    thread: JoinHandle<Summary>,
}

impl Process {
    pub(crate) fn start(config: NodesConfig, bus: &MemoryBus) -> Self {
        let stop = Stop::default();
        let (asked, sink) = (stop.clone(), Arc::new(bus.sink()) as Arc<dyn RecordSink>);
        let run = move || nodes::run(config, &sink, &asked).expect("the devices start");
        Process { stop, thread: std::thread::spawn(run) }
    }

    pub(crate) fn end(self) -> Summary {
        self.thread.join().expect("the devices do not panic")
    }
}

/// Everything in the air, heard by a stranger.
pub(crate) struct Listener {
    stop: Stop,
    thread: JoinHandle<Vec<Beacon>>,
}

impl Listener {
    pub(crate) fn start(port: u16) -> Self {
        let mut radio = UdpRadio::new(on_port(port)).expect("loopback broadcasts");
        let stop = Stop::default();
        let asked = stop.clone();
        let listen = move || {
            let mut beacons = Vec::new();
            loop {
                let last = asked.is_asked();
                let count = radio
                    .receive(&mut |bytes, _| beacons.extend(Beacon::decode(bytes)))
                    .expect("the radio can be read");
                if last && count == 0 {
                    return beacons;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        Listener { stop, thread: std::thread::spawn(listen) }
    }

    pub(crate) fn end(self) -> Vec<Beacon> {
        self.stop.ask();
        self.thread.join().expect("listening does not panic")
    }
}

/// A contact: second, hearer, heard.
pub(crate) type Met = (i64, Uuid, Uuid);

/// The contacts that the positions broadcast give: whoever is in range of whom, second by second.
/// In the second of its death a device is heard, but hears nothing.
pub(crate) fn contacts_of_positions(beacons: &[Beacon], radius: f64) -> BTreeSet<Met> {
    let mut seconds: BTreeMap<i64, BTreeMap<Uuid, &Beacon>> = BTreeMap::new();
    for beacon in beacons {
        seconds.entry(beacon.timestamp_us.div_euclid(SECOND_US)).or_default().insert(beacon.uuid, beacon);
    }
    let mut met = BTreeSet::new();
    for (second, present) in &seconds {
        for (hearer, own) in present.iter().filter(|(_, own)| own.alive) {
            for (heard, other) in present.iter().filter(|(heard, _)| *heard != hearer) {
                let [dx, dy] = [0, 1].map(|axis| f64::from(own.position[axis] - other.position[axis]));
                if dx.hypot(dy) <= radius {
                    met.insert((*second, *hearer, *heard));
                }
            }
        }
    }
    met
}

/// All reports on the bus, in order within a device.
pub(crate) fn reports(bus: &MemoryBus) -> Vec<Report> {
    let partitions = 0..i32::try_from(bus.partitions()).expect("few");
    let messages = partitions.flat_map(|partition| bus.records(partition));
    messages
        .filter(|message| message.content_type == ContentType::JSON)
        .map(|message| Report::decode(&message.payload).expect("our own report"))
        .collect()
}

/// The contacts in reports; fails if one is there twice.
pub(crate) fn contacts_of_reports(reports: &[Report]) -> BTreeSet<Met> {
    let mut met = BTreeSet::new();
    for report in reports {
        for contact in &report.contacts {
            let second = contact.timestamp_us.div_euclid(SECOND_US);
            assert!(met.insert((second, report.uuid, contact.uuid)), "a contact is reported twice");
        }
    }
    met
}
