//! Browsers that are signed in. A browser keeps a random name, the server keeps a keyed digest of it; when that is
//! forgotten (signed out, too old, another token) the name is worth nothing, a copy of it neither.
//!
//! With a file they outlive the process, which in a laboratory is killed now and then. A line of the file is a digest
//! and the second since 1970 at which it ends. No session can be made from what the file holds.

use std::{
    collections::HashMap,
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::token::{Token, hexadecimal};

/// How long a browser stays signed in, in seconds: a working day and its evening.
pub(crate) const AGE_S: i64 = 16 * 3600;
/// A clock that is set back by so much, in seconds, signs nobody out; by more it would make sessions too long.
const SET_BACK_S_MAX: i64 = 3600;
/// More browsers than one operator has; of more, those that end first are signed out.
const SESSIONS_MAX: usize = 256;
/// A file of [`SESSIONS_MAX`] lines has a tenth of this.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A session's name, digested.
type Digest = [u8; 32];

/// The sessions of the holders of one token.
pub(crate) struct Sessions {
    key: Hmac<Sha256>,
    file: Option<PathBuf>,
    /// Digests, and when they end, in seconds since 1970.
    live: Mutex<HashMap<Digest, i64>>,
}

impl Sessions {
    /// Those that `file` holds and that have not ended; what cannot be read is logged, and counts as signed out.
    pub(crate) fn open(token: &Token, file: Option<PathBuf>, now_s: i64) -> Self {
        let mut live = file.as_deref().map(read).unwrap_or_default();
        live.retain(|_, until_s| is_in_time(*until_s, now_s));
        Self { key: token.session_key(), file, live: Mutex::new(live) }
    }

    /// Signs a browser in; gives the name that it keeps.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub(crate) fn begin(&self, now_s: i64) -> Result<String, getrandom::Error> {
        let mut name = [0; 32];
        getrandom::fill(&mut name)?;
        let name = hexadecimal(&name);
        let mut live = self.live();
        live.retain(|_, until_s| is_in_time(*until_s, now_s));
        while live.len() >= SESSIONS_MAX {
            let Some(first) = live.iter().min_by_key(|(_, until_s)| **until_s).map(|(digest, _)| *digest)
            else {
                break;
            };
            live.remove(&first);
        }
        live.insert(self.digest(&name), now_s.saturating_add(AGE_S));
        self.keep(&live);
        Ok(name)
    }

    /// Whether a browser with this name is signed in.
    pub(crate) fn is_live(&self, name: &str, now_s: i64) -> bool {
        self.live().get(&self.digest(name)).is_some_and(|until_s| is_in_time(*until_s, now_s))
    }

    /// Signs a browser out: its name is worth nothing from now on.
    pub(crate) fn end(&self, name: &str) {
        let mut live = self.live();
        if live.remove(&self.digest(name)).is_some() {
            self.keep(&live);
        }
    }

    /// Digests are looked up rather than names, so that the time of a look-up says nothing of a name.
    fn digest(&self, name: &str) -> Digest {
        let mut mac = self.key.clone();
        mac.update(name.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn keep(&self, live: &HashMap<Digest, i64>) {
        let Some(file) = &self.file else { return };
        if let Err(error) = write(file, live) {
            tracing::warn!(file = %file.display(), %error, "sign-ins cannot be kept: they end with this process");
            // An old file could sign somebody in again who has signed out.
            if let Err(error) = fs::remove_file(file)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::error!(file = %file.display(), %error, "sign-ins that ended are still in the file: remove it");
            }
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<Digest, i64>> {
        // Each change is one call, so the map is whole even when a holder of the lock panicked.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a session that ends then is valid now.
fn is_in_time(until_s: i64, now_s: i64) -> bool {
    (1..=AGE_S + SET_BACK_S_MAX).contains(&until_s.saturating_sub(now_s))
}

fn read(file: &Path) -> HashMap<Digest, i64> {
    let bytes = match read_bounded(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return HashMap::new(),
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "kept sign-ins cannot be read: everybody has to sign in again");
            return HashMap::new();
        }
    };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (mut live, mut damaged) = (HashMap::new(), 0_usize);
    for line in lines {
        match parse(line) {
            Some((digest, until_s)) if live.len() < SESSIONS_MAX => _ = live.insert(digest, until_s),
            _ => damaged += 1,
        }
    }
    if damaged > 0 {
        tracing::warn!(file = %file.display(), lines = damaged, "kept sign-ins are damaged: those have to sign in again");
    }
    live
}

fn read_bounded(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(fs::File::open(file)?, FILE_BYTES_MAX), &mut bytes)?;
    Ok(bytes)
}

fn parse(line: &[u8]) -> Option<(Digest, i64)> {
    let (digest, until_s) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    if digest.len() != 64 || !digest.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&digest[at..at + 2], 16).ok()?;
    }
    Some((bytes, until_s.parse().ok()?))
}

/// Writes a new file beside the old one and puts it in its place, so that one of them is whole whatever happens.
fn write(file: &Path, live: &HashMap<Digest, i64>) -> io::Result<()> {
    let beside = file.with_extension("new");
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut new = fs::File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
    for (digest, until_s) in live {
        writeln!(new, "{} {until_s}", hexadecimal(digest))?;
    }
    new.sync_all()?;
    fs::rename(&beside, file)
}

#[cfg(test)]
mod tests;
