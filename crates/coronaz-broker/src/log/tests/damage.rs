//! A log whose files are damaged: what is whole is read, what is not is a gap that is reported.

use std::sync::Mutex;

use super::*;
use crate::partition::Partition;

/// Batches of one idempotent producer, one record each, in segments of this size.
fn filled(folder: &Path, batches: i32, segment_bytes: u64) -> Log {
    let mut log = open(folder).expect("opened");
    for sequence in 0..batches {
        let payload = format!("the payload of batch {sequence}");
        let bytes = batch(&[payload.as_bytes()], Some((5, 0, sequence)));
        let checked = Batch::check(&bytes, BATCH_BYTES_MAX, &codec::Opener::default()).expect("a batch");
        log.append(&checked, segment_bytes).expect("appended");
    }
    log
}

/// The first offsets of the batches that a reader gets, who always asks for what comes next. Each has the
/// payload that it was appended with.
fn followed(partition: &Partition) -> Vec<i64> {
    let read = read_by(partition);
    for (offset, number) in &read {
        assert_eq!(offset, number, "at its offset is the payload that was appended there");
    }
    read.into_iter().map(|(offset, _)| offset).collect()
}

/// The first offsets of the batches that a reader gets, and the number in the payload of each.
fn read_by(partition: &Partition) -> Vec<(i64, i64)> {
    let mut seen = Vec::new();
    let mut offset = partition.with(|log| log.start());
    loop {
        let read = partition.read(offset, 300);
        match read.found.expect("readable") {
            None => break,
            Some(Found::Lost { until }) => {
                assert!(until > offset, "a reader advances");
                offset = until;
            }
            Some(Found::Batches(slice)) => {
                let bytes = contents(&slice);
                let mut left = &bytes[..];
                while !left.is_empty() {
                    let head = batch::Head::read(left).expect("whole batches");
                    let (this, rest) = left.split_at(head.bytes);
                    assert!(head.matches(this) && head.next_offset() > offset);
                    seen.push((head.base_offset, number_in(this)));
                    offset = head.next_offset();
                    left = rest;
                }
            }
        }
    }
    assert_eq!(offset, partition.with(|log| log.end()), "a reader gets to the end");
    seen
}

/// The number in the payload of a batch.
fn number_in(batch: &[u8]) -> i64 {
    let text = String::from_utf8_lossy(batch);
    let (_, after) = text.split_once("the payload of batch ").expect("a payload of ours");
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

fn reopened(folder: &Path) -> Partition {
    Partition::new("t-0".to_owned(), open(folder).expect("a damaged log opens"))
}

fn append_next(partition: &Partition, sequence: i32) -> i64 {
    let offset = partition.with(|log| log.end());
    let payload = format!("the payload of batch {offset}");
    let bytes = batch(&[payload.as_bytes()], Some((5, 0, sequence)));
    let checked = Batch::check(&bytes, BATCH_BYTES_MAX, &codec::Opener::default()).expect("a batch");
    assert_eq!(partition.append(&checked, 1 << 20).expect("the producer continues"), offset);
    offset
}

/// The same of a producer that does not number its batches.
fn append_unnumbered(partition: &Partition) -> i64 {
    let offset = partition.with(|log| log.end());
    let bytes = batch(&[format!("the payload of batch {offset}").as_bytes()], None);
    let checked = Batch::check(&bytes, BATCH_BYTES_MAX, &codec::Opener::default()).expect("a batch");
    partition.append(&checked, 1 << 20).expect("appended")
}

fn without(offsets: std::ops::Range<i64>, lost: i64) -> Vec<i64> {
    offsets.filter(|offset| *offset != lost).collect()
}

/// Flips a bit and returns the batch that the byte belongs to, and its place in that.
fn flip(whole: &[u8], at: usize, bit: u8) -> (Vec<u8>, i64, usize) {
    let mut start = 0;
    loop {
        let head = batch::Head::read(&whole[start..]).expect("whole");
        if at < start + head.bytes {
            let mut damaged = whole.to_vec();
            damaged[at] ^= 1 << bit;
            return (damaged, head.base_offset, at - start);
        }
        start += head.bytes;
    }
}

#[test]
fn a_bit_flipped_in_the_last_file_loses_at_most_the_batch_that_it_is_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = filled(folder.path(), 4, 1 << 20);
    let segment = log.active.path.clone();
    drop(log);
    let whole = fs::read(&segment).expect("read");
    for at in 0..whole.len() {
        let folder = tempfile::tempdir().expect("a folder");
        let segment = Segment::path_of(folder.path(), 0);
        let (damaged, hit, place) = flip(&whole, at, (at % 8) as u8);
        fs::write(&segment, &damaged).expect("damaged");
        let partition = reopened(folder.path());
        let seen = followed(&partition);
        // The checksum does not cover what is before it, and so what is there can be known all the same.
        if place <= 16 {
            assert_eq!(seen, [0, 1, 2, 3], "byte {at}, {place} of batch {hit}");
        } else {
            assert_eq!(seen, without(0..4, hit), "byte {at}, {place} of batch {hit}");
        }
        let mut expected = seen;
        expected.push(append_next(&partition, 4));
        assert_eq!(followed(&partition), expected, "what comes later is read too");
        drop(partition);
        assert_eq!(followed(&reopened(folder.path())), expected, "also after the next start");
    }
}

