use super::*;
use coronaz_model::{Illness, Position, movement::avoid::Direction};
use coronaz_wire::{Contact, Totals};
use proptest::prelude::*;
use uuid::Uuid;

fn device(place: Place) -> Entry {
    Entry::Device { place, uuid: Uuid::from_u128(u128::from(place) + 1), run: Some(Uuid::max()), start_us: 7 }
}

fn contact(number: i64) -> Contact {
    Contact { uuid: Uuid::from_u128(9), timestamp_us: number, distance: Some(1.5) }
}

fn recorded(place: Place, number: i64) -> Entry {
    Entry::Contact { place, contact: contact(number) }
}

fn carrier() -> Carrier {
    Carrier {
        tick: 12,
        position: Position { x: 3, y: 4 },
        goal: Position { x: 9, y: 4 },
        illness: Illness::SUSCEPTIBLE,
        onset: 5,
        flees: Some(Direction::South),
        died_infectious: false,
        totals: Totals { contacts: 5, digest: 6 },
        infected_by: Some(Uuid::from_u128(4)),
    }
}

fn times(device: &SpooledDevice) -> Vec<i64> {
    device.contacts.iter().map(|contact| contact.timestamp_us).collect()
}

#[test]
fn a_process_started_again_finds_its_devices_and_what_they_had_not_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut spool, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
    assert_eq!(devices, []);
    spool.append(&[device(0), device(1), recorded(0, 1), recorded(1, 2), recorded(0, 3)]).expect("written");
    spool
        .append(&[Entry::Settled { place: 0, contacts: 1 }, Entry::Carrier { place: 1, carrier: carrier() }])
        .expect("written");
    drop(spool);
    let (mut spool, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened again");
    assert_eq!(devices.iter().map(|device| device.uuid.as_u128()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((times(&devices[0]), times(&devices[1])), (vec![3], vec![2]));
    assert_eq!((devices[0].carrier, devices[1].carrier), (None, Some(carrier())));
    spool.append(&[Entry::Finished { place: 0 }]).expect("written");
    drop(spool);
    let (_, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened again");
    assert_eq!(devices.len(), 1);
}

#[test]
fn a_torn_tail_costs_only_what_was_torn() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut spool, _) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
    spool.append(&[device(0), recorded(0, 1), recorded(0, 2)]).expect("written");
    drop(spool);
    let path = dir.path().join("spool.log");
    let whole = fs::read(&path).expect("there");
    for torn in 1..45 {
        fs::write(&path, &whole[..whole.len() - torn]).expect("torn");
        let (mut spool, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
        assert_eq!(times(&devices[0]), [1]);
        spool.append(&[recorded(0, 3)]).expect("written behind what is whole");
        drop(spool);
        let (_, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
        assert_eq!(times(&devices[0]), [1, 3]);
    }
}

#[test]
fn a_second_process_is_kept_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let _held = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
    let error = Spool::open(dir.path(), LIMIT_BYTES).expect_err("held");
    assert!(error.to_string().contains("--spool"), "{error}");
}

#[test]
fn a_full_spool_drops_the_oldest_counts_them_and_settles_rightly_afterwards() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut spool, _) = Spool::open(dir.path(), LIMIT_BYTES_MIN).expect("opened");
    spool.append(&[device(0)]).expect("written");
    let all = 5_000;
    for number in 0..all {
        spool.append(&[recorded(0, number)]).expect("written");
        assert!(spool.bytes() <= LIMIT_BYTES_MIN);
    }
    let dropped = i64::try_from(spool.dropped()).expect("small");
    assert!(dropped > 1_000, "{dropped} dropped");
    // The process still has them all in memory and settles the oldest first.
    spool.append(&[Entry::Settled { place: 0, contacts: 4_500 }]).expect("written");
    drop(spool);
    let (_, devices) = Spool::open(dir.path(), LIMIT_BYTES_MIN).expect("opened");
    assert_eq!(times(&devices[0]), (4_500.max(dropped)..all).collect::<Vec<_>>());
}

#[test]
fn a_spool_in_which_all_is_settled_shrinks_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut spool, _) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
    spool.append(&[device(0)]).expect("written");
    let contacts: Vec<Entry> = (0..100).map(|number| recorded(0, number)).collect();
    for _ in 0..2_000 {
        spool.append(&contacts).expect("written");
        spool.append(&[Entry::Settled { place: 0, contacts: 100 }]).expect("written");
        assert!(spool.bytes() < COMPACT_ABOVE_BYTES + 10_000, "{} bytes", spool.bytes());
    }
    assert_eq!(spool.dropped(), 0);
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        (0u32..3).prop_map(device),
        (0u32..3, any::<i64>()).prop_map(|(place, number)| recorded(place, number)),
        (0u32..3, 0u64..4).prop_map(|(place, contacts)| Entry::Settled { place, contacts }),
        (0u32..3).prop_map(|place| Entry::Carrier { place, carrier: carrier() }),
        (0u32..3).prop_map(|place| Entry::Finished { place }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(entry in entry()) {
        let mut bytes = Vec::new();
        entry.write(&mut bytes);
        prop_assert_eq!(Entry::read(&bytes), Some((entry, bytes.len())));
    }

    #[test]
    fn making_the_file_anew_changes_nothing_it_says(entries in proptest::collection::vec(entry(), 0..60)) {
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| entry.write(&mut bytes));
        let once = Recovery::of_bytes(&bytes);
        let again = Recovery::of_bytes(&once.to_bytes());
        prop_assert_eq!(once.into_devices(), again.into_devices());
    }

    #[test]
    fn any_bytes_are_read_or_cut_off(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let recovery = Recovery::of_bytes(&bytes);
        prop_assert!(recovery.torn_bytes <= bytes.len());
    }
}
