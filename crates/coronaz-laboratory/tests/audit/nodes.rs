//! Devices with a radio, by their reports and by their journals.

use coronaz_laboratory::audit::{AuditOptions, Until, Verdict};
use coronaz_store::{
    Batch, CommitError, Committed, Heartbeat, Held, Ingestion, Ownership, PartitionOffset, ReportRecord,
    StoreError,
};
use coronaz_wire::{Contact, Report, report::Totals};
use std::fmt::Write as _;
use std::time::Duration;
use uuid::Uuid;

use crate::stage::{RUN, Stage, assert_clean, audit_of, row};
use crate::tampered::Tampered;

/// Seconds that the devices live.
const SECONDS: i64 = 30;
/// Their number.
const DEVICES: u32 = 5;
const BEGIN_US: i64 = 1_600_000_000_000_000;
const SECOND_US: i64 = 1_000_000;

fn id(device: u32) -> Uuid {
    Uuid::from_u128(u128::from(device) + 1)
}

fn time_us(second: i64) -> i64 {
    BEGIN_US + second * SECOND_US
}

/// Whom a device hears in a second: the next one, and every third second the one after that.
fn heard(device: u32, second: i64) -> Vec<Contact> {
    let contact = |other: u32| Contact {
        uuid: id(other % DEVICES),
        timestamp_us: time_us(second) + i64::from(device),
        distance: Some(1.0),
    };
    let mut contacts = vec![contact(device + 1)];
    contacts.extend((second % 3 == 0).then(|| contact(device + 2)));
    contacts
}

/// All reports of a device, which starts anew, with a spool or without, after so many seconds.
fn life(device: u32, restart_at: Option<i64>, spooled: bool) -> Vec<Report> {
    let mut totals = Totals::default();
    let (mut start_us, mut seq) = (BEGIN_US - 5, 0);
    let mut reports = Vec::new();
    for second in 0..SECONDS {
        if restart_at == Some(second) {
            (start_us, seq) = (time_us(second) - 5, 0);
            if !spooled {
                totals = Totals::default();
            }
        }
        let contacts = heard(device, second);
        contacts.iter().for_each(|contact| totals.add(id(device), contact.uuid, contact.timestamp_us));
        reports.push(Report {
            uuid: id(device),
            position: [i32::try_from(second).expect("small"), 3],
            infected: false,
            timestamp_us: time_us(second) + 500_000,
            alive: true,
            contacts,
            run: Some(RUN),
            start_us: Some(start_us),
            seq: Some(seq),
            tick: None,
            immune: Some(false),
            infected_by: None,
            totals: Some(totals),
        });
        seq += 1;
    }
    reports
}

fn lives() -> Vec<Report> {
    let mut all: Vec<Report> = (0..DEVICES).flat_map(|device| life(device, None, true)).collect();
    all.sort_by_key(|report| report.timestamp_us);
    all
}

fn batch(held: Held, now_us: i64, reports: &[Report]) -> Batch {
    let mut batch = Batch::new(0, held.epoch, held.next);
    batch.now_us = now_us;
    let offsets = held.next..;
    batch.reports = offsets
        .zip(reports)
        .map(|(offset, report)| ReportRecord { offset, report: report.clone() })
        .collect();
    batch.to = held.next + reports.len() as i64;
    batch
}

/// Takes the only partition, at this time.
fn take(store: &mut dyn Ingestion, owner: &str, now_us: i64) -> Held {
    store.take(0, owner, now_us, Duration::from_secs(10)).expect("a store").expect("it is free")
}

fn store_all(stage: &Stage, reports: &[Report]) {
    let mut store = stage.location().ingestion();
    let held = take(store.as_mut(), "one", time_us(0));
    store.commit(&batch(held, time_us(SECONDS), reports)).expect("it goes in");
}

fn audited(reports: &[Report], until: Until) -> Verdict {
    let stage = Stage::new();
    store_all(&stage, reports);
    stage.audit(until)
}

#[test]
fn reports_that_are_all_there_are_clean() {
    let verdict = audited(&lives(), Until::End);
    assert_clean(&verdict);
    let contacts = u64::from(DEVICES) * (SECONDS as u64 + SECONDS as u64 / 3);
    assert_eq!((verdict.recorded, verdict.stored), (contacts, contacts));
    assert_eq!(verdict.watermark.reports, Some(u64::from(DEVICES) * SECONDS as u64));
    // Stored in one piece 30 s after the first: those of the first 19 seconds came more than 10 s after their time.
    assert_eq!(verdict.late, Some(u64::from(DEVICES) * 20), "{verdict:#?}");
    assert_eq!(verdict.latest_ms, Some(29_500));
}

#[test]
fn totals_of_restarted_devices_fit_with_and_without_a_spool() {
    for spooled in [true, false] {
        assert_clean(&audited(&life(1, Some(12), spooled), Until::End));
    }
}

