//! The groups without a socket and without a clock.

mod crowd;

use super::table::GROUPS_MAX;
use super::{Join, Joined, Ms, Phase, Replies, Reply, Sync, Table, Ticket, Who};
use crate::protocol::ErrorCode;

const SESSION_MS: Ms = 10_000;
const REBALANCE_MS: Ms = 60_000;

/// Groups, the time, and the answers that were not looked at yet.
#[derive(Default)]
struct Stage {
    table: Table,
    now: Ms,
    tickets: Ticket,
    replies: Replies,
}

impl Stage {
    fn join(&mut self, member: &str, instance: Option<&str>, protocols: &[(&str, &[u8])]) -> Ticket {
        self.tickets += 1;
        let ask = Join { needs_id: false, ..join("g", member, instance, protocols) };
        let random = self.tickets.to_string();
        self.table.join(self.now, self.tickets, &ask, &random, &mut self.replies);
        self.tickets
    }

    /// Joins as a consumer of one assignor.
    fn joins(&mut self, member: &str) -> Ticket {
        self.join(member, None, &[("range", b"m")])
    }

    fn sync(&mut self, generation: i32, member: &str, assignments: &[(&str, &[u8])]) -> Ticket {
        self.tickets += 1;
        let who = Who { generation, member, instance: None };
        let ask = Sync { group: "g", who, assignments };
        self.table.sync(self.now, self.tickets, &ask, &mut self.replies);
        self.tickets
    }

    fn heartbeat(&mut self, generation: i32, member: &str) -> ErrorCode {
        let who = Who { generation, member, instance: None };
        self.table.heartbeat(self.now, "g", &who, &mut self.replies)
    }

    fn leave(&mut self, member: &str, instance: Option<&str>) -> ErrorCode {
        self.table.leave(self.now, "g", member, instance, &mut self.replies)
    }

    fn passes(&mut self, ms: Ms) {
        self.now += ms;
        self.table.advance_all(self.now, &mut self.replies);
    }

    /// The answer to a request, if it came.
    fn reply(&mut self, ticket: Ticket) -> Option<Reply> {
        let at = self.replies.iter().position(|(found, _)| *found == ticket)?;
        Some(self.replies.remove(at).1)
    }

    fn joined(&mut self, ticket: Ticket) -> Joined {
        match self.reply(ticket) {
            Some(Reply::Joined(joined)) => joined,
            other => panic!("not joined: {other:?}"),
        }
    }

    fn synced(&mut self, ticket: Ticket) -> Vec<u8> {
        match self.reply(ticket) {
            Some(Reply::Synced(assignment)) => assignment,
            other => panic!("not synchronised: {other:?}"),
        }
    }

    fn refused(&mut self, ticket: Ticket) -> ErrorCode {
        match self.reply(ticket) {
            Some(Reply::Refused { error, .. }) => error,
            other => panic!("not refused: {other:?}"),
        }
    }

    fn phase(&self) -> Phase {
        self.table.group("g").map_or(Phase::Empty, |group| group.phase)
    }

    /// A stable group of so many members; their ids, the leader first.
    fn stable(&mut self, members: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for _ in 0..members {
            let ticket = self.joins("");
            for id in &ids {
                let id: &String = id;
                self.joins(id);
            }
            // With the last of them the round is complete.
            ids.push(self.joined(ticket).member);
            self.replies.clear();
        }
        let generation = self.table.group("g").expect("a group").generation;
        let assignments: Vec<(&str, &[u8])> = ids.iter().map(|id| (id.as_str(), id.as_bytes())).collect();
        for id in ids.iter().rev() {
            self.sync(generation, id, if id == &ids[0] { &assignments } else { &[] });
        }
        assert_eq!(self.phase(), Phase::Stable);
        self.replies.clear();
        ids
    }

    fn generation(&self) -> i32 {
        self.table.group("g").expect("a group").generation
    }
}

fn join<'a>(
    group: &'a str,
    member: &'a str,
    instance: Option<&'a str>,
    protocols: &'a [(&'a str, &'a [u8])],
) -> Join<'a> {
    Join {
        group,
        member,
        instance,
        client: "test",
        host: "/127.0.0.1",
        session_ms: SESSION_MS,
        rebalance_ms: REBALANCE_MS,
        protocol_type: "consumer",
        protocols,
        needs_id: true,
    }
}

