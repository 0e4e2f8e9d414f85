//! How fast the fleet is: people × threads × density, with the ratio to a naive version and to
//! what copying the same memory takes.
//!
//! `cargo bench -p coronaz-model --bench fleet [-- PEOPLE…] [--seconds S] [--threads 1,2] [--density D,D] [--aspect A]`
//!
//! `--aspect`: the map is so many times as wide as high.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "a benchmark measures time, prints it and starts threads; the rules do not"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at a wrong argument")]

mod naive;

use std::time::{Duration, Instant};

use coronaz_model::fleet::{Pool, Witness};
use coronaz_model::{Draws, Fleet, Infection, Parameters, PersonId, Spawn};

/// The rayon pool that is installed.
struct Rayon;

impl Pool for Rayon {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        use rayon::prelude::*;
        if rayon::current_num_threads() == 1 {
            jobs.iter_mut().for_each(work);
        } else {
            jobs.par_iter_mut().with_max_len(1).for_each(&work);
        }
    }
}

/// Writes every contact down, as a publisher would.
#[derive(Default)]
struct Scribe {
    contacts: Vec<(u32, u32)>,
    infections: u64,
}

impl Witness for Scribe {
    #[inline]
    fn contact(&mut self, hearer: PersonId, heard: PersonId, _: u64) {
        self.contacts.push((hearer.0, heard.0));
    }

    fn infection(&mut self, _: &Infection) {
        self.infections += 1;
    }
}

/// Nanoseconds that all threads of this process have spent on a core (Linux; elsewhere 0).
fn cpu_ns() -> u64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    tasks.filter_map(|task| of(task.ok()?)).sum()
}

/// What some ticks took.
struct Measured {
    ticks: Vec<Duration>,
    cpu_ns: u64,
    contacts: u64,
    infections: u64,
}

impl Measured {
    /// Repeats `tick` (contacts, infections) until `seconds` are over, at least 20 times.
    fn of(seconds: f64, mut tick: impl FnMut() -> (u64, u64)) -> Self {
        let mut measured = Measured { ticks: Vec::new(), cpu_ns: 0, contacts: 0, infections: 0 };
        let (begin, cpu_begin) = (Instant::now(), cpu_ns());
        while measured.ticks.len() < 20 || begin.elapsed().as_secs_f64() < seconds {
            let at = Instant::now();
            let (contacts, infections) = tick();
            measured.ticks.push(at.elapsed());
            measured.contacts += contacts;
            measured.infections += infections;
        }
        measured.cpu_ns = cpu_ns() - cpu_begin;
        measured
    }

    /// Ticks taken in groups (a migration is only in some of them): median and smallest mean.
    fn seconds(&self) -> (f64, f64) {
        let mut groups: Vec<f64> = (self.ticks.chunks_exact(10))
            .map(|group| group.iter().map(Duration::as_secs_f64).sum::<f64>() / 10.0)
            .collect();
        groups.sort_unstable_by(f64::total_cmp);
        (groups[groups.len() / 2], groups[0])
    }
}

fn parameters(people: u32, density: f64, aspect: f64) -> Parameters {
    let area = f64::from(people) / density;
    let side = |area: f64| area.sqrt().round().max(1.0) as u32;
    Parameters {
        field_width: side(area * aspect),
        field_height: side(area / aspect),
        zombie_lifetime: 0,
        ..Parameters::default()
    }
}

fn fleet_of(people: u32, density: f64, aspect: f64) -> Fleet {
    // A tenth is infected at first, as in the measurements this is compared with.
    let spawns: Vec<_> = (0..people).map(|n| Spawn { infected: n % 10 == 0, ..Spawn::default() }).collect();
    let base = 0xff0a_1bda_34b9_11eb_b339_0242_ac16_0009;
    Fleet::new(&parameters(people, density, aspect), Draws::new(1), base, spawns.into_iter())
}

