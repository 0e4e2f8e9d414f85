//! A log that is cut, killed, filled, expired, and opened again.

mod damage;

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use proptest::prelude::*;

use super::batch::BATCH_BYTES_MAX;
use super::batch::tests::batch;
use super::*;

/// Small enough that a few batches fill one.
const SEGMENT_BYTES: u64 = 400;
const EVERYTHING: Retention = Retention { time: None, bytes: None };

fn open(folder: &Path) -> io::Result<Log> {
    Log::open(folder, &Arc::default())
}

/// What is at an offset, which damage does not concern.
fn slice(log: &mut Log, offset: i64, bytes_max: u64) -> Option<Slice> {
    match log.read(offset, bytes_max).expect("readable")? {
        Found::Batches(slice) => Some(slice),
        Found::Lost { until } => panic!("{offset} to {until} are lost"),
    }
}

fn append(log: &mut Log, bytes: &[u8]) -> Result<i64, AppendError> {
    log.append(
        &Batch::check(bytes, BATCH_BYTES_MAX, &codec::Opener::default()).expect("a batch"),
        SEGMENT_BYTES,
    )
}

fn contents(slice: &Slice) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(slice.bytes).expect("small")];
    slice.file.read_exact_at(&mut bytes, slice.position).expect("read");
    bytes
}

/// The first offsets of all batches from `offset` on, as a reader follows them.
fn offsets_from(log: &mut Log, mut offset: i64, bytes_max: u64) -> Vec<i64> {
    let mut seen = Vec::new();
    while let Some(slice) = slice(log, offset, bytes_max) {
        let bytes = contents(&slice);
        let mut left = &bytes[..];
        while !left.is_empty() {
            let head = batch::Head::read(left).expect("whole batches");
            let (this, rest) = left.split_at(head.bytes);
            assert!(head.matches(this), "as it was written");
            seen.push(head.base_offset);
            offset = head.next_offset();
            left = rest;
        }
    }
    assert_eq!(offset, log.end(), "a reader gets to the end");
    seen
}

/// Writes the seals that are due, as the broker does from time to time.
fn seal_all(log: &mut Log) {
    for (segment, seal) in log.unsealed() {
        seal.write(&segment).expect("written");
        log.is_sealed(&segment);
    }
}

#[test]
fn what_was_appended_is_read_back_over_segments_and_restarts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = open(folder.path()).expect("opened");
    for turn in 0..30 {
        let offset = append(&mut log, &batch(&[b"some bytes", b"more"], None)).expect("appended");
        assert_eq!(offset, turn * 2);
    }
    let all: Vec<i64> = (0..30).map(|turn| turn * 2).collect();
    assert!(log.closed.len() > 3, "over several segments");
    for bytes_max in [0, 100, 250, 1 << 20] {
        assert_eq!(offsets_from(&mut log, 0, bytes_max), all);
        assert_eq!(
            offsets_from(&mut log, 31, bytes_max),
            all[15..],
            "from the middle of a batch: that batch"
        );
    }
    drop(log);
    let mut log = open(folder.path()).expect("opened again");
    assert_eq!(offsets_from(&mut log, 0, 1 << 20), all);
    seal_all(&mut log);
    drop(log);
    let mut log = open(folder.path()).expect("opened with seals");
    assert!(log.unsealed().is_empty());
    assert_eq!((offsets_from(&mut log, 0, 1 << 20), log.end()), (all, 60));
}

#[test]
fn a_log_cut_at_any_byte_holds_exactly_the_whole_batches_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = open(folder.path()).expect("opened");
    let mut ends = vec![0];
    for sequence in 0..4 {
        append(&mut log, &batch(&[b"payload"], Some((5, 0, sequence)))).expect("appended");
        ends.push(log.active.bytes);
    }
    let whole = fs::read(&log.active.path).expect("read");
    let segment = log.active.path.clone();
    drop(log);
    for cut in 0..=whole.len() {
        fs::write(&segment, &whole[..cut]).expect("cut");
        let mut log = open(folder.path()).expect("opened");
        let batches = ends.iter().filter(|end| **end <= cut as u64).count() - 1;
        assert_eq!(log.end(), batches as i64, "cut at {cut}");
        assert_eq!(fs::metadata(&segment).expect("there").len(), ends[batches]);
        // The producer, whose batch was not acknowledged, sends it again.
        let again = append(&mut log, &batch(&[b"payload"], Some((5, 0, batches as i32))));
        assert_eq!(again.expect("appended"), batches as i64);
        assert_eq!(offsets_from(&mut log, 0, 1 << 20).len(), batches + 1);
    }
}

