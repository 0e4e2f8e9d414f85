//! Reading a whole file of batches as it was left: what is whole, what is damaged, and how it ends.
//!
//! Batches lie one after the other, and each says where the next begins. So bytes that are no whole batch
//! with the next offset are one of these:
//!
//! | what is found | what it was | what is done |
//! |---|---|---|
//! | the beginning of a batch, and the file ends | a write that was broken off, never acknowledged | the caller cuts it off |
//! | zeros up to the end | a loss of power: the system had not written it to the disk | the caller cuts it off |
//! | a batch whose checksum is right, with another offset or length before it | bits of its prefix, which the checksum does not cover | the prefix is written again |
//! | anything else, and whole batches behind it | damage | skipped: a gap in the offsets |
//! | anything else up to the end | damage | left where it is; the log continues in another file |

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use tracing::warn;

use super::batch::{BATCH_BYTES_MAX, HEAD_BYTES, Head, PREFIX_BYTES};
use super::codec::OPENED_BYTES_MAX;
use super::index::{Gap, Index};
use super::producers::Producers;
use super::window::Window;

/// How much is read at once.
pub(crate) const SCAN_STEP: usize = 256 * 1024;
/// A record has at least this: its length and six fields.
const RECORD_BYTES_MIN: usize = 7;
/// The most records that one batch can have. A damaged one that says more is not believed.
const RECORDS_MAX: i32 = (OPENED_BYTES_MAX / RECORD_BYTES_MIN) as i32;

/// Damaged places of a file that are reported one by one.
const REPORTED_MAX: usize = 20;

/// What is in a file of batches.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) index: Index,
    /// The offset after the last record, lost ones included.
    pub(crate) next: i64,
    /// The latest time of a record.
    pub(crate) timestamp_ms_max: i64,
    /// Where the last whole batch ends.
    pub(crate) whole_bytes: u64,
    pub(crate) tail: Tail,
    pub(crate) losses: Vec<Loss>,
}

/// What is behind the last whole batch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    #[default]
    Nothing,
    /// The beginning of a batch, of a write that was broken off.
    Unfinished,
    /// Zeros.
    Unwritten,
    Damaged,
}

/// Records that are not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) position: u64,
    pub(crate) bytes: u64,
    /// Their first offset, and the one after their last; the same when their number is not known.
    pub(crate) from: i64,
    pub(crate) until: i64,
}

impl Loss {
    /// Says so, for the operator.
    fn report(&self, path: &Path) {
        let partition = label(path);
        let file = name(path);
        let Self { position, bytes, from, until } = *self;
        let records = until - from;
        if records > 0 {
            let last = until - 1;
            warn!(partition, file, position, bytes, from, last, records, "damaged: these offsets are lost");
        } else {
            warn!(
                partition,
                file,
                position,
                bytes,
                from,
                "damaged bytes that are no batch; how many records they were is not known"
            );
        }
    }
}

/// Says all of them, or the first and how many there are.
pub(crate) fn report(losses: &[Loss], path: &Path) {
    for loss in losses.iter().take(REPORTED_MAX) {
        loss.report(path);
    }
    if let Some(others) = losses.len().checked_sub(REPORTED_MAX + 1).map(|count| count + 1) {
        let records: i64 = losses.iter().map(|loss| loss.until - loss.from).sum();
        warn!(partition = label(path), others, records, "the file has more damaged places; records: in all");
    }
}

