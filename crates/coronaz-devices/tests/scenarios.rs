//! What the built-in scenarios say of themselves, counted.

use std::{collections::BTreeMap, ops::Range};

use coronaz_devices::scenario::{self, BUILT_IN};
use coronaz_model::{
    Draws, Fleet, Health, Identity, Parameters, PersonId, Spawn, Tick,
    fleet::{Diary, Serial},
    identity::{base_of, identity_of},
};
use coronaz_wire::Scenario;

/// A run of a scenario with so many first cases.
struct Run {
    fleet: Fleet,
    diaries: Vec<Diary>,
    /// The cases so far: who, from which tick on, and how many others it has infected.
    cases: Vec<(Identity, Tick, u32)>,
    /// The latest case of each person, by its number among the cases.
    latest: BTreeMap<Identity, usize>,
}

impl Run {
    fn new(scenario: &Scenario, first_cases: u32, seed: u64) -> Self {
        let parameters = scenario::parameters(scenario).expect("sound");
        let people = scenario.nodes + scenario.infected;
        let spawns = (0..people as usize)
            .map(|person| Spawn { infected: person < first_cases as usize, ..Spawn::default() });
        let fleet = Fleet::new(&parameters, Draws::new(seed), base_of(seed), spawns);
        let diaries = vec![Diary::default(); fleet.shards()];
        let mut run = Run { fleet, diaries, cases: Vec::new(), latest: BTreeMap::new() };
        for person in (0..first_cases).map(PersonId) {
            run.begin_case(identity_of(base_of(seed), person), 0);
        }
        run
    }

    fn begin_case(&mut self, person: Identity, tick: Tick) {
        self.latest.insert(person, self.cases.len());
        self.cases.push((person, tick, 0));
    }

    fn step(&mut self) {
        self.diaries.iter_mut().for_each(Diary::clear);
        self.fleet.step(&Serial, &mut self.diaries);
        let infections: Vec<_> = self.diaries.iter().flat_map(|diary| diary.infections.clone()).collect();
        for infection in &infections {
            let case = self.latest[&infection.infector];
            self.cases[case].2 += 1;
        }
        for infection in infections {
            self.begin_case(infection.infectee, infection.tick);
        }
    }

    /// How many people the cases that began within these ticks infected on average, if there were any.
    fn infected_by_each(&self, began: Range<Tick>) -> Option<f64> {
        let cases: Vec<u32> = self
            .cases
            .iter()
            .filter(|(_, tick, _)| began.contains(tick))
            .map(|(.., infected)| *infected)
            .collect();
        (!cases.is_empty()).then(|| f64::from(cases.iter().sum::<u32>()) / cases.len() as f64)
    }
}

/// Mean and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// How many each first case infects, over the replicates: mean and standard error.
fn infected_by_each_first_case(scenario: &Scenario, first_cases: u32, replicates: u64) -> (f64, f64) {
    let Parameters { infection_cooldown, .. } = scenario::parameters(scenario).expect("sound");
    let of = |seed| {
        let mut run = Run::new(scenario, first_cases, seed);
        (0..infection_cooldown).for_each(|_| run.step());
        run.infected_by_each(0..1).expect("they are there from the start")
    };
    mean(&(0..replicates).map(of).collect::<Vec<_>>())
}

/// What became of a quarter of an hour of many seeds.
struct Course {
    /// Shares of the susceptible, infectious and immune from the fifth minute on, of the seeds that lived on.
    shares: [(f64, f64); 3],
    infections_a_minute: (f64, f64),
    /// How many a case that began after the fifth minute infected.
    infected_by_later_cases: (f64, f64),
    /// In how many somebody was infectious at the end.
    lived_on: usize,
}

fn course(scenario: &Scenario, seeds: u64) -> Course {
    let mut shares = [const { Vec::new() }; 3];
    let (mut infections, mut later, mut lived_on) = (Vec::new(), Vec::new(), 0);
    for seed in 0..seeds {
        let mut run = Run::new(scenario, scenario.infected, seed);
        (0..300).for_each(|_| run.step());
        let (mut sums, cases_before) = ([0.0; 3], run.cases.len());
        for _ in 300..900 {
            run.step();
            for (sum, health) in
                sums.iter_mut().zip([Health::Susceptible, Health::Infectious, Health::Immune])
            {
                *sum += run.fleet.census().of(health) as f64 / f64::from(run.fleet.count()) / 600.0;
            }
        }
        // Those whose epidemic ended are another matter: they are counted as such.
        if run.fleet.census().of(Health::Infectious) > 0 {
            lived_on += 1;
            shares.iter_mut().zip(sums).for_each(|(shares, sum)| shares.push(sum));
            infections.push((run.cases.len() - cases_before) as f64 / 10.0);
            later.extend(run.infected_by_each(300..850));
        }
    }
    Course {
        shares: shares.map(|shares| mean(&shares)),
        infections_a_minute: mean(&infections),
        infected_by_later_cases: mean(&later),
        lived_on,
    }
}

/// What a scenario's file says, which must be what is counted, to the digits that it gives.
fn says(text: &str, what: &str) {
    let words = |text: &str| text.replace("\n#", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(text).contains(&words(what)), "counted: {what:?}; the scenario says otherwise:\n{text}");
}

fn text_of(name: &str) -> &'static str {
    BUILT_IN.into_iter().find(|(known, _)| *known == name).expect("built in").1
}

#[test]
fn the_town_says_how_many_people_a_case_infects_as_counted() {
    let town = scenario::find("town").expect("built in");
    let (one, one_error) = infected_by_each_first_case(&town, 1, 4_000);
    let (each, each_error) = infected_by_each_first_case(&town, town.infected, 2_000);
    let paper = scenario::find("paper").expect("built in");
    let (papers, papers_error) = infected_by_each_first_case(&paper, 1, 8_000);
    assert!(
        one_error < 0.02 && each_error < 0.02 && papers_error < 0.005,
        "{one_error} {each_error} {papers_error}"
    );
    let text = text_of("town");
    says(text, &format!("a single first case infects {one:.1} others on average"));
    says(text, &format!("each of the six {each:.1}"));
    says(text, &format!("the paper's first case {papers:.2}"));
    says(&town.about, &format!("a first infected person infects {one:.1} others on average"));
    says(&paper.about, &format!("infects about {papers:.2} others"));
}

#[test]
fn the_town_says_how_its_epidemic_goes_on_as_counted() {
    let town = scenario::find("town").expect("built in");
    let course = course(&town, 100);
    let percent = course.shares.map(|(share, error)| {
        assert!(error < 0.006, "{error}");
        format!("{:.0}", share * 100.0)
    });
    let [safe, infected, immune] = percent;
    let text = text_of("town");
    says(text, &format!("{safe} % are safe, {infected} % infected and {immune} % immune"));
    says(text, &format!("{:.0} people are infected each minute", course.infections_a_minute.0));
    says(text, &format!("{} of 100 seeds still have infected people", course.lived_on));
    says(&town.about, &format!("a later one {:.1}", course.infected_by_later_cases.0));
}
