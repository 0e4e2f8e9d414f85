//! I-6, a stranger's bytes do no harm: every decoder says no, and says what is wrong.

use coronaz_wire::{Announcement, Beacon, DecodeError, Report, Scenario, control, page_frame, timestamp};
use proptest::prelude::*;

const GOOD: &str = r#"{"uuid":"ff0a1bda-34b9-11eb-b339-0242ac160009","position":[1,5],"infected":false,"timestamp":"2020-12-02 16:19:05.123456","alive":true}"#;

fn problem_of(bytes: &[u8]) -> String {
    Beacon::decode(bytes).expect_err("no beacon").to_string()
}

#[test]
fn missing_extra_wrongly_typed_and_huge_members_are_told_apart() {
    assert!(
        problem_of(GOOD.replace(r#""alive":true"#, r#""alif":true"#).as_bytes())
            .contains("missing field `alive`")
    );
    assert!(
        Beacon::decode(GOOD.replace('}', r#","battery":0.7}"#).as_bytes()).is_ok(),
        "extra members are allowed"
    );
    assert!(problem_of(GOOD.replace("[1,5]", r#""here""#).as_bytes()).contains("invalid type"));
    assert!(problem_of(GOOD.replace("[1,5]", "[1,5,9]").as_bytes()).contains("trailing characters"));
    assert!(problem_of(GOOD.replace("[1,5]", "[1.5,5]").as_bytes()).contains("invalid type"));
    assert!(problem_of(GOOD.replace("[1,5]", "[1,-5]").as_bytes()).contains("position: must be from 0"));
    assert!(problem_of(GOOD.replace("[1,5]", "[1,99999999999]").as_bytes()).contains("invalid value"));
    assert!(
        problem_of(GOOD.replace("2020-12-02", "yesterday").as_bytes()).contains("timestamp must be like")
    );
    let huge = GOOD.replace('}', &format!(r#","note":"{}"}}"#, "x".repeat(900)));
    assert!(problem_of(huge.as_bytes()).contains("the limit is 1024"));
    assert!(problem_of(b"stop").contains("not the expected JSON"));
    assert!(problem_of(b"").contains("not the expected JSON"));
    assert!(problem_of(GOOD.replace('}', r#","alive":false}"#).as_bytes()).contains("duplicate field"));
}

#[test]
fn deep_and_twice_wrapped_json_is_refused_without_harm() {
    let deep = "[".repeat(100_000);
    assert!(Report::decode(deep.as_bytes()).is_err());
    let thrice = serde_json::to_string(&serde_json::to_string(GOOD).expect("JSON")).expect("JSON");
    assert!(Report::decode(thrice.as_bytes()).is_err());
}

#[test]
fn a_report_of_too_many_contacts_or_bytes_is_refused() {
    let contact = r#"{"uuid":"563eafe6-36de-11eb-b339-0242ac16000a","timestamp":"2020-12-05 09:43:09"}"#;
    let contacts = vec![contact; 10_001].join(",");
    let report = GOOD.replace('}', &format!(r#","contacts":[{contacts}]}}"#));
    assert!(matches!(Report::decode(report.as_bytes()), Err(DecodeError::Value { member: "contacts", .. })));
    assert!(matches!(Report::decode(&vec![b' '; 1_048_577]), Err(DecodeError::TooLong { .. })));
    let nan =
        GOOD.replace('}', &format!(r#","contacts":[{}]}}"#, contact.replace('}', r#","distance":-1.0}"#)));
    assert!(matches!(Report::decode(nan.as_bytes()), Err(DecodeError::Value { member: "distance", .. })));
}

#[test]
fn a_report_beyond_the_range_of_times_and_numbers_is_refused() {
    let with = |member: &str| Report::decode(GOOD.replace('}', &format!(",{member}}}")).as_bytes());
    for absurd in [
        r#""start":-1"#,
        r#""start":9223372036854775807"#,
        r#""seq":9007199254740992"#,
        r#""tick":4294967295"#,
        r#""contacts":[{"uuid":"563eafe6-36de-11eb-b339-0242ac16000a","timestamp":"2500-01-01 00:00:00"}]"#,
    ] {
        assert!(with(absurd).is_err(), "{absurd}");
    }
    assert!(with(r#""start":1606925945123456,"seq":9007199254740991,"tick":4294967294"#).is_ok());
    assert!(Report::decode(GOOD.replace("2020-12-02", "9999-12-02").as_bytes()).is_err());
    assert!(Beacon::decode(GOOD.replace("2020-12-02", "1969-12-02").as_bytes()).is_err());
}

#[test]
fn a_device_that_hears_itself_is_refused() {
    let contact = r#"{"uuid":"ff0a1bda-34b9-11eb-b339-0242ac160009","timestamp":"2020-12-05 09:43:09"}"#;
    let report = GOOD.replace('}', &format!(r#","contacts":[{contact}]}}"#));
    assert!(matches!(Report::decode(report.as_bytes()), Err(DecodeError::Value { member: "contacts", .. })));
}

#[test]
fn an_announcement_beyond_what_a_run_can_be_is_refused() {
    let good = r#"{"run":"ff0a1bda-34b9-11eb-b339-0242ac160009","name":"town","kind":"nodes","seed":7,"started_us":1606925945123456,"parameters":{"field_width":40}}"#;
    assert!(Announcement::decode(good.as_bytes()).is_ok());
    let fork = |tick: &str| {
        let parent = format!(
            r#","forked_from":{{"run":"ff0a1bda-34b9-11eb-b339-0242ac160009","tick":{tick},"seed":1,"parameters":{{}}}}}}"#
        );
        good.strip_suffix('}').expect("an object").to_owned() + &parent
    };
    assert!(Announcement::decode(fork("600").as_bytes()).is_ok());
    for absurd in [
        good.replace("1606925945123456", "9223372036854775807"),
        good.replace("1606925945123456", "-1"),
        good.replace("town", ""),
        good.replace("town", "\\u001b[31mred"),
        good.replace("town", "abc\\u202edef"),
        good.replace("town", &"x".repeat(81)),
        good.replace("field_width", "two\\nlines"),
        good.replace(":40", r#":"\u001b[2J""#),
        fork("4294967295"),
    ] {
        let error = Announcement::decode(absurd.as_bytes()).expect_err(&absurd);
        assert!(matches!(error, DecodeError::Value { .. }), "{error}");
    }
}

#[test]
fn a_page_frame_that_claims_more_people_than_it_has_is_refused() {
    let mut bytes = page_frame::encode(&page_frame::Header::default(), &[]);
    bytes[24..28].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(page_frame::decode(&bytes), Err(page_frame::FrameError::WrongLength { .. })));
    assert_eq!(page_frame::decode(&bytes[..63]), Err(page_frame::FrameError::NotAFrame));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1_200)) {
        let _ = Beacon::decode(&bytes);
        let _ = Report::decode(&bytes);
        let _ = Announcement::decode(&bytes);
        let _ = control::Request::decode(&bytes);
        let _ = control::Answer::decode(&bytes);
        let _ = page_frame::decode(&bytes);
        let _ = Scenario::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_good_beacon_with_any_byte_changed_is_read_or_refused(at in 0..GOOD.len(), byte: u8) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = Beacon::decode(&bytes);
        let _ = Report::decode(&bytes);
    }

    #[test]
    fn a_beacon_is_read_as_it_was_written(
        uuid: u128, x in 0..=1_000_000, y in 0..=1_000_000, infected: bool, alive: bool,
        timestamp_us in timestamp::TIME_US_MIN..timestamp::TIME_US_END, run: Option<u128>, tick: Option<u64>,
    ) {
        let (uuid, run) = (uuid::Uuid::from_u128(uuid), run.map(uuid::Uuid::from_u128));
        let beacon = Beacon { uuid, position: [x, y], infected, timestamp_us, alive, run, tick };
        prop_assert_eq!(Beacon::decode(&beacon.encode()).expect("its own bytes"), beacon);
    }
}
