//! What writing everything down costs: a whole simulation against the bare engine, in person-ticks a second.
//!
//! `cargo run --release -p coronaz-simulation --example overhead [-- PEOPLE [TICKS [DENSITY [DIR]]]]`

use std::{path::PathBuf, time::Instant};

use coronaz_model::{Draws, Fleet, Parameters, Spawn, fleet::Pool, identity::base_of};
use coronaz_simulation::{Contacts, Folder, Formats, Plan, Progress, simulate};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _};

struct Rayon;

impl Pool for Rayon {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        jobs.par_iter_mut().with_max_len(1).for_each(&work);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let people: u32 = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number of people"));
    let ticks: u64 = arguments.next().map_or(200, |text| text.parse().expect("a number of ticks"));
    let density: f64 = arguments.next().map_or(0.002, |text| text.parse().expect("a density"));
    let folder = arguments.next().map(PathBuf::from);
    let side = (f64::from(people) / density).sqrt().round() as u32;
    let parameters =
        Parameters { field_width: side, field_height: side, zombie_lifetime: 0, ..Parameters::default() };
    let infected = people / 100;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{people} people, {ticks} ticks, density {density}, {threads} threads; million person-ticks/s:");
    println!("  bare engine         {:>8.1}", bare(&parameters, people, infected, ticks));
    for contacts in [Contacts::None, Contacts::Encounters, Contacts::All] {
        let plan = Plan {
            name: format!("{people} people"),
            scenario: String::new(),
            parameters: parameters.clone(),
            people,
            infected,
            ticks,
            seed: 1,
            replicates: 1,
            threads,
            contacts,
            formats: Formats { csv: true, parquet: true },
            resume: None,
            save: None,
            until_over: false,
        };
        let home = tempfile::tempdir().expect("a folder");
        let target = folder.clone().unwrap_or_else(|| home.path().join("results"));
        let folder = Folder::prepare(&target, true).expect("a folder of ours");
        let summary = simulate(&plan, folder, &Progress::default()).expect("a good plan");
        let files = std::fs::read_dir(&target).expect("there");
        let bytes: u64 = files.map(|file| file.expect("there").metadata().expect("a file").len()).sum();
        println!(
            "  with {:<14} {:>8.1}   engine {:.2} s of {:.2} s, {:.1} MB written",
            format!("{contacts}:"),
            summary.timings.person_ticks_per_s / 1e6,
            summary.timings.engine_s,
            summary.timings.total_s,
            bytes as f64 / 1e6,
        );
    }
}

fn bare(parameters: &Parameters, people: u32, infected: u32, ticks: u64) -> f64 {
    let begun = Instant::now();
    let spawns = (0..people as usize).map(|n| Spawn { infected: n < infected as usize, ..Spawn::default() });
    let mut fleet = Fleet::new(parameters, Draws::new(1), base_of(1), spawns);
    let mut witnesses = vec![(); fleet.shards()];
    while fleet.tick() < ticks {
        fleet.step(&Rayon, &mut witnesses);
    }
    f64::from(people) * ticks as f64 / begun.elapsed().as_secs_f64() / 1e6
}
