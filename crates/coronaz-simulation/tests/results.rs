//! Small runs, whole: what is in the folder afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use coronaz_model::Parameters;
use coronaz_simulation::{
    Checkpoint, CheckpointError, Contacts, Folder, Formats, Plan, PlanError, Progress, Save, SimulateError,
    Summary, simulate,
};
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};

fn plan() -> Plan {
    Plan {
        name: "a small town".to_owned(),
        scenario: "name = \"a small town\"\n".to_owned(),
        parameters: Parameters {
            field_width: 60,
            field_height: 40,
            zombie_lifetime: 0,
            infection_cooldown: 20,
            ..Parameters::default()
        },
        people: 150,
        infected: 5,
        ticks: 90,
        seed: 11,
        replicates: 3,
        threads: 2,
        contacts: Contacts::All,
        formats: Formats { csv: true, parquet: true },
        resume: None,
        save: None,
        until_over: false,
    }
}

fn run(plan: &Plan, target: &Path) -> Summary {
    let folder = Folder::prepare(target, false).expect("a new folder");
    simulate(plan, folder, &Progress::default()).expect("a good plan")
}

/// A table's names and rows, each cell as the text CSV has for it.
fn csv(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("there");
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn parquet(path: &Path) -> Vec<Vec<String>> {
    let reader = SerializedFileReader::new(fs::File::open(path).expect("there")).expect("Parquet");
    let fields = reader.metadata().file_metadata().schema().get_fields().to_vec();
    let mut rows = vec![fields.iter().map(|field| field.name().to_owned()).collect::<Vec<_>>()];
    for row in reader.get_row_iter(None).expect("rows") {
        rows.push(row.expect("a row").get_column_iter().map(|(_, field)| text_of(field)).collect());
    }
    rows
}

fn text_of(field: &Field) -> String {
    match field {
        Field::Bytes(bytes) => {
            let digits: String = bytes.data().iter().map(|byte| format!("{byte:02x}")).collect();
            let (a, b, c, d) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20]);
            format!("{a}-{b}-{c}-{d}-{}", &digits[20..])
        }
        Field::Str(text) => text.clone(),
        Field::Double(number) => format!("{number}"),
        other => other.to_string(),
    }
}

#[test]
fn csv_and_parquet_hold_the_same_rows() {
    let home = tempfile::tempdir().expect("a folder");
    let target = home.path().join("results");
    run(&plan(), &target);
    for table in ["statistics", "infections", "contacts", "encounters"] {
        let from_csv = csv(&target.join(format!("{table}.csv")));
        let from_parquet = parquet(&target.join(format!("{table}.parquet")));
        assert!(from_csv.len() > 50, "{table}: {} rows", from_csv.len());
        assert_eq!(from_csv, from_parquet, "{table}");
    }
    assert!(!target.join("parts").exists());
}

#[test]
fn tables_and_summary_tell_the_same_story() {
    let home = tempfile::tempdir().expect("a folder");
    let target = home.path().join("results");
    let plan = plan();
    let summary = run(&plan, &target);
    let statistics = csv(&target.join("statistics.csv"));
    assert_eq!(statistics.len(), 1 + 3 * 91, "a heading, and each replicate's ticks 0 to 90");
    let names: BTreeMap<&str, usize> = statistics[0].iter().map(String::as_str).zip(0..).collect();
    let number = |row: &[String], name: &str| row[names[name]].parse::<u64>().expect("a number");
    for row in &statistics[1..] {
        let states = ["susceptible", "latent", "infectious", "immune", "deceased"];
        let everybody: u64 = states.iter().map(|state| number(row, state)).sum();
        assert_eq!((everybody, number(row, "total")), (150, 150));
    }
    let contacts = csv(&target.join("contacts.csv"));
    let infections = csv(&target.join("infections.csv"));
    for replicate in &summary.replicates {
        let of_replicate = |row: &&Vec<String>| row[0] == replicate.replicate.to_string();
        let rows: Vec<_> = statistics[1..].iter().filter(of_replicate).collect();
        let sum = |name: &str| rows.iter().map(|row| number(row, name)).sum::<u64>();
        assert_eq!(sum("contacts"), contacts.iter().filter(of_replicate).count() as u64);
        assert_eq!(Some(sum("contacts")), replicate.contacts);
        assert_eq!(sum("infections"), infections.iter().filter(of_replicate).count() as u64);
        assert_eq!(sum("infections"), replicate.cases.infections);
        let peak = rows.iter().map(|row| number(row, "infectious")).max();
        assert_eq!(peak, replicate.peak_infectious.map(u64::from));
        assert!(replicate.cases.infections > 0, "an epidemic");
    }
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(target.join("summary.json")).expect("there")).expect("JSON");
    assert_eq!(json["digest"], summary.digest);
    assert_eq!(json["replicates"][0]["seed"], 11);
    assert_eq!(json["replicates"][2]["seed"], plan.seed_of(2));
    assert_eq!(fs::read_to_string(target.join("scenario.toml")).expect("there"), plan.scenario);
}

