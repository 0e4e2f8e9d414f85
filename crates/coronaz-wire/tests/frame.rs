//! The fleet's frame: what a recorder writes, a mirror shows; and no stranger's bytes do harm.

use coronaz_wire::frame::{
    Applied, Columns, Frame, FrameError, Health, Kind, Mirror, MirrorError, Pair, Population, Recorder,
    ShardTick, Stamp, State,
    decode::checksum,
    recorder::{Events, trace},
};
use coronaz_wire::frame::{Census, FRAME_BYTES_MAX, Mark, SHARD_PEOPLE_MAX};
use proptest::prelude::*;
use uuid::{Uuid, uuid};

const RUN: Uuid = uuid!("7c9f3f9e-0d3b-4f7e-9a55-0f4b8f6f2a10");
const BASE: Uuid = uuid!("ff0a1bda-34b9-11eb-b339-0342ac160009");

fn population(people: u32, shard_people: u32) -> Population {
    Population { run: RUN, base: BASE, people, shard_people }
}

type Person = (i32, i32, Health);

/// A recorder and the people it follows.
struct Sender {
    recorder: Recorder,
    people: Vec<Person>,
    records: Vec<Vec<u8>>,
}

impl Sender {
    fn new(population: Population, people: Vec<Person>) -> Self {
        let mut recorder = Recorder::new(population, 0, 8);
        recorder.place(0, people.iter().copied());
        let mut records = Vec::new();
        recorder.write_key(0, &mut records);
        Sender { recorder, people, records }
    }

    /// Everybody goes `steps`, in turn; `ill` get this health.
    fn tick(&mut self, steps: &[(i32, i32)], ill: &[(usize, Health)], events: &mut Events) {
        for ((x, y, _), (dx, dy)) in self.people.iter_mut().zip(steps.iter().cycle()) {
            (*x, *y) = (*x + dx, *y + dy);
        }
        for &(person, health) in ill {
            self.people[person].2 = health;
        }
        let traces: Vec<u8> = self.people.iter().map(|&(x, y, health)| trace(x, y, health)).collect();
        self.records.clear();
        self.recorder.record(7, &traces, events, &mut self.records).expect("nobody jumps");
    }
}

fn frames(records: &[Vec<u8>]) -> Vec<Frame<'_>> {
    records.iter().map(|record| Frame::decode(record).expect("a frame")).collect()
}

fn shown(columns: &Columns) -> Vec<Person> {
    let sides = columns.x.iter().zip(&columns.y);
    sides
        .zip(&columns.health)
        .map(|((&x, &y), &code)| (x, y, Health::of_code(code).expect("a code")))
        .collect()
}

fn apply(mirror: &mut Mirror, records: &[Vec<u8>]) -> Applied {
    let applied = frames(records).iter().map(|frame| mirror.apply(frame).expect("of this population")).last();
    applied.expect("a record for every tick")
}

#[test]
fn five_people_have_the_documented_bytes() {
    let events = Events {
        contacts: vec![Pair::new(0, 3, 4), Pair::new(1, 2, 1)],
        one_way: vec![Pair::new(2, 4, 2)],
        infections: vec![Pair::infection(0, Some(3))],
    };
    let mut people = vec![(10, 20, Health::Susceptible); 5];
    people[3].2 = Health::Infectious;
    let mut sender = Sender::new(population(5, 5), people);
    let golden = |name: &str, text: &str, records: &[Vec<u8>]| {
        let [record] = records else { panic!("one record") };
        let row = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let hex: Vec<String> = record.chunks(16).map(row).collect();
        assert_eq!(hex, text.lines().collect::<Vec<_>>(), "{name}:\n{}\n", hex.join("\n"));
    };
    golden("key", include_str!("golden/frame-key.hex"), &sender.records);
    let walk = [(1, 0), (0, 1), (-1, 0), (0, 0), (0, -1)];
    sender.tick(&walk, &[], &mut Events::default());
    golden("steps", include_str!("golden/frame-steps.hex"), &sender.records);
    sender.tick(&walk, &[], &mut Events::default());
    let ill = [(0, Health::Infectious), (4, Health::Deceased)];
    sender.tick(&walk, &ill, &mut events.clone());
    golden("turns", include_str!("golden/frame-turns.hex"), &sender.records);
    let frame = frames(&sender.records)[0];
    assert_eq!(frame.header.kind, Kind::Turns);
    assert_eq!(frame.turns().count(), 0, "everybody went as two ticks before");
    let changes: Vec<Mark> = frame.changes().collect();
    assert_eq!(changes, [Mark { person: 0, code: 2 }, Mark { person: 4, code: 4 }]);
    let heard: Vec<_> = frame.contacts().map(|c| (c.hearer, c.heard, c.distance_squared, c.mutual)).collect();
    assert_eq!(heard, [(0, 3, 4, true), (1, 2, 1, true), (2, 4, 2, false)]);
    let infected: Vec<_> = frame.infections().map(|i| (i.infectee, i.infector)).collect();
    assert_eq!(infected, [(0, Some(3))]);
    let Census { figures, contacts, infections } = frame.header.stamp.census;
    assert_eq!((figures.total, figures.zombies, figures.deaths, figures.dead_zombies), (5, 2, 1, 0));
    assert_eq!((contacts, infections), (5, 1));
}

