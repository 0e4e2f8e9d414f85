//! The golden bytes of `docs/protocol.md`: what is promised today must be read and written tomorrow.

use coronaz_wire::{
    Announcement, Beacon, Report, Setting,
    page_frame::{self, Drawn, Figures, Header},
    seal::RadioKey,
};
use uuid::{Uuid, uuid};

const BEACON: &[u8] = include_bytes!("golden/beacon.json");
const BEACON_OF_A_RUN: &[u8] = include_bytes!("golden/beacon-of-a-run.json");
const REPORT: &[u8] = include_bytes!("golden/report.json");
const REPORT_ENCODED_TWICE: &[u8] = include_bytes!("golden/report-encoded-twice.json");
const REPORT_OF_A_RUN: &[u8] = include_bytes!("golden/report-of-a-run.json");
const ANNOUNCEMENT: &[u8] = include_bytes!("golden/announcement.json");
const RUN: Uuid = uuid!("7c9f3f9e-0d3b-4f7e-9a55-0f4b8f6f2a10");

#[test]
fn the_papers_beacon_is_read_and_written_byte_for_byte() {
    let beacon = Beacon::decode(BEACON).expect("the paper's beacon");
    assert_eq!(beacon.uuid, uuid!("ff0a1bda-34b9-11eb-b339-0242ac160009"));
    assert_eq!((beacon.position, beacon.infected, beacon.alive), ([1, 5], false, true));
    assert_eq!((beacon.timestamp_us, beacon.run), (1_606_925_945_123_456, None));
    assert_eq!(beacon.encode(), BEACON);
}

#[test]
fn a_beacon_of_a_run_names_it() {
    let beacon = Beacon::decode(BEACON_OF_A_RUN).expect("a beacon");
    assert_eq!(beacon.run, Some(RUN));
    assert_eq!(beacon.encode(), BEACON_OF_A_RUN);
}

#[test]
fn a_sealed_beacon_has_the_documented_bytes() {
    let key = RadioKey::new(b"an example of a radio key").expect("long enough");
    let sealed = key.seal(&Beacon::decode(BEACON).expect("a beacon"), 1_606_925_945_123_456);
    let expected = concat!(
        r#"{"uuid":"ff0a1bda-34b9-11eb-b339-0242ac160009","position":[1,5],"infected":false,"#,
        r#""timestamp":"2020-12-02 16:19:05.123456","alive":true,"counter":1606925945123456,"#,
        r#""mac":"7e01be1724c98c3657acff328deb0fc93a14f4d9bd9490a2eb47812ff8a9dcd5"}"#
    );
    assert_eq!(String::from_utf8(sealed).expect("text"), expected);
}

#[test]
fn both_forms_of_the_papers_report_say_the_same() {
    let report = Report::decode(REPORT).expect("the paper's report");
    assert_eq!(report.position, [72, 33]);
    let heard: Vec<_> = report.contacts.iter().map(|c| c.timestamp_us % 1_000_000).collect();
    assert_eq!(heard, [500_000, 700_000]);
    assert_eq!(Report::decode(REPORT_ENCODED_TWICE).expect("the original's form"), report);
    assert_eq!(report.encode(), REPORT);
}

#[test]
fn a_report_of_a_run_carries_its_identity_and_totals() {
    let report = Report::decode(REPORT_OF_A_RUN).expect("a report");
    assert_eq!((report.run, report.start_us, report.seq), (Some(RUN), Some(1_607_161_380_000_000), Some(9)));
    assert_eq!(report.totals.map(|t| (t.contacts, t.digest)), Some((31, 12_345_678_901_234_567_890)));
    assert_eq!(report.encode(), REPORT_OF_A_RUN);
}

#[test]
fn an_announcement_is_read_as_it_was_written() {
    let announcement = Announcement::decode(ANNOUNCEMENT).expect("an announcement");
    assert_eq!(announcement.parameters["infection_radius"], Setting::Real(2.0));
    assert_eq!(announcement.parameters["move_when_infected"], Setting::Switch(false));
    assert_eq!(announcement.encode(), ANNOUNCEMENT);
}

#[test]
fn an_announcement_of_a_fork_says_what_it_left_and_when() {
    let plain = Announcement::decode(ANNOUNCEMENT).expect("an announcement");
    assert_eq!((plain.forked_from.clone(), plain.guests_of), (None, None));
    let text = String::from_utf8(ANNOUNCEMENT.to_vec()).expect("JSON is text");
    let left = r#""forked_from":{"run":"00000000-0000-0000-0000-000000000005","tick":600,"seed":7,"parameters":{"field_width":100}}"#;
    let fork = format!("{},{left}}}", text.trim_end().trim_end_matches('}'));
    let fork = Announcement::decode(fork.as_bytes()).expect("an announcement");
    let forked_from = fork.forked_from.clone().expect("a fork");
    assert_eq!((forked_from.run.as_u128(), forked_from.tick, forked_from.seed), (5, 600, 7));
    assert_eq!(Announcement::decode(&fork.encode()).expect("its own bytes"), fork);
}

#[test]
fn a_page_frame_of_three_people_has_the_documented_bytes() {
    let figures = Figures { total: 3, zombies: 1, deaths: 1, dead_zombies: 1, immune: 1 };
    let (moment, time_ms) = (258, 1_607_161_390_000);
    let header = Header { moment, time_ms, request: 0, epoch: 1, figures, seq: 7, latest: 300 };
    let person = |x, y, state| Drawn { xy: [page_frame::scale(x, 100), page_frame::scale(y, 100)], state };
    let people = [
        person(0, 100, page_frame::state(true, false, true)),
        person(50, 1, page_frame::state(false, true, true)),
        person(100, 0, page_frame::state(true, false, false)),
    ];
    let bytes = page_frame::encode(&header, &people);
    let hex: Vec<String> =
        bytes.chunks(16).map(|row| row.iter().map(|b| format!("{b:02x}")).collect()).collect();
    assert_eq!(hex, include_str!("golden/page-frame.hex").lines().collect::<Vec<_>>());
    assert_eq!(page_frame::decode(&bytes), Ok((header, people.to_vec())));
}
