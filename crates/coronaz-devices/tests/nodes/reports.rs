//! Reports: one a second, none lost while the broker is away, a last one at death.

use std::{collections::BTreeSet, time::Duration};

use coronaz_bus::{ContentType, MemoryBus};
use coronaz_devices::{journal, outbox::Encoding, spool};
use coronaz_model::Parameters;
use coronaz_wire::{Announcement, Contact, Report};
use uuid::Uuid;

use crate::air::{Listener, Process, RUN, config, contacts_of_positions, contacts_of_reports, reports};

/// A small, crowded field.
fn crowd() -> Parameters {
    Parameters { field_width: 6, field_height: 6, zombie_lifetime: 0, ..Parameters::default() }
}

fn sleep_ms(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

#[test]
fn a_device_dies_of_age_with_a_last_message_to_all_and_then_the_process_ends() {
    let port = 27_221;
    let bus = MemoryBus::new(1);
    let listener = Listener::start(port);
    let parameters = Parameters { zombie_lifetime: 4, infection_cooldown: 60, ..crowd() };
    let summary = Process::start(config(5, 5, parameters, port), &bus).end();
    let beacons = listener.end();
    assert_eq!(summary.figures.devices_untold, 0);
    let last: Vec<_> = beacons.iter().filter(|beacon| !beacon.alive).collect();
    assert_eq!(last.len(), 5);
    let reports = reports(&bus);
    let last: Vec<_> = reports.iter().filter(|report| !report.alive).collect();
    assert!(last.len() == 5 && last.iter().all(|report| report.infected), "they died infected");
    for report in &last {
        let seqs: Vec<_> = reports.iter().filter(|r| r.uuid == report.uuid).map(|r| r.seq).collect();
        assert_eq!(seqs, (0..4).map(Some).collect::<Vec<_>>(), "a report a second, without a gap");
    }
    // Lives of three whole seconds; in the fourth everybody is heard and nobody hears.
    assert_eq!(contacts_of_reports(&reports), contacts_of_positions(&beacons, 2.0));
}

#[test]
fn a_stopped_process_is_a_death_with_a_last_message() {
    let port = 27_222;
    let bus = MemoryBus::new(1);
    let process = Process::start(config(3, 0, crowd(), port), &bus);
    sleep_ms(2_500);
    process.stop.ask();
    let summary = process.end();
    assert_eq!((summary.figures.devices_untold, summary.figures.contacts_untold), (0, 0));
    assert_eq!(reports(&bus).iter().filter(|report| !report.alive).count(), 3);
}

#[test]
fn a_process_that_leaves_off_is_no_death_and_the_next_one_with_its_spool_carries_the_devices_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let with_spool = || {
        let mut config = config(3, 0, crowd(), 27_248);
        config.spool = Some((folder.path().join("spool"), spool::LIMIT_BYTES));
        config
    };
    let bus = MemoryBus::new(1);
    let process = Process::start(with_spool(), &bus);
    sleep_ms(2_500);
    process.stop.ask_to_leave();
    let summary = process.end();
    assert!(summary.left && summary.figures.contacts_untold == 0, "{summary:?}");
    let devices = |reports: &[Report]| reports.iter().map(|report| report.uuid).collect::<BTreeSet<Uuid>>();
    let before = reports(&bus);
    assert!(before.iter().all(|report| report.alive) && devices(&before).len() == 3);
    let process = Process::start(with_spool(), &bus);
    sleep_ms(2_500);
    process.stop.ask();
    assert!(!process.end().left);
    let all = reports(&bus);
    assert_eq!(devices(&all), devices(&before), "they are the same");
    assert_eq!(all.iter().filter(|report| !report.alive).count(), 3);
    // Without a spool nobody could carry them on: it is a death.
    let bus = MemoryBus::new(1);
    let process = Process::start(config(2, 0, crowd(), 27_249), &bus);
    sleep_ms(1_500);
    process.stop.ask_to_leave();
    assert!(!process.end().left);
    assert_eq!(reports(&bus).iter().filter(|report| !report.alive).count(), 2);
}

