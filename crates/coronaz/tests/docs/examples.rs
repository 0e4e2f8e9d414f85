//! Runs the examples of each place in its order, in a folder of its own.

use std::{
    collections::BTreeMap,
    io::Write,
    path::Path,
    process::{Child, Output, Stdio},
    sync::Mutex,
    time::{Duration, Instant},
};

use coronaz_testkit::wait::wait_for;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    extract::{self, Example},
    rules::{OTHERS, Plan, plan},
    stand::{CORONAZ, PATIENCE, Stand, said},
};

/// Examples of one place are run one after the other, those of so many places at the same time.
const AT_ONCE: usize = 3;
/// A part that serves has shown by then that it can.
const SERVES_FOR: Duration = Duration::from_millis(1_500);
/// Answers to every question there is: what is in brackets.
const ANSWERS: &str = "\n\n\n\n\n\n\n\n\n\n\n\n";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn examples() -> Vec<Example> {
    let mut examples = extract::of_help(CORONAZ);
    examples.extend(extract::of_documents(root()));
    examples
}

#[test]
fn every_line_that_is_no_command_of_ours_stands_in_a_list_with_its_reason() {
    let examples = examples();
    let commands: usize = examples.iter().map(|example| example.commands.len()).sum();
    assert!(commands > 60, "the examples were found: {commands}");
    for example in &examples {
        for other in &example.others {
            let listed = OTHERS.iter().any(|(begin, _)| other.starts_with(begin));
            assert!(listed, "{}: `{other}` is neither run nor in the list of what is not", example.from);
        }
    }
}

#[test]
fn every_example_of_the_help_and_of_the_documents_works() {
    let stand = Stand::start();
    let mut places: BTreeMap<String, Vec<Example>> = BTreeMap::new();
    for example in examples() {
        places.entry(example.from.clone()).or_default().push(example);
    }
    // The longest first, so that none is left over in the end.
    let mut places: Vec<(usize, Vec<Example>)> = places.into_values().enumerate().collect();
    places.sort_by_key(|(_, examples)| examples.len());
    let places = Mutex::new(places);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((number, examples)) = places.lock().expect("whole").pop() else { return };
                    let found = run_place(&stand, number, &examples);
                    failures.lock().expect("whole").extend(found);
                }
            });
        }
    });
    let failures = failures.into_inner().expect("whole");
    assert!(failures.is_empty(), "{} examples fail:\n{}", failures.len(), failures.join("\n\n"));
}

/// Runs the examples of one place in a folder of their own; says which fail.
fn run_place(stand: &Stand, place: usize, examples: &[Example]) -> Vec<String> {
    let folder = stand.folder(place);
    let mut failures = Vec::new();
    let mut number = place * 100;
    for example in examples {
        let mut before = None;
        for command in &example.commands {
            number += 1;
            let plan = plan(command, stand, number, before.as_deref());
            if matches!(&plan, Plan::Run(words) if words[0] == "init") {
                std::fs::create_dir_all(folder.join(format!("init-{number}"))).expect("a folder");
            }
            let begun = Instant::now();
            let (words, output) = carry_out(stand, &folder, &plan);
            let shown = format!("{}: coronaz {}\n  as: coronaz {words}", example.from, command.join(" "));
            println!("{:>5.1} s  {shown}", begun.elapsed().as_secs_f64());
            if let Plan::Parse(_, reason) = plan {
                println!("         not run as it stands: {reason}");
            }
            if !output.status.success() {
                failures.push(format!("{shown}\n  {}\n{}", output.status, said(&output)));
            }
            before = Some(format!("up-{number}")).filter(|_| command[0] == "up");
        }
    }
    failures
}

fn carry_out(stand: &Stand, folder: &Path, plan: &Plan) -> (String, Output) {
    let (Plan::Run(words) | Plan::Serve(words) | Plan::Parse(words, _)) = plan;
    let mut command = stand.command(folder, words);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("coronaz starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A command that asks nothing may have ended already.
    let _ = stdin.write_all(ANSWERS.as_bytes());
    drop(stdin);
    if matches!(plan, Plan::Serve(_)) {
        std::thread::sleep(SERVES_FOR);
        // One that has ended by itself did not serve: its exit code is not 0.
        if child.try_wait().expect("our child").is_none() {
            stop(&child);
        }
    }
    (words.join(" "), ended(child))
}

fn stop(child: &Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process id");
    // It may end by itself at this moment.
    let _ = kill_process(pid, Signal::TERM);
}

/// Waits for the end of a command, whose outputs are read meanwhile.
fn ended(mut child: Child) -> Output {
    let read = |output: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut output = output.expect("a pipe");
            output.read_to_end(&mut bytes).expect("readable");
            bytes
        })
    };
    let stdout = read(child.stdout.take().map(|output| Box::new(output) as Box<_>));
    let stderr = read(child.stderr.take().map(|output| Box::new(output) as Box<_>));
    let status = wait_for("an example to end", PATIENCE, || child.try_wait().expect("our child"));
    let (stdout, stderr) = (stdout.join().expect("no panic"), stderr.join().expect("no panic"));
    Output { status, stdout, stderr }
}
