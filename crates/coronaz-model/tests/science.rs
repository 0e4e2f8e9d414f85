//! The model against theory that was not made from it. Formulas and sources: `docs/model.md`.

use std::collections::{BTreeMap, BTreeSet};

use coronaz_model::fleet::{Columns, Diary, Serial};
use coronaz_model::identity::base_of;
use coronaz_model::{Draws, Fleet, Health, Parameters, PersonId, Position, Reach, Spawn};

fn fleet_of(parameters: &Parameters, seed: u64, people: u32, infected: u32) -> Fleet {
    let spawns = (0..people).map(|n| Spawn { infected: n < infected, ..Spawn::default() });
    Fleet::new(parameters, Draws::new(seed), base_of(seed), spawns.collect::<Vec<_>>().into_iter())
}

/// How many lattice places come into range by a relative step `w`: |D \ (D + w)|, where D is the disc.
fn swept_places(reach: Reach, radius: i32, w: (i32, i32)) -> f64 {
    let inside = |x: i32, y: i32| reach.covers(Position { x, y }, Position { x: 0, y: 0 });
    let disc = (-radius..=radius).flat_map(|x| (-radius..=radius).map(move |y| (x, y)));
    disc.filter(|&(x, y)| inside(x, y) && !inside(x - w.0, y - w.1)).count() as f64
}

/// Positions by person.
fn positions(fleet: &Fleet) -> Vec<Position> {
    let mut positions = vec![Position { x: 0, y: 0 }; fleet.count() as usize];
    for person in fleet.columns().flat_map(Columns::present) {
        positions[person.id.0 as usize] = person.position;
    }
    positions
}

/// The map is cut into this many cells a side, in each of which people are taken to be well mixed.
const CELLS: i32 = 8;

/// What kinetic theory expects of one tick, given how many people of each cell took which step:
/// encounters (pairs that come into range), and the same with the classical 2 r |w| for a continuous plane.
fn expected(before: &[Position], after: &[Position], side: i32, reach: Reach, radius: i32) -> (f64, f64) {
    let mut steps: BTreeMap<(i32, i32), BTreeMap<(i32, i32), f64>> = BTreeMap::new();
    for (from, to) in before.iter().zip(after) {
        let cell = (to.x * CELLS / (side + 1), to.y * CELLS / (side + 1));
        *steps.entry(cell).or_default().entry((to.x - from.x, to.y - from.y)).or_default() += 1.0;
    }
    let places_a_cell = (f64::from(side) + 1.0).powi(2) / f64::from(CELLS * CELLS);
    let (mut lattice, mut plane) = (0.0, 0.0);
    for counts in steps.values() {
        for (a, of_a) in counts {
            for (b, of_b) in counts {
                let w = (a.0 - b.0, a.1 - b.1);
                // Each pair once: half of the ordered pairs.
                let pairs_a_place = of_a * of_b / places_a_cell / 2.0;
                lattice += pairs_a_place * swept_places(reach, radius, w);
                plane += pairs_a_place * 2.0 * f64::from(radius) * f64::from(w.0).hypot(f64::from(w.1));
            }
        }
    }
    (lattice, plane)
}

/// Encounters of `ticks` ticks: counted, expected on the lattice, and expected on a plane.
fn encounters(radius: i32, people: u32, side: u32, ticks: u32) -> (f64, f64, f64) {
    let parameters = Parameters {
        field_width: side,
        field_height: side,
        zombie_lifetime: 0,
        infection_radius: radius.into(),
        ..Parameters::default()
    };
    let mut fleet = fleet_of(&parameters, 11, people, 0);
    let mut diaries = vec![Diary::default(); fleet.shards()];
    let (mut counted, mut lattice, mut plane) = (0.0, 0.0, 0.0);
    let mut near: BTreeSet<(PersonId, PersonId)> = BTreeSet::new();
    for tick in 0..=ticks {
        let before = positions(&fleet);
        diaries.iter_mut().for_each(Diary::clear);
        fleet.step(&Serial, &mut diaries);
        let pairs = diaries.iter().flat_map(|diary| &diary.contacts);
        let now: BTreeSet<_> =
            pairs.filter(|(hearer, heard, _)| hearer < heard).map(|&(a, b, _)| (a, b)).collect();
        if tick > 0 {
            counted += now.difference(&near).count() as f64;
            let theory = expected(&before, &positions(&fleet), side as i32, parameters.reach(), radius);
            lattice += theory.0;
            plane += theory.1;
        }
        near = now;
    }
    (counted, lattice, plane)
}

#[test]
fn people_meet_as_often_as_kinetic_theory_says_of_the_lattice() {
    let (counted, lattice, plane) = encounters(2, 32_000, 3_999, 100);
    // Encounters are rare and independent: their number is Poisson distributed.
    let standard_error = lattice.sqrt();
    let deviation = (counted - lattice) / standard_error;
    assert!(deviation.abs() < 3.0, "{counted} encounters, {lattice:.0} ± {standard_error:.0} expected");
    // A radius of 2 is a diamond of 13 places on the lattice, narrower than the circle: 3.73 across
    // on average, not 4.
    let width = 4.0 * lattice / plane;
    assert!((width - 3.73).abs() < 0.1, "the effective cross-section is {width}");
}

