//! A fleet that was saved and restored has the future of one that never stopped.

use coronaz_model::fleet::{Serial, SnapshotError};
use coronaz_model::identity::base_of;
use coronaz_model::{Draws, Fleet, Movement, Parameters, Spawn};

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
