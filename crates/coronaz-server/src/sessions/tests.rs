use std::os::unix::fs::PermissionsExt;

use super::*;

const NOW_S: i64 = 1_900_000_000;

fn token(text: &str) -> Token {
    text.parse().expect("a token")
}

fn open(file: Option<&Path>) -> Sessions {
    Sessions::open(&token("0123456789abcdef"), file.map(Path::to_owned), NOW_S)
}

#[test]
fn a_session_is_valid_until_it_is_ended_or_too_old() {
    let sessions = open(None);
    let (one, other) = (sessions.begin(NOW_S).expect("a name"), sessions.begin(NOW_S).expect("a name"));
    assert!(one != other && one.len() == 64);
    assert!(sessions.is_live(&one, NOW_S) && sessions.is_live(&one, NOW_S + AGE_S - 1));
    assert!(!sessions.is_live(&one, NOW_S + AGE_S), "too old");
    assert!(sessions.is_live(&one, NOW_S - SET_BACK_S_MAX), "a clock that is set back signs nobody out");
    assert!(!sessions.is_live(&one, NOW_S - SET_BACK_S_MAX - 1), "nor does it make a session much longer");
    sessions.end(&one);
    assert!(!sessions.is_live(&one, NOW_S), "signed out");
    assert!(sessions.is_live(&other, NOW_S), "another browser stays signed in");
    for made_up in ["", "0123456789abcdef", &one[1..]] {
        assert!(!sessions.is_live(made_up, NOW_S), "{made_up:?}");
    }
}

#[test]
fn sessions_outlive_the_process_in_a_file_that_its_owner_alone_can_read_and_logout_outlives_it_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions");
    let sessions = open(Some(&file));
    let (kept, ended) = (sessions.begin(NOW_S).expect("a name"), sessions.begin(NOW_S).expect("a name"));
    sessions.end(&ended);
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&file).expect("text");
    assert!(!text.contains(&kept) && text.lines().count() == 1, "{text}");
    let after_a_restart = open(Some(&file));
    assert!(after_a_restart.is_live(&kept, NOW_S) && !after_a_restart.is_live(&ended, NOW_S));
    let other_token = Sessions::open(&token("another-token-0123"), Some(file), NOW_S);
    assert!(!other_token.is_live(&kept, NOW_S), "a new token signs everybody out");
}

#[test]
fn of_a_damaged_file_what_is_whole_is_used_and_no_damage_signs_anybody_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sessions");
    let sessions = open(Some(&file));
    let name = sessions.begin(NOW_S).expect("a name");
    let whole = fs::read(&file).expect("a file");
    for cut in 0..whole.len() - 1 {
        fs::write(&file, &whole[..cut]).expect("a file");
        // Cut within the time, it has ended long ago.
        assert!(!open(Some(&file)).is_live(&name, NOW_S), "cut at {cut}");
    }
    let damaged = [b"\xff\xfe junk\n".as_slice(), &[0; 4096], b"\nab 1\n", &whole].concat();
    fs::write(&file, damaged).expect("a file");
    assert!(open(Some(&file)).is_live(&name, NOW_S));
    fs::write(&file, vec![b'x'; 1 << 20]).expect("a file");
    assert!(!open(Some(&file)).is_live(&name, NOW_S));
    fs::remove_file(&file).expect("gone");
    fs::create_dir(&file).expect("a folder in its place");
    let unkept = open(Some(&file));
    let name = unkept.begin(NOW_S).expect("a name");
    assert!(unkept.is_live(&name, NOW_S), "without a file it lives with the process");
}

#[test]
fn of_too_many_sessions_those_that_end_first_are_signed_out() {
    let sessions = open(None);
    let first = sessions.begin(NOW_S).expect("a name");
    let names: Vec<_> = (1..=256).map(|later| sessions.begin(NOW_S + later).expect("a name")).collect();
    assert!(!sessions.is_live(&first, NOW_S + 256));
    assert!(names.iter().all(|name| sessions.is_live(name, NOW_S + 256)));
    assert_eq!(sessions.live().len(), SESSIONS_MAX);
}
