//! Devices with a real radio in the world of a fleet: each hears whom it is near, and is heard by them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use coronaz_bus::{ContentType, MemoryBus};
use coronaz_devices::{
    Stop,
    fleet::{self, FleetConfig, Origin, Summary, bridge::BridgeConfig, pace::Speed},
    scenario,
};
use coronaz_model::{
    Parameters, PersonId,
    identity::{base_of, identity_of, person_of},
};
use coronaz_radio::{Radio, UdpRadio};
use coronaz_wire::{
    Announcement, Beacon, Contact, Report,
    frame::{Applied, Frame, Mirror},
    guests::run_of,
    timestamp::SECOND_US,
};
use uuid::Uuid;

use crate::air::{Listener, Met, Process, config, contacts_of_reports, on_port, reports};

const FLEET: Uuid = Uuid::from_u128(0x0f1e_e700_0000_4000_8000_0000_0000_0001);
const PORT: u16 = 27_140;
const PEOPLE: u32 = 2_000;
const TICKS: u64 = 10;
const SEED: u64 = 5;

fn parameters() -> Parameters {
    Parameters { zombie_lifetime: 0, infection_cooldown: 6, immunity_period: 2, ..Parameters::default() }
}

fn fleet_config() -> FleetConfig {
    FleetConfig {
        run: FLEET,
        scenario: scenario::find("paper").expect("built in"),
        parameters: parameters(),
        seed: SEED,
        people: PEOPLE,
        infected: 40,
        speed: Speed::Times(1.0),
        threads: 1,
        ticks: Some(TICKS),
        until_over: false,
        live_for: None,
        spool: None,
        origin: Origin::Beginning,
        checkpoints: None,
        bridge: Some(BridgeConfig { radio: on_port(PORT), key: None }),
    }
}

/// Who stood where: a person's place, and whether it lived, by second.
type Places = BTreeMap<i64, Vec<([i32; 2], bool)>>;

/// What the fleet's frames say: places of all people in all seconds lived, and infections by nobody of the fleet.
fn places_of(bus: &MemoryBus) -> (Places, BTreeSet<(i64, u32)>) {
    let (mut mirror, mut places, mut strange) = (Mirror::new(PEOPLE), Places::new(), BTreeSet::new());
    for message in bus.records(0).into_iter().filter(|message| message.content_type == ContentType::FRAME) {
        let frame = Frame::decode(&message.payload).expect("a frame");
        let stamp = &frame.header.stamp;
        let second = stamp.time_us / SECOND_US;
        assert_eq!(stamp.time_us % SECOND_US, 0, "ticks are the clock's seconds");
        let own = frame.infections().filter(|infection| infection.infector.is_none());
        strange.extend(own.map(|infection| (second, infection.infectee)));
        let whole = matches!(mirror.apply(&frame).expect("of the run"), Applied::Whole(_));
        if whole && stamp.tick > 0 {
            let columns = mirror.shard(0).expect("whole").columns();
            let people = columns.x.iter().zip(&columns.y).zip(&columns.health);
            let place = |((&x, &y), &health)| ([x, y], health < 4);
            places.insert(second, people.map(place).collect());
        }
    }
    (places, strange)
}

/// What positions say: second, node, person in range of it.
fn truth(places: &Places, beacons: &[Beacon], uuid_of: impl Fn(u32) -> Uuid) -> BTreeSet<Met> {
    let mut met = BTreeSet::new();
    for beacon in beacons {
        let second = beacon.timestamp_us.div_euclid(SECOND_US);
        let people = places.get(&second).into_iter().flatten();
        for (number, _) in
            (0..).zip(people).filter(|(_, (place, alive))| *alive && in_range(*place, beacon.position))
        {
            met.insert((second, beacon.uuid, uuid_of(number)));
        }
    }
    met
}

fn in_range(a: [i32; 2], b: [i32; 2]) -> bool {
    let [dx, dy] = [0, 1].map(|axis| f64::from(a[axis] - b[axis]));
    dx.hypot(dy) <= parameters().infection_radius
}

/// Both are the same; only where the radio of a busy machine was late may all of a node's second be missing.
fn assert_same(found: &BTreeSet<Met>, truth: &BTreeSet<Met>, missed: u64, what: &str) {
    let node_seconds = |met: &BTreeSet<Met>| -> BTreeSet<_> {
        met.iter().map(|(second, node, _)| (*second, *node)).collect()
    };
    let (heard, all) = (node_seconds(found), node_seconds(truth));
    let silent: BTreeSet<_> = all.difference(&heard).collect();
    assert!(silent.len() as u64 <= missed, "{what}: nothing in {silent:?}, and {missed} beacons were late");
    let expected: BTreeSet<Met> =
        truth.iter().filter(|(second, node, _)| heard.contains(&(*second, *node))).copied().collect();
    let more: Vec<_> = found.difference(&expected).take(3).collect();
    let less: Vec<_> = expected.difference(found).take(3).collect();
    assert!(more.is_empty() && less.is_empty(), "{what}: {more:?} are no contacts, {less:?} are missing");
}

fn journals(folder: &Path) -> BTreeSet<Met> {
    let mut met = BTreeSet::new();
    for entry in std::fs::read_dir(folder.join(run_of(FLEET).to_string())).expect("journals") {
        let path = entry.expect("readable").path();
        let node: Uuid =
            path.file_stem().and_then(|stem| stem.to_str()).expect("a name").parse().expect("a UUID");
        for line in std::fs::read_to_string(&path).expect("readable").lines() {
            let contact: Contact = serde_json::from_str(line).expect("a contact");
            met.insert((contact.timestamp_us.div_euclid(SECOND_US), node, contact.uuid));
        }
    }
    met
}