#[test]
fn a_bit_flipped_in_a_closed_file_is_a_gap_and_no_end_with_a_seal_or_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = filled(folder.path(), 12, SEGMENT_BYTES);
    seal_all(&mut log);
    assert!(log.closed.len() > 1);
    let files: Vec<_> = log.closed.iter().map(|closed| closed.segment.path.clone()).collect();
    drop(log);
    for file in files {
        let whole = fs::read(&file).expect("read");
        for at in (0..whole.len()).step_by(3) {
            let (damaged, hit, place) = flip(&whole, at, (at % 8) as u8);
            fs::write(&file, &damaged).expect("damaged");
            let seal = seal::path_of(&file);
            let sealed = fs::read(&seal).expect("there");
            for _ in 0..2 {
                let seen = followed(&reopened(folder.path()));
                if place > 16 || seen.len() < 12 {
                    assert_eq!(seen, without(0..12, hit), "byte {at}, {place} of batch {hit}");
                }
                fs::remove_file(&seal).expect("removed");
                fs::write(&file, &damaged).expect("damaged again, if it was mended");
                // And once more without it.
                let seen = followed(&reopened(folder.path()));
                assert!(seen == without(0..12, hit) || (place <= 16 && seen.len() == 12));
                fs::write(&seal, &sealed).expect("written");
            }
            fs::write(&file, &whole).expect("mended");
        }
    }
}

#[test]
fn damage_under_a_running_broker_is_a_gap_for_its_readers() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = filled(folder.path(), 12, SEGMENT_BYTES);
    let (closed, active) = (log.closed[1].segment.path.clone(), log.active.path.clone());
    let (in_closed, in_active) = (log.closed[1].segment.base, log.active.base);
    let partition = Partition::new("t-0".to_owned(), log);
    assert_eq!(followed(&partition).len(), 12);
    for file in [&closed, &active] {
        let whole = fs::read(file).expect("read");
        // In the payload of the first batch, and in the same file, which the broker has open.
        let file = File::options().write(true).open(file).expect("opened");
        file.write_all_at(&[whole[80] ^ 4], 80).expect("damaged");
    }
    let mut expected: Vec<i64> = (0..12).filter(|offset| ![in_closed, in_active].contains(offset)).collect();
    assert_eq!(followed(&partition), expected);
    expected.push(append_next(&partition, 12));
    assert_eq!(followed(&partition), expected);
    File::options().write(true).open(&closed).and_then(|file| file.set_len(10)).expect("cut");
    let left = followed(&partition);
    assert!(left.len() > 5 && left.iter().all(|offset| expected.contains(offset)), "{left:?}");
    fs::remove_file(&closed).expect("removed");
    partition.with(|log| log.files.close_all(log.number));
    assert_eq!(followed(&partition), left, "a file that was deleted is a gap too");
}

