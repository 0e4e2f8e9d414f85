use super::*;
use crate::groups::committed::Commit;

fn commit(group: &str, offset: i64) -> Entry<'_> {
    let commits = vec![Commit { topic: "t", partition: 3, offset, epoch: -1, metadata: "m" }];
    Entry::Commit { group, unix_ms: 1_700_000_000_000, commits }
}

/// What a file says, as text.
fn opened(folder: &Path) -> (Journal, Vec<String>) {
    let mut entries = Vec::new();
    let journal = Journal::open(folder, |entry| entries.push(format!("{entry:?}"))).expect("opened");
    (journal, entries)
}

fn texts(entries: &[Entry<'_>]) -> Vec<String> {
    entries.iter().map(|entry| format!("{entry:?}")).collect()
}

fn set_aside_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").file_name());
    names.filter_map(|name| name.into_string().ok()).filter(|name| name.contains("damaged")).collect()
}

#[test]
fn what_was_appended_is_there_after_a_start_for_the_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("groups");
    let entries = [
        commit("a", 1),
        Entry::Seen { group: "a", unix_ms: 5 },
        Entry::ForgetGroup { group: "a" },
        Entry::ForgetTopic { topic: "t" },
        Entry::ForgetOffset { group: "b", topic: "t", partition: 0 },
        Entry::Members { group: "b", saved: b"anything" },
        commit("a", 2),
    ];
    let (mut journal, found) = opened(&folder);
    assert!(found.is_empty());
    for entry in &entries {
        journal.append(entry).expect("appended");
    }
    for _ in 0..2 {
        assert_eq!(opened(&folder).1, texts(&entries));
    }
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
    fs::set_permissions(folder.join(FILE), Permissions::from_mode(0o644)).expect("set");
    opened(&folder);
    assert_eq!(mode(&folder.join(FILE)), 0o600);
}

#[test]
fn wherever_a_file_is_cut_or_damaged_what_is_whole_is_used_and_the_file_set_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let entries = [commit("a", 1), commit("b", 2), commit("c", 3)];
    let (mut journal, _) = opened(folder);
    for entry in &entries {
        journal.append(entry).expect("appended");
    }
    let path = folder.join(FILE);
    let whole = fs::read(&path).expect("a file");
    for at in 0..whole.len() {
        for cut in [true, false] {
            let mut damaged = whole.clone();
            if cut {
                damaged.truncate(at);
            } else {
                damaged[at] ^= 0x10;
            }
            fs::write(&path, &damaged).expect("written");
            let (mut journal, found) = opened(folder);
            let all = texts(&entries);
            assert!(found.iter().all(|entry| all.contains(entry)), "nothing is made up: {found:?}");
            let expected = if !cut {
                2
            } else if at < whole.len() {
                0
            } else {
                3
            };
            assert!(found.len() >= expected, "at {at}: {found:?}");
            // It is whole again, and goes on being written.
            journal.append(&commit("d", 4)).expect("appended");
            assert_eq!(opened(folder).1.len(), found.len() + 1, "at {at}");
            let aside = set_aside_in(folder);
            let is_between_entries =
                found.len() * ((whole.len() - FIRST_LINE.len()) / 3) + FIRST_LINE.len() == at;
            if cut && (at == 0 || is_between_entries) {
                assert!(aside.is_empty(), "at {at} nothing is damaged");
            } else {
                assert_eq!(aside, [format!("{FILE}.damaged-1")], "at {at}");
                let kept = folder.join(&aside[0]);
                assert_eq!(fs::read(&kept).expect("kept"), damaged);
                fs::remove_file(kept).expect("removed");
            }
        }
    }
}

#[test]
fn damaged_files_are_kept_up_to_a_number_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..SET_ASIDE_MAX + 5 {
        fs::write(folder.path().join(FILE), "nothing of the kind").expect("written");
        assert!(opened(folder.path()).1.is_empty());
    }
    assert_eq!(set_aside_in(folder.path()).len(), SET_ASIDE_MAX as usize);
}

#[test]
fn a_file_that_is_written_again_has_what_counts_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut journal, _) = opened(folder.path());
    let mut appended: i64 = 0;
    while !journal.is_compaction_due() {
        journal.append(&commit("a", appended)).expect("appended");
        appended += 1;
    }
    journal.rewrite([commit("a", appended)].into_iter()).expect("written");
    assert!(!journal.is_compaction_due());
    journal.append(&commit("b", 7)).expect("appended");
    assert_eq!(opened(folder.path()).1, texts(&[commit("a", appended), commit("b", 7)]));
    assert!(fs::metadata(folder.path().join(FILE)).expect("there").len() < 200);
}
