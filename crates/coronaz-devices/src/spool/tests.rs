use super::*;
use coronaz_model::{Illness, Position, movement::avoid::Direction};
use coronaz_wire::{Contact, Totals};
use proptest::prelude::*;
use std::path::Path;
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

/// A spool's file: two devices with their carriers and ten contacts each, the first three of which have arrived.
fn filled(dir: &Path) -> Vec<u8> {
    let (mut spool, _) = Spool::open(dir, LIMIT_BYTES).expect("opened");
    spool.append(&[device(0), device(1)]).expect("written");
    for place in [0, 1] {
        spool.append(&[Entry::Carrier { place, carrier: carrier() }]).expect("written");
        let contacts: Vec<Entry> = (0..10).map(|number| recorded(place, number)).collect();
        spool.append(&contacts).expect("written");
        spool.append(&[Entry::Settled { place, contacts: 3 }]).expect("written");
    }
    drop(spool);
    // As it is after a process was started again and lived on: the devices are named at both ends.
    let (mut spool, _) = Spool::open(dir, LIMIT_BYTES).expect("opened");
    spool.append(&(10..14).map(|number| recorded(0, number)).collect::<Vec<_>>()).expect("written");
    drop(spool);
    fs::read(dir.join("spool.log")).expect("there")
}

#[test]
fn of_a_spool_that_is_damaged_anywhere_all_is_used_but_what_is_damaged_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let whole = filled(dir.path());
    let entries = {
        let (mut at, mut ends) = (0, Vec::new());
        while let Some((_, length)) = Entry::read(&whole[at..]) {
            at += length;
            ends.push(at);
        }
        ends
    };
    for at in 0..whole.len() {
        for flip in [0x01, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            let recovery = Recovery::of_bytes(&damaged);
            let hurt = entries.partition_point(|end| *end <= at);
            let length = entries[hurt] - if hurt == 0 { 0 } else { entries[hurt - 1] };
            assert_eq!(recovery.damaged_bytes + recovery.torn_bytes, length, "damaged at {at}");
            let devices = recovery.into_devices();
            assert_eq!(devices.len(), 2, "damaged at {at}");
            let contacts: Vec<i64> = devices.iter().flat_map(times).collect();
            assert!(contacts.len() >= 7 + 4 + 7 - 1, "damaged at {at}: {contacts:?}");
        }
    }
}

#[test]
fn a_damaged_spool_is_set_aside_by_name_and_what_is_whole_lives_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut bytes = filled(dir.path());
    let path = dir.path().join("spool.log");
    let middle = bytes.len() / 2;
    bytes.splice(middle..middle + 20, [0x5a; 700]);
    fs::write(&path, &bytes).expect("damaged");
    let (spool, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
    assert!((700..900).contains(&spool.damaged_bytes()), "{}", spool.damaged_bytes());
    assert_eq!(devices.len(), 2);
    assert_eq!(fs::read(dir.path().join("spool.log.damaged")).expect("set aside"), bytes);
    drop(spool);
    let (spool, again) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
    assert_eq!((spool.damaged_bytes(), again), (0, devices), "the new file is whole");
}

#[test]
fn behind_a_damaged_place_no_contact_is_taken_as_settled() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut bytes = Vec::new();
    let entries = [device(0), recorded(0, 1), recorded(0, 2), recorded(0, 3)];
    entries.iter().for_each(|entry| entry.write(&mut bytes));
    let last = bytes.len() - 1;
    bytes[last - 45] ^= 1; // The second contact.
    Entry::Settled { place: 0, contacts: 2 }.write(&mut bytes);
    fs::write(dir.path().join("spool.log"), &bytes).expect("damaged");
    let (_, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened");
    assert_eq!(times(&devices[0]), [1, 3], "the third had not been told");
}

#[test]
fn whatever_stands_in_the_place_of_a_spool_its_process_starts() {
    for (what, content) in
        [("nothing", &b""[..]), ("text", b"not a spool"), ("zeros", &[0; 5_000]), ("noise", &[0xa5; 5_000])]
    {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("spool.log"), content).expect("written");
        let (mut spool, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect(what);
        assert_eq!(devices, []);
        assert_eq!(spool.damaged_bytes() > 0, content.len() > Entry::BYTES_MAX, "{what}");
        assert_eq!(dir.path().join("spool.log.damaged").exists(), content.len() > Entry::BYTES_MAX, "{what}");
        spool.append(&[device(0)]).expect("written");
    }
    let dir = tempfile::tempdir().expect("a folder");
    for name in ["spool.log", "spool.new", "lock"] {
        fs::create_dir(dir.path().join(name)).expect("a folder");
    }
    let (mut spool, devices) = Spool::open(dir.path(), LIMIT_BYTES).expect("opened beside folders");
    assert_eq!(devices, []);
    spool.append(&[device(0)]).expect("written");
    for name in ["spool.log.damaged", "spool.new.damaged", "lock.damaged"] {
        assert!(dir.path().join(name).is_dir(), "{name}");
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
