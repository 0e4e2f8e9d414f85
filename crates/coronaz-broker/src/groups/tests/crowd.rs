//! Clients that follow the protocol, with every fault there is: in the end they agree.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Stage, join};
use crate::groups::{Join, Phase, Reply, Sync, Table, Ticket, Who};
use crate::protocol::ErrorCode;

/// Time between two turns of everybody.
const TURN_MS: u64 = 1000;
/// What the group reads.
const PARTITIONS: usize = 12;

#[derive(Debug, Clone, Default, PartialEq)]
enum State {
    #[default]
    Out,
    Joining(Ticket),
    Syncing(Ticket),
    In,
}

/// A client: what it knows of its membership.
#[derive(Debug, Clone, Default)]
struct Client {
    state: State,
    instance: Option<String>,
    member: String,
    generation: i32,
    assigned: Vec<u8>,
    /// It takes part; otherwise it was stopped or killed.
    runs: bool,
}

/// Something that happens to a client.
#[derive(Debug, Clone)]
enum Happens {
    Starts(usize),
    Leaves(usize),
    /// Killed: its requests that wait are abandoned, and it forgets everything.
    Dies(usize),
    /// Its connection breaks; it asks again.
    Disconnects(usize),
    /// The broker is killed and comes back with what it saved: all requests that wait are lost.
    BrokerRestarts,
    /// All others take so many turns.
    Turns(u8),
}

fn happens() -> impl Strategy<Value = Happens> {
    let client = || 0_usize..5;
    prop_oneof![
        3 => client().prop_map(Happens::Starts),
        1 => client().prop_map(Happens::Leaves),
        1 => client().prop_map(Happens::Dies),
        1 => client().prop_map(Happens::Disconnects),
        1 => Just(Happens::BrokerRestarts),
        4 => (1_u8..20).prop_map(Happens::Turns),
    ]
}

struct Crowd {
    stage: Stage,
    clients: Vec<Client>,
    answered: BTreeMap<Ticket, Reply>,
    saved: BTreeMap<String, Vec<u8>>,
}

impl Crowd {
    fn new(statics: usize) -> Self {
        let client = |number: usize| Client {
            instance: (number < statics).then(|| format!("static-{number}")),
            ..Client::default()
        };
        Self {
            stage: Stage::default(),
            clients: (0..5).map(client).collect(),
            answered: BTreeMap::new(),
            saved: BTreeMap::new(),
        }
    }

    fn collect(&mut self) {
        for (ticket, reply) in std::mem::take(&mut self.stage.replies) {
            assert!(self.answered.insert(ticket, reply).is_none(), "one answer to each request");
        }
        for (group, saved) in self.stage.table.take_unsaved() {
            if saved.is_empty() {
                self.saved.remove(&group);
            } else {
                self.saved.insert(group, saved);
            }
        }
    }

    fn join(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let protocols: [(&str, &[u8]); 1] = [("range", b"m")];
        self.stage.tickets += 1;
        let ticket = self.stage.tickets;
        let ask =
            Join { needs_id: true, ..join("g", &client.member, client.instance.as_deref(), &protocols) };
        self.stage.table.join(self.stage.now, ticket, &ask, &ticket.to_string(), &mut self.stage.replies);
        client.state = State::Joining(ticket);
        client.assigned.clear();
    }

    fn sync(&mut self, at: usize, members: &[String]) {
        let client = &mut self.clients[at];
        // As a leader does: each partition to one member.
        let share = |number: usize| -> Vec<u8> {
            (0..PARTITIONS).filter(|p| p % members.len() == number).map(|p| p as u8).collect()
        };
        let shares: Vec<(String, Vec<u8>)> =
            members.iter().enumerate().map(|(number, id)| (id.clone(), share(number))).collect();
        let assignments: Vec<(&str, &[u8])> =
            shares.iter().map(|(id, share)| (id.as_str(), share.as_slice())).collect();
        self.stage.tickets += 1;
        let ticket = self.stage.tickets;
        let who = Who {
            generation: client.generation,
            member: &client.member,
            instance: client.instance.as_deref(),
        };
        let ask = Sync { group: "g", who, assignments: &assignments };
        self.stage.table.sync(self.stage.now, ticket, &ask, &mut self.stage.replies);
        client.state = State::Syncing(ticket);
    }

