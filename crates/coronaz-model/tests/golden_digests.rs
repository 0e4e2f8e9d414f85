//! Runs whose digests must never change (I-2): the same on any number of threads, and in the world.
//!
//! A change here changes every seeded history: it needs a new major version.

use coronaz_model::fleet::{Pool, Serial};
use coronaz_model::identity::identity_of;
use coronaz_model::{
    Draws, Fleet, Identity, Movement, Parameters, Person, PersonId, RunDigest, Spawn, Start, World,
};

const BASE: Identity = 0xff0a_1bda_34b9_11eb_b339_0242_ac16_0009;

/// So many threads, each with every so-manieth job.
struct Threads(usize);

impl Pool for Threads {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        let mut hands: Vec<Vec<&mut J>> = (0..self.0).map(|_| Vec::new()).collect();
        for (number, job) in jobs.iter_mut().enumerate() {
            hands[number % self.0].push(job);
        }
        let work = &work;
        std::thread::scope(|scope| {
            for hand in hands {
                scope.spawn(move || hand.into_iter().for_each(work));
            }
        });
    }
}

struct Scenario {
    parameters: Parameters,
    people: u32,
    infected: u32,
    ticks: u64,
    digest: u64,
}

impl Scenario {
    fn spawns(&self) -> Vec<Spawn> {
        (0..self.people).map(|n| Spawn { infected: n < self.infected, ..Spawn::default() }).collect()
    }

    fn fleet_digest(&self, pool: &impl Pool) -> u64 {
        let mut fleet = Fleet::new(&self.parameters, Draws::new(42), BASE, self.spawns().into_iter());
        let mut witnesses = vec![(); fleet.shards()];
        (0..self.ticks).for_each(|_| fleet.step(pool, &mut witnesses));
        fleet.digest().value()
    }

    fn world_digest(&self) -> u64 {
        let draws = Draws::new(42);
        let person = |(n, spawn)| {
            let id = PersonId(n);
            Person::spawn(&self.parameters, draws, id, identity_of(BASE, id), spawn, 0)
        };
        let people = (0..).zip(self.spawns()).map(person).collect();
        let mut world = World::new(self.parameters.clone(), draws, people);
        let mut digest = RunDigest::default();
        for _ in 0..self.ticks {
            let happenings = world.step();
            digest.end_tick_of(&world, &happenings);
        }
        digest.value()
    }
}

/// The paper's twenty nodes.
fn paper() -> Scenario {
    Scenario { parameters: Parameters::default(), people: 20, infected: 2, ticks: 121, digest: PAPER }
}

/// A crowd in which the infected walk on.
fn crowd() -> Scenario {
    let parameters = Parameters {
        field_width: 200,
        field_height: 120,
        zombie_lifetime: 0,
        infection_cooldown: 40,
        move_when_infected: true,
        ..Parameters::default()
    };
    Scenario { parameters, people: 600, infected: 10, ticks: 400, digest: CROWD }
}

/// A town of many strips, with a wide radius.
fn town() -> Scenario {
    let parameters = Parameters {
        field_width: 1_500,
        field_height: 2_000,
        zombie_lifetime: 0,
        infection_radius: 4.5,
        ..Parameters::default()
    };
    Scenario { parameters, people: 20_000, infected: 1_000, ticks: 300, digest: TOWN }
}

/// Latency, incubation, hidden cases and death, among people who keep away from each other.
fn careful() -> Scenario {
    let parameters = Parameters {
        zombie_lifetime: 0,
        movement: Movement::Avoid,
        sensing_radius: 5.0,
        transmission_probability: 0.4,
        latent_period: 5.0,
        incubation_period: 9.0,
        period_shape: 3,
        asymptomatic_share: 0.3,
        fatality: 0.1,
        immunity_period: 60,
        ..Parameters::default()
    };
    Scenario { parameters, people: 400, infected: 40, ticks: 300, digest: CAREFUL }
}

/// Two days of home, work and leisure.
fn commuters() -> Scenario {
    let parameters = Parameters {
        field_width: 300,
        field_height: 200,
        zombie_lifetime: 0,
        movement: Movement::Places,
        day_length: 150,
        place_spacing: 30,
        start: Start::Uniform,
        ..Parameters::default()
    };
    Scenario { parameters, people: 400, infected: 20, ticks: 300, digest: COMMUTERS }
}

/// The same, each at home at first.
fn residents() -> Scenario {
    let parameters = Parameters { start: Start::Auto, ..commuters().parameters };
    Scenario { parameters, digest: RESIDENTS, ..commuters() }
}

/// Walkers who have walked for long.
fn walkers() -> Scenario {
    let parameters = Parameters { start: Start::Settled, warm_up: 33, ..crowd().parameters };
    Scenario { parameters, digest: WALKERS, ..crowd() }
}

const PAPER: u64 = 4_184_673_333_468_326_439;
const CROWD: u64 = 18_207_446_261_446_985_053;
const CAREFUL: u64 = 14_264_155_654_486_635_295;
const COMMUTERS: u64 = 2_036_870_793_503_503_530;
const RESIDENTS: u64 = 10_536_092_513_841_037_777;
const WALKERS: u64 = 4_234_619_175_114_600_367;
const TOWN: u64 = 9_352_455_739_296_494_554;

#[test]
fn the_papers_run_has_the_digest_of_yesterday() {
    assert_eq!(paper().fleet_digest(&Serial), PAPER);
    assert_eq!(paper().world_digest(), PAPER);
}

#[test]
fn a_crowds_run_has_the_digest_of_yesterday() {
    assert_eq!(crowd().fleet_digest(&Serial), CROWD);
    assert_eq!(crowd().world_digest(), CROWD);
}

#[test]
fn runs_beyond_the_paper_have_the_digests_of_yesterday() {
    assert_eq!((careful().world_digest(), commuters().world_digest()), (CAREFUL, COMMUTERS));
    assert_eq!((careful().fleet_digest(&Serial), commuters().fleet_digest(&Serial)), (CAREFUL, COMMUTERS));
}

#[test]
fn settled_runs_have_the_digests_of_yesterday() {
    assert_eq!((residents().world_digest(), walkers().world_digest()), (RESIDENTS, WALKERS));
    assert_eq!((residents().fleet_digest(&Serial), walkers().fleet_digest(&Serial)), (RESIDENTS, WALKERS));
}

#[test]
fn a_towns_run_has_the_digest_of_yesterday_on_one_two_and_eight_threads() {
    assert_eq!(town().fleet_digest(&Serial), TOWN);
    assert_eq!(town().fleet_digest(&Threads(2)), TOWN);
    assert_eq!(town().fleet_digest(&Threads(8)), TOWN);
}

#[test]
fn another_seed_or_one_more_tick_has_another_digest() {
    let longer = Scenario { ticks: 122, ..paper() };
    assert_ne!(longer.fleet_digest(&Serial), paper().digest);
    let fewer = Scenario { infected: 1, ..crowd() };
    assert_ne!(fewer.fleet_digest(&Serial), crowd().digest);
    assert_ne!(town().digest, crowd().digest);
}
