//! "Any datagram: a counted, logged rejection; never a crash, a stall, an infection, or a wrong row."

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use coronaz_bus::MemoryBus;
use coronaz_model::Parameters;
use coronaz_radio::{Radio, Refusal, UdpRadio};
use coronaz_wire::{Beacon, seal::RadioKey};
use uuid::Uuid;

use crate::air::{
    Listener, Process, RUN, config, contacts_of_positions, contacts_of_reports, on_port, reports,
};

const DEVICES: u64 = 6;

/// Lines of the log.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lines").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn everywhere() -> Parameters {
    // In range of everybody, so that whatever is heard is a contact.
    Parameters { infection_radius: 1_000.0, zombie_lifetime: 0, ..Parameters::default() }
}

fn stranger() -> Beacon {
    Beacon {
        uuid: Uuid::from_u128(0xbad),
        position: [5, 5],
        infected: true,
        timestamp_us: 1_606_925_945_123_456,
        alive: true,
        run: Some(RUN),
        tick: None,
    }
}

/// What strangers may send, and as what it is refused.
fn hostile() -> Vec<(Vec<u8>, Refusal)> {
    let random = |length: usize| (0..length).map(|i| (i * 7_919 % 251) as u8).collect::<Vec<u8>>();
    let beacon = String::from_utf8(stranger().encode()).expect("JSON is text");
    let changed = |from: &str, to: &str| {
        assert!(beacon.contains(from), "{beacon}");
        beacon.replace(from, to).into_bytes()
    };
    vec![
        (Vec::new(), Refusal::NotJson),
        (random(1_024), Refusal::NotJson),
        (random(65_507), Refusal::TooLong),
        (b"stop".to_vec(), Refusal::NotJson),
        (b"[[[[[[[[[[[[[[[[".to_vec(), Refusal::NotJson),
        ("[".repeat(1_000).into_bytes(), Refusal::NotJson),
        (changed("\"infected\":true,", ""), Refusal::NotJson),
        (changed("true", "1"), Refusal::NotJson),
        (changed("[5,5]", "\"here\""), Refusal::NotJson),
        (changed("[5,5]", "[1e99,5]"), Refusal::NotJson),
        (changed("[5,5]", "[-1,5]"), Refusal::BadValue),
        (changed("[5,5]", "[5,101]"), Refusal::OffField),
        (changed("2020-12-02", "yesterday"), Refusal::NotJson),
        (Beacon { run: Some(Uuid::from_u128(2)), ..stranger() }.encode(), Refusal::OtherRun),
    ]
}

#[test]
fn what_strangers_send_is_counted_logged_once_a_second_and_has_no_other_effect() {
    let port = 27_211;
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
    // The only test that looks at the log; the others' lines are told apart by what they say.
    let _ = tracing::subscriber::set_global_default(subscriber);
    let bus = MemoryBus::new(1);
    let listener = Listener::start(port);
    let mut config = config(usize::try_from(DEVICES).expect("few"), 0, everywhere(), port);
    config.live_for = Some(Duration::from_secs(5));
    let process = Process::start(config, &bus);
    let mut radio = UdpRadio::new(on_port(port)).expect("loopback broadcasts");
    std::thread::sleep(Duration::from_millis(1_500));
    let rounds = 60;
    for _ in 0..rounds {
        for (datagram, _) in hostile() {
            radio.send(&datagram).expect("sent");
        }
        std::thread::sleep(Duration::from_millis(40));
    }
    let summary = process.end();
    let beacons: Vec<Beacon> =
        listener.end().into_iter().filter(|beacon| beacon.uuid.get_version_num() == 1).collect();
    for kind in Refusal::ALL {
        let expected = hostile().iter().filter(|(_, refusal)| *refusal == kind).count() as u64;
        assert_eq!(summary.figures.refusals.of(kind), expected * rounds, "{}", kind.name());
    }
    let reports = reports(&bus);
    assert!(reports.iter().all(|report| !report.infected && report.infected_by.is_none()), "no infection");
    let last = reports.iter().map(|report| report.timestamp_us).max().expect("reports").div_euclid(1_000_000);
    let whole = |met: std::collections::BTreeSet<crate::air::Met>| {
        met.into_iter().filter(|(second, ..)| *second < last).collect::<Vec<_>>()
    };
    let expected = contacts_of_positions(&beacons, 1_000.0);
    assert_eq!(whole(contacts_of_reports(&reports)), whole(expected), "the devices themselves are heard");
    let log = String::from_utf8_lossy(&lines.0.lock().expect("lines")).into_owned();
    let told =
        log.lines().filter(|line| line.contains("datagrams refused") && line.contains("off field")).count();
    assert!((2..=4).contains(&told), "{told} lines about refusals in 2.5 s");
}

#[test]
fn with_a_radio_key_only_sealed_beacons_are_heard_each_once() {
    let port = 27_212;
    let key = RadioKey::new(b"the key of this radio network").expect("long enough");
    let other = RadioKey::new(b"the key of another network").expect("long enough");
    let bus = MemoryBus::new(1);
    let mut recorder = UdpRadio::new(on_port(port)).expect("loopback broadcasts");
    let mut config = config(3, 0, everywhere(), port);
    config.radio_key = Some(key);
    config.live_for = Some(Duration::from_secs(5));
    let process = Process::start(config, &bus);
    std::thread::sleep(Duration::from_millis(2_500));
    let mut recorded = Vec::new();
    recorder.receive(&mut |bytes, _| recorded.push(bytes.to_vec())).expect("heard");
    assert!(recorded.len() >= 3, "{} beacons", recorded.len());
    for datagram in &recorded {
        recorder.send(datagram).expect("replayed");
    }
    let now_us = Beacon::decode(&recorded[0]).expect("anyone can read it").timestamp_us;
    recorder.send(&other.seal(&stranger(), now_us)).expect("forged");
    recorder.send(&stranger().encode()).expect("unsealed");
    let summary = process.end();
    let refusals = summary.figures.refusals;
    assert_eq!(refusals.of(Refusal::Replayed), 2 * recorded.len() as u64, "each device but its own");
    assert_eq!((refusals.of(Refusal::Forged), refusals.of(Refusal::Unsealed)), (1, 1));
    let reports = reports(&bus);
    assert!(reports.iter().all(|report| !report.infected));
    let met = contacts_of_reports(&reports);
    assert!(met.len() >= 3 * 6 && met.iter().all(|(_, _, heard)| heard.get_version_num() == 1));
}
