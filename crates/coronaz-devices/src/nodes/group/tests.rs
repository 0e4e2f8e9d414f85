//! A group of devices by clocks that a test sets, over a radio in memory.

use coronaz_bus::MemoryBus;
use coronaz_model::{Draws, Parameters, PersonId, Spawn};
use coronaz_radio::{Ear, Expectations, Medium, MediumRadio, Radio};
use coronaz_wire::{Contact, seal::ReplayWindow, timestamp::SECOND_US};
use uuid::Uuid;

use super::*;
use crate::{
    device::{Circumstances, Device, beacon_times_us},
    journal::{self, Journal},
    nodes::{
        clock::testing::{SetClock, WALL_US},
        hearing_log::HearingLog,
    },
    outbox::Outbox,
};

/// When the clock is set, by the steady one: a second has just begun, a beacon may be due, the second is nearly over.
const SET_AT_US: [i64; 5] = [5_000_000, 5_100_000, 5_500_000, 5_800_000, 5_980_000];
/// A test's length.
const LIVED_US: i64 = 14_300_000;

/// A radio that notes when it sent what.
struct Noting {
    radio: MediumRadio,
    clock: Arc<SetClock>,
    sent: Arc<Mutex<Vec<(i64, Beacon)>>>,
}

impl Radio for Noting {
    fn send(&mut self, datagram: &[u8]) -> std::io::Result<()> {
        let beacon = Beacon::decode(datagram).expect("our own beacon");
        self.sent.lock().expect("notes").push((self.clock.steady_us(), beacon));
        self.radio.send(datagram)
    }

    fn receive(&mut self, _: &mut dyn FnMut(&[u8], std::net::SocketAddrV4)) -> std::io::Result<usize> {
        Ok(0)
    }
}

/// What became of two devices that are always in range of each other.
struct Lived {
    figures: Figures,
    /// When who sent what, by the steady clock.
    sent: Vec<(i64, Beacon)>,
    contacts: Vec<(Uuid, Contact)>,
}

fn carried(
    index: u32,
    circumstances: &Arc<Circumstances>,
    radio: Noting,
    journals: &std::path::Path,
) -> Carried {
    let uuid = Uuid::from_u128(u128::from(index) + 1);
    let spawn = Spawn { x: Some(0), y: Some(0), infected: false };
    let second = WALL_US / SECOND_US;
    let device = Device::new(Arc::clone(circumstances), PersonId(index), uuid, spawn, second);
    Carried {
        index,
        uuid,
        place: index,
        state: device.state(),
        device: Some(device),
        radio: Some(Box::new(radio)),
        port: None,
        window: ReplayWindow::default(),
        outbox: Outbox::new(uuid, None, 0, 10_000),
        journal: Some(Journal::open(journals, None, uuid).expect("a journal")),
        finished: false,
        counter: i64::MIN,
    }
}

/// Lives with a clock that is set by so much at that time.
fn live(set_at_us: i64, by_us: i64, radio_key: Option<&RadioKey>) -> Lived {
    let stop = Stop::default();
    let clock = Arc::new(SetClock::new(set_at_us, by_us, (LIVED_US, stop.clone())));
    let parameters =
        Parameters { field_width: 1, field_height: 1, zombie_lifetime: 0, ..Parameters::default() };
    let expectations = Expectations { run: None, field: parameters.field(), key: radio_key.cloned() };
    let circumstances = Arc::new(Circumstances {
        run: None,
        parameters,
        draws: Draws::new(1),
        beacon_times_us: beacon_times_us(2),
    });
    let (air, sent) = (Medium::perfect(), Arc::<Mutex<Vec<_>>>::default());
    let noting = || Noting { radio: air.radio(), clock: Arc::clone(&clock), sent: Arc::clone(&sent) };
    let bus = MemoryBus::new(1);
    let shared = Shared {
        sink: Arc::new(bus.sink()),
        spool: None,
        radio_key: radio_key.cloned(),
        refused: Refused::default(),
        stop,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        die_at_us: None,
    };
    let journals = tempfile::tempdir().expect("a folder");
    let devices = [0, 1].map(|index| carried(index, &circumstances, noting(), journals.path()));
    let group = Group {
        carried: devices.into(),
        hearing: Hearing::new(Box::new(air.radio()), Ear::new(expectations), HearingLog::new(2)),
        watch: ClockWatch::new(&*clock),
        shared: Arc::new(shared),
        deliveries: Arc::default(),
        figures: Figures::default(),
        console: None,
        spool_warned: false,
    };
    let (figures, _) = group.live();
    let sent = std::mem::take(&mut *sent.lock().expect("notes"));
    let read = |device: &Beacon| {
        let path = journal::folder(journals.path(), None).join(format!("{}.jsonl", device.uuid));
        let lines = std::fs::read_to_string(path).expect("a journal");
        let contact = |line: &str| (device.uuid, serde_json::from_str(line).expect("a contact"));
        lines.lines().map(contact).collect::<Vec<(Uuid, Contact)>>()
    };
    let contacts = sent[..2].iter().flat_map(|(_, beacon)| read(beacon)).collect();
    Lived { figures, sent, contacts }
}

fn key() -> RadioKey {
    RadioKey::new(b"the key of this radio").expect("long enough")
}

#[test]
fn a_clock_that_is_set_by_any_time_at_any_moment_silences_nobody_for_more_than_three_seconds() {
    for by_s in [-3_600, -60, -5, -1, 1, 5, 60, 3_600] {
        for set_at_us in SET_AT_US {
            for radio_key in [None, Some(key())] {
                let case = format!("set by {by_s} s at {set_at_us} us, sealed: {}", radio_key.is_some());
                check(&live(set_at_us, by_s * SECOND_US, radio_key.as_ref()), &case);
            }
        }
    }
}

fn check(lived: &Lived, case: &str) {
    let devices: [Uuid; 2] = [1, 2].map(Uuid::from_u128);
    for device in devices {
        let alive = lived.sent.iter().filter(|(_, beacon)| beacon.uuid == device && beacon.alive);
        let times: Vec<i64> = alive.map(|(at_us, _)| *at_us).collect();
        let silent_us = times.windows(2).map(|pair| pair[1] - pair[0]).max().expect("two beacons");
        assert!(silent_us <= 3 * SECOND_US, "{case}: silent for {silent_us} us");
        assert!((11..=14).contains(&times.len()), "{case}: {} beacons in 14 s", times.len());
    }
    assert_eq!(lived.figures.seconds_skipped, 0, "{case}: nobody was behind");
    assert!(lived.figures.device_seconds <= 2 * 15, "{case}: nobody lives what the clock was set by");
    for device in devices {
        let own = lived.contacts.iter().filter(|(hearer, _)| *hearer == device);
        let times: std::collections::BTreeSet<i64> =
            own.clone().map(|(_, contact)| contact.timestamp_us).collect();
        assert_eq!(times.len(), own.count(), "{case}: no contact has the time of another");
        assert!(times.len() >= 10, "{case}: {} contacts", times.len());
    }
}