#[test]
fn what_looks_like_a_batch_inside_a_damaged_record_is_not_taken_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = open(folder.path()).expect("opened");
    let mut forged = batch(&[b"forged"], None);
    forged[..8].copy_from_slice(&1_i64.to_be_bytes());
    for payload in [&forged[..], b"the payload of batch 1", b"the payload of batch 2"] {
        append(&mut log, &batch(&[payload], None)).expect("appended");
    }
    let segment = log.active.path.clone();
    drop(log);
    let mut damaged = fs::read(&segment).expect("read");
    damaged[66] ^= 1;
    fs::write(&segment, damaged).expect("damaged");
    assert_eq!(followed(&reopened(folder.path())), [1, 2]);
}

#[test]
fn closed_files_damaged_in_any_way_cost_what_was_in_them_and_nothing_else() {
    for damage in ["truncated", "emptied", "garbage", "zeros", "missing", "a folder"] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = filled(folder.path(), 12, SEGMENT_BYTES);
        seal_all(&mut log);
        let (file, from, until) = {
            let segment = &log.closed[1].segment;
            (segment.path.clone(), segment.base, segment.next)
        };
        drop(log);
        let whole = fs::read(&file).expect("read");
        match damage {
            "truncated" => fs::write(&file, &whole[..whole.len() - 20]).expect("written"),
            "emptied" => fs::write(&file, []).expect("written"),
            "garbage" => fs::write(&file, b"no batch ".repeat(60)).expect("written"),
            "zeros" => fs::write(&file, vec![0; whole.len()]).expect("written"),
            "missing" => fs::remove_file(&file).expect("removed"),
            _ => {
                fs::remove_file(&file).expect("removed");
                fs::create_dir(&file).expect("a folder");
            }
        }
        let partition = reopened(folder.path());
        let seen = followed(&partition);
        assert!(
            (0..12).filter(|offset| !(from..until).contains(offset)).all(|offset| seen.contains(&offset)),
            "{damage}: {seen:?}"
        );
        if damage == "truncated" {
            assert_eq!(seen, without(0..12, until - 1), "only the last batch of the file is not whole");
        }
        assert_eq!(append_next(&partition, 12), 12, "{damage}: offsets continue");
    }
}

#[test]
fn a_last_file_damaged_in_any_way_is_kept_aside_and_the_log_continues() {
    for damage in ["garbage", "a folder", "garbage behind whole batches"] {
        let folder = tempfile::tempdir().expect("a folder");
        let log = filled(folder.path(), 3, 1 << 20);
        let file = log.active.path.clone();
        drop(log);
        let whole = fs::read(&file).expect("read");
        let expected: &[i64] = match damage {
            "garbage" => {
                fs::write(&file, b"no batch ".repeat(60)).expect("written");
                &[]
            }
            "a folder" => {
                fs::remove_file(&file).expect("removed");
                fs::create_dir(&file).expect("a folder");
                &[]
            }
            _ => {
                fs::write(&file, [&whole[..], &b"no batch ".repeat(60)].concat()).expect("written");
                &[0, 1, 2]
            }
        };
        let partition = reopened(folder.path());
        assert_eq!(followed(&partition), expected, "{damage}");
        let next = append_next(&partition, 3);
        assert_eq!(next, expected.len() as i64, "{damage}");
        let names: Vec<String> = fs::read_dir(folder.path())
            .expect("listed")
            .map(|entry| entry.expect("there").file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names.len(), 2, "{damage}: nothing was deleted: {names:?}");
    }
}

#[test]
fn the_damaged_end_of_the_log_is_lost_and_its_offsets_are_not_used_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = filled(folder.path(), 3, 1 << 20);
    let file = log.active.path.clone();
    drop(log);
    let mut damaged = fs::read(&file).expect("read");
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    fs::write(&file, damaged).expect("damaged");
    let partition = reopened(folder.path());
    let read = partition.read(2, 1000);
    assert!(matches!(read.found, Ok(Some(Found::Lost { until: 3 }))), "{read:?}");
    assert_eq!(append_next(&partition, 3), 3, "and the producer continues behind what was lost");
}

/// Has `work` done and returns what it logged.
fn logged(work: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("unharmed").extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let written = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || lines.clone()).finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = written.0.lock().expect("unharmed").clone();
    String::from_utf8(bytes).expect("text")
}

