//! "Honest beacons first": a flood of datagrams costs devices few of their meetings.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use coronaz_bus::MemoryBus;
use coronaz_model::Parameters;
use coronaz_radio::{Radio, UdpRadio};
use coronaz_wire::Beacon;
use uuid::Uuid;

use crate::air::{
    Listener, Process, RUN, config, contacts_of_positions, contacts_of_reports, on_port, reports,
};

/// Datagrams a second.
const RATE: u64 = 30_000;
const SECONDS: u64 = 12;

/// A datagram of a flood, by its number.
type Datagram = fn(u64) -> Vec<u8>;

fn noise(number: u64) -> Vec<u8> {
    (0..190).map(|at| (number.wrapping_mul(6_364_136_223_846_793_005) >> (at % 50)) as u8).collect()
}

fn beacon(number: u64) -> Beacon {
    Beacon {
        uuid: Uuid::from_u128(u128::from(number) << 80 | 0xbad),
        position: [5, 5],
        infected: false,
        timestamp_us: 1_606_925_945_123_456,
        alive: true,
        run: Some(RUN),
        tick: None,
    }
}

/// Of another run: it has to be read to be refused.
fn other_run(number: u64) -> Vec<u8> {
    Beacon { run: Some(Uuid::from_u128(2)), ..beacon(number) }.encode()
}

/// Of this run, in a corner: it has to be judged by each device.
fn crowd(number: u64) -> Vec<u8> {
    Beacon { position: [100, 100], ..beacon(number) }.encode()
}

/// Sends as many datagrams a second as it is to, from one socket, until it is asked to stop; says how many.
fn flood(port: u16, datagram: Datagram, over: &AtomicBool) -> u64 {
    let mut radio = UdpRadio::deaf(on_port(port)).expect("a socket");
    let (begun, mut sent) = (Instant::now(), 0);
    while !over.load(Ordering::Relaxed) {
        let due = begun.elapsed().as_millis() as u64 * RATE / 1_000;
        while sent < due && !over.load(Ordering::Relaxed) {
            // The system's buffers may be full; then it is so many fewer.
            let _ = radio.send(&datagram(sent));
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    sent
}

fn devices_record_their_meetings_in_a_flood_of(what: &str, datagram: Datagram, port: u16) {
    let parameters = Parameters { zombie_lifetime: 0, ..Parameters::default() };
    let radius = parameters.infection_radius;
    let bus = MemoryBus::new(4);
    let listener = Listener::start(port);
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flooding = {
        let (over, sent) = (Arc::clone(&over), Arc::clone(&sent));
        std::thread::spawn(move || sent.store(flood(port, datagram, &over), Ordering::Relaxed))
    };
    let mut config = config(100, 0, parameters, port);
    config.live_for = Some(Duration::from_secs(SECONDS));
    let summary = Process::start(config, &bus).end();
    over.store(true, Ordering::Relaxed);
    flooding.join().expect("a flood does not panic");
    let own = |beacon: &Beacon| beacon.uuid.get_version_num() == 1;
    let beacons: Vec<Beacon> = listener.end().into_iter().filter(own).collect();
    let expected = contacts_of_positions(&beacons, radius);
    let mut recorded = contacts_of_reports(&reports(&bus));
    let last = expected.iter().map(|(second, ..)| *second).max().expect("meetings");
    recorded.retain(|(second, _, heard)| *second < last && heard.get_version_num() == 1);
    let expected: Vec<_> = expected.into_iter().filter(|(second, ..)| *second < last).collect();
    let found = expected.iter().filter(|met| recorded.contains(met)).count();
    let skipped = summary.figures.seconds_skipped;
    let per_second = sent.load(Ordering::Relaxed) / SECONDS;
    println!(
        "{what}: {per_second} datagrams a second; {found} of {} meetings recorded ({:.1} %), {skipped} of {SECONDS} seconds skipped, {} lived",
        expected.len(),
        100.0 * found as f64 / expected.len() as f64,
        summary.figures.device_seconds / 100,
    );
    assert!(skipped <= SECONDS / 4, "{what}: {skipped} of {SECONDS} seconds were skipped");
    assert!(found * 100 >= expected.len() * 95, "{what}: {found} of {} meetings", expected.len());
}

#[test]
fn a_flood_costs_devices_neither_their_seconds_nor_their_meetings() {
    devices_record_their_meetings_in_a_flood_of("noise", noise, 27_261);
    devices_record_their_meetings_in_a_flood_of("another run", other_run, 27_262);
    devices_record_their_meetings_in_a_flood_of("a crowd", crowd, 27_263);
}
