//! What a movement costs: the same people by `waypoint` and by each other movement, in the same run.
//!
//! `cargo bench -p coronaz-model --bench movements [-- PEOPLE [DENSITY]]`
//!
//! Ten ticks of one, then ten of the other, through a whole day of those who have places to go to, on one thread: so a
//! busy machine disturbs both alike. The ratio is that of the medians.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a benchmark measures time and prints it; the rules do not"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at a wrong argument")]

use std::time::Instant;

use coronaz_model::fleet::Serial;
use coronaz_model::identity::base_of;
use coronaz_model::{Draws, Fleet, Movement, Parameters, Spawn, Start};

/// Ticks measured together.
const GROUP_TICKS: usize = 10;

/// A fleet, and what its groups of ticks took, in seconds.
struct Measured {
    what: String,
    fleet: Fleet,
    witnesses: Vec<()>,
    groups: Vec<f64>,
}

impl Measured {
    fn of(movement: Movement, start: Start, people: u32, density: f64) -> Self {
        let side = (f64::from(people) / density).sqrt().round() as u32;
        let parameters = Parameters {
            field_width: side,
            field_height: side,
            zombie_lifetime: 0,
            movement,
            start,
            ..Parameters::default()
        };
        let spawns: Vec<_> =
            (0..people).map(|n| Spawn { infected: n % 10 == 0, ..Spawn::default() }).collect();
        let fleet = Fleet::new(&parameters, Draws::new(1), base_of(1), spawns.into_iter());
        let witnesses = vec![(); fleet.shards()];
        let what = format!("{} from a {} start", movement.name(), start.name());
        Measured { what, fleet, witnesses, groups: Vec::new() }
    }

    fn group(&mut self) {
        let begin = Instant::now();
        (0..GROUP_TICKS).for_each(|_| self.fleet.step(&Serial, &mut self.witnesses));
        self.groups.push(begin.elapsed().as_secs_f64());
    }

    /// Nanoseconds a person and tick: the median of the groups.
    fn ns(&self) -> f64 {
        let mut groups = self.groups.clone();
        groups.sort_unstable_by(f64::total_cmp);
        groups[groups.len() / 2] * 1e9 / GROUP_TICKS as f64 / f64::from(self.fleet.count())
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let people: u32 = arguments.next().map_or(1_000_000, |text| text.parse().unwrap());
    let density: f64 = arguments.next().map_or(0.002, |text| text.parse().unwrap());
    let mut all: Vec<_> = [
        (Movement::Waypoint, Start::Uniform),
        (Movement::Waypoint, Start::Settled),
        (Movement::Avoid, Start::Uniform),
        (Movement::Places, Start::Uniform),
        (Movement::Places, Start::Settled),
    ]
    .map(|(movement, start)| Measured::of(movement, start, people, density))
    .into();
    let day = Parameters::default().day_length as usize;
    for _ in 0..day / GROUP_TICKS {
        all.iter_mut().for_each(Measured::group);
    }
    println!("{people} people, {density} a square unit, a day of {day} ticks, one thread:");
    let waypoint = all[0].ns();
    for measured in &all {
        let ns = measured.ns();
        println!("  {:<32} {ns:>6.1} ns a person and tick, {:>5.2} × waypoint", measured.what, ns / waypoint);
    }
}
