//! "A device hears every in-range beacon of the others."

use std::time::Duration;

use coronaz_bus::MemoryBus;
use coronaz_model::Parameters;

use crate::air::{Listener, Process, config, contacts_of_positions, contacts_of_reports, reports};

fn the_contacts_recorded_are_those_the_positions_give(devices: usize, seconds: u64, port: u16) {
    let parameters = Parameters { zombie_lifetime: 0, ..Parameters::default() };
    let radius = parameters.infection_radius;
    let bus = MemoryBus::new(4);
    let listener = Listener::start(port);
    let mut config = config(devices, 5, parameters, port);
    config.live_for = Some(Duration::from_secs(seconds));
    let summary = Process::start(config, &bus).end();
    let beacons = listener.end();
    let expected = contacts_of_positions(&beacons, radius);
    let recorded = contacts_of_reports(&reports(&bus));
    // On a machine too busy for its devices they skip seconds, say so, and what they do record is right all the same.
    let seconds_lived = seconds.saturating_sub(2 + summary.figures.seconds_skipped);
    assert!(beacons.len() as u64 > devices as u64 * seconds_lived, "{} beacons", beacons.len());
    assert!(expected.len() > devices, "{} contacts", expected.len());
    // The second in which the process is stopped: who dies first no longer hears who dies later.
    let last = expected.iter().map(|(second, ..)| *second).max();
    let whole = |met: &std::collections::BTreeSet<_>| -> Vec<_> {
        met.iter().filter(|(second, ..): &&crate::air::Met| Some(*second) < last).copied().collect()
    };
    assert_eq!(whole(&recorded), whole(&expected));
}

#[test]
fn a_hundred_devices_record_for_a_minute_exactly_the_contacts_that_their_positions_give() {
    the_contacts_recorded_are_those_the_positions_give(100, 62, 27_201);
}
