//! A fleet that was saved and restored has the future of one that never stopped.

use coronaz_model::fleet::{Serial, SnapshotError};
use coronaz_model::identity::base_of;
use coronaz_model::{Draws, Fleet, Movement, Parameters, Spawn, Start};

fn parameters() -> Parameters {
    Parameters {
        field_width: 400,
        field_height: 500,
        zombie_lifetime: 150,
        infection_radius: 3.5,
        transmission_probability: 0.7,
        latent_period: 4.0,
        incubation_period: 8.0,
        period_shape: 2,
        asymptomatic_share: 0.2,
        fatality: 0.1,
        movement: Movement::Avoid,
        ..Parameters::default()
    }
}

fn fleet_of(parameters: &Parameters, people: u32) -> Fleet {
    let spawns = (0..people).map(|n| Spawn { infected: n % 5 == 0, ..Spawn::default() });
    Fleet::new(parameters, Draws::new(3), base_of(3), spawns.collect::<Vec<_>>().into_iter())
}

fn run(mut fleet: Fleet, ticks: u64) -> Fleet {
    let mut witnesses = vec![(); fleet.shards()];
    (0..ticks).for_each(|_| fleet.step(&Serial, &mut witnesses));
    fleet
}

#[test]
fn a_resumed_run_equals_one_that_never_stopped() {
    for parameters in
        [parameters(), Parameters { field_width: 400, field_height: 500, ..Parameters::default() }]
    {
        let through = run(fleet_of(&parameters, 2_000), 140);
        for stop in [0, 1, 37, 119, 139] {
            let saved = run(fleet_of(&parameters, 2_000), stop).snapshot();
            let resumed = run(Fleet::restore(&saved).expect("its own bytes"), 140 - stop);
            assert_eq!(resumed.digest(), through.digest(), "stopped at {stop}");
            assert_eq!(resumed.people(), through.people(), "stopped at {stop}");
            assert_eq!(resumed.census(), through.census(), "stopped at {stop}");
        }
    }
}

#[test]
fn a_fork_without_changes_is_the_same_future_and_with_changes_another() {
    let (parameters, draws) = (parameters(), Draws::new(3));
    let fleet = run(fleet_of(&parameters, 2_000), 40);
    let same = run(fleet.fork(&parameters, draws).expect("the same field"), 60);
    let roaming = Parameters { move_when_infected: true, ..parameters.clone() };
    let other = run(fleet.fork(&roaming, draws).expect("the same field"), 60);
    let luckier = run(fleet.fork(&parameters, Draws::new(4)).expect("the same field"), 60);
    let through = run(fleet, 60);
    assert_eq!(same.digest(), through.digest());
    assert_ne!(other.digest(), through.digest());
    assert_ne!(luckier.digest(), through.digest());
}

#[test]
fn a_fork_onto_a_field_that_is_too_small_is_refused() {
    let fleet = run(fleet_of(&parameters(), 500), 10);
    let narrow = Parameters { field_width: 20, ..parameters() };
    let error = fleet.fork(&narrow, Draws::new(3)).expect_err("people stand outside").to_string();
    assert!(error.contains("off the new field of 20 x 500"), "{error}");
}

#[test]
fn a_fork_whose_people_are_to_have_appeared_in_another_way_is_refused() {
    let fleet = run(fleet_of(&parameters(), 500), 10);
    for changed in
        [Parameters { start: Start::Settled, ..parameters() }, Parameters { warm_up: 9, ..parameters() }]
    {
        let error = fleet.fork(&changed, Draws::new(3)).expect_err("they are there").to_string();
        assert!(error.contains("start and warm_up"), "{error}");
    }
}

/// The checksum of a snapshot: `SplitMix64`'s finaliser over words, then bytes.
fn checksum(bytes: &[u8]) -> u64 {
    let mix = |x: u64| {
        let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let sum = words.iter().fold(bytes.len() as u64, |sum, word| mix(sum ^ u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, &byte| mix(sum ^ u64::from(byte)))
}

/// The bytes of a fleet as a program wrote them that did not know some parameters.
fn without(saved: &[u8], names: &[&str]) -> Vec<u8> {
    const PARAMETERS_AT: usize = 16 + 8 + 16 + 8 + 8 + 4 + 4;
    let word = |at: usize| u32::from_le_bytes(saved[at..at + 4].try_into().expect("four bytes")) as usize;
    let (mut at, mut kept, mut count) = (PARAMETERS_AT + 4, Vec::new(), 0_u32);
    for _ in 0..word(PARAMETERS_AT) {
        let value_at = at + 4 + word(at);
        let end = value_at + 4 + word(value_at);
        let name = std::str::from_utf8(&saved[at + 4..value_at]).expect("a name");
        if !names.contains(&name) {
            kept.extend_from_slice(&saved[at..end]);
            count += 1;
        }
        at = end;
    }
    [&saved[..PARAMETERS_AT], &count.to_le_bytes(), &kept, &saved[at..]].concat()
}

#[test]
fn a_snapshot_of_before_a_parameter_existed_has_what_held_then() {
    let fleet = run(fleet_of(&Parameters { start: Start::Uniform, ..parameters() }, 200), 5);
    let mut earlier = without(&fleet.snapshot(), &["start", "warm_up"]);
    let checksum = checksum(&earlier[16..]);
    earlier[8..16].copy_from_slice(&checksum.to_le_bytes());
    let restored = Fleet::restore(&earlier).expect("a snapshot of an earlier version");
    assert_eq!(restored.parameters(), fleet.parameters());
    assert_eq!(run(restored, 30).digest(), run(fleet, 30).digest());
}

#[test]
fn damaged_cut_and_foreign_bytes_are_refused() {
    let saved = run(fleet_of(&parameters(), 300), 20).snapshot();
    assert_eq!(Fleet::restore(b"PK").err(), Some(SnapshotError::Foreign));
    assert_eq!(Fleet::restore(&[]).err(), Some(SnapshotError::Foreign));
    let mut newer = saved.clone();
    newer[4] = 9;
    assert_eq!(Fleet::restore(&newer).err(), Some(SnapshotError::Version(9)));
    for cut in [5, 12, 40, saved.len() - 1] {
        Fleet::restore(&saved[..cut]).expect_err("cut short");
    }
    for at in (16..saved.len()).step_by(97) {
        let mut damaged = saved.clone();
        damaged[at] ^= 4;
        assert_eq!(Fleet::restore(&damaged).err(), Some(SnapshotError::Damaged), "byte {at}");
    }
}
