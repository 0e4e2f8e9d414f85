//! A full disk under the spool: what it does not take waits in memory, and is there when there is room.

use coronaz_devices::spool::{Entry, LIMIT_BYTES, Place, Spool};
use coronaz_testkit::small_disk::{SmallDisk, with_mounts};
use coronaz_wire::Contact;
use uuid::Uuid;

#[test]
fn a_full_disk_tears_nothing_and_nothing_is_missing_once_there_is_room() {
    with_mounts("a_full_disk_tears_nothing_and_nothing_is_missing_once_there_is_room", fill_and_free);
}

fn fill_and_free() {
    let disk = SmallDisk::of_bytes(4 << 20).expect("mounted");
    let folder = disk.path().join("spool");
    let (mut spool, devices) = Spool::open(&folder, LIMIT_BYTES).expect("opened");
    assert!(devices.is_empty());
    let place = Place::default();
    let contact = |n: i64| Entry::Contact {
        place,
        contact: Contact { uuid: Uuid::from_u128(7), timestamp_us: n, distance: None },
    };
    spool.append(&[Entry::Device { place, uuid: Uuid::from_u128(1), run: None, start_us: 5 }]).expect("room");
    let ballast = disk.fill(100_000).expect("filled");
    // Odd numbers of entries, so that the end of the room falls into one.
    let (mut sent, mut refused) = (0, 0);
    while sent < 10_000 {
        let entries: Vec<Entry> = (sent..sent + 37).map(contact).collect();
        refused += usize::from(spool.append(&entries).is_err());
        sent += 37;
    }
    assert!(refused > 100, "the disk was full {refused} times");
    // Killed now, what the disk took is whole.
    let copy = tempfile::tempdir().expect("a folder");
    std::fs::copy(folder.join("spool.log"), copy.path().join("spool.log")).expect("copied");
    let (_, devices) = Spool::open(copy.path(), LIMIT_BYTES).expect("opened");
    let kept = devices[0].contacts.len();
    assert!(kept > 1000, "{kept} contacts");
    assert!(devices[0].contacts.iter().map(|contact| contact.timestamp_us).eq(0..kept as i64));
    std::fs::remove_file(ballast).expect("room again");
    spool.append(&[contact(sent)]).expect("there is room");
    assert_eq!(spool.dropped(), 0);
    drop(spool);
    let (_, devices) = Spool::open(&folder, LIMIT_BYTES).expect("opened");
    assert!(devices[0].contacts.iter().map(|contact| contact.timestamp_us).eq(0..=sent));
}