#[test]
fn with_a_wide_radius_the_lattice_does_not_show_and_the_classical_formula_holds() {
    let (counted, lattice, plane) = encounters(20, 8_000, 3_999, 100);
    let standard_error = plane.sqrt();
    assert!(
        (counted - lattice).abs() < 3.0 * standard_error,
        "{counted}, {lattice:.0} ± {standard_error:.0}"
    );
    assert!((counted / plane - 1.0).abs() < 0.03, "{counted} encounters, {plane:.0} by 2 r v ρ");
}

#[test]
fn swept_places_of_the_papers_radius_are_those_counted_by_hand() {
    let reach = Reach::of_radius(2.0);
    assert!((swept_places(reach, 2, (1, 0)) - 5.0).abs() < 1e-9);
    assert!((swept_places(reach, 2, (2, 0)) - 8.0).abs() < 1e-9);
    assert!((swept_places(reach, 2, (1, 1)) - 5.0).abs() < 1e-9);
    assert!(swept_places(reach, 2, (0, 0)).abs() < 1e-9);
}

#[test]
fn at_an_instant_people_have_as_many_contacts_as_places_in_range_are_taken() {
    let parameters =
        Parameters { field_width: 1_999, field_height: 1_999, zombie_lifetime: 0, ..Parameters::default() };
    let mut contacts = 0;
    let (people, seeds) = (8_000_u32, 20);
    for seed in 0..seeds {
        let mut fleet = fleet_of(&parameters, seed, people, 0);
        let mut diaries = vec![Diary::default(); fleet.shards()];
        fleet.step(&Serial, &mut diaries);
        contacts += diaries.iter().map(|diary| diary.contacts.len()).sum::<usize>();
    }
    // 13 places within 2 units; beyond the edge there are none: 4 · 26 of 2,000 · 13 are missing a row.
    let expected = f64::from(people) * f64::from(people - 1) / 2_000_f64.powi(2) * 13.0 * seeds as f64;
    let deviation = (contacts as f64 - expected) / (2.0 * expected).sqrt();
    assert!(deviation.abs() < 3.0, "{contacts} contacts, {expected:.0} expected");
}

/// The share infected in the end by the SIR equations: s = s0 exp(-R0 (1 - s)), where 1 - s counts
/// those infected at first (`docs/model.md`).
fn final_size(r_zero: f64, infected_at_first: f64) -> f64 {
    let mut s = 0.5;
    for _ in 0..200 {
        s = (1.0 - infected_at_first) * f64::exp(-r_zero * (1.0 - s));
    }
    1.0 - s
}

#[test]
fn a_well_mixed_epidemic_has_the_final_size_of_the_sir_equations() {
    const PEOPLE: u32 = 400;
    const FIRST: u32 = 20;
    const COOLDOWN: u32 = 30;
    const REPLICATES: u64 = 12;
    for r_zero in [1.5, 2.5] {
        // Everybody is in range of everybody. The illness is heard in one second less than it lasts:
        // in the second of the infection itself, the beacon was sent before it.
        let heard_s = f64::from(COOLDOWN - 1);
        let probability = 1.0 - f64::exp(-r_zero / (f64::from(PEOPLE - 1) * heard_s));
        let parameters = Parameters {
            field_width: 20,
            field_height: 20,
            zombie_lifetime: 0,
            infection_radius: 50.0,
            infection_cooldown: COOLDOWN,
            immunity_period: 60_000,
            transmission_probability: probability,
            ..Parameters::default()
        };
        let sizes: Vec<f64> = (0..REPLICATES)
            .map(|seed| {
                let mut fleet = fleet_of(&parameters, 100 + seed, PEOPLE, FIRST);
                let mut witnesses = vec![(); fleet.shards()];
                while fleet.census().of(Health::Infectious) > 0 {
                    fleet.step(&Serial, &mut witnesses);
                }
                1.0 - fleet.census().of(Health::Susceptible) as f64 / f64::from(PEOPLE)
            })
            .collect();
        let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let variance = sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / (sizes.len() - 1) as f64;
        let standard_error = (variance / sizes.len() as f64).sqrt();
        let theory = final_size(r_zero, f64::from(FIRST) / f64::from(PEOPLE));
        // A finite population stays a little below the equations, by O(1/N).
        let allowed = 3.0 * standard_error + 2.0 / f64::from(PEOPLE);
        assert!(
            (mean - theory).abs() < allowed,
            "R0 {r_zero}: {mean:.3} ± {standard_error:.3}, SIR {theory:.3}"
        );
        let (smallest, largest) =
            sizes.iter().fold((1.0, 0.0), |(low, high): (f64, f64), &size| (low.min(size), high.max(size)));
        assert!((smallest..=largest).contains(&theory), "R0 {r_zero}: SIR {theory:.3} is outside the band");
    }
}
