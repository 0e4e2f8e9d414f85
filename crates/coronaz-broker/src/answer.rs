//! What is answered to each request.
//!
//! | module | what it holds |
//! |---|---|
//! | `cluster` | versions, metadata, coordinators: a cluster of this broker alone |
//! | `groups` | consumer groups: joined, synchronised, left, described |
//! | `committed` | offsets of groups, committed and looked up |
//! | `topics` | topics made, deleted, described |
//! | `produce` | batches appended, and who may append them |
//! | `fetch` | batches handed out, waiting for them if need be |
//! | `offsets` | where a partition begins, ends, or was at some time |

mod cluster;
mod committed;
mod fetch;
mod groups;
mod offsets;
mod produce;
mod topics;

use std::net::TcpStream;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::data::Data;
use crate::groups::{Groups, Waiting};
use crate::log::Slice;
use crate::log::codec::Opener;
use crate::partition::Bell;
use crate::protocol::request::{Question, Request};
use crate::protocol::writer::Writer;

/// The broker's number in its cluster.
const NODE: i32 = 1;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) data: Data,
    /// Opens the batches that come compressed.
    pub(crate) opener: Opener,
    pub(crate) groups: Groups,
    /// Where clients are told to connect to.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// An answer: bytes, with batches from files between them.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) writer: Writer,
    /// After how many of the bytes each of these comes, rising.
    pub(crate) slices: Vec<(usize, Slice)>,
    /// What it still waits for.
    later: Option<Later>,
}

/// An answer that other members of a group have to come for first.
#[derive(Debug)]
struct Later {
    version: i16,
    is_join: bool,
    waiting: Waiting,
}

impl Answer {
    /// Its length on the wire, without the four bytes that say so.
    pub(crate) fn length(&self) -> u64 {
        self.writer.bytes.len() as u64 + self.slices.iter().map(|(_, slice)| slice.bytes).sum::<u64>()
    }
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    /// Wakes this connection when a partition grows.
    bell: Arc<Bell>,
    /// The question holds memory that others may need.
    pub(crate) holds_memory: bool,
    stream: &'a TcpStream,
}

impl<'a> Asker<'a> {
    /// The client at the other end of a connection.
    pub(crate) fn new(stream: &'a TcpStream) -> Self {
        Self { bell: Arc::default(), holds_memory: false, stream }
    }

    /// Whether it closed its end, perhaps behind requests that were not read yet.
    fn has_gone(&self) -> bool {
        let mut polled = [PollFd::new(self.stream, PollFlags::RDHUP)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut polled, Some(&now)).is_ok_and(|found| found > 0)
    }

    /// Its address, as Kafka writes it.
    fn host(&self) -> String {
        self.stream.peer_addr().map_or_else(|_| String::new(), |address| format!("/{}", address.ip()))
    }
}

impl Broker {
    /// Answers a request; `None` where no answer is wanted.
    pub(crate) fn answer(&self, request: &Request<'_>, asker: &mut Asker<'_>) -> Option<Answer> {
        let mut answer = Answer::default();
        let version = request.version;
        let to = &mut answer.writer;
        to.i32(request.correlation);
        match &request.question {
            Question::Versions { spoken } => cluster::versions(version, *spoken, to),
            Question::Metadata { topics, operations } => {
                self.metadata(version, topics.as_deref(), *operations, to);
            }
            Question::FindCoordinator(of) => self.coordinator(version, *of, to),
            Question::Group(asked) => {
                answer.later = self.group(version, request.client, asked, asker, to);
            }
            Question::CreateTopics { topics, validate_only } => {
                self.create_topics(topics, *validate_only, to);
            }
            Question::DeleteTopics { topics } => self.delete_topics(topics, to),
            Question::DescribeConfigs { resources } => self.describe(version, resources, to),
            Question::InitProducerId { transactional } => produce::new_producer(*transactional, to),
            Question::ListOffsets { topics } => self.list_offsets(version, topics, to),
            Question::Produce(produce) => {
                self.produce(version, produce, to);
                if produce.acks == 0 {
                    return None;
                }
            }
            Question::Fetch(fetch) => self.fetch(version, fetch, asker, &mut answer),
        }
        Some(answer)
    }

    /// Waits for what an answer still needs; `None` when the client has gone meanwhile.
    pub(crate) fn complete(&self, mut answer: Answer, asker: &Asker<'_>) -> Option<Answer> {
        if let Some(Later { version, is_join, waiting }) = answer.later.take() {
            let reply = self.groups.wait(waiting, &|| asker.has_gone())?;
            groups::replied(version, is_join, &reply, &mut answer.writer);
        }
        Some(answer)
    }
}
