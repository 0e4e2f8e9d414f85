//! A fleet from its engine over a bus in memory into the store, against the engine itself.

use coronaz_bus::MemoryBus;
use coronaz_devices::{
    fleet::{self, FleetConfig, Summary, pace::Speed},
    nodes::Stop,
    scenario,
};
use coronaz_ingest::IngestConfig;
use coronaz_model::{
    Draws, Fleet, Health, Parameters, PersonId, Spawn,
    fleet::{Diary, Serial},
    identity::{base_of, identity_of},
};
use coronaz_store::queries::Span;
use coronaz_store::{At, Queries, StoreLocation};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

const RUN: Uuid = Uuid::from_u128(0x7c9f_3f9e_0d3b_4f7e_9a55_0f4b_8f6f_2a10);
/// In the last tick everybody dies.
const TICKS: u64 = 70;

fn config(people: u32, ticks: u64) -> FleetConfig {
    let side = (f64::from(people) / 0.02).sqrt() as u32;
    let parameters = Parameters {
        field_width: side,
        field_height: side,
        infection_radius: 4.0,
        infection_cooldown: 20,
        zombie_lifetime: TICKS as u32,
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
        origin: fleet::Origin::Beginning,
        checkpoints: None,
        bridge: None,
    }
}

fn play(config: &FleetConfig, bus: &MemoryBus) -> Summary {
    fleet::run(config, Arc::new(bus.sink()), &Stop::default()).expect("a fleet")
}

/// Stores for a while, or until all is stored; then again, until everything is.
fn ingest(bus: &MemoryBus, path: &Path, drains: &[Duration]) {
    for (turn, &drain) in drains.iter().enumerate() {
        let mut config = IngestConfig::new("ingest", bus.partitions());
        config.drain = drain;
        config.batch_wait = Duration::from_millis(1 + turn as u64);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let (source, store) = (bus.source(), StoreLocation::from(path).ingestion());
        let thread = std::thread::spawn(move || coronaz_ingest::run(source, store, &config, &stopped));
        std::thread::sleep(Duration::from_millis(50));
        stop.store(true, Ordering::Relaxed);
        thread.join().expect("no panic").expect("it ends when it is told to");
    }
}

fn assert_people(queries: &dyn Queries, fleet: &Fleet) {
    let state = queries.state(RUN, At::Moment(fleet.tick())).expect("an answer").expect("a moment");
    let mut people = fleet.people();
    people.sort_unstable_by_key(|person| person.id.0);
    assert_eq!(state.nodes.len(), people.len());
    for (node, person) in state.nodes.iter().zip(&people) {
        assert_eq!((node.slot, node.id.as_u128()), (person.id.0, identity_of(fleet.base(), person.id)));
        assert_eq!((node.x, node.y), (person.position.x, person.position.y));
        let health = person.illness.health;
        let infected = health == Health::Infectious || person.died_infectious;
        assert_eq!((node.health.infected, node.health.alive), (infected, health != Health::Deceased));
        assert_eq!(node.health.immune, health == Health::Immune);
    }
    let (figures, census) = (state.moment.figures, fleet.census());
    assert_eq!(u64::from(figures.zombies), census.of(Health::Infectious));
    assert_eq!(u64::from(figures.deaths), census.of(Health::Deceased));
    assert_eq!(u64::from(figures.immune), census.of(Health::Immune));
    assert_eq!(u64::from(figures.dead_zombies), census.died_infectious());
    assert_eq!(figures.total as usize, people.len());
}

/// Hearer, heard, tick: as numbers in the population.
type Met = (u32, u32, u64);

/// Plays the engine alone, compares the store at some ticks, and returns all contacts.
fn compare(config: &FleetConfig, queries: &dyn Queries, ticks: u64, look_every: u64) -> BTreeSet<Met> {
    let (base, infected) = (base_of(config.seed), config.infected as usize);
    let spawns = (0..config.people as usize).map(|i| Spawn { infected: i < infected, ..Spawn::default() });
    let mut fleet = Fleet::new(&config.parameters, Draws::new(config.seed), base, spawns);
    let mut diaries = vec![Diary::default(); fleet.shards()];
    let mut met = BTreeSet::new();
    assert_people(queries, &fleet);
    for tick in 1..=ticks {
        diaries.iter_mut().for_each(Diary::clear);
        fleet.step(&Serial, &mut diaries);
        for diary in &diaries {
            met.extend(diary.contacts.iter().map(|&(PersonId(a), PersonId(b), _)| (a, b, tick)));
        }
        if tick % look_every == 0 || tick == ticks {
            assert_people(queries, &fleet);
        }
    }
    met
}