#[test]
fn a_full_shard_is_a_keyframe_of_several_parts_and_the_mirror_is_whole_after_the_last() {
    let people = (0..SHARD_PEOPLE_MAX as i32).map(|i| (i, 70_000 - i / 7, Health::Immune)).collect();
    let mut sender = Sender::new(population(SHARD_PEOPLE_MAX, SHARD_PEOPLE_MAX), people);
    assert_eq!(sender.records.len(), 10);
    assert!(sender.records.iter().all(|record| record.len() <= FRAME_BYTES_MAX));
    let mut mirror = Mirror::new(SHARD_PEOPLE_MAX);
    let decoded = frames(&sender.records);
    for frame in &decoded[..9] {
        assert_eq!(mirror.apply(frame), Ok(Applied::Part));
        assert_eq!((mirror.apply(frame), mirror.whole_at()), (Ok(Applied::Repeat), None));
    }
    assert_eq!((mirror.apply(&decoded[9]), mirror.whole_at()), (Ok(Applied::Whole(0)), Some(0)));
    assert_eq!(shown(mirror.shard(0).expect("whole").columns()), sender.people);
    assert_eq!(mirror.census().figures.immune, SHARD_PEOPLE_MAX);
    // Very many contacts, and everybody dies: some parts more, the same picture.
    let met = (0..SHARD_PEOPLE_MAX - 1).map(|i| Pair::new(i, i + 1, 300));
    let mut events = Events { contacts: met.collect(), ..Events::default() };
    let ill: Vec<_> = (0..SHARD_PEOPLE_MAX as usize).map(|i| (i, Health::Deceased)).collect();
    sender.tick(&[(0, 1)], &ill, &mut events);
    assert_eq!(apply(&mut mirror, &sender.records), Applied::Whole(1));
    assert_eq!(shown(mirror.shard(0).expect("whole").columns()), sender.people);
    let contacts: usize = frames(&sender.records).iter().map(|frame| frame.contacts().count()).sum();
    assert_eq!(contacts, SHARD_PEOPLE_MAX as usize - 1);
}

#[test]
fn who_walks_straight_or_like_a_staircase_or_stands_costs_nothing() {
    let mut sender = Sender::new(population(3_000, 3_000), vec![(500, 500, Health::Susceptible); 3_000]);
    for tick in 1..40_i32 {
        let stairs = if tick % 2 == 0 { (1, 0) } else { (0, 1) };
        sender.tick(&[(1, 0), stairs, (0, 0)], &[], &mut Events::default());
        let frame = frames(&sender.records)[0];
        if tick > 2 && tick % 8 != 0 {
            assert_eq!((frame.header.kind, frame.turns().count()), (Kind::Turns, 0), "tick {tick}");
            assert_eq!(sender.records[0].len(), 216);
        }
    }
}

