use std::collections::BTreeSet;

use coronaz_bus::{ContentType, MemoryBus};
use coronaz_model::{
    Draws, Fleet, Health, PersonId, Spawn, fleet::Diary, fleet::Serial, identity::base_of,
    identity::person_of,
};
use coronaz_wire::{
    Announcement,
    announcement::RunKind,
    frame::{Applied, Frame, Health as Code, Mirror},
};

use super::*;
use crate::scenario;

mod futures;

const RUN: Uuid = Uuid::from_u128(0x7c9f_3f9e_0d3b_4f7e_9a55_0f4b_8f6f_2a10);

fn config(people: u32, ticks: Tick) -> FleetConfig {
    let side = (f64::from(people) / 0.02).sqrt() as u32;
    let parameters = Parameters {
        field_width: side,
        field_height: side,
        infection_radius: 4.0,
        infection_cooldown: 20,
        zombie_lifetime: 0,
        ..Parameters::default()
    };
    FleetConfig {
        run: RUN,
        scenario: scenario::load("paper").expect("built in"),
        parameters,
        seed: 7,
        people,
        infected: people / 100,
        speed: Speed::Max,
        threads: 2,
        ticks: Some(ticks),
        until_over: false,
        live_for: None,
        spool: None,
        origin: Origin::Beginning,
        checkpoints: None,
        bridge: None,
    }
}

fn play(config: &FleetConfig, bus: &MemoryBus) -> Summary {
    run(config, Arc::new(bus.sink()), &Stop::default()).expect("a fleet")
}

/// Every record on the bus, partition by partition.
fn payloads(bus: &MemoryBus) -> (Vec<Vec<u8>>, Vec<Announcement>) {
    let (mut frames, mut announcements) = (Vec::new(), Vec::new());
    for partition in 0..bus.partitions() {
        for message in bus.records(partition as i32) {
            if message.content_type == ContentType::RUN {
                announcements.push(Announcement::decode(&message.payload).expect("an announcement"));
            } else {
                assert_eq!(message.content_type, ContentType::FRAME);
                frames.push(message.payload);
            }
        }
    }
    (frames, announcements)
}

type Met = (u64, u32, u32, u64);

/// An infection: tick, infectee, infector.
type Caught = (u64, u32, Option<u32>);

/// Contacts (each direction) and infections of all frames; repeats count once.
fn events(frames: &[Vec<u8>]) -> (BTreeSet<Met>, BTreeSet<Caught>) {
    let (mut contacts, mut infections) = (BTreeSet::new(), BTreeSet::new());
    for frame in frames.iter().map(|bytes| Frame::decode(bytes).expect("a frame")) {
        let tick = frame.header.stamp.tick;
        for c in frame.contacts() {
            let distance = u64::from(c.distance_squared);
            contacts.insert((tick, c.hearer, c.heard, distance));
            if c.mutual {
                contacts.insert((tick, c.heard, c.hearer, distance));
            }
        }
        infections.extend(frame.infections().map(|i| (tick, i.infectee, i.infector)));
    }
    (contacts, infections)
}

/// The same by the engine alone.
fn truth(config: &FleetConfig, ticks: Tick) -> (Fleet, BTreeSet<Met>, BTreeSet<Caught>) {
    let base = base_of(config.seed);
    let infected = config.infected as usize;
    let spawns = (0..config.people as usize).map(|i| Spawn { infected: i < infected, ..Spawn::default() });
    let mut fleet = Fleet::new(&config.parameters, Draws::new(config.seed), base, spawns);
    let mut diaries = vec![Diary::default(); fleet.shards()];
    let (mut contacts, mut infections) = (BTreeSet::new(), BTreeSet::new());
    for tick in 1..=ticks {
        diaries.iter_mut().for_each(Diary::clear);
        fleet.step(&Serial, &mut diaries);
        for diary in &diaries {
            contacts.extend(diary.contacts.iter().map(|&(PersonId(a), PersonId(b), d)| (tick, a, b, d)));
            infections.extend(diary.infections.iter().map(|infection| {
                let infectee = person_of(base, infection.infectee).expect("of the fleet").0;
                (tick, infectee, person_of(base, infection.infector).map(|infector| infector.0))
            }));
        }
    }
    (fleet, contacts, infections)
}

fn assert_shows(mirror: &Mirror, fleet: &Fleet) {
    assert_eq!(mirror.whole_at(), Some(fleet.tick()));
    let population = *mirror.population().expect("known");
    for person in fleet.people() {
        let shard = mirror.shard(person.id.0 / population.shard_people).expect("whole");
        let (columns, at) = (shard.columns(), (person.id.0 % population.shard_people) as usize);
        assert_eq!((columns.x[at], columns.y[at]), (person.position.x, person.position.y));
        let code = match (person.illness.health, person.died_infectious) {
            (Health::Susceptible, _) => Code::Susceptible,
            (Health::Latent, _) => Code::Latent,
            (Health::Infectious, _) => Code::Infectious,
            (Health::Immune, _) => Code::Immune,
            (Health::Deceased, false) => Code::Deceased,
            (Health::Deceased, true) => Code::DeceasedInfectious,
        };
        assert_eq!(columns.health[at], code.code());
    }
    let (figures, census) = (mirror.census().figures, fleet.census());
    assert_eq!(u64::from(figures.zombies), census.of(Health::Infectious));
    assert_eq!(u64::from(figures.dead_zombies), census.died_infectious());
}