#[test]
fn two_processes_with_copies_of_one_spool_notice_that_they_are_the_same_devices() {
    let folder = tempfile::tempdir().expect("a folder");
    let with_spool = |name: &str| {
        let mut config = config(3, 0, crowd(), 27_253);
        config.spool = Some((folder.path().join(name), spool::LIMIT_BYTES));
        config
    };
    let bus = MemoryBus::new(1);
    let first = Process::start(with_spool("spool"), &bus);
    sleep_ms(2_500);
    first.stop.ask_to_leave();
    assert_eq!(first.end().figures.identity_clashes, 0, "its own beacons come back to it");
    std::fs::create_dir(folder.path().join("copy")).expect("a folder");
    std::fs::copy(folder.path().join("spool/spool.log"), folder.path().join("copy/spool.log"))
        .expect("copied");
    let both = ["spool", "copy"].map(|name| Process::start(with_spool(name), &bus));
    sleep_ms(4_500);
    both.iter().for_each(|process| process.stop.ask());
    for summary in both.map(Process::end) {
        assert!(summary.figures.identity_clashes >= 3, "{summary:?}");
    }
}

#[test]
fn the_run_is_announced() {
    let bus = MemoryBus::new(1);
    let mut config = config(1, 0, crowd(), 27_223);
    config.live_for = Some(Duration::from_secs(1));
    Process::start(config, &bus).end();
    let records = bus.records(0);
    let announced = records.iter().find(|record| record.content_type == ContentType::RUN).expect("announced");
    let announcement = Announcement::decode(&announced.payload).expect("our own");
    assert_eq!((announcement.run, announcement.seed), (RUN, 7));
    assert_eq!(announced.key, RUN.to_string().into_bytes());
    assert_eq!(announcement.parameters["field_width"], coronaz_wire::Setting::Integer(6));
}

#[test]
fn while_the_broker_is_away_contacts_are_kept_and_the_next_report_carries_them_all() {
    let port = 27_224;
    let bus = MemoryBus::new(1);
    let listener = Listener::start(port);
    let mut config = config(4, 0, crowd(), port);
    config.live_for = Some(Duration::from_secs(8));
    let process = Process::start(config, &bus);
    sleep_ms(2_500);
    bus.set_away(true);
    sleep_ms(3_000);
    let before = reports(&bus);
    bus.set_away(false);
    process.end();
    let after = reports(&bus);
    assert!(after.len() - before.len() <= 4 * 6, "not one report for each second missed");
    let seconds_of = |contacts: &[Contact]| {
        contacts.iter().map(|contact| contact.timestamp_us / 1_000_000).collect::<BTreeSet<_>>().len()
    };
    assert!(after.iter().any(|report| seconds_of(&report.contacts) >= 2), "a report carries several seconds");
    let recorded = contacts_of_reports(&after);
    let expected = contacts_of_positions(&listener.end(), 2.0);
    let last = expected.iter().map(|(second, ..)| *second).max().expect("contacts");
    let whole = |met: &BTreeSet<crate::air::Met>| {
        met.iter().filter(|(second, ..)| *second < last).copied().collect::<Vec<_>>()
    };
    assert_eq!(whole(&recorded), whole(&expected));
}

#[test]
fn a_report_whose_acknowledgement_is_lost_is_repeated_as_it_was() {
    let bus = MemoryBus::new(1);
    let mut config = config(2, 0, crowd(), 27_225);
    config.live_for = Some(Duration::from_secs(5));
    let process = Process::start(config, &bus);
    sleep_ms(1_500);
    bus.lose_acks(3);
    let summary = process.end();
    assert_eq!(summary.figures.devices_untold, 0);
    let all = reports(&bus);
    let distinct: BTreeSet<_> = all.iter().map(|report| (report.uuid, report.seq)).collect();
    assert!(distinct.len() < all.len(), "something was repeated");
    for (uuid, seq) in distinct {
        let copies: Vec<_> = all.iter().filter(|r| (r.uuid, r.seq) == (uuid, seq)).collect();
        assert!(copies.windows(2).all(|pair| pair[0] == pair[1]), "a repeat is the same report");
    }
}