#[test]
fn a_gap_is_told_and_the_next_keyframe_mends_it() {
    let mut sender = Sender::new(population(10, 10), vec![(5, 5, Health::Susceptible); 10]);
    let mut mirror = Mirror::new(10);
    assert_eq!(apply(&mut mirror, &sender.records), Applied::Whole(0));
    for tick in 1..=8 {
        sender.tick(&[(0, 1), (1, 0)], &[], &mut Events::default());
        let expected = match tick {
            2 => continue,
            1 | 8 => Applied::Whole(tick),
            _ => Applied::Gap,
        };
        assert_eq!(apply(&mut mirror, &sender.records), expected, "tick {tick}");
        assert_eq!(mirror.whole_at().is_some(), expected != Applied::Gap);
        if expected != Applied::Gap {
            assert_eq!(apply(&mut mirror, &sender.records), Applied::Repeat);
        }
    }
    sender.recorder.want_key();
    sender.tick(&[(0, 1)], &[], &mut Events::default());
    assert_eq!(frames(&sender.records)[0].header.kind, Kind::Key);
}

#[test]
fn a_jump_is_told_and_a_keyframe_says_where_to() {
    let mut sender = Sender::new(population(4, 4), vec![(5, 5, Health::Susceptible); 4]);
    sender.people[2] = (7, 5, Health::Latent);
    let traces: Vec<u8> = sender.people.iter().map(|&(x, y, health)| trace(x, y, health)).collect();
    let mut events = Events { contacts: vec![Pair::new(0, 1, 0)], ..Events::default() };
    sender.records.clear();
    let jump = sender.recorder.record(1, &traces, &mut events, &mut sender.records).expect_err("a jump");
    assert_eq!((jump.person, jump.tick, sender.records.len()), (2, 1, 0));
    sender.recorder.place(1, sender.people.iter().copied());
    sender.recorder.record_placed(1, &mut events, &mut sender.records);
    let mut mirror = Mirror::new(4);
    assert_eq!(apply(&mut mirror, &sender.records), Applied::Whole(1));
    assert_eq!(shown(mirror.shard(0).expect("whole").columns()), sender.people);
    assert_eq!(mirror.census().contacts, 2);
}

#[test]
fn a_recorder_that_goes_on_from_its_memory_writes_the_same_bytes() {
    let population = population(300, 300);
    let people = (0..300).map(|number| (number, 2 * number, Health::Susceptible)).collect();
    let mut sender = Sender::new(population, people);
    let walk = [(1, 0), (0, 1), (0, 0), (-1, 0), (0, -1), (1, 0), (1, 0)];
    let events = |tick: u32| Events { contacts: vec![Pair::new(tick, tick + 1, 3)], ..Events::default() };
    let turned = |tick: usize| walk.iter().copied().cycle().skip(tick % 3).take(7).collect::<Vec<_>>();
    for tick in 1..6 {
        sender.tick(&turned(tick), &[(tick, Health::Infectious)], &mut events(tick as u32));
    }
    let memory = sender.recorder.memory();
    let mut resumed =
        Sender { recorder: Recorder::new(population, 0, 8), people: sender.people.clone(), records: vec![] };
    resumed.recorder.resume(5, resumed.people.iter().copied(), &memory).expect("its own memory");
    for tick in 6..20 {
        for sender in [&mut sender, &mut resumed] {
            sender.tick(&turned(tick), &[(tick, Health::Immune)], &mut events(tick as u32));
        }
        assert_eq!(sender.records, resumed.records, "tick {tick}");
        assert_eq!(sender.recorder.census(), resumed.recorder.census());
    }
    let others = coronaz_wire::frame::Memory { steps: vec![25; 300], ..memory };
    resumed.recorder.resume(5, [], &others).expect_err("no step has this code");
}

#[test]
fn a_mirror_takes_one_population_and_not_more_people_than_it_may_hold() {
    let small = Sender::new(population(10, 10), vec![(5, 5, Health::Susceptible); 10]);
    let other = Sender::new(population(11, 11), vec![(5, 5, Health::Susceptible); 11]);
    let mut mirror = Mirror::new(10);
    let too_many = MirrorError::TooMany { people: 11, max: 10 };
    assert_eq!(mirror.apply(&frames(&other.records)[0]), Err(too_many));
    assert_eq!(apply(&mut mirror, &small.records), Applied::Whole(0));
    let mut mirror = Mirror::new(11);
    assert_eq!(apply(&mut mirror, &small.records), Applied::Whole(0));
    assert_eq!(mirror.apply(&frames(&other.records)[0]), Err(MirrorError::OtherPopulation));
}

/// A record with a checksum that fits its bytes.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() >= 12 {
        let sum = checksum(&bytes);
        bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

