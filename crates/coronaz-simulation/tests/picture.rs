//! The epidemic curve: the picture shows what the tables say.

use std::{fs, path::Path};

use coronaz_model::{Movement, Parameters};
use coronaz_simulation::{Checkpoint, Contacts, Folder, Formats, Plan, Progress, Save, simulate};
use resvg::usvg::roxmltree::Document;

fn plan(replicates: u32) -> Plan {
    Plan {
        name: "Test & <measure>".to_owned(),
        scenario: String::new(),
        parameters: Parameters {
            field_width: 60,
            field_height: 40,
            zombie_lifetime: 0,
            ..Parameters::default()
        },
        people: 200,
        infected: 4,
        ticks: 100,
        seed: 3,
        replicates,
        threads: 2,
        contacts: Contacts::None,
        formats: Formats { csv: true, parquet: false },
        resume: None,
        save: None,
        until_over: false,
    }
}

fn run(replicates: u32, target: &Path) -> String {
    let folder = Folder::prepare(target, false).expect("a new folder");
    simulate(&plan(replicates), folder, &Progress::default()).expect("a good plan");
    fs::read_to_string(target.join("curve.svg")).expect("there")
}

fn places(svg: &Document<'_>, id: &str) -> Vec<(f64, f64)> {
    let path = svg.descendants().find(|node| node.attribute("id") == Some(id)).expect(id);
    let number = |text: &str| text.parse::<f64>().expect("a coordinate");
    let data = path.attribute("d").expect("a path").trim_end_matches('Z');
    data.split(['M', 'L'])
        .skip(1)
        .map(|place| {
            let (x, y) = place.split_once(' ').expect("x and y");
            (number(x), number(y))
        })
        .collect()
}

/// The infectious of each tick, from the table.
fn infectious(target: &Path) -> Vec<f64> {
    let text = fs::read_to_string(target.join("statistics.csv")).expect("there");
    let column = text.lines().next().expect("a heading").split(',').position(|name| name == "infectious");
    let cell = |line: &str| line.split(',').nth(column.expect("a column")).expect("a cell").parse();
    text.lines().skip(1).map(|line| cell(line).expect("a number")).collect()
}

#[test]
fn the_curve_is_the_tables_column_drawn_to_scale() {
    let home = tempfile::tempdir().expect("a folder");
    let target = home.path().join("results");
    let text = run(1, &target);
    let svg = Document::parse(&text).expect("XML");
    let curve = places(&svg, "prevalence-median");
    let truth = infectious(&target);
    assert_eq!(curve.len(), truth.len(), "a point for each tick");
    // A straight line leads from people to pixels; two ticks say which.
    let (least, most) = (0..truth.len()).fold((0, 0), |(least, most), at| {
        (if truth[at] < truth[least] { at } else { least }, if truth[at] > truth[most] { at } else { most })
    });
    let pixels_a_person = (curve[most].1 - curve[least].1) / (truth[most] - truth[least]);
    assert!(pixels_a_person < 0.0, "up is more");
    for (at, (place, people)) in curve.iter().zip(&truth).enumerate() {
        let expected = curve[least].1 + (people - truth[least]) * pixels_a_person;
        assert!((place.1 - expected).abs() < 0.2, "tick {at}: {place:?}, {people} people");
        assert!(at == 0 || place.0 > curve[at - 1].0, "time goes to the right");
    }
}

#[test]
fn of_several_replicates_bands_go_around_the_median() {
    let home = tempfile::tempdir().expect("a folder");
    let text = run(8, &home.path().join("results"));
    let svg = Document::parse(&text).expect("XML");
    let median = places(&svg, "prevalence-median");
    for id in ["prevalence-band-50", "prevalence-band-90"] {
        let band = places(&svg, id);
        let (upper, lower) = band.split_at(median.len());
        for (at, ((x, y), (upper, lower))) in
            median.iter().zip(upper.iter().zip(lower.iter().rev())).enumerate()
        {
            assert!(upper.0 == *x && lower.0 == *x, "{id} at {at}");
            assert!(upper.1 <= *y && *y <= lower.1, "{id} at {at}");
        }
    }
    let words: Vec<_> =
        svg.descendants().filter(|node| node.has_tag_name("text")).filter_map(|node| node.text()).collect();
    for expected in [
        "Epidemic curve: Test & <measure>",
        "Model time (seconds)",
        "median",
        "50 % of replicates",
        "susceptible",
    ] {
        assert!(words.contains(&expected), "{expected}: {words:?}");
    }
}