#[test]
fn encounters_are_the_contacts_of_a_pair_in_a_row() {
    let home = tempfile::tempdir().expect("a folder");
    let target = home.path().join("results");
    run(&Plan { replicates: 1, ..plan() }, &target);
    let mut ticks_of: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    for row in &csv(&target.join("contacts.csv"))[1..] {
        let (hearer, heard) = (row[2].clone(), row[3].clone());
        let pair = if hearer < heard { (hearer, heard) } else { (heard, hearer) };
        ticks_of.entry(pair).or_default().push(row[1].parse().expect("a tick"));
    }
    let mut expected = Vec::new();
    for (pair, mut ticks) in ticks_of {
        ticks.sort_unstable();
        ticks.dedup();
        for chain in ticks.chunk_by(|a, b| b - a <= coronaz_simulation::ENCOUNTER_GAP_TICKS) {
            expected.push((pair.clone(), chain[0], chain[chain.len() - 1], chain.len()));
        }
    }
    let mut found: Vec<_> = csv(&target.join("encounters.csv"))[1..]
        .iter()
        .map(|row| {
            let (a, b) = (row[1].clone(), row[2].clone());
            let pair = if a < b { (a, b) } else { (b, a) };
            let number = |at: usize| row[at].parse::<u64>().expect("a number");
            (pair, number(3), number(4), number(6) as usize)
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_encounter_is_the_same_here_and_in_the_store() {
    let gap_us = coronaz_simulation::ENCOUNTER_GAP_TICKS as i64 * 1_000_000;
    assert_eq!(gap_us, coronaz_store::ENCOUNTER_GAP_US);
}

#[test]
fn the_results_are_the_same_on_one_two_and_eight_threads() {
    let home = tempfile::tempdir().expect("a folder");
    // High enough that the engine cuts the map into several jobs.
    let large = Parameters { field_height: 700, ..plan().parameters };
    for plan in [plan(), Plan { replicates: 1, people: 1_500, parameters: large, ..plan() }] {
        let files = |threads: usize| {
            let target = home.path().join(format!("{}-{threads}", plan.people));
            let digest = run(&Plan { threads, ..plan.clone() }, &target).digest;
            let names =
                ["statistics.csv", "infections.parquet", "contacts.parquet", "encounters.csv", "curve.png"];
            (digest, names.map(|name| fs::read(target.join(name)).expect("there")))
        };
        let alone = files(1);
        assert!(files(2) == alone, "2 threads");
        assert!(files(8) == alone, "8 threads");
    }
}

#[test]
fn a_replicate_is_the_run_of_its_own_seed() {
    let home = tempfile::tempdir().expect("a folder");
    let all = run(&plan(), &home.path().join("all"));
    let seed = all.replicates[2].seed;
    let one = run(&Plan { seed, replicates: 1, ..plan() }, &home.path().join("one"));
    assert_eq!(one.digest, all.replicates[2].digest);
    assert_ne!(one.digest, all.replicates[1].digest);
    let first = run(&Plan { replicates: 1, ..plan() }, &home.path().join("first"));
    assert_eq!(first.digest, all.replicates[0].digest, "the first is the run of the seed itself");
}

#[test]
fn replicates_of_neighbouring_seeds_share_no_history() {
    let home = tempfile::tempdir().expect("a folder");
    let small = Plan { people: 40, ticks: 20, replicates: 10, contacts: Contacts::None, ..plan() };
    let digests: BTreeSet<String> = (1..=3)
        .flat_map(|seed| {
            let summary = run(&Plan { seed, ..small.clone() }, &home.path().join(seed.to_string()));
            summary.replicates.into_iter().map(|replicate| replicate.digest)
        })
        .collect();
    assert_eq!(digests.len(), 30);
}

/// People whose epidemic dies out at once here and there.
fn sparse() -> Plan {
    Plan { people: 60, infected: 2, ticks: 400, replicates: 6, contacts: Contacts::Encounters, ..plan() }
}

#[test]
fn until_over_ends_with_the_last_infection_and_changes_nothing_before() {
    let home = tempfile::tempdir().expect("a folder");
    let through = run(&sparse(), &home.path().join("through"));
    let over = run(&Plan { until_over: true, ..sparse() }, &home.path().join("over"));
    let rows = |folder: &str| {
        let table = csv(&home.path().join(folder).join("statistics.csv"));
        table[1..]
            .iter()
            .map(|row| row.iter().map(|cell| cell.parse().expect("a number")).collect())
            .collect()
    };
    let (all, early): (Vec<Vec<u64>>, Vec<Vec<u64>>) = (rows("through"), rows("over"));
    assert!(over.replicates.iter().any(|one| one.last_tick < 400), "some end early");
    assert_eq!(over.ticks, over.replicates.iter().map(|one| one.last_tick).max().expect("some"));
    for (whole, one) in through.replicates.iter().zip(&over.replicates) {
        assert_eq!((whole.last_tick, &whole.cases), (400, &one.cases), "no infection is missing");
        let of = |row: &&Vec<u64>| row[0] == u64::from(one.replicate);
        let expected: Vec<_> = all.iter().filter(of).filter(|row| row[1] <= one.last_tick).collect();
        assert!(early.iter().filter(of).eq(expected.iter().copied()), "the same until then");
        // replicate, tick, total, susceptible, latent, infectious
        let infected: Vec<u64> = expected.iter().map(|row| row[4] + row[5]).collect();
        let (last, before) = infected.split_last().expect("rows");
        assert!(before.iter().all(|infected| *infected > 0), "not before");
        assert!(one.last_tick == 400 || *last == 0, "over");
    }
    let digest = |seed, ticks, name| {
        run(&Plan { seed, ticks, replicates: 1, ..sparse() }, &home.path().join(name)).digest
    };
    let one = &over.replicates[0];
    assert_eq!(digest(one.seed, one.last_tick, "alone"), one.digest);
}

#[test]
fn a_run_that_is_over_early_leaves_its_checkpoint_there() {
    let home = tempfile::tempdir().expect("a folder");
    let save = Save { path: home.path().join("end"), tick: 400, replace: false };
    let alone =
        Plan { people: 3, infected: 1, replicates: 1, until_over: true, save: Some(save), ..sparse() };
    let last = run(&alone, &home.path().join("over")).replicates[0].last_tick;
    assert!(last < 400);
    assert_eq!(Checkpoint::read(&home.path().join("end")).expect("written").tick(), last);
}

#[test]
fn a_stopped_run_leaves_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = Folder::prepare(&home.path().join("results"), false).expect("a new folder");
    let progress = Progress::default();
    progress.stop();
    let outcome = simulate(&plan(), folder, &progress);
    assert!(matches!(outcome, Err(SimulateError::Stopped)));
    assert_eq!(fs::read_dir(home.path()).expect("readable").count(), 0);
}

#[test]
fn a_plan_out_of_range_says_the_range() {
    for (plan, says) in [
        (Plan { people: 0, ..plan() }, "people must be from 1 to 10000000, not 0"),
        (Plan { infected: 151, ..plan() }, "infected people must be from 0 to 150, not 151"),
        (Plan { replicates: 0, ..plan() }, "replicates must be from 1"),
        (Plan { ticks: 1 << 40, ..plan() }, "the last tick must be from 1 to"),
        (Plan { ticks: 20_000_000, ..plan() }, "ticks of all replicates together"),
    ] {
        assert!(plan.check().expect_err("refused").to_string().contains(says), "{says}");
    }
}

/// Runs one replicate and leaves a checkpoint of it after tick 40.
fn saved(home: &Path) -> (Plan, Summary, std::sync::Arc<Checkpoint>) {
    let save = Save { path: home.join("at-40"), tick: 40, replace: false };
    let plan = Plan { replicates: 1, save: Some(save), ..plan() };
    let summary = run(&plan, &home.join("whole"));
    let checkpoint = Checkpoint::read(&home.join("at-40")).expect("it was written");
    (Plan { save: None, ..plan }, summary, checkpoint.into())
}

#[test]
fn a_resumed_run_equals_one_that_never_stopped() {
    let home = tempfile::tempdir().expect("a folder");
    let (plan, whole, checkpoint) = saved(home.path());
    assert_eq!((checkpoint.tick(), checkpoint.seed(), checkpoint.people()), (40, 11, 150));
    let rest = run(&Plan { resume: Some(checkpoint), threads: 1, ..plan }, &home.path().join("rest"));
    assert_eq!(rest.digest, whole.digest);
    assert_eq!(rest.replicates, whole.replicates, "every figure is from tick 0 on");
    for table in ["statistics.csv", "infections.csv", "contacts.csv"] {
        let whole = csv(&home.path().join("whole").join(table));
        let later = |row: &&Vec<String>| row[1].parse::<u64>().is_ok_and(|tick| tick > 40);
        let rest = csv(&home.path().join("rest").join(table));
        assert!(rest[1..].iter().eq(whole[1..].iter().filter(later)), "{table}");
    }
}

#[test]
fn other_parameters_or_seeds_give_other_futures_of_the_same_people() {
    let home = tempfile::tempdir().expect("a folder");
    let (plan, whole, checkpoint) = saved(home.path());
    let resume = Some(checkpoint);
    let futures =
        run(&Plan { resume: resume.clone(), replicates: 3, ..plan.clone() }, &home.path().join("futures"));
    assert_eq!(futures.replicates[0].digest, whole.digest, "the first is the one that was");
    assert_ne!(futures.replicates[1].digest, futures.replicates[2].digest);
    let parameters = Parameters { infection_radius: 0.0, ..plan.parameters.clone() };
    let apart = run(&Plan { resume: resume.clone(), parameters, ..plan.clone() }, &home.path().join("apart"));
    assert!(apart.replicates[0].cases.infections < whole.replicates[0].cases.infections);
    let parameters = Parameters { field_width: 1, ..plan.parameters.clone() };
    let folder = Folder::prepare(&home.path().join("narrow"), false).expect("a new folder");
    let outcome = simulate(&Plan { resume, parameters, ..plan }, folder, &Progress::default());
    assert!(matches!(outcome, Err(SimulateError::Fork(_))));
}

#[test]
fn a_checkpoint_that_cannot_be_is_refused_before_anything_is_computed() {
    let home = tempfile::tempdir().expect("a folder");
    let (plan, _, checkpoint) = saved(home.path());
    let past = Plan { resume: Some(checkpoint), ticks: 40, ..plan.clone() };
    assert!(past.check().expect_err("refused").to_string().contains("the last tick must be from 41"));
    let save = |tick| Some(Save { path: home.path().join("at-40"), tick, replace: false });
    let late = Plan { save: save(91), ..plan.clone() };
    assert!(late.check().expect_err("refused").to_string().contains("must be from 1 to 90, not 91"));
    let many = Plan { save: save(50), replicates: 2, ..plan.clone() };
    assert!(matches!(many.check(), Err(PlanError::SaveOfMany(2))));
    let folder = Folder::prepare(&home.path().join("new"), false).expect("a new folder");
    let outcome = simulate(&Plan { save: save(50), ..plan }, folder, &Progress::default());
    assert!(matches!(outcome, Err(SimulateError::Checkpoint(CheckpointError::Taken(_)))));
}