    /// One client does what comes next.
    fn turn(&mut self, at: usize) {
        self.collect();
        let client = &mut self.clients[at];
        if !client.runs {
            return;
        }
        match client.state.clone() {
            State::Out => self.join(at),
            State::Joining(ticket) => match self.answered.remove(&ticket) {
                None => {}
                Some(Reply::Joined(joined)) => {
                    client.member = joined.member;
                    client.generation = joined.generation;
                    let members: Vec<String> = joined.members.into_iter().map(|member| member.id).collect();
                    self.sync(at, &members);
                }
                Some(Reply::Refused { error, member }) => {
                    client.member = if error == ErrorCode::MemberIdRequired { member } else { String::new() };
                    client.state = State::Out;
                }
                Some(Reply::Synced(_)) => panic!("not what was asked"),
            },
            State::Syncing(ticket) => match self.answered.remove(&ticket) {
                None => {}
                Some(Reply::Synced(assigned)) => {
                    client.assigned = assigned;
                    client.state = State::In;
                }
                Some(Reply::Refused { error, .. }) => {
                    if error != ErrorCode::RebalanceInProgress {
                        client.member.clear();
                    }
                    client.state = State::Out;
                }
                Some(Reply::Joined(_)) => panic!("not what was asked"),
            },
            State::In => {
                let who = Who {
                    generation: client.generation,
                    member: &client.member,
                    instance: client.instance.as_deref(),
                };
                match self.stage.table.heartbeat(self.stage.now, "g", &who, &mut self.stage.replies) {
                    ErrorCode::None => {}
                    ErrorCode::RebalanceInProgress => client.state = State::Out,
                    _ => {
                        client.member.clear();
                        client.state = State::Out;
                    }
                }
            }
        }
    }

    fn waits(&self, at: usize) -> bool {
        matches!(self.clients[at].state, State::Joining(_) | State::Syncing(_))
    }

    fn abandon(&mut self, at: usize) {
        self.collect();
        if let State::Joining(ticket) | State::Syncing(ticket) = self.clients[at].state {
            self.stage.table.abandon(self.stage.now, "g", ticket, &mut self.stage.replies);
            self.answered.remove(&ticket);
        }
        self.clients[at].state = State::Out;
    }

    fn happen(&mut self, happens: &Happens) {
        match *happens {
            Happens::Starts(at) => self.clients[at].runs = true,
            Happens::Leaves(at) => {
                let (member, instance) = (self.clients[at].member.clone(), self.clients[at].instance.clone());
                self.stage.leave(&member, instance.as_deref());
                self.abandon(at);
                self.clients[at] = Client { instance, ..Client::default() };
            }
            Happens::Dies(at) => {
                self.abandon(at);
                let instance = self.clients[at].instance.clone();
                self.clients[at] = Client { instance, ..Client::default() };
            }
            Happens::Disconnects(at) => self.abandon(at),
            Happens::BrokerRestarts => {
                let waiting: Vec<usize> = (0..self.clients.len()).filter(|at| self.waits(*at)).collect();
                waiting.into_iter().for_each(|at| self.abandon(at));
                self.stage.table = Table::default();
                for (group, saved) in &self.saved {
                    self.stage.table.restore(self.stage.now, group, saved);
                }
            }
            Happens::Turns(turns) => {
                for _ in 0..turns {
                    self.stage.passes(TURN_MS);
                    (0..self.clients.len()).for_each(|at| self.turn(at));
                }
            }
        }
        self.collect();
        self.check();
    }

    /// What holds at any moment.
    fn check(&self) {
        let table = &self.stage.table;
        let Some(group) = table.group("g") else { return };
        assert_eq!(table.bytes, group.bytes(), "what is counted is what is held");
        let mut ids: Vec<&str> = group.members.iter().map(|member| member.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), group.members.len());
        let waits = group.members.iter().filter(|member| member.waits.is_some()).count();
        match group.phase {
            Phase::Empty | Phase::Stable => assert_eq!(waits, 0, "nobody is forgotten"),
            Phase::Joining(_) | Phase::Syncing(_) => assert!(group.deadline().is_some()),
        }
        // No partition is read by two who believe to be in the same generation.
        for partition in 0..PARTITIONS as u8 {
            let readers = self.clients.iter().filter(|client| {
                client.state == State::In
                    && client.generation == group.generation
                    && client.assigned.contains(&partition)
            });
            assert!(readers.count() <= 1, "partition {partition}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn whatever_happened_those_who_run_share_all_partitions_in_the_end(
        history in proptest::collection::vec(happens(), 1..60),
        statics in 0_usize..3,
    ) {
        let mut crowd = Crowd::new(statics);
        for event in &history {
            crowd.happen(event);
        }
        crowd.happen(&Happens::Starts(4));
        // Two rebalances that wait for somebody who is dead, and the sessions.
        for _ in 0..18 {
            crowd.happen(&Happens::Turns(10));
        }
        let running: Vec<&Client> = crowd.clients.iter().filter(|client| client.runs).collect();
        let group = crowd.stage.table.group("g").expect("somebody runs");
        prop_assert_eq!(group.phase, Phase::Stable);
        prop_assert_eq!(group.members.len(), running.len());
        let mut read: Vec<u8> = Vec::new();
        for client in &running {
            prop_assert_eq!(&client.state, &State::In);
            prop_assert_eq!(client.generation, group.generation);
            read.extend(&client.assigned);
        }
        read.sort_unstable();
        prop_assert_eq!(read, (0..PARTITIONS as u8).collect::<Vec<_>>());
        prop_assert!(crowd.answered.is_empty(), "no answer without a question");
        for client in &mut crowd.clients {
            client.runs = false;
        }
        crowd.happen(&Happens::Turns(60));
        prop_assert!(crowd.stage.table.group("g").is_none(), "nothing is kept of an empty group");
        prop_assert_eq!(crowd.stage.table.bytes, 0);
        prop_assert!(crowd.saved.is_empty(), "and nothing is saved of it");
    }
}