/// All that is written in the picture.
fn words(text: &str) -> Vec<String> {
    let svg = Document::parse(text).expect("XML");
    let texts = svg.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text()).map(str::to_owned).collect()
}

fn curve_of(plan: &Plan, target: &Path) -> String {
    let folder = Folder::prepare(target, false).expect("a new folder");
    simulate(plan, folder, &Progress::default()).expect("a good plan");
    fs::read_to_string(target.join("curve.svg")).expect("there")
}

#[test]
fn a_resumed_run_of_one_tick_has_a_picture_of_finite_numbers() {
    let home = tempfile::tempdir().expect("a folder");
    let save = Some(Save { path: home.path().join("at-100"), tick: 100, replace: false });
    curve_of(&Plan { save, ..plan(1) }, &home.path().join("whole"));
    let checkpoint = Checkpoint::read(&home.path().join("at-100")).expect("written");
    let resume = Some(checkpoint.into());
    let text = curve_of(&Plan { ticks: 101, resume, ..plan(1) }, &home.path().join("rest"));
    for wrong in ["inf", "NaN"] {
        let numbers =
            |line: &&str| line.contains(&format!("L{wrong}")) || line.contains(&format!("\"{wrong}"));
        assert_eq!(text.lines().find(numbers), None);
    }
    let svg = Document::parse(&text).expect("XML");
    assert_eq!(places(&svg, "incidence-median").len(), 2, "the one tick, from its beginning to its end");
}

#[test]
fn where_people_live_by_days_the_axis_and_the_bins_are_those_of_their_days() {
    let home = tempfile::tempdir().expect("a folder");
    let parameters =
        Parameters { movement: Movement::Places, day_length: 24, place_spacing: 10, ..plan(1).parameters };
    let text = curve_of(&Plan { parameters, ticks: 240, ..plan(1) }, &home.path().join("results"));
    let words = words(&text);
    assert!(words.iter().any(|words| words == "Model time (days of 24 s)"), "{words:?}");
    assert!(
        words.iter().any(|words| words == "10") && !words.iter().any(|words| words == "240"),
        "{words:?}"
    );
    let incidence = words.iter().find(|words| words.starts_with("Incidence")).expect("a title");
    assert_eq!(incidence, "Incidence: people infected in each 2 seconds");
}

#[test]
fn replicates_that_ended_early_are_in_the_bands_to_the_end() {
    let home = tempfile::tempdir().expect("a folder");
    let sparse = Plan { people: 40, infected: 2, ticks: 300, until_over: true, ..plan(8) };
    let text = curve_of(&sparse, &home.path().join("over"));
    let through = curve_of(&Plan { until_over: false, ..sparse }, &home.path().join("through"));
    let svg = (Document::parse(&text).expect("XML"), Document::parse(&through).expect("XML"));
    let (median, whole) = (places(&svg.0, "prevalence-median"), places(&svg.1, "prevalence-median"));
    assert!(median.len() > 2 && median.len() <= whole.len());
    let statistics = fs::read_to_string(home.path().join("over/statistics.csv")).expect("there");
    let last = |replicate: &str| statistics.lines().filter(|line| line.starts_with(replicate)).count();
    let lengths: std::collections::BTreeSet<usize> =
        (0..8).map(|number| last(&format!("{number},"))).collect();
    assert!(lengths.len() > 1, "they end at different ticks: {lengths:?}");
    assert_eq!(Some(&median.len()), lengths.last(), "a point for each tick of the longest");
}

#[test]
fn the_png_has_its_words_without_any_font_installed() {
    let home = tempfile::tempdir().expect("a folder");
    let target = home.path().join("results");
    run(2, &target);
    let png = fs::read(target.join("curve.png")).expect("there");
    let picture = resvg::tiny_skia::Pixmap::decode_png(&png).expect("a PNG");
    assert_eq!((picture.width(), picture.height()), (2_400, 1_880));
    // The heading: dark pixels where the title stands.
    let dark = |x: u32, y: u32| picture.pixel(x, y).is_some_and(|pixel| pixel.red() < 100);
    let inked = (40..110).flat_map(|y| (180..900).map(move |x| (x, y))).filter(|&(x, y)| dark(x, y)).count();
    assert!(inked > 1_000, "{inked} dark pixels");
}
