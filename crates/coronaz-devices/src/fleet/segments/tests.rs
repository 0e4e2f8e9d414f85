use coronaz_bus::ContentType;

use super::*;

fn record(number: u32, bytes: usize) -> Outgoing {
    Outgoing {
        key: number.to_string().into(),
        payload: vec![number as u8; bytes],
        content_type: ContentType::FRAME,
        shard: Some(number),
    }
}

fn open(dir: &Path) -> Segments {
    Segments::open(dir, LIMIT_BYTES).expect("a spool")
}

fn drain(segments: &mut Segments) -> Vec<u32> {
    std::iter::from_fn(|| segments.read().expect("readable")).filter_map(|record| record.shard).collect()
}

#[test]
fn records_come_in_the_order_written_over_many_segments_and_files_go_when_all_has_arrived() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut segments = open(dir.path());
    for number in 0..300 {
        segments.append(&record(number, 200_000)).expect("room");
    }
    assert_eq!(numbers(dir.path()).expect("readable").len(), 4);
    for expected in 0..300 {
        let read = segments.read().expect("readable").expect("a record");
        assert_eq!(read, record(expected, 200_000));
    }
    assert!(segments.read().expect("readable").is_none() && !segments.is_unread());
    segments.settle(100);
    assert_eq!(numbers(dir.path()).expect("readable").len(), 3);
    segments.settle(200);
    assert_eq!((segments.bytes(), numbers(dir.path()).expect("readable").len()), (0, 1));
    segments.append(&record(1, 5)).expect("room");
    assert_eq!(drain(&mut segments), [1]);
    segments.settle(1);
    drop(segments);
    assert_eq!(numbers(dir.path()).expect("readable"), [] as [u64; 0]);
}

#[test]
fn what_had_not_arrived_is_read_again_after_a_kill_and_a_torn_tail_is_cut_off() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut segments = open(dir.path());
    for number in 0..10 {
        segments.append(&record(number, 1_000)).expect("room");
    }
    assert_eq!(drain(&mut segments).len(), 10);
    segments.settle(4);
    drop(segments);
    let path = path_of(dir.path(), 0);
    let length = fs::metadata(&path).expect("there").len();
    File::options().write(true).open(&path).expect("there").set_len(length - 3).expect("cut");
    let mut segments = open(dir.path());
    segments.append(&record(77, 10)).expect("room");
    assert_eq!(drain(&mut segments), [0, 1, 2, 3, 4, 5, 6, 7, 8, 77]);
    segments.settle(10);
    assert_eq!(segments.bytes(), 0);
}

#[test]
fn a_damaged_record_is_lost_alone_and_its_file_is_set_aside() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut segments = open(dir.path());
    for number in 0..4 {
        segments.append(&record(number, 100)).expect("room");
    }
    drop(segments);
    let path = path_of(dir.path(), 0);
    let mut bytes = fs::read(&path).expect("there");
    let third = bytes.len() / 2 + 40;
    bytes[third] ^= 1;
    fs::write(&path, bytes).expect("written");
    let mut segments = open(dir.path());
    assert!(dir.path().join("0000000000.frames.damaged").is_file());
    segments.append(&record(9, 100)).expect("room");
    assert_eq!(drain(&mut segments), [0, 1, 3, 9]);
    segments.settle(4);
    assert_eq!(segments.bytes(), 0);
}

#[test]
fn of_a_segment_that_is_damaged_anywhere_all_records_are_sent_but_the_damaged() {
    let whole = {
        let dir = tempfile::tempdir().expect("a folder");
        let mut segments = open(dir.path());
        (0..4).for_each(|number| segments.append(&record(number, 40)).expect("room"));
        drop(segments);
        fs::read(path_of(dir.path(), 0)).expect("there")
    };
    let length = whole.len() / 4;
    let flipped = (0..whole.len()).map(|at| {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x81;
        (damaged, (0..4).filter(|number| *number as usize != at / length).collect::<Vec<u32>>())
    });
    let others = [
        (Vec::new(), vec![]),
        (vec![0x5a; 500], vec![]),
        ([&whole[..], &[0; 300]].concat(), vec![0, 1, 2, 3]),
        ([&[7; 30], &whole[..]].concat(), vec![0, 1, 2, 3]),
        (whole[..whole.len() - 5].to_vec(), vec![0, 1, 2]),
    ];
    for (damaged, left) in flipped.chain(others) {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(path_of(dir.path(), 3), &damaged).expect("written");
        fs::create_dir(path_of(dir.path(), 1)).expect("a folder in the place of a file");
        let mut segments = open(dir.path());
        assert_eq!(drain(&mut segments), left);
        segments.settle(left.len() as u64);
        assert_eq!(segments.bytes(), 0);
    }
}

#[test]
fn what_is_kept_in_memory_is_not_read_from_the_disk() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut segments = open(dir.path());
    for number in 0..3 {
        segments.append(&record(number, 100)).expect("room");
        segments.skip();
    }
    segments.append(&record(3, 100)).expect("room");
    assert_eq!(drain(&mut segments), [3]);
}

#[test]
fn a_full_spool_takes_nothing_until_something_has_arrived() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut segments = Segments::open(dir.path(), LIMIT_BYTES_MIN).expect("a spool");
    let taken = (0..100).take_while(|&number| segments.append(&record(number, 100_000)).is_ok()).count();
    assert_eq!(taken, 10);
    assert!(matches!(segments.append(&record(0, 100_000)), Err(AppendError::Full)));
    assert_eq!(drain(&mut segments).len(), 10);
    segments.settle(10);
    segments.append(&record(0, 100_000)).expect("room again");
}

#[test]
fn a_second_process_is_kept_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let _first = open(dir.path());
    assert!(matches!(Segments::open(dir.path(), LIMIT_BYTES), Err(SpoolError::InUse { .. })));
}
