//! How often people meet with each movement: the table in `docs/model.md`.
//!
//! `cargo run --release -p coronaz-model --example contact_rates`

#![expect(clippy::disallowed_macros, reason = "an example shows what it finds; the rules do not")]

use std::collections::BTreeMap;

use coronaz_model::fleet::{Diary, Serial};
use coronaz_model::identity::base_of;
use coronaz_model::{Draws, ENCOUNTER_GAP_TICKS, Fleet, Movement, Parameters, PersonId, Spawn, Start, Tick};

const PEOPLE: u32 = 2_000;
/// Who is in range at the beginning has met before.
const LEAD_IN_TICKS: Tick = ENCOUNTER_GAP_TICKS;
/// Whole days.
const COUNTED_TICKS: Tick = 3_000;

struct Rates {
    /// Ordered pairs in range, for each person and second.
    contacts: f64,
    /// Encounters as the product counts them, for each person and hour.
    encounters_an_hour: f64,
    /// Infections in all.
    infections: u64,
}

fn measure(parameters: &Parameters, infected: u32) -> Rates {
    let spawns = (0..PEOPLE).map(|n| Spawn { infected: n < infected, ..Spawn::default() });
    let spawns: Vec<_> = spawns.collect();
    let mut fleet = Fleet::new(parameters, Draws::new(1), base_of(1), spawns.into_iter());
    let mut diaries = vec![Diary::default(); fleet.shards()];
    let (mut contacts, mut encounters, mut infections) = (0_u64, 0_u64, 0);
    // When one heard the other last. Each is in two pairs: so an encounter counts for both.
    let mut heard: BTreeMap<(PersonId, PersonId), Tick> = BTreeMap::new();
    for tick in 1..=LEAD_IN_TICKS + COUNTED_TICKS {
        diaries.iter_mut().for_each(Diary::clear);
        fleet.step(&Serial, &mut diaries);
        infections += diaries.iter().map(|diary| diary.infections.len() as u64).sum::<u64>();
        for &(hearer, other, _) in diaries.iter().flat_map(|diary| &diary.contacts) {
            let last = heard.insert((hearer, other), tick);
            if tick > LEAD_IN_TICKS {
                contacts += 1;
                encounters += u64::from(last.is_none_or(|last| tick - last > ENCOUNTER_GAP_TICKS));
            }
        }
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
            start: Start::Settled,
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
