//! Consumer groups over the socket: what waits, what is kept, what is refused.

use super::*;

/// A `JoinGroup` in version 1, which is sent no id first.
fn join(member: &str, session_ms: i32) -> Vec<u8> {
    let mut to = Writer::default();
    to.string("g");
    to.i32(session_ms);
    to.i32(600_000);
    to.string(member);
    to.string("consumer");
    to.count(1);
    to.string("range");
    to.sized_bytes(b"m");
    to.bytes
}

/// Of its answer: the error, the generation and the member's id.
fn joined(answer: &[u8]) -> (i16, i32, String) {
    let generation = i32::from_be_bytes(*answer[2..].first_chunk().expect("four bytes"));
    let mut at = 6;
    let mut texts = Vec::new();
    for _ in 0..3 {
        let length = usize::try_from(number16(&answer[at..])).expect("a length");
        texts.push(String::from_utf8(answer[at + 2..at + 2 + length].to_vec()).expect("a text"));
        at += 2 + length;
    }
    (number16(answer), generation, texts.remove(2))
}

fn sync(generation: i32, member: &str) -> Vec<u8> {
    let mut to = Writer::default();
    to.string("g");
    to.i32(generation);
    to.string(member);
    to.count(1);
    to.string(member);
    to.sized_bytes(b"all");
    to.bytes
}

fn heartbeat(generation: i32, member: &str) -> Vec<u8> {
    let mut to = Writer::default();
    to.string("g");
    to.i32(generation);
    to.string(member);
    to.bytes
}

/// An `OffsetCommit` in version 2 of one partition.
fn commit(group: &str, generation: i32, member: &str, partition: i32, offset: i64) -> Vec<u8> {
    let mut to = Writer::default();
    to.string(group);
    to.i32(generation);
    to.string(member);
    to.i64(-1);
    to.count(1);
    to.string("t");
    to.count(1);
    to.i32(partition);
    to.i64(offset);
    to.nullable_string(Some("note"));
    to.bytes
}

/// The error of its answer.
fn committed(answer: &[u8]) -> i16 {
    number16(&answer[4 + 3 + 4 + 4..])
}

/// What a group committed of partition 0, by an `OffsetFetch` in version 1.
fn offset(client: &mut Client, group: &str) -> i64 {
    let mut to = Writer::default();
    to.string(group);
    to.count(1);
    to.string("t");
    to.count(1);
    to.i32(0);
    number64(&client.ask(9, 1, &to.bytes)[4 + 3 + 4 + 4..])
}

const SESSION_MS: i32 = 6_000;

/// A client that is the only member of a group.
fn member(running: &Running) -> (Client, i32, String) {
    let mut client = running.connect();
    let (error, generation, member) = joined(&client.ask(11, 1, &join("", SESSION_MS)));
    assert_eq!(error, 0);
    assert_eq!(client.ask(14, 0, &sync(generation, &member)), b"\0\0\0\0\0\x03all");
    (client, generation, member)
}

