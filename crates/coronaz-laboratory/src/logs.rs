//! The parts' output: kept whole in a file each, shown with the part's name before each line.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
};

use tokio::{
    fs::{self, File},
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
};

/// How much of the parts' output is shown on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Every line.
    All,
    /// Warnings and errors: a menu has the terminal.
    Problems,
    /// No line: what goes wrong is wanted, and told otherwise.
    Nothing,
}

/// Bytes after which a log file is set aside (`NAME.log.1`) and a new one begun.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longer lines are cut: a part that prints without end must not take our memory.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// A line's sign stands after the time, near its beginning.
const SIGN_AT_MAX: usize = 120;
/// The width of the part's name.
const NAME_WIDTH: usize = 10;

/// Signs kept of a problem: it is told in a line.
const PROBLEM_CHARS_MAX: usize = 300;

/// Reads a part's output to its end, into its file and onto the terminal; problems are also handed over, in short.
///
/// Output goes on being read when the file cannot be written: a full disk must not stop the part.
pub async fn follow(
    part: String,
    output: impl AsyncRead + Unpin,
    path: PathBuf,
    show: Show,
    mut says: impl FnMut(&str),
) {
    let mut lines = BufReader::new(output).split(b'\n');
    let mut file = LogFile::open(path).await;
    loop {
        match lines.next_segment().await {
            Ok(Some(mut line)) => {
                line.truncate(LINE_BYTES_MAX);
                let line = String::from_utf8_lossy(&line);
                file.write_line(&line).await;
                let problem = problem(&line);
                if let Some(problem) = &problem {
                    says(problem);
                }
                if show == Show::All || show == Show::Problems && problem.is_some() {
                    show_line(&part, &line);
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(part, %error, "the part's output cannot be read any more");
                return;
            }
        }
    }
}

/// A warning, an error, or the last word of a program that ends with a failure: without the time before it, in short.
fn problem(line: &str) -> Option<String> {
    let head_ends = line.char_indices().nth(SIGN_AT_MAX).map_or(line.len(), |(at, _)| at);
    let head = &line[..head_ends];
    let after_sign = |sign: &str| head.find(sign).map(|at| &line[at + sign.len()..]);
    let text = ([" WARN", " ERROR"].into_iter().find_map(after_sign))
        .or_else(|| head.find("panicked at").map(|at| &line[at..]))
        .or_else(|| ["coronaz: ", "coronaz-broker: "].into_iter().find_map(|name| line.strip_prefix(name)))?;
    Some(text.trim().chars().take(PROBLEM_CHARS_MAX).collect())
}

fn show_line(part: &str, line: &str) {
    let mut stderr = std::io::stderr().lock();
    let dim = if stderr.is_terminal() { ("\x1b[36m", "\x1b[0m") } else { ("", "") };
    // A terminal that has gone away is no reason to stop the laboratory.
    let _ = writeln!(stderr, "{}{part:<NAME_WIDTH$}|{} {line}", dim.0, dim.1);
}

struct LogFile {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl LogFile {
    async fn open(path: PathBuf) -> Self {
        let file = File::options().create(true).append(true).open(&path).await;
        let file =
            file.inspect_err(|error| tracing::warn!(path = %path.display(), %error, "no log file")).ok();
        let bytes = match &file {
            Some(file) => file.metadata().await.map_or(0, |metadata| metadata.len()),
            None => 0,
        };
        LogFile { path, file, bytes }
    }

    async fn write_line(&mut self, line: &str) {
        if self.bytes > LOG_BYTES_MAX {
            let aside = self.path.with_extension("log.1");
            if fs::rename(&self.path, aside).await.is_ok() {
                *self = LogFile::open(self.path.clone()).await;
            }
        }
        if let Some(file) = &mut self.file {
            let text = format!("{line}\n");
            self.bytes += text.len() as u64;
            // A full disk loses log lines, not contacts; the part's own errors say that it is full.
            let _ = file.write_all(text.as_bytes()).await;
            let _ = file.flush().await;
        }
    }
}