/// A fleet and five guests, two of them infected, over a real radio.
fn play(journal: &Path) -> (Summary, MemoryBus, Vec<Beacon>) {
    let (bus, listener) = (MemoryBus::new(1), Listener::start(PORT));
    let mut nodes = config(5, 2, parameters(), PORT);
    (nodes.run, nodes.journal) = (Some(run_of(FLEET)), Some(journal.to_owned()));
    let nodes = Process::start(nodes, &bus);
    let summary = fleet::run(&fleet_config(), Arc::new(bus.sink()), &Stop::default()).expect("a fleet");
    nodes.stop.ask();
    nodes.end();
    (summary, bus, listener.end())
}

#[test]
fn guests_hear_whom_they_are_near_are_heard_by_them_and_infection_passes_both_ways() {
    let journal = tempfile::tempdir().expect("a folder");
    let (summary, bus, beacons) = play(journal.path());
    let base = base_of(SEED);
    let person = |uuid: Uuid| person_of(base, uuid.as_u128()).filter(|person| person.0 < PEOPLE);
    let uuid_of = |number: u32| {
        Uuid::from_u128(coronaz_model::identity::identity_of(base, coronaz_model::PersonId(number)))
    };
    let figures = summary.guests.expect("a bridge");
    let (voices, nodes): (Vec<Beacon>, Vec<Beacon>) =
        beacons.into_iter().partition(|beacon| person(beacon.uuid).is_some());
    let (places, strange) = places_of(&bus);
    assert_eq!(places.len() as u64, TICKS);

    let truth = truth(&places, &nodes, uuid_of);
    assert!(truth.len() > 50, "{} contacts: 2.5 a node a second are to be expected", truth.len());
    let (of_people, of_nodes): (Vec<Report>, Vec<Report>) =
        reports(&bus).into_iter().partition(|report| person(report.uuid).is_some());
    assert!(of_people.iter().chain(&of_nodes).all(|report| report.run == Some(run_of(FLEET))));
    let told: BTreeSet<Met> = contacts_of_reports(&of_people)
        .into_iter()
        .map(|(second, person, node)| (second, node, person))
        .collect();
    assert_same(&told, &truth, figures.missed, "the people's reports");
    assert_eq!(figures.contacts, told.len() as u64);
    let with_people = |met: BTreeSet<Met>| -> BTreeSet<Met> {
        met.into_iter()
            .filter(|(second, _, heard)| person(*heard).is_some() && places.contains_key(second))
            .collect()
    };
    assert_same(&with_people(journals(journal.path())), &truth, figures.missed, "the nodes' journals");
    assert_same(&with_people(contacts_of_reports(&of_nodes)), &truth, figures.missed, "the nodes' reports");

    let spoken: BTreeSet<(i64, Uuid)> =
        voices.iter().map(|voice| (voice.timestamp_us.div_euclid(SECOND_US), voice.uuid)).collect();
    let near: BTreeSet<(i64, Uuid)> = truth.iter().map(|(second, _, person)| (*second, *person)).collect();
    assert!(spoken.is_subset(&near), "only those in range of a guest are sent out");
    assert_eq!((voices.len(), figures.sent), (spoken.len(), spoken.len() as u64), "each once a second");
    assert_eq!(figures.held_back, 0);

    // With the second: nine seconds are long enough to be infected by the same guest twice.
    let infected: BTreeSet<(Uuid, Uuid, i64)> = (of_people.iter().chain(&of_nodes))
        .filter_map(|report| {
            Some((report.infected_by?, report.uuid, report.timestamp_us.div_euclid(SECOND_US)))
        })
        .collect();
    let by_guests = infected
        .iter()
        .filter(|(infector, infectee, _)| person(*infector).is_none() && person(*infectee).is_some());
    assert_eq!(
        by_guests.count(),
        strange.len(),
        "the frames know nobody of the fleet who did it, the reports say who"
    );
    assert!(!strange.is_empty(), "two infected guests stand among many");
    let by_people = infected
        .iter()
        .filter(|(infector, infectee, _)| person(*infector).is_some() && person(*infectee).is_none());
    assert!(by_people.count() > 0, "three guests were safe, among many infected");
    let announced = bus.records(0).into_iter().filter(|message| message.content_type == ContentType::RUN);
    let announced: Vec<Announcement> =
        announced.map(|message| Announcement::decode(&message.payload).expect("an announcement")).collect();
    assert!(announced.iter().any(|run| run.run == run_of(FLEET) && run.guests_of == Some(FLEET)));
}

#[test]
fn somebody_under_a_uuid_of_the_fleet_is_counted_and_not_heard() {
    let radio = on_port(27_141);
    let config = FleetConfig {
        people: 50,
        infected: 0,
        ticks: Some(3),
        bridge: Some(BridgeConfig { radio, key: None }),
        ..fleet_config()
    };
    let bus = MemoryBus::new(1);
    let sink = Arc::new(bus.sink());
    let fleet = std::thread::spawn(move || fleet::run(&config, sink, &Stop::default()).expect("a fleet"));
    let mut stranger = UdpRadio::deaf(radio).expect("a socket");
    let beacon = Beacon {
        uuid: Uuid::from_u128(identity_of(base_of(SEED), PersonId(0))),
        position: [5, 5],
        infected: true,
        timestamp_us: 1_606_925_945_123_456,
        alive: true,
        run: Some(run_of(FLEET)),
        tick: None,
    };
    while !fleet.is_finished() {
        stranger.send(&beacon.encode()).expect("sent");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let guests = fleet.join().expect("no panic").guests.expect("it has guests");
    assert!(guests.pretended > 0, "{guests:?}");
    assert_eq!((guests.heard, guests.contacts), (0, 0), "{guests:?}");
}
