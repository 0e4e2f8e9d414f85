//! Finds the examples: in the help of every subcommand, and in the fenced blocks of the documents.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A command that somebody is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Example {
    /// Where it stands: a command line with `--help`, or a file.
    pub(crate) from: String,
    /// The commands of the line, in their order: `a && b` are two.
    pub(crate) commands: Vec<Vec<String>>,
    /// Pieces of the line that are none of ours.
    pub(crate) others: Vec<String>,
}

/// Every example of the program's help.
pub(crate) fn of_help(program: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut pages = vec![Vec::new()];
    while let Some(page) = pages.pop() {
        let output = Command::new(program).args(&page).arg("--help").output().expect("coronaz runs");
        let help = String::from_utf8(output.stdout).expect("text");
        let from = format!("coronaz {} --help", page.join(" "));
        pages.extend(subcommands(&help).into_iter().map(|name| [page.clone(), vec![name]].concat()));
        let lines = help.lines().skip_while(|line| !line.starts_with("Example")).skip(1);
        // An example that is longer than the terminal is wide goes on in the next line.
        let mut joined: Vec<String> = Vec::new();
        for line in lines.take_while(|line| line.starts_with("  ")).map(str::trim) {
            match joined.last_mut() {
                Some(before) if !line.starts_with("coronaz ") => *before += &format!(" {line}"),
                _ => joined.push(line.to_owned()),
            }
        }
        examples.extend(joined.iter().map(|line| example(&from, line)));
    }
    examples
}

fn subcommands(help: &str) -> Vec<String> {
    let list = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    let names = names.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    names.filter(|name| name != "help").collect()
}

/// Every example of the documents.
pub(crate) fn of_documents(root: &Path) -> Vec<Example> {
    let mut files = vec![root.join("README.md")];
    for folder in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root.join(folder)).expect("documents");
        files.extend(entries.map(|entry| entry.expect("readable").path()));
    }
    files.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    files.sort();
    files.iter().flat_map(|path| of_document(root, path)).collect()
}

fn of_document(root: &Path, path: &PathBuf) -> Vec<Example> {
    let from = path.strip_prefix(root).expect("below it").display().to_string();
    let text = fs::read_to_string(path).expect("readable");
    let (mut examples, mut fence, mut open) = (Vec::new(), None, String::new());
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(language.trim().to_owned()) };
            continue;
        }
        let Some(language) = &fence else { continue };
        open += line.trim();
        if let Some(begun) = open.strip_suffix('\\') {
            open = begun.to_owned();
            continue;
        }
        let found = example(&from, &std::mem::take(&mut open));
        // A block without a language may be anything: a picture, a file. A line with a command of ours is one.
        if !found.commands.is_empty() || language == "sh" && !found.others.is_empty() {
            examples.push(found);
        }
    }
    examples
}

fn example(from: &str, line: &str) -> Example {
    let (mut commands, mut others) = (Vec::new(), Vec::new());
    let line = without_comment(line);
    for piece in line.replace("&&", ";").replace("||", ";").split(';') {
        let piece = piece.trim().trim_start_matches("do ").trim_end_matches('&').trim();
        let words = words(piece);
        match words.first().map(String::as_str) {
            None => {}
            Some("coronaz" | "$target/coronaz") => commands.push(words[1..].to_vec()),
            Some(_) => others.push(piece.to_owned()),
        }
    }
    Example { from: from.to_owned(), commands, others }
}

/// The line up to a `#` that begins a word outside of quotes.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut before) = (None, ' ');
    for (at, sign) in line.char_indices() {
        match (quoted, sign) {
            (None, '#') if before == ' ' => return &line[..at],
            (None, '\'' | '"') => quoted = Some(sign),
            (Some(quote), sign) if quote == sign => quoted = None,
            _ => {}
        }
        before = sign;
    }
    line
}

/// Words as a shell takes them; quotes are left out.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut open) = (Vec::new(), String::new(), None, false);
    for sign in text.chars() {
        match (quoted, sign) {
            (None, '\'' | '"') => (quoted, open) = (Some(sign), true),
            (Some(quote), sign) if quote == sign => quoted = None,
            (None, ' ') => {
                if open {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (_, sign) => {
                word.push(sign);
                open = true;
            }
        }
    }
    if open {
        words.push(word);
    }
    words
}
