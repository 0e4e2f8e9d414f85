use super::*;
use coronaz_model::Position;
use coronaz_wire::report::REPORT_BYTES_SENT_MAX;

const STATE: DeviceState =
    DeviceState { position: Position { x: 3, y: 4 }, infected: false, immune: false, alive: true };

fn outbox() -> Outbox {
    Outbox::new(Uuid::from_u128(1), None, 5, 1_000_000)
}

fn contact(number: i64) -> Contact {
    Contact { uuid: Uuid::from_u128(9), timestamp_us: number, distance: Some(1.0) }
}

fn next(outbox: &mut Outbox, state: DeviceState) -> Option<Report> {
    let (seq, bytes) = outbox.report(state, 0)?;
    let report = Report::decode(bytes).expect("our own report");
    assert_eq!(report.seq, Some(seq));
    outbox.sent(seq);
    Some(report)
}

#[test]
fn a_contact_stays_until_the_report_that_carries_it_is_acknowledged() {
    let mut outbox = outbox();
    outbox.record(contact(1));
    assert_eq!(next(&mut outbox, STATE).expect("none on its way").contacts, [contact(1)]);
    outbox.record(contact(2));
    assert_eq!(next(&mut outbox, STATE), None, "one is on its way");
    assert_eq!(outbox.pending(), 2);
    assert_eq!(outbox.acknowledged(0), Some(Settled { contacts: 1, last: false }));
    assert_eq!(outbox.acknowledged(0), None, "once");
    let report = next(&mut outbox, STATE).expect("the first has arrived");
    assert_eq!((report.contacts, report.seq), (vec![contact(2)], Some(1)));
    assert_eq!(report.totals.expect("told").contacts, 2);
}

#[test]
fn a_report_in_doubt_is_repeated_as_it_was() {
    let mut outbox = outbox();
    outbox.record(contact(1));
    let first = next(&mut outbox, STATE);
    outbox.record(contact(2));
    outbox.in_doubt(0);
    assert_eq!(next(&mut outbox, DeviceState { infected: true, ..STATE }), first);
    outbox.acknowledged(0);
    assert_eq!(next(&mut outbox, STATE).expect("free").contacts, [contact(2)]);
}

#[test]
fn a_report_that_was_never_sent_leaves_no_gap() {
    let mut outbox = outbox();
    let (seq, _) = outbox.report(STATE, 0).expect("the first");
    outbox.not_sent(seq);
    outbox.record(contact(1));
    let report = next(&mut outbox, DeviceState { infected: true, ..STATE }).expect("made anew");
    assert_eq!((report.seq, report.infected, report.contacts.len()), (Some(0), true, 1));
}

#[test]
fn a_report_in_doubt_that_finds_the_queue_full_stays_the_same_report() {
    let mut outbox = outbox();
    let first = next(&mut outbox, STATE);
    outbox.in_doubt(0);
    let (seq, _) = outbox.report(STATE, 0).expect("to be repeated");
    outbox.not_sent(seq);
    outbox.record(contact(1));
    assert_eq!(next(&mut outbox, STATE), first);
}

#[test]
fn a_refused_report_loses_no_contact() {
    let mut outbox = outbox();
    outbox.record(contact(1));
    next(&mut outbox, STATE);
    outbox.refused(0);
    let report = next(&mut outbox, STATE).expect("another");
    assert_eq!((report.seq, report.contacts), (Some(1), vec![contact(1)]));
}

#[test]
fn after_an_outage_all_contacts_follow_split_so_that_each_report_fits() {
    [Encoding::Json, Encoding::Paper].into_iter().for_each(all_contacts_follow_split);
}

fn all_contacts_follow_split(encoding: Encoding) {
    let mut outbox = outbox().with_encoding(encoding);
    let longest = |number: i64| Contact {
        uuid: Uuid::max(),
        timestamp_us: 16_725_225_599_999_999 - number,
        distance: Some(1_414_213.562_373_095_1),
    };
    outbox.infected(Uuid::max());
    for number in 0..4_000 {
        outbox.record(longest(number));
    }
    let mut told = Vec::new();
    let dead = DeviceState { alive: false, position: Position { x: 1_000_000, y: 1_000_000 }, ..STATE };
    let mut lasts = Vec::new();
    while lasts.last() != Some(&true) {
        let (seq, bytes) = outbox.report(dead, i64::MAX / 1_000).expect("free");
        assert!(bytes.len() < REPORT_BYTES_SENT_MAX - 64, "{} bytes", bytes.len());
        let report = Report::decode(bytes).expect("our own");
        assert_eq!(report.infected_by.is_some(), told.is_empty());
        told.extend(report.contacts);
        outbox.sent(seq);
        let settled = outbox.acknowledged(seq).expect("in flight");
        assert_eq!(settled.last, !report.alive);
        lasts.push(settled.last);
    }
    assert_eq!(lasts, [false, false, true]);
    assert_eq!(told, (0..4_000).map(longest).collect::<Vec<_>>());
}

#[test]
fn a_full_outbox_drops_the_oldest_that_is_not_on_its_way_and_counts() {
    let mut outbox = Outbox::new(Uuid::from_u128(1), None, 5, 0);
    let full = i64::try_from(CONTACTS_A_REPORT_MAX).expect("small");
    outbox.record(contact(0));
    next(&mut outbox, STATE);
    for number in 1..=full + 5 {
        outbox.record(contact(number));
    }
    assert_eq!((outbox.dropped(), outbox.pending()), (5, CONTACTS_A_REPORT_MAX + 1));
    outbox.acknowledged(0);
    assert_eq!(next(&mut outbox, STATE).expect("free").contacts[0], contact(6));
}