/// `TOPIC-NUMBER` of a file of a partition.
pub(crate) fn label(path: &Path) -> String {
    let mut folders = path.ancestors().skip(1).filter_map(Path::file_name).map(|name| name.to_string_lossy());
    let (number, topic) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
    format!("{topic}-{number}")
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What comes at a position.
enum Next {
    Batch(Head),
    /// Whole batches continue there, at this offset.
    Resumes {
        position: u64,
        offset: i64,
    },
    /// None do. The next offset, as far as it is known.
    Ends {
        tail: Tail,
        next: i64,
    },
}

/// Reads the first `bytes` of a file whose first offset is `base`. `until` is the offset after its last
/// record, where that is known. The file's `producers` come to know its batches, if there are any.
pub(crate) fn scan(
    file: &File,
    path: &Path,
    base: i64,
    bytes: u64,
    until: Option<i64>,
    mut producers: Option<&mut Producers>,
) -> io::Result<Scan> {
    let mut place =
        Place { window: Window::new(file, bytes, SCAN_STEP), path, bytes, at: 0, next: base, until };
    let mut scan = Scan { timestamp_ms_max: -1, ..Scan::default() };
    while place.at < bytes {
        let (from, at) = (place.next, place.at);
        match place.look(producers.as_deref())? {
            Next::Batch(head) => {
                if let (Some(producers), Some(producer)) = (producers.as_deref_mut(), &head.producer) {
                    producers.stored(producer, head.records, head.base_offset);
                }
                scan.index.add(head.base_offset, at);
                scan.timestamp_ms_max = scan.timestamp_ms_max.max(head.timestamp_ms_max);
                (place.at, place.next) = (at + head.bytes as u64, head.next_offset());
                scan.whole_bytes = place.at;
                continue;
            }
            Next::Resumes { position, offset } => {
                (place.at, place.next) = (position, offset);
            }
            Next::Ends { tail, next } => {
                (place.at, place.next) = (bytes, next);
                scan.tail = tail;
            }
        }
        if matches!(scan.tail, Tail::Nothing | Tail::Damaged) {
            scan.losses.push(Loss { position: at, bytes: place.at - at, from, until: place.next });
            if let Some(producers) = producers.as_deref_mut() {
                producers.lose_track();
            }
            scan.index.add_gap(Gap { position: at, end: place.at });
        }
    }
    if let Some(until) = until.filter(|until| *until > place.next) {
        scan.losses.push(Loss { position: bytes, bytes: 0, from: place.next, until });
        if let Some(producers) = producers {
            producers.lose_track();
        }
        place.next = until;
    }
    scan.next = place.next;
    Ok(scan)
}

/// How far a file was read.
struct Place<'a> {
    window: Window<'a>,
    path: &'a Path,
    bytes: u64,
    at: u64,
    /// The offset that comes next.
    next: i64,
    until: Option<i64>,
}