#[test]
fn a_report_that_never_came_is_lost_with_its_contacts() {
    let mut reports = lives();
    let gone = reports.remove(77);
    let verdict = audited(&reports, Until::End);
    assert_eq!(row(&verdict, "reports"), [1, 0, 0, 0], "{verdict:#?}");
    assert_eq!(row(&verdict, "contacts"), [gone.contacts.len() as u64, 0, 0, 0]);
}

#[test]
fn contacts_that_a_report_claims_and_none_carries_are_lost() {
    let mut reports = lives();
    // The device had to drop the oldest while the broker was away: its totals still count them.
    reports[10].contacts.clear();
    let verdict = audited(&reports, Until::End);
    assert_eq!((verdict.lost, verdict.doubled, verdict.wrong, verdict.unknown), (1, 0, 0, 0), "{verdict:#?}");
    // They may also follow with the next report, while the run goes on.
    let (waiting, last) = (lives(), lives().len() - 1);
    let mut reports = waiting;
    reports[last].contacts.clear();
    let verdict = audited(&reports, Until::Now);
    assert_clean(&verdict);
    assert_eq!(verdict.waiting, heard(4, SECONDS - 1).len() as u64);
}

#[test]
fn rows_that_were_removed_changed_or_added_show_in_the_digest() {
    let stage = Stage::new();
    store_all(&stage, &lives());
    let ended = AuditOptions { until: Until::End, ..AuditOptions::default() };
    let victim = id(2);
    let at = time_us(7) + 2;
    let mut store = Tampered::new(stage.queries());
    let chosen =
        move |contact: &coronaz_store::view::Contact| contact.person == victim && contact.time_us == at;
    store.contacts = Box::new(move |contact| if chosen(&contact) { vec![] } else { vec![contact] });
    let verdict = audit_of(&store, &ended).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [1, 0, 0, 0], "{verdict:#?}");
    store.contacts = Box::new(move |mut contact| {
        contact.time_us += i64::from(chosen(&contact));
        vec![contact]
    });
    let verdict = audit_of(&store, &ended).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [0, 0, 1, 0], "{verdict:#?}");
    store.contacts = Box::new(move |contact| {
        let mut other = contact;
        other.time_us += 1;
        if chosen(&contact) { vec![contact, other] } else { vec![contact] }
    });
    let verdict = audit_of(&store, &ended).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [0, 0, 0, 1], "{verdict:#?}");
    assert!(verdict.wrong > 0, "the counters do not fit either: {verdict:#?}");
}

/// Writes what the devices heard as they would with `--journal`.
fn write_journals(stage: &Stage, seconds: i64) -> std::path::PathBuf {
    let folder = stage.folder().join("journal");
    let of_run = folder.join(RUN.to_string());
    std::fs::create_dir_all(&of_run).expect("a folder");
    for device in 0..DEVICES {
        let mut text = String::new();
        for contact in (0..seconds).flat_map(|second| heard(device, second)) {
            let _ = writeln!(text, "{}", serde_json::to_string(&contact).expect("JSON"));
        }
        std::fs::write(of_run.join(format!("{}.jsonl", id(device))), text).expect("written");
    }
    folder
}

#[test]
fn journals_are_compared_contact_by_contact() {
    let stage = Stage::new();
    store_all(&stage, &lives());
    let with = |seconds| AuditOptions {
        journal: Some(write_journals(&stage, seconds)),
        until: Until::End,
        ..AuditOptions::default()
    };
    assert_clean(&audit_of(stage.queries().as_ref(), &with(SECONDS)).expect("a verdict"));
    // A device without a spool was killed: what it heard in its last second is in its journal alone.
    let verdict = audit_of(stage.queries().as_ref(), &with(SECONDS + 1)).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [u64::from(DEVICES) * 2, 0, 0, 0], "{verdict:#?}");
    let verdict = audit_of(stage.queries().as_ref(), &with(SECONDS - 1)).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [0, 0, 0, u64::from(DEVICES)], "{verdict:#?}");
    let mut store = Tampered::new(stage.queries());
    store.contacts = Box::new(|contact| vec![contact, contact]);
    let verdict = audit_of(&store, &with(SECONDS)).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [0, verdict.recorded, 0, 0], "{verdict:#?}");
}

#[test]
fn what_devices_without_a_journal_heard_is_not_unknown_and_taken_at_their_word() {
    let stage = Stage::new();
    store_all(&stage, &lives());
    let folder = write_journals(&stage, SECONDS);
    let journal_of = |device: u32| folder.join(RUN.to_string()).join(format!("{}.jsonl", id(device)));
    std::fs::remove_file(journal_of(0)).expect("there");
    let options =
        AuditOptions { journal: Some(folder.clone()), until: Until::End, ..AuditOptions::default() };
    let verdict = audit_of(stage.queries().as_ref(), &options).expect("a verdict");
    assert_eq!(row(&verdict, "contacts"), [0, 0, 0, 0], "{verdict:#?}");
    assert!(verdict.ok && verdict.recorded == verdict.stored, "{verdict:#?}");
    let named = verdict.unchecked.iter().filter(|what| what.contains("1 devices that have no journal"));
    assert_eq!(named.count(), 1, "{verdict:#?}");
    // Its own word still counts.
    let mut store = Tampered::new(stage.queries());
    store.contacts = Box::new(|contact| if contact.person == id(0) { Vec::new() } else { vec![contact] });
    let verdict = audit_of(&store, &options).expect("a verdict");
    assert!(row(&verdict, "contacts")[0] > 0, "{verdict:#?}");
}

