//! Runs that go on from a checkpoint, and runs that leave another one.

use coronaz_model::Movement;

use super::*;

fn kept(folder: &tempfile::TempDir, every_ticks: Tick) -> Option<CheckpointsConfig> {
    Some(CheckpointsConfig { dir: folder.path().join("kept"), every_ticks, keep: 100 })
}

fn saved_at(folder: &tempfile::TempDir, tick: Tick) -> Box<Checkpoint> {
    let path = folder.path().join("kept").join(format!("{RUN}-{tick:012}.checkpoint"));
    Box::new(Checkpoint::read(&path).expect("its own bytes"))
}

/// The frames of ticks after this one, in no particular order.
fn frames_after(bus: &MemoryBus, tick: u64) -> BTreeSet<Vec<u8>> {
    let (frames, _) = payloads(bus);
    let tick_of = |bytes: &Vec<u8>| Frame::decode(bytes).expect("a frame").header.stamp.tick;
    frames.into_iter().filter(|bytes| tick_of(bytes) > tick).collect()
}

#[test]
fn a_resumed_run_has_the_same_history_and_the_same_bytes_as_one_that_never_stopped() {
    let (bus, folder) = (MemoryBus::new(4), tempfile::tempdir().expect("a folder"));
    let mut config = config(270_000, 140);
    config.parameters.movement = Movement::Avoid;
    config.parameters.sensing_radius = 6.0;
    config.parameters.fatality = 0.2;
    let through = FleetConfig { checkpoints: kept(&folder, 35), ..config.clone() };
    let through = play(&through, &bus);
    for tick in [70, 105] {
        let (again, origin) = (MemoryBus::new(4), Origin::Checkpoint(saved_at(&folder, tick)));
        let resumed = play(&FleetConfig { origin, threads: 1, ..config.clone() }, &again);
        assert_eq!((resumed.tick, resumed.digest), (140, through.digest));
        assert_eq!((resumed.contacts, resumed.infections), (through.contacts, through.infections));
        let (frames, announcements) = payloads(&again);
        assert_eq!(announcements, payloads(&bus).1, "the same run, begun at the same time");
        assert_eq!(frames.into_iter().collect::<BTreeSet<_>>(), frames_after(&bus, tick), "from tick {tick}");
    }
}

#[test]
fn a_run_that_was_stopped_is_gone_on_with_where_it_ended() {
    let (bus, folder) = (MemoryBus::new(2), tempfile::tempdir().expect("a folder"));
    let config = FleetConfig { checkpoints: kept(&folder, 600), ..config(3_000, 100) };
    let first = play(&FleetConfig { ticks: Some(41), ..config.clone() }, &bus);
    assert_eq!(first.tick, 41);
    let newest = Checkpoint::newest(&folder.path().join("kept"), Some(RUN)).expect("readable").expect("one");
    let origin = Origin::Checkpoint(Box::new(Checkpoint::read(&newest).expect("its own bytes")));
    let second = play(&FleetConfig { origin, ..config.clone() }, &bus);
    let (fleet, contacts, infections) = truth(&config, 100);
    assert_eq!(second.digest, fleet.digest().value());
    let (frames, _) = payloads(&bus);
    assert!(events(&frames) == (contacts, infections));
    let mut mirror = Mirror::new(config.people);
    for bytes in &frames {
        let applied = mirror.apply(&Frame::decode(bytes).expect("a frame")).expect("of the run");
        assert!(matches!(applied, Applied::Whole(_) | Applied::Part), "no repeat and no gap: {applied:?}");
    }
    assert_shows(&mirror, &fleet);
}

#[test]
fn a_fleet_killed_before_its_first_checkpoint_begins_again_at_the_same_times() {
    let (bus, folder) = (MemoryBus::new(1), tempfile::tempdir().expect("a folder"));
    let config = FleetConfig { checkpoints: kept(&folder, 600), ..config(500, 20) };
    play(&config, &bus);
    let origin = Origin::Checkpoint(saved_at(&folder, 0));
    let again = MemoryBus::new(1);
    play(&FleetConfig { origin, ..config }, &again);
    let bytes =
        |bus: &MemoryBus| bus.records(0).into_iter().map(|message| message.payload).collect::<Vec<_>>();
    assert!(bytes(&again) == bytes(&bus), "keyframe of tick 0 and announcement are the same bytes too");
}

#[test]
fn a_resumed_run_catches_up_with_the_clock_and_then_keeps_its_pace() {
    let (bus, folder) = (MemoryBus::new(1), tempfile::tempdir().expect("a folder"));
    let speed = Speed::Times(20.0);
    let config = FleetConfig { checkpoints: kept(&folder, 600), speed, ..config(300, 30) };
    let begun = std::time::Instant::now();
    play(&FleetConfig { ticks: Some(4), ..config.clone() }, &bus);
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    let origin = Origin::Checkpoint(saved_at(&folder, 4));
    play(&FleetConfig { origin, ticks: Some(40), ..config }, &bus);
    let took = begun.elapsed().as_secs_f64();
    assert!(
        (2.0..3.0).contains(&took),
        "tick 40 is due two seconds after tick 0, with or without a pause: {took} s"
    );
}