#[test]
fn frames_tell_the_history_that_the_engine_computed() {
    let bus = MemoryBus::new(4);
    // Two shards; everybody dies at tick 70 and tells it in a last message.
    let mut config = config(270_000, 72);
    config.parameters.zombie_lifetime = 70;
    (config.parameters.field_width, config.parameters.field_height) = (11_000, 11_000);
    let summary = play(&config, &bus);
    assert_eq!(summary.tick, 70, "a fleet ends with its last person");
    let (frames, announcements) = payloads(&bus);
    assert_eq!((announcements.len(), announcements[0].run), (1, RUN));
    assert_eq!(announcements[0].kind, RunKind::Fleet);
    let (fleet, contacts, infections) = truth(&config, 70);
    assert_eq!(summary.digest, fleet.digest().value());
    let mut mirror = Mirror::new(config.people);
    for bytes in &frames {
        let applied = mirror.apply(&Frame::decode(bytes).expect("a frame")).expect("of the run");
        assert!(matches!(applied, Applied::Whole(_) | Applied::Part), "{applied:?}");
    }
    assert_shows(&mirror, &fleet);
    let told = events(&frames);
    assert!(told.0 == contacts, "{} and {} contacts", told.0.len(), contacts.len());
    assert!(!infections.is_empty() && told.1 == infections);
    assert_eq!((summary.contacts, summary.infections), (contacts.len() as u64, infections.len() as u64));
    let census = mirror.census();
    assert_eq!((census.contacts, census.infections), (summary.contacts, summary.infections));
}

#[test]
fn neither_threads_nor_pace_show_in_the_history() {
    let digests = [(1, Speed::Max), (2, Speed::Max), (3, Speed::Times(400.0))].map(|(threads, speed)| {
        let config = FleetConfig { threads, speed, ..config(2_000, 90) };
        let bus = MemoryBus::new(1);
        let summary = play(&config, &bus);
        assert_eq!(summary.tick, 90);
        (summary.digest, events(&payloads(&bus).0))
    });
    assert!(digests[0] == digests[1] && digests[1] == digests[2]);
}

#[test]
fn with_a_broker_away_all_the_time_the_next_fleet_sends_what_waits_in_the_spool() {
    let (bus, folder) = (MemoryBus::new(2), tempfile::tempdir().expect("a folder"));
    bus.set_away(true);
    let config = FleetConfig { spool: Some((folder.path().join("spool"), 64 << 20)), ..config(5_000, 100) };
    let summary = play(&config, &bus);
    assert_eq!((summary.tick, summary.records.records, summary.records.dropped), (100, 0, 0));
    assert!(summary.records.unsent && summary.spooled);
    bus.set_away(false);
    let next = FleetConfig { run: Uuid::from_u128(1), ticks: Some(3), ..config.clone() };
    assert!(!play(&next, &bus).records.unsent);
    let (frames, _) = payloads(&bus);
    let first: Vec<Vec<u8>> = frames
        .into_iter()
        .filter(|bytes| Frame::decode(bytes).expect("a frame").header.stamp.population.run == RUN)
        .collect();
    let (fleet, contacts, infections) = truth(&config, 100);
    assert!(events(&first) == (contacts, infections));
    let mut mirror = Mirror::new(5_000);
    first.iter().for_each(|bytes| {
        mirror.apply(&Frame::decode(bytes).expect("a frame")).expect("of the run");
    });
    assert_shows(&mirror, &fleet);
    let left: Vec<_> = std::fs::read_dir(folder.path().join("spool")).expect("there").collect();
    assert_eq!(left.len(), 1, "only the lock: {left:?}");
}

#[test]
fn lost_acknowledgements_repeat_records_and_lose_none() {
    let bus = MemoryBus::new(3);
    bus.lose_acks(40);
    let config = config(5_000, 150);
    let summary = play(&config, &bus);
    assert!(!summary.records.unsent);
    let (frames, _) = payloads(&bus);
    let (_, contacts, infections) = truth(&config, 150);
    assert!(events(&frames) == (contacts, infections));
}

#[test]
fn a_stop_ends_the_fleet_at_a_tick() {
    let (bus, stop) = (MemoryBus::new(1), Stop::default());
    let config = FleetConfig { ticks: None, speed: Speed::Times(50.0), ..config(500, 0) };
    let summary = std::thread::scope(|scope| {
        let fleet = scope.spawn(|| run(&config, Arc::new(bus.sink()), &stop).expect("a fleet"));
        while bus.records(0).len() < 20 {
            std::thread::yield_now();
        }
        stop.ask();
        fleet.join().expect("no panic")
    });
    let (frames, _) = payloads(&bus);
    assert!(
        summary.tick >= 17 && frames.len() as u64 == summary.tick + 1,
        "one keyframe, then a record a tick"
    );
}

#[test]
fn nobody_or_too_many_are_refused() {
    let sink = || Arc::new(MemoryBus::new(1).sink());
    for (people, infected) in [(0, 0), (5, 6), (PEOPLE_MAX + 1, 0)] {
        let config = FleetConfig { people, infected, ..config(10, 1) };
        assert!(matches!(run(&config, sink(), &Stop::default()), Err(FleetError::People { .. })));
    }
}