#[test]
fn damage_is_reported_with_its_place_and_its_offsets_and_a_torn_end_is_no_damage() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("coronaz/2");
    crate::disk::create_folder(&folder).expect("made");
    let log = filled(&folder, 4, 1 << 20);
    let file = log.active.path.clone();
    drop(log);
    let whole = fs::read(&file).expect("read");
    fs::write(&file, flip(&whole, whole.len() / 4 + 80, 0).0).expect("damaged");
    let lines = logged(|| drop(open(&folder).expect("opened")));
    let line = lines.lines().find(|line| line.contains("lost")).expect("it is said");
    for part in ["WARN", "coronaz-2", "00000000000000000000.log", "from=1", "last=1", "records=1"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    fs::write(&file, &whole[..whole.len() - 5]).expect("torn");
    let lines = logged(|| drop(open(&folder).expect("opened")));
    assert!(lines.contains("INFO") && lines.contains("unfinished") && !lines.contains("WARN"), "{lines}");
    fs::write(&file, [&whole[..], &[0; 90]].concat()).expect("not written");
    let lines = logged(|| drop(open(&folder).expect("opened")));
    assert!(lines.contains("WARN") && lines.contains("had not been written"), "{lines}");
}

/// What may happen to a file.
#[derive(Debug, Clone)]
enum Harm {
    Flip { at: usize, bit: u8 },
    Overwrite { at: usize, bytes: Vec<u8> },
    Cut { at: usize },
    Insert { at: usize, bytes: Vec<u8> },
}

fn harm() -> impl Strategy<Value = (usize, Harm)> {
    let bytes = || proptest::collection::vec(any::<u8>(), 1..120);
    let harm = prop_oneof![
        4 => (0..400_usize, 0..8_u8).prop_map(|(at, bit)| Harm::Flip { at, bit }),
        2 => (0..400_usize, bytes()).prop_map(|(at, bytes)| Harm::Overwrite { at, bytes }),
        1 => (0..400_usize).prop_map(|at| Harm::Cut { at }),
        1 => (0..400_usize, bytes()).prop_map(|(at, bytes)| Harm::Insert { at, bytes }),
    ];
    (0..4_usize, harm)
}

proptest! {
    #[test]
    fn whatever_is_damaged_each_reader_advances_to_the_end_and_reads_only_what_was_written(harms in proptest::collection::vec(harm(), 1..6), with_seals in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = filled(folder.path(), 14, SEGMENT_BYTES);
        if with_seals {
            seal_all(&mut log);
        }
        drop(log);
        let mut files: Vec<_> = fs::read_dir(folder.path()).expect("listed").map(|entry| entry.expect("there").path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == segment::ENDING));
        files.sort();
        for (file, harm) in harms {
            let path = &files[file % files.len()];
            let mut bytes = fs::read(path).expect("read");
            let places = bytes.len() + 1;
            match harm {
                Harm::Flip { at, bit } => {
                    let at = at % places;
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << bit;
                    }
                }
                Harm::Overwrite { at, bytes: with } => {
                    let at = at % places;
                    let end = (at + with.len()).min(bytes.len());
                    bytes[at..end].copy_from_slice(&with[..end - at]);
                }
                Harm::Cut { at } => bytes.truncate(at % places),
                Harm::Insert { at, bytes: with } => {
                    let at = at % places;
                    bytes.splice(at..at, with);
                }
            }
            fs::write(path, bytes).expect("written");
        }
        let partition = reopened(folder.path());
        let mut seen = read_by(&partition);
        // A batch's offset stands in front of what its checksum covers. Where that is damaged and the batch before it too,
        // nothing says which it was: each payload is read once and as it was written, perhaps at a later offset.
        let numbers: std::collections::BTreeSet<i64> = seen.iter().map(|(_, number)| *number).collect();
        prop_assert!(numbers.len() == seen.len() && numbers.iter().all(|number| (0..14).contains(number)));
        let offset = append_unnumbered(&partition);
        seen.push((offset, offset));
        prop_assert_eq!(&read_by(&partition), &seen);
        drop(partition);
        prop_assert_eq!(read_by(&reopened(folder.path())), seen);
    }
}