#[test]
fn a_damaged_end_is_removed_and_what_is_before_it_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = open(folder.path()).expect("opened");
    for _ in 0..3 {
        append(&mut log, &batch(&[b"payload"], None)).expect("appended");
    }
    let segment = log.active.path.clone();
    drop(log);
    let whole = fs::read(&segment).expect("read");
    let batch_bytes = whole.len() / 3;
    // Zeros where the data should be: what some file systems leave after a loss of power.
    for damage in [vec![0; batch_bytes], vec![0xff; batch_bytes], whole[..batch_bytes].to_vec()] {
        let damaged = [&whole[..2 * batch_bytes], &damage].concat();
        fs::write(&segment, damaged).expect("damaged");
        let mut log = open(folder.path()).expect("opened");
        assert_eq!(offsets_from(&mut log, 0, 1 << 20), [0, 1]);
    }
}

#[test]
fn a_batch_sent_again_after_a_restart_is_not_stored_again() {
    let folder = tempfile::tempdir().expect("a folder");
    for (round, with_seals) in [(0, false), (1, true), (2, true)] {
        let mut log = open(folder.path()).expect("opened");
        for turn in 0..10 {
            let sequence = round * 10 + turn;
            let bytes = batch(&[b"some payload of some length"], Some((5, 0, sequence)));
            assert_eq!(append(&mut log, &bytes).expect("appended"), i64::from(sequence));
        }
        if with_seals {
            seal_all(&mut log);
        }
        drop(log);
        let mut log = open(folder.path()).expect("opened again");
        for turn in 5..10 {
            let sequence = round * 10 + turn;
            let bytes = batch(&[b"some payload of some length"], Some((5, 0, sequence)));
            assert_eq!(append(&mut log, &bytes).expect("known"), i64::from(sequence));
        }
        let ahead = batch(&[b"x"], Some((5, 0, round * 10 + 11)));
        assert!(matches!(append(&mut log, &ahead), Err(AppendError::OutOfOrder)));
        assert_eq!(log.end(), i64::from(round + 1) * 10);
    }
}

#[test]
fn a_full_disk_is_an_error_that_changes_nothing_and_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = open(folder.path()).expect("opened");
    append(&mut log, &batch(&[b"before"], Some((5, 0, 0)))).expect("appended");
    let (key, real) = swap_file(&log, full());
    for _ in 0..3 {
        assert!(matches!(append(&mut log, &batch(&[b"one"], Some((5, 0, 1)))), Err(AppendError::Storage(_))));
    }
    // Somebody new, whose second batch is on its way while the first is refused.
    assert!(matches!(append(&mut log, &batch(&[b"new"], Some((6, 0, 0)))), Err(AppendError::Storage(_))));
    assert_eq!((log.end(), offsets_from_after(&log, &real)), (1, vec![0]));
    // What a write that failed halfway leaves.
    real.write_all_at(b"half a batch", log.active.bytes).expect("written");
    log.files.put(key, real, true);
    assert!(matches!(append(&mut log, &batch(&[b"new"], Some((6, 0, 1)))), Err(AppendError::OutOfOrder)));
    assert_eq!(append(&mut log, &batch(&[b"one"], Some((5, 0, 1)))).expect("room again"), 1);
    assert_eq!(append(&mut log, &batch(&[b"new"], Some((6, 0, 0)))).expect("room again"), 2);
    assert_eq!(offsets_from(&mut log, 0, 1 << 20), [0, 1, 2]);
    drop(log);
    assert_eq!(offsets_from(&mut open(folder.path()).expect("opened"), 0, 1 << 20), [0, 1, 2]);
}

/// A file that never has room.
fn full() -> File {
    File::options().write(true).open("/dev/full").expect("this is Linux")
}

/// Has a log append to another file, and returns the one it had, and what that is called.
fn swap_file(log: &Log, file: File) -> (files::Key, File) {
    let had = log.active_file().expect("open").try_clone().expect("cloned");
    let key = (log.number, log.active.base);
    log.files.put(key, file, true);
    (key, had)
}

/// What is read of a log whose file is replaced for a while.
fn offsets_from_after(log: &Log, real: &File) -> Vec<i64> {
    let mut bytes = vec![0; usize::try_from(log.active.bytes).expect("small")];
    real.read_exact_at(&mut bytes, 0).expect("read");
    vec![batch::Head::read(&bytes).expect("a head").base_offset]
}

