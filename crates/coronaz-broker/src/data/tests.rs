//! A data folder that is damaged, incomplete, or full of topics.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::log::Found;
use crate::log::batch::tests::batch;
use crate::log::batch::{BATCH_BYTES_MAX, Batch};
use crate::log::codec::Opener;

const OPEN_MAX: usize = 3;

fn options(folder: &Path) -> Options {
    let data = folder.to_str().expect("a plain name");
    Options::try_parse_from(["coronaz-broker", "--data", data, "--topic", "t"]).expect("options")
}

fn open(folder: &Path) -> Data {
    Data::open(&options(folder), OPEN_MAX).expect("opened")
}

fn produce(data: &Data, topic: &str, partition: i32) -> i64 {
    let bytes = batch(&[b"a payload of some length"], None);
    let checked = Batch::check(&bytes, BATCH_BYTES_MAX, &Opener::default()).expect("a batch");
    let topic = data.topic(topic).expect("there");
    topic.partition(partition).expect("there").append(&checked, 1 << 20).expect("appended")
}

/// The batches that a reader gets of a partition.
fn batches(data: &Data, topic: &str, partition: i32) -> usize {
    let topic = data.topic(topic).expect("there");
    let partition = topic.partition(partition).expect("there");
    let (mut offset, mut count) = (0, 0);
    loop {
        let read = partition.read(offset, 0);
        match read.found.expect("readable") {
            None => return count,
            Some(Found::Lost { until }) => offset = until,
            Some(Found::Batches(_)) => (offset, count) = (offset + 1, count + 1),
        }
    }
}

/// All files and folders below, with what they are.
fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("there").path();
        if path.is_dir() {
            below(&path, found);
        }
        found.push(path);
    }
}

fn set_aside(folder: &Path) -> usize {
    let mut found = Vec::new();
    below(folder, &mut found);
    let is_aside = |path: &&PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".damaged-"))
    };
    found.iter().filter(is_aside).count()
}

#[test]
fn a_missing_partition_starts_empty_and_the_others_keep_what_they_had() {
    for missing in 0..4 {
        let folder = tempfile::tempdir().expect("a folder");
        let data = open(folder.path());
        let id = data.topic("t").expect("there").id;
        for partition in 0..4 {
            assert_eq!(produce(&data, "t", partition), 0);
        }
        drop(data);
        fs::remove_dir_all(folder.path().join("topics/t").join(missing.to_string())).expect("removed");
        let data = open(folder.path());
        let topic = data.topic("t").expect("there");
        assert_eq!((topic.partitions.len(), topic.id), (4, id));
        for partition in 0..4 {
            assert_eq!(batches(&data, "t", partition), usize::from(partition != missing));
            produce(&data, "t", partition);
        }
    }
}

#[test]
fn whatever_is_damaged_the_broker_starts_and_what_is_whole_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = open(folder.path());
    for partition in 0..4 {
        produce(&data, "t", partition);
    }
    drop(data);
    let mut files = Vec::new();
    below(folder.path(), &mut files);
    assert!(files.len() > 10);
    for file in files {
        for damage in ["cut", "emptied", "garbage", "a bit", "missing", "another kind"] {
            let copy = tempfile::tempdir().expect("a folder");
            let data = copy.path().join("data");
            let copied = std::process::Command::new("cp").arg("-r").arg(folder.path()).arg(&data).status();
            assert!(copied.expect("copied").success());
            let path = data.join(file.strip_prefix(folder.path()).expect("below"));
            inflict(damage, &path);
            let what = format!("{} {damage}", path.display());
            let opened =
                Data::open(&options(&data), OPEN_MAX).unwrap_or_else(|error| panic!("{what}: {error}"));
            let topic = opened.topic("t").expect("there");
            assert_eq!(topic.partitions.len(), 4, "{what}");
            let whole: usize = (0..4).map(|partition| batches(&opened, "t", partition)).sum();
            let is_above =
                path.is_dir() || path.file_name().is_some_and(|name| name == "t" || name == "topics");
            if !is_above && path.extension().is_none_or(|ending| ending != "log") {
                assert!(whole == 4 || damage == "missing" || damage == "another kind", "{what}: {whole}");
            } else {
                assert!(whole >= 3 || path.ends_with("t") || path.ends_with("topics"), "{what}: {whole}");
            }
            for partition in 0..4 {
                produce(&opened, "t", partition);
            }
        }
    }
}

