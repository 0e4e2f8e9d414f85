//! How fast frames are written and read, and how many bytes they take: people who walk to goals as the
//! model's do, at the paper's density, with as many contacts as it has.
//!
//! `cargo run --release -p coronaz-wire --example frame_rates [people] [side]`

use std::time::{Duration, Instant};

use coronaz_wire::frame::{
    Frame, Health, Mirror, Pair, Population, Recorder, SHARD_PEOPLE_MAX,
    recorder::{Events, trace},
};
use uuid::Uuid;

const TICKS: u64 = 192;
const KEY_EVERY_TICKS: u64 = 64;
/// Pairs in range at the paper's density, a person.
const PAIRS_SHARE: f64 = 0.013;

struct Walker {
    at: [i32; 2],
    goal: [i32; 2],
}

/// A generator is enough here: nothing is compared with another run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (((self.0 >> 32) * u64::from(below)) >> 32) as u32
    }

    fn place(&mut self, side: u32) -> [i32; 2] {
        [self.below(side) as i32, self.below(side) as i32]
    }
}

impl Walker {
    fn step(&mut self, chance: &mut Chance, side: u32) {
        if self.at == self.goal {
            self.goal = chance.place(side);
        }
        let d = [self.goal[0] - self.at[0], self.goal[1] - self.at[1]];
        let axis = usize::from(d[0].abs() <= d[1].abs());
        self.at[axis] += d[axis].signum();
    }

    fn trace(&self) -> u8 {
        trace(self.at[0], self.at[1], Health::Susceptible)
    }
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|text| text.parse::<u32>().ok());
    let people = numbers.next().unwrap_or(1_000_000);
    let side = numbers.next().unwrap_or((f64::from(people) / 0.002).sqrt() as u32);
    let population = Population {
        run: Uuid::nil(),
        base: Uuid::nil(),
        people,
        shard_people: SHARD_PEOPLE_MAX.min(people),
    };
    let mut chance = Chance(7);
    let mut walkers: Vec<Walker> =
        (0..people).map(|_| Walker { at: chance.place(side), goal: chance.place(side) }).collect();
    let chunk = population.shard_people as usize;
    let mut records = Vec::new();
    let mut recorders: Vec<Recorder> = (walkers.chunks(chunk).zip(0..))
        .map(|(walkers, shard)| {
            let mut recorder = Recorder::new(population, shard, KEY_EVERY_TICKS);
            recorder.place(0, walkers.iter().map(|w| (w.at[0], w.at[1], Health::Susceptible)));
            recorder.write_key(0, &mut records);
            recorder
        })
        .collect();
    let mut mirror = Mirror::new(people);
    let (mut writing, mut reading, mut bytes, mut count) = (Duration::ZERO, Duration::ZERO, 0, 0);
    for tick in 0..=TICKS {
        let begin = Instant::now();
        for record in &records {
            let frame = Frame::decode(record).expect("our own frame");
            assert!(
                frame.contacts().map(|contact| u64::from(contact.distance_squared)).sum::<u64>() < u64::MAX
            );
            mirror.apply(&frame).expect("our own population");
        }
        reading += begin.elapsed();
        assert_eq!(mirror.whole_at(), Some(tick));
        if tick > 0 {
            bytes += records.iter().map(Vec::len).sum::<usize>();
            count += records.len();
        }
        records.clear();
        walkers.iter_mut().for_each(|walker| walker.step(&mut chance, side));
        for ((recorder, walkers), shard) in recorders.iter_mut().zip(walkers.chunks(chunk)).zip(0..) {
            let traces: Vec<u8> = walkers.iter().map(Walker::trace).collect();
            let mut events = Events::default();
            let first = population.first_of(shard);
            events.contacts.extend((0..(walkers.len() as f64 * PAIRS_SHARE) as u32).map(|_| {
                let person = chance.below(walkers.len() as u32);
                let other = (first + person + 1 + chance.below(people - 1)) % people;
                Pair::new(person, other, 4)
            }));
            let begin = Instant::now();
            recorder.record(0, &traces, &mut events, &mut records).expect("nobody jumps");
            writing += begin.elapsed();
        }
    }
    let ticks = f64::from(people) * TICKS as f64;
    println!("{people} people, field {side}: {:.3} bytes a person a tick", bytes as f64 / ticks);
    println!(
        "{:.1} records a tick, {:.0} KB each",
        count as f64 / TICKS as f64,
        bytes as f64 / count as f64 / 1e3
    );
    println!("written {:.0} million people/s a thread", ticks / writing.as_secs_f64() / 1e6);
    println!("read    {:.0} million people/s a thread", ticks / reading.as_secs_f64() / 1e6);
}