impl Place<'_> {
    fn look(&mut self, producers: Option<&Producers>) -> io::Result<Next> {
        let whole = self.window.checked_head(self.at)?.filter(is_sound);
        match whole {
            Some(head) if head.base_offset == self.next && self.is_within(head.next_offset()) => {
                Ok(Next::Batch(head))
            }
            Some(head) => self.look_at_stranger(&head, producers),
            None => self.look_at_damage(),
        }
    }

    fn is_within(&self, offset: i64) -> bool {
        self.until.is_none_or(|until| offset <= until)
    }

    /// A whole batch with another offset than comes next.
    fn look_at_stranger(&mut self, head: &Head, producers: Option<&Producers>) -> io::Result<Next> {
        let behind = self.at + head.bytes as u64;
        let due = self.next.saturating_add(i64::from(head.records));
        let after = self.window.checked_head(behind)?.filter(is_sound);
        let is_ours = match &after {
            // The batch behind it fits what comes next: then this one does too.
            Some(after) => after.base_offset == due,
            // Nothing but its producer can say whether it is the last, or one of long ago.
            None => {
                let known = head.producer.zip(producers);
                self.until == Some(due) || known.is_some_and(|(producer, known)| known.expects(&producer))
            }
        };
        if is_ours && self.is_within(due) && self.mend(head.bytes) {
            let mut head = *head;
            head.base_offset = self.next;
            return Ok(Next::Batch(head));
        }
        let is_chain = after.is_some_and(|after| after.base_offset == head.next_offset());
        if is_chain && head.base_offset > self.next && self.is_within(head.next_offset()) {
            return Ok(Next::Resumes { position: self.at, offset: head.base_offset });
        }
        self.look_at_damage()
    }

    /// No whole batch begins here.
    fn look_at_damage(&mut self) -> io::Result<Next> {
        let resumed = self.find_next_batch()?;
        let end = resumed.map_or(self.bytes, |(position, _)| position);
        if let Some((head, says_next)) = self.without_prefix(end)? {
            let after = head.next_offset();
            // With nothing behind it, its own word has to do: it may be a batch of long ago.
            let fits = resumed.map_or(says_next || self.until == Some(after), |(_, offset)| offset == after);
            if fits && self.is_within(after) && self.mend(head.bytes) {
                return Ok(Next::Batch(head));
            }
        }
        if let Some((position, offset)) = resumed {
            return Ok(Next::Resumes { position, offset });
        }
        if let Some(until) = self.until {
            // Nothing is written to this file any more: whatever its end is, it was something else.
            return Ok(Next::Ends { tail: Tail::Damaged, next: until });
        }
        let (tail, next) = match self.own_head()? {
            // It is all there and other than it was written.
            Some(own) => (Tail::Damaged, own.next_offset()),
            None if self.is_unfinished()? => (Tail::Unfinished, self.next),
            None if self.is_unwritten()? => (Tail::Unwritten, self.next),
            None => (Tail::Damaged, self.next),
        };
        Ok(Next::Ends { tail, next })
    }

    /// What the damaged batch at this position says about itself, if it makes sense.
    fn own_head(&mut self) -> io::Result<Option<Head>> {
        let head = self.window.head(self.at)?.filter(is_sound);
        Ok(head.filter(|head| head.base_offset == self.next && head.records <= RECORDS_MAX))
    }

    /// The next whole batch behind this position: where it is, and its offset.
    fn find_next_batch(&mut self) -> io::Result<Option<(u64, i64)>> {
        // What the damaged batch says itself comes first: in a record there may be what looks like a batch.
        if let Some(own) = self.own_head()? {
            let behind = self.at + own.bytes as u64;
            let after = self.window.checked_head(behind)?.filter(is_sound);
            if let Some(after) = after.filter(|after| after.base_offset == own.next_offset()) {
                return Ok(Some((behind, after.base_offset)));
            }
        }
        for position in self.at + 1..self.bytes.saturating_sub(HEAD_BYTES as u64 - 1) {
            if !self.window.may_be_head(position)? {
                continue;
            }
            let Some(head) = self.window.head(position)?.filter(is_sound) else { continue };
            // A batch has 61 bytes at least, so between here and there were no more records than this.
            let batches = (position - self.at) / HEAD_BYTES as u64 + 1;
            let most = self.next.saturating_add(batches.cast_signed().saturating_mul(RECORDS_MAX.into()));
            let is_next =
                (self.next..=most).contains(&head.base_offset) && self.is_within(head.next_offset());
            if is_next && self.window.checked_head(position)?.is_some() {
                return Ok(Some((position, head.base_offset)));
            }
        }
        Ok(None)
    }

    /// The batch that fills the bytes up to `end`, if it is whole apart from its prefix; and whether it
    /// has the next offset.
    fn without_prefix(&mut self, end: u64) -> io::Result<Option<(Head, bool)>> {
        let Ok(count) = usize::try_from(end - self.at) else { return Ok(None) };
        if !(HEAD_BYTES..=BATCH_BYTES_MAX).contains(&count) {
            return Ok(None);
        }
        let Some(bytes) = self.window.bytes(self.at, count)? else { return Ok(None) };
        let says_next = bytes.starts_with(&self.next.to_be_bytes());
        let mut mended = bytes.to_vec();
        mended[..=PREFIX_BYTES].copy_from_slice(&Head::prefix(self.next, count));
        let head = Head::read(&mended).filter(is_sound).filter(|head| head.matches(&mended));
        Ok(head.map(|head| (head, says_next)))
    }

    /// Writes the prefix of the batch of so many bytes again, as it has to be. What cannot be written is
    /// not mended.
    fn mend(&mut self, bytes: usize) -> bool {
        let prefix = Head::prefix(self.next, bytes);
        let file = File::options().write(true).open(self.path);
        let written = file.and_then(|file| file.write_all_at(&prefix, self.at));
        self.window.forget();
        let (partition, position, offset) = (label(self.path), self.at, self.next);
        let file = name(self.path);
        match &written {
            Ok(()) => warn!(partition, file, position, offset, "a batch's prefix was damaged and was mended"),
            Err(error) => {
                warn!(partition, file, position, offset, %error, "a batch's prefix is damaged and cannot be mended");
            }
        }
        written.is_ok()
    }

    /// Whether these are the first bytes of the batch that comes next, and the file ends inside of it.
    fn is_unfinished(&mut self) -> io::Result<bool> {
        let left = self.bytes - self.at;
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(HEAD_BYTES);
        let next = self.next.to_be_bytes();
        let Some(head) = self.window.bytes(self.at, count)? else { return Ok(false) };
        if !head.iter().zip(&next).all(|(found, wanted)| found == wanted) {
            return Ok(false);
        }
        let is_longer = match head.get(8..12).and_then(|length| length.first_chunk()) {
            None => true,
            Some(length) => {
                let counted = i32::from_be_bytes(*length);
                let whole = u64::try_from(counted).unwrap_or(0) + 12;
                whole > left && whole <= BATCH_BYTES_MAX as u64
            }
        };
        Ok(is_longer && head.get(PREFIX_BYTES).is_none_or(|magic| *magic == 2))
    }

    fn is_unwritten(&mut self) -> io::Result<bool> {
        let mut at = self.at;
        while at < self.bytes {
            let count = usize::try_from(self.bytes - at).unwrap_or(usize::MAX).min(SCAN_STEP);
            let Some(bytes) = self.window.bytes(at, count)? else { return Ok(false) };
            if bytes.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += count as u64;
        }
        Ok(true)
    }
}

/// Whether a head could be one that was stored.
fn is_sound(head: &Head) -> bool {
    head.records >= 1 && head.next_offset() - head.base_offset == i64::from(head.records)
}