#[test]
fn the_first_member_leads_and_gets_what_it_assigns_itself() {
    let mut stage = Stage::default();
    let ticket = stage.joins("");
    let joined = stage.joined(ticket);
    assert_eq!((joined.generation, joined.protocol.as_str()), (1, "range"));
    assert_eq!(joined.leader, joined.member);
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.members[0].metadata, b"m");
    let ticket = stage.sync(1, &joined.member, &[(&joined.member, b"all")]);
    assert_eq!(stage.synced(ticket), b"all");
    assert_eq!(stage.heartbeat(1, &joined.member), ErrorCode::None);
}

#[test]
fn a_client_that_knows_ids_is_sent_one_and_joins_with_it() {
    let mut stage = Stage::default();
    let protocols: [(&str, &[u8]); 1] = [("range", b"")];
    stage.table.join(0, 1, &join("g", "", None, &protocols), "x", &mut stage.replies);
    let Some(Reply::Refused { error, member }) = stage.reply(1) else { panic!("no id") };
    assert_eq!((error, member.as_str()), (ErrorCode::MemberIdRequired, "test-x"));
    let ticket = stage.joins(&member);
    assert_eq!(stage.joined(ticket).member, member);
    stage.sync(1, &member, &[]);
    // One that never comes back with its id holds nobody up for longer than its session.
    stage.table.join(0, 50, &join("g", "", None, &protocols), "y", &mut stage.replies);
    let ticket = stage.joins(&member);
    assert_eq!(stage.reply(ticket), None, "it waits for the one that was sent an id");
    stage.passes(SESSION_MS);
    assert_eq!(stage.joined(ticket).generation, 2);
}

#[test]
fn a_second_member_begins_a_rebalance_and_the_first_hears_of_it_at_its_heartbeat() {
    let mut stage = Stage::default();
    let first = stage.stable(1).remove(0);
    let second = stage.joins("");
    assert_eq!(stage.reply(second), None, "the first has not joined again");
    assert_eq!(stage.heartbeat(1, &first), ErrorCode::RebalanceInProgress);
    let first_again = stage.joins(&first);
    let (led, second) = (stage.joined(first_again), stage.joined(second));
    assert_eq!((led.generation, second.generation), (2, 2));
    assert_eq!((led.leader.as_str(), second.leader.as_str()), (first.as_str(), first.as_str()));
    assert_eq!((led.members.len(), second.members.len()), (2, 0));
    let follower = stage.sync(2, &second.member, &[]);
    assert_eq!(stage.reply(follower), None, "it waits for the leader");
    let leader = stage.sync(2, &first, &[(&first, b"0"), (&second.member, b"1")]);
    assert_eq!((stage.synced(leader), stage.synced(follower)), (b"0".to_vec(), b"1".to_vec()));
}

#[test]
fn a_member_that_leaves_or_is_silent_for_its_session_hands_over() {
    for leaves in [true, false] {
        let mut stage = Stage::default();
        let ids = stage.stable(3);
        if leaves {
            assert_eq!(stage.leave(&ids[0], None), ErrorCode::None);
        } else {
            stage.passes(SESSION_MS - 1);
            for id in &ids[1..] {
                assert_eq!(stage.heartbeat(stage.generation(), id), ErrorCode::None);
            }
            stage.passes(1);
        }
        for id in &ids[1..] {
            assert_eq!(stage.heartbeat(stage.generation(), id), ErrorCode::RebalanceInProgress);
        }
        let tickets: Vec<_> = ids[1..].iter().map(|id| stage.joins(id)).collect();
        let joined: Vec<_> = tickets.into_iter().map(|ticket| stage.joined(ticket)).collect();
        assert_eq!(joined[0].generation, joined[1].generation);
        assert_eq!(joined[0].members.len() + joined[1].members.len(), 2, "one of them leads");
        assert_eq!(stage.heartbeat(joined[0].generation, &ids[0]), ErrorCode::UnknownMemberId);
    }
}

#[test]
fn a_rebalance_waits_for_those_who_do_not_join_until_its_timeout_and_no_longer() {
    let mut stage = Stage::default();
    let ids = stage.stable(2);
    let third = stage.joins("");
    let first = stage.joins(&ids[0]);
    for _ in 0..REBALANCE_MS / 5000 - 1 {
        stage.passes(5000);
        assert_eq!(stage.heartbeat(stage.generation(), &ids[1]), ErrorCode::RebalanceInProgress);
        assert!(stage.replies.is_empty(), "the second lives, and may still join");
    }
    stage.passes(5000);
    assert_eq!(stage.joined(first).members.len(), 2);
    assert_ne!(stage.joined(third).member, ids[1]);
    assert_eq!(stage.heartbeat(stage.generation(), &ids[1]), ErrorCode::UnknownMemberId);
}

