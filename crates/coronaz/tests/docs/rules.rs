//! How each example is run: smaller, shorter, and against the laboratory of the test.

use crate::stand::{Stand, free_port, radio};

/// What is not run as it stands, and why. `None` of a whole family: it is not ours.
pub(crate) const OTHERS: &[(&str, &str)] = &[
    ("make", "builds and tests everything: CI does nothing else"),
    ("docker compose", "needs an engine: scripts/containers-test.sh runs the same deployment"),
    ("kafka-", "Kafka's own tools: scripts/clients.sh runs them against both brokers"),
    ("curl", "needs curl and jq: the server's own tests ask the same addresses"),
    ("sqlite3", "another program"),
    ("TOKEN=", "a variable of the shell"),
    ("RUN=", "a variable of the shell"),
    ("NODE=", "a variable of the shell"),
    ("target=", "a variable of the shell"),
    ("for ", "a loop of the shell; the command in it is run"),
    ("done", "a loop of the shell"),
    ("echo", "another program"),
    ("cd ", "another folder, in which the command is run"),
];

/// What is to be done with a command.
#[derive(Debug)]
pub(crate) enum Plan {
    /// It ends by itself, with 0.
    Run(Vec<String>),
    /// It serves until it is asked to stop, and ends with 0 then.
    Serve(Vec<String>),
    /// Its arguments are read, and no more; with the reason.
    Parse(Vec<String>, &'static str),
}

/// Flags with a number that is made smaller: at most so much.
const AT_MOST: &[(&str, u64)] = &[
    ("--people", 300),
    ("--infected", 3),
    ("--count", 5),
    ("--infected-count", 1),
    ("--nodes", 6),
    ("--replicates", 2),
    ("--for", 2),
];
/// Seconds of model time: all a twentieth, so that a checkpoint still lies before the end.
const A_TWENTIETH: &[&str] = &["--ticks", "--at", "--fork-at", "--checkpoint-at", "--warm-up"];
const CHAOS: &str = "a schedule takes minutes: tests/chaos.rs runs some, here it is only shown";
const MONGODB: &str = "needs a MongoDB: the tests with the feature `services` use one";

/// The plan for a command; `number` makes names of its own, `before` is the data folder of the command before on the line.
pub(crate) fn plan(command: &[String], stand: &Stand, number: usize, before: Option<&str>) -> Plan {
    let name = command.first().map_or("", String::as_str);
    let own_run = format!("00000000-0000-4000-8000-{number:012}");
    let mut words: Vec<String> = command.iter().map(|word| placed(word, command, stand)).collect();
    for (at, _) in command.iter().enumerate().filter(|(_, word)| *word == "RUN") {
        // Two processes of one run would contradict each other.
        if at > 0 && matches!(command[at - 1].as_str(), "--run" | "--join") {
            words[at].clone_from(&own_run);
        }
    }
    words.retain(|word| word != "…");
    shrink(&mut words);
    if words.iter().any(|word| word.contains("mongodb://")) && name != "chaos" {
        words.push("--help".to_owned());
        return Plan::Parse(words, MONGODB);
    }
    let has = |words: &[String], flag: &str| words.iter().any(|word| word == flag);
    match name {
        "up" => {
            set(&mut words, "--data-dir", &format!("up-{number}"));
            set(&mut words, "--listen", &free_port());
            if has(&words, "--broker-listen") {
                set(&mut words, "--broker-listen", &free_port());
            }
            set(&mut words, "--radio", &radio());
            if has(&words, "--broker-listen") {
                set(&mut words, "--broker-listen", &free_port());
            }
            if !has(&words, "--for") {
                set(&mut words, "--for", "2");
            }
            words.push("--no-menu".to_owned());
            Plan::Run(words)
        }
        "node" | "fleet" => {
            if name == "node" || has(&words, "--radio") {
                set(&mut words, "--radio", &radio());
            }
            // What another example has left there is another's.
            if has(&words, "--spool") {
                set(&mut words, "--spool", &format!("spool-{number}"));
            }
            if !has(&words, "--for") && !has(&words, "--interactive") {
                set(&mut words, "--for", "2");
            }
            Plan::Run(words)
        }
        "serve" => {
            set(&mut words, "--listen", "127.0.0.1:0");
            Plan::Serve(words)
        }
        "ingest" => Plan::Serve(words),
        "init" => {
            set(&mut words, "--dir", &format!("init-{number}"));
            Plan::Run(words)
        }
        "chaos" => {
            if !has(&words, "--dry-run") {
                words.push("--dry-run".to_owned());
            }
            Plan::Parse(words, CHAOS)
        }
        "audit" => {
            let (data, journal, _) = &stand.ended;
            let data = before.map_or_else(|| data.display().to_string(), str::to_owned);
            if has(&words, "--store") {
                set(&mut words, "--store", &format!("sqlite:{data}/store.db"));
            } else {
                set(&mut words, "--data-dir", &data);
            }
            if has(&words, "--journal") && before.is_none() {
                set(&mut words, "--journal", &journal.display().to_string());
            }
            Plan::Run(words)
        }
        "runs" if command.get(1).is_some_and(|action| action == "delete") && !has(&words, "--yes") => {
            // It asks, and nobody is there.
            words.push("--yes".to_owned());
            Plan::Run(words)
        }
        _ => Plan::Run(words),
    }
}

/// A word with this laboratory's addresses, runs and files.
fn placed(word: &str, command: &[String], stand: &Stand) -> String {
    let action = command.get(1).map_or("", String::as_str);
    let expendable = command[0] == "runs" && matches!(action, "delete" | "stop");
    match word {
        "0197a3" | "0198" | "newest" if expendable => return stand.expendable(),
        "7c9f" => return stand.ended.2.clone(),
        "newest" if action == "fork" => return stand.fleet.clone(),
        "0197a3" | "RUN" => return stand.fleet.clone(),
        "0198" | "UUID" => return stand.nodes.clone(),
        "DIR" => return "coronaz-data".to_owned(),
        "ingest-1" => return "ingest".to_owned(),
        word if word.ends_with(".checkpoint") => return stand.checkpoint(),
        _ => {}
    }
    let word = word.replace("kafka.lan:9092", &stand.broker).replace("127.0.0.1:PORT", &stand.broker);
    let word = if command[0] == "chaos" { word } else { word.replace("127.0.0.1:9092", &stand.broker) };
    let var = stand.home.path().join("var");
    std::fs::create_dir_all(&var).expect("a folder");
    let word = word.replace("127.0.0.1:3000", &stand.page).replace("$seed", "1");
    word.replace("/var/lib/coronaz", &var.display().to_string())
}

fn shrink(words: &mut [String]) {
    for at in 1..words.len() {
        let (flag, value) = (words[at - 1].clone(), words[at].parse::<u64>());
        let Ok(value) = value else { continue };
        let most = AT_MOST.iter().find(|(name, _)| *name == flag).map(|(_, most)| value.min(*most));
        let part = A_TWENTIETH.contains(&flag.as_str()).then_some((value / 20).max(1));
        if let Some(smaller) = most.or(part) {
            words[at] = smaller.to_string();
        }
    }
}

/// Gives a flag another value, or adds it.
fn set(words: &mut Vec<String>, flag: &str, value: &str) {
    match words.iter().position(|word| word == flag) {
        Some(at) => words[at + 1] = value.to_owned(),
        None => words.extend([flag.to_owned(), value.to_owned()]),
    }
}