#[test]
fn a_process_started_again_with_its_spool_is_the_same_devices_and_loses_nothing() {
    let port = 27_226;
    let folder = tempfile::tempdir().expect("a folder");
    let with_spool = |seconds| {
        let mut config = config(3, 0, crowd(), port);
        config.spool = Some((folder.path().join("spool"), spool::LIMIT_BYTES));
        config.journal = Some(folder.path().join("journal"));
        config.live_for = Some(Duration::from_secs(seconds));
        config
    };
    let away = MemoryBus::new(1);
    away.set_away(true);
    let killed = Process::start(with_spool(60), &away);
    sleep_ms(4_200);
    // A process that is killed leaves its files as they are at that moment.
    let spool = folder.path().join("spool");
    let left = std::fs::read(spool.join("spool.log")).expect("written second by second");
    killed.stop.ask();
    assert!(killed.end().figures.contacts_untold > 0);
    std::fs::write(spool.join("spool.log"), left).expect("as when it was killed");
    let bus = MemoryBus::new(1);
    let summary = Process::start(with_spool(4), &bus).end();
    assert_eq!(summary.figures.devices_untold, 0);
    let reports = reports(&bus);
    let told = contacts_of_reports(&reports);
    let devices: BTreeSet<Uuid> = reports.iter().map(|report| report.uuid).collect();
    assert_eq!(devices.len(), 3, "the same devices");
    let recorded = recorded_in(&journal::folder(&folder.path().join("journal"), Some(RUN)));
    assert!(recorded.len() > 20, "{} contacts", recorded.len());
    // The seconds after the pretended kill are in the journal alone.
    let lost: BTreeSet<i64> = recorded.difference(&told).map(|(second, ..)| *second).collect();
    assert!(told.is_subset(&recorded) && lost.len() <= 1, "lost in seconds {lost:?}");
    for device in devices {
        let totals = reports.iter().filter(|r| r.uuid == device).filter_map(|r| r.totals).next_back();
        let own = told.iter().filter(|(_, hearer, _)| *hearer == device).count() as u64;
        assert_eq!(totals.map(|totals| totals.contacts), Some(own), "totals are of the whole life");
    }
}

#[test]
fn an_interactive_device_stands_until_it_is_told_to_go_and_dies_when_it_is_told_to_quit() {
    let bus = MemoryBus::new(1);
    let mut config = config(1, 0, Parameters { zombie_lifetime: 0, ..Parameters::default() }, 27_227);
    config.spawns[0] = coronaz_model::Spawn { x: Some(50), y: Some(50), infected: false };
    let (type_in, lines) = std::sync::mpsc::channel();
    let (say, said) = std::sync::mpsc::channel();
    let say = Box::new(move |text: &str| drop(say.send(text.to_owned())));
    config.console = Some(coronaz_devices::nodes::Console { lines, say });
    let process = Process::start(config, &bus);
    sleep_ms(2_500);
    for line in ["n", "quit"] {
        type_in.send(line.to_owned()).expect("it listens");
        sleep_ms(1_200);
    }
    process.end();
    assert_eq!(said.iter().collect::<Vec<_>>(), ["walks to (50, 51)", "the last message goes out"]);
    let way: Vec<_> = reports(&bus).iter().map(|report| (report.position, report.alive)).collect();
    assert_eq!((way.first(), way.last()), (Some(&([50, 50], true)), Some(&([50, 51], false))));
}

fn recorded_in(folder: &std::path::Path) -> BTreeSet<crate::air::Met> {
    let mut met = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the journal") {
        let path = entry.expect("an entry").path();
        let hearer: Uuid =
            path.file_stem().and_then(|stem| stem.to_str()).expect("a name").parse().expect("a UUID");
        for line in std::fs::read_to_string(&path).expect("text").lines() {
            let contact: Contact = serde_json::from_str(line).expect("a contact");
            met.insert((contact.timestamp_us.div_euclid(1_000_000), hearer, contact.uuid));
        }
    }
    met
}

/// One record as the paper's consumer takes it: `loads` of the value gives text, `loads` of the text an object with these
/// members; anything else ends that program.
fn as_the_papers_consumer(value: &[u8]) -> serde_json::Value {
    let text: String = serde_json::from_slice(value).expect("the value is a JSON string");
    let object: serde_json::Value = serde_json::from_str(&text).expect("it holds JSON");
    for member in ["uuid", "position", "infected", "timestamp", "alive", "contacts"] {
        assert!(object.get(member).is_some(), "{member} in {object}");
    }
    object
}

#[test]
fn the_papers_own_consumer_reads_a_topic_of_devices_that_write_as_it_does_to_the_end() {
    let bus = MemoryBus::new(1);
    let mut config = config(5, 1, crowd(), 27_252);
    (config.encoding, config.announces) = (Encoding::Paper, false);
    config.live_for = Some(Duration::from_secs(4));
    let summary = Process::start(config, &bus).end();
    let read: Vec<serde_json::Value> =
        bus.records(0).iter().map(|message| as_the_papers_consumer(&message.payload)).collect();
    assert!(read.len() >= 5 * 3, "{} reports", read.len());
    assert_eq!(read.iter().filter(|report| report["alive"] == false).count(), 5);
    let contacts: usize =
        read.iter().map(|report| report["contacts"].as_array().expect("a list").len()).sum();
    assert_eq!(contacts as u64, summary.figures.contacts);
    assert_eq!(reports(&bus).len(), read.len(), "and our own readers take them too");
}
