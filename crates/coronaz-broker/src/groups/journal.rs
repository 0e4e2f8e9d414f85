//! Committed offsets on disk: a file to which each change is appended.
//!
//! ``text
//! DATA/groups/offsets            a first line, then entries: length, CRC-32C, body
//! DATA/groups/offsets.new        while it is written again
//! DATA/groups/offsets.damaged-N  one that had bytes which were no entry, as it was found
//! ``
//!
//! One `write` for each change, so that a killed broker leaves whole entries. What is not whole is
//! stepped over; the file as it was found is then set aside, and a whole one written.

mod entry;

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::warn;

pub(super) use entry::Entry;

const FIRST_LINE: &[u8] = b"coronaz committed offsets 1\n";
const FILE: &str = "offsets";
/// The longest entry: every partition that there may be, committed in one request.
const ENTRY_BYTES_MAX: usize = 8 << 20;
/// The length and the checksum before each entry.
const HEAD_BYTES: usize = 8;
/// A file is not written again before it has this much that is out of date.
const COMPACT_BYTES_MIN: u64 = 1 << 20;
/// Damaged files that are kept: beyond that something else is wrong, and the oldest are the telling ones.
const SET_ASIDE_MAX: u32 = 20;

/// The file.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    file: Arc<File>,
    /// Its length, of whole entries.
    bytes: u64,
    /// Its length when it was last written again.
    compact_bytes: u64,
    is_unsynced: bool,
}

impl Journal {
    /// Opens the file in a folder and passes on its entries. Both are made if they are missing, for the
    /// owner alone.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(folder: &Path, mut apply: impl FnMut(&Entry<'_>)) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join(FILE);
        let found = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => FIRST_LINE.to_vec(),
            read => read?,
        };
        let scanned = scan(&found);
        for entry in scanned.whole() {
            apply(&entry);
        }
        if scanned.damaged_bytes > 0 {
            set_aside(&path, scanned.damaged_bytes, scanned.bodies.len())?;
        }
        if scanned.damaged_bytes > 0 || found.is_empty() || !path.exists() {
            return write_whole(folder, scanned.whole());
        }
        let file = OpenOptions::new().append(true).open(&path)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        let (bytes, file) = (found.len() as u64, Arc::new(file));
        // How much of it is out of date is not known: it is due soon rather than late.
        Ok(Self { folder: folder.to_owned(), file, bytes, compact_bytes: 0, is_unsynced: true })
    }

    /// Appends an entry: the system has it when this returns.
    ///
    /// # Errors
    /// What the system says; the file is then as it was before.
    pub(super) fn append(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let mut framed = Vec::new();
        frame(entry, &mut framed)?;
        if let Err(error) = (&*self.file).write_all(&framed) {
            // What came halfway would hide what comes after it. A disk that refuses this too leaves
            // bytes that the next start steps over.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += framed.len() as u64;
        self.is_unsynced = true;
        Ok(())
    }

    /// Whether most of the file may be out of date.
    pub(super) fn is_compaction_due(&self) -> bool {
        self.bytes > 2 * self.compact_bytes + COMPACT_BYTES_MIN
    }

    /// Writes the file again, with these entries and nothing else, in whole or not at all.
    ///
    /// # Errors
    /// What the system says; the file is then as it was before, and this is due again once it has grown.
    pub(super) fn rewrite<'a>(&mut self, entries: impl Iterator<Item = Entry<'a>>) -> io::Result<()> {
        let written = write_whole(&self.folder, entries);
        match written {
            Ok(journal) => {
                *self = journal;
                Ok(())
            }
            Err(error) => {
                self.compact_bytes = self.bytes;
                Err(error)
            }
        }
    }

    /// The file, if something was appended since this was last asked.
    pub(super) fn unsynced(&mut self) -> Option<Arc<File>> {
        std::mem::take(&mut self.is_unsynced).then(|| Arc::clone(&self.file))
    }
}

fn frame(entry: &Entry<'_>, to: &mut Vec<u8>) -> io::Result<()> {
    let body = entry.encode();
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= ENTRY_BYTES_MAX);
    let length = length.ok_or_else(|| io::Error::other("more offsets at once than an entry holds"))?;
    to.extend(length.to_be_bytes());
    to.extend(crc32c::crc32c(&body).to_be_bytes());
    to.extend(body);
    Ok(())
}

/// A new file in place of the one there is.
fn write_whole<'a>(folder: &Path, entries: impl Iterator<Item = Entry<'a>>) -> io::Result<Journal> {
    let unfinished = folder.join("offsets.new");
    let _ = fs::remove_file(&unfinished);
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&unfinished)?;
    let mut bytes = FIRST_LINE.to_vec();
    for entry in entries {
        frame(&entry, &mut bytes)?;
    }
    (&file).write_all(&bytes)?;
    // Before it takes the other's place: after a loss of power there is the one or the other.
    file.sync_data()?;
    fs::rename(&unfinished, folder.join(FILE))?;
    File::open(folder)?.sync_all()?;
    let length = bytes.len() as u64;
    let folder = folder.to_owned();
    Ok(Journal { folder, file: Arc::new(file), bytes: length, compact_bytes: length, is_unsynced: false })
}

fn set_aside(path: &Path, damaged_bytes: usize, entries: usize) -> io::Result<()> {
    let free = (1..=SET_ASIDE_MAX)
        .map(|number| path.with_file_name(format!("{FILE}.damaged-{number}")))
        .find(|path| !path.exists());
    let Some(aside) = free else {
        warn!(
            damaged_bytes,
            entries, "the file of committed offsets was damaged; {SET_ASIDE_MAX} others are kept"
        );
        return Ok(());
    };
    fs::copy(path, &aside)?;
    fs::set_permissions(&aside, Permissions::from_mode(0o600))?;
    warn!(
        file = %aside.display(), damaged_bytes, entries,
        "the file of committed offsets was damaged: it was set aside, and its whole entries are used"
    );
    Ok(())
}

/// What is found in a file.
struct Scanned<'a> {
    bodies: Vec<&'a [u8]>,
    /// Bytes that are no whole entry.
    damaged_bytes: usize,
}

impl<'a> Scanned<'a> {
    fn whole(&self) -> impl Iterator<Item = Entry<'a>> {
        self.bodies.iter().filter_map(|body| Entry::decode(body).ok())
    }
}

/// The body of the entry at the beginning of some bytes, if there is a whole one.
fn body_at(bytes: &[u8]) -> Option<&[u8]> {
    let (length, after) = bytes.split_first_chunk()?;
    let (checksum, after) = after.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let body = after.get(..length).filter(|_| (1..=ENTRY_BYTES_MAX).contains(&length))?;
    let is_whole = crc32c::crc32c(body) == u32::from_be_bytes(*checksum) && Entry::decode(body).is_ok();
    is_whole.then_some(body)
}

fn scan(found: &[u8]) -> Scanned<'_> {
    let mut scanned = Scanned { bodies: Vec::new(), damaged_bytes: 0 };
    let mut left = found.strip_prefix(FIRST_LINE).unwrap_or(found);
    while !left.is_empty() {
        if let Some(body) = body_at(left) {
            scanned.bodies.push(body);
            left = &left[HEAD_BYTES + body.len()..];
        } else {
            scanned.damaged_bytes += 1;
            left = &left[1..];
        }
    }
    scanned
}

#[cfg(test)]
mod tests;