#[test]
fn a_run_that_is_resumed_after_the_clock_was_set_back_goes_on_at_once() {
    let (bus, folder) = (MemoryBus::new(1), tempfile::tempdir().expect("a folder"));
    let config = FleetConfig { checkpoints: kept(&folder, 200), ..config(50, 200) };
    play(&config, &bus);
    for back_us in [5_000_000, 60_000_000, 3_600_000_000] {
        let began = saved_at(&folder, 200).begun_at(crate::nodes::clock::now_us() + back_us);
        let begun = std::time::Instant::now();
        let (origin, speed) = (Origin::Checkpoint(Box::new(began)), Speed::Times(20.0));
        play(&FleetConfig { origin, speed, ticks: Some(210), checkpoints: None, ..config.clone() }, &bus);
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[test]
fn no_checkpoint_is_of_a_tick_whose_frames_may_be_lost() {
    let (bus, folder) = (MemoryBus::new(2), tempfile::tempdir().expect("a folder"));
    bus.set_away(true);
    let config = FleetConfig { checkpoints: kept(&folder, 10), ..config(500, 60) };
    play(&config, &bus);
    let found = || std::fs::read_dir(folder.path().join("kept")).expect("made").count();
    assert_eq!(found(), 1, "the broker has none of the frames, and no disk: only the beginning is safe");
    let spool = Some((folder.path().join("spool"), 64 << 20));
    play(&FleetConfig { spool, ..config }, &bus);
    assert_eq!(saved_at(&folder, 60).tick(), 60);
}

/// Another future of the same people: they walk on when they are ill.
fn roaming(config: &FleetConfig, past: Past) -> FleetConfig {
    let parameters = Parameters { move_when_infected: true, ..config.parameters.clone() };
    let origin = Origin::Fork(Fork { of: RUN, past });
    FleetConfig { run: Uuid::from_u128(77), parameters, origin, ..config.clone() }
}

#[test]
fn a_fork_begins_where_it_left_the_other_run_and_says_so() {
    let (bus, folder) = (MemoryBus::new(2), tempfile::tempdir().expect("a folder"));
    let config = FleetConfig { checkpoints: kept(&folder, 60), ..config(4_000, 130) };
    let parent = play(&config, &bus);
    let computed = Past::Computed { parameters: config.parameters.clone(), seed: config.seed, tick: 60 };
    let config = FleetConfig { checkpoints: None, ..config };
    let digests = [computed, Past::Saved(saved_at(&folder, 60))].map(|past| {
        let bus = MemoryBus::new(2);
        let fork = roaming(&config, past);
        let summary = play(&fork, &bus);
        let (frames, announcements) = payloads(&bus);
        let first =
            Frame::decode(frames.iter().min_by_key(|bytes| tick_of(bytes)).expect("one")).expect("a frame");
        assert_eq!((first.header.stamp.tick, first.header.kind), (60, coronaz_wire::frame::Kind::Key));
        let left = announcements[0].forked_from.clone().expect("it is a fork");
        assert_eq!((left.run, left.tick, left.seed, left.forked_from), (RUN, 60, config.seed, None));
        assert_eq!(left.parameters, scenario::settings(&config.parameters));
        let mut truth =
            truth(&config, 60).0.fork(&fork.parameters, Draws::new(fork.seed)).expect("the same field");
        let mut witnesses = vec![(); truth.shards()];
        (0..70).for_each(|_| truth.step(&Serial, &mut witnesses));
        assert_eq!(summary.digest, truth.digest().value());
        (summary.digest, summary.contacts, summary.infections)
    });
    assert_eq!(digests[0], digests[1], "computed again or read from a file");
    assert_ne!(digests[0].0, parent.digest);
    assert!(digests[0].1 > parent.contacts / 2, "it counts on from where it left the other");
}

#[test]
fn a_fork_without_changes_is_the_same_future() {
    let bus = MemoryBus::new(1);
    let config = config(2_000, 90);
    let past = Past::Computed { parameters: config.parameters.clone(), seed: config.seed, tick: 33 };
    let fork = FleetConfig { parameters: config.parameters.clone(), ..roaming(&config, past) };
    let (fork, parent) = (play(&fork, &bus), play(&config, &MemoryBus::new(1)));
    assert_eq!(
        (fork.digest, fork.contacts, fork.infections),
        (parent.digest, parent.contacts, parent.infections)
    );
}

#[test]
fn a_fork_that_cannot_be_is_refused_before_anything_is_sent() {
    let bus = MemoryBus::new(1);
    let config = config(2_000, 90);
    let past = Past::Computed { parameters: config.parameters.clone(), seed: config.seed, tick: 5 };
    let mut fork = roaming(&config, past);
    fork.parameters.field_width = 9;
    let error = run(&fork, Arc::new(bus.sink()), &Stop::default()).expect_err("they stand outside");
    assert!(error.to_string().contains("off the new field of 9 x"), "{error}");
    assert_eq!(bus.records(0).len(), 0);
}

#[test]
fn guests_are_refused_where_time_is_not_the_clocks() {
    let bridge = Some(BridgeConfig { radio: coronaz_radio::UdpConfig::default(), key: None });
    let config = FleetConfig { bridge, ..config(10, 1) };
    let error =
        run(&config, Arc::new(MemoryBus::new(1).sink()), &Stop::default()).expect_err("at full speed");
    assert!(error.to_string().contains("its speed must be 1"), "{error}");
}

fn tick_of(bytes: &[u8]) -> u64 {
    Frame::decode(bytes).expect("a frame").header.stamp.tick
}
