//! The house rules of `CONTRIBUTING.md`, as tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The layers of `ARCHITECTURE.md`, from the lowest. A crate uses crates of lower layers only.
const LAYERS: &[&[&str]] = &[
    &["coronaz-model", "coronaz-wire"],
    &["coronaz-radio", "coronaz-bus", "coronaz-store"],
    &["coronaz-devices", "coronaz-ingest", "coronaz-server", "coronaz-laboratory", "coronaz-simulation"],
    &["coronaz"],
];
/// Apart: the embedded broker uses no crate of ours; what tests share is used by tests alone.
const APART: &[&str] = &["coronaz-broker", "coronaz-testkit"];

const FILE_LINES_MAX: usize = 500;
const MAIN_LINES_MAX: usize = 60;
const ARCHITECTURE_LINES_MAX: usize = 300;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn manifest(path: &Path) -> toml::Table {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Each crate's folder name and what it depends on outside of tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let folders = fs::read_dir(root().join("crates")).expect("crates/");
    let crates = folders.map(|entry| {
        let folder = entry.expect("readable").path();
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let manifest = manifest(&folder.join("Cargo.toml"));
        assert_eq!(
            manifest["package"]["name"].as_str(),
            Some(name.as_str()),
            "a folder is called as its crate"
        );
        let mut used = BTreeSet::new();
        for table in ["dependencies", "build-dependencies"] {
            used.extend(
                manifest.get(table).and_then(|t| t.as_table()).into_iter().flat_map(|t| t.keys().cloned()),
            );
        }
        (name, used)
    });
    crates.collect()
}

fn files_below(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules" | "dist" | "corpus" | "artifacts") {
                files_below(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["crates", "fuzz", "web/src", "web/e2e"] {
        files_below(&root().join(folder), &[".rs", ".ts", ".tsx", ".mjs"], &mut found);
    }
    assert!(found.len() > 50, "the sources were found");
    found
}

#[test]
fn a_crate_uses_crates_of_lower_layers_only() {
    let layer = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    for (name, used) in dependencies() {
        let ours: Vec<_> = used.iter().filter(|used| used.starts_with("coronaz")).collect();
        match layer(&name) {
            Some(own) => {
                for used in ours {
                    assert!(layer(used).is_some_and(|theirs| theirs < own), "{name} must not use {used}");
                }
            }
            None => {
                assert!(
                    APART.contains(&name.as_str()),
                    "{name} has no layer: add it to LAYERS and ARCHITECTURE.md"
                );
                assert!(ours.is_empty(), "{name} must not use {ours:?}");
            }
        }
    }
}

#[test]
fn one_crate_touches_each_foreign_library() {
    let deny = manifest(&root().join("deny.toml"));
    let rules = deny["bans"]["deny"].as_array().expect("a list of rules");
    let dependencies = dependencies();
    assert!(rules.len() >= 5);
    for rule in rules {
        let library = rule["crate"].as_str().expect("a crate");
        let allowed = rule["wrappers"].as_array().expect("who may use it");
        for (name, used) in &dependencies {
            let may = allowed.iter().any(|wrapper| wrapper.as_str() == Some(name));
            assert!(may || !used.contains(library), "{name} must not use {library}: see deny.toml");
        }
    }
}

#[test]
fn the_model_uses_nothing_that_knows_the_world() {
    let used = &dependencies()["coronaz-model"];
    assert_eq!(used.iter().map(String::as_str).collect::<Vec<_>>(), ["thiserror"]);
}

#[test]
fn files_have_a_natural_size() {
    let long: Vec<_> = (sources().into_iter())
        .filter(|path| !path.ends_with("schema.d.ts"))
        .map(|path| (fs::read_to_string(&path).expect("readable").lines().count(), path))
        .filter(|(lines, path)| {
            *lines > if path.ends_with("main.rs") { MAIN_LINES_MAX } else { FILE_LINES_MAX }
        })
        .collect();
    assert!(long.is_empty(), "find a seam in: {long:?}");
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    assert!(architecture.lines().count() <= ARCHITECTURE_LINES_MAX);
}

#[test]
fn nothing_unfinished_is_left_in_the_sources() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ign", "ore"),
        concat!("#[all", "ow("),
        concat!("db", "g!("),
    ];
    for path in sources() {
        let text = fs::read_to_string(&path).expect("readable");
        for (number, line) in text.lines().enumerate() {
            // What measures is no check, so it is run by hand; a lint that holds in one test binary of several
            // cannot be expected, so it may be allowed for a reason.
            let excused = line.contains("= \"measures") || line.contains("dead_code, reason = ");
            for word in words {
                assert!(excused || !line.contains(word), "{}:{}: {word}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn no_program_prints_with_a_macro_that_panics_when_nobody_reads() {
    let mut programs = Vec::new();
    for name in dependencies().keys() {
        files_below(&root().join("crates").join(name).join("src"), &[".rs"], &mut programs);
    }
    // Tests are read by those who run them.
    programs.retain(|path| {
        !path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
    });
    for path in programs {
        let text = fs::read_to_string(&path).expect("readable");
        for (number, line) in text.lines().enumerate() {
            // `eprintln!`, `print!` and their like contain one of these.
            let prints = ["println!(", "print!("].iter().any(|name| line.contains(name));
            assert!(!prints, "{}:{}: use coronaz's output.rs, or writeln!", path.display(), number + 1);
        }
    }
}

#[test]
fn the_architecture_names_every_crate() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for name in dependencies().keys() {
        assert!(text.contains(&format!("`{name}`")), "ARCHITECTURE.md does not name {name}");
    }
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let mut documents =
        vec!["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].into_iter().map(|d| root().join(d)).collect();
    files_below(&root().join("docs"), &[".md"], &mut documents);
    for document in documents {
        let text =
            fs::read_to_string(&document).unwrap_or_else(|error| panic!("{}: {error}", document.display()));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            let target = document.parent().expect("a folder").join(file);
            assert!(target.exists(), "{}: {link} leads nowhere", document.display());
        }
    }
}