#[test]
fn two_devices_with_one_identity_are_called_so_and_not_lost_contacts() {
    // Both go on with what one spool held, and hear others.
    let first = life(0, None, true);
    let copy = life(0, None, true).into_iter().map(|report| {
        let mut totals = report.totals.expect("told");
        totals.digest ^= 0x5eed;
        Report { start_us: Some(BEGIN_US - 4), contacts: Vec::new(), totals: Some(totals), ..report }
    });
    let mut reports: Vec<Report> = first.into_iter().chain(copy).collect();
    reports.sort_by_key(|report| report.timestamp_us);
    let verdict = audited(&reports, Until::End);
    assert_eq!(row(&verdict, "contacts"), [0, 0, 1, 0], "{verdict:#?}");
    assert!(
        verdict.examples.iter().any(|told| told.contains("two devices with one identity")),
        "{verdict:#?}"
    );
}

/// A store whose compare-and-set is switched off: it writes whatever it is handed, whoever hands it over.
struct Unfenced {
    inner: Box<dyn Ingestion>,
}

impl Ingestion for Unfenced {
    fn prepare(&mut self) -> Result<(), StoreError> {
        self.inner.prepare()
    }

    fn heartbeat(&mut self, heartbeat: &Heartbeat) -> Result<Ownership, StoreError> {
        self.inner.heartbeat(heartbeat)
    }

    fn take(&mut self, p: i32, owner: &str, now: i64, lasts: Duration) -> Result<Option<Held>, StoreError> {
        self.inner.take(p, owner, now, lasts)
    }

    fn release(&mut self, owner: &str, held: &[(i32, i64)]) -> Result<(), StoreError> {
        self.inner.release(owner, held)
    }

    fn offsets(&mut self) -> Result<Vec<PartitionOffset>, StoreError> {
        self.inner.offsets()
    }

    fn commit(&mut self, batch: &Batch) -> Result<Committed, CommitError> {
        match self.inner.commit(batch) {
            Err(CommitError::Fenced { found, .. }) => {
                let (epoch, next) = found.0.expect("the partition is known");
                self.inner.commit(&Batch { epoch, from: next, to: batch.to.max(next), ..batch.clone() })
            }
            answer => answer,
        }
    }
}

/// A process reads 60 reports, sleeps for longer than its lease, another one stores them and the next 90; then the first
/// wakes up and stores what it had read. The reports that carry no number are those of the paper's own devices.
fn slow_writer(numbered: bool, compare_and_set: bool) -> (Verdict, bool) {
    let stage = Stage::new();
    let open = || -> Box<dyn Ingestion> {
        let inner = stage.location().ingestion();
        if compare_and_set { inner } else { Box::new(Unfenced { inner }) }
    };
    let mut reports = lives();
    if !numbered {
        for report in &mut reports {
            (report.seq, report.start_us, report.totals) = (None, None, None);
        }
    }
    let (mut slow, mut quick) = (open(), open());
    let slept = take(slow.as_mut(), "slow", time_us(0));
    let read = batch(slept, time_us(60), &reports[..60]);
    let held = take(quick.as_mut(), "quick", time_us(60));
    quick.commit(&batch(held, time_us(60), &reports)).expect("it goes in");
    let late = slow.commit(&read);
    (stage.audit(Until::End), late.is_ok())
}

#[test]
fn without_the_compare_and_set_a_slow_writers_records_are_seen_as_doubled() {
    for numbered in [true, false] {
        let (verdict, went_in) = slow_writer(numbered, true);
        assert!(!went_in, "the slow one is fenced");
        assert_clean(&verdict);
    }
    // Numbered reports and contacts have identities: their rows stay single even so. The records were counted twice.
    let (verdict, went_in) = slow_writer(true, false);
    assert!(went_in);
    assert_eq!(row(&verdict, "topic, all runs"), [0, 60, 0, 0], "{verdict:#?}");
    assert_eq!(row(&verdict, "reports"), [0; 4]);
    assert_eq!(row(&verdict, "contacts"), [0; 4]);
    // Reports without a number are what their offset says, which nobody compared: their rows are there twice.
    let (verdict, went_in) = slow_writer(false, false);
    assert!(went_in);
    assert_eq!(row(&verdict, "topic, all runs"), [0, 60, 0, 0]);
    assert_eq!(verdict.watermark.reports, Some(150 + 60), "{verdict:#?}");
    assert!(!verdict.is_clean());
}