#[test]
fn what_comes_from_an_earlier_generation_is_refused() {
    let mut stage = Stage::default();
    let first = stage.stable(1).remove(0);
    let before = stage.generation();
    let again = stage.joins(&first);
    let generation = stage.joined(again).generation;
    assert_eq!(generation, before + 1, "a leader that joins again begins a round");
    assert_eq!(stage.heartbeat(before, &first), ErrorCode::IllegalGeneration);
    let ticket = stage.sync(before, &first, &[]);
    assert_eq!(stage.refused(ticket), ErrorCode::IllegalGeneration);
    let who = |generation, member| Who { generation, member, instance: None };
    let may = |stage: &mut Stage, generation, member| {
        stage.table.may_commit(stage.now, "g", &who(generation, member), &mut stage.replies)
    };
    assert_eq!(may(&mut stage, before, &first), ErrorCode::IllegalGeneration);
    assert_eq!(may(&mut stage, generation, &first), ErrorCode::RebalanceInProgress, "not assigned yet");
    assert_eq!(may(&mut stage, generation, "nobody"), ErrorCode::UnknownMemberId);
    assert_eq!(may(&mut stage, -1, ""), ErrorCode::UnknownMemberId, "the group has members");
    let ticket = stage.sync(generation, &first, &[]);
    stage.synced(ticket);
    assert_eq!(may(&mut stage, generation, &first), ErrorCode::None);
    assert_eq!(stage.leave(&first, None), ErrorCode::None);
    assert_eq!(may(&mut stage, -1, ""), ErrorCode::None, "a reader without a group protocol");
    assert_eq!(may(&mut stage, generation, &first), ErrorCode::UnknownMemberId);
}

#[test]
fn a_static_member_that_comes_back_gets_what_it_had_and_nobody_joins_again() {
    let mut stage = Stage::default();
    let protocols: [(&str, &[u8]); 1] = [("range", b"m")];
    let a = stage.join("", Some("a"), &protocols);
    let a = stage.joined(a).member;
    let b = stage.join("", Some("b"), &protocols);
    let again = stage.join(&a, Some("a"), &protocols);
    let (generation, b) = (stage.joined(again).generation, stage.joined(b).member);
    stage.sync(generation, &b, &[]);
    stage.sync(generation, &a, &[(&a, b"left"), (&b, b"right")]);
    stage.replies.clear();
    for instance in ["b", "a"] {
        let back = stage.join("", Some(instance), &protocols);
        let back = stage.joined(back);
        assert_eq!(back.generation, generation, "no rebalance");
        assert!(back.members.is_empty() && back.leader != back.member, "it is not asked to assign");
        let ticket = stage.sync(generation, &back.member, &[]);
        assert_eq!(stage.synced(ticket), if instance == "a" { &b"left"[..] } else { b"right" });
    }
    let fenced = Who { generation, member: &b, instance: Some("b") };
    let now = stage.now;
    assert_eq!(stage.table.heartbeat(now, "g", &fenced, &mut stage.replies), ErrorCode::FencedInstanceId);
    assert_eq!(stage.heartbeat(generation, &b), ErrorCode::UnknownMemberId);
    let ticket = stage.join(&b, Some("b"), &protocols);
    assert_eq!(stage.refused(ticket), ErrorCode::FencedInstanceId);
    // An administrator names it by its instance alone.
    assert_eq!(stage.leave("", Some("b")), ErrorCode::None);
    assert_eq!(stage.leave("", Some("b")), ErrorCode::UnknownMemberId);
}