#[test]
fn what_is_beyond_the_size_or_the_time_expires_and_offsets_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = open(folder.path()).expect("opened");
    for _ in 0..40 {
        append(&mut log, &batch(&[b"a payload of some length"], None)).expect("appended");
    }
    assert_eq!(log.expire(EVERYTHING).expect("nothing to do"), 0);
    let kept = Retention { bytes: Some(1000), ..EVERYTHING };
    assert!(log.expire(kept).expect("expired") > 3);
    assert!((1000..1000 + 2 * SEGMENT_BYTES).contains(&log.bytes()));
    let start = log.start();
    assert!(start > 0 && matches!(log.read(start - 1, 100), Err(ReadError::OutOfRange)));
    assert!(matches!(log.read(41, 100), Err(ReadError::OutOfRange)));
    seal_all(&mut log);
    drop(log);

    age(folder.path(), Duration::from_secs(7200));
    let mut log = open(folder.path()).expect("opened");
    assert_eq!((log.start(), log.end()), (start, 40));
    let hour = Retention { time: Some(Duration::from_secs(3600)), bytes: None };
    log.expire(hour).expect("expired");
    assert_eq!((log.start(), log.end()), (40, 40), "also what was appended to last");
    drop(log);
    let mut log = open(folder.path()).expect("opened");
    assert_eq!(append(&mut log, &batch(&[b"new"], None)).expect("appended"), 40);
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1, "nothing is left behind");
}

fn age(folder: &Path, by: Duration) {
    let then = SystemTime::now() - by;
    for entry in fs::read_dir(folder).expect("listed") {
        let file = File::options().write(true).open(entry.expect("there").path()).expect("opened");
        file.set_times(FileTimes::new().set_modified(then)).expect("set");
    }
}

#[test]
fn a_time_is_found_in_the_first_batch_that_reaches_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = open(folder.path()).expect("opened");
    assert_eq!(log.at_time(0).expect("empty"), None);
    for _ in 0..20 {
        append(&mut log, &batch(&[b"a payload of some length"], None)).expect("appended");
    }
    // All of these have their latest record at 2000.
    assert_eq!(log.at_time(1500).expect("found"), Some((0, 2000)));
    assert_eq!(log.at_time(2001).expect("looked"), None);
}

/// What may happen to a log.
#[derive(Debug, Clone)]
enum Step {
    Append { payload_bytes: usize, records: usize },
    SendAgain,
    Fill,
    Kill { torn: Vec<u8> },
    Seal,
    Expire { bytes: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..200_usize, 1..4_usize).prop_map(|(payload_bytes, records)| Step::Append { payload_bytes, records }),
        2 => Just(Step::SendAgain),
        1 => Just(Step::Fill),
        2 => proptest::collection::vec(any::<u8>(), 0..300).prop_map(|torn| Step::Kill { torn }),
        1 => Just(Step::Seal),
        1 => (0..3000_u64).prop_map(|bytes| Step::Expire { bytes }),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_every_acknowledged_batch_is_there_once(steps in proptest::collection::vec(step(), 1..60), bytes_max in 0..2000_u64) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = open(folder.path()).expect("opened");
        // First offsets and what was sent, as acknowledged.
        let mut sent: Vec<(i64, Vec<u8>)> = Vec::new();
        let mut sequence = 0;
        for step in steps {
            match step {
                Step::Append { payload_bytes, records } => {
                    let payload = vec![7; payload_bytes];
                    let bytes = batch(&vec![&payload[..]; records], Some((1, 0, sequence)));
                    let offset = append(&mut log, &bytes).expect("appended");
                    sequence += records as i32;
                    sent.push((offset, bytes));
                }
                Step::SendAgain => {
                    if let Some((offset, bytes)) = sent.last() {
                        prop_assert_eq!(append(&mut log, bytes).expect("known"), *offset);
                    }
                }
                Step::Fill => {
                    let (key, real) = swap_file(&log, full());
                    // A full segment was closed, and the next file had room, or there was none.
                    if let Ok(offset) = append(&mut log, &batch(&[b"refused"], Some((1, 0, sequence)))) {
                        sent.push((offset, batch(&[b"refused"], Some((1, 0, sequence)))));
                        sequence += 1;
                    }
                    log.files.put(key, real, true);
                }
                Step::Kill { torn } => {
                    let active = log.active.path.clone();
                    let end = log.active.bytes;
                    drop(log);
                    File::options().write(true).open(active).and_then(|file| file.write_all_at(&torn, end)).expect("torn");
                    log = open(folder.path()).expect("opened");
                }
                Step::Seal => seal_all(&mut log),
                Step::Expire { bytes } => {
                    log.expire(Retention { bytes: Some(bytes), ..EVERYTHING }).expect("expired");
                }
            }
        }
        let kept: Vec<i64> = sent.iter().map(|(offset, _)| *offset).filter(|offset| *offset >= log.start()).collect();
        let start = log.start();
        prop_assert_eq!(offsets_from(&mut log, start, bytes_max), kept);
        for (offset, bytes) in sent.iter().filter(|(offset, _)| *offset >= start) {
            let found = contents(&slice(&mut log, *offset, 0).expect("there"));
            prop_assert_eq!(&found[16..], &bytes[16..], "as it was produced");
        }
    }
}