/// Copies as many bytes as the fleet takes, on all threads; seconds, the median of some.
fn copy_seconds(bytes: usize, threads: usize) -> f64 {
    let part = bytes.div_ceil(threads);
    let mut jobs: Vec<_> = (0..threads).map(|_| (vec![1u8; part], vec![0u8; part])).collect();
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let at = Instant::now();
            Rayon.run(&mut jobs, |(from, to)| to.copy_from_slice(from));
            at.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Plan {
    people: Vec<u32>,
    threads: Vec<usize>,
    densities: Vec<f64>,
    aspect: f64,
    seconds: f64,
    naive: bool,
}

fn plan() -> Plan {
    let mut plan = Plan {
        people: vec![],
        threads: vec![1, std::thread::available_parallelism().map_or(1, usize::from)],
        densities: vec![0.002, 0.02],
        aspect: 1.0,
        seconds: 2.0,
        naive: true,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--no-naive" => plan.naive = false,
            "--seconds" => plan.seconds = arguments.next().unwrap().parse().unwrap(),
            "--threads" => plan.threads = list(&arguments.next().unwrap()),
            "--aspect" => plan.aspect = arguments.next().unwrap().parse().unwrap(),
            "--density" => plan.densities = list(&arguments.next().unwrap()),
            people => plan.people.push(people.parse().unwrap()),
        }
    }
    if plan.people.is_empty() {
        plan.people = vec![10_000, 100_000, 1_000_000, 10_000_000];
    }
    plan.threads.dedup();
    plan
}

fn list<T: std::str::FromStr>(text: &str) -> Vec<T> {
    text.split(',').filter_map(|item| item.parse().ok()).collect()
}

fn main() {
    let plan = plan();
    println!(
        "{:>10} {:>8} {:>7} | {:>12} {:>12} {:>8} | {:>7} {:>8} | {:>8} {:>9} | {:>9} {:>9}",
        "people",
        "density",
        "threads",
        "M pt/s med.",
        "M pt/s best",
        "CPU ns",
        "× naive",
        "naive",
        "B/person",
        "× copy",
        "contacts",
        "infected"
    );
    for &people in &plan.people {
        for &density in &plan.densities {
            measure(people, density, &plan);
        }
    }
}

/// Million person-ticks a second of the naive version.
fn naive_rate(people: u32, density: f64, plan: &Plan) -> f64 {
    let mut world = naive::World::new(people, parameters(people, density, plan.aspect).field(), 1);
    world.step();
    f64::from(people) / Measured::of(plan.seconds / 4.0, || world.step()).seconds().0 / 1e6
}

fn measure(people: u32, density: f64, plan: &Plan) {
    let naive_rate = if plan.naive { naive_rate(people, density, plan) } else { f64::NAN };
    for &threads in &plan.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut fleet = fleet_of(people, density, plan.aspect);
            let mut scribes: Vec<Scribe> = (0..fleet.shards()).map(|_| Scribe::default()).collect();
            let mut tick = || {
                scribes.iter_mut().for_each(|scribe| scribe.contacts.clear());
                let infections: u64 = scribes.iter().map(|scribe| scribe.infections).sum();
                fleet.step(&Rayon, &mut scribes);
                let contacts = scribes.iter().map(|scribe| scribe.contacts.len() as u64).sum();
                (contacts, scribes.iter().map(|scribe| scribe.infections).sum::<u64>() - infections)
            };
            tick();
            tick();
            let measured = Measured::of(plan.seconds, tick);
            let (median, best) = measured.seconds();
            let rate = f64::from(people) / median / 1e6;
            let person_ticks = f64::from(people) * measured.ticks.len() as f64;
            println!(
                "{people:>10} {density:>8} {threads:>7} | {rate:>12.1} {:>12.1} {:>8.1} | {:>7.1} {naive_rate:>8.1} | {:>8.1} {:>9.1} | {:>9.4} {:>9.5}",
                f64::from(people) / best / 1e6,
                measured.cpu_ns as f64 / person_ticks,
                rate / naive_rate,
                fleet.bytes() as f64 / f64::from(people),
                median / copy_seconds(fleet.bytes(), threads),
                measured.contacts as f64 / person_ticks,
                measured.infections as f64 / person_ticks,
            );
        });
    }
}