#[test]
fn a_join_that_waits_holds_up_nobody_and_ends_with_its_connection() {
    let running = Running::start(&[]);
    let (mut first, generation, id) = member(&running);
    let mut waits = running.connect();
    waits.send(11, 1, &join("", SESSION_MS));
    let rebalance = number16(b"\0\x1b");
    let until = Instant::now() + PATIENCE;
    while number16(&first.ask(12, 0, &heartbeat(generation, &id))) != rebalance {
        assert!(Instant::now() < until, "the second never joined");
    }
    assert_eq!(running.connect().produce(0, &batch(&[b"x"], None)), (0, 0), "others are served");
    // Its client is killed. The first joins again, and is not held up by it for longer than a session.
    drop(waits);
    let begun = Instant::now();
    let (error, generation, id) = joined(&first.ask(11, 1, &join(&id, SESSION_MS)));
    assert_eq!(error, 0);
    first.ask(14, 0, &sync(generation, &id));
    while number16(&first.ask(12, 0, &heartbeat(generation, &id))) != rebalance {
        assert!(begun.elapsed() < PATIENCE, "the killed one is still a member");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(joined(&first.ask(11, 1, &join(&id, SESSION_MS))).1, generation + 1, "alone again, at once");
}

#[test]
fn offsets_are_committed_by_members_and_by_nobody_else_and_outlive_the_broker() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("broker");
    let arguments = ["coronaz-broker", "--listen=127.0.0.1:0", "--topic=t", "--partitions=2"];
    let options = |data: &std::path::Path| {
        let data = format!("--data={}", data.display());
        Options::try_parse_from(arguments.iter().map(ToString::to_string).chain([data])).expect("options")
    };
    let running = Running { started: start(&options(&data)).expect("started"), folder };
    let (mut client, generation, id) = member(&running);
    assert_eq!(committed(&client.ask(8, 2, &commit("g", generation, &id, 0, 42))), 0);
    assert_eq!(committed(&client.ask(8, 2, &commit("g", generation - 1, &id, 0, 1))), 22);
    assert_eq!(committed(&client.ask(8, 2, &commit("g", generation, "stranger", 0, 1))), 25);
    assert_eq!(committed(&client.ask(8, 2, &commit("g", -1, "", 0, 1))), 25, "it has a member");
    assert_eq!(committed(&client.ask(8, 2, &commit("g", generation, &id, 9, 1))), 3);
    assert_eq!(committed(&client.ask(8, 2, &commit("by hand", -1, "", 0, 7))), 0);
    assert_eq!(offset(&mut client, "g"), 42);
    assert_eq!(offset(&mut client, "nobody"), -1);
    // Killed: nothing is put in order before the next start.
    let copy = tempfile::tempdir().expect("a folder");
    let copied = copy.path().join("broker");
    let status = std::process::Command::new("cp").arg("-r").args([&data, &copied]).status();
    assert!(status.expect("cp runs").success());
    let again = Running { started: start(&options(&copied)).expect("started"), folder: copy };
    let mut client = again.connect();
    assert_eq!((offset(&mut client, "g"), offset(&mut client, "by hand")), (42, 7));
    // A topic of the same name is another topic: one that is made at the start, or by a client.
    let remade = tempfile::tempdir().expect("a folder");
    let bare = remade.path().join("broker");
    let status = std::process::Command::new("cp").arg("-r").args([&data, &bare]).status();
    assert!(status.expect("cp runs").success());
    std::fs::remove_dir_all(bare.join("topics").join("t")).expect("removed");
    let remade = Running { started: start(&options(&bare)).expect("started"), folder: remade };
    assert_eq!(offset(&mut remade.connect(), "g"), -1);
    client.ask(20, 1, b"\0\0\0\x01\0\x01t\0\0\0\0");
    assert_eq!(offset(&mut client, "g"), -1);
}

#[test]
fn groups_are_listed_described_and_deleted_once_they_are_empty() {
    let running = Running::start(&[]);
    let (mut client, generation, id) = member(&running);
    client.ask(8, 2, &commit("g", generation, &id, 0, 42));
    let has = |answer: &[u8], text: &str| answer.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(has(&client.ask(16, 0, &[]), "\0\x01g\0\x08consumer"));
    let describe = |client: &mut Client| client.ask(15, 0, b"\0\0\0\x01\0\x01g");
    let described = describe(&mut client);
    for text in ["Stable", "range", &id, "/127.0.0.1", "all"] {
        assert!(has(&described, text), "{text} in {described:?}");
    }
    let delete = |client: &mut Client| number16(&client.ask(42, 0, b"\0\0\0\x01\0\x01g")[4 + 4 + 3..]);
    assert_eq!(delete(&mut client), 68, "it has a member");
    let mut leave = Writer::default();
    leave.string("g");
    leave.string(&id);
    assert_eq!(client.ask(13, 0, &leave.bytes), [0, 0]);
    assert!(has(&describe(&mut client), "Empty"));
    assert_eq!((delete(&mut client), delete(&mut client)), (0, 69));
    assert!(has(&describe(&mut client), "Dead"));
    assert_eq!(offset(&mut client, "g"), -1);
}

#[test]
fn transactions_and_copies_are_refused_with_the_reason() {
    let running = Running::start(&[]);
    let mut client = running.connect();
    let mut transactional = Writer::default();
    transactional.nullable_string(Some("t"));
    transactional.i32(60_000);
    assert_eq!(number16(&client.ask(22, 1, &transactional.bytes)[4..]), 53);
    let mut create = Writer::default();
    create.count(1);
    create.string("new");
    create.i32(1);
    create.i16(3);
    create.count(0);
    create.count(0);
    create.i32(1000);
    create.bool(false);
    let refused = client.ask(19, 2, &create.bytes);
    assert_eq!(number16(&refused[4 + 4 + 5..]), 38);
    assert!(String::from_utf8_lossy(&refused).contains("1 broker"), "{refused:?}");
    assert!(running.started.broker.data.topic("new").is_none());
}
