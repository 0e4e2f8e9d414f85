//! The parts' output: kept whole in a file each, shown with the part's name before each line.

use std::{
    collections::BTreeMap,
    io::{IsTerminal, Write},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
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

/// The same problem is shown again after this time at the earliest; the log file has every line.
const SHOWN_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Kinds of problems that are told apart; of more, all are shown.
const KINDS_MAX: usize = 64;

/// Problems that were shown already, so that none of them fills the terminal. Clones are the same: they outlive the
/// process that has the problem, and is started again with it.
#[derive(Debug, Clone, Default)]
pub struct Repeats(Arc<Mutex<BTreeMap<String, Repeated>>>);

#[derive(Debug)]
struct Repeated {
    shown: Instant,
    since: u64,
}

impl Repeats {
    /// Whether a problem is to be shown: `None`, or how many like it were not since the last that was.
    pub(crate) fn show(&self, problem: &str, now: Instant) -> Option<u64> {
        // Numbers change from one to the next; the problem is the same.
        let mut kind: Vec<char> =
            problem.chars().map(|sign| if sign.is_ascii_digit() { '0' } else { sign }).collect();
        kind.dedup_by(|one, other| (*one, *other) == ('0', '0'));
        let kind = kind.into_iter().collect();
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kinds.get_mut(&kind) {
            if now.saturating_duration_since(known.shown) < SHOWN_AGAIN_AFTER {
                known.since += 1;
                return None;
            }
            known.shown = now;
            return Some(std::mem::take(&mut known.since));
        }
        if kinds.len() < KINDS_MAX {
            kinds.insert(kind, Repeated { shown: now, since: 0 });
        }
        Some(0)
    }
}

/// Reads a part's output to its end, into its file and onto the terminal; problems are also handed over, in short.
///
/// Output goes on being read when the file cannot be written: a full disk must not stop the part.
pub async fn follow(
    part: String,
    output: impl AsyncRead + Unpin,
    path: PathBuf,
    show: Show,
    repeats: Repeats,
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
                let more = problem.as_ref().map_or(Some(0), |text| repeats.show(text, Instant::now()));
                let wanted = show == Show::All || show == Show::Problems && problem.is_some();
                match more.filter(|_| wanted) {
                    None => {}
                    Some(0) => show_line(&part, &line),
                    Some(more) => {
                        show_line(&part, &format!("{line} (and {more} like it before, in the log)"));
                    }
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
        let file = File::options().create(true).append(true).mode(0o600).open(&path).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_that_repeats_is_shown_once_a_minute_with_how_often_it_came() {
        let repeats = Repeats::default();
        let now = Instant::now();
        assert_eq!(repeats.show("refused 12 datagrams", now), Some(0));
        for number in 0..500 {
            assert_eq!(repeats.show(&format!("refused {number} datagrams"), now), None);
        }
        assert_eq!(repeats.show("another problem", now), Some(0));
        assert_eq!(repeats.clone().show("refused 7 datagrams", now + SHOWN_AGAIN_AFTER), Some(500));
        assert_eq!(repeats.show("refused 8 datagrams", now + SHOWN_AGAIN_AFTER), None);
    }
}