#[test]
fn ten_thousand_people_are_in_the_store_as_the_engine_computed_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let (bus, config) = (MemoryBus::new(4), config(10_000, TICKS));
    let summary = play(&config, &bus);
    ingest(&bus, &path, &[Duration::ZERO, Duration::from_millis(30), Duration::from_secs(60)]);
    let queries = StoreLocation::from(path.as_path()).queries();
    let run = queries.run(RUN).expect("there");
    assert_eq!((run.kind.as_str(), run.moments, run.nodes), ("fleet", TICKS + 1, 10_000));
    assert_eq!((run.contacts, run.infections), (summary.contacts, summary.infections));
    let met = compare(&config, queries.as_ref(), TICKS, 9);

    let moments = queries.moments(RUN, 0, u64::MAX, 1_000).expect("an answer");
    assert_eq!(moments.len() as u64, TICKS + 1);
    let infections = queries.infections(RUN, i64::MIN, usize::MAX >> 1).expect("an answer");
    assert_eq!(infections.len() as u64, summary.infections);
    assert!(summary.infections > 100, "{}", summary.infections);

    // Contacts: all of them, each once; and those of one person.
    let slot = |id: Uuid| (id.as_u128().wrapping_sub(base_of(config.seed)) >> 96) as u32;
    let tick = |time_us: i64| ((time_us - moments[0].time_us) / 1_000_000) as u64;
    let mut stored = Vec::new();
    queries
        .each_contact(RUN, &mut |contact| {
            stored.push((slot(contact.person), slot(contact.other), tick(contact.time_us)));
            ControlFlow::Continue(())
        })
        .expect("an answer");
    assert_eq!(stored.len(), met.len());
    assert_eq!(stored.iter().copied().collect::<BTreeSet<Met>>(), met);
    let person = met.iter().next().expect("people met").0;
    let id = Uuid::from_u128(identity_of(base_of(config.seed), PersonId(person)));
    let of_person = met.iter().filter(|met| met.0 == person).count();
    assert_eq!(queries.node(RUN, id).expect("there").contacts as usize, of_person);
    let (mut seen, mut from) = (0, None);
    loop {
        let page = queries.contacts(RUN, id, Span::ALL, from, 2).expect("an answer");
        seen += page.items.len();
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, of_person);
    let encounters = queries.encounters(RUN, id, Span::ALL, None, 1_000).expect("an answer").items;
    let in_encounters: u64 = encounters.iter().map(|encounter| encounter.contacts).sum();
    assert_eq!(in_encounters as usize, of_person);
    let last = infections.last().expect("some");
    assert!(queries.node(RUN, last.infectee).expect("there").infections.contains(last));
}

#[test]
fn a_moment_is_there_when_all_shards_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let (bus, config) = (MemoryBus::new(4), config(270_000, 3));
    play(&config, &bus);
    ingest(&bus, &path, &[Duration::ZERO, Duration::from_secs(60)]);
    let queries = StoreLocation::from(path.as_path()).queries();
    assert_eq!(queries.run(RUN).expect("there").moments, 4);
    compare(&config, queries.as_ref(), 3, 1);
    assert_eq!(queries.state(RUN, At::Moment(4)).expect("an answer"), None);
}

#[test]
fn a_fleet_that_was_killed_and_goes_on_from_a_checkpoint_is_stored_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, kept) = (folder.path().join("store.db"), folder.path().join("kept"));
    let (bus, config) = (MemoryBus::new(4), config(6_000, TICKS));
    let keep = fleet::CheckpointsConfig { dir: kept.clone(), every_ticks: 20, keep: 9 };
    // It comes to tick 50; the kill is that its last checkpoint is not there.
    play(
        &FleetConfig {
            ticks: Some(50),
            speed: Speed::Times(200.0),
            checkpoints: Some(keep),
            ..config.clone()
        },
        &bus,
    );
    std::fs::remove_file(kept.join(format!("{RUN}-{:012}.checkpoint", 50))).expect("the last word");
    ingest(&bus, &path, &[Duration::from_secs(60)]);
    let newest = fleet::Checkpoint::newest(&kept, Some(RUN)).expect("readable").expect("one");
    let checkpoint = fleet::Checkpoint::read(&newest).expect("whole");
    assert_eq!(checkpoint.tick(), 40, "ten ticks are computed and sent again");
    let origin = fleet::Origin::Checkpoint(Box::new(checkpoint));
    let summary = play(&FleetConfig { origin, ..config.clone() }, &bus);
    ingest(&bus, &path, &[Duration::from_secs(60)]);
    let queries = StoreLocation::from(path.as_path()).queries();
    let run = queries.run(RUN).expect("there");
    assert_eq!(
        (run.moments, run.contacts, run.infections),
        (TICKS + 1, summary.contacts, summary.infections)
    );
    let met = compare(&config, queries.as_ref(), TICKS, 10);
    let mut stored = 0;
    let mut count = |_| {
        stored += 1;
        ControlFlow::Continue(())
    };
    queries.each_contact(RUN, &mut count).expect("an answer");
    assert_eq!(stored, met.len(), "each contact once");
}
