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
}

/// Bytes after which a log file is set aside (`NAME.log.1`) and a new one begun.
const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longer lines are cut: a part that prints without end must not take our memory.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// The width of the part's name.
const NAME_WIDTH: usize = 10;

/// Reads a part's output to its end, into its file and onto the terminal.
///
/// Output goes on being read when the file cannot be written: a full disk must not stop the part.
pub async fn follow(part: String, output: impl AsyncRead + Unpin, path: PathBuf, show: Show) {
    let mut lines = BufReader::new(output).split(b'\n');
    let mut file = LogFile::open(path).await;
    loop {
        match lines.next_segment().await {
            Ok(Some(mut line)) => {
                line.truncate(LINE_BYTES_MAX);
                let line = String::from_utf8_lossy(&line);
                file.write_line(&line).await;
                if show == Show::All || is_problem(&line) {
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

fn is_problem(line: &str) -> bool {
    let head: String = line.chars().take(120).collect();
    [" WARN", " ERROR", "panicked at"].iter().any(|word| head.contains(word))
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