#[test]
fn what_is_wrong_with_a_record_is_said() {
    let mut sender = Sender::new(population(5, 5), vec![(5, 5, Health::Susceptible); 5]);
    sender.tick(
        &[(0, 0)],
        &[(0, Health::Infectious)],
        &mut Events {
            contacts: vec![Pair::new(0, 1, 0)],
            infections: vec![Pair::infection(0, None)],
            ..Events::default()
        },
    );
    let good = sender.records[0].clone();
    assert!(Frame::decode(&good).is_ok());
    let with = |at: usize, bytes: &[u8]| {
        let mut wrong = good.clone();
        wrong[at..at + bytes.len()].copy_from_slice(bytes);
        Frame::decode(&sealed(wrong)).map(|frame| frame.header).expect_err("refused")
    };
    assert_eq!(Frame::decode(&[]).expect_err("refused"), FrameError::NotAFrame);
    assert_eq!(with(0, b"CZF1"), FrameError::NotAFrame);
    assert_eq!(with(4, &[2]), FrameError::NotAFrame);
    assert_eq!(with(5, &[3]), FrameError::NotAFrame);
    let mut flipped = good.clone();
    *flipped.last_mut().expect("not empty") ^= 1;
    assert!(matches!(Frame::decode(&flipped), Err(FrameError::Damaged { .. })));
    assert!(matches!(Frame::decode(&good[..good.len() - 4]), Err(FrameError::WrongLength { .. })));
    assert!(matches!(Frame::decode(&vec![0; FRAME_BYTES_MAX + 1]), Err(FrameError::NotAFrame)));
    let mut long = good.clone();
    long.resize(FRAME_BYTES_MAX + 1, 0);
    assert!(matches!(Frame::decode(&long), Err(FrameError::TooLong { .. })));
    for (at, bytes, what) in [
        (72, u32::MAX.to_le_bytes(), "sizes of population and shard"),
        (76, 4_u32.to_le_bytes(), "sizes of population and shard"),
        (80, 1_u32.to_le_bytes(), "sizes of population and shard"),
        (84, [3, 0, 1, 0], "number of parts"),
        (88, 6_u32.to_le_bytes(), "range of people"),
        (92, 6_u32.to_le_bytes(), "range of people"),
        (92, 1_u32.to_le_bytes(), "members for its kind"),
        (96, 6_u32.to_le_bytes(), "figures"),
        (136, u32::MAX.to_le_bytes(), "length of a list"),
        (140, 1_u32.to_le_bytes(), "length of a list"),
        (216, [5, 0, 0, 0], "number of a person"),
        (220, [6, 0, 0, 0], "code of a turn or change"),
        (228, [5, 0, 0, 0], "number of the other person"),
        (228, [0, 0, 0, 0], "number of the other person"),
    ] {
        assert_eq!(with(at, &bytes), FrameError::Wrong { what }, "at {at}");
    }
}

/// Any step, seldom another health.
fn history(people: usize) -> impl Strategy<Value = Vec<Vec<(u8, u8)>>> {
    prop::collection::vec(prop::collection::vec((0..5_u8, 0..60_u8), people), 1..12)
}

#[test]
fn a_tick_or_a_time_beyond_all_runs_is_refused() {
    for (tick, time_us, fits) in
        [(9, 3, true), (u64::from(u32::MAX), 3, false), (9, -1, false), (9, i64::MAX, false)]
    {
        let stamp = Stamp {
            population: population(20_000, 9_000),
            shard: 0,
            tick,
            time_us,
            census: Census::default(),
        };
        let state = State::Turns { turns: &[], changes: &[] };
        let mut records = Vec::new();
        ShardTick { stamp, state, contacts: &[], one_way: &[], infections: &[] }.encode(0, &mut records);
        assert_eq!(Frame::decode(&records[0]).is_ok(), fits, "tick {tick}, time {time_us}");
    }
}

