//! The same rules the straightforward way: people in creation order, a counting sort into cells
//! each tick, one thread. It stays here as the reference of the ratio.

use coronaz_model::movement::waypoint_step;
use coronaz_model::{Draws, Field, Health, Illness, Parameters, Person, PersonId, Position, Spawn, Stream};

/// Side of a cell, in units: the fastest of 2, 4, 8, 16 and 32 at the paper's density.
const CELL: i32 = 16;
/// Squared reach: the paper's radius of 2.
const REACH: i32 = 4;

/// Everybody, in creation order.
pub(crate) struct World {
    parameters: Parameters,
    draws: Draws,
    field: Field,
    tick: u64,
    x: Vec<i32>,
    y: Vec<i32>,
    goal: Vec<Position>,
    illness: Vec<Illness>,
    infector: Vec<(u64, u32)>,
    starts: Vec<u32>,
    order: Vec<u32>,
    contacts: Vec<(u32, u32)>,
}

impl World {
    /// A tenth is infected at first.
    pub(crate) fn new(people: u32, field: Field, seed: u64) -> Self {
        let parameters = Parameters {
            field_width: field.width,
            field_height: field.height,
            zombie_lifetime: 0,
            ..Parameters::default()
        };
        let draws = Draws::new(seed);
        let spawned = |n: u32| {
            let spawn = Spawn { infected: n.is_multiple_of(10), ..Spawn::default() };
            Person::spawn(&parameters, draws, PersonId(n), n.into(), spawn, 0)
        };
        let cells = columns(field) * rows(field);
        World {
            x: (0..people).map(|n| spawned(n).position.x).collect(),
            y: (0..people).map(|n| spawned(n).position.y).collect(),
            goal: (0..people).map(|n| spawned(n).goal).collect(),
            illness: (0..people).map(|n| spawned(n).illness).collect(),
            infector: vec![(u64::MAX, 0); people as usize],
            starts: vec![0; cells + 1],
            order: vec![0; people as usize],
            contacts: Vec::new(),
            tick: 0,
            parameters,
            draws,
            field,
        }
    }

    /// One tick; contacts and infections in it.
    pub(crate) fn step(&mut self) -> (u64, u64) {
        self.tick += 1;
        self.walk();
        self.sort();
        self.meet();
        let mut infections = 0;
        for (illness, infector) in self.illness.iter_mut().zip(&mut self.infector) {
            if infector.0 < u64::MAX && illness.health == Health::Susceptible {
                *illness = Illness::infected(&self.parameters);
                infections += 1;
            }
            infector.0 = u64::MAX;
        }
        (self.contacts.len() as u64, infections)
    }

    fn walk(&mut self) {
        for n in 0..self.x.len() {
            if !self.illness[n].health.is_infectious() {
                let at = Position { x: self.x[n], y: self.y[n] };
                let id = PersonId(n as u32);
                let (at, goal) = waypoint_step(at, self.goal[n], self.draws, id, self.tick, self.field);
                (self.x[n], self.y[n], self.goal[n]) = (at.x, at.y, goal);
            }
            self.illness[n] = self.illness[n].count_down(&self.parameters);
        }
    }

    fn sort(&mut self) {
        self.starts.fill(0);
        let columns = columns(self.field);
        let cell = |x: i32, y: i32| (y / CELL) as usize * columns + (x / CELL) as usize;
        for (&x, &y) in self.x.iter().zip(&self.y) {
            self.starts[cell(x, y)] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        for n in 0..self.x.len() {
            let start = &mut self.starts[cell(self.x[n], self.y[n])];
            *start -= 1;
            self.order[*start as usize] = n as u32;
        }
    }

    fn meet(&mut self) {
        self.contacts.clear();
        let (columns, rows) = (columns(self.field) as i32, rows(self.field) as i32);
        for n in 0..self.x.len() {
            let (x, y) = (self.x[n], self.y[n]);
            let (left, right) = ((x - 2).max(0) / CELL, ((x + 2) / CELL).min(columns - 1));
            let (bottom, top) = ((y - 2).max(0) / CELL, ((y + 2) / CELL).min(rows - 1));
            for row in bottom..=top {
                let cells = (row * columns + left) as usize..=(row * columns + right) as usize;
                let people = self.starts[*cells.start()] as usize..self.starts[cells.end() + 1] as usize;
                for at in people {
                    let other = self.order[at] as usize;
                    let (dx, dy) = (self.x[other] - x, self.y[other] - y);
                    if dx * dx + dy * dy > REACH || other == n {
                        continue;
                    }
                    self.contacts.push((n as u32, other as u32));
                    if self.illness[other].health.is_infectious() {
                        let rank =
                            self.draws.rank(Stream::Infector, PersonId(n as u32), self.tick, other as u128);
                        self.infector[n] = self.infector[n].min((rank, other as u32));
                    }
                }
            }
        }
    }
}

fn columns(field: Field) -> usize {
    field.width as usize / CELL as usize + 1
}

fn rows(field: Field) -> usize {
    field.height as usize / CELL as usize + 1
}
