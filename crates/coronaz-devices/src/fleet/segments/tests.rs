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
fn a_damaged_record_loses_the_rest_of_its_file_and_nothing_else() {
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
    segments.append(&record(9, 100)).expect("room");
    assert_eq!(drain(&mut segments), [0, 1, 9]);
    segments.settle(3);
    assert_eq!(segments.bytes(), 0);
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