#[test]
fn the_assignor_that_most_prefer_of_those_that_all_offer_is_used() {
    let mut stage = Stage::default();
    let all: [(&str, &[u8]); 3] = [("x", b"1"), ("sticky", b"2"), ("range", b"3")];
    let first = stage.join("", None, &all);
    let first = stage.joined(first).member;
    let second = stage.join("", None, &all[1..]);
    let third = stage.join("", None, &[("range", b"4"), ("sticky", b"5")]);
    let first_again = stage.join(&first, None, &all);
    let led = stage.joined(first_again);
    assert_eq!(led.protocol, "sticky", "the first and the second prefer it");
    assert_eq!(led.members.iter().map(|member| member.metadata[0]).collect::<Vec<_>>(), b"225");
    assert_eq!(stage.joined(second).protocol, stage.joined(third).protocol);
    let stranger = stage.join("", None, &[("cooperative", b"")]);
    assert_eq!(stage.refused(stranger), ErrorCode::InconsistentGroupProtocol);
    let nothing = stage.join("", None, &[]);
    assert_eq!(stage.refused(nothing), ErrorCode::InconsistentGroupProtocol);
}

#[test]
fn a_client_that_goes_while_it_waits_holds_nobody_up_for_longer_than_its_session() {
    let mut stage = Stage::default();
    let first = stage.stable(1).remove(0);
    let gone = stage.joins("");
    let now = stage.now;
    stage.table.abandon(now, "g", gone, &mut stage.replies);
    let first_again = stage.joins(&first);
    let joined = stage.joined(first_again);
    assert_eq!(joined.members.len(), 2, "it joined; whether it lives is not known yet");
    let ticket = stage.sync(joined.generation, &first, &[]);
    stage.synced(ticket);
    stage.passes(SESSION_MS - 1);
    assert_eq!(stage.heartbeat(joined.generation, &first), ErrorCode::None);
    stage.passes(1);
    assert_eq!(stage.heartbeat(joined.generation, &first), ErrorCode::RebalanceInProgress);
    assert_eq!(stage.table.group("g").expect("a group").members.len(), 1);
}

#[test]
fn a_leader_that_does_not_assign_is_replaced() {
    let mut stage = Stage::default();
    let first = stage.stable(1).remove(0);
    let second = stage.joins("");
    let first_again = stage.joins(&first);
    let generation = stage.joined(first_again).generation;
    let second = stage.joined(second).member;
    let waiting = stage.sync(generation, &second, &[]);
    for _ in 0..REBALANCE_MS / 5000 {
        stage.passes(5000);
        stage.heartbeat(generation, &first);
    }
    assert_eq!(stage.refused(waiting), ErrorCode::RebalanceInProgress);
    let ticket = stage.joins(&second);
    let joined = stage.joined(ticket);
    assert_eq!((joined.leader.as_str(), joined.members.len()), (second.as_str(), 1));
}

#[test]
fn a_request_that_is_sent_twice_is_answered_twice_and_changes_nothing() {
    let mut stage = Stage::default();
    let first = stage.stable(1).remove(0);
    let second = stage.joins("");
    let third = stage.joins("");
    assert!(stage.replies.is_empty());
    let again = stage.joins(&first);
    let (generation, second) = (stage.joined(again).generation, stage.joined(second).member);
    stage.joined(third);
    let repeated = stage.joins(&second);
    assert_eq!(stage.joined(repeated).generation, generation, "its answer was lost; the round stands");
    let (one, two) = (stage.sync(generation, &second, &[]), stage.sync(generation, &second, &[]));
    assert_eq!(stage.refused(one), ErrorCode::RebalanceInProgress);
    let ticket = stage.sync(generation, &first, &[(&second, b"s")]);
    stage.synced(ticket);
    assert_eq!(stage.synced(two), b"s");
    let ticket = stage.sync(generation, &second, &[]);
    assert_eq!(stage.synced(ticket), b"s", "also once the group is stable");
}

#[test]
fn a_stable_group_outlives_the_broker_with_its_members_generation_and_assignments() {
    let mut stage = Stage::default();
    let ids = stage.stable(2);
    let saved = stage.table.take_unsaved();
    assert_eq!(saved.last().expect("saved").0, "g");
    let generation = stage.generation();
    stage.table = Table::default();
    stage.table.restore(stage.now, "g", &saved.last().expect("saved").1);
    stage.passes(SESSION_MS - 1);
    assert_eq!(stage.heartbeat(generation, &ids[0]), ErrorCode::None);
    let ticket = stage.sync(generation, &ids[1], &[]);
    assert_eq!(stage.synced(ticket), ids[1].as_bytes());
    // Who is not heard of for a session has gone with the broker.
    stage.passes(SESSION_MS - 1);
    assert_eq!(stage.heartbeat(generation, &ids[0]), ErrorCode::None);
    stage.passes(1);
    assert_eq!(stage.heartbeat(generation, &ids[0]), ErrorCode::RebalanceInProgress);
    let ticket = stage.joins(&ids[0]);
    assert_eq!(stage.joined(ticket).generation, generation + 1);
    assert_eq!(stage.leave(&ids[0], None), ErrorCode::None);
    assert_eq!(stage.table.take_unsaved().last(), Some(&("g".to_owned(), Vec::new())), "nothing is kept");
    stage.table.restore(stage.now, "g", b"of another form");
    stage.table.restore(stage.now, "g", &[]);
    assert!(stage.table.group("g").is_none());
}

