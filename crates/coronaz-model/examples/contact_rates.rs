//! How often people meet with each movement: the table in `docs/model.md`.
//!
//! `cargo run --release -p coronaz-model --example contact_rates`

#![expect(clippy::disallowed_macros, reason = "an example shows what it finds; the rules do not")]

use std::collections::BTreeSet;

use coronaz_model::fleet::{Diary, Serial};
use coronaz_model::identity::base_of;
use coronaz_model::{Draws, Fleet, Movement, Parameters, PersonId, Spawn};

const PEOPLE: u32 = 2_000;
/// People at random places settle into their movement's own distribution first.
const SETTLING_TICKS: u64 = 4_000;
const COUNTED_TICKS: u64 = 3_000;

struct Rates {
    /// Ordered pairs in range, for each person and second.
    contacts: f64,
    /// Pairs that came into range, for each person and hour.
    encounters_an_hour: f64,
    /// Infections from the beginning on, in a second run.
    infections: u64,
}

fn measure(parameters: &Parameters, infected: u32) -> Rates {
    let spawns = (0..PEOPLE).map(|n| Spawn { infected: n < infected, ..Spawn::default() });
    let spawns: Vec<_> = spawns.collect();
    let mut fleet = Fleet::new(parameters, Draws::new(1), base_of(1), spawns.into_iter());
    let mut diaries = vec![Diary::default(); fleet.shards()];
    let (mut contacts, mut encounters, mut infections) = (0, 0, 0);
    let mut near: BTreeSet<(PersonId, PersonId)> = BTreeSet::new();
    for tick in 0..SETTLING_TICKS + COUNTED_TICKS {
        diaries.iter_mut().for_each(Diary::clear);
        fleet.step(&Serial, &mut diaries);
        infections += diaries.iter().map(|diary| diary.infections.len() as u64).sum::<u64>();
        let pairs = diaries.iter().flat_map(|diary| &diary.contacts);
        let now: BTreeSet<_> = pairs.map(|&(a, b, _)| (a, b)).collect();
        if tick >= SETTLING_TICKS {
            contacts += now.len();
            encounters += now.difference(&near).count();
        }
        near = now;
    }
    let person_ticks = f64::from(PEOPLE) * COUNTED_TICKS as f64;
    Rates {
        contacts: contacts as f64 / person_ticks,
        encounters_an_hour: encounters as f64 / person_ticks * 3_600.0,
        infections,
    }
}

fn main() {
    println!(
        "| movement | contacts a person and second | encounters a person and hour | infections of 2,000 people |"
    );
    println!("|---|---|---|---|");
    for movement in [Movement::Waypoint, Movement::Avoid, Movement::Places] {
        // The paper's density of 0.002 people a square unit.
        let parameters = Parameters {
            field_width: 999,
            field_height: 999,
            zombie_lifetime: 0,
            movement,
            ..Parameters::default()
        };
        let healthy = measure(&parameters, 0);
        let lingering = Parameters { infection_cooldown: 600, immunity_period: 60_000, ..parameters };
        let ill = measure(&lingering, 20);
        println!(
            "| `{}` | {:.4} | {:.1} | {} |",
            movement.name(),
            healthy.contacts,
            healthy.encounters_an_hour,
            ill.infections
        );
    }
}
