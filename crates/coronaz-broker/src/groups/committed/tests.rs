use super::offsets::KEPT_MS;
use super::*;

const DAY_MS: i64 = 24 * 3600 * 1000;

fn at(now: Ms) -> Time {
    Time { now, unix_ms: 1_700_000_000_000 + signed(now) }
}

fn commit(topic: &str, partition: i32, offset: i64) -> Commit<'_> {
    Commit { topic, partition, offset, epoch: 4, metadata: "note" }
}

fn offset(committed: &Committed, group: &str, topic: &str, partition: i32) -> Option<i64> {
    committed.of_group(group)?.get(topic, partition).map(|offset| offset.offset)
}

#[test]
fn what_was_committed_last_counts_also_after_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut committed = Committed::open(folder.path(), at(0)).expect("opened");
    for round in 0..3 {
        let commits = vec![commit("t", 0, 10 + round), commit("t", 1, 20 + round), commit("u", 0, round)];
        committed.commit(at(0), "a", commits).expect("committed");
    }
    committed.commit(at(0), "b", vec![commit("t", 0, 99)]).expect("committed");
    committed.forget(at(0), "a", "t", 1).expect("forgotten");
    committed.forget_topic(at(0), "u");
    drop(committed);
    let mut committed = Committed::open(folder.path(), at(0)).expect("opened");
    assert_eq!(offset(&committed, "a", "t", 0), Some(12));
    assert_eq!(offset(&committed, "a", "t", 1), None);
    assert_eq!(offset(&committed, "a", "u", 0), None);
    assert_eq!(offset(&committed, "b", "t", 0), Some(99));
    let kept = committed.of_group("a").and_then(|of_group| of_group.get("t", 0)).expect("kept");
    assert_eq!((kept.epoch, &*kept.metadata), (4, "note"));
    committed.forget_group(at(0), "b").expect("forgotten");
    drop(committed);
    let committed = Committed::open(folder.path(), at(0)).expect("opened");
    assert_eq!(committed.groups().collect::<Vec<_>>(), ["a"]);
    assert_eq!((committed.offsets.count, committed.offsets.metadata_bytes), (1, 4));
}

#[test]
fn what_nobody_uses_for_a_week_expires_and_what_has_members_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut committed = Committed::open(folder.path(), at(0)).expect("opened");
    for group in ["idle", "used"] {
        committed.commit(at(0), group, vec![commit("t", 0, 1)]).expect("committed");
    }
    committed.expire(at(KEPT_MS), |group| group == "used");
    assert_eq!(committed.groups().count(), 2);
    committed.expire(at(KEPT_MS + 1), |group| group == "used");
    assert_eq!(committed.groups().collect::<Vec<_>>(), ["used"]);
    // Its members left, and the broker starts again: the week begins where it was last used.
    drop(committed);
    let restarted = |days: i64| Time { now: 0, unix_ms: at(KEPT_MS).unix_ms + days * DAY_MS };
    let mut committed = Committed::open(folder.path(), restarted(3)).expect("opened");
    committed.expire(Time { now: KEPT_MS / 2, ..restarted(6) }, |_| false);
    assert_eq!(committed.groups().count(), 1);
    committed.expire(Time { now: KEPT_MS - 2 * 24 * 3600 * 1000, ..restarted(8) }, |_| false);
    assert_eq!(committed.groups().count(), 0);
}

#[test]
fn a_clock_that_is_a_year_ahead_at_a_start_expires_nothing_before_clients_are_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut committed = Committed::open(folder.path(), at(0)).expect("opened");
    committed.commit(at(0), "a", vec![commit("t", 0, 1)]).expect("committed");
    drop(committed);
    for years in [1, -1, i64::MAX / DAY_MS / 365, i64::MIN / DAY_MS / 365] {
        let wrong = |now| Time { now, unix_ms: (years * 365).saturating_mul(DAY_MS) };
        let mut committed = Committed::open(folder.path(), wrong(0)).expect("opened");
        committed.expire(wrong(3_500_000), |_| false);
        assert_eq!(committed.groups().count(), 1, "{years} years");
    }
}

#[test]
fn offsets_groups_and_texts_are_bounded_and_refused_with_a_reason_that_ends_the_client() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut committed = Committed::open(folder.path(), at(0)).expect("opened");
    for group in 0..GROUPS_MAX {
        committed.commit(at(0), &format!("g{group}"), vec![commit("t", 0, 1)]).expect("room");
    }
    let refused = |committed: &mut Committed, group: &str, commits: Vec<Commit<'_>>| {
        assert_eq!(committed.commit(at(0), group, commits), Err(ErrorCode::InvalidCommitOffsetSize));
    };
    refused(&mut committed, "one more", vec![commit("t", 0, 1)]);
    let many: Vec<_> = (0..9_000).map(|partition| commit("t", partition, 1)).collect();
    for group in 0..7 {
        committed.commit(at(0), &format!("g{group}"), many.clone()).expect("room");
    }
    refused(&mut committed, "g7", many);
    let long = "x".repeat(METADATA_BYTES_MAX);
    let texts = |from: i32| -> Vec<Commit<'_>> {
        (from..from + 100).map(|partition| Commit { metadata: &long, ..commit("t", partition, 1) }).collect()
    };
    let fitting = (0..30).take_while(|k| committed.commit(at(0), "g0", texts(k * 100)).is_ok()).count();
    assert!((18..=21).contains(&fitting), "8 MiB of texts: {fitting}");
    assert_eq!(
        committed.commit(at(0), "g1", vec![commit("t", 0, 2)]),
        Ok(()),
        "what is small still is taken"
    );
}

#[test]
fn a_file_does_not_grow_with_what_is_committed_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut committed = Committed::open(folder.path(), at(0)).expect("opened");
    let text = "x".repeat(2000);
    for offset in 0..3000 {
        let commits = vec![Commit { metadata: &text, ..commit("t", 0, offset) }];
        committed.commit(at(0), "a", commits).expect("committed");
    }
    let bytes = std::fs::metadata(folder.path().join("offsets")).expect("there").len();
    assert!(bytes < 2 << 20, "{bytes}");
    drop(committed);
    let committed = Committed::open(folder.path(), at(0)).expect("opened");
    assert_eq!(offset(&committed, "a", "t", 0), Some(2999));
}