#[test]
fn names_and_sessions_that_no_kafka_takes_are_refused() {
    let mut stage = Stage::default();
    let protocols: [(&str, &[u8]); 1] = [("range", b"")];
    let good = join("g", "", None, &protocols);
    let long = "x".repeat(250);
    for (ask, expected) in [
        (Join { group: "", ..good }, ErrorCode::InvalidGroupId),
        (Join { group: &long, ..good }, ErrorCode::InvalidGroupId),
        (Join { session_ms: 5_999, ..good }, ErrorCode::InvalidSessionTimeout),
        (Join { session_ms: 1_800_001, ..good }, ErrorCode::InvalidSessionTimeout),
        (Join { instance: Some(&long), ..good }, ErrorCode::InvalidRequest),
        (Join { member: "unknown", ..good }, ErrorCode::UnknownMemberId),
        (Join { protocol_type: "", ..good }, ErrorCode::InconsistentGroupProtocol),
    ] {
        stage.table.join(0, 1, &ask, "x", &mut stage.replies);
        assert_eq!(stage.refused(1), expected);
        assert_eq!(stage.table.names().count(), 0, "nothing is kept of it");
    }
}

#[test]
fn strangers_fill_a_bounded_table_and_no_more() {
    let mut stage = Stage::default();
    let protocols: [(&str, &[u8]); 1] = [("range", b"")];
    let mut names = Vec::new();
    for number in 0..GROUPS_MAX + 1 {
        names.push(format!("g{number}"));
    }
    for name in &names {
        stage.table.join(0, 1, &join(name, "", None, &protocols), "x", &mut stage.replies);
    }
    let errors: Vec<_> = std::iter::repeat_with(|| stage.refused(1)).take(names.len()).collect();
    assert_eq!(errors.last(), Some(&ErrorCode::GroupMaxSizeReached));
    assert_eq!(stage.table.names().count(), GROUPS_MAX);
    stage.passes(SESSION_MS);
    assert_eq!(stage.table.names().count(), 0, "nobody came with the id that it was sent");

    // Many members of one group, then large ones.
    let mut refused = 0;
    for member in 0..1000 {
        stage.table.join(
            stage.now,
            1,
            &join("g", "", None, &protocols),
            &member.to_string(),
            &mut stage.replies,
        );
        refused += usize::from(stage.refused(1) == ErrorCode::GroupMaxSizeReached);
    }
    assert_eq!(refused, 1000 - 256);
    stage.passes(SESSION_MS);
    let large = vec![0; 200_000];
    let mut admitted = 0;
    for number in 0..200 {
        let name = format!("g{}", number / 20);
        let protocols: [(&str, &[u8]); 1] = [("range", &large)];
        let ask = Join { needs_id: false, ..join(&name, "", None, &protocols) };
        stage.table.join(stage.now, 1, &ask, &number.to_string(), &mut stage.replies);
        admitted += usize::from(!matches!(stage.reply(1), Some(Reply::Refused { .. })));
    }
    assert!((70..=84).contains(&admitted), "16 MiB in all, 2 MiB a group: {admitted}");
    // Their connections are gone.
    for group in 0..10 {
        let waiting: Vec<_> = {
            let found = stage.table.group(&format!("g{group}"));
            found.iter().flat_map(|group| group.members.iter().filter_map(|member| member.waits)).collect()
        };
        assert!(waiting.iter().all(|ticket| *ticket == 1));
        for _ in waiting {
            stage.table.abandon(stage.now, &format!("g{group}"), 1, &mut stage.replies);
        }
    }
    for _ in 0..3 {
        stage.passes(SESSION_MS + REBALANCE_MS);
    }
    assert_eq!(stage.table.names().count(), 0);
    assert_eq!(stage.table.bytes, 0);
}