fn inflict(damage: &str, path: &Path) {
    let was_folder = path.is_dir();
    if matches!(damage, "missing" | "another kind") {
        if was_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
        if damage == "another kind" {
            if was_folder { fs::write(path, "a file") } else { fs::create_dir(path) }.expect("made");
        }
    } else if !was_folder {
        let mut bytes = fs::read(path).expect("read");
        match damage {
            "cut" => bytes.truncate(bytes.len() / 2),
            "emptied" => bytes.clear(),
            "garbage" => bytes = b"\xff no such thing ".repeat(20),
            _ => {
                if let Some(byte) = bytes.get_mut(70) {
                    *byte ^= 1;
                }
            }
        }
        fs::write(path, bytes).expect("written");
    }
}

#[test]
fn damaged_settings_are_set_aside_and_the_topic_has_the_defaults() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = open(folder.path());
    data.make("other", 3, &Settings { segment_bytes: 1 << 20, ..Settings::default() }).expect("made");
    produce(&data, "other", 2);
    drop(data);
    let settings = folder.path().join("topics/other/settings");
    let text = fs::read_to_string(&settings).expect("read");
    assert!(text.contains("partitions=3") && text.contains("id="), "{text}");
    fs::write(&settings, text.replace("1048576", "1148576")).expect("damaged");
    let data = open(folder.path());
    let topic = data.topic("other").expect("there");
    assert_eq!((topic.partitions.len(), topic.settings()), (3, Settings::default()));
    assert_eq!((batches(&data, "other", 2), set_aside(folder.path())), (1, 1));
}

#[test]
fn hundreds_of_topics_need_few_open_files_and_keep_nobody_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = open(folder.path());
    for number in 0..TOPICS_MAX - 1 {
        data.make(&format!("stranger-{number}"), 4, &Settings::default()).expect("made");
    }
    assert!(matches!(data.make("more", 1, &Settings::default()), Err(TopicError::TooMany)));
    drop(data);
    fs::rename(folder.path().join("topics/t"), folder.path().join("topics/one-more")).expect("renamed");
    let data = open(folder.path());
    assert!(data.topic("t").is_some(), "the laboratory's own topic is made whatever others did");
    for number in 0..TOPICS_MAX - 1 {
        assert_eq!(produce(&data, &format!("stranger-{number}"), 3), 0);
        assert!(data.files.count() <= OPEN_MAX);
    }
    assert_eq!(batches(&data, "stranger-7", 3), 1);
}

#[test]
fn the_partitions_of_all_topics_together_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = open(folder.path());
    let made = (0..TOPICS_MAX).take_while(|number| {
        data.make(&format!("stranger-{number}"), PARTITIONS_MAX, &Settings::default()).is_ok()
    });
    assert_eq!(made.count(), (PARTITIONS_ALL_MAX - 4) / PARTITIONS_MAX as usize);
}

#[test]
fn a_topic_keeps_its_id_and_one_made_again_has_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = open(folder.path());
    let id = data.topic("t").expect("there").id;
    assert_eq!((id[6] >> 4, id[8] >> 6), (4, 2), "a random UUID");
    produce(&data, "t", 0);
    drop(data);
    let data = open(folder.path());
    assert_eq!(data.topic("t").expect("there").id, id);
    let held = data.topic("t").expect("there");
    data.delete("t").expect("deleted");
    data.make("t", 4, &Settings::default()).expect("made");
    assert_ne!(data.topic("t").expect("there").id, id);
    let bytes = batch(&[b"late"], None);
    let checked = Batch::check(&bytes, BATCH_BYTES_MAX, &Opener::default()).expect("a batch");
    let partition = held.partition(0).expect("there");
    assert!(partition.append(&checked, 1 << 20).is_err());
    assert!(partition.read(0, 100).found.is_err());
    assert_eq!(batches(&data, "t", 0), 0, "who held the former one writes nothing into this one");
}

#[test]
fn everything_in_the_folder_belongs_to_this_user_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = open(&folder.path().join("data"));
    produce(&data, "t", 0);
    let topic = data.topic("t").expect("there");
    let partition = topic.partition(0).expect("there");
    // A second file, and a seal.
    partition.with(|log| log.doubt(0)).expect("rolled");
    for (segment, seal) in partition.with(|log| log.unsealed()) {
        seal.write(&segment).expect("sealed");
    }
    let mut found = vec![folder.path().join("data")];
    below(&folder.path().join("data"), &mut found);
    assert!(found.iter().any(|path| path.extension().is_some_and(|ending| ending == "seal")));
    for path in found {
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}