proptest! {
    #[test]
    fn a_mirror_shows_what_was_recorded((people, history) in (1..300_usize).prop_flat_map(|n| (Just(n), history(n)))) {
        let mut sender = Sender::new(population(people as u32, people as u32), vec![(300, 70_000, Health::Latent); people]);
        let mut mirror = Mirror::new(300);
        apply(&mut mirror, &sender.records);
        for (tick, people) in history.iter().enumerate() {
            let steps: Vec<_> = people.iter().map(|&(step, _)| {
                let step = if tick % 3 == 0 { step } else { 1 };
                [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)][usize::from(step)]
            }).collect();
            let ill: Vec<_> = (people.iter().enumerate())
                .filter_map(|(i, &(_, code))| Some((i, Health::of_code(code)?)))
                .collect();
            sender.tick(&steps, &ill, &mut Events::default());
            prop_assert_eq!(apply(&mut mirror, &sender.records), Applied::Whole(tick as u64 + 1));
            let shard = mirror.shard(0).expect("whole");
            prop_assert_eq!(shown(shard.columns()), sender.people.clone());
            prop_assert_eq!(shard.census().figures, sender.recorder.census().figures);
            let infected = sender.people.iter().filter(|person| person.2 == Health::Infectious).count();
            prop_assert_eq!(shard.census().figures.zombies as usize, infected);
        }
    }

    #[test]
    fn contacts_and_infections_come_out_as_they_went_in(
        mutual in prop::collection::btree_map((0..9_000_u32, 9_000..20_000_u32), 0..1_000_000_u64, 0..200),
        last in prop::collection::btree_map((0..9_000_u32, 9_000..20_000_u32), 0..200_u64, 0..20),
        infections in prop::collection::btree_map(4_500..9_000_u32, prop::option::of(0..4_500_u32), 0..20),
    ) {
        let population = population(20_000, 9_000);
        let pairs = |map: &std::collections::BTreeMap<(u32, u32), u64>| -> Vec<Pair> {
            map.iter().map(|(&(person, other), &distance)| Pair::new(person, other, distance)).collect()
        };
        let (contacts, one_way) = (pairs(&mutual), pairs(&last));
        let infected: Vec<Pair> = infections.iter().map(|(&infectee, &infector)| Pair::infection(infectee, infector)).collect();
        let stamp = Stamp { population, shard: 0, tick: 9, time_us: 3, census: Census::default() };
        let state = State::Turns { turns: &[], changes: &[] };
        let mut records = Vec::new();
        ShardTick { stamp, state, contacts: &contacts, one_way: &one_way, infections: &infected }.encode(77, &mut records);
        prop_assert_eq!(records.len(), 1);
        let frame = Frame::decode(&records[0]).expect("a frame");
        prop_assert_eq!((frame.header.seq, frame.header.stamp), (77, stamp));
        let expected: Vec<_> = (mutual.iter().map(|(&pair, &distance)| (pair, distance, true)))
            .chain(last.iter().map(|(&pair, &distance)| (pair, distance, false)))
            .collect();
        let read: Vec<_> = frame.contacts()
            .map(|c| ((c.hearer, c.heard), u64::from(c.distance_squared), c.mutual))
            .collect();
        prop_assert_eq!(read, expected);
        let read: Vec<_> = frame.infections().map(|infection| (infection.infectee, infection.infector)).collect();
        prop_assert_eq!(read, infections.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn damaged_records_with_a_right_checksum_do_no_harm(
        changes in prop::collection::vec((0..700_usize, any::<u8>()), 1..12),
        cut in 0..60_usize,
    ) {
        let mut sender = Sender::new(population(90, 90), vec![(5, 5, Health::Susceptible); 90]);
        let mut mirror = Mirror::new(100);
        let events = Events { contacts: vec![Pair::new(0, 1, 0)], ..Events::default() };
        for tick in 0..3 {
            for record in &sender.records {
                let mut record = record.clone();
                for &(at, byte) in &changes {
                    let length = record.len();
                    record[at % length] = byte;
                }
                record.truncate(record.len() - if cut < 40 { 0 } else { cut });
                let record = sealed(record);
                if let Ok(frame) = Frame::decode(&record) {
                    // Whatever it says now, it is refused, or applied within the mirror's limits.
                    let _ = mirror.apply(&frame);
                    prop_assert!(frame.contacts().chain(frame.contacts()).count() <= record.len());
                }
            }
            sender.tick(&[(0, tick % 2), (1, 0)], &[(3, Health::Immune)], &mut events.clone());
        }
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut bytes = bytes;
        if bytes.len() >= 16 {
            bytes[..6].copy_from_slice(b"CZTF\x01\x01");
            let length = (bytes.len() as u32).to_le_bytes();
            bytes[12..16].copy_from_slice(&length);
        }
        let _ = Frame::decode(&sealed(bytes));
    }
}
